/* SPDX-License-Identifier: ISC */
/* test_secret.c: equality of secrets is equality, and a wipe wipes. */
#include "base/expect.h"
#include "base/secret.h"

static void test_every_bit_counts(void **state)
{
    uint8_t a[32] = {0};
    uint8_t b[32] = {0};
    (void)state;

    assert_true(secret_equal(a, b, sizeof a));
    for (size_t bit = 0; bit < 8 * sizeof a; bit++) {
        b[bit / 8] ^= (uint8_t)(1U << bit % 8);
        assert_false(secret_equal(a, b, sizeof a));
        assert_true(secret_equal(a, b, bit / 8));
        b[bit / 8] = 0;
    }
    assert_true(secret_equal(NULL, NULL, 0));
}

static void test_texts(void **state)
{
    static const struct row {
        struct text a, b;
        bool equal;
    } rows[] = {
        {LITERAL("abc"), LITERAL("abc"), true},    {LITERAL("abc"), LITERAL("abd"), false},
        {LITERAL("abc"), LITERAL("ab"), false},    {LITERAL(""), {NULL, 0}, true},
        {LITERAL("a\0b"), LITERAL("a\0c"), false}, {LITERAL("a"), LITERAL("a\0"), false},
        {{NULL, 0}, LITERAL("\0"), false},
    };
    (void)state;

    for (size_t i = 0; i < COUNT(rows); i++) {
        assert_int_equal(secret_text_equal(rows[i].a, rows[i].b), rows[i].equal);
        assert_int_equal(secret_text_equal(rows[i].b, rows[i].a), rows[i].equal);
    }
}

static void test_wipe(void **state)
{
    char data[] = "0123456789";
    (void)state;

    secret_wipe(data + 2, 3);
    assert_memory_equal(data,
                        "01\0\0\0"
                        "56789",
                        sizeof data);
    secret_wipe(NULL, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_bit_counts),
        cmocka_unit_test(test_texts),
        cmocka_unit_test(test_wipe),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
