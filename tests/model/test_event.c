/* SPDX-License-Identifier: ISC */
/* test_event.c: every kind of event has its own word and a sentence. */
#include "base/expect.h"
#include "model/event.h"

static void test_words(void **state)
{
    (void)state;
    for (int i = 0; i < EVENT_KINDS; i++) {
        const char *word = event_word((enum event_kind)i);
        assert_true(strlen(word) > 0);
        assert_int_equal(strspn(word, "abcdefghijklmnopqrstuvwxyz-"), strlen(word));
        assert_true(strlen(event_meaning((enum event_kind)i)) > 5);
        for (int k = 0; k < i; k++) {
            assert_string_not_equal(word, event_word((enum event_kind)k));
        }
    }
    assert_string_equal(event_word(EVENT_REUSE_REPORTED), "reuse-reported");
    assert_string_equal(event_word(EVENT_KEY), "key");
}

/* A store that a later version wrote may hold kinds that this one does not know. */
static void test_out_of_range(void **state)
{
    static const int strange[] = {-1, EVENT_KINDS, 255, 1000000};
    (void)state;

    for (size_t i = 0; i < COUNT(strange); i++) {
        assert_string_equal(event_word((enum event_kind)strange[i]), "unknown-event");
        assert_true(strlen(event_meaning((enum event_kind)strange[i])) > 0);
    }
}

static void test_sets_of_kinds(void **state)
{
    uint64_t kinds, all;

    (void)state;
    assert_true(event_kinds_of(TEXT("refreshed"), &kinds));
    assert_int_equal(kinds, event_bit(EVENT_REFRESHED));
    assert_true(event_kinds_of(TEXT("flow"), &kinds));
    assert_int_equal(kinds, event_bit(EVENT_REFRESHED) | event_bit(EVENT_REPLAYED) |
                                event_bit(EVENT_EXPIRED));
    assert_true(event_kinds_of(TEXT("security"), &kinds));
    assert_int_equal(kinds, event_bit(EVENT_REUSE) | event_bit(EVENT_HOOK_REFUSED));
    assert_true(event_kinds_of(TEXT("all"), &all));
    assert_int_equal(all, (UINT64_C(1) << EVENT_KINDS) - 1);
    assert_false(event_kinds_of(TEXT("refresh"), &kinds));
    assert_false(event_kinds_of((struct text){0}, &kinds));
    assert_int_equal(kinds, 0);
}

static void test_causes_are_cut(void **state)
{
    struct event event = {.note = "as before"};

    (void)state;
    event_set_cause(&event, "password-change");
    assert_string_equal(event.cause, "password-change");
    event_set_cause(&event, "a cause that is longer than any is");
    assert_int_equal(strlen(event.cause), EVENT_CAUSE_MAX);
    assert_string_equal(event.note, "as before");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_words),
        cmocka_unit_test(test_out_of_range),
        cmocka_unit_test(test_sets_of_kinds),
        cmocka_unit_test(test_causes_are_cut),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
