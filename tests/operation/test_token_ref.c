/* SPDX-License-Identifier: ISC */
/* test_token_ref.c: the spellings of refresh tokens, and sessions that change theirs. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "operation/world.h"

static void test_uuid_format(void **state)
{
    struct world *w = *state;
    struct text first;
    struct answer rotated, again;

    w->realm.policy.format = REFRESH_FORMAT_UUID;
    first = world_session(w, "", NULL);
    assert_int_equal(first.size, 36);
    assert_int_equal(world_present(w, &w->mount, first, &rotated), OUTCOME_ROTATED);
    assert_int_equal(rotated.refresh_token.size, 36);
    assert_int_equal(world_present(w, &w->mount, first, &again), OUTCOME_REPLAYED);
    assert_true(text_equal(again.refresh_token, rotated.refresh_token));
    assert_int_equal(world_present(w, &w->mount, rotated.refresh_token, &again), OUTCOME_ROTATED);
    w->now_ms += CLOCK_HOUR;
    assert_int_equal(world_present(w, &w->mount, first, &again), OUTCOME_TOKEN_REUSED);
    assert_int_equal(
        world_present(w, &w->mount, TEXT("89d970e4-5048-4310-b6f8-c5bc83f92e11"), &again),
        OUTCOME_TOKEN_INVALID);
}

/* A UUID mount and a native one share a realm: what a replay hands out can be used. */
static void test_replay_over_two_spellings(void **state)
{
    struct world *w = *state;
    struct realm realm = w->realm;
    struct mount native = {.realm = &realm};
    struct text first;
    struct answer answer;

    w->realm.policy.format = REFRESH_FORMAT_UUID;
    first = world_session(w, "", NULL);
    assert_int_equal(world_present(w, &native, first, &answer), OUTCOME_ROTATED);
    assert_int_equal(world_present(w, &w->mount, first, &answer), OUTCOME_REPLAYED);
    assert_int_equal(world_present(w, &w->mount, answer.refresh_token, &answer), OUTCOME_ROTATED);
    assert_int_equal(answer.refresh_token.size, 36);
    assert_int_equal(world_present(w, &native, answer.refresh_token, &answer), OUTCOME_ROTATED);
}

/* Two mounts of one realm: a client base moves from an old dialect to /oauth/token without a login.
 */
static void test_one_realm_two_mounts(void **state)
{
    struct world *w = *state;
    struct realm realm = w->realm;
    struct mount modern = {.realm = &realm};
    struct text old;
    struct answer moved, answer;

    world_make_kopong(&w->realm);
    old = world_session(w, "", NULL);
    assert_int_equal(world_present(w, &modern, old, &moved), OUTCOME_ROTATED);
    assert_int_equal(moved.refresh_token.size, 72);
    assert_int_equal(world_present(w, &modern, moved.refresh_token, &answer), OUTCOME_ROTATED);
    w->now_ms += CLOCK_HOUR;
    assert_int_equal(world_present(w, &w->mount, old, &answer), OUTCOME_TOKEN_REUSED);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(test_uuid_format),
        CASE(test_replay_over_two_spellings),
        CASE(test_one_realm_two_mounts),
    };
    return cmocka_run_group_tests_name("operation/token_ref", tests, NULL, NULL);
}
