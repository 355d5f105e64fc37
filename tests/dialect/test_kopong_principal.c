/* SPDX-License-Identifier: ISC */
/* test_kopong_principal.c: unpacks principals with zlib's own reader and checks the Java stream
 * where it varies: number and order of roles, strings, id. */
#include "token/fixture.h"

#include <string.h>

#include <zlib.h>

#include "base/codec.h"
#include "dialect/kopong_principal.h"

enum { STREAM_MAX = 8192, COUNT_AT = 0x249, ROLE_AT = 0x2ac };

static uint8_t stream[STREAM_MAX];

/* Clients compare strings, so whatever we save, the bytes are those that Java's zlib would make
 * with its usual settings. */
static void assert_deflated_as_java(const uint8_t *deflated, size_t deflated_size, size_t size)
{
    uint8_t expected[STREAM_MAX];
    z_stream z = {.next_in = stream,
                  .avail_in = (uInt)size,
                  .next_out = expected,
                  .avail_out = sizeof expected};

    assert_int_equal(deflateInit2(&z, 6, Z_DEFLATED, -MAX_WBITS, 8, Z_DEFAULT_STRATEGY), Z_OK);
    assert_int_equal(deflate(&z, Z_FINISH), Z_STREAM_END);
    assert_int_equal(z.total_out, deflated_size);
    assert_memory_equal(expected, deflated, deflated_size);
    deflateEnd(&z);
}

/* Makes, decodes and unpacks (checking zlib's CRC); the stream's size. */
static size_t unpack(struct text username, struct text roles, uint64_t number)
{
    enum { HEAD = 10, FOOT = 8 };
    struct text principal;
    uint8_t packed[STREAM_MAX];
    size_t packed_size;
    size_t size;
    z_stream z = {0};

    assert_true(kopong_principal(username, roles, number, fixture_arena(), &principal));
    assert_true(codec_base64_decode(principal, packed, sizeof packed, &packed_size));
    z.next_in = packed;
    z.avail_in = (uInt)packed_size;
    z.next_out = stream;
    z.avail_out = sizeof stream;
    assert_int_equal(inflateInit2(&z, 16 + MAX_WBITS), Z_OK);
    assert_int_equal(inflate(&z, Z_FINISH), Z_STREAM_END);
    assert_int_equal(z.avail_in, 0);
    size = z.total_out;
    inflateEnd(&z);
    assert_deflated_as_java(packed + HEAD, packed_size - HEAD - FOOT, size);
    return size;
}

static void assert_at(size_t at, const char *bytes, size_t size)
{
    assert_memory_equal(stream + at, bytes, size);
}

static void the_documented_user(void **state)
{
    (void)state;
    assert_int_equal(unpack(TEXT("test@kopong.com"), TEXT("ROLE_CUSTOMER"), 5), 798);
    assert_at(0, "\xac\xed\x00\x05", 4);
    assert_at(COUNT_AT, "\0\0\0\1", 4);
    assert_at(ROLE_AT, "t\0\x0dROLE_CUSTOMERxpt\0\x0ftest@kopong.comsr\0\x0ejava.lang.Long", 51);
    assert_at(798 - 8, "\0\0\0\0\0\0\0\5", 8);
}

static void roles_are_sorted_once_each(void **state)
{
    (void)state;
    unpack(TEXT("u"), TEXT("ROLE_B  ROLE_A ROLE_B ROLE_ ROLE_C "), 1);
    assert_at(COUNT_AT, "\0\0\0\4", 4);
    assert_at(ROLE_AT,
              "t\0\5ROLE_"
              "sq\0~\0\x0et\0\6ROLE_A"
              "sq\0~\0\x0et\0\6ROLE_B"
              "sq\0~\0\x0et\0\6ROLE_C"
              "xpt\0\1usr",
              8 + 3 * 15 + 8);
}

static void no_roles(void **state)
{
    (void)state;
    unpack(TEXT("u"), TEXT(""), 1);
    assert_at(COUNT_AT, "\0\0\0\0xpt\0\1usr", 12);
}

static void strings_are_modified_utf8(void **state)
{
    (void)state;
    /* 2 and 3 bytes as they are; U+1F600 as the pair D83D DE00 */
    unpack(TEXT("\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80"), TEXT("R"), 1);
    assert_at(ROLE_AT, "t\0\1Rxpt\0\x0b\xc3\xa4\xe2\x82\xac\xed\xa0\xbd\xed\xb8\x80sr", 22);
}

static void ids_are_big_endian(void **state)
{
    size_t size;

    (void)state;
    size = unpack(TEXT("u"), TEXT("R"), UINT64_C(0x0102030405060708));
    assert_at(size - 8, "\1\2\3\4\5\6\7\10", 8);
}

static void too_much_is_refused(void **state)
{
    static char letters[600];
    struct text principal;

    (void)state;
    memset(letters, 'a', sizeof letters);
    assert_true(kopong_principal((struct text){letters, 128}, (struct text){letters, 512}, 1,
                                 fixture_arena(), &principal));
    assert_false(
        kopong_principal((struct text){letters, 129}, TEXT("R"), 1, fixture_arena(), &principal));
    assert_false(
        kopong_principal(TEXT("u"), (struct text){letters, 513}, 1, fixture_arena(), &principal));
}

/* As many different roles as 512 characters can name. */
static void most_roles(void **state)
{
    char roles[512];
    size_t size = 0;

    (void)state;
    for (int c = 0; c < 128 && size + 2 <= sizeof roles; c++) {
        if (c > ' ') {
            roles[size++] = (char)(160 - c); /* descending */
            roles[size++] = ' ';
        }
    }
    unpack(TEXT("u"), (struct text){roles, size}, 1);
    assert_at(COUNT_AT, "\0\0\0\x5f", 4);
    assert_at(ROLE_AT, "t\0\1!", 4);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_documented_user),
        cmocka_unit_test(roles_are_sorted_once_each),
        cmocka_unit_test(no_roles),
        cmocka_unit_test(strings_are_modified_utf8),
        cmocka_unit_test(ids_are_big_endian),
        cmocka_unit_test(too_much_is_refused),
        cmocka_unit_test(most_roles),
    };

    return cmocka_run_group_tests(tests, NULL, fixture_close);
}
