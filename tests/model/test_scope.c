/* SPDX-License-Identifier: ISC */
/* test_scope.c: one form for every spelling, and never a word that was not granted. */
#include "base/expect.h"
#include "model/scope.h"

static void test_canonical(void **state)
{
    static const struct row {
        const char *words, *scope; /* NULL: not well-formed */
    } rows[] = {
        {"", ""},
        {" \r\n", ""},
        {"read", "read"},
        {"write read", "write read"},
        {"  read\t write\r\n", "read write"},
        {"read write read read", "read write"},
        {"rea read re", "rea read re"},
        {"*/write", "*/write"},
        {"a\"b", NULL},
        {"a\\b", NULL},
        {"caf\xc3\xa9", NULL},
        {"a\x01", NULL},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        char out[64];
        struct text scope;

        assert_int_equal(scope_canonical(text_of(rows[i].words), out, &scope),
                         rows[i].scope != NULL);
        if (rows[i].scope != NULL) {
            expect_text(scope, rows[i].scope);
        }
    }
}

static void test_within(void **state)
{
    static const struct row {
        const char *granted, *asked, *scope; /* NULL: goes beyond */
    } rows[] = {
        {"read write", "write", "write"},
        {"read write", "write read", "read write"},
        {"read write", " read  write ", "read write"},
        {"read write", "read read\nread", "read"},
        {"read write", "", ""},
        {"read write", "read admin", NULL},
        {"read write", "rea", NULL},
        {"read write", "read,write", NULL},
        {"", "read", NULL},
        {"", " ", ""},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct text granted = text_of(rows[i].granted);
        struct text asked = text_of(rows[i].asked);
        char out[64];

        assert_int_equal(scope_covers(granted, asked), rows[i].scope != NULL);
        if (rows[i].scope != NULL) {
            expect_text(scope_common(granted, asked, out), rows[i].scope);
        }
    }
}

/* Ten thousand times a word is that word: an answer never grows with the question. */
static void test_repeated_without_end(void **state)
{
    static char asked[5 * 10000];
    char out[16];

    (void)state;
    for (size_t i = 0; i < sizeof asked; i += 5) {
        memcpy(asked + i, "read ", 5);
    }
    assert_true(scope_covers(TEXT("read write"), (struct text){asked, sizeof asked}));
    expect_text(scope_common(TEXT("read write"), (struct text){asked, sizeof asked}, out), "read");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_canonical),
        cmocka_unit_test(test_within),
        cmocka_unit_test(test_repeated_without_end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
