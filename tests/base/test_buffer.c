/* SPDX-License-Identifier: ISC */
/* test_buffer.c: what is written stands there, in every encoding, and the first failure is
 * remembered. */
#include "base/buffer.h"
#include "base/expect.h"

enum { LIMIT = 1 << 20 };

static int open_arena(void **state)
{
    *state = arena_open(LIMIT);
    return *state == NULL;
}

static int close_arena(void **state)
{
    arena_close(*state);
    return 0;
}

static void test_every_writer(void **state)
{
    struct buffer buffer;
    struct text t = {NULL, 0};

    buffer_start(&buffer, *state, 0);
    buffer_add(&buffer, TEXT("a\0b"));
    buffer_add(&buffer, (struct text){NULL, 0});
    buffer_add_c(&buffer, "[c]");
    buffer_add_c(&buffer, NULL);
    buffer_add_char(&buffer, '|');
    buffer_add_int(&buffer, INT64_MIN);
    buffer_add_int(&buffer, INT64_MAX);
    buffer_addf(&buffer, "<%s:%03d>", "x", 7);
    buffer_addf(&buffer, "%s", "");
    assert_true(buffer_finish(&buffer, &t));
    expect_same_text(t, TEXT("a\0b[c]|-92233720368547758089223372036854775807<x:007>"));
    assert_int_equal(t.data[t.size], '\0');
    expect_same_text(buffer_text(&buffer), t);
}

static void test_encodings(void **state)
{
    static const struct row {
        struct text in;
        const char *base64url, *base64;
    } rows[] = {
        {{NULL, 0}, "", ""},
        {LITERAL("f"), "Zg", "Zg=="}, /* RFC 4648 section 10 */
        {LITERAL("fo"), "Zm8", "Zm8="},
        {LITERAL("foo"), "Zm9v", "Zm9v"},
        {LITERAL("foobar"), "Zm9vYmFy", "Zm9vYmFy"},
        {LITERAL("\xfb\xff\xbf"), "-_-_", "+/+/"},
        {LITERAL("\0 +%:/~._-"), "ACArJTovfi5fLQ", "ACArJTovfi5fLQ=="},
        {LITERAL("\xc3\xa9"), "w6k", "w6k="},
    };
    struct buffer buffer;

    for (size_t i = 0; i < COUNT(rows); i++) {
        buffer_start(&buffer, *state, 3);
        buffer_add_c(&buffer, "-_"); /* what stood there before is not to be touched */
        buffer_add_base64url(&buffer, rows[i].in.data, rows[i].in.size);
        expect_text(text_from(buffer_text(&buffer), 2), rows[i].base64url);
        buffer_start(&buffer, *state, 3);
        buffer_add_c(&buffer, "-_");
        buffer_add_base64(&buffer, rows[i].in.data, rows[i].in.size);
        expect_text(text_cut(buffer_text(&buffer), 2), "-_");
        expect_text(text_from(buffer_text(&buffer), 2), rows[i].base64);
    }
}

static void test_grows(void **state)
{
    struct buffer buffer;
    struct text t = {NULL, 0};

    buffer_start(&buffer, *state, 1);
    for (int i = 0; i < 100000; i++) {
        buffer_add_char(&buffer, (char)('a' + i % 26));
    }
    assert_true(buffer_finish(&buffer, &t));
    assert_int_equal(t.size, 100000);
    for (size_t i = 0; i < t.size; i++) {
        assert_int_equal(t.data[i], 'a' + (int)(i % 26));
    }
    buffer_add(&buffer, t); /* a buffer may be added to itself */
    assert_true(buffer_finish(&buffer, &t));
    assert_int_equal(t.size, 200000);
    assert_memory_equal(t.data, t.data + 100000, 100000);
}

static void test_failure_is_remembered(void **state)
{
    struct arena *arena = arena_open(64);
    struct text t = TEXT("untouched");
    struct buffer buffer;
    (void)state;

    buffer_start(&buffer, arena, 10);
    buffer_add_c(&buffer, "0123456789");
    buffer_add(&buffer, (struct text){"", 0});
    assert_false(buffer.failed);
    char big[200] = {0};
    buffer_add(&buffer, (struct text){big, sizeof big});
    assert_true(buffer.failed);
    buffer_add_char(&buffer, 'x'); /* would fit, but the text has a hole now */
    buffer_addf(&buffer, "%d", 1);
    buffer_add_base64url(&buffer, "a", 1);
    buffer_add_base64(&buffer, "a", 1);
    expect_text(buffer_text(&buffer), "0123456789");
    assert_false(buffer_finish(&buffer, &t));
    expect_text(t, "untouched");
    arena_close(arena);
}

static void test_fails_from_the_start(void **state)
{
    struct arena *arena = arena_open(8);
    struct text t = TEXT("untouched");
    struct buffer buffer;
    (void)state;

    buffer_start(&buffer, arena, 8); /* 9 with the NUL */
    buffer_add_c(&buffer, "x");
    assert_false(buffer_finish(&buffer, &t));
    expect_text(buffer_text(&buffer), "");
    buffer_start(&buffer, arena, SIZE_MAX);
    assert_false(buffer_finish(&buffer, &t));
    expect_text(t, "untouched");
    arena_close(arena);
}

/* Where doubling is too much, just enough will do. */
static void test_uses_the_arena_up(void **state)
{
    struct arena *arena = arena_open(48);
    struct text t = {NULL, 0};
    struct buffer buffer;
    (void)state;

    buffer_start(&buffer, arena, 15);
    buffer_add_c(&buffer, "0123456789abcde");
    buffer_add_c(&buffer, "0123456789abcde!"); /* 31 and the NUL: the 32 bytes that are left */
    assert_true(buffer_finish(&buffer, &t));
    expect_text(t, "0123456789abcde0123456789abcde!");
    assert_int_equal(arena_used(arena), 48);
    buffer_add_char(&buffer, 'x');
    assert_false(buffer_finish(&buffer, &t));
    arena_close(arena);
}

static void test_absurd_sizes(void **state)
{
    struct buffer buffer;

    buffer_start(&buffer, *state, 4);
    buffer_add(&buffer, (struct text){"", SIZE_MAX});
    assert_true(buffer.failed);
    buffer_start(&buffer, *state, 4);
    buffer_add_base64url(&buffer, "", SIZE_MAX - 1);
    assert_true(buffer.failed);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_every_writer, open_arena, close_arena),
        cmocka_unit_test_setup_teardown(test_encodings, open_arena, close_arena),
        cmocka_unit_test_setup_teardown(test_grows, open_arena, close_arena),
        cmocka_unit_test(test_failure_is_remembered),
        cmocka_unit_test(test_fails_from_the_start),
        cmocka_unit_test(test_uses_the_arena_up),
        cmocka_unit_test_setup_teardown(test_absurd_sizes, open_arena, close_arena),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
