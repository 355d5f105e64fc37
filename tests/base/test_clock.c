/* SPDX-License-Identifier: ISC */
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
    struct clock clock = {.now_ms = stopped, .self = &now};
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

/* Microseconds: as many as another of the system's clocks counts meanwhile, give or take its unit.
 */
static void test_stopwatch(void **state)
{
    struct clock clock = clock_system();
    int64_t begun_us = clock_stopwatch_us();
    int64_t begun_ms = clock_now_ms(&clock);
    int64_t took_ms;

    (void)state;
    do {
        took_ms = clock_now_ms(&clock) - begun_ms;
    } while (took_ms >= 0 && took_ms < 5);
    assert_true(clock_stopwatch_us() - begun_us >= 3000); /* of the 5,000 that have passed */
}

static void fixed_boot(void *self, struct clock_moment *moment)
{
    (void)self;
    moment->boot = 7;
    moment->boot_ms = 1234;
}

static int64_t fixed_now(void *self)
{
    (void)self;
    return 99;
}

static void test_moment_of_a_clock_that_knows_no_boot(void **state)
{
    struct clock clock = {.now_ms = fixed_now};
    struct clock_moment moment = clock_moment(&clock);

    (void)state;
    assert_int_equal(moment.wall_ms, 99);
    assert_int_equal(moment.boot, 0);
}

static void test_moment_of_both_clocks(void **state)
{
    struct clock clock = {.now_ms = fixed_now, .boot = fixed_boot};
    struct clock_moment moment = clock_moment(&clock);

    (void)state;
    assert_int_equal(moment.wall_ms, 99);
    assert_int_equal(moment.boot, 7);
    assert_int_equal(moment.boot_ms, 1234);
}

static void test_system_boot_stays_and_goes_forward(void **state)
{
    struct clock clock = clock_system();
    struct clock_moment first = clock_moment(&clock);
    struct clock_moment second = clock_moment(&clock);

    (void)state;
    assert_true(first.boot != 0);
    assert_true(first.boot == second.boot);
    assert_true(first.boot_ms > 0 && second.boot_ms >= first.boot_ms);
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
        cmocka_unit_test(test_stopwatch),
        cmocka_unit_test(test_moment_of_a_clock_that_knows_no_boot),
        cmocka_unit_test(test_moment_of_both_clocks),
        cmocka_unit_test(test_system_boot_stays_and_goes_forward),
        cmocka_unit_test(test_units),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
