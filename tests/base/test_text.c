/* SPDX-License-Identifier: ISC */
/* test_text.c: every question of text.h at its edges. */
#include "base/expect.h"

static const struct text none = {NULL, 0};

static void test_equality_and_order(void **state)
{
    static const struct row {
        struct text a, b;
        int order;
        bool same_but_case;
    } rows[] = {
        {LITERAL(""), LITERAL(""), 0, true},
        {{NULL, 0}, LITERAL(""), 0, true},
        {LITERAL("a"), LITERAL(""), 1, false},
        {LITERAL("a"), LITERAL("ab"), -1, false},
        {LITERAL("b"), LITERAL("ab"), 1, false},
        {LITERAL("a\0b"), LITERAL("a\0c"), -1, false},
        {LITERAL("a\0b"), LITERAL("a"), 1, false},
        {LITERAL("A"), LITERAL("a"), -1, true},
        {LITERAL("\xff"), LITERAL("a"), 1, false},
        {LITERAL("Z["), LITERAL("z{"), -1, false}, /* one bit apart like A and a, but no letters */
        {LITERAL("@"), LITERAL("`"), -1, false},
        {LITERAL("\xc3\x89"), LITERAL("\xc3\xa9"), -1, false}, /* É, é: ASCII only */
    };
    (void)state;

    for (size_t i = 0; i < COUNT(rows); i++) {
        const struct row *row = &rows[i];
        int order = text_compare(row->a, row->b);
        int back = text_compare(row->b, row->a);
        assert_int_equal((order > 0) - (order < 0), row->order);
        assert_int_equal((back > 0) - (back < 0), -row->order);
        assert_int_equal(text_equal(row->a, row->b), row->order == 0);
        assert_int_equal(text_equal_ignore_case(row->a, row->b), row->same_but_case);
    }
    assert_true(text_is(TEXT("abc"), "abc"));
    assert_false(text_is(TEXT("abc"), "ab"));
    assert_false(text_is(TEXT("ab\0"), "ab"));
    assert_true(text_is(none, ""));
    assert_int_equal(text_of(NULL).size, 0);
}

static void test_starts_and_ends(void **state)
{
    (void)state;
    assert_true(text_starts(TEXT("abc"), TEXT("ab")));
    assert_true(text_starts(TEXT("abc"), TEXT("abc")));
    assert_true(text_starts(TEXT("abc"), none));
    assert_true(text_starts(none, none));
    assert_false(text_starts(TEXT("abc"), TEXT("abcd")));
    assert_false(text_starts(TEXT("abc"), TEXT("b")));
    assert_true(text_ends(TEXT("abc"), TEXT("bc")));
    assert_true(text_ends(TEXT("abc"), TEXT("abc")));
    assert_true(text_ends(TEXT("abc"), none));
    assert_true(text_ends(none, none));
    assert_false(text_ends(TEXT("abc"), TEXT("xabc")));
    assert_false(text_ends(TEXT("abc"), TEXT("ab")));
}

static void test_parts(void **state)
{
    (void)state;
    assert_int_equal(text_find(TEXT("abcb"), 'b'), 1);
    assert_int_equal(text_find(TEXT("abc"), 'x'), 3);
    assert_int_equal(text_find(none, 'x'), 0);
    assert_int_equal(text_find(TEXT("a\0b"), '\0'), 1);
    expect_text(text_from(TEXT("abc"), 1), "bc");
    expect_text(text_from(TEXT("abc"), 3), "");
    expect_text(text_from(TEXT("abc"), SIZE_MAX), "");
    expect_text(text_cut(TEXT("abc"), 2), "ab");
    expect_text(text_cut(TEXT("abc"), SIZE_MAX), "abc");
    expect_text(text_cut(none, 5), "");
    expect_text(text_trim(TEXT(" \t a b\t ")), "a b");
    expect_text(text_trim(TEXT(" \t ")), "");
    expect_text(text_trim(TEXT("\na\r")), "\na\r");
    expect_text(text_trim(none), "");
    expect_text(text_strip(TEXT("\r\n\v\f\t a\r\nb \r\n")), "a\r\nb");
    expect_text(text_strip(TEXT("\n")), "");
    expect_text(text_strip(TEXT("\b\x0e")), "\b\x0e");
    expect_text(text_strip(none), "");
}

static void test_split(void **state)
{
    struct text rest = TEXT("a,,b,");
    (void)state;

    expect_text(text_split(&rest, ','), "a");
    expect_text(text_split(&rest, ','), "");
    expect_text(text_split(&rest, ','), "b");
    expect_text(rest, "");
    expect_text(text_split(&rest, ','), "");
    rest = TEXT("whole");
    expect_text(text_split(&rest, ','), "whole");
    expect_text(rest, "");
    rest = none;
    expect_text(text_split(&rest, ','), "");
}

static void test_word(void **state)
{
    struct text rest = TEXT(" \tone  two\r\nthree\v");
    (void)state;

    expect_text(text_word(&rest), "one");
    expect_text(text_word(&rest), "two");
    expect_text(text_word(&rest), "three");
    expect_text(text_word(&rest), "");
    expect_text(rest, "");
    rest = TEXT(" \n");
    expect_text(text_word(&rest), "");
}

static void test_has_word(void **state)
{
    static const struct row {
        const char *list, *word;
        bool has;
    } rows[] = {
        {"read write", "read", true},  {"read write", "write", true}, {"read write", "rea", false},
        {"read write", "rite", false}, {"read  write", "", false},    {"", "", false},
        {"", "read", false},           {"read", "read", true},        {" read ", "read", true},
        {"read write", "Read", false}, {"read\twrite", "read", true}, {"a b c", "a b", false},
    };
    (void)state;

    for (size_t i = 0; i < COUNT(rows); i++) {
        assert_int_equal(text_has_word(text_of(rows[i].list), text_of(rows[i].word)), rows[i].has);
    }
}

static void test_to_u64(void **state)
{
    static const struct row {
        struct text text;
        uint64_t max;
        bool good;
        uint64_t value;
    } rows[] = {
        {LITERAL("0"), 0, true, 0},
        {LITERAL("1"), 0, false, 0},
        {LITERAL("00"), 0, true, 0},
        {LITERAL("007"), 7, true, 7},
        {LITERAL("255"), 255, true, 255},
        {LITERAL("256"), 255, false, 0},
        {LITERAL("18446744073709551615"), UINT64_MAX, true, UINT64_MAX},
        {LITERAL("18446744073709551616"), UINT64_MAX, false, 0},
        {LITERAL("99999999999999999999"), UINT64_MAX, false, 0},
        {LITERAL("184467440737095516150"), UINT64_MAX, false, 0},
        {LITERAL("2147483647"), INT32_MAX, true, INT32_MAX},
        {LITERAL("2147483648"), INT32_MAX, false, 0},
        {{NULL, 0}, UINT64_MAX, false, 0},
        {LITERAL("-1"), UINT64_MAX, false, 0},
        {LITERAL("+1"), UINT64_MAX, false, 0},
        {LITERAL(" 1"), UINT64_MAX, false, 0},
        {LITERAL("1 "), UINT64_MAX, false, 0},
        {LITERAL("1\0"), UINT64_MAX, false, 0},
        {LITERAL("1\n"), UINT64_MAX, false, 0},
        {LITERAL("0x1"), UINT64_MAX, false, 0},
        {LITERAL("1e3"), UINT64_MAX, false, 0},
        {LITERAL("1,5"), UINT64_MAX, false, 0},
        {LITERAL("\xd9\xa3"), UINT64_MAX, false, 0}, /* an Arabic-Indic three */
    };
    (void)state;

    for (size_t i = 0; i < COUNT(rows); i++) {
        uint64_t value = 4711;
        assert_int_equal(text_to_u64(rows[i].text, rows[i].max, &value), rows[i].good);
        assert_true(value == (rows[i].good ? rows[i].value : 4711));
    }
}

static void test_utf8_table(void **state)
{
    static const struct row {
        struct text text;
        bool good;
    } rows[] = {
        {{NULL, 0}, true},
        {LITERAL("abc\0def"), true},
        {LITERAL("\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80"), true},
        {LITERAL("\xc0\x80"), false},                 /* overlong NUL */
        {LITERAL("\xc0\xaf"), false},                 /* overlong / */
        {LITERAL("\xc1\xbf"), false},                 /* overlong DEL */
        {LITERAL("\xe0\x80\xaf"), false},             /* overlong / in three */
        {LITERAL("\xe0\x9f\xbf"), false},             /* overlong U+07FF */
        {LITERAL("\xf0\x80\x80\xaf"), false},         /* overlong / in four */
        {LITERAL("\xf0\x8f\xbf\xbf"), false},         /* overlong U+FFFF */
        {LITERAL("\xed\xa0\x80"), false},             /* U+D800 */
        {LITERAL("\xed\xbf\xbf"), false},             /* U+DFFF */
        {LITERAL("\xed\xa0\xbd\xed\xb8\x80"), false}, /* CESU-8 pair */
        {LITERAL("\xf4\x90\x80\x80"), false},         /* U+110000 */
        {LITERAL("\xf5\x80\x80\x80"), false},
        {LITERAL("\xfe"), false},
        {LITERAL("\xff"), false},
        {LITERAL("\x80"), false},
        {LITERAL("a\xbf"), false},
        {LITERAL("\xc3"), false},
        {LITERAL("\xc3\x28"), false},
        {LITERAL("\xe2\x82"), false},
        {LITERAL("\xe2\x28\xa1"), false},
        {LITERAL("\xe2\x82\x28"), false},
        {LITERAL("\xf0\x9f\x98"), false},
        {LITERAL("\xf0\x9f\x98\x28"), false},
        {LITERAL("\xc3\xa9\xa9"), false},
    };
    (void)state;

    for (size_t i = 0; i < COUNT(rows); i++) {
        if (text_is_utf8(rows[i].text) != rows[i].good) {
            fail_msg("row %zu", i);
        }
    }
}

static size_t encode(uint32_t point, char out[4])
{
    if (point < 0x80) {
        out[0] = (char)point;
        return 1;
    }
    size_t size = point < 0x800 ? 2 : point < 0x10000 ? 3 : 4;
    for (size_t i = size - 1; i > 0; i--, point >>= 6) {
        out[i] = (char)(0x80 | (point & 0x3f));
    }
    out[0] = (char)((0xf00U >> size & 0xff) | point);
    return size;
}

static void test_utf8_every_point(void **state)
{
    (void)state;
    for (uint32_t point = 0; point < 0x120000; point++) {
        char bytes[4];
        struct text t = {bytes, encode(point, bytes)};
        uint32_t decoded = 0xdead;
        bool good = point <= 0x10ffff && !(point >= 0xd800 && point <= 0xdfff);
        if (text_utf8_first(t, &decoded) != (good ? t.size : 0) || text_is_utf8(t) != good ||
            (good && decoded != point)) {
            fail_msg("U+%04X", (unsigned)point);
        }
    }
}

/* Exactly as many two- and three-byte strings are UTF-8 as there are ways to write them. */
static void test_utf8_exhaustive(void **state)
{
    size_t two = 0;
    size_t three = 0;
    (void)state;

    for (uint32_t bits = 0; bits < 1U << 24; bits++) {
        char bytes[3] = {(char)(bits >> 16), (char)(bits >> 8), (char)bits};
        three += text_is_utf8((struct text){bytes, 3});
        two += bits < 1U << 16 && text_is_utf8((struct text){bytes + 1, 2});
    }
    assert_int_equal(two, 128 * 128 + 1920);
    assert_int_equal(three, 128 * 128 * 128 + 2 * 128 * 1920 + (63488 - 2048));
}

static void test_byte_classes(void **state)
{
    (void)state;
    for (int byte = 0; byte < 256; byte++) {
        char c = (char)byte;
        assert_int_equal(text_has_control((struct text){&c, 1}), byte < 0x20 || byte == 0x7f);
        assert_int_equal(text_is_visible_ascii((struct text){&c, 1}), byte > 0x20 && byte < 0x7f);
    }
    assert_false(text_has_control(none));
    assert_false(text_is_visible_ascii(none));
    assert_true(text_has_control(TEXT("ab\0")));
    assert_true(text_is_printable(none) && text_is_printable(TEXT("a\tb \xc3\xa9 \xc2\xa0")));
    assert_false(text_is_printable(TEXT("ab\0")) || text_is_printable(TEXT("ab\x1b[2J")));
    assert_false(text_is_printable(TEXT("ab\n")) || text_is_printable(TEXT("ab\x7f")));
    assert_false(text_is_printable(TEXT("ab\xc2\x9b")) || text_is_printable(TEXT("ab\xc2\x80")));
    assert_false(text_is_printable(TEXT("ab\x9b")) || text_is_printable(TEXT("ab\xc3")));
    assert_false(text_is_visible_ascii(TEXT("a b")));
}

/* Every byte in every place of texts longer than two words. */
static void test_plain_run(void **state)
{
    enum { SIZE = 19 };
    static const char *const buts[] = {"", " ", "\"\\/", "~"};
    char text[SIZE];

    (void)state;
    for (size_t b = 0; b < sizeof buts / sizeof buts[0]; b++) {
        for (size_t at = 0; at < SIZE; at++) {
            for (unsigned byte = 0; byte < 256; byte++) {
                bool plain = byte >= 0x20 && byte < 0x7f && strchr(buts[b], (int)byte) == NULL;
                memset(text, 'a', SIZE);
                text[at] = (char)byte;
                assert_int_equal(text_plain_run((struct text){text, SIZE}, buts[b]),
                                 plain ? SIZE : at);
                assert_int_equal(text_plain_run((struct text){text, at}, buts[b]), at);
            }
        }
    }
    assert_int_equal(text_plain_run((struct text){0}, ""), 0);
    /* neighbours of what stops a run do not hide it */
    assert_int_equal(text_plain_run(TEXT("abc\x1f \x7f!\"#abcdef"), ""), 3);
    assert_int_equal(text_plain_run(TEXT("abc !\"#[\\]./0"), "\"\\/"), 5);
}

static void test_copy(void **state)
{
    char field[4];
    (void)state;

    assert_true(text_copy(TEXT("abc"), field, sizeof field));
    assert_string_equal(field, "abc");
    assert_false(text_copy(TEXT("abcd"), field, sizeof field));
    assert_string_equal(field, "");
    assert_true(text_copy(none, field, sizeof field));
    assert_string_equal(field, "");
    memcpy(field, "xyz", sizeof field);
    assert_false(text_copy(TEXT("a\0b"), field, sizeof field));
    assert_string_equal(field, "");
    assert_true(text_copy(none, field, 1));
    assert_false(text_copy(TEXT("a"), field, 1));
    assert_false(text_copy(none, field, 0));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_equality_and_order),
        cmocka_unit_test(test_starts_and_ends),
        cmocka_unit_test(test_parts),
        cmocka_unit_test(test_split),
        cmocka_unit_test(test_word),
        cmocka_unit_test(test_has_word),
        cmocka_unit_test(test_to_u64),
        cmocka_unit_test(test_utf8_table),
        cmocka_unit_test(test_utf8_every_point),
        cmocka_unit_test(test_utf8_exhaustive),
        cmocka_unit_test(test_byte_classes),
        cmocka_unit_test(test_plain_run),
        cmocka_unit_test(test_copy),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
