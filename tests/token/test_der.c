/* test_der.c: one element off the front, and every way in which it is none. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "token/der.h"

/* An OCTET STRING with this head and so many bytes behind it: how many of these it holds, or -1. An
 * exact copy on the heap, so that the sanitizers see a step over its end. */
static long held(const char *head, size_t head_size, size_t behind)
{
    uint8_t *bytes = calloc(1, head_size + behind);
    struct der from = {bytes, head_size + behind};
    struct der content;
    long result = -1;

    assert_non_null(bytes);
    memcpy(bytes, head, head_size);
    if (der_take(&from, DER_OCTET_STRING, &content)) {
        assert_ptr_equal(content.at, bytes + head_size);
        assert_ptr_equal(from.at, content.at + content.left);
        assert_int_equal(from.left, behind - content.left);
        result = (long)content.left;
    }
    free(bytes);
    return result;
}

#define HELD(head, behind) held(head, sizeof head - 1, behind)

static void test_lengths(void **state)
{
    (void)state;
    assert_int_equal(HELD("\x04\x00", 0), 0);
    assert_int_equal(HELD("\x04\x00", 3), 0);
    assert_int_equal(HELD("\x04\x7f", 0x7f), 0x7f);
    assert_int_equal(HELD("\x04\x81\x80", 0x81), 0x80);
    assert_int_equal(HELD("\x04\x81\xff", 0xff), 0xff);
    assert_int_equal(HELD("\x04\x82\x01\x00", 0x100), 0x100);
    assert_int_equal(HELD("\x04\x82\xff\xff", 0x10000), 0xffff);
}

static void test_one_spelling(void **state)
{
    (void)state;
    assert_int_equal(HELD("\x04\x81\x7f", 0x7f), -1);
    assert_int_equal(HELD("\x04\x82\x00\xff", 0xff), -1);
    assert_int_equal(HELD("\x04\x83\x00\x01\x00", 0x100), -1);
    assert_int_equal(HELD("\x04\x80", 2), -1); /* BER's indefinite length */
    assert_int_equal(HELD("\x04\xff", 2), -1);
}

static void test_cut_short(void **state)
{
    (void)state;
    assert_int_equal(HELD("", 0), -1);
    assert_int_equal(HELD("\x04", 0), -1);
    assert_int_equal(HELD("\x04\x01", 0), -1);
    assert_int_equal(HELD("\x04\x81", 0), -1);
    assert_int_equal(HELD("\x04\x81\x80", 0x7f), -1);
    assert_int_equal(HELD("\x04\x82", 0), -1);
    assert_int_equal(HELD("\x04\x82\x01", 0), -1);
    assert_int_equal(HELD("\x04\x82\x01\x00", 0xff), -1);
}

static void test_other_tags(void **state)
{
    (void)state;
    assert_int_equal(HELD("\x03\x01", 1), -1);
    assert_int_equal(HELD("\x24\x01", 1), -1); /* of parts */
    assert_int_equal(HELD("\x84\x01", 1), -1); /* of another class */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_lengths),
        cmocka_unit_test(test_one_spelling),
        cmocka_unit_test(test_cut_short),
        cmocka_unit_test(test_other_tags),
    };
    return cmocka_run_group_tests_name("token/der", tests, NULL, NULL);
}
