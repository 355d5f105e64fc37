/* test_judge.c: a verdict is what the operation would say, and changes nothing. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "refresh/judge.h"
#include "refresh/world.h"

static void test_judge_changes_nothing(void **state)
{
    struct world *w = *state;
    struct text token = world_session(w, "", NULL);
    struct verdict verdict;
    struct refresh_answer answer;

    assert_int_equal(judge_token(&w->authority, &w->mount, token, w->arena, &verdict, &w->fault),
                     OUTCOME_ROTATED);
    assert_int_equal(verdict.grant.session.generation, 0);
    assert_int_equal(world_present(w, &w->mount, token, &answer), OUTCOME_ROTATED);
    w->now_ms += 12 * CLOCK_SECOND;
    assert_int_equal(judge_token(&w->authority, &w->mount, token, w->arena, &verdict, &w->fault),
                     OUTCOME_REPLAYED);
    assert_int_equal(verdict.window_left_ms, 48 * CLOCK_SECOND);
    w->now_ms += CLOCK_HOUR;
    assert_int_equal(judge_token(&w->authority, &w->mount, token, w->arena, &verdict, &w->fault),
                     OUTCOME_TOKEN_REUSED);
    assert_int_equal(world_record(w, answer.session).end, SESSION_LIVE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(test_judge_changes_nothing),
    };
    return cmocka_run_group_tests_name("refresh/judge", tests, NULL, NULL);
}
