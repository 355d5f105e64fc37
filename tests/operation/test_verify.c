/* SPDX-License-Identifier: ISC */
/* test_verify.c: which tokens are good, and that asking changes nothing. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "operation/world.h"

static enum outcome verify(struct world *w, struct text token)
{
    struct world_ask ask = {.mount = &w->mount, .refresh_token = token};
    struct request request = world_request(&w->issuer, &ask, w->arena);
    enum outcome outcome = OUTCOME_FAULT;

    request.operation = &operation_verify;
    assert_true(request.operation->begin(&request));
    assert_null(request.operation->step(&request, &outcome));
    return outcome;
}

static void test_refresh_token(void **state)
{
    struct world *w = *state;
    struct text token = world_session(w, "", NULL);
    struct answer answer;

    assert_int_equal(verify(w, token), OUTCOME_SERVED);
    assert_int_equal(world_present(w, &w->mount, token, &answer), OUTCOME_ROTATED);
    assert_int_equal(verify(w, token), OUTCOME_SERVED); /* its answer would be given again */
    w->now_ms += CLOCK_HOUR;
    assert_int_equal(verify(w, token), OUTCOME_TOKEN_REUSED);
    assert_int_equal(verify(w, answer.refresh_token), OUTCOME_SERVED); /* nothing was ended by it */
    assert_int_equal(world_record(w, answer.session).generation, 1);
    w->now_ms += 31 * (int64_t)CLOCK_DAY;
    assert_int_equal(verify(w, answer.refresh_token), OUTCOME_TOKEN_EXPIRED);
    assert_int_equal(verify(w, TEXT("not one of ours")), OUTCOME_TOKEN_INVALID);
    assert_int_equal(verify(w, TEXT("")), OUTCOME_TOKEN_INVALID);
}

static void test_session_has_ended(void **state)
{
    struct world *w = *state;
    struct answer answer;
    struct text token;

    assert_int_equal(world_present(w, &w->mount, world_session(w, "", NULL), &answer),
                     OUTCOME_ROTATED);
    token = answer.refresh_token;
    assert_int_equal(store_session_end(w->store, answer.session, SESSION_ENDED_ADMIN, w->now_ms,
                                       NULL, &w->fault),
                     STORE_OK);
    assert_int_equal(verify(w, token), OUTCOME_TOKEN_REVOKED);
    assert_int_equal(verify(w, answer.access_token), OUTCOME_SERVED); /* until it expires */
}

static void test_account_disabled(void **state)
{
    struct world *w = *state;
    struct text token = world_session(w, "", NULL);

    w->ada.enabled = false;
    assert_int_equal(store_account_update(w->store, NULL, &w->ada, &w->fault), STORE_OK);
    assert_int_equal(verify(w, token), OUTCOME_ACCOUNT_DISABLED);
}

static void test_access_token(void **state)
{
    struct world *w = *state;
    struct answer answer;
    char forged[4096];

    assert_int_equal(world_present(w, &w->mount, world_session(w, "", NULL), &answer),
                     OUTCOME_ROTATED);
    assert_int_equal(verify(w, answer.access_token), OUTCOME_SERVED);
    assert_true(text_copy(answer.access_token, forged, sizeof forged));
    forged[answer.access_token.size - 8] ^= 1;
    assert_int_equal(verify(w, text_of(forged)), OUTCOME_TOKEN_INVALID);
    strcpy(w->realm.issuer, "https://elsewhere.example");
    assert_int_equal(verify(w, answer.access_token), OUTCOME_TOKEN_INVALID);
    strcpy(w->realm.issuer, "https://id.example");
    w->now_ms += CLOCK_HOUR - 1;
    assert_int_equal(verify(w, answer.access_token), OUTCOME_SERVED);
    w->now_ms += 1;
    assert_int_equal(verify(w, answer.access_token), OUTCOME_TOKEN_EXPIRED);
}

/* Both tokens are JWTs of one layout; each is known for what it is. */
static void test_jwt_shaped_tokens(void **state)
{
    struct world *w = *state;
    struct answer answer;
    struct text token;

    world_make_kopong(&w->realm);
    token = world_session(w, "", NULL);
    assert_int_equal(world_present(w, &w->mount, token, &answer), OUTCOME_RENEWED);
    assert_int_equal(verify(w, token), OUTCOME_SERVED);
    assert_int_equal(verify(w, answer.access_token), OUTCOME_SERVED);
    assert_int_equal(store_session_end(w->store, answer.session, SESSION_ENDED_ADMIN, w->now_ms,
                                       NULL, &w->fault),
                     STORE_OK);
    assert_int_equal(verify(w, token), OUTCOME_TOKEN_REVOKED);
}

/* ---- whose it is, where access tokens are all that is asked with ---- */

static enum outcome validate(struct world *w, struct text token, struct answer *answer)
{
    struct world_ask ask = {.mount = &w->mount, .refresh_token = token};
    struct request request = world_request(&w->issuer, &ask, w->arena);
    enum outcome outcome;

    request.operation = &operation_validate;
    outcome = operation_run(&request);
    *answer = request.answer;
    return outcome;
}

static void test_validate_by_session(void **state)
{
    struct world *w = *state;
    struct answer tokens, answer;

    assert_int_equal(world_present(w, &w->mount, world_session(w, "", NULL), &tokens),
                     OUTCOME_ROTATED);
    assert_int_equal(validate(w, tokens.access_token, &answer), OUTCOME_SERVED);
    assert_true(text_is(answer.username, "ada"));
    assert_int_equal(validate(w, tokens.refresh_token, &answer), OUTCOME_TOKEN_INVALID);
    assert_int_equal(store_session_end(w->store, tokens.session, SESSION_ENDED_ADMIN, w->now_ms,
                                       NULL, &w->fault),
                     STORE_OK);
    assert_int_equal(validate(w, tokens.access_token, &answer), OUTCOME_TOKEN_REVOKED);
}

/* A client's own token has its id in `sub`, and is no user's of that name. */
static void test_validate_of_a_client(void **state)
{
    struct world *w = *state;
    struct account robot = {.enabled = true, .name = "robot"};
    struct request request;
    struct answer answer;

    assert_int_equal(store_account_add(w->store, &robot, &w->fault), STORE_OK);
    world_add_robot(w, GRANT_CLIENT, "");
    request = world_robots_request(w, "s3cret");
    assert_int_equal(operation_run(&request), OUTCOME_RENEWED);
    assert_int_equal(validate(w, request.answer.access_token, &answer), OUTCOME_TOKEN_ALONE);
}

static void test_validate_by_account(void **state)
{
    struct world *w = *state;
    struct answer tokens, answer;

    world_make_kopong(&w->realm);
    assert_int_equal(world_present(w, &w->mount, world_session(w, "", NULL), &tokens),
                     OUTCOME_RENEWED);
    assert_int_equal(validate(w, tokens.access_token, &answer), OUTCOME_SERVED);
    assert_true(text_is(answer.username, "ada"));
    assert_non_null(json_object_get(answer.payload, "roles"));
    assert_int_equal(validate(w, tokens.refresh_token, &answer), OUTCOME_TOKEN_INVALID);
    w->ada.enabled = false;
    assert_int_equal(store_account_update(w->store, NULL, &w->ada, &w->fault), STORE_OK);
    assert_int_equal(validate(w, tokens.access_token, &answer), OUTCOME_ACCOUNT_DISABLED);
    assert_int_equal(store_account_remove(w->store, "ada", &w->fault), STORE_OK);
    assert_int_equal(validate(w, tokens.access_token, &answer), OUTCOME_ACCOUNT_GONE);
    w->now_ms += CLOCK_HOUR;
    assert_int_equal(validate(w, tokens.access_token, &answer), OUTCOME_TOKEN_EXPIRED);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(test_refresh_token),        CASE(test_session_has_ended),
        CASE(test_account_disabled),     CASE(test_access_token),
        CASE(test_jwt_shaped_tokens),    CASE(test_validate_by_session),
        CASE(test_validate_of_a_client), CASE(test_validate_by_account),
    };
    return cmocka_run_group_tests_name("operation/verify", tests, NULL, NULL);
}
