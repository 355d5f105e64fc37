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

#include "operation/password.h"
#include "operation/world.h"
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
    struct client client = {.enabled = true, .id = "smart", .key_algorithm = "RS512"};
    struct text private_pem, public_pem, token;
    struct signing_key *key;

    make_pem(w, &private_pem, &public_pem);
    assert_true(text_copy(public_pem, client.key, sizeof client.key));
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
        CASE(test_client_assertion),
        CASE(test_disabled_client),
    };
    return cmocka_run_group_tests_name("operation/client_auth", tests, NULL, NULL);
}
