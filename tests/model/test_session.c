/* SPDX-License-Identifier: ISC */
/* test_session.c: every end of a session is told apart, and so is one of a later version. */
#include "base/expect.h"
#include "model/session.h"

static void test_meanings(void **state)
{
    static const int ends[] = {SESSION_LIVE,          SESSION_ENDED_REUSE,  SESSION_ENDED_ADMIN,
                               SESSION_ENDED_ACCOUNT, SESSION_ENDED_CLIENT, 200};
    (void)state;

    for (size_t i = 0; i < COUNT(ends); i++) {
        const char *meaning = session_end_meaning((enum session_end)ends[i]);
        assert_true(strlen(meaning) > 0);
        for (size_t k = 0; k < i; k++) {
            assert_string_not_equal(meaning, session_end_meaning((enum session_end)ends[k]));
        }
    }
    assert_string_equal(session_end_meaning(SESSION_ENDED_ADMIN), "revoked by an administrator");
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_meanings)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
