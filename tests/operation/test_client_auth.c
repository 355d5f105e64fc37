/* SPDX-License-Identifier: ISC */
/* test_client_auth.c: who a client is: secrets, assertions, public clients. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "operation/client_auth.h"
#include "operation/password.h"
#include "operation/token_ref.h"
#include "operation/world.h"
#include "token/client_keys.h"
#include "token/jws.h"

static void test_clients(void **state)
{
    static const struct row {
        const char *id, *secret;
        enum client_proof_kind proof;
        enum outcome outcome;
        enum client_refusal refusal;
    } rows[] = {
        {"", "", CLIENT_PROOF_NONE, OUTCOME_CLIENT_AUTH_FAILED, CLIENT_REFUSED_NO_PROOF},
        {"web", "", CLIENT_PROOF_NONE, OUTCOME_CLIENT_AUTH_FAILED, CLIENT_REFUSED_NO_PROOF},
        {"web", "wrong", CLIENT_PROOF_BASIC, OUTCOME_CLIENT_AUTH_FAILED, CLIENT_REFUSED_SECRET},
        {"web", "", CLIENT_PROOF_BODY, OUTCOME_CLIENT_AUTH_FAILED, CLIENT_REFUSED_SECRET},
        {"nobody", "s3cret", CLIENT_PROOF_BODY, OUTCOME_CLIENT_AUTH_FAILED, CLIENT_REFUSED_UNKNOWN},
        /* it has no secret */
        {"app", "s3cret", CLIENT_PROOF_BODY, OUTCOME_CLIENT_AUTH_FAILED, CLIENT_REFUSED_NO_SECRET},
        {"app", "", CLIENT_PROOF_NONE, OUTCOME_WRONG_CLIENT, CLIENT_NOT_REFUSED},
        {"other", "0ther secret", CLIENT_PROOF_BASIC, OUTCOME_WRONG_CLIENT, CLIENT_NOT_REFUSED},
        {"web", "s3cret", CLIENT_PROOF_BASIC, OUTCOME_ROTATED, CLIENT_NOT_REFUSED},
    };
    struct world *w = *state;
    struct text token;

    world_add_client(w, "web", "s3cret", true);
    world_add_client(w, "other", "0ther secret", false);
    world_add_client(w, "app", NULL, false);
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
        assert_int_equal(answer.refusal, rows[i].refusal);
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

/* Of one client and cause one a second is written, and all are one line. A wrong secret is written
 * each time, because it counts as a guess. */
static void test_refusals_leave_events(void **state)
{
    struct world *w = *state;
    struct world_ask ask = {.mount = &w->mount, .client_bound = true, .client_id = TEXT("web")};
    struct answer answer;
    struct text token;
    struct event events[4];
    size_t count;

    world_add_client(w, "web", "s3cret", true);
    token = world_session(w, "web", NULL);
    ask.refresh_token = token;
    for (int i = 0; i < 6; i++) {
        w->now_ms += i == 3 ? CLOCK_SECOND : 1;
        assert_int_equal(world_run(&w->issuer, &ask, w->arena, &answer, &w->fault),
                         OUTCOME_CLIENT_AUTH_FAILED);
    }
    assert_int_equal(present_secret(w, token, "wrong"), OUTCOME_CLIENT_AUTH_FAILED);
    assert_int_equal(present_secret(w, token, "wrong"), OUTCOME_CLIENT_AUTH_FAILED);
    assert_int_equal(store_event_list(w->store, NULL, 0, events, 4, &count, &w->fault), STORE_OK);
    assert_int_equal(count, 2);
    assert_int_equal(events[0].kind, EVENT_CLIENT_REFUSED);
    assert_string_equal(events[0].cause, "secret");
    assert_string_equal(events[0].client, "web");
    assert_int_equal(events[0].repeats, 1);
    assert_string_equal(events[1].cause, "no-proof");
    assert_int_equal(events[1].repeats, 1);
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

    world_add_client(w, "web", "50+50", false);
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

    world_add_client(w, "web", "50+50", false);
    ask.refresh_token = world_session(w, "web", NULL);
    assert_int_equal(token_ref_locate(&w->issuer, ask.refresh_token, w->arena, &ref, &w->fault),
                     TOKEN_REF_FOUND);
    for (int i = 0; i < 2; i++) {
        struct request request = world_request(&w->issuer, &ask, w->arena);

        assert_true(client_auth_check(&request, &ref, w->now_ms, &identity, &refusal));
        assert_int_equal(request.client.raw_given, i == 1);
    }
}

/* Both are good until the old one is over: that is how one is rolled. */
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
    client.secrets[1].from_ms = w->now_ms + CLOCK_HOUR; /* the clock was set back since */
    assert_int_equal(store_client_add(w->store, &client, &w->fault), STORE_OK);
    token = world_session(w, "web", NULL);
    assert_int_equal(present_secret(w, token, "neither"), OUTCOME_CLIENT_AUTH_FAILED);
    assert_int_equal(present_secret(w, token, "old secret"), OUTCOME_ROTATED);
    assert_int_equal(present_secret(w, token, "new secret"), OUTCOME_REPLAYED);
    w->now_ms += 2 * CLOCK_HOUR;
    assert_int_equal(present_secret(w, token, "old secret"), OUTCOME_CLIENT_AUTH_FAILED);
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

/* Registers smart with these JWK Sets as one, or changes its keys to them. */
static void register_smart(struct world *w, struct text first, struct text second)
{
    struct client client = {.enabled = true, .id = "smart"}, before;
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
    if (store_client_find(w->store, "smart", &before, &w->fault) == STORE_OK) {
        assert_int_equal(store_client_update(w->store, &before, &client, &w->fault), STORE_OK);
    } else {
        assert_int_equal(store_client_add(w->store, &client, &w->fault), STORE_OK);
    }
}

static enum outcome present_signed(struct world *w, const struct smart_key *by, struct text *token)
{
    static int number;
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
                "\"exp\":%lld,\"jti\":\"%d\"}",
                (long long)(w->now_ms / CLOCK_SECOND + 60), number++);
    assert_true(jws_sign(by->key, text_of(by->header), buffer_text(&payload), w->arena,
                         &ask.client_assertion));
    outcome = world_run(&w->issuer, &ask, w->arena, &answer, &w->fault);
    if (outcome == OUTCOME_ROTATED) {
        *token = answer.refresh_token;
    }
    return outcome;
}

/* ---- what an assertion must say before it proves anything (RFC 7523 section 3) ---- */

static enum outcome present_claims(struct world *w, const struct smart_key *by, struct text token,
                                   const char *claims, struct answer *answer)
{
    struct world_ask ask = {.mount = &w->mount,
                            .refresh_token = token,
                            .client_bound = true,
                            .client_proof = CLIENT_PROOF_ASSERTION,
                            .endpoint_path = TEXT("/oauth/token")};

    assert_true(
        jws_sign(by->key, text_of(by->header), text_of(claims), w->arena, &ask.client_assertion));
    return world_run(&w->issuer, &ask, w->arena, answer, &w->fault);
}

#define SMART   "{\"iss\":\"smart\",\"sub\":\"smart\","
#define OWN_AUD "\"aud\":\"https://id.example\","

static void test_claims(void **state)
{
    static const struct {
        const char *claims; /* at 1800000000 */
        enum client_refusal refusal;
    } rows[] = {
        {"{\"iss\":\"smart\",\"sub\":\"other\"," OWN_AUD "\"exp\":1800000060}",
         CLIENT_REFUSED_ASSERTION_SUB},
        {"{\"iss\":\"nobody\",\"sub\":\"nobody\"," OWN_AUD "\"exp\":1800000060}",
         CLIENT_REFUSED_UNKNOWN},
        {"{\"sub\":\"smart\"," OWN_AUD "\"exp\":1800000060}", CLIENT_REFUSED_ASSERTION_MALFORMED},
        {SMART OWN_AUD "\"iat\":1}", CLIENT_REFUSED_ASSERTION_EXP},
        {SMART OWN_AUD "\"exp\":1799999940}", CLIENT_REFUSED_ASSERTION_EXPIRED},
        {SMART OWN_AUD "\"exp\":1799999940.5}", CLIENT_NOT_REFUSED},
        {SMART OWN_AUD "\"exp\":1800003660.0}", CLIENT_NOT_REFUSED},
        {SMART OWN_AUD "\"exp\":1800003660.1}", CLIENT_REFUSED_ASSERTION_LONG},
        {SMART OWN_AUD "\"exp\":\"1800000060\"}", CLIENT_REFUSED_ASSERTION_EXP},
        {SMART OWN_AUD "\"exp\":null}", CLIENT_REFUSED_ASSERTION_EXP},
        {SMART OWN_AUD "\"exp\":-1}", CLIENT_REFUSED_ASSERTION_EXP},
        {SMART OWN_AUD "\"exp\":1e300}", CLIENT_REFUSED_ASSERTION_EXP},
        {SMART OWN_AUD "\"exp\":9223372036854775807}", CLIENT_REFUSED_ASSERTION_EXP},
        {SMART OWN_AUD "\"exp\":9223372036854775808.0}", CLIENT_REFUSED_ASSERTION_EXP},
        {SMART OWN_AUD "\"exp\":1800000060,\"nbf\":1800000061}", CLIENT_REFUSED_ASSERTION_NBF},
        {SMART OWN_AUD "\"exp\":1800000060,\"nbf\":1800000060.0}", CLIENT_NOT_REFUSED},
        {SMART OWN_AUD "\"exp\":1800000060,\"nbf\":\"0\"}", CLIENT_REFUSED_ASSERTION_NBF},
        {SMART OWN_AUD "\"exp\":1800000060,\"iat\":1800000060.5}", CLIENT_REFUSED_ASSERTION_IAT},
        {SMART OWN_AUD "\"exp\":1800000060,\"iat\":-0.5}", CLIENT_REFUSED_ASSERTION_IAT},
        {SMART OWN_AUD "\"exp\":1800000060,\"iat\":1799999999.25}", CLIENT_NOT_REFUSED},
        {SMART OWN_AUD "\"exp\":1800000060,\"jti\":7}", CLIENT_REFUSED_ASSERTION_JTI},
        {SMART OWN_AUD "\"exp\":1800000060,\"jti\":\"\"}", CLIENT_REFUSED_ASSERTION_JTI},
    };
    struct world *w = *state;
    struct smart_key key = make_smart_key(w, SIGNING_ES256, "{\"alg\":\"ES256\"}");

    register_smart(w, key.keys, (struct text){0});
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct text token = world_session(w, "smart", NULL);
        struct answer answer;

        print_message("row %zu\n", i);
        assert_int_equal(present_claims(w, &key, token, rows[i].claims, &answer),
                         rows[i].refusal == CLIENT_NOT_REFUSED ? OUTCOME_ROTATED
                                                               : OUTCOME_CLIENT_AUTH_FAILED);
        assert_int_equal(answer.refusal, rows[i].refusal);
        if (rows[i].refusal > CLIENT_REFUSED_ASSERTION_MALFORMED) {
            assert_true(text_is(answer.client, "smart"));
        }
    }
    signing_key_close(key.key);
}

/* Whom it is for: this server alone, under the name that its operator gave it. */
static void test_audiences(void **state)
{
    static const struct {
        const char *issuer, *aud;
        bool right;
    } rows[] = {
        {"https://id.example", "\"https://mtls.example/oauth/token\"", true},
        {"https://id.example", "\"https://mtls.example/oauth\"", false},
        {"https://id.example", "\"https://mtls.example\"", false},
        {"https://id.example", "\"https://mtls.example.evil/oauth/token\"", false},
        {"https://id.example", "\"https://id.example\"", true},
        {"https://id.example", "\"https://id.example/\"", true},
        {"https://id.example", "[\"https://id.example\"]", true},
        {"https://id.example", "\"https://id.example/oauth/token\"", true},
        {"https://id.example", "\"http://id.example/oauth/token\"", true},
        {"http://id.example", "\"https://id.example/oauth/token\"", true},
        {"http://id.example:8080/", "[\"HTTPS://ID.example:8443/oauth/token/\"]", true},
        {"https://[::1]:8443/t", "\"http://[::1]/oauth/token\"", true},
        {"https://id.example/tenant", "\"https://id.example/tenant\"", true},
        {"https://id.example/tenant", "\"https://id.example\"", false},
        {"https://id.example", "\"http://id.example\"", false},
        {"https://id.example", "\"https://id.example/oauth\"", false},
        {"https://id.example", "\"https://id.example/oauth/token?x\"", false},
        {"https://id.example", "\"https://id.example/oauth/token#x\"", false},
        {"https://id.example", "\"https://id.example@evil.example/oauth/token\"", false},
        {"https://id.example", "\"https://evil.example/oauth/token\"", false},
        {"https://id.example", "\"https://mtls.example/oauth/token\"", false},
        {"https://id.example", "\"https://id.example.evil/oauth/token\"", false},
        {"https://id.example", "\"ftp://id.example/oauth/token\"", false},
        {"https://id.example", "\"/oauth/token\"", false},
        {"https://id.example", "\"\"", false},
        {"https://id.example", "[]", false},
        {"https://id.example", "[\"https://id.example\",\"https://evil.example\"]", false},
        {"https://id.example", "[[\"https://id.example\"]]", false},
        {"https://id.example", "null", false},
    };
    struct world *w = *state;
    struct smart_key key = make_smart_key(w, SIGNING_ES256, "{\"alg\":\"ES256\"}");

    register_smart(w, key.keys, (struct text){0});
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct text token = world_session(w, "smart", NULL);
        struct answer answer;
        struct buffer claims;

        strcpy(w->realm.issuer, rows[i].issuer);
        strcpy(w->realm.mtls_origin, i < 4 ? "https://mtls.example:8443" : "");
        buffer_start(&claims, w->arena, 256);
        buffer_addf(&claims, SMART "\"aud\":%s,\"exp\":1800000060,\"jti\":\"%zu\"}", rows[i].aud,
                    i);
        buffer_add_char(&claims, '\0');
        print_message("row %zu\n", i);
        assert_int_equal(present_claims(w, &key, token, buffer_text(&claims).data, &answer),
                         rows[i].right ? OUTCOME_ROTATED : OUTCOME_CLIENT_AUTH_FAILED);
        assert_int_equal(answer.refusal,
                         rows[i].right ? CLIENT_NOT_REFUSED : CLIENT_REFUSED_ASSERTION_AUD);
    }
    signing_key_close(key.key);
}

/* Without a name of its own no assertion can be for this server. */
static void test_no_issuer_no_assertions(void **state)
{
    static const struct {
        const char *issuer;
        bool own;
    } rows[] = {{"", true},         {"https://id.example", false}, {"urn:x", true},
                {"https://", true}, {"https:///x", true},          {"https://id.example?x", true}};
    struct world *w = *state;
    struct smart_key key = make_smart_key(w, SIGNING_ES256, "{\"alg\":\"ES256\"}");
    struct text token;

    register_smart(w, key.keys, (struct text){0});
    token = world_session(w, "smart", NULL);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct answer answer;

        strcpy(w->realm.issuer, rows[i].issuer);
        w->realm.issuer_is_own = rows[i].own;
        print_message("row %zu\n", i);
        assert_int_equal(
            present_claims(w, &key, token, SMART OWN_AUD "\"exp\":1800000060}", &answer),
            OUTCOME_CLIENT_AUTH_FAILED);
        assert_int_equal(answer.refusal, CLIENT_REFUSED_ASSERTION_NO_ISSUER);
    }
    signing_key_close(key.key);
}

/* Once; and again only as the same request, while its answer may have been lost. */
static void test_assertions_are_used_once(void **state)
{
    static const char *const claims[] = {
        SMART OWN_AUD "\"exp\":1800003000,\"jti\":\"one\"}",
        SMART OWN_AUD "\"exp\":1800003001,\"jti\":\"one\"}", /* not the same, the same jti */
        SMART OWN_AUD "\"exp\":1800003002}",
        SMART OWN_AUD "\"exp\":1800003003,\"jti\":\"two\"}",
    };
    struct world *w = *state;
    struct smart_key key = make_smart_key(w, SIGNING_ES256, "{\"alg\":\"ES256\"}");
    struct text mine, other;
    struct answer answer, again;

    register_smart(w, key.keys, (struct text){0});
    for (int i = 0; i < 3; i += 2) {
        mine = world_session(w, "smart", NULL);
        other = world_session(w, "smart", NULL);
        /* what brings nothing about uses nothing up */
        assert_int_equal(present_claims(w, &key, TEXT("garbage"), claims[i], &answer),
                         OUTCOME_TOKEN_INVALID);
        assert_int_equal(present_claims(w, &key, mine, claims[i], &answer), OUTCOME_ROTATED);
        assert_int_equal(present_claims(w, &key, mine, claims[i], &again), OUTCOME_REPLAYED);
        assert_true(text_equal(answer.refresh_token, again.refresh_token));
        assert_int_equal(present_claims(w, &key, other, claims[i], &again),
                         OUTCOME_CLIENT_AUTH_FAILED);
        assert_int_equal(again.refusal, CLIENT_REFUSED_ASSERTION_REPLAYED);
        assert_int_equal(present_claims(w, &key, answer.refresh_token, claims[i], &again),
                         OUTCOME_CLIENT_AUTH_FAILED);
        assert_int_equal(present_claims(w, &key, TEXT("garbage"), claims[i], &again),
                         OUTCOME_CLIENT_AUTH_FAILED);
    }
    assert_int_equal(present_claims(w, &key, other, claims[1], &again), OUTCOME_CLIENT_AUTH_FAILED);

    /* after the window it is no proof, and ends no session */
    w->now_ms += w->realm.policy.concurrency_window_ms + 1;
    assert_int_equal(present_claims(w, &key, mine, claims[2], &again), OUTCOME_CLIENT_AUTH_FAILED);
    assert_int_equal(again.refusal, CLIENT_REFUSED_ASSERTION_REPLAYED);
    assert_int_equal(present_claims(w, &key, answer.refresh_token, claims[3], &again),
                     OUTCOME_ROTATED);
    signing_key_close(key.key);
}

/* A login is no request to be repeated: its assertion is used up, by a right password only. */
static void test_assertion_beside_a_password(void **state)
{
    struct world *w = *state;
    struct smart_key key = make_smart_key(w, SIGNING_ES256, "{\"alg\":\"ES256\"}");
    struct answer answer;
    struct world_ask ask = {.mount = &w->mount,
                            .no_bearer = true,
                            .username_given = true,
                            .username = TEXT("ada"),
                            .password_given = true,
                            .password = TEXT("wrong horse"),
                            .client_bound = true,
                            .client_proof = CLIENT_PROOF_ASSERTION};

    register_smart(w, key.keys, (struct text){0});
    assert_true(jws_sign(key.key, text_of(key.header),
                         TEXT(SMART OWN_AUD "\"exp\":1800000060,\"jti\":\"one\"}"), w->arena,
                         &ask.client_assertion));
    assert_int_equal(world_run(&w->issuer, &ask, w->arena, &answer, &w->fault),
                     OUTCOME_CREDENTIALS_WRONG);
    ask.password = TEXT("correct horse");
    assert_int_equal(world_run(&w->issuer, &ask, w->arena, &answer, &w->fault), OUTCOME_ROTATED);
    assert_true(world_record(w, answer.session).client_proved);
    assert_int_equal(world_run(&w->issuer, &ask, w->arena, &answer, &w->fault),
                     OUTCOME_CLIENT_AUTH_FAILED);
    assert_int_equal(answer.refusal, CLIENT_REFUSED_ASSERTION_REPLAYED);
    signing_key_close(key.key);
}

/* Where nothing rotates a request could be repeated for ever. */
static void test_assertions_where_nothing_rotates(void **state)
{
    static const char claims[] = SMART OWN_AUD "\"exp\":1800003000,\"jti\":\"one\"}";
    struct world *w = *state;
    struct smart_key key = make_smart_key(w, SIGNING_ES256, "{\"alg\":\"ES256\"}");
    struct text mine;
    struct answer answer;

    w->realm.policy.rotate = false;
    register_smart(w, key.keys, (struct text){0});
    mine = world_session(w, "smart", NULL);
    assert_int_equal(present_claims(w, &key, mine, claims, &answer), OUTCOME_RENEWED);
    w->now_ms += w->realm.policy.concurrency_window_ms;
    assert_int_equal(present_claims(w, &key, mine, claims, &answer), OUTCOME_RENEWED);
    w->now_ms += 1;
    assert_int_equal(present_claims(w, &key, mine, claims, &answer), OUTCOME_CLIENT_AUTH_FAILED);
    assert_int_equal(answer.refusal, CLIENT_REFUSED_ASSERTION_REPLAYED);
    signing_key_close(key.key);
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
    struct client client = {.enabled = true, .id = "gone"}, disabled;
    struct world_ask ask = {.mount = &w->mount, .client_bound = true, .client_id = TEXT("gone")};
    struct answer answer;

    assert_int_equal(store_client_add(w->store, &client, &w->fault), STORE_OK);
    ask.refresh_token = world_session(w, "gone", NULL);
    disabled = client;
    disabled.enabled = false;
    assert_int_equal(store_client_update(w->store, &client, &disabled, &w->fault), STORE_OK);
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
        CASE(test_refusals_leave_events),
        CASE(test_raw_secret_is_tried_second),
        CASE(test_raw_secret_is_remembered),
        CASE(test_secret_is_rolled),
        CASE(test_claims),
        CASE(test_audiences),
        CASE(test_no_issuer_no_assertions),
        CASE(test_assertions_are_used_once),
        CASE(test_assertions_where_nothing_rotates),
        CASE(test_assertion_beside_a_password),
        CASE(test_key_rollover),
        CASE(test_disabled_client),
    };
    return cmocka_run_group_tests_name("operation/client_auth", tests, NULL, NULL);
}
