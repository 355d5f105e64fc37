/* SPDX-License-Identifier: ISC */
/* test_prompt.c: secrets from files: line ends, sizes at the bound, what is no line. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "admin/prompt.h"

enum { ROOM = 8 }; /* 7 bytes and a NUL */

static char path[] = "/tmp/retoken-test-ask-XXXXXX";

static int set_up(void **state)
{
    (void)state;
    int fd = mkstemp(path);
    return fd < 0 ? -1 : close(fd);
}

static int tear_down(void **state)
{
    (void)state;
    return unlink(path);
}

static void write_file(const char *data, size_t size)
{
    FILE *file = fopen(path, "w");

    assert_non_null(file);
    assert_int_equal(fwrite(data, 1, size, file), size);
    fclose(file);
}

static void test_lines(void **state)
{
    static const struct {
        const char *data;
        size_t size;
        const char *line; /* NULL: refused */
    } rows[] = {
        {"secret\n", 7, "secret"}, {"secret", 6, "secret"}, {"s\r\nx\n", 5, "s"},
        {"seven77", 7, "seven77"}, {"a b\n", 4, "a b"},     {"", 0, NULL},
        {"\nx\n", 3, NULL},        {"a\0b\n", 4, NULL},     {"eight888\n", 9, NULL},
        {" \n", 2, " "},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char out[ROOM];
        size_t size = 99;
        struct fault fault = {0};

        write_file(rows[i].data, rows[i].size);
        bool got = prompt_line(path, out, sizeof out, &size, &fault);
        assert_int_equal(got, rows[i].line != NULL);
        if (got) {
            assert_string_equal(out, rows[i].line);
            assert_int_equal(size, strlen(rows[i].line));
        } else {
            assert_non_null(strstr(fault.text, path));
        }
    }
}

static void test_files(void **state)
{
    char out[ROOM];
    size_t size;
    struct fault fault = {0};

    (void)state;
    write_file("a\0b\nc\n", 6);
    assert_true(prompt_file(path, out, sizeof out, &size, &fault));
    assert_int_equal(size, 6);
    assert_memory_equal(out, "a\0b\nc\n", 7);
    write_file("1234567", 7);
    assert_true(prompt_file(path, out, sizeof out, &size, &fault));
    write_file("12345678", 8);
    assert_false(prompt_file(path, out, sizeof out, &size, &fault));
    assert_non_null(strstr(fault.text, "7 bytes"));
    assert_int_equal(out[0], 0); /* what was read is wiped */
    assert_false(prompt_file("/nonexistent/x", out, sizeof out, &size, &fault));
    assert_non_null(strstr(fault.text, "/nonexistent/x"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_lines),
        cmocka_unit_test(test_files),
    };

    return cmocka_run_group_tests(tests, set_up, tear_down);
}
