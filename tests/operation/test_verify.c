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

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(test_refresh_token), CASE(test_session_has_ended), CASE(test_account_disabled),
        CASE(test_access_token),  CASE(test_jwt_shaped_tokens),
    };
    return cmocka_run_group_tests_name("operation/verify", tests, NULL, NULL);
}
