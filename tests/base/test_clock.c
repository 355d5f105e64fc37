/* test_clock.c: a clock is asked through its interface; the units agree with each other. */
#include "base/clock.h"
#include "base/expect.h"

static int64_t stopped(void *self)
{
    return *(int64_t *)self;
}

static void test_handed_in(void **state)
{
    int64_t now = -5;
    struct clock clock = {stopped, &now};
    (void)state;

    assert_true(clock_now_ms(&clock) == -5);
    now = INT64_MAX;
    assert_true(clock_now_ms(&clock) == INT64_MAX);
}

/* Not which time it is, only that it is one: milliseconds, neither seconds nor microseconds. */
static void test_system_counts_milliseconds(void **state)
{
    struct clock clock = clock_system();
    int64_t days = clock_now_ms(&clock) / CLOCK_DAY;
    (void)state;

    assert_true(days > 365 * 40 && days < 365 * 400);
}

static void test_units(void **state)
{
    (void)state;
    assert_int_equal(CLOCK_DAY, 86400000);
    assert_int_equal(CLOCK_HOUR, 3600000);
    assert_int_equal(CLOCK_MINUTE, 60000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_handed_in),
        cmocka_unit_test(test_system_counts_milliseconds),
        cmocka_unit_test(test_units),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
