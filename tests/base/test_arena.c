/* SPDX-License-Identifier: ISC */
/* test_arena.c: the limit holds to the byte, what comes out is zeroed and aligned, and a reset
 * wipes it. */
#include <stdalign.h>
#include <stdlib.h>

#include "base/arena.h"
#include "base/expect.h"

static bool all_zero(const unsigned char *bytes, size_t size)
{
    for (size_t i = 0; i < size; i++) {
        if (bytes[i] != 0) {
            return false;
        }
    }
    return true;
}

static void test_limit_is_exact(void **state)
{
    static const size_t limits[] = {1, 15, 16, 17, 1000, 32767, 32768, 32769, 100001, 1 << 20};
    (void)state;

    for (size_t i = 0; i < COUNT(limits); i++) {
        struct arena *arena = arena_open(limits[i]);
        assert_non_null(arena);
        assert_null(arena_alloc(arena, limits[i] + 1));
        assert_int_equal(arena_used(arena), 0);
        void *all = arena_alloc(arena, limits[i]);
        assert_non_null(all);
        memset(all, 0xaa, limits[i]);
        assert_int_equal(arena_used(arena), limits[i]);
        assert_null(arena_alloc(arena, 1));
        assert_null(arena_alloc(arena, 0));
        arena_reset(arena);
        assert_int_equal(arena_used(arena), 0);
        assert_non_null(arena_alloc(arena, limits[i]));
        arena_close(arena);
    }
}

static void test_nothing_to_give(void **state)
{
    struct arena *arena = arena_open(0);
    struct text copy = TEXT("untouched");
    (void)state;

    assert_non_null(arena);
    assert_null(arena_alloc(arena, 0));
    assert_null(arena_alloc(arena, 1));
    assert_false(arena_copy(arena, TEXT(""), &copy));
    expect_text(copy, "untouched");
    arena_close(arena);
    arena_close(NULL);
}

static void test_absurd_sizes(void **state)
{
    struct arena *arena = arena_open(SIZE_MAX);
    struct text copy = TEXT("untouched");
    (void)state;

    assert_non_null(arena_alloc(arena, 1));
    assert_null(arena_alloc(arena, SIZE_MAX));
    assert_null(arena_alloc(arena, SIZE_MAX - 8));
    assert_null(arena_alloc(arena, SIZE_MAX - 40));
    assert_false(arena_copy(arena, (struct text){"x", SIZE_MAX}, &copy));
    assert_null(arena_c_string(arena, (struct text){"x", SIZE_MAX}));
    expect_text(copy, "untouched");
    assert_int_equal(arena_used(arena), alignof(max_align_t));
    assert_non_null(arena_alloc(arena, 1));
    arena_close(arena);
}

static void test_many_sizes(void **state)
{
    enum { LIMIT = 300000, MOST = 4000 };
    struct arena *arena = arena_open(LIMIT);
    unsigned char *given[MOST];
    size_t sizes[MOST];
    (void)state;

    for (int round = 0; round < 3; round++) {
        size_t count = 0;
        size_t total = 0;
        for (; count < MOST; count++) {
            size_t size = (count * 7919 + (size_t)round) % (count % 50 == 0 ? 40000 : 200);
            given[count] = arena_alloc(arena, size);
            if (given[count] == NULL) {
                break;
            }
            sizes[count] = size;
            total += size;
            assert_true((uintptr_t)given[count] % alignof(max_align_t) == 0);
            assert_true(all_zero(given[count], size));
            memset(given[count], (int)(count % 255) + 1, size);
            assert_true(arena_used(arena) <= LIMIT && arena_used(arena) >= total);
        }
        assert_true(count > 20 && count < MOST);
        for (size_t i = 0; i < count; i++) { /* nobody wrote into anybody else's */
            for (size_t k = 0; k < sizes[i]; k++) {
                assert_int_equal(given[i][k], i % 255 + 1);
            }
        }
        arena_reset(arena);
    }
    arena_close(arena);
}

static void test_reset_wipes(void **state)
{
    struct arena *arena = arena_open(1 << 20);
    (void)state;

    unsigned char *kept = arena_alloc(arena, 30000); /* in the first block, which a reset keeps */
    memset(kept, 0xaa, 30000);
    memset(arena_alloc(arena, 200000), 0xaa, 200000); /* in blocks that it gives back */
    memset(arena_alloc(arena, 50000), 0xaa, 50000);
    arena_reset(arena);
    assert_true(all_zero(kept, 30000));
    assert_ptr_equal(arena_alloc(arena, 1), kept);
    arena_close(arena);
}

static void test_shrinks_the_last(void **state)
{
    struct arena *arena = arena_open(1 << 20);
    size_t before;
    (void)state;

    char *first = arena_alloc(arena, 1000);
    char *second = arena_alloc(arena, 20001);
    before = arena_used(arena);
    arena_shrink(arena, first, 1000, 1); /* another one came after it */
    assert_int_equal(arena_used(arena), before);
    memset(second, 0xaa, 101);
    arena_shrink(arena, second, 20001, 101);
    assert_in_range(before - arena_used(arena), 20001 - 101 - 16, 20001 - 101 + 16);
    char *third = arena_alloc(arena, 20000);
    assert_true(third >= second + 101 && third < second + 101 + 16);
    assert_true(all_zero((unsigned char *)third, 20000));
    arena_shrink(arena, third, 20000, 20000);
    assert_int_equal(arena_used(arena), before - (20016 - 112) + 20000);
    arena_reset(arena);
    assert_true(all_zero((unsigned char *)second, 101));
    arena_close(arena);
}

static void test_copies(void **state)
{
    struct arena *arena = arena_open(48);
    struct text copy = {NULL, 0};
    (void)state;

    assert_true(arena_copy(arena, TEXT("a\0b"), &copy));
    expect_same_text(copy, TEXT("a\0b"));
    assert_int_equal(copy.data[3], '\0');
    assert_string_equal(arena_c_string(arena, (struct text){NULL, 0}), "");
    char *last = arena_c_string(arena, TEXT("123456789012345"));
    assert_string_equal(last, "123456789012345");
    assert_null(arena_c_string(arena, TEXT("")));
    assert_false(arena_copy(arena, TEXT("x"), &copy));
    expect_same_text(copy, TEXT("a\0b"));
    arena_close(arena);
    arena = arena_open(3);
    assert_false(arena_copy(arena, TEXT("abc"), &copy)); /* no room for its NUL */
    assert_true(arena_copy(arena, TEXT("ab"), &copy));
    arena_close(arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_limit_is_exact),   cmocka_unit_test(test_nothing_to_give),
        cmocka_unit_test(test_absurd_sizes),     cmocka_unit_test(test_many_sizes),
        cmocka_unit_test(test_reset_wipes),      cmocka_unit_test(test_copies),
        cmocka_unit_test(test_shrinks_the_last),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
