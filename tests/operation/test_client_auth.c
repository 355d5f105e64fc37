/* SPDX-License-Identifier: ISC */
/* test_client_auth.c: who a client is: secrets, assertions, public clients. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>

#include "operation/client_auth.h"
#include "operation/password.h"
#include "operation/token_ref.h"
#include "operation/world.h"
#include "token/client_keys.h"
#include "token/jws.h"

static void add_client(struct world *w, const char *id, const char *secret, bool generated)
{
    struct client client = {.enabled = true};

    strcpy(client.id, id);
    if (secret != NULL) {
        assert_true(client_secret_hash(text_of(secret), generated, &w->secrets,
                                       &w->issuer.randomness, client.secrets[0].hash, &w->fault));
    }
    assert_int_equal(store_client_add(w->store, &client, &w->fault), STORE_OK);
}

static void test_clients(void **state)
{
    static const struct row {
        const char *id, *secret;
        enum client_proof_kind proof;
        enum outcome outcome;
    } rows[] = {
        {"", "", CLIENT_PROOF_NONE, OUTCOME_CLIENT_AUTH_FAILED}, /* confidential: must prove */
        {"web", "", CLIENT_PROOF_NONE, OUTCOME_CLIENT_AUTH_FAILED},
        {"web", "wrong", CLIENT_PROOF_BASIC, OUTCOME_CLIENT_AUTH_FAILED},
        {"web", "", CLIENT_PROOF_BODY, OUTCOME_CLIENT_AUTH_FAILED},
        {"nobody", "s3cret", CLIENT_PROOF_BODY, OUTCOME_CLIENT_AUTH_FAILED},
        {"app", "s3cret", CLIENT_PROOF_BODY, OUTCOME_CLIENT_AUTH_FAILED}, /* it has no secret */
        {"app", "", CLIENT_PROOF_NONE, OUTCOME_WRONG_CLIENT},
        {"other", "0ther secret", CLIENT_PROOF_BASIC, OUTCOME_WRONG_CLIENT},
        {"web", "s3cret", CLIENT_PROOF_BASIC, OUTCOME_ROTATED},
    };
    struct world *w = *state;
    struct text token;

    add_client(w, "web", "s3cret", true);
    add_client(w, "other", "0ther secret", false);
    add_client(w, "app", NULL, false);
    token = world_session(w, "web", NULL);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct world_ask ask = {.mount = &w->mount,
                                .refresh_token = token,
                                .client_bound = true,
                                .client_proof = rows[i].proof,
                                .client_id = text_of(rows[i].id),
                                .client_secret = text_of(rows[i].secret)};
        struct answer answer;

        print_message("row %zu\n", i);
        assert_int_equal(world_run(&w->issuer, &ask, w->arena, &answer, &w->fault),
                         rows[i].outcome);
    }
}

static enum outcome present_secret(struct world *w, struct text token, const char *secret)
{
    struct world_ask ask = {.mount = &w->mount,
                            .refresh_token = token,
                            .client_bound = true,
                            .client_proof = CLIENT_PROOF_BASIC,
                            .client_id = TEXT("web"),
                            .client_secret = text_of(secret)};
    struct answer answer;

    return world_run(&w->issuer, &ask, w->arena, &answer, &w->fault);
}

/* Basic credentials that may not be form-urlencoded: either reading may be the right one. */
static void test_raw_secret_is_tried_second(void **state)
{
    static const struct row {
        const char *decoded, *raw;
        enum outcome outcome;
    } rows[] = {
        {"50 50", "50+51", OUTCOME_CLIENT_AUTH_FAILED},
        {"50 50", "50+50", OUTCOME_ROTATED},
        {"50+50", "50%2B50", OUTCOME_REPLAYED},
        {"50 50", "", OUTCOME_CLIENT_AUTH_FAILED},
    };
    struct world *w = *state;
    struct text token;

    add_client(w, "web", "50+50", false);
    token = world_session(w, "web", NULL);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct world_ask ask = {.mount = &w->mount,
                                .refresh_token = token,
                                .client_bound = true,
                                .client_proof = CLIENT_PROOF_BASIC,
                                .client_id = TEXT("web"),
                                .client_secret = text_of(rows[i].decoded),
                                .client_raw_secret = text_of(rows[i].raw)};
        struct answer answer;

        assert_int_equal(world_run(&w->issuer, &ask, w->arena, &answer, &w->fault),
                         rows[i].outcome);
    }
}

/* A client that never form-urlencodes pays for one hash, as every other: once the raw reading is
 * known, the decoded one is not hashed first, so that it is not tried a second time. */
static void test_raw_secret_is_remembered(void **state)
{
    struct world *w = *state;
    struct world_ask ask = {.mount = &w->mount,
                            .client_bound = true,
                            .client_proof = CLIENT_PROOF_BASIC,
                            .client_id = TEXT("web"),
                            .client_secret = TEXT("50 50"),
                            .client_raw_secret = TEXT("50+50")};
    struct client_identity identity;
    struct token_ref ref;
    enum outcome refusal;

    add_client(w, "web", "50+50", false);
    ask.refresh_token = world_session(w, "web", NULL);
    assert_int_equal(token_ref_locate(&w->issuer, ask.refresh_token, w->arena, &ref, &w->fault),
                     TOKEN_REF_FOUND);
    for (int i = 0; i < 2; i++) {
        struct request request = world_request(&w->issuer, &ask, w->arena);

        assert_true(client_auth_check(&request, &ref, w->now_ms, &identity, &refusal));
        assert_int_equal(request.client.raw_given, i == 1);
    }
}

/* Two secrets overlap for an hour: that is how one is rolled. */
static void test_secret_is_rolled(void **state)
{
    struct world *w = *state;
    struct client client = {.enabled = true, .id = "web"};
    struct text token;

    for (int i = 0; i < CLIENT_SECRETS; i++) {
        assert_true(client_secret_hash(text_of(i == 0 ? "old secret" : "new secret"), true,
                                       &w->secrets, &w->issuer.randomness, client.secrets[i].hash,
                                       &w->fault));
    }
    client.secrets[0].until_ms = w->now_ms + 2 * CLOCK_HOUR;
    client.secrets[1].from_ms = w->now_ms + CLOCK_HOUR;
    assert_int_equal(store_client_add(w->store, &client, &w->fault), STORE_OK);
    token = world_session(w, "web", NULL);
    assert_int_equal(present_secret(w, token, "new secret"), OUTCOME_CLIENT_AUTH_FAILED);
    w->now_ms += CLOCK_HOUR;
    assert_int_equal(present_secret(w, token, "neither"), OUTCOME_CLIENT_AUTH_FAILED);
    assert_int_equal(present_secret(w, token, "old secret"), OUTCOME_ROTATED);
    assert_int_equal(present_secret(w, token, "new secret"), OUTCOME_REPLAYED);
    w->now_ms += CLOCK_HOUR;
    assert_int_equal(present_secret(w, token, "old secret"), OUTCOME_CLIENT_AUTH_FAILED);
}

/* A key pair as PEM texts in the arena. */
static void make_pem(struct world *w, struct text *private_pem, struct text *public_pem)
{
    EVP_PKEY *key = EVP_RSA_gen(2048);
    BIO *bio = BIO_new(BIO_s_mem());
    char *data;
    long size;

    assert_non_null(key);
    assert_int_equal(PEM_write_bio_PrivateKey(bio, key, NULL, NULL, 0, NULL, NULL), 1);
    size = BIO_get_mem_data(bio, &data);
    assert_true(arena_copy(w->arena, (struct text){data, (size_t)size}, private_pem));
    (void)BIO_reset(bio);
    assert_int_equal(PEM_write_bio_PUBKEY(bio, key), 1);
    size = BIO_get_mem_data(bio, &data);
    assert_true(arena_copy(w->arena, (struct text){data, (size_t)size}, public_pem));
    BIO_free(bio);
    EVP_PKEY_free(key);
}

/* RFC 7523: what an assertion must say before it proves anything. */
static void test_client_assertion(void **state)
{
    static const char header[] = "{\"alg\":\"RS512\",\"typ\":\"JWT\"}";
    static const struct row {
        const char *iss, *sub, *aud;
        int64_t lives_s; /* from now */
        const char *extra;
        enum outcome outcome;
    } rows[] = {
        {"smart", "other", "\"https://id.example\"", 60, "", OUTCOME_CLIENT_AUTH_FAILED},
        {"nobody", "nobody", "\"https://id.example\"", 60, "", OUTCOME_CLIENT_AUTH_FAILED},
        {"smart", "smart", "\"https://evil.example\"", 60, "", OUTCOME_CLIENT_AUTH_FAILED},
        {"smart", "smart", "[]", 60, "", OUTCOME_CLIENT_AUTH_FAILED},
        {"smart", "smart", "\"https://id.example\"", -61, "", OUTCOME_CLIENT_AUTH_FAILED},
        {"smart", "smart", "\"https://id.example\"", 90000, "", OUTCOME_CLIENT_AUTH_FAILED},
        {"smart", "smart", "\"https://id.example\"", 60, ",\"nbf\":1900000000",
         OUTCOME_CLIENT_AUTH_FAILED},
        {"smart", "smart", "[\"x\",\"https://id.example\"]", 60, "", OUTCOME_ROTATED},
    };
    struct world *w = *state;
    struct client client = {.enabled = true, .id = "smart"};
    struct text private_pem, public_pem, keys, token;
    struct signing_key *key;

    make_pem(w, &private_pem, &public_pem);
    assert_true(client_keys_from_pem(w->arena, public_pem, SIGNING_RS512, &keys, &w->fault));
    assert_true(text_copy(keys, client.keys, sizeof client.keys));
    assert_int_equal(store_client_add(w->store, &client, &w->fault), STORE_OK);
    key = signing_key_from_pem(SIGNING_RS512, private_pem, NULL, &w->fault);
    assert_non_null(key);
    token = world_session(w, "smart", NULL);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct world_ask ask = {.mount = &w->mount,
                                .refresh_token = token,
                                .client_bound = true,
                                .client_proof = CLIENT_PROOF_ASSERTION};
        struct answer answer;
        struct buffer payload;

        buffer_start(&payload, w->arena, 256);
        buffer_addf(&payload, "{\"iss\":\"%s\",\"sub\":\"%s\",\"aud\":%s,\"exp\":%lld%s}",
                    rows[i].iss, rows[i].sub, rows[i].aud,
                    (long long)(w->now_ms / CLOCK_SECOND + rows[i].lives_s), rows[i].extra);
        assert_true(
            jws_sign(key, text_of(header), buffer_text(&payload), w->arena, &ask.client_assertion));
        print_message("row %zu\n", i);
        assert_int_equal(world_run(&w->issuer, &ask, w->arena, &answer, &w->fault),
                         rows[i].outcome);
    }
    signing_key_close(key);
}

/* A key pair of the client smart, the header it signs under, and its public half as a JWK Set. */
struct smart_key {
    struct signing_key *key;
    const char *header;
    struct text keys;
};

static struct smart_key make_smart_key(struct world *w, enum signing_algorithm algorithm,
                                       const char *header)
{
    struct smart_key made = {.header = header};
    struct buffer buffer;
    struct json_out out;

    made.key = signing_key_generate(algorithm, NULL, &w->issuer.randomness, &w->fault);
    assert_non_null(made.key);
    buffer_start(&buffer, w->arena, 512);
    buffer_add_c(&buffer, "{\"keys\":[");
    out = json_out_start(&buffer, JSON_STYLE_PLAIN);
    assert_true(signing_key_jwk(made.key, &out));
    buffer_add_c(&buffer, "]}");
    assert_true(buffer_finish(&buffer, &made.keys));
    return made;
}

/* Registers smart with these JWK Sets as one; whatever it had is gone. */
static void register_smart(struct world *w, struct text first, struct text second)
{
    struct client client = {.enabled = true, .id = "smart"};
    size_t head = strlen("{\"keys\":["), tail = strlen("]}");
    struct text keys;
    struct buffer buffer;

    buffer_start(&buffer, w->arena, 1024);
    buffer_add(&buffer, text_cut(first, first.size - tail));
    if (second.size > 0) {
        buffer_add_c(&buffer, ",");
        buffer_add(&buffer, text_cut(text_from(second, head), second.size - head - tail));
    }
    buffer_add_c(&buffer, "]}");
    assert_true(client_keys_from_set(w->arena, buffer_text(&buffer), &keys, &w->fault));
    assert_true(text_copy(keys, client.keys, sizeof client.keys));
    (void)store_client_remove(w->store, "smart", &w->fault);
    assert_int_equal(store_client_add(w->store, &client, &w->fault), STORE_OK);
}

static enum outcome present_signed(struct world *w, const struct smart_key *by, struct text *token)
{
    struct world_ask ask = {.mount = &w->mount,
                            .refresh_token = *token,
                            .client_bound = true,
                            .client_proof = CLIENT_PROOF_ASSERTION};
    struct answer answer;
    struct buffer payload;
    enum outcome outcome;

    buffer_start(&payload, w->arena, 256);
    buffer_addf(&payload,
                "{\"iss\":\"smart\",\"sub\":\"smart\",\"aud\":\"https://id.example\","
                "\"exp\":%lld}",
                (long long)(w->now_ms / CLOCK_SECOND + 60));
    assert_true(jws_sign(by->key, text_of(by->header), buffer_text(&payload), w->arena,
                         &ask.client_assertion));
    outcome = world_run(&w->issuer, &ask, w->arena, &answer, &w->fault);
    if (outcome == OUTCOME_ROTATED) {
        *token = answer.refresh_token;
    }
    return outcome;
}

/* A client changes its key without a gap: old and new for a while, then the new one alone. */
static void test_key_rollover(void **state)
{
    struct world *w = *state;
    struct smart_key old = make_smart_key(w, SIGNING_RS256, "{\"alg\":\"RS256\"}");
    struct smart_key new = make_smart_key(w, SIGNING_ES256, "{\"alg\":\"ES256\"}");
    struct text token;

    register_smart(w, old.keys, (struct text){0});
    token = world_session(w, "smart", NULL);
    assert_int_equal(present_signed(w, &old, &token), OUTCOME_ROTATED);
    assert_int_equal(present_signed(w, &new, &token), OUTCOME_CLIENT_AUTH_FAILED);
    register_smart(w, old.keys, new.keys);
    assert_int_equal(present_signed(w, &new, &token), OUTCOME_ROTATED);
    assert_int_equal(present_signed(w, &old, &token), OUTCOME_ROTATED);
    register_smart(w, new.keys, (struct text){0});
    assert_int_equal(present_signed(w, &old, &token), OUTCOME_CLIENT_AUTH_FAILED);
    assert_int_equal(present_signed(w, &new, &token), OUTCOME_ROTATED);
    signing_key_close(old.key);
    signing_key_close(new.key);
}

static void test_disabled_client(void **state)
{
    struct world *w = *state;
    struct client client = {.id = "gone"};
    struct world_ask ask = {.mount = &w->mount, .client_bound = true, .client_id = TEXT("gone")};
    struct answer answer;

    assert_int_equal(store_client_add(w->store, &client, &w->fault), STORE_OK);
    ask.refresh_token = world_session(w, "gone", NULL);
    assert_int_equal(world_run(&w->issuer, &ask, w->arena, &answer, &w->fault),
                     OUTCOME_CLIENT_UNAUTHORIZED);
    ask.client_id = (struct text){0}; /* keeping silent about it does not help */
    assert_int_equal(world_run(&w->issuer, &ask, w->arena, &answer, &w->fault),
                     OUTCOME_CLIENT_AUTH_FAILED);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(test_clients),
        CASE(test_raw_secret_is_tried_second),
        CASE(test_raw_secret_is_remembered),
        CASE(test_secret_is_rolled),
        CASE(test_client_assertion),
        CASE(test_key_rollover),
        CASE(test_disabled_client),
    };
    return cmocka_run_group_tests_name("operation/client_auth", tests, NULL, NULL);
}
