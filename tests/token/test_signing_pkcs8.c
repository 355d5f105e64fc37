/* test_signing_pkcs8.c: keys come back as they were, in the form that is read by hand and in those
 * that are left to libcrypto, and bytes that are no key do not. */
#include <stdlib.h>
#include <string.h>

#include <openssl/ec.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>

#include "token/bench.h"
#include "token/signing_pkcs8.h"

static EVP_PKEY *generate(const struct signing_profile *profile)
{
    EVP_PKEY *pkey = profile->group != NULL    ? EVP_EC_gen(profile->group)
                     : profile->digest != NULL ? EVP_RSA_gen(2048)
                                               : EVP_PKEY_Q_keygen(NULL, NULL, profile->type);

    assert_non_null(pkey);
    return pkey;
}

/* Do they hold the same numbers, and so sign alike? */
static void assert_same_key(const EVP_PKEY *a, const EVP_PKEY *b)
{
    uint8_t *of_a, *of_b;
    size_t size = signing_pkcs8_write(a, &of_a);

    assert_int_equal(EVP_PKEY_eq(a, b), 1);
    assert_int_equal(signing_pkcs8_write(b, &of_b), size);
    assert_true(size > 0);
    assert_memory_equal(of_a, of_b, size);
    OPENSSL_clear_free(of_a, size);
    OPENSSL_clear_free(of_b, size);
}

static const enum signing_algorithm kinds[] = {SIGNING_RS256, SIGNING_ES256, SIGNING_ES384,
                                               SIGNING_EDDSA};

static void keys_come_back(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        const struct signing_profile *profile = signing_profile(kinds[i]);
        for (int round = 0; round < (kinds[i] == SIGNING_RS256 ? 2 : 40); round++) {
            EVP_PKEY *made = generate(profile);
            uint8_t *bytes;
            size_t size = signing_pkcs8_write(made, &bytes);
            EVP_PKEY *read = signing_pkcs8_read(profile, bytes, size);
            assert_non_null(read);
            assert_same_key(made, read);
            EVP_PKEY_free(made);
            EVP_PKEY_free(read);
            OPENSSL_clear_free(bytes, size);
        }
    }
}

/* Under its own name, another one's, or none at all: the bytes say what kind it is. */
static void the_profile_is_not_believed(void **state)
{
    EVP_PKEY *made = generate(signing_profile(SIGNING_ES384));
    uint8_t *bytes;
    size_t size = signing_pkcs8_write(made, &bytes);

    (void)state;
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        EVP_PKEY *read = signing_pkcs8_read(signing_profile(kinds[i]), bytes, size);
        assert_non_null(read);
        assert_same_key(made, read);
        assert_int_equal(signing_profile_fits(signing_profile(kinds[i]), read, NULL),
                         kinds[i] == SIGNING_ES384);
        EVP_PKEY_free(read);
    }
    OPENSSL_clear_free(bytes, size);
    EVP_PKEY_free(made);
}

/* RFC 5915: the public part may be left out. */
static void an_unusual_form_is_libcryptos(void **state)
{
    const struct signing_profile *profile = signing_profile(SIGNING_ES256);
    EVP_PKEY *made = generate(profile);
    uint8_t *bytes;

    (void)state;
    assert_int_equal(EVP_PKEY_set_int_param(made, "include-public", 0), 1);
    size_t size = signing_pkcs8_write(made, &bytes);
    assert_in_range(size, 60, 80); /* it is indeed without */
    EVP_PKEY *read = signing_pkcs8_read(profile, bytes, size);
    assert_non_null(read);
    assert_int_equal(EVP_PKEY_eq(made, read), 1);
    EVP_PKEY_free(read);
    EVP_PKEY_free(made);
    OPENSSL_clear_free(bytes, size);
}

/* Copied to the heap at their exact size, so that valgrind and ASan see a byte too far. */
static bool reads(const struct signing_profile *profile, const uint8_t *bytes, size_t size)
{
    uint8_t *copy = malloc(size + 1);

    assert_non_null(copy);
    uint8_t *end = copy + 1; /* the last `size` bytes */
    memcpy(end, bytes, size);
    EVP_PKEY *read = signing_pkcs8_read(profile, end, size);
    EVP_PKEY_free(read);
    free(copy);
    return read != NULL;
}

static void damaged_bytes_are_no_key(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        const struct signing_profile *profile = signing_profile(kinds[i]);
        EVP_PKEY *made = generate(profile);
        uint8_t *bytes, longer[SIGNING_SEALED_MAX] = {0};
        size_t size = signing_pkcs8_write(made, &bytes);
        EVP_PKEY_free(made);
        assert_true(reads(profile, bytes, size));
        for (size_t cut = 0; cut < size; cut += cut < 64 ? 1 : 61) {
            assert_false(reads(profile, bytes, cut));
        }
        memcpy(longer, bytes, size);
        assert_false(reads(profile, longer, size + 1)); /* to the last byte */
        for (size_t at = 0; at < size; at += at < 64 ? 1 : 61) {
            longer[at] ^= 0x41; /* a key or none: not a crash */
            (void)reads(profile, longer, size);
            longer[at] ^= 0x41;
        }
        OPENSSL_clear_free(bytes, size);
    }
    assert_false(reads(signing_profile(SIGNING_ES256), (const uint8_t *)"junk", 4));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(keys_come_back),
        cmocka_unit_test(the_profile_is_not_believed),
        cmocka_unit_test(an_unusual_form_is_libcryptos),
        cmocka_unit_test(damaged_bytes_are_no_key),
    };

    return cmocka_run_group_tests(tests, NULL, bench_close);
}
