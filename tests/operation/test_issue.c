/* SPDX-License-Identifier: ISC */
/* test_issue.c: beginning sessions: first tokens, imported tokens, accounts that change meanwhile.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "operation/world.h"
#include "token/jws.h"

static void test_jwt_format_does_not_rotate(void **state)
{
    struct world *w = *state;
    struct text token, twin;
    struct answer answer;

    world_make_kopong(&w->realm);
    token = world_session(w, "", NULL);
    twin = world_session(w, "", NULL);
    assert_false(text_equal(token, twin)); /* two logins in one second are two sessions */
    for (int i = 0; i < 3; i++) {
        assert_int_equal(world_present(w, &w->mount, token, &answer), OUTCOME_RENEWED);
        assert_true(text_equal(answer.refresh_token, token));
        w->now_ms += CLOCK_DAY;
    }
    assert_int_equal(world_present(w, &w->mount, answer.access_token, &answer),
                     OUTCOME_TOKEN_INVALID);
    assert_int_equal(world_present(w, &w->mount, twin, &answer), OUTCOME_RENEWED);
}

/* The claims of a JWT, by the bytes. */
static bool has_expiry(struct world *w, struct text token)
{
    struct jws jws;

    assert_true(jws_gate(w->arena, token, &jws));
    return json_object_get(json_in_object(w->arena, jws.payload_json, NULL), "exp") != NULL;
}

/* An end that each use puts off cannot be in a token that stays the same. */
static void test_jwt_says_only_a_fixed_end(void **state)
{
    struct world *w = *state;

    world_make_kopong(&w->realm);
    w->realm.policy.idle_lifetime_ms = CLOCK_DAY;
    assert_false(has_expiry(w, world_session(w, "", NULL)));
    w->realm.policy.absolute_lifetime_ms = 2 * CLOCK_DAY;
    assert_true(has_expiry(w, world_session(w, "", NULL)));
}

static void test_imported_token(void **state)
{
    struct world *w = *state;
    struct answer answer = {0};
    struct issue_ask ask = {.account = &w->ada,
                            .imported = TEXT("xRxGGEpVawiUak6He367W3oeOfh+3irw+1G1h1jc")};
    struct world_ask present = {
        .mount = &w->mount, .refresh_token = ask.imported, .access_token_given = true};

    assert_int_equal(world_issue(w, &ask, &answer), OUTCOME_ROTATED);
    assert_int_equal(world_issue(w, &ask, &answer), OUTCOME_TOKEN_INVALID); /* taken */
    present.access_token = TEXT("the.other.servers");
    assert_int_equal(world_run(&w->issuer, &present, w->arena, &answer, &w->fault),
                     OUTCOME_ROTATED);
    assert_int_equal(answer.refresh_token.size, 72);
    present.refresh_token = answer.refresh_token; /* from here on it must be one of ours */
    assert_int_equal(world_run(&w->issuer, &present, w->arena, &answer, &w->fault),
                     OUTCOME_WRONG_ACCESS_TOKEN);
    w->now_ms += CLOCK_HOUR;
    assert_int_equal(world_present(w, &w->mount, ask.imported, &answer), OUTCOME_TOKEN_REUSED);
}

/* What an account was when its password was checked, it must still be when the session begins. */
static void test_account_changed_before_the_session(void **state)
{
    struct world *w = *state;
    struct account before = w->ada;
    struct issue_ask ask = {.account = &before};
    struct answer answer = {0};

    w->ada.enabled = false;
    assert_int_equal(store_account_update(w->store, &before, &w->ada, &w->fault), STORE_OK);
    assert_int_equal(world_issue(w, &ask, &answer), OUTCOME_FAULT);
    w->ada.enabled = true;
    strcpy(w->ada.password, "$y$another");
    assert_int_equal(store_account_update(w->store, NULL, &w->ada, &w->fault), STORE_OK);
    assert_int_equal(world_issue(w, &ask, &answer), OUTCOME_FAULT);
    assert_int_equal(store_account_remove(w->store, "ada", &w->fault), STORE_OK);
    assert_int_equal(world_issue(w, &ask, &answer), OUTCOME_FAULT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(test_jwt_format_does_not_rotate),
        CASE(test_jwt_says_only_a_fixed_end),
        CASE(test_imported_token),
        CASE(test_account_changed_before_the_session),
    };
    return cmocka_run_group_tests_name("operation/issue", tests, NULL, NULL);
}
