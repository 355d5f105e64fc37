/* SPDX-License-Identifier: ISC */
/* test_form.c: every byte in every spelling, and what counts as absent, one or repeated. */
#include <stdio.h>

#include "base/buffer.h"
#include "base/expect.h"
#include "base/form.h"

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

enum spelling { RAW, PERCENT_UPPER, PERCENT_LOWER };

static struct text spell(int byte, enum spelling spelling, char out[4])
{
    if (spelling == RAW) {
        out[0] = (char)byte;
        return (struct text){out, 1};
    }
    snprintf(out, 4, spelling == PERCENT_UPPER ? "%%%02X" : "%%%02x", (unsigned)byte);
    return (struct text){out, 3};
}

/* What a byte alone is worth: the byte that it decodes to, or -1. */
static int worth(int byte, enum spelling spelling, bool in_value)
{
    bool control = byte < 0x20 || byte == 0x7f;
    bool line_break = byte == '\t' || byte == '\r' || byte == '\n';

    if (byte >= 0x80 || (control && !(line_break && in_value))) {
        return -1; /* a byte above 0x7f alone is no UTF-8 */
    } else if (spelling == RAW && byte == '%') {
        return -1;
    } else if (spelling == RAW && byte == '+') {
        return ' ';
    }
    return byte;
}

/* "a<byte>b=v" and "n=a<byte>b" */
static void try_byte(struct arena *arena, int byte, enum spelling spelling, bool in_value)
{
    char spelled[4], encoded[16];
    struct text t = spell(byte, spelling, spelled);
    int expected = worth(byte, spelling, in_value);
    struct form form = {NULL, 0};
    size_t size = 0;

    for (const char *c = in_value ? "n=a*b" : "a*b=v"; *c != '\0'; c++) {
        if (*c == '*') {
            memcpy(encoded + size, t.data, t.size);
            size += t.size;
        } else {
            encoded[size++] = *c;
        }
    }
    assert_int_equal(form_parse(arena, (struct text){encoded, size}, &form), FORM_OK);
    if (expected >= 0) {
        char wanted[3] = {'a', (char)expected, 'b'};
        assert_int_equal(form.count, 1);
        assert_false(form.fields[0].bad);
        expect_same_text(in_value ? form.fields[0].value : form.fields[0].name,
                         ((struct text){wanted, sizeof wanted}));
        expect_text(in_value ? form.fields[0].name : form.fields[0].value, in_value ? "n" : "v");
    } else if (in_value) {
        assert_true(form.count == 1 && form.fields[0].bad);
        expect_text(form.fields[0].value, ""); /* nothing half-decoded comes out */
    } else {
        assert_int_equal(form.count, 0);
    }
}

static void test_every_byte_in_every_spelling(void **state)
{
    for (int byte = 0; byte < 256; byte++) {
        for (enum spelling spelling = RAW; spelling <= PERCENT_LOWER; spelling++) {
            bool separates = spelling == RAW && (byte == '&' || byte == '=');
            if (!separates) {
                try_byte(*state, byte, spelling, true);
                try_byte(*state, byte, spelling, false);
            }
        }
        arena_reset(*state);
    }
}

static void test_separators(void **state)
{
    static const struct row {
        const char *encoded;
        size_t count;
        const char *name, *value; /* of the last field */
    } rows[] = {
        {"", 0, "", ""},
        {"&", 0, "", ""},
        {"&&&", 0, "", ""},
        {"a", 1, "a", ""},
        {"a=", 1, "a", ""},
        {"=", 1, "", ""},
        {"=b", 1, "", "b"},
        {"a=b=c", 1, "a", "b=c"},
        {"a==", 1, "a", "="},
        {"&a=b&&c=d&", 2, "c", "d"},
        {"a=1;b=2", 1, "a", "1;b=2"},
        {"a%3Db=c", 1, "a=b", "c"},
        {"a=%26b", 1, "a", "&b"},
        {"+=+", 1, " ", " "},
        {"a=%2B", 1, "a", "+"},
        {"a=%2525", 1, "a", "%25"},
        /* white space that is not encoded is a file's or an editor's */
        {"a=b\r\n", 1, "a", "b"},
        {"\t a \n= b \v\f", 1, "a", "b"},
        {"a=b&\r\n c=d", 2, "c", "d"},
        {"a=b&\r\n", 2, "", ""},
        {"a=%20b%0a", 1, "a", " b\n"},
        {"a=b c", 1, "a", "b c"},
    };

    for (size_t i = 0; i < COUNT(rows); i++) {
        struct form form;
        assert_int_equal(form_parse(*state, text_of(rows[i].encoded), &form), FORM_OK);
        assert_int_equal(form.count, rows[i].count);
        if (form.count > 0) {
            expect_text(form.fields[form.count - 1].name, rows[i].name);
            expect_text(form.fields[form.count - 1].value, rows[i].value);
        }
    }
}

/* What cannot be decoded harms who asks for it, and no one else. */
static void test_bad(void **state)
{
    static const struct text values[] = {
        LITERAL("a=%"),
        LITERAL("a=%4"),
        LITERAL("a=%zz"),
        LITERAL("a=%4z"),
        LITERAL("a=%z4"),
        LITERAL("a=%%41"),
        LITERAL("a=%u0041"),
        LITERAL("a=% 41"),
        LITERAL("a=%+4"),
        LITERAL("a=%-1"),
        LITERAL("a=%0x"),
        LITERAL("a=%00"),
        LITERAL("a=\0"),
        LITERAL("a=%C0%AF"),
        LITERAL("a=%c0%80"),
        LITERAL("a=%E0%80%AF"),
        LITERAL("a=%ED%A0%80"),
        LITERAL("a=%ED%BF%BF"),
        LITERAL("a=%F4%90%80%80"),
        LITERAL("a=%C3"),
        LITERAL("a=\xed\xa0\x80"),
        LITERAL("a=\xff"),
        LITERAL("a=%7f"),
        LITERAL("a=%1b[31m"),
    };
    static const char *const names[] = {"%00=a", "%=a", "%C3=a", "a%0a=1", "a\tb=1", "a%zz=%zz"};
    struct text decoded = TEXT("untouched");
    struct text value;
    struct form form;

    for (size_t i = 0; i < COUNT(values); i++) {
        struct buffer buffer;

        buffer_start(&buffer, *state, 64);
        buffer_add_c(&buffer, "b=1&");
        buffer_add(&buffer, values[i]);
        buffer_add_c(&buffer, "&c=3");
        assert_int_equal(form_parse(*state, buffer_text(&buffer), &form), FORM_OK);
        if (form_get(&form, "a", &value) != FORM_BAD ||
            form_get_even_empty(&form, "a", &value) != FORM_BAD) {
            fail_msg("\"%.*s\" was taken", TEXT_ARGS(values[i]));
        }
        expect_text(value, "");
        assert_int_equal(form_get(&form, "b", &value), FORM_ONE);
        assert_int_equal(form_get(&form, "c", &value), FORM_ONE);
        expect_text(value, "3");
        assert_false(form_decode(*state, text_from(values[i], 2), &decoded));
        expect_text(decoded, "untouched");
    }
    for (size_t i = 0; i < COUNT(names); i++) {
        assert_int_equal(form_parse(*state, text_of(names[i]), &form), FORM_OK);
        assert_int_equal(form.count, 0);
    }
    assert_int_equal(form_parse(*state, TEXT("a=%&a=1"), &form), FORM_OK);
    assert_int_equal(form_get(&form, "a", &value), FORM_REPEATED);
}

/* What may be repeated is taken one by one, and the empty ones are omitted. */
static void test_next(void **state)
{
    struct form form;
    struct text value;
    size_t at = 0;

    assert_int_equal(form_parse(*state, TEXT("a=1&b=2&a=&a=3&a=%"), &form), FORM_OK);
    assert_int_equal(form_next(&form, "a", &at, &value), FORM_ONE);
    expect_text(value, "1");
    assert_int_equal(form_next(&form, "a", &at, &value), FORM_ONE);
    expect_text(value, "3");
    assert_int_equal(form_next(&form, "a", &at, &value), FORM_BAD);
    assert_int_equal(form_next(&form, "a", &at, &value), FORM_ABSENT);
    at = 0;
    assert_int_equal(form_next(&form, "c", &at, &value), FORM_ABSENT);
}

static void test_utf8_passes(void **state)
{
    struct form form;
    struct text decoded;

    assert_int_equal(form_parse(*state, TEXT("n%C3%A9=%e2%82%ac\xf0\x9f\x98\x80"), &form), FORM_OK);
    expect_text(form.fields[0].name, "n\xc3\xa9");
    expect_text(form.fields[0].value, "\xe2\x82\xac\xf0\x9f\x98\x80");
    assert_true(form_decode(*state, TEXT("a+b%2Bc&=d%0D%0A"), &decoded));
    expect_text(decoded, "a b+c&=d\r\n");
    assert_true(form_decode(*state, (struct text){NULL, 0}, &decoded));
    assert_int_equal(decoded.size, 0);
}

static void test_field_limit(void **state)
{
    char encoded[4 * FORM_FIELDS_MAX + 8] = "";
    struct form form;

    for (size_t i = 0; i < FORM_FIELDS_MAX; i++) {
        memcpy(encoded + 4 * i, "a=b&", 4);
    }
    size_t size = 4 * FORM_FIELDS_MAX;
    assert_int_equal(form_parse(*state, (struct text){encoded, size}, &form), FORM_OK);
    assert_int_equal(form.count, FORM_FIELDS_MAX);
    encoded[size] = 'x';
    assert_int_equal(form_parse(*state, (struct text){encoded, size + 1}, &form), FORM_MALFORMED);
}

static void test_get(void **state)
{
    static const struct row {
        const char *encoded;
        enum form_find get, even_empty;
        const char *value;
    } rows[] = {
        {"", FORM_ABSENT, FORM_ABSENT, ""},
        {"b=1", FORM_ABSENT, FORM_ABSENT, ""},
        {"A=1", FORM_ABSENT, FORM_ABSENT, ""},
        {"a", FORM_ABSENT, FORM_ONE, ""},
        {"a=", FORM_ABSENT, FORM_ONE, ""},
        {"a=1", FORM_ONE, FORM_ONE, "1"},
        {"b=2&%61=1&c=3", FORM_ONE, FORM_ONE, "1"},
        {"a=1&a=1", FORM_REPEATED, FORM_REPEATED, "1"},
        {"a=1&b=2&a=2", FORM_REPEATED, FORM_REPEATED, "1"},
        {"a=1&%61=2", FORM_REPEATED, FORM_REPEATED, "1"},
        /* RFC 6749 section 3.1: the one without a value was never sent */
        {"a=&a=1", FORM_ONE, FORM_REPEATED, "1"},
        {"a=1&a=", FORM_ONE, FORM_REPEATED, "1"},
        {"a=&a=", FORM_ABSENT, FORM_REPEATED, ""},
        {"a=+", FORM_ONE, FORM_ONE, " "},
    };

    for (size_t i = 0; i < COUNT(rows); i++) {
        struct form form;
        struct text value = TEXT("untouched");
        assert_int_equal(form_parse(*state, text_of(rows[i].encoded), &form), FORM_OK);
        assert_int_equal(form_get(&form, "a", &value), rows[i].get);
        if (rows[i].get == FORM_ONE) {
            expect_text(value, rows[i].value);
        } else if (rows[i].get == FORM_ABSENT) {
            expect_text(value, "untouched");
        }
        assert_int_equal(form_get_even_empty(&form, "a", &value), rows[i].even_empty);
        if (rows[i].even_empty == FORM_ONE) {
            expect_text(value, rows[i].value);
        }
    }
}

/* The arena may end at any point: never malformed for that, never half a form. */
static void test_arena_runs_out(void **state)
{
    enum form_result result = FORM_NO_MEMORY;
    (void)state;

    for (size_t limit = 0; limit < 400; limit++) {
        struct arena *arena = arena_open(limit);
        struct form form = {NULL, 0};
        enum form_result before = result;
        result = form_parse(arena, TEXT("grant_type=refresh_token&refresh_token=%41bc"), &form);
        assert_int_not_equal(result, FORM_MALFORMED);
        assert_false(before == FORM_OK && result != FORM_OK);
        assert_int_equal(form.count, result == FORM_OK ? 2 : 0);
        arena_close(arena);
    }
    assert_int_equal(result, FORM_OK);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_byte_in_every_spelling),
        cmocka_unit_test(test_separators),
        cmocka_unit_test(test_bad),
        cmocka_unit_test(test_utf8_passes),
        cmocka_unit_test(test_field_limit),
        cmocka_unit_test(test_next),
        cmocka_unit_test(test_get),
        cmocka_unit_test(test_arena_runs_out),
    };
    return cmocka_run_group_tests(tests, open_arena, close_arena);
}
