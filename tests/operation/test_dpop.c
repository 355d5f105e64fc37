/* SPDX-License-Identifier: ISC */
/* test_dpop.c: what a DPoP proof must say before it proves a key (RFC 9449 section 4.3), and what a
 * key that was proved does for a session and its tokens. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/codec.h"
#include "operation/dpop.h"
#include "operation/world.h"
#include "token/jws.h"

#define URL "https://id.example/oauth/token"

/* Somebody's key, and the header of the proofs made with it. */
struct holder {
    struct signing_key *key;
    struct text header;
};

static struct holder make_holder(struct world *w, enum signing_algorithm algorithm)
{
    struct holder holder;
    struct buffer buffer;
    struct json_out out;

    holder.key = signing_key_generate(algorithm, NULL, &w->issuer.randomness, &w->fault);
    assert_non_null(holder.key);
    buffer_start(&buffer, w->arena, 512);
    buffer_addf(&buffer,
                "{\"typ\":\"dpop+jwt\",\"alg\":\"%s\",\"jwk\":", signing_algorithm_name(algorithm));
    out = json_out_start(&buffer, JSON_STYLE_PLAIN);
    assert_true(signing_key_jwk(holder.key, &out));
    buffer_add_c(&buffer, "}");
    assert_true(buffer_finish(&buffer, &holder.header));
    return holder;
}

static struct text sign(struct world *w, const struct holder *holder, const char *claims)
{
    struct text proof;

    assert_true(jws_sign(holder->key, holder->header, text_of(claims), w->arena, &proof));
    return proof;
}

/* A right one of now, with these further members ("" = none). */
static struct text fresh_proof(struct world *w, const struct holder *holder, const char *more)
{
    static int number;
    char claims[512];

    snprintf(claims, sizeof claims,
             "{\"jti\":\"%d\",\"htm\":\"POST\",\"htu\":\"" URL "\",\"iat\":%lld%s}", number++,
             (long long)(w->now_ms / CLOCK_SECOND), more);
    return sign(w, holder, claims);
}

static enum client_refusal check(struct world *w, struct text proof, struct text access_token)
{
    struct dpop_ask ask = {.arena = w->arena,
                           .secrets = &w->secrets,
                           .realm = &w->realm,
                           .proof = proof,
                           .method = TEXT("POST"),
                           .path = TEXT("/oauth/token"),
                           .access_token = access_token,
                           .now_ms = w->now_ms};
    struct dpop_proof checked;
    enum client_refusal refusal;
    bool good = dpop_check(&ask, &checked, &refusal, &w->fault);

    assert_int_equal(good, refusal == CLIENT_NOT_REFUSED);
    assert_true(!good || checked.until_ms > w->now_ms);
    return refusal;
}

/* 1800000000 is now. */
static void test_every_check(void **state)
{
#define HTM "\"htm\":\"POST\","
#define HTU "\"htu\":\"" URL "\","
#define IAT "\"iat\":1800000000"
#define JTI "\"jti\":\"1\","
    static const struct {
        const char *claims;
        enum client_refusal refusal;
    } rows[] = {
        {"{" JTI HTM HTU IAT "}", CLIENT_NOT_REFUSED},
        {"{" HTM HTU IAT "}", CLIENT_REFUSED_DPOP_JTI},
        {"{\"jti\":\"\"," HTM HTU IAT "}", CLIENT_REFUSED_DPOP_JTI},
        {"{\"jti\":1," HTM HTU IAT "}", CLIENT_REFUSED_DPOP_JTI},
        {"{" JTI HTU IAT "}", CLIENT_REFUSED_DPOP_HTM},
        {"{" JTI "\"htm\":\"GET\"," HTU IAT "}", CLIENT_REFUSED_DPOP_HTM},
        {"{" JTI "\"htm\":\"post\"," HTU IAT "}", CLIENT_REFUSED_DPOP_HTM},
        {"{" JTI HTM IAT "}", CLIENT_REFUSED_DPOP_HTU},
        {"{" JTI HTM "\"htu\":\"https://id.exampl/oauth/token\"," IAT "}", CLIENT_REFUSED_DPOP_HTU},
        {"{" JTI HTM "\"htu\":\"https://id.example/oauth/revoke\"," IAT "}",
         CLIENT_REFUSED_DPOP_HTU},
        {"{" JTI HTM "\"htu\":\"https://id.example\"," IAT "}", CLIENT_REFUSED_DPOP_HTU},
        {"{" JTI HTM "\"htu\":\"/oauth/token\"," IAT "}", CLIENT_REFUSED_DPOP_HTU},
        {"{" JTI HTM "\"htu\":[\"" URL "\"]," IAT "}", CLIENT_REFUSED_DPOP_HTU},
        /* without query and fragment; scheme, host and port as TLS in front of us may have them */
        {"{" JTI HTM "\"htu\":\"" URL "?a=b#c\"," IAT "}", CLIENT_NOT_REFUSED},
        {"{" JTI HTM "\"htu\":\"" URL "#c?\"," IAT "}", CLIENT_NOT_REFUSED},
        {"{" JTI HTM "\"htu\":\"HTTPS://ID.example:443/oauth/token\"," IAT "}", CLIENT_NOT_REFUSED},
        {"{" JTI HTM "\"htu\":\"https://id.example@evil.example/oauth/token\"," IAT "}",
         CLIENT_REFUSED_DPOP_HTU},
        {"{" JTI HTM "\"htu\":\"https://evil.example/?https://id.example/oauth/token\"," IAT "}",
         CLIENT_REFUSED_DPOP_HTU},
        {"{" JTI HTM HTU "\"x\":1}", CLIENT_REFUSED_DPOP_IAT},
        {"{" JTI HTM HTU "\"iat\":\"1800000000\"}", CLIENT_REFUSED_DPOP_IAT},
        {"{" JTI HTM HTU "\"iat\":-1}", CLIENT_REFUSED_DPOP_IAT},
        {"{" JTI HTM HTU "\"iat\":1e300}", CLIENT_REFUSED_DPOP_IAT},
        {"{" JTI HTM HTU "\"iat\":1799999940}", CLIENT_NOT_REFUSED},
        {"{" JTI HTM HTU "\"iat\":1799999939}", CLIENT_REFUSED_DPOP_NONCE},
        {"{" JTI HTM HTU "\"iat\":1800000060}", CLIENT_NOT_REFUSED},
        {"{" JTI HTM HTU "\"iat\":1800000061}", CLIENT_REFUSED_DPOP_NONCE},
        {"{" JTI HTM HTU IAT ",\"nonce\":\"AAAAAAAAAAAAAAAAAAAAAA\"}", CLIENT_REFUSED_DPOP_NONCE},
        {"{" JTI HTM HTU IAT ",\"nonce\":\"\"}", CLIENT_REFUSED_DPOP_NONCE},
        {"{" JTI HTM HTU IAT ",\"nonce\":1}", CLIENT_REFUSED_DPOP_NONCE},
        {"[]", CLIENT_REFUSED_DPOP_MALFORMED},
    };
    struct world *w = *state;
    struct holder holder = make_holder(w, SIGNING_ES256);

    assert_int_equal(w->now_ms, INT64_C(1800000000000));
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        if (check(w, sign(w, &holder, rows[i].claims), (struct text){0}) != rows[i].refusal) {
            fail_msg("row %zu: %s", i, rows[i].claims);
        }
    }
    w->realm.issuer_is_own = false;
    assert_int_equal(check(w, sign(w, &holder, rows[0].claims), (struct text){0}),
                     CLIENT_REFUSED_DPOP_NO_ISSUER);
    signing_key_close(holder.key);
}

/* The header's checks are tests/token/test_dpop_jwt's; here each has its word. */
static void test_words_of_the_header(void **state)
{
    struct world *w = *state;
    struct holder holder = make_holder(w, SIGNING_ES256);
    struct holder other = make_holder(w, SIGNING_EDDSA);
    struct text proof = fresh_proof(w, &holder, "");
    struct holder mixed = {.key = other.key, .header = holder.header};
    char changed[4096];

    assert_int_equal(check(w, proof, (struct text){0}), CLIENT_NOT_REFUSED);
    assert_int_equal(check(w, fresh_proof(w, &other, ""), (struct text){0}), CLIENT_NOT_REFUSED);
    assert_int_equal(check(w, fresh_proof(w, &mixed, ""), (struct text){0}),
                     CLIENT_REFUSED_DPOP_SIGNATURE);
    assert_int_equal(check(w, text_cut(proof, proof.size - 1), (struct text){0}),
                     CLIENT_REFUSED_DPOP_MALFORMED);
    snprintf(changed, sizeof changed, "%.*s, %.*s", TEXT_ARGS(proof), TEXT_ARGS(proof));
    assert_int_equal(check(w, text_of(changed), (struct text){0}), CLIENT_REFUSED_DPOP_MALFORMED);
    mixed = (struct holder){holder.key, TEXT("{\"typ\":\"JWT\",\"alg\":\"ES256\"}")};
    assert_int_equal(check(w, fresh_proof(w, &mixed, ""), (struct text){0}),
                     CLIENT_REFUSED_DPOP_TYP);
    mixed.header = TEXT("{\"typ\":\"dpop+jwt\",\"alg\":\"none\"}");
    assert_int_equal(check(w, fresh_proof(w, &mixed, ""), (struct text){0}),
                     CLIENT_REFUSED_DPOP_ALG);
    mixed.header = TEXT("{\"typ\":\"dpop+jwt\",\"alg\":\"ES256\"}");
    assert_int_equal(check(w, fresh_proof(w, &mixed, ""), (struct text){0}),
                     CLIENT_REFUSED_DPOP_KEY);
    signing_key_close(holder.key);
    signing_key_close(other.key);
}

/* Where an access token comes along, the proof is for that one. */
static void test_hash_of_the_access_token(void **state)
{
    struct world *w = *state;
    struct holder holder = make_holder(w, SIGNING_ES256);
    struct text token = TEXT("an.access.token");
    uint8_t hash[CRYPTO_HASH_SIZE];
    char spelled[64] = "", more[128];

    assert_true(crypto_sha256(token.data, token.size, hash));
    codec_base64url_encode(hash, sizeof hash, spelled);
    snprintf(more, sizeof more, ",\"ath\":\"%s\"", spelled);
    assert_int_equal(check(w, fresh_proof(w, &holder, more), token), CLIENT_NOT_REFUSED);
    assert_int_equal(check(w, fresh_proof(w, &holder, more), TEXT("an.other.token")),
                     CLIENT_REFUSED_DPOP_ATH);
    assert_int_equal(check(w, fresh_proof(w, &holder, ""), token), CLIENT_REFUSED_DPOP_ATH);
    assert_int_equal(check(w, fresh_proof(w, &holder, ",\"ath\":\"AAAA\""), token),
                     CLIENT_REFUSED_DPOP_ATH);
    signing_key_close(holder.key);
}

/* Two to four minutes, in every process; and a clock that is off does not matter beside one. */
static void test_nonces(void **state)
{
    static const struct {
        int64_t after_ms;
        enum client_refusal refusal;
    } rows[] = {{0, CLIENT_NOT_REFUSED},
                {2 * CLOCK_MINUTE, CLIENT_NOT_REFUSED},
                {-2 * CLOCK_MINUTE, CLIENT_NOT_REFUSED},
                {4 * CLOCK_MINUTE, CLIENT_REFUSED_DPOP_NONCE},
                {-4 * CLOCK_MINUTE, CLIENT_REFUSED_DPOP_NONCE}};
    struct world *w = *state;
    struct holder holder = make_holder(w, SIGNING_ES256);
    char nonce[NONCE_SIZE + 1], more[128], claims[512];
    int64_t then_ms = w->now_ms;

    w->realm.dpop_nonce = true;
    assert_int_equal(check(w, fresh_proof(w, &holder, ""), (struct text){0}),
                     CLIENT_REFUSED_DPOP_NONCE);
    assert_true(dpop_nonce(&w->secrets, &w->realm, then_ms, nonce));
    snprintf(more, sizeof more, ",\"nonce\":\"%s\"", nonce);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        w->now_ms = then_ms + rows[i].after_ms;
        assert_int_equal(check(w, fresh_proof(w, &holder, more), (struct text){0}),
                         rows[i].refusal);
    }
    w->now_ms = then_ms;
    w->realm.dpop_nonce = false;
    for (int64_t off_s = 3600; off_s <= INT64_C(360000); off_s *= 10) {
        snprintf(claims, sizeof claims,
                 "{\"jti\":\"n\",\"htm\":\"POST\",\"htu\":\"" URL "\",\"iat\":%lld%s}",
                 (long long)(then_ms / CLOCK_SECOND - off_s), more);
        assert_int_equal(check(w, sign(w, &holder, claims), (struct text){0}),
                         off_s <= 36000 ? CLIENT_NOT_REFUSED : CLIENT_REFUSED_DPOP_IAT);
    }
    strcpy(w->realm.name, "/another");
    assert_int_equal(check(w, fresh_proof(w, &holder, more), (struct text){0}),
                     CLIENT_REFUSED_DPOP_NONCE);
    signing_key_close(holder.key);
}

/* ---- what a key does ---- */

static struct request renewal(struct world *w, struct text token, struct text proof)
{
    struct world_ask ask = {.mount = &w->mount, .refresh_token = token, .client_bound = true};
    struct request request = world_request(&w->issuer, &ask, w->arena);

    request.client.beside = token;
    request.possession =
        (struct possession){.dpop = proof, .method = TEXT("POST"), .path = TEXT("/oauth/token")};
    return request;
}

static enum outcome renew(struct world *w, struct text token, struct text proof,
                          struct answer *answer)
{
    struct request request = renewal(w, token, proof);
    enum outcome outcome = operation_run(&request);

    *answer = request.answer;
    return outcome;
}

/* A session of ada's, begun by password with this proof. */
static enum outcome log_in(struct world *w, const char *client, struct text proof,
                           struct answer *answer)
{
    struct world_ask ask = {.mount = &w->mount,
                            .no_bearer = true,
                            .username_given = true,
                            .username = TEXT("ada"),
                            .password_given = true,
                            .password = TEXT("correct horse"),
                            .client_bound = true,
                            .client_id = text_of(client),
                            .client_proof =
                                client[0] == 'w' ? CLIENT_PROOF_BODY : CLIENT_PROOF_NONE,
                            .client_secret = text_of(client[0] == 'w' ? "s3cret" : "")};
    struct request request = world_request(&w->issuer, &ask, w->arena);
    enum outcome outcome;

    request.possession =
        (struct possession){.dpop = proof, .method = TEXT("POST"), .path = TEXT("/oauth/token")};
    outcome = operation_run(&request);
    *answer = request.answer;
    return outcome;
}

/* The thumbprint that an access token is bound to; NULL = to none. */
static const char *bound_to(struct world *w, struct text access_token)
{
    return json_string_value(
        json_object_get(json_object_get(world_payload(w, access_token), "cnf"), "jkt"));
}

static void test_a_bound_session(void **state)
{
    struct world *w = *state;
    struct holder holder = make_holder(w, SIGNING_ES256);
    struct holder thief = make_holder(w, SIGNING_ES256);
    struct answer first, answer, refused;
    const char *key;

    assert_int_equal(log_in(w, "", fresh_proof(w, &holder, ""), &first), OUTCOME_ROTATED);
    key = bound_to(w, first.access_token);
    assert_non_null(key);
    assert_int_equal(strlen(key), 43);
    assert_int_equal(world_record(w, first.session).key_kind, SESSION_KEY_DPOP);
    /* neither without nor with another key, and nothing is spent by it */
    assert_int_equal(renew(w, first.refresh_token, (struct text){0}, &refused), OUTCOME_WRONG_KEY);
    assert_int_equal(renew(w, first.refresh_token, fresh_proof(w, &thief, ""), &refused),
                     OUTCOME_WRONG_KEY);
    assert_int_equal(world_record(w, first.session).generation, 0);
    assert_int_equal(renew(w, first.refresh_token, fresh_proof(w, &holder, ""), &answer),
                     OUTCOME_ROTATED);
    assert_string_equal(bound_to(w, answer.access_token), key);
    assert_int_equal(world_record(w, first.session).key_kind, SESSION_KEY_DPOP);
    /* who steals a spent token cannot end the session with it */
    w->now_ms += CLOCK_HOUR;
    assert_int_equal(renew(w, first.refresh_token, (struct text){0}, &refused), OUTCOME_WRONG_KEY);
    assert_int_equal(renew(w, first.refresh_token, fresh_proof(w, &thief, ""), &refused),
                     OUTCOME_WRONG_KEY);
    assert_int_equal(renew(w, answer.refresh_token, fresh_proof(w, &holder, ""), &answer),
                     OUTCOME_ROTATED);
    signing_key_close(holder.key);
    signing_key_close(thief.key);
}

/* From another server, which had bound it. */
static void test_an_imported_session_keeps_its_key(void **state)
{
    struct world *w = *state;
    struct holder holder = make_holder(w, SIGNING_ES256);
    struct holder thief = make_holder(w, SIGNING_ES256);
    struct issue_ask ask = {.account = &w->ada,
                            .imported = TEXT("xRxGGEpVawiUak6He367W3oeOfh+3irw+1G1h1jc"),
                            .key_kind = SESSION_KEY_DPOP};
    struct answer answer;
    size_t size;

    assert_int_equal(log_in(w, "", fresh_proof(w, &holder, ""), &answer), OUTCOME_ROTATED);
    assert_true(codec_base64url_decode(text_of(bound_to(w, answer.access_token)), ask.key,
                                       CRYPTO_HASH_SIZE, &size));
    assert_int_equal(world_issue(w, &ask, &answer), OUTCOME_ROTATED);
    assert_int_equal(world_record(w, answer.session).key_kind, SESSION_KEY_DPOP);
    assert_int_equal(renew(w, ask.imported, (struct text){0}, &answer), OUTCOME_WRONG_KEY);
    assert_int_equal(renew(w, ask.imported, fresh_proof(w, &thief, ""), &answer),
                     OUTCOME_WRONG_KEY);
    assert_int_equal(renew(w, ask.imported, fresh_proof(w, &holder, ""), &answer), OUTCOME_ROTATED);
    signing_key_close(holder.key);
    signing_key_close(thief.key);
}

static struct text proof_for_page(struct world *w, const struct holder *holder, struct text token)
{
    uint8_t hash[CRYPTO_HASH_SIZE];
    char spelled[64] = "", claims[512];

    assert_true(crypto_sha256(token.data, token.size, hash));
    codec_base64url_encode(hash, sizeof hash, spelled);
    snprintf(claims, sizeof claims,
             "{\"jti\":\"p\",\"htm\":\"GET\",\"htu\":\"https://id.example/page\",\"iat\":%lld,"
             "\"ath\":\"%s\"}",
             (long long)(w->now_ms / CLOCK_SECOND), spelled);
    return sign(w, holder, claims);
}

static enum outcome look_at_page(struct world *w, struct text token, struct text proof)
{
    struct world_ask ask = {.mount = &w->mount};
    struct request request = world_request(&w->issuer, &ask, w->arena);

    request.operation = &operation_check;
    request.input.refresh.refresh_token = token;
    request.possession =
        (struct possession){.dpop = proof, .method = TEXT("GET"), .path = TEXT("/page")};
    return operation_run(&request);
}

static enum outcome look_at_sessions(struct world *w, struct text token, struct text proof)
{
    struct world_ask ask = {.mount = &w->mount};
    struct request request = world_request(&w->issuer, &ask, w->arena);

    request.operation = &operation_own_sessions;
    request.input.own_sessions = (struct own_sessions_input){.access_token = token};
    request.possession =
        (struct possession){.dpop = proof, .method = TEXT("GET"), .path = TEXT("/page")};
    return operation_run(&request);
}

/* What opens pages to a bearer does not to who has stolen a bound token. */
static void test_a_bound_token_is_no_bearer_token(void **state)
{
    struct world *w = *state;
    struct holder holder = make_holder(w, SIGNING_ES256), thief = make_holder(w, SIGNING_ES256);
    struct answer plain, bound, other;

    assert_int_equal(log_in(w, "", (struct text){0}, &plain), OUTCOME_ROTATED);
    assert_int_equal(log_in(w, "", fresh_proof(w, &holder, ""), &bound), OUTCOME_ROTATED);
    assert_int_equal(log_in(w, "", fresh_proof(w, &holder, ""), &other), OUTCOME_ROTATED);
    assert_int_equal(look_at_page(w, plain.access_token, (struct text){0}), OUTCOME_SERVED);
    assert_int_equal(look_at_page(w, bound.access_token, (struct text){0}), OUTCOME_WRONG_KEY);
    assert_int_equal(
        look_at_page(w, bound.access_token, proof_for_page(w, &holder, bound.access_token)),
        OUTCOME_SERVED);
    assert_int_equal(
        look_at_page(w, bound.access_token, proof_for_page(w, &thief, bound.access_token)),
        OUTCOME_WRONG_KEY);
    assert_int_equal(
        look_at_page(w, bound.access_token, proof_for_page(w, &holder, other.access_token)),
        OUTCOME_DPOP_INVALID);
    assert_int_equal(look_at_page(w, bound.access_token, fresh_proof(w, &holder, "")),
                     OUTCOME_DPOP_INVALID);
    assert_int_equal(
        look_at_page(w, plain.access_token, proof_for_page(w, &holder, plain.access_token)),
        OUTCOME_WRONG_KEY);
    assert_int_equal(look_at_sessions(w, plain.access_token, (struct text){0}), OUTCOME_SERVED);
    assert_int_equal(look_at_sessions(w, bound.access_token, (struct text){0}), OUTCOME_WRONG_KEY);
    assert_int_equal(
        look_at_sessions(w, bound.access_token, proof_for_page(w, &holder, bound.access_token)),
        OUTCOME_SERVED);
    assert_int_equal(
        look_at_sessions(w, bound.access_token, proof_for_page(w, &thief, bound.access_token)),
        OUTCOME_WRONG_KEY);
    assert_int_equal(
        look_at_sessions(w, bound.access_token, proof_for_page(w, &holder, other.access_token)),
        OUTCOME_DPOP_INVALID);
    signing_key_close(holder.key);
    signing_key_close(thief.key);
}

/* A lost answer is found however late, because no thief has the key; not one of long ago. */
static void test_late_duplicates_of_the_holder(void **state)
{
    struct world *w = *state;
    struct holder holder = make_holder(w, SIGNING_ES256);
    struct answer first, answer, again;

    assert_int_equal(log_in(w, "", fresh_proof(w, &holder, ""), &first), OUTCOME_ROTATED);
    assert_int_equal(renew(w, first.refresh_token, fresh_proof(w, &holder, ""), &answer),
                     OUTCOME_ROTATED);
    assert_int_equal(renew(w, first.refresh_token, fresh_proof(w, &holder, ""), &again),
                     OUTCOME_REPLAYED);
    assert_true(text_equal(again.access_token, answer.access_token));
    w->now_ms += 20 * (int64_t)CLOCK_DAY;
    assert_int_equal(renew(w, first.refresh_token, fresh_proof(w, &holder, ""), &again),
                     OUTCOME_RECOVERED);
    assert_true(text_equal(again.refresh_token, answer.refresh_token));
    assert_int_equal(again.expires_in_s, 3600);
    assert_int_equal(renew(w, answer.refresh_token, fresh_proof(w, &holder, ""), &answer),
                     OUTCOME_ROTATED);
    assert_int_equal(renew(w, first.refresh_token, fresh_proof(w, &holder, ""), &again),
                     OUTCOME_TOKEN_REUSED);
    signing_key_close(holder.key);
}

/* Its tokens are the client's, with whichever key (section 5); the access token is the key's. */
static void test_a_client_that_proves_itself_is_not_bound(void **state)
{
    struct world *w = *state;
    struct holder one = make_holder(w, SIGNING_ES256), other = make_holder(w, SIGNING_ES256);
    struct request request;
    struct answer first, answer;
    json_t *mine = NULL, *theirs;

    world_add_client(w, "web", "s3cret", true);
    assert_int_equal(log_in(w, "web", fresh_proof(w, &one, ""), &first), OUTCOME_ROTATED);
    assert_int_equal(world_record(w, first.session).key_kind, SESSION_KEY_NONE);
    for (int i = 0; i < 3; i++) {
        struct text proof = i == 2 ? (struct text){0} : fresh_proof(w, i == 0 ? &one : &other, "");

        request = renewal(w, first.refresh_token, proof);
        request.client.kind = CLIENT_PROOF_BODY;
        request.client.id = TEXT("web");
        request.client.secret = TEXT("s3cret");
        assert_int_equal(operation_run(&request), i == 0 ? OUTCOME_ROTATED : OUTCOME_REPLAYED);
        assert_int_equal(bound_to(w, request.answer.access_token) != NULL, i != 2);
        theirs = world_payload(w, request.answer.access_token);
        if (i == 0) {
            mine = theirs;
            answer = request.answer;
        } else {
            assert_true(text_equal(answer.refresh_token, request.answer.refresh_token));
            assert_string_not_equal(json_string_value(json_object_get(mine, "jti")),
                                    json_string_value(json_object_get(theirs, "jti")));
        }
    }
    signing_key_close(one.key);
    signing_key_close(other.key);
}

/* With the same token it is the same request, whose answer was lost. */
static void test_a_proof_is_used_once(void **state)
{
    struct world *w = *state;
    struct holder holder = make_holder(w, SIGNING_ES256);
    struct text proof = fresh_proof(w, &holder, ""), login = fresh_proof(w, &holder, "");
    struct answer mine, other, answer, again;

    assert_int_equal(log_in(w, "", login, &mine), OUTCOME_ROTATED);
    assert_int_equal(log_in(w, "", login, &other), OUTCOME_DPOP_INVALID);
    assert_int_equal(other.refusal, CLIENT_REFUSED_DPOP_REPLAYED);
    assert_int_equal(log_in(w, "", fresh_proof(w, &holder, ""), &other), OUTCOME_ROTATED);
    /* what brings nothing about uses nothing up */
    assert_int_equal(renew(w, TEXT("garbage"), proof, &answer), OUTCOME_TOKEN_INVALID);
    assert_int_equal(renew(w, mine.refresh_token, proof, &answer), OUTCOME_ROTATED);
    assert_int_equal(renew(w, mine.refresh_token, proof, &again), OUTCOME_REPLAYED);
    assert_true(text_equal(answer.refresh_token, again.refresh_token));
    assert_int_equal(renew(w, other.refresh_token, proof, &again), OUTCOME_DPOP_INVALID);
    assert_int_equal(again.refusal, CLIENT_REFUSED_DPOP_REPLAYED);
    assert_int_equal(renew(w, answer.refresh_token, proof, &again), OUTCOME_DPOP_INVALID);
    assert_int_equal(world_record(w, other.session).generation, 0);
    /* where nothing rotates, too */
    w->realm.policy.rotate = false;
    proof = fresh_proof(w, &holder, "");
    assert_int_equal(renew(w, answer.refresh_token, proof, &again), OUTCOME_RENEWED);
    assert_int_equal(renew(w, other.refresh_token, proof, &again), OUTCOME_DPOP_INVALID);
    signing_key_close(holder.key);
}

/* By the realm or by the client: then nothing is issued without. */
static void test_demanded(void **state)
{
    struct world *w = *state;
    struct holder holder = make_holder(w, SIGNING_ES256);
    struct client before, after;
    struct answer plain, answer;

    world_add_client(w, "web", "s3cret", true);
    assert_int_equal(log_in(w, "web", (struct text){0}, &plain), OUTCOME_ROTATED);
    assert_int_equal(store_client_find(w->store, "web", &before, &w->fault), STORE_OK);
    after = before;
    after.override.set |= POLICY_DPOP_REQUIRED;
    assert_int_equal(store_client_update(w->store, &before, &after, &w->fault), STORE_OK);
    assert_int_equal(log_in(w, "web", (struct text){0}, &answer), OUTCOME_DPOP_INVALID);
    assert_int_equal(answer.refusal, CLIENT_REFUSED_DPOP_ABSENT);
    assert_int_equal(log_in(w, "", (struct text){0}, &answer), OUTCOME_ROTATED);
    w->realm.policy.dpop_required = true;
    assert_int_equal(log_in(w, "", (struct text){0}, &answer), OUTCOME_DPOP_INVALID);
    assert_int_equal(log_in(w, "", fresh_proof(w, &holder, ""), &answer), OUTCOME_ROTATED);
    w->realm.policy.dpop_required = false;
    for (int i = 0; i < 2; i++) {
        struct request request = renewal(w, plain.refresh_token,
                                         i == 0 ? (struct text){0} : fresh_proof(w, &holder, ""));

        request.client.kind = CLIENT_PROOF_BODY;
        request.client.id = TEXT("web");
        request.client.secret = TEXT("s3cret");
        assert_int_equal(operation_run(&request), i == 0 ? OUTCOME_DPOP_INVALID : OUTCOME_ROTATED);
    }
    signing_key_close(holder.key);
}

/* The next nonce comes with every answer where one is needed, and otherwise with the refusal. */
static void test_told_nonces(void **state)
{
    struct world *w = *state;
    struct holder holder = make_holder(w, SIGNING_ES256);
    struct answer answer;
    char more[128];

    assert_int_equal(log_in(w, "", fresh_proof(w, &holder, ""), &answer), OUTCOME_ROTATED);
    assert_int_equal(answer.dpop_nonce.size, 0);
    w->realm.dpop_nonce = true;
    assert_int_equal(log_in(w, "", fresh_proof(w, &holder, ""), &answer), OUTCOME_DPOP_NONCE);
    assert_int_equal(answer.dpop_nonce.size, NONCE_SIZE);
    snprintf(more, sizeof more, ",\"nonce\":\"%.*s\"", TEXT_ARGS(answer.dpop_nonce));
    assert_int_equal(log_in(w, "", fresh_proof(w, &holder, more), &answer), OUTCOME_ROTATED);
    assert_int_equal(answer.dpop_nonce.size, NONCE_SIZE);
    signing_key_close(holder.key);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(test_every_check),
        CASE(test_words_of_the_header),
        CASE(test_hash_of_the_access_token),
        CASE(test_nonces),
        CASE(test_a_bound_session),
        CASE(test_an_imported_session_keeps_its_key),
        CASE(test_a_bound_token_is_no_bearer_token),
        CASE(test_late_duplicates_of_the_holder),
        CASE(test_a_client_that_proves_itself_is_not_bound),
        CASE(test_a_proof_is_used_once),
        CASE(test_demanded),
        CASE(test_told_nonces),
    };
    return cmocka_run_group_tests_name("operation/dpop", tests, NULL, NULL);
}
