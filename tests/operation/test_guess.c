/* SPDX-License-Identifier: ISC */
/* test_guess.c: which mark counts what, and how long it makes wait. test_login.c and
 * test_secret_proof.c show the rest. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "operation/world.h"

static void test_waits(void **state)
{
    static const struct row {
        uint32_t count;
        int64_t ago_ms, wait_ms;
    } rows[] = {
        {0, 0, 0},           {4, 0, 0},       {5, 0, 1000},     {5, 999, 1},
        {5, 1000, 0},        {6, 0, 2000},    {14, 0, 512000},  {15, 0, 900000},
        {15, 899999, 1},     {15, 900000, 0}, {100, 0, 900000}, {UINT32_MAX, 0, 900000},
        {UINT32_MAX, -1, 0}, /* by a clock that was ahead */
    };
    (void)state;

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct mark mark = {.count = rows[i].count, .at_ms = INT64_C(1800000000000)};

        assert_int_equal(guess_wait_ms(&mark, mark.at_ms + rows[i].ago_ms), rows[i].wait_ms);
    }
}

static void test_marks_differ(void **state)
{
    static const struct row {
        enum guess_kind kind;
        const char *whom;
        uint64_t account;
    } rows[] = {{GUESS_LOGIN, "web", 0},   {GUESS_LOGIN, "we", 0},   {GUESS_RENEWAL, "web", 0},
                {GUESS_CLIENT, "web", 0},  {GUESS_CLIENT, "web", 1}, {GUESS_CLIENT, "web", 12},
                {GUESS_CLIENT, "web1", 2}, {GUESS_CLIENT, "web", 21}};
    enum { ROWS = sizeof rows / sizeof *rows };
    struct world *w = *state;
    struct mark marks[ROWS];

    for (size_t i = 0; i < ROWS; i++) {
        assert_true(guess_mark(&w->secrets, rows[i].kind, text_of(rows[i].whom), rows[i].account,
                               &marks[i]));
        assert_int_equal(marks[i].kind, MARK_FAILURE);
        for (size_t j = 0; j < i; j++) {
            assert_memory_not_equal(marks[i].hash, marks[j].hash, MARK_HASH_SIZE);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {CASE(test_waits), CASE(test_marks_differ)};

    return cmocka_run_group_tests_name("operation/guess", tests, NULL, NULL);
}
