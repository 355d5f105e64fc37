/* SPDX-License-Identifier: ISC */
/* test_secret.c: equality of secrets is equality, and a wipe wipes. */
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>

#include "base/expect.h"
#include "base/sanitized.h"
#include "base/secret.h"
#include "base/valgrind.h"

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

/* Is the page of that address locked and left out of core files? (proc(5), VmFlags) */
static bool is_kept(const void *address)
{
    FILE *maps = fopen("/proc/self/smaps", "r");
    char line[512];
    bool inside = false;
    bool kept = false;

    assert_non_null(maps);
    while (fgets(line, sizeof line, maps) != NULL) {
        unsigned long start;
        unsigned long end;

        if (sscanf(line, "%lx-%lx ", &start, &end) == 2) {
            inside = start <= (uintptr_t)address && (uintptr_t)address < end;
        } else if (inside && strncmp(line, "VmFlags:", 8) == 0) {
            kept = strstr(line, " lo") != NULL && strstr(line, " dd") != NULL;
        }
    }
    fclose(maps);
    return kept;
}

static void test_keep(void **state)
{
    struct rlimit limit;
    char *data = calloc(3, 4096);
    (void)state;

    assert_non_null(data);
    assert_int_equal(getrlimit(RLIMIT_MEMLOCK, &limit), 0);
    if (limit.rlim_cur < 64 * 1024 || is_under_valgrind()) {
        free(data);
        skip();
    }
    memcpy(data + 5000, "kept", 4);
    secret_keep(data + 5000, 4);
    assert_memory_equal(data + 5000, "kept", 4);
    assert_true(is_sanitized() || is_kept(data + 5000)); /* a sanitizer's mlock does nothing */
    free(data);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_bit_counts),
        cmocka_unit_test(test_texts),
        cmocka_unit_test(test_wipe),
        cmocka_unit_test(test_keep),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
