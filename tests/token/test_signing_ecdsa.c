/* test_signing_ecdsa.c: ECDSA signatures between DER and JWS's form: lengths, leading zeros, high
 * bits, everything that is no DER, and libcrypto's opinion of the same numbers. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <openssl/bn.h>
#include <openssl/ecdsa.h>

#include "token/signing_ecdsa.h"

enum { P256 = 32, P384 = 48, P521 = 66, HALF_MAX = P521 };

/* ---- single spellings, with halves of four bytes ---- */

static bool to_raw(const void *der, size_t size, uint8_t raw[8])
{
    /* an exact copy on the heap, so that the sanitizers see a step over its end */
    uint8_t *copy = malloc(size > 0 ? size : 1);
    bool good;

    assert_non_null(copy);
    memcpy(copy, der, size);
    good = signing_ecdsa_to_raw(copy, size, 4, raw);
    free(copy);
    return good;
}

#define RAW(der, expected)                                                                         \
    do {                                                                                           \
        uint8_t raw[8];                                                                            \
        assert_true(to_raw(der, sizeof der - 1, raw));                                             \
        assert_memory_equal(raw, expected, sizeof raw);                                            \
    } while (0)

#define REFUSED(der)                                                                               \
    do {                                                                                           \
        uint8_t raw[8];                                                                            \
        assert_false(to_raw(der, sizeof der - 1, raw));                                            \
    } while (0)

static void test_numbers(void **state)
{
    (void)state;
    RAW("\x30\x0c\x02\x04\x11\x12\x13\x14\x02\x04\x21\x22\x23\x24",
        "\x11\x12\x13\x14\x21\x22\x23\x24");
    /* high bit: one zero more */
    RAW("\x30\x0e\x02\x05\0\x80\0\0\0\x02\x05\0\xff\xff\xff\xff", "\x80\0\0\0\xff\xff\xff\xff");
    /* short numbers: zeros in front */
    RAW("\x30\x06\x02\x01\x7f\x02\x01\x01", "\0\0\0\x7f\0\0\0\x01");
    RAW("\x30\x08\x02\x02\0\x80\x02\x02\x01\0", "\0\0\0\x80\0\0\x01\0");
    /* whether zero may be a signature is not asked here */
    RAW("\x30\x06\x02\x01\0\x02\x01\0", "\0\0\0\0\0\0\0\0");
}

static void test_no_der(void **state)
{
    (void)state;
    REFUSED("");
    REFUSED("\x30");
    REFUSED("\x30\0");
    REFUSED("\x31\x06\x02\x01\x01\x02\x01\x01"); /* a SET */
    REFUSED("\x30\x06\x03\x01\x01\x02\x01\x01"); /* a BIT STRING */
    REFUSED("\x30\x06\x02\x01\x01\x04\x01\x01");
    REFUSED("\x30\x03\x02\x01\x01");                         /* one number */
    REFUSED("\x30\x09\x02\x01\x01\x02\x01\x01\x02\x01\x01"); /* three */
    REFUSED("\x30\x06\x02\x01\x01\x02\x01\x01\0");           /* bytes behind the end */
    REFUSED("\x30\x05\x02\x01\x01\x02\x01\x01");             /* the sequence ends inside */
    REFUSED("\x30\x07\x02\x01\x01\x02\x01\x01");             /* … or behind */
    REFUSED("\x30\x06\x02\x01\x01\x02\x02\x01");             /* a number longer than what is left */
    REFUSED("\x30\x06\x02\x04\x01\x02\x01\x01");
    REFUSED("\x30\x05\x02\0\x02\x01\x01"); /* no digit */
    REFUSED("\x30\x05\x02\x01\x01\x02\0");
}

static void test_other_spellings(void **state)
{
    (void)state;
    REFUSED("\x30\x06\x02\x01\x80\x02\x01\x01"); /* negative */
    REFUSED("\x30\x06\x02\x01\x01\x02\x01\xff");
    REFUSED("\x30\x07\x02\x02\0\x7f\x02\x01\x01"); /* a zero too many */
    REFUSED("\x30\x07\x02\x02\0\0\x02\x01\x01");
    REFUSED("\x30\x81\x06\x02\x01\x01\x02\x01\x01"); /* lengths too long, and indefinite */
    REFUSED("\x30\x82\0\x06\x02\x01\x01\x02\x01\x01");
    REFUSED("\x30\x80\x02\x01\x01\x02\x01\x01\0\0");
    REFUSED("\x30\x81");
    REFUSED("\x30\x84\xff\xff\xff\xff");
    REFUSED("\x30\x07\x02\x81\x01\x01\x02\x01\x01");
    /* too large for four bytes */
    REFUSED("\x30\x0a\x02\x05\x01\0\0\0\0\x02\x01\x01");
    REFUSED("\x30\x0b\x02\x06\0\x80\0\0\0\0\x02\x01\x01");
    REFUSED("\x30\x0a\x02\x01\x01\x02\x05\x01\0\0\0\0");
}

/* Every beginning of a good one is refused. */
static void test_cut_short(void **state)
{
    static const char whole[] = "\x30\x0e\x02\x05\0\x80\0\0\0\x02\x05\0\xff\xff\xff\xff";
    uint8_t raw[8];

    (void)state;
    for (size_t size = 0; size < sizeof whole - 1; size++) {
        assert_false(to_raw(whole, size, raw));
    }
}

/* ---- libcrypto's opinion ---- */

static size_t by_libcrypto(const uint8_t *raw, size_t half, uint8_t der[SIGNING_ECDSA_DER_MAX])
{
    ECDSA_SIG *pair = ECDSA_SIG_new();
    uint8_t *at = der;
    int size;

    assert_non_null(pair);
    assert_int_equal(ECDSA_SIG_set0(pair, BN_bin2bn(raw, (int)half, NULL),
                                    BN_bin2bn(raw + half, (int)half, NULL)),
                     1);
    assert_true(i2d_ECDSA_SIG(pair, NULL) <= SIGNING_ECDSA_DER_MAX);
    size = i2d_ECDSA_SIG(pair, &at);
    assert_true(size > 0);
    ECDSA_SIG_free(pair);
    return (size_t)size;
}

/* Numbers of every length in every place: `bits` are the top byte's. */
static void fill_number(uint8_t *number, size_t half, size_t zeros, uint8_t bits)
{
    memset(number, 0, half);
    for (size_t i = zeros; i < half; i++) {
        number[i] = i == zeros ? bits : (uint8_t)(i * 7 + zeros);
    }
}

static void check_pair(const uint8_t *raw, size_t half)
{
    uint8_t expected[SIGNING_ECDSA_DER_MAX];
    uint8_t der[SIGNING_ECDSA_DER_MAX];
    uint8_t back[2 * HALF_MAX];
    size_t size = by_libcrypto(raw, half, expected);

    assert_int_equal(signing_ecdsa_from_raw(raw, half, der), size);
    assert_memory_equal(der, expected, size);
    memset(back, 0xa5, sizeof back);
    assert_true(signing_ecdsa_to_raw(der, size, half, back));
    assert_memory_equal(back, raw, 2 * half);
}

static void test_as_libcrypto(void **state)
{
    static const size_t halves[] = {P256, P384, P521};
    static const uint8_t tops[] = {0x01, 0x7f, 0x80, 0xff};
    uint8_t raw[2 * HALF_MAX];

    (void)state;
    for (size_t h = 0; h < sizeof halves / sizeof halves[0]; h++) {
        size_t half = halves[h];
        for (size_t zeros = 0; zeros <= half; zeros++) {
            for (size_t t = 0; t < sizeof tops; t++) {
                fill_number(raw, half, zeros, tops[t]);
                fill_number(raw + half, half, half - zeros, tops[sizeof tops - 1 - t]);
                check_pair(raw, half);
            }
        }
    }
}

static void test_no_such_curve(void **state)
{
    uint8_t raw[256] = {1};
    uint8_t der[SIGNING_ECDSA_DER_MAX];

    (void)state;
    assert_int_equal(signing_ecdsa_from_raw(raw, 0, der), 0);
    assert_int_equal(signing_ecdsa_from_raw(raw, HALF_MAX + 1, der), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_numbers),         cmocka_unit_test(test_no_der),
        cmocka_unit_test(test_other_spellings), cmocka_unit_test(test_cut_short),
        cmocka_unit_test(test_as_libcrypto),    cmocka_unit_test(test_no_such_curve),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
