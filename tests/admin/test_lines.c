/* SPDX-License-Identifier: ISC */
/* test_lines.c: lines of a file, long ones, the last one, and their numbers. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "admin/lines.h"

struct sample {
    char path[64];
    FILE *file;
    struct lines lines;
};

static int set_up(void **state)
{
    struct sample *sample = calloc(1, sizeof *sample);
    int file;

    strcpy(sample->path, "/tmp/test_lines.XXXXXX");
    file = mkstemp(sample->path);
    assert_true(file >= 0);
    sample->file = fdopen(file, "w");
    *state = sample;
    return 0;
}

static int tear_down(void **state)
{
    struct sample *sample = *state;

    unlink(sample->path);
    free(sample);
    return 0;
}

/* Ends the writing and opens it for reading. */
static void begin(struct sample *sample)
{
    fclose(sample->file);
    assert_true(lines_open(&sample->lines, sample->path, NULL));
}

static void expect_line(struct lines *lines, uint64_t number, const char *expected)
{
    struct text line;

    assert_int_equal(lines_next(lines, &line, NULL), LINES_ONE);
    assert_true(text_is(line, expected));
    assert_int_equal(lines->number, number);
}

static void expect_end(struct sample *sample, uint64_t wrong)
{
    struct text line;

    assert_int_equal(lines_next(&sample->lines, &line, NULL), LINES_END);
    assert_int_equal(lines_next(&sample->lines, &line, NULL), LINES_END);
    assert_int_equal(sample->lines.wrong, wrong);
    lines_close(&sample->lines);
}

static void test_blank_lines_are_counted(void **state)
{
    struct sample *sample = *state;

    fputs("one\n\n  \t\r\n two \r\nlast", sample->file);
    begin(sample);
    expect_line(&sample->lines, 1, "one");
    expect_line(&sample->lines, 4, "two");
    expect_line(&sample->lines, 5, "last");
    expect_end(sample, 0);
}

static void test_empty_file(void **state)
{
    begin(*state);
    expect_end(*state, 0);
}

static void fill_with(FILE *file, char c, size_t size)
{
    for (size_t i = 0; i < size; i++) {
        fputc(c, file);
    }
}

/* Longer than the buffer, exactly as long as may be, one more, and one at the end of the file. */
static void test_long_lines(void **state)
{
    struct sample *sample = *state;
    struct text line;

    fill_with(sample->file, 'a', 20 * LINES_LINE_MAX);
    fputs("\nshort\n", sample->file);
    fill_with(sample->file, 'b', LINES_LINE_MAX);
    fputs("\n", sample->file);
    fill_with(sample->file, 'c', LINES_LINE_MAX + 1);
    fputs("\nafter\n", sample->file);
    fill_with(sample->file, 'd', 5 * LINES_LINE_MAX);
    begin(sample);
    expect_line(&sample->lines, 2, "short");
    assert_int_equal(lines_next(&sample->lines, &line, NULL), LINES_ONE);
    assert_int_equal(line.size, LINES_LINE_MAX);
    assert_int_equal(line.data[0], 'b');
    assert_int_equal(line.data[line.size - 1], 'b');
    expect_line(&sample->lines, 5, "after");
    expect_end(sample, 3);
}

/* More than fits the buffer at once, so that lines are cut anywhere by it. */
static void test_many_lines(void **state)
{
    struct sample *sample = *state;
    char expected[32];

    for (int i = 1; i <= 100000; i++) {
        fprintf(sample->file, "line %d\n", i);
    }
    begin(sample);
    for (uint64_t i = 1; i <= 100000; i++) {
        snprintf(expected, sizeof expected, "line %d", (int)i);
        expect_line(&sample->lines, i, expected);
    }
    expect_end(sample, 0);
}

static void test_no_such_file(void **state)
{
    struct lines lines;
    struct fault fault = {0};

    (void)state;
    assert_false(lines_open(&lines, "/nonexistent/file", &fault));
    assert_non_null(strstr(fault.text, "/nonexistent/file: No such file"));
    assert_true(lines_open(&lines, "/", NULL));
    assert_int_equal(lines_next(&lines, &(struct text){0}, &fault), LINES_FAULT);
    assert_non_null(strstr(fault.text, "/: Is a directory"));
    lines_close(&lines);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_blank_lines_are_counted, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_empty_file, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_long_lines, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_many_lines, set_up, tear_down),
        cmocka_unit_test(test_no_such_file),
    };
    return cmocka_run_group_tests_name("admin/lines", tests, NULL, NULL);
}
