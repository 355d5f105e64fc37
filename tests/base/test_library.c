/* SPDX-License-Identifier: ISC */
/* test_library.c: a library that is there, one that is not, and one that is too old. */
#include "base/library.h"

#include "base/expect.h"

struct table {
    int (*absolute)(int);
    int other;
};

static const struct library_symbol good[] = {{"abs", offsetof(struct table, absolute)}};
static const struct library_symbol newer[] = {
    {"abs", offsetof(struct table, absolute)},
    {"abs_of_tomorrow", offsetof(struct table, absolute)}};

static void test_load(void **state)
{
    static const struct library_file library = {"libc.so.6", "libc6", good, COUNT(good)};
    struct table table = {.other = 7};
    struct fault fault = {""};

    (void)state;
    assert_true(library_can_load());
    for (int i = 0; i < 2; i++) {
        assert_true(library_load(&library, &table, &fault));
        assert_int_equal(5, table.absolute(-5));
        assert_int_equal(7, table.other);
    }
    assert_string_equal("", fault.text);
}

static void test_missing(void **state)
{
    static const struct library_file absent = {"libabsent.so.1", "libabsent1", good, COUNT(good)};
    static const struct library_file old = {"libc.so.6", "libc6", newer, COUNT(newer)};
    struct table table = {NULL, 0};
    struct fault fault = {""};

    (void)state;
    assert_false(library_load(&absent, &table, &fault));
    assert_non_null(
        strstr(fault.text, "libabsent.so.1 is missing (on Debian: apt-get install libabsent1)"));
    assert_false(library_load(&old, &table, &fault));
    assert_string_equal("libc.so.6 is too old: it has no abs_of_tomorrow", fault.text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_load),
        cmocka_unit_test(test_missing),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
