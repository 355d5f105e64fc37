/* SPDX-License-Identifier: ISC */
/* test_outcome.c: every outcome has its own log word and a sentence, and four of them give tokens.
 */
#include "base/expect.h"
#include "model/outcome.h"

static bool is_log_word(const char *word)
{
    return strlen(word) > 0 && strspn(word, "abcdefghijklmnopqrstuvwxyz-") == strlen(word);
}

static void test_words(void **state)
{
    (void)state;
    for (int i = 0; i < OUTCOME_COUNT; i++) {
        const char *word = outcome_word((enum outcome)i);
        assert_true(is_log_word(word));
        assert_true(strlen(outcome_meaning((enum outcome)i)) > 5);
        for (int k = 0; k < i; k++) {
            assert_string_not_equal(word, outcome_word((enum outcome)k));
        }
    }
    assert_string_equal(outcome_word(OUTCOME_ROTATED), "rotated");
    assert_string_equal(outcome_word(OUTCOME_TOKEN_REUSED), "reused");
    assert_string_equal(outcome_word(OUTCOME_FAULT), "fault");
}

static void test_out_of_range(void **state)
{
    static const int strange[] = {-1, OUTCOME_COUNT, 1000000};
    (void)state;

    for (size_t i = 0; i < COUNT(strange); i++) {
        assert_string_equal(outcome_word((enum outcome)strange[i]), "unknown-outcome");
        assert_true(strlen(outcome_meaning((enum outcome)strange[i])) > 0);
        assert_false(outcome_is_grant((enum outcome)strange[i]));
    }
}

static void test_grants(void **state)
{
    (void)state;
    for (int i = 0; i < OUTCOME_COUNT; i++) {
        bool grant = i == OUTCOME_ROTATED || i == OUTCOME_RENEWED || i == OUTCOME_REPLAYED ||
                     i == OUTCOME_RECOVERED || i == OUTCOME_SERVED || i == OUTCOME_ROLLED_FORWARD ||
                     i == OUTCOME_AUTHORIZED || i == OUTCOME_ENDED || i == OUTCOME_NONE_ENDED ||
                     i == OUTCOME_INACTIVE;
        assert_int_equal(outcome_is_grant((enum outcome)i), grant);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_words),
        cmocka_unit_test(test_out_of_range),
        cmocka_unit_test(test_grants),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
