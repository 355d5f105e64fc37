/* SPDX-License-Identifier: ISC */
/* test_codec.c: every value has one spelling, and every spelling that is accepted is that one. */
#include <stdlib.h>

#include "base/codec.h"
#include "base/expect.h"

enum { ROOM = 64 };

/* Encoding what was decoded gives the very string: nothing else was accepted. */
static void expect_canonical(struct text t, const uint8_t *bytes, size_t size)
{
    char again[2 * ROOM];

    codec_base64url_encode(bytes, size, again);
    expect_same_text(t, ((struct text){again, codec_base64url_size(size)}));
}

/* Of all strings of two bytes, 256 are base64url of one byte; of three bytes, 65536. */
static void test_base64url_has_one_spelling(void **state)
{
    size_t accepted[4] = {0};
    (void)state;

    for (uint32_t bits = 0; bits < 1U << 24; bits++) {
        char string[3] = {(char)bits, (char)(bits >> 8), (char)(bits >> 16)};
        for (size_t n = 1; n <= 3; n++) {
            if (bits >> (8 * n) != 0) {
                continue;
            }
            uint8_t bytes[3];
            size_t size;
            if (codec_base64url_decode((struct text){string, n}, bytes, sizeof bytes, &size)) {
                accepted[n]++;
                expect_canonical((struct text){string, n}, bytes, size);
            }
        }
    }
    assert_int_equal(accepted[1], 0);
    assert_int_equal(accepted[2], 256);
    assert_int_equal(accepted[3], 65536);
}

/* Every other byte in every place of a token's tail is either refused or another value. */
static void test_base64url_is_not_malleable(void **state)
{
    (void)state;
    for (size_t size = 1; size <= 16; size++) {
        uint8_t bytes[16];
        char string[ROOM];
        for (size_t i = 0; i < size; i++) {
            bytes[i] = (uint8_t)(i * 37 + size);
        }
        codec_base64url_encode(bytes, size, string);
        size_t length = codec_base64url_size(size);
        for (size_t at = 0; at < length; at++) {
            for (int byte = 0; byte < 256; byte++) {
                uint8_t decoded[ROOM];
                size_t decoded_size;
                char kept = string[at];
                string[at] = (char)byte;
                if (codec_base64url_decode((struct text){string, length}, decoded, ROOM,
                                           &decoded_size) &&
                    string[at] != kept) {
                    assert_memory_not_equal(decoded, bytes, size);
                }
                string[at] = kept;
            }
        }
    }
}

static void test_base64url_refuses(void **state)
{
    static const struct text refused[] = {
        LITERAL("A"),     LITERAL("AAAAA"),  LITERAL("Zg=="),       LITERAL("Zg="),
        LITERAL("Zm8="),  LITERAL("Zh"),     LITERAL("Zm9"),        LITERAL("Zm8\n"),
        LITERAL(" Zm9v"), LITERAL("Zm9v "),  LITERAL("Zm 9v"),      LITERAL("+_+_"),
        LITERAL("//__"),  LITERAL("Zm9v\0"), LITERAL("=="),         LITERAL("===="),
        LITERAL("Zg.."),  LITERAL("%5A"),    LITERAL("Z\xc3\xa9v"),
    };
    uint8_t out[ROOM];
    (void)state;

    for (size_t i = 0; i < COUNT(refused); i++) {
        size_t size = 4711;
        if (codec_base64url_decode(refused[i], out, sizeof out, &size) || size != 4711) {
            fail_msg("\"%.*s\"", TEXT_ARGS(refused[i]));
        }
    }
}

static void test_base64url_room(void **state)
{
    uint8_t out[4] = {1, 2, 3, 0xcc};
    size_t size = 4711;
    (void)state;

    assert_true(codec_base64url_decode((struct text){NULL, 0}, NULL, 0, &size));
    assert_int_equal(size, 0);
    assert_false(codec_base64url_decode(TEXT("Zm9vYg"), out, 3, &size));
    assert_true(codec_base64url_decode(TEXT("Zm9v"), out, 3, &size));
    assert_int_equal(size, 3);
    assert_memory_equal(out, "foo\xcc", 4);
    for (size_t n = 0; n < 1000; n++) {
        char string[1400];
        uint8_t bytes[1000] = {0};
        codec_base64url_encode(bytes, n, string);
        struct text t = {string, codec_base64url_size(n)};
        assert_true(codec_base64url_decode(t, bytes, n, &size));
        assert_int_equal(size, n);
        assert_false(n > 0 && codec_base64url_decode(t, bytes, n - 1, &size));
    }
}

static void test_base64(void **state)
{
    static const struct row {
        struct text text;
        const char *decoded; /* NULL: refused */
    } rows[] = {
        {{NULL, 0}, ""},
        {LITERAL("Zg=="), "f"},
        {LITERAL("Zm8="), "fo"},
        {LITERAL("Zm9v"), "foo"},
        {LITERAL("+/+/"), "\xfb\xff\xbf"},
        {LITERAL("-_-_"), NULL},
        {LITERAL("Zg"), NULL},
        {LITERAL("Zg="), NULL},
        {LITERAL("Zg==="), NULL},
        {LITERAL("Zh=="), NULL}, /* unused bits */
        {LITERAL("Zm9="), NULL},
        {LITERAL("Zm9v===="), NULL},
        {LITERAL("Zm9v=="), NULL},
        {LITERAL("A==="), NULL},
        {LITERAL("===="), NULL},
        {LITERAL("="), NULL},
        {LITERAL("=="), NULL},
        {LITERAL("Zg==Zg=="), NULL},
        {LITERAL("Z=g="), NULL},
        {LITERAL("Zm8=\n"), NULL},
        {LITERAL("Zm9v, Basic Zm9v"), NULL}, /* two headers that a server joined */
    };
    (void)state;

    for (size_t i = 0; i < COUNT(rows); i++) {
        uint8_t out[ROOM];
        size_t size = 4711;
        bool done = codec_base64_decode(rows[i].text, out, sizeof out, &size);
        assert_int_equal(done, rows[i].decoded != NULL);
        if (done) {
            expect_text(((struct text){(const char *)out, size}), rows[i].decoded);
        } else {
            assert_int_equal(size, 4711);
        }
    }
}

static void test_base64_has_one_spelling(void **state)
{
    static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
                                   "+/=-_ \n";
    size_t accepted = 0;
    (void)state;

    for (const char *a = alphabet; *a != '\0'; a++) {
        for (const char *b = alphabet; *b != '\0'; b++) {
            char string[4] = {*a, *b, '=', '='};
            uint8_t out[3];
            size_t size;
            accepted += codec_base64_decode((struct text){string, 4}, out, sizeof out, &size);
        }
    }
    assert_int_equal(accepted, 256);
}

static void test_hex(void **state)
{
    uint8_t out[2] = {0};
    char text[5];
    size_t accepted = 0;
    (void)state;

    for (uint32_t bits = 0; bits < 1U << 16; bits++) {
        char digits[2] = {(char)bits, (char)(bits >> 8)};
        accepted += codec_hex_decode((struct text){digits, 2}, out, 1);
    }
    assert_int_equal(accepted, 22 * 22);
    assert_true(codec_hex_decode(TEXT("fFa0"), out, 2));
    assert_int_equal(out[0], 0xff);
    assert_int_equal(out[1], 0xa0);
    assert_false(codec_hex_decode(TEXT("ffa"), out, 2));
    assert_false(codec_hex_decode(TEXT("ffa00"), out, 2));
    assert_false(codec_hex_decode(TEXT("ffa0"), out, 1));
    assert_false(codec_hex_decode(TEXT("0xff"), out, 2));
    assert_true(codec_hex_decode((struct text){NULL, 0}, out, 0));
    codec_hex_encode("\x00\xab", 2, text);
    assert_string_equal(text, "00ab");
}

static void test_uuid(void **state)
{
    static const uint8_t uuid[16] = {0x89, 0xd9, 0x70, 0xe4, 0x50, 0x48, 0x43, 0x10,
                                     0xb6, 0xf8, 0xc5, 0xbc, 0x83, 0xf9, 0x2e, 0x11};
    static const char *const refused[] = {
        "",
        "89d970e4-5048-4310-b6f8-c5bc83f92e1",
        "89d970e4-5048-4310-b6f8-c5bc83f92e111",
        "89d970e4-5048-4310-b6f8-c5bc83f92e1g",
        "89d970e4-5048-4310-b6f8_c5bc83f92e11",
        "89d970e45-048-4310-b6f8-c5bc83f92e11",
        "89d970e4-5048-4310-b6f8-c5bc83f92e1 ",
        "{89d970e4-5048-4310-b6f8-c5bc83f92e}",
        "89d970e45048-4310-b6f8-c5bc83f92e110",
        "89d970e450484310b6f8c5bc83f92e110000",
        "------------------------------------",
    };
    uint8_t parsed[16];
    char text[37];
    (void)state;

    codec_uuid_format(uuid, text);
    assert_string_equal(text, "89d970e4-5048-4310-b6f8-c5bc83f92e11");
    assert_true(codec_uuid_parse(text_of(text), parsed));
    assert_memory_equal(parsed, uuid, 16);
    assert_true(codec_uuid_parse(TEXT("89D970E4-5048-4310-B6F8-C5BC83F92E11"), parsed));
    assert_memory_equal(parsed, uuid, 16);
    for (size_t i = 0; i < COUNT(refused); i++) {
        memset(parsed, 0xcc, sizeof parsed);
        assert_false(codec_uuid_parse(text_of(refused[i]), parsed));
        assert_int_equal(parsed[0], 0xcc);
    }
    for (size_t at = 0; at < 36; at++) { /* each place takes hyphens or digits, never both */
        char changed[37];
        memcpy(changed, text, sizeof changed);
        changed[at] = text[at] == '-' ? '0' : '-';
        assert_false(codec_uuid_parse(text_of(changed), parsed));
    }
}

static void test_integers(void **state)
{
    static const uint64_t values[] = {0, 1, 0x7f, 0x80, 0x0102030405060708, INT64_MAX, UINT64_MAX};
    uint8_t out[8];
    (void)state;

    for (size_t i = 0; i < COUNT(values); i++) {
        codec_put_u64(out, values[i]);
        assert_true(codec_get_u64(out) == values[i]);
        codec_put_u32(out, (uint32_t)values[i]);
        assert_true(codec_get_u32(out) == (uint32_t)values[i]);
    }
    codec_put_u64(out, 0x0102030405060708);
    assert_memory_equal(out, "\1\2\3\4\5\6\7\10", 8);
    codec_put_u32(out, 0xf0e0d0c0);
    assert_memory_equal(out, "\xf0\xe0\xd0\xc0\5\6\7\10", 8);
}

/* One spelling each, in the order of the numbers, and none that is cut short or too long. */
static void test_varints(void **state)
{
    static const struct {
        uint64_t value;
        const char *bytes;
        size_t size;
    } rows[] = {
        {0, "\0", 1},
        {1, "\1", 1},
        {0x7f, "\x7f", 1},
        {0x80, "\x80\x80", 2},
        {0x3fff, "\xbf\xff", 2},
        {0x4000, "\xc0\x40\0", 3},
        {(UINT64_C(1) << 56) - 1, "\xfe\xff\xff\xff\xff\xff\xff\xff", 8},
        {UINT64_C(1) << 56, "\xff\1\0\0\0\0\0\0\0", 9},
        {UINT64_MAX, "\xff\xff\xff\xff\xff\xff\xff\xff\xff", 9},
    };
    static const char too_long[][3] = {"\x80\x7f", "\x80\0", "\xc0\x3f\xff"};
    uint8_t out[CODEC_VARINT_MAX];
    uint64_t value;
    (void)state;

    for (size_t i = 0; i < COUNT(rows); i++) {
        const uint8_t *bytes = (const uint8_t *)rows[i].bytes;

        assert_int_equal(codec_put_varint(out, rows[i].value), rows[i].size);
        assert_memory_equal(out, bytes, rows[i].size);
        assert_int_equal(codec_get_varint(bytes, rows[i].size, &value), rows[i].size);
        assert_true(value == rows[i].value);
        assert_int_equal(codec_get_varint(bytes, rows[i].size - 1, &value), 0);
        assert_true(i == 0 || memcmp(rows[i - 1].bytes, bytes, rows[i - 1].size) < 0);
    }
    for (size_t i = 0; i < COUNT(too_long); i++) {
        assert_int_equal(codec_get_varint((const uint8_t *)too_long[i], 3, &value), 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_base64url_has_one_spelling),
        cmocka_unit_test(test_base64url_is_not_malleable),
        cmocka_unit_test(test_base64url_refuses),
        cmocka_unit_test(test_base64url_room),
        cmocka_unit_test(test_base64),
        cmocka_unit_test(test_base64_has_one_spelling),
        cmocka_unit_test(test_hex),
        cmocka_unit_test(test_uuid),
        cmocka_unit_test(test_integers),
        cmocka_unit_test(test_varints),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
