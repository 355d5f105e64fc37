/* SPDX-License-Identifier: ISC */
/* test_date.c: points in time, compared with what the C library makes of each day. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <time.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/date.h"

static void test_spellings(void **state)
{
    static const struct {
        const char *text;
        int64_t ms;
    } good[] = {
        {"1970-01-01", 0},
        {"1970-01-01T00:00:00Z", 0},
        {"2025-11-20T11:04:00Z", 1763636640000},
        {"2025-11-20t11:04:00z", 1763636640000},
        {"2025-11-20 11:04:00+00", 1763636640000},
        {"2025-11-20 13:04:00+02:00", 1763636640000},
        {"2025-11-20T05:34:00-0530", 1763636640000},
        {"2025-11-20T11:04:00.123456+00:00", 1763636640123},
        {"2025-11-20T11:04:00.5Z", 1763636640500},
        {"2016-12-31T23:59:60Z", 1483228799000},
        {"9999-12-31T23:59:59Z", 253402300799000},
    };
    int64_t ms;

    (void)state;
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
        ms = -1;
        assert_true(date_parse(text_of(good[i].text), &ms));
        assert_int_equal(ms, good[i].ms);
    }
}

static void test_what_is_no_date(void **state)
{
    static const char *const bad[] = {
        "",
        "2025",
        "2025-11",
        "2025-11-20T11:04:00", /* in which time zone? */
        "2025-11-20T11:04Z",
        "2025-11-20T",
        "2025-11-20T24:00:00Z",
        "2025-11-20T11:60:00Z",
        "2025-11-20T11:04:61Z",
        "2025-11-20T11:04:00.Z",
        "2025-11-20T11:04:00.0123456789Z",
        "2025-11-20T11:04:00+2",
        "2025-11-20T11:04:00+02:",
        "2025-11-20T11:04:00+24:00",
        "2025-11-20T11:04:00+02:60",
        "2025-11-20T11:04:00Z ",
        "2025-11-20_11:04:00Z",
        "2025-13-01",
        "2025-00-01",
        "2025-04-31",
        "2025-02-29",
        "2100-02-29",
        "1969-12-31",
        "1970-01-01T00:00:00+00:01",
        "+025-11-20",
        "20251120",
        "1763636640",
    };
    int64_t ms = 7;

    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        assert_false(date_parse(text_of(bad[i]), &ms));
        assert_int_equal(ms, 7);
    }
}

static void test_every_day(void **state)
{
    (void)state;
    for (int64_t day = 0; day < 200 * 366; day++) {
        time_t time = (time_t)(day * 86400);
        struct tm parts;
        char text[32];
        int64_t ms = -1;

        gmtime_r(&time, &parts);
        strftime(text, sizeof text, "%Y-%m-%d", &parts);
        assert_true(date_parse(text_of(text), &ms));
        assert_int_equal(ms, day * CLOCK_DAY);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_spellings),
        cmocka_unit_test(test_what_is_no_date),
        cmocka_unit_test(test_every_day),
    };
    return cmocka_run_group_tests_name("base/date", tests, NULL, NULL);
}
