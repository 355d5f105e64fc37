/* SPDX-License-Identifier: ISC */
/* test_dbsc.c: a browser's session from the login to its end: which proof begins and renews it,
 * what a lost answer, a racing tab and a thief get, and that nothing but an end is told to be one.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "operation/dbsc.h"
#include "operation/world.h"
#include "token/jws.h"

/* A browser's key, and the headers of its first proof and of the later ones. */
struct browser {
    struct signing_key *key;
    struct text first, later;
};

static struct browser make_browser(struct world *w)
{
    struct browser browser = {.later = TEXT("{\"typ\":\"dbsc+jwt\",\"alg\":\"ES256\"}")};
    struct buffer buffer;
    struct json_out out;

    browser.key = signing_key_generate(SIGNING_ES256, NULL, &w->issuer.randomness, &w->fault);
    assert_non_null(browser.key);
    buffer_start(&buffer, w->arena, 512);
    buffer_add_c(&buffer, "{\"typ\":\"dbsc+jwt\",\"alg\":\"ES256\",\"jwk\":");
    out = json_out_start(&buffer, JSON_STYLE_PLAIN);
    assert_true(signing_key_jwk(browser.key, &out));
    buffer_add_c(&buffer, "}");
    assert_true(buffer_finish(&buffer, &browser.first));
    return browser;
}

static struct text sign(struct world *w, const struct browser *browser, struct text header,
                        const char *claims)
{
    struct text proof;

    assert_true(jws_sign(browser->key, header, text_of(claims), w->arena, &proof));
    return proof;
}

static struct text first_proof(struct world *w, const struct browser *browser,
                               struct text challenge, struct text code)
{
    char claims[512];

    snprintf(claims, sizeof claims, "{\"jti\":\"%.*s\",\"authorization\":\"%.*s\"}",
             TEXT_ARGS(challenge), TEXT_ARGS(code));
    return sign(w, browser, browser->first, claims);
}

static struct text later_proof(struct world *w, const struct browser *browser,
                               struct text challenge)
{
    char claims[512];

    snprintf(claims, sizeof claims, "{\"jti\":\"%.*s\"}", TEXT_ARGS(challenge));
    return sign(w, browser, browser->later, claims);
}

/* ---- the three requests ---- */

static enum outcome ask(struct world *w, struct request *request, struct answer *answer)
{
    enum outcome outcome;

    request->arena = w->arena;
    request->issuer = &w->issuer;
    request->mount = &w->mount;
    request->realm = &w->realm;
    outcome = operation_run(request);
    *answer = request->answer;
    return outcome;
}

static enum outcome start(struct world *w, const char *user, struct answer *answer)
{
    struct request request = {.operation = &operation_dbsc_start, .remote_user = text_of(user)};

    return ask(w, &request, answer);
}

static enum outcome registers(struct world *w, struct text proof, struct answer *answer)
{
    struct request request = {.operation = &operation_dbsc_register,
                              .possession = {.by_browser = true, .response = proof}};

    return ask(w, &request, answer);
}

static enum outcome refresh(struct world *w, struct text session, struct text proof,
                            struct answer *answer)
{
    struct request request = {.operation = &operation_refresh,
                              .possession = {.by_browser = true, .response = proof}};

    request.input.refresh.refresh_token = session;
    return ask(w, &request, answer);
}

/* Asks for a challenge and signs it. */
static enum outcome renew(struct world *w, const struct browser *browser, struct text session,
                          struct answer *answer)
{
    enum outcome outcome = refresh(w, session, (struct text){0}, answer);

    if (outcome != OUTCOME_DPOP_NONCE) {
        return outcome;
    }
    assert_int_equal(answer->challenge.size, 22);
    return refresh(w, session, later_proof(w, browser, answer->challenge), answer);
}

/* A session of ada's; what its browser calls it. */
static struct text begin(struct world *w, const struct browser *browser)
{
    struct answer started, answer;

    assert_int_equal(start(w, "ada", &started), OUTCOME_AUTHORIZED);
    assert_int_equal(
        registers(w, first_proof(w, browser, started.challenge, started.code), &answer),
        OUTCOME_ROTATED);
    return answer.refresh_token;
}

static int set_up(void **state)
{
    int result = world_set_up(state);
    struct world *w = *state;

    w->realm.policy.rotate = false;
    w->realm.remote_user = REMOTE_USER_KNOWN;
    return result;
}

#define DBSC_CASE(test) cmocka_unit_test_setup_teardown(test, set_up, world_tear_down)

/* Uses are noted coarsely where nothing rotates. */
static int64_t stretched_idle_ms(const struct world *w)
{
    int64_t idle_ms = w->realm.policy.idle_lifetime_ms;

    return idle_ms + idle_ms / 16;
}

/* ---- how it begins ---- */

static void test_begins_with_its_key(void **state)
{
    struct world *w = *state;
    struct browser browser = make_browser(w);
    struct answer started, answer, again;
    struct session session;
    struct event event;
    size_t count;

    assert_int_equal(start(w, "ada", &started), OUTCOME_AUTHORIZED);
    assert_int_equal(
        registers(w, first_proof(w, &browser, started.challenge, started.code), &answer),
        OUTCOME_ROTATED);
    assert_true(text_is(answer.username, "ada"));
    session = world_record(w, answer.session);
    assert_int_equal(session.pending, SESSION_BEGUN);
    assert_int_equal(session.key_kind, SESSION_KEY_BROWSER);
    assert_int_equal(session.expires_ms, w->now_ms + stretched_idle_ms(w));
    assert_int_equal(store_event_list(w->store, session.id, 0, &event, 1, &count, &w->fault),
                     STORE_OK);
    assert_int_equal(event.kind, EVENT_LOGIN);
    assert_string_equal(event.cause, "browser");
    /* its answer was lost: the same once more, and the session has not changed */
    assert_int_equal(
        registers(w, first_proof(w, &browser, started.challenge, started.code), &again),
        OUTCOME_RENEWED);
    assert_true(text_equal(again.refresh_token, answer.refresh_token));
    assert_int_equal(world_record(w, answer.session).generation, session.generation);
    assert_int_equal(renew(w, &browser, answer.refresh_token, &again), OUTCOME_RENEWED);
    /* the proof of its beginning is no good for ever */
    w->now_ms += 4 * CLOCK_MINUTE;
    assert_int_equal(
        registers(w, first_proof(w, &browser, started.challenge, started.code), &again),
        OUTCOME_DPOP_NONCE);
    assert_int_equal(renew(w, &browser, answer.refresh_token, &again), OUTCOME_RENEWED);
    signing_key_close(browser.key);
}

static void test_first_proofs(void **state)
{
    struct world *w = *state;
    struct browser browser = make_browser(w), other = make_browser(w);
    struct browser mixed = {.key = other.key, .first = browser.first};
    struct answer started, second, answer;
    struct text proof;
    char claims[512];

    assert_int_equal(start(w, "ada", &started), OUTCOME_AUTHORIZED);
    assert_int_equal(start(w, "ada", &second), OUTCOME_AUTHORIZED);
    const struct {
        struct text proof;
        enum outcome outcome;
        enum client_refusal reason;
    } rows[] = {
        {TEXT("a.b.c"), OUTCOME_DPOP_INVALID, CLIENT_REFUSED_DBSC_MALFORMED},
        {sign(w, &browser, TEXT("{\"typ\":\"dpop+jwt\",\"alg\":\"ES256\"}"), "{}"),
         OUTCOME_DPOP_INVALID, CLIENT_REFUSED_DBSC_TYP},
        {sign(w, &browser, TEXT("{\"typ\":\"dbsc+jwt\",\"alg\":\"none\"}"), "{}"),
         OUTCOME_DPOP_INVALID, CLIENT_REFUSED_DBSC_ALG},
        {sign(w, &browser, browser.later, "{}"), OUTCOME_DPOP_INVALID, CLIENT_REFUSED_DBSC_KEY},
        {first_proof(w, &mixed, started.challenge, started.code), OUTCOME_DPOP_INVALID,
         CLIENT_REFUSED_DBSC_SIGNATURE},
        {sign(w, &browser, browser.first, "{\"authorization\":\"x\"}"), OUTCOME_DPOP_INVALID,
         CLIENT_REFUSED_DBSC_MALFORMED},
        {sign(w, &browser, browser.first, "{\"jti\":1,\"authorization\":\"x\"}"),
         OUTCOME_DPOP_INVALID, CLIENT_REFUSED_DBSC_MALFORMED},
        {sign(w, &browser, browser.first, "{\"jti\":\"x\"}"), OUTCOME_DPOP_INVALID,
         CLIENT_REFUSED_DBSC_AUTHORIZATION},
        {first_proof(w, &browser, TEXT("x"), started.code), OUTCOME_DPOP_NONCE,
         CLIENT_REFUSED_DBSC_CHALLENGE},
        {first_proof(w, &browser, second.challenge, started.code), OUTCOME_DPOP_NONCE,
         CLIENT_REFUSED_DBSC_CHALLENGE},
        {first_proof(w, &browser, started.challenge, TEXT("x")), OUTCOME_TOKEN_INVALID,
         CLIENT_NOT_REFUSED},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        enum outcome outcome = registers(w, rows[i].proof, &answer);

        if (outcome != rows[i].outcome || answer.refusal != rows[i].reason) {
            fail_msg("row %zu: %s, %s", i, outcome_word(outcome),
                     client_refusal_word(answer.refusal));
        }
    }
    /* none of them has spent the code */
    proof = first_proof(w, &browser, started.challenge, started.code);
    assert_int_equal(registers(w, proof, &answer), OUTCOME_ROTATED);
    /* what begins a session is no session's name, nor the other way round */
    assert_int_equal(refresh(w, started.code, (struct text){0}, &second), OUTCOME_TOKEN_INVALID);
    snprintf(claims, sizeof claims, "{\"jti\":\"%.*s\",\"authorization\":\"%.*s\"}",
             TEXT_ARGS(started.challenge), TEXT_ARGS(answer.refresh_token));
    assert_int_equal(registers(w, sign(w, &browser, browser.first, claims), &second),
                     OUTCOME_TOKEN_INVALID);
    signing_key_close(browser.key);
    signing_key_close(other.key);
}

/* Two have the code: nobody knows which of them is the user. */
static void test_another_key_with_the_same_code(void **state)
{
    struct world *w = *state;
    struct browser browser = make_browser(w), thief = make_browser(w);
    struct answer started, stolen, answer;

    assert_int_equal(start(w, "ada", &started), OUTCOME_AUTHORIZED);
    assert_int_equal(registers(w, first_proof(w, &thief, started.challenge, started.code), &stolen),
                     OUTCOME_ROTATED);
    assert_int_equal(
        registers(w, first_proof(w, &browser, started.challenge, started.code), &answer),
        OUTCOME_TOKEN_REUSED);
    assert_int_equal(world_record(w, stolen.session).end, SESSION_ENDED_REUSE);
    assert_int_equal(renew(w, &thief, stolen.refresh_token, &answer), OUTCOME_TOKEN_REVOKED);
    signing_key_close(browser.key);
    signing_key_close(thief.key);
}

static void test_who_may_begin(void **state)
{
    struct world *w = *state;
    struct browser browser = make_browser(w);
    struct answer started, answer;
    struct account changed = w->ada;

    assert_int_equal(start(w, "eve", &started), OUTCOME_REMOTE_USER_UNKNOWN);
    w->realm.remote_user = REMOTE_USER_ANY;
    assert_int_equal(start(w, "eve", &started), OUTCOME_AUTHORIZED);
    assert_int_equal(start(w, "ada", &started), OUTCOME_AUTHORIZED);
    w->now_ms += CLOCK_MINUTE;
    assert_int_equal(
        registers(w, first_proof(w, &browser, started.challenge, started.code), &answer),
        OUTCOME_TOKEN_EXPIRED);
    assert_int_equal(start(w, "ada", &started), OUTCOME_AUTHORIZED);
    changed.enabled = false;
    assert_int_equal(store_account_update(w->store, NULL, &changed, &w->fault), STORE_OK);
    assert_int_equal(
        registers(w, first_proof(w, &browser, started.challenge, started.code), &answer),
        OUTCOME_ACCOUNT_DISABLED);
    assert_int_equal(start(w, "ada", &started), OUTCOME_ACCOUNT_DISABLED);
    signing_key_close(browser.key);
}

/* ---- how it goes on ---- */

static void test_later_proofs(void **state)
{
    struct world *w = *state;
    struct browser browser = make_browser(w), thief = make_browser(w);
    struct text session = begin(w, &browser), another = begin(w, &browser), challenge, proof;
    struct answer answer;

    assert_int_equal(refresh(w, session, (struct text){0}, &answer), OUTCOME_DPOP_NONCE);
    challenge = answer.challenge;
    assert_int_equal(answer.refusal, CLIENT_REFUSED_DBSC_CHALLENGE);
    const struct {
        struct text session, proof;
        enum outcome outcome;
        enum client_refusal reason;
    } rows[] = {
        {session, TEXT("a.b.c"), OUTCOME_DPOP_INVALID, CLIENT_REFUSED_DBSC_MALFORMED},
        {session, later_proof(w, &thief, challenge), OUTCOME_DPOP_INVALID,
         CLIENT_REFUSED_DBSC_SIGNATURE},
        {session, first_proof(w, &thief, challenge, TEXT("x")), OUTCOME_DPOP_INVALID,
         CLIENT_REFUSED_DBSC_KEY},
        {session, first_proof(w, &browser, challenge, TEXT("x")), OUTCOME_DPOP_INVALID,
         CLIENT_REFUSED_DBSC_KEY},
        {session, later_proof(w, &browser, TEXT("x")), OUTCOME_DPOP_NONCE,
         CLIENT_REFUSED_DBSC_CHALLENGE},
        {another, later_proof(w, &browser, challenge), OUTCOME_DPOP_NONCE,
         CLIENT_REFUSED_DBSC_CHALLENGE},
        {TEXT("x"), later_proof(w, &browser, challenge), OUTCOME_TOKEN_INVALID, CLIENT_NOT_REFUSED},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        enum outcome outcome = refresh(w, rows[i].session, rows[i].proof, &answer);

        if (outcome != rows[i].outcome || answer.refusal != rows[i].reason) {
            fail_msg("row %zu: %s, %s", i, outcome_word(outcome),
                     client_refusal_word(answer.refusal));
        }
        /* who is asked for a proof is told what to sign */
        assert_int_equal(answer.challenge.size, outcome == OUTCOME_DPOP_NONCE ? 22 : 0);
    }
    /* racing tabs and lost answers: the same proof is as good */
    proof = later_proof(w, &browser, challenge);
    assert_int_equal(refresh(w, session, proof, &answer), OUTCOME_RENEWED);
    assert_true(text_equal(answer.refresh_token, session));
    assert_int_equal(refresh(w, session, proof, &answer), OUTCOME_RENEWED);
    w->now_ms += 2 * CLOCK_MINUTE;
    assert_int_equal(refresh(w, session, proof, &answer), OUTCOME_RENEWED);
    w->now_ms += 2 * CLOCK_MINUTE;
    assert_int_equal(refresh(w, session, proof, &answer), OUTCOME_DPOP_NONCE);
    assert_int_equal(refresh(w, session, later_proof(w, &browser, answer.challenge), &answer),
                     OUTCOME_RENEWED);
    /* a clock that was set back costs one more trip and no session */
    w->now_ms -= CLOCK_DAY;
    assert_int_equal(refresh(w, session, later_proof(w, &browser, challenge), &answer),
                     OUTCOME_DPOP_NONCE);
    assert_int_equal(renew(w, &browser, session, &answer), OUTCOME_RENEWED);
    signing_key_close(browser.key);
    signing_key_close(thief.key);
}

/* In one realm with other dialects: what belongs to a browser is worth nothing elsewhere, and what
 * is anybody's is none of a browser's. */
static void test_other_sessions_of_the_realm(void **state)
{
    struct world *w = *state;
    struct browser browser = make_browser(w);
    struct text session = begin(w, &browser), plain = world_session(w, "", "");
    struct answer answer;

    assert_int_equal(world_present(w, &w->mount, session, &answer), OUTCOME_WRONG_KEY);
    assert_int_equal(refresh(w, plain, (struct text){0}, &answer), OUTCOME_WRONG_KEY);
    assert_int_equal(refresh(w, plain, later_proof(w, &browser, TEXT("x")), &answer),
                     OUTCOME_WRONG_KEY);
    assert_int_equal(world_present(w, &w->mount, plain, &answer), OUTCOME_RENEWED);
    /* what is demanded of the clients there is not of browsers */
    w->realm.policy.dpop_required = true;
    assert_int_equal(renew(w, &browser, session, &answer), OUTCOME_RENEWED);
    (void)begin(w, &browser);
    signing_key_close(browser.key);
}

static void test_ends(void **state)
{
    struct world *w = *state;
    struct browser browser = make_browser(w);
    struct text session = begin(w, &browser), idle = begin(w, &browser);
    struct request logout = {.operation = &operation_logout};
    struct answer answer;

    assert_int_equal(renew(w, &browser, session, &answer), OUTCOME_RENEWED);
    /* a cookie holds an access token, and so logs out */
    logout.input.refresh = (struct refresh_input){.candidates = &answer.access_token,
                                                  .candidate_count = 1,
                                                  .silent = true,
                                                  .by_access_token = true};
    assert_int_equal(ask(w, &logout, &answer), OUTCOME_ENDED);
    assert_int_equal(renew(w, &browser, session, &answer), OUTCOME_TOKEN_REVOKED);
    w->now_ms += w->realm.policy.idle_lifetime_ms - 1;
    assert_int_equal(renew(w, &browser, idle, &answer), OUTCOME_RENEWED);
    w->now_ms += stretched_idle_ms(w);
    assert_int_equal(renew(w, &browser, idle, &answer), OUTCOME_TOKEN_EXPIRED);
    signing_key_close(browser.key);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        DBSC_CASE(test_begins_with_its_key),
        DBSC_CASE(test_first_proofs),
        DBSC_CASE(test_another_key_with_the_same_code),
        DBSC_CASE(test_who_may_begin),
        DBSC_CASE(test_later_proofs),
        DBSC_CASE(test_other_sessions_of_the_realm),
        DBSC_CASE(test_ends),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
