/* SPDX-License-Identifier: ISC */
/* test_signing_numbers.c: keys come back as they were, through the bytes that are stored, and bytes
 * that are no key do not. */
#include "token/fixture.h"

#include <stdlib.h>
#include <string.h>

#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/rsa.h>

#include "base/valgrind.h"
#include "token/signing_numbers.h"

static const enum signing_algorithm kinds[] = {SIGNING_RS256, SIGNING_ES256, SIGNING_ES384,
                                               SIGNING_ES512, SIGNING_EDDSA};
enum { KINDS = sizeof kinds / sizeof kinds[0] };

static struct text write(const struct signing_profile *profile, const EVP_PKEY *pkey)
{
    static uint8_t bytes[SIGNING_NUMBERS_MAX];
    size_t size = signing_numbers_write(profile, pkey, bytes);

    assert_true(size > 0);
    return (struct text){(const char *)bytes, size};
}

static void assert_same_number(const EVP_PKEY *a, const EVP_PKEY *b, const char *name)
{
    BIGNUM *of_a = NULL, *of_b = NULL;

    assert_int_equal(EVP_PKEY_get_bn_param(a, name, &of_a), 1);
    assert_int_equal(EVP_PKEY_get_bn_param(b, name, &of_b), 1);
    assert_int_equal(BN_cmp(of_a, of_b), 0);
    BN_free(of_a);
    BN_free(of_b);
}

/* EVP_PKEY_eq compares public parts only. */
static void assert_same_key(const EVP_PKEY *a, const EVP_PKEY *b)
{
    static const char *const rsa[] = {
        OSSL_PKEY_PARAM_RSA_D,         OSSL_PKEY_PARAM_RSA_FACTOR1,
        OSSL_PKEY_PARAM_RSA_FACTOR2,   OSSL_PKEY_PARAM_RSA_EXPONENT1,
        OSSL_PKEY_PARAM_RSA_EXPONENT2, OSSL_PKEY_PARAM_RSA_COEFFICIENT1};

    assert_int_equal(EVP_PKEY_eq(a, b), 1);
    if (EVP_PKEY_is_a(a, "RSA")) {
        for (size_t i = 0; i < sizeof rsa / sizeof rsa[0]; i++) {
            assert_same_number(a, b, rsa[i]);
        }
    } else if (EVP_PKEY_is_a(a, "EC")) {
        assert_same_number(a, b, OSSL_PKEY_PARAM_PRIV_KEY);
    } else {
        uint8_t of_a[32], of_b[32];
        size_t size = sizeof of_a;
        assert_int_equal(EVP_PKEY_get_raw_private_key(a, of_a, &size), 1);
        assert_int_equal(EVP_PKEY_get_raw_private_key(b, of_b, &size), 1);
        assert_memory_equal(of_a, of_b, sizeof of_a);
    }
}

/* Many rounds: x, y or the scalar begins with a zero byte once in 85 keys. */
static void keys_come_back(void **state)
{
    (void)state;
    for (size_t i = 0; i < KINDS; i++) {
        const struct signing_profile *profile = signing_profile(kinds[i]);
        int rounds = kinds[i] == SIGNING_RS256 ? 2 : is_under_valgrind() ? 10 : 300;
        for (int round = 0; round < rounds; round++) {
            struct signing_numbers numbers;
            EVP_PKEY *made = fixture_new_pair(profile);
            struct text bytes = write(profile, made);
            assert_true(signing_numbers_split(profile, bytes, &numbers));
            EVP_PKEY *back = signing_numbers_pair(profile, &numbers);
            assert_non_null(back);
            assert_true(signing_profile_fits(profile, back, NULL));
            assert_same_key(made, back);
            EVP_PKEY_free(made);
            EVP_PKEY_free(back);
        }
    }
}

/* What is stored is what signing_numbers.c says: this layout may not change unnoticed. */
static void layout_of_ed25519(void **state)
{
    const struct signing_profile *profile = signing_profile(SIGNING_EDDSA);
    static const uint8_t seed[32] = {/* RFC 8032 section 7.1, test 1 */
                                     0x9d, 0x61, 0xb1, 0x9d, 0xef, 0xfd, 0x5a, 0x60,
                                     0xba, 0x84, 0x4a, 0xf4, 0x92, 0xec, 0x2c, 0xc4,
                                     0x44, 0x49, 0xc5, 0x69, 0x7b, 0x32, 0x69, 0x19,
                                     0x70, 0x3b, 0xac, 0x03, 0x1c, 0xae, 0x7f, 0x60};
    static const uint8_t public_start[] = {0xd7, 0x5a, 0x98, 0x01};
    EVP_PKEY *pkey = EVP_PKEY_new_raw_private_key_ex(NULL, "ED25519", NULL, seed, sizeof seed);
    struct text bytes = write(profile, pkey);

    (void)state;
    assert_int_equal(bytes.size, 64);
    assert_memory_equal(bytes.data, public_start, sizeof public_start);
    assert_memory_equal(bytes.data + 32, seed, sizeof seed);
    EVP_PKEY_free(pkey);
}

static void layout_of_ec_and_rsa(void **state)
{
    const struct signing_profile *ec = signing_profile(SIGNING_ES384);
    const struct signing_profile *rsa = signing_profile(SIGNING_RS256);
    struct signing_numbers numbers;
    EVP_PKEY *pkey = fixture_new_pair(ec);

    (void)state;
    struct text bytes = write(ec, pkey);
    assert_int_equal(bytes.size, 3 * 48);
    assert_true(signing_numbers_split(ec, bytes, &numbers));
    assert_ptr_equal(numbers.of[SIGNING_X].data, bytes.data);
    assert_ptr_equal(numbers.of[SIGNING_Y].data, bytes.data + 48);
    assert_ptr_equal(numbers.of[SIGNING_D].data, bytes.data + 96);
    EVP_PKEY_free(pkey);

    pkey = fixture_new_pair(rsa);
    bytes = write(rsa, pkey);
    assert_true(bytes.size > 1000);
    assert_memory_equal(bytes.data, "\x01\x00", 2);                   /* n: 256 bytes */
    assert_memory_equal(bytes.data + 258, "\x00\x03\x01\x00\x01", 5); /* e: 65537 */
    assert_true(signing_numbers_split(rsa, bytes, &numbers));
    assert_ptr_equal(numbers.of[SIGNING_N].data, bytes.data + 2);
    assert_int_equal(numbers.of[SIGNING_QI].data + numbers.of[SIGNING_QI].size - bytes.data,
                     bytes.size);
    EVP_PKEY_free(pkey);
}

static void three_primes_are_refused(void **state)
{
    EVP_PKEY *pkey = NULL;
    EVP_PKEY_CTX *context = EVP_PKEY_CTX_new_from_name(NULL, "RSA", NULL);
    uint8_t bytes[SIGNING_NUMBERS_MAX];

    (void)state;
    assert_true(EVP_PKEY_keygen_init(context) == 1 &&
                EVP_PKEY_CTX_set_rsa_keygen_bits(context, 2048) == 1 &&
                EVP_PKEY_CTX_set_rsa_keygen_primes(context, 3) == 1 &&
                EVP_PKEY_generate(context, &pkey) == 1);
    assert_int_equal(signing_numbers_write(signing_profile(SIGNING_RS256), pkey, bytes), 0);
    EVP_PKEY_free(pkey);
    EVP_PKEY_CTX_free(context);
}

/* The numbers are copied to the heap at their exact size, so that valgrind and ASan see a byte too
 * far. */
static bool is_key(const struct signing_profile *profile, struct text bytes)
{
    struct signing_numbers numbers;
    char *copy = malloc(bytes.size + 1);
    EVP_PKEY *pkey = NULL;

    assert_non_null(copy);
    memcpy(copy + 1, bytes.data, bytes.size);
    bool split = signing_numbers_split(profile, (struct text){copy + 1, bytes.size}, &numbers);
    if (split) {
        pkey = signing_numbers_pair(profile, &numbers);
        EVP_PKEY_free(pkey);
    }
    free(copy);
    return split;
}

static void damaged_bytes_are_no_key(void **state)
{
    (void)state;
    for (size_t i = 0; i < KINDS; i++) {
        const struct signing_profile *profile = signing_profile(kinds[i]);
        EVP_PKEY *made = fixture_new_pair(profile);
        char longer[SIGNING_NUMBERS_MAX + 1] = {0};
        struct text bytes = write(profile, made);
        EVP_PKEY_free(made);
        assert_true(is_key(profile, bytes));
        for (size_t cut = 0; cut < bytes.size; cut += cut < 64 ? 1 : 61) {
            assert_false(is_key(profile, text_cut(bytes, cut)));
        }
        memcpy(longer, bytes.data, bytes.size);
        assert_false(is_key(profile, (struct text){longer, bytes.size + 1})); /* to the last byte */
        for (size_t at = 0; at < bytes.size; at += at < 64 ? 1 : 61) {
            longer[at] ^= 0x41; /* a key or none: not a crash */
            (void)is_key(profile, (struct text){longer, bytes.size});
            longer[at] ^= 0x41;
        }
    }
}

static void sizes_of_rsa_numbers_are_bounded(void **state)
{
    static char bytes[SIGNING_RSA_NUMBERS * (2 + SIGNING_NUMBER_MAX + 1)];
    static const size_t sizes[] = {1, SIGNING_NUMBER_MAX, SIGNING_NUMBER_MAX + 1, 0};
    struct signing_numbers numbers;

    (void)state;
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        size_t used = 0;
        for (int n = 0; n < SIGNING_RSA_NUMBERS; n++) {
            bytes[used] = (char)(sizes[i] >> 8);
            bytes[used + 1] = (char)sizes[i];
            used += 2 + sizes[i];
        }
        assert_int_equal(signing_numbers_split(signing_profile(SIGNING_RS256),
                                               (struct text){bytes, used}, &numbers),
                         sizes[i] >= 1 && sizes[i] <= SIGNING_NUMBER_MAX);
    }
}

static void a_point_must_be_on_the_curve(void **state)
{
    const struct signing_profile *profile = signing_profile(SIGNING_ES256);
    EVP_PKEY *made = fixture_new_pair(profile);
    struct text bytes = write(profile, made);
    struct signing_numbers numbers;
    char changed[3 * 32];

    (void)state;
    EVP_PKEY_free(made);
    memcpy(changed, bytes.data, sizeof changed);
    changed[40] ^= 1;
    assert_true(signing_numbers_split(profile, (struct text){changed, sizeof changed}, &numbers));
    assert_null(signing_numbers_pair(profile, &numbers));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(keys_come_back),
        cmocka_unit_test(layout_of_ed25519),
        cmocka_unit_test(layout_of_ec_and_rsa),
        cmocka_unit_test(three_primes_are_refused),
        cmocka_unit_test(damaged_bytes_are_no_key),
        cmocka_unit_test(sizes_of_rsa_numbers_are_bounded),
        cmocka_unit_test(a_point_must_be_on_the_curve),
    };

    return cmocka_run_group_tests(tests, NULL, fixture_close);
}
