/* SPDX-License-Identifier: ISC */
/* test_form.c: every byte in every spelling, and what counts as absent, one or repeated. */
#include <stdio.h>

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
    enum form_result result = form_parse(arena, (struct text){encoded, size}, &form);
    assert_int_equal(result, expected < 0 ? FORM_MALFORMED : FORM_OK);
    if (result == FORM_OK) {
        char wanted[3] = {'a', (char)expected, 'b'};
        assert_int_equal(form.count, 1);
        expect_same_text(in_value ? form.fields[0].value : form.fields[0].name,
                         ((struct text){wanted, sizeof wanted}));
        expect_text(in_value ? form.fields[0].name : form.fields[0].value, in_value ? "n" : "v");
    } else {
        assert_int_equal(form.count, 0); /* nothing half-parsed comes out */
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

static void test_malformed(void **state)
{
    static const struct text rows[] = {
        LITERAL("a=%"),         LITERAL("a=%4"),
        LITERAL("a=%zz"),       LITERAL("a=%4z"),
        LITERAL("a=%z4"),       LITERAL("a=%%41"),
        LITERAL("a=%u0041"),    LITERAL("a=% 41"),
        LITERAL("a=%+4"),       LITERAL("a=%-1"),
        LITERAL("a=%0x"),       LITERAL("a=%00"),
        LITERAL("%00=a"),       LITERAL("%=a"),
        LITERAL("a=\0"),        LITERAL("ok=1&a=%"),
        LITERAL("a=%&b=1"),     LITERAL("a=%4&1=b"),
        LITERAL("a=%C0%AF"),    LITERAL("a=%c0%80"),
        LITERAL("a=%E0%80%AF"), LITERAL("a=%ED%A0%80"),
        LITERAL("a=%ED%BF%BF"), LITERAL("a=%F4%90%80%80"),
        LITERAL("a=%C3"),       LITERAL("a=%C3&b=%A9"),
        LITERAL("%C3=%A9"),     LITERAL("a=\xed\xa0\x80"),
        LITERAL("a=\xff"),      LITERAL("a%0a=b"),
        LITERAL("a\n=b"),       LITERAL("a=%7f"),
        LITERAL("a=%1b[31m"),
    };

    for (size_t i = 0; i < COUNT(rows); i++) {
        struct form form;
        struct text decoded = TEXT("untouched");
        if (form_parse(*state, rows[i], &form) != FORM_MALFORMED) {
            fail_msg("\"%.*s\" was taken", TEXT_ARGS(rows[i]));
        }
        if (text_starts(rows[i], TEXT("a=")) && text_find(rows[i], '&') == rows[i].size) {
            assert_false(form_decode(*state, text_from(rows[i], 2), &decoded));
            expect_text(decoded, "untouched");
        }
    }
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
        cmocka_unit_test(test_malformed),
        cmocka_unit_test(test_utf8_passes),
        cmocka_unit_test(test_field_limit),
        cmocka_unit_test(test_get),
        cmocka_unit_test(test_arena_runs_out),
    };
    return cmocka_run_group_tests(tests, open_arena, close_arena);
}
