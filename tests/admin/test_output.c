/* SPDX-License-Identifier: ISC */
/* test_output.c: times, sizes, tables, records and JSON, as people and scripts read them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "admin/output.h"
#include "base/clock.h"

static const int64_t now = INT64_C(1763636640) * CLOCK_SECOND; /* 2025-11-20T11:04:00Z */

static void test_spans(void **state)
{
    static const struct {
        int64_t ms;
        const char *text;
    } rows[] = {
        {0, "0 s"},
        {999, "0 s"},
        {CLOCK_SECOND, "1 s"},
        {119 * CLOCK_SECOND, "119 s"},
        {2 * CLOCK_MINUTE, "2 min"},
        {2 * CLOCK_HOUR - 1, "119 min"},
        {2 * CLOCK_HOUR, "2 h"},
        {2 * (int64_t)CLOCK_DAY - 1, "47 h"},
        {2 * (int64_t)CLOCK_DAY, "2 d"},
        {(int64_t)CLOCK_DAY * 3650, "3650 d"},
        {INT64_MAX, "106751991167 d"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char out[OUTPUT_TIME_SIZE];

        output_span(rows[i].ms, out);
        assert_string_equal(out, rows[i].text);
    }
}

static void test_relative(void **state)
{
    static const struct {
        int64_t away;
        const char *text;
    } rows[] = {
        {0, "now"},
        {999, "now"},
        {-999, "now"},
        {1000, "in 1 s"},
        {-1000, "1 s ago"},
        {-12 * CLOCK_SECOND, "12 s ago"},
        {29 * (int64_t)CLOCK_DAY + 5, "in 29 d"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char out[OUTPUT_TIME_SIZE];

        output_relative(now + rows[i].away, now, out);
        assert_string_equal(out, rows[i].text);
    }
}

static void test_times(void **state)
{
    static const struct {
        int64_t ms;
        const char *text;
    } rows[] = {
        {INT64_C(1763636640000), "2025-11-20T11:04:00Z"},
        {INT64_C(1763636640999), "2025-11-20T11:04:00Z"},
        {0, "1970-01-01T00:00:00Z"},
        {-1, "1969-12-31T23:59:59Z"},
        {INT64_C(253402300799000), "9999-12-31T23:59:59Z"},
    };
    char out[OUTPUT_TIME_SIZE];
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        output_time(rows[i].ms, out);
        assert_string_equal(out, rows[i].text);
    }
    output_time(INT64_MAX, out); /* whatever it says, it fits */
    assert_true(strlen(out) < sizeof out);
    output_time(INT64_MIN, out);
    assert_true(strlen(out) < sizeof out);
}

static void test_sizes(void **state)
{
    static const struct {
        int64_t bytes;
        const char *text;
    } rows[] = {
        {0, "0 B"},
        {1023, "1023 B"},
        {1024, "1 KiB"},
        {1536, "1.5 KiB"},
        {64 * 1024 * 1024, "64 MiB"},
        {INT64_C(1610612736), "1.5 GiB"},
        {INT64_C(1) << 50, "1024 TiB"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char out[OUTPUT_TIME_SIZE];

        output_size(rows[i].bytes, out);
        assert_string_equal(out, rows[i].text);
    }
}

/* ---- tables ---- */

static const struct column columns[] = {
    {"name", "name", COLUMN_TEXT, false},    {"number", "number", COLUMN_NUMBER, true},
    {"ok", "ok", COLUMN_FLAG, false},        {"roles", "roles", COLUMN_WORDS, false},
    {"claims", "claims", COLUMN_JSON, true}, {"at", "at", COLUMN_TIME, false},
};
enum { COLUMNS = sizeof columns / sizeof columns[0] };

struct printed {
    char *data;
    size_t size;
    FILE *stream;
    struct output output;
};

static void start(struct printed *printed, bool json)
{
    printed->stream = open_memstream(&printed->data, &printed->size);
    assert_non_null(printed->stream);
    assert_true(output_open(&printed->output, printed->stream, json, now));
}

static void expect(struct printed *printed, const char *text)
{
    assert_true(output_close(&printed->output));
    fclose(printed->stream);
    assert_string_equal(printed->data, text);
    free(printed->data);
}

static void two_rows(struct output *output)
{
    const struct cell ada[COLUMNS] = {CELL_TEXT(TEXT("ada")),
                                      CELL_NUMBER(7),
                                      CELL_NUMBER(1),
                                      CELL_TEXT(TEXT("user admin")),
                                      CELL_TEXT(TEXT("{\"x\":1}")),
                                      CELL_NUMBER(now - 12 * CLOCK_SECOND)};
    const struct cell rene[COLUMNS] = {CELL_TEXT(TEXT("renée")), CELL_NUMBER(8),
                                       CELL_NUMBER(0),           CELL_TEXT(TEXT("")),
                                       CELL_TEXT(TEXT("")),      CELL_NUMBER(0)};

    output_row(output, ada);
    output_row(output, rene);
}

static void test_table_for_people(void **state)
{
    struct printed printed;

    (void)state;
    start(&printed, false);
    output_table_start(&printed.output, columns, COLUMNS);
    two_rows(&printed.output);
    output_table_end(&printed.output, "none");
    expect(&printed, "name   ok   roles       at\n"
                     "ada    yes  user admin  2025-11-20T11:03:48Z, 12 s ago\n"
                     "renée  no   -           -\n");
}

static void test_table_for_scripts(void **state)
{
    struct printed printed;

    (void)state;
    start(&printed, true);
    output_table_start(&printed.output, columns, COLUMNS);
    two_rows(&printed.output);
    output_say(&printed.output, "nothing for scripts");
    output_table_end(&printed.output, "none");
    expect(&printed, "[{\"name\":\"ada\",\"number\":7,\"ok\":true,\"roles\":[\"user\",\"admin\"],"
                     "\"claims\":{\"x\":1},\"at\":\"2025-11-20T11:03:48Z\"},"
                     "{\"name\":\"renée\",\"number\":8,\"ok\":false,\"roles\":[],"
                     "\"claims\":null,\"at\":null}]\n");
}

static void test_empty_tables(void **state)
{
    struct printed printed;

    (void)state;
    start(&printed, false);
    output_table_start(&printed.output, columns, COLUMNS);
    output_table_end(&printed.output, "none");
    expect(&printed, "none\n");
    start(&printed, true);
    output_table_start(&printed.output, columns, COLUMNS);
    output_table_end(&printed.output, "none");
    expect(&printed, "[]\n");
}

/* More rows than a page and than the arena would hold at once: each stands there once. */
static void test_pages(void **state)
{
    enum { ROWS = 3 * OUTPUT_PAGE_ROWS + 1 };
    struct printed printed;
    (void)state;
    start(&printed, false);
    output_table_start(&printed.output, columns, COLUMNS);
    for (int i = 0; i < ROWS; i++) {
        const struct cell cells[COLUMNS] = {CELL_TEXT(TEXT("x"))};

        output_row(&printed.output, cells);
    }
    output_table_end(&printed.output, "none");
    assert_true(output_close(&printed.output));
    fclose(printed.stream);
    size_t lines = 0;
    for (size_t i = 0; i < printed.size; i++) {
        lines += printed.data[i] == '\n';
    }
    assert_int_equal(lines, ROWS + 1);
    free(printed.data);
}

static void test_record(void **state)
{
    static const struct column pair[] = {{"a", "a", COLUMN_TEXT, false},
                                         {"size", "size of it", COLUMN_SIZE, true}};
    const struct cell cells[] = {CELL_TEXT(TEXT("x\"y")), CELL_NUMBER(2048)};
    struct printed printed;

    (void)state;
    start(&printed, false);
    output_record(&printed.output, pair, 2, cells);
    expect(&printed, "a           x\"y\nsize of it  2 KiB\n");
    start(&printed, true);
    output_record(&printed.output, pair, 2, cells);
    expect(&printed, "{\"a\":\"x\\\"y\",\"size\":2048}\n");
}

/* A disk that is full under the output is told, not ignored. */
static void test_lost_output(void **state)
{
    struct output output;

    (void)state;
    FILE *full = fopen("/dev/full", "w");
    assert_non_null(full);
    assert_true(output_open(&output, full, false, now));
    output_say(&output, "lost");
    assert_false(output_close(&output));
    fclose(full);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_spans),
        cmocka_unit_test(test_relative),
        cmocka_unit_test(test_times),
        cmocka_unit_test(test_sizes),
        cmocka_unit_test(test_table_for_people),
        cmocka_unit_test(test_table_for_scripts),
        cmocka_unit_test(test_empty_tables),
        cmocka_unit_test(test_pages),
        cmocka_unit_test(test_record),
        cmocka_unit_test(test_lost_output),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
