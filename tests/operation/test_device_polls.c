/* SPDX-License-Identifier: ISC */
/* test_device_polls.c: which polls come too soon, and that devices do not count for one another. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#include "operation/device_polls.h"

static const int64_t now_ms = INT64_C(1800000000000);

static void test_too_soon(void **state)
{
    static const struct row {
        int64_t later_ms;
        bool too_soon;
    } rows[] = {{0, false},
                {0, true},
                {3999, true},
                {4000, false},
                {5000, false},
                {3999, true},
                {-60000, false} /* set back */,
                {3999, true},
                {4000, false}};
    static const uint8_t id[SESSION_ID_SIZE] = {1, 2, 3};
    struct device_polls *polls = device_polls_open();
    int64_t at_ms = now_ms;

    (void)state;
    assert_non_null(polls);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        at_ms += rows[i].later_ms;
        print_message("row %zu\n", i);
        assert_int_equal(device_polls_too_soon(polls, id, at_ms), rows[i].too_soon);
    }
    device_polls_close(polls);
}

static void test_devices_are_apart(void **state)
{
    static const uint8_t one[SESSION_ID_SIZE] = {[15] = 1};
    static const uint8_t other[SESSION_ID_SIZE] = {[15] = 2};
    static const uint8_t in_its_place[SESSION_ID_SIZE] = {[0] = 9, [15] = 1};
    struct device_polls *polls = device_polls_open();

    (void)state;
    assert_non_null(polls);
    assert_false(device_polls_too_soon(polls, one, now_ms));
    assert_false(device_polls_too_soon(polls, other, now_ms));
    assert_true(device_polls_too_soon(polls, one, now_ms));
    assert_false(device_polls_too_soon(polls, in_its_place, now_ms)); /* one is forgotten */
    assert_false(device_polls_too_soon(polls, one, now_ms));
    device_polls_close(polls);
    device_polls_close(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_too_soon),
        cmocka_unit_test(test_devices_are_apart),
    };

    return cmocka_run_group_tests_name("operation/device_polls", tests, NULL, NULL);
}
