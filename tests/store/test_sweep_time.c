/* SPDX-License-Identifier: ISC */
/* The time by which sessions are removed: whatever the wall clock does, it goes on by what really
 * passed and a day. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#include "store/verbs/sweep_time.h"

static const int64_t start_ms = INT64_C(1800000000000);
enum { HOUR = CLOCK_HOUR, DAY = CLOCK_DAY };

static struct clock_moment at(int64_t wall_ms, uint64_t boot, int64_t boot_ms)
{
    return (struct clock_moment){.wall_ms = wall_ms, .boot = boot, .boot_ms = boot_ms};
}

static struct record_time begun(uint64_t boot, int64_t boot_ms)
{
    struct clock_moment now = at(start_ms, boot, boot_ms);

    return sweep_time_at(&(struct record_time){0}, &now);
}

static void look(struct record_time *time, int64_t wall_ms, uint64_t boot, int64_t boot_ms)
{
    struct clock_moment now = at(wall_ms, boot, boot_ms);

    *time = sweep_time_at(time, &now);
}

static void it_goes_with_a_clock_that_is_right(void **state)
{
    struct record_time time = begun(1, 1000);

    (void)state;
    for (int64_t hours = 1; hours < 1000; hours++) {
        look(&time, start_ms + hours * HOUR, 1, 1000 + hours * HOUR);
        assert_int_equal(time.trusted_ms, start_ms + hours * HOUR);
        assert_int_equal(sweep_time_limit_ms(&time, time.wall_ms), time.wall_ms);
        assert_false(time.ahead);
    }
}

/* Looks as often as 10,000 processes would, with a clock that is ahead by more and more. */
static void no_number_of_looks_hurries_it(void **state)
{
    struct record_time time = begun(1, 1000);
    int64_t boot_ms = 1000;

    (void)state;
    srand(1);
    for (int64_t i = 1; i < 10000; i++) {
        int64_t ahead_ms = i % 3 == 0 ? 0 : rand() % 4000 * (int64_t)DAY;
        int64_t wall_ms;

        boot_ms += rand() % HOUR;
        wall_ms = start_ms + boot_ms - 1000 + ahead_ms;
        look(&time, wall_ms, 1, boot_ms);
        assert_true(time.trusted_ms >= start_ms + boot_ms - 1000);
        assert_true(time.trusted_ms <= start_ms + boot_ms - 1000 + DAY);
        assert_true(sweep_time_limit_ms(&time, wall_ms) <= time.trusted_ms + DAY);
        assert_true(sweep_time_limit_ms(&time, wall_ms) <= wall_ms);
        assert_int_equal(time.ahead, wall_ms - time.trusted_ms > DAY);
    }
}

static void a_clock_that_is_behind_does_not_turn_it_back(void **state)
{
    struct record_time time = begun(1, 1000);

    (void)state;
    look(&time, start_ms - 3650 * (int64_t)DAY, 1, 1000 + HOUR);
    assert_int_equal(time.trusted_ms, start_ms + HOUR);
    assert_int_equal(sweep_time_limit_ms(&time, time.wall_ms), time.wall_ms);
    look(&time, -5, 1, 1000 + HOUR);
    assert_int_equal(time.trusted_ms, start_ms + HOUR);
    look(&time, start_ms + 2 * HOUR, 1, 1000 + 2 * HOUR);
    assert_int_equal(time.trusted_ms, start_ms + 2 * HOUR);
    assert_false(time.ahead);
}

/* Off for ten days: caught up in ten, and no faster however often it is looked at. */
static void after_a_boot_it_catches_up(void **state)
{
    struct record_time time = begun(1, 1000);

    (void)state;
    for (int64_t hours = 0; hours <= 240; hours++) {
        look(&time, start_ms + 10 * DAY + hours * HOUR, 2, 500 + hours * HOUR);
        assert_int_equal(time.trusted_ms, start_ms + 2 * hours * HOUR);
        look(&time, start_ms + 10 * DAY + hours * HOUR, 2, 500 + hours * HOUR);
        assert_int_equal(time.trusted_ms, start_ms + 2 * hours * HOUR);
    }
    assert_false(time.ahead);
    look(&time, start_ms + 30 * (int64_t)DAY, 2, 500 + 20 * (int64_t)DAY);
    assert_int_equal(time.trusted_ms, start_ms + 30 * (int64_t)DAY);
}

/* A machine without a battery learns the time after its boot: a day each boot. */
static void after_a_boot_it_catches_up_with_a_later_step(void **state)
{
    struct record_time time = begun(1, 1000);

    (void)state;
    look(&time, start_ms, 2, 500);
    look(&time, start_ms + 12 * HOUR, 2, 600);
    assert_int_equal(time.trusted_ms, start_ms + 200);
    look(&time, start_ms + 48 * HOUR, 2, 36 * HOUR + 600);
    assert_int_equal(time.trusted_ms, start_ms + 48 * HOUR);
}

/* Without a boot id the clock's own steps count, a day at most. */
static void where_the_boot_is_not_known_a_jump_counts_as_a_day(void **state)
{
    struct record_time time = begun(0, 0);

    (void)state;
    look(&time, start_ms + HOUR, 0, 0);
    assert_int_equal(time.trusted_ms, start_ms + HOUR);
    look(&time, start_ms + 61 * (int64_t)DAY, 0, 0);
    assert_int_equal(time.trusted_ms, start_ms + HOUR + DAY);
    assert_true(time.ahead);
    look(&time, start_ms + 61 * (int64_t)DAY + HOUR, 0, 0);
    assert_int_equal(time.trusted_ms, start_ms + 2 * HOUR + DAY);
    look(&time, start_ms + 3 * HOUR, 0, 0);
    assert_int_equal(time.trusted_ms, start_ms + 2 * HOUR + DAY);
    assert_false(time.ahead);
    /* a process that knows the boot goes on from there */
    look(&time, start_ms + 4 * HOUR, 7, 99);
    assert_int_equal(time.trusted_ms, start_ms + 3 * HOUR + DAY);
    look(&time, start_ms + 5 * HOUR, 7, 99 + HOUR);
    assert_int_equal(time.trusted_ms, start_ms + 4 * HOUR + DAY);
}

static void it_is_stored_each_minute_and_when_it_matters(void **state)
{
    struct record_time stored = begun(1, 1000);
    struct record_time time = stored;

    (void)state;
    assert_true(sweep_time_worth_storing(&(struct record_time){0}, &stored));
    look(&time, start_ms + CLOCK_MINUTE - 1, 1, 1000 + CLOCK_MINUTE - 1);
    assert_false(sweep_time_worth_storing(&stored, &time));
    look(&time, start_ms + CLOCK_MINUTE, 1, 1000 + CLOCK_MINUTE);
    assert_true(sweep_time_worth_storing(&stored, &time));
    time = stored;
    look(&time, start_ms + 3 * (int64_t)DAY, 1, 1001);
    assert_true(sweep_time_worth_storing(&stored, &time));
    time = stored;
    look(&time, start_ms, 2, 1001);
    assert_true(sweep_time_worth_storing(&stored, &time));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_goes_with_a_clock_that_is_right),
        cmocka_unit_test(no_number_of_looks_hurries_it),
        cmocka_unit_test(a_clock_that_is_behind_does_not_turn_it_back),
        cmocka_unit_test(after_a_boot_it_catches_up),
        cmocka_unit_test(after_a_boot_it_catches_up_with_a_later_step),
        cmocka_unit_test(where_the_boot_is_not_known_a_jump_counts_as_a_day),
        cmocka_unit_test(it_is_stored_each_minute_and_when_it_matters),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
