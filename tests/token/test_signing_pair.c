/* SPDX-License-Identifier: ISC */
/* test_signing_pair.c: a pair is made at its first use, in whichever thread that is, and serves any
 * number of threads. */
#include "token/fixture.h"

#include <pthread.h>
#include <string.h>

#include <openssl/bn.h>
#include <openssl/ec.h>
#include <openssl/ecdsa.h>
#include <openssl/rsa.h>

#include "base/valgrind.h"
#include "token/signing_key.h"
#include "token/signing_pair.h"

enum { THREADS = 20, ROUNDS = 25 };

static const struct text input = {"what is signed", 14};

/* A pair of which libcrypto's key is still to be made. */
static struct signing_pair *pair_from(const struct signing_profile *profile, const EVP_PKEY *pkey)
{
    uint8_t bytes[SIGNING_NUMBERS_MAX];
    size_t size = signing_numbers_write(profile, pkey, bytes);
    struct signing_pair *pair =
        signing_pair_open(profile, (struct text){(const char *)bytes, size}, NULL);

    assert_non_null(pair);
    memset(bytes, 0, sizeof bytes); /* they were copied */
    return pair;
}

static struct signing_pair *pair_of(enum signing_algorithm algorithm)
{
    const struct signing_profile *profile = signing_profile(algorithm);
    EVP_PKEY *pkey = fixture_new_pair(profile);
    struct signing_pair *pair = pair_from(profile, pkey);

    EVP_PKEY_free(pkey);
    return pair;
}

struct worker {
    pthread_t thread;
    pthread_barrier_t *start;
    struct signing_pair *pair;
    int failures;
};

static void *sign_and_verify(void *self)
{
    struct worker *worker = self;
    uint8_t signature[SIGNING_SIGNATURE_MAX];

    pthread_barrier_wait(worker->start);
    for (int i = 0; i < (is_under_valgrind() ? 1 : ROUNDS); i++) {
        size_t size = sizeof signature;
        worker->failures += !signing_pair_sign(worker->pair, input, signature, &size);
        worker->failures += !signing_pair_verify(worker->pair, input, signature, size);
        signature[size / 2] ^= 1;
        worker->failures += signing_pair_verify(worker->pair, input, signature, size);
    }
    return NULL;
}

static void first_used_by_many(enum signing_algorithm algorithm)
{
    struct worker workers[THREADS];
    pthread_barrier_t start;
    struct signing_pair *pair = pair_of(algorithm);

    pthread_barrier_init(&start, NULL, THREADS);
    for (size_t i = 0; i < THREADS; i++) {
        workers[i] = (struct worker){.start = &start, .pair = pair};
        assert_int_equal(pthread_create(&workers[i].thread, NULL, sign_and_verify, &workers[i]), 0);
    }
    for (size_t i = 0; i < THREADS; i++) {
        pthread_join(workers[i].thread, NULL);
        assert_int_equal(workers[i].failures, 0);
    }
    pthread_barrier_destroy(&start);
    signing_pair_close(pair);
}

static void many_threads_at_once(void **state)
{
    (void)state;
    first_used_by_many(SIGNING_ES256);
    first_used_by_many(SIGNING_RS256);
    first_used_by_many(SIGNING_PS256);
    first_used_by_many(SIGNING_EDDSA);
}

/* A wrong signature, or too little room, does not spoil the next use. */
static void failures_leave_nothing_behind(void **state)
{
    static const enum signing_algorithm algorithms[] = {SIGNING_RS256, SIGNING_RS512, SIGNING_PS256,
                                                        SIGNING_ES256, SIGNING_ES384, SIGNING_ES512,
                                                        SIGNING_EDDSA};

    (void)state;
    for (size_t i = 0; i < sizeof algorithms / sizeof algorithms[0]; i++) {
        struct signing_pair *pair = pair_of(algorithms[i]);
        const char *name = signing_algorithm_name(algorithms[i]);
        uint8_t signature[SIGNING_SIGNATURE_MAX];
        for (int round = 0; round < 3; round++) {
            size_t size = 8;
            assert_row(!signing_pair_sign(pair, input, signature, &size), name);
            size = sizeof signature;
            assert_row(signing_pair_sign(pair, input, signature, &size), name);
            signature[3] ^= 1;
            assert_row(!signing_pair_verify(pair, input, signature, size), name);
            signature[3] ^= 1;
            assert_row(!signing_pair_verify(pair, TEXT("something else"), signature, size), name);
            assert_row(signing_pair_verify(pair, input, signature, size), name);
        }
        signing_pair_close(pair);
    }
}

/* libcrypto signs and verifies the same in its own form, so the two numbers are where they belong,
 * whatever their length. */
static void ecdsa_is_libcryptos_in_another_form(void **state)
{
    const struct signing_profile *profile = signing_profile(SIGNING_ES256);
    EVP_PKEY *pkey = fixture_new_pair(profile);
    struct signing_pair *pair = pair_from(profile, pkey);
    const uint8_t *data = (const uint8_t *)input.data;

    (void)state;
    for (int round = 0; round < (is_under_valgrind() ? 20 : 600);
         round++) { /* r or s is short once in 128 */
        uint8_t raw[64], der[80];
        uint8_t *to = der;
        const uint8_t *from = der;
        size_t size = sizeof raw;
        EVP_MD_CTX *context = EVP_MD_CTX_new();
        ECDSA_SIG *numbers = ECDSA_SIG_new();
        assert_true(signing_pair_sign(pair, input, raw, &size) && size == 64);
        assert_int_equal(
            ECDSA_SIG_set0(numbers, BN_bin2bn(raw, 32, NULL), BN_bin2bn(raw + 32, 32, NULL)), 1);
        size = (size_t)i2d_ECDSA_SIG(numbers, &to);
        ECDSA_SIG_free(numbers);
        assert_true(EVP_DigestVerifyInit_ex(context, NULL, "SHA256", NULL, NULL, pkey, NULL) == 1 &&
                    EVP_DigestVerify(context, der, size, data, input.size) == 1);
        EVP_MD_CTX_reset(context);
        size = sizeof der;
        assert_true(EVP_DigestSignInit_ex(context, NULL, "SHA256", NULL, NULL, pkey, NULL) == 1 &&
                    EVP_DigestSign(context, der, &size, data, input.size) == 1);
        numbers = d2i_ECDSA_SIG(NULL, &from, (long)size);
        assert_non_null(numbers);
        assert_int_equal(BN_bn2binpad(ECDSA_SIG_get0_r(numbers), raw, 32), 32);
        assert_int_equal(BN_bn2binpad(ECDSA_SIG_get0_s(numbers), raw + 32, 32), 32);
        assert_true(signing_pair_verify(pair, input, raw, sizeof raw));
        ECDSA_SIG_free(numbers);
        EVP_MD_CTX_free(context);
    }
    EVP_PKEY_free(pkey);
    signing_pair_close(pair);
}

/* RFC 7518 section 3.5: MGF1 with the same hash, a salt of the hash's size; no other is taken. */
static void pss_has_one_padding(void **state)
{
    static const int salts[] = {32, 20, 0};
    const struct signing_profile *profile = signing_profile(SIGNING_PS256);
    EVP_PKEY *pkey = fixture_new_pair(profile);
    struct signing_pair *pair = pair_from(profile, pkey);
    uint8_t signature[SIGNING_SIGNATURE_MAX];

    (void)state;
    for (size_t i = 0; i < sizeof salts / sizeof salts[0]; i++) {
        EVP_MD_CTX *context = EVP_MD_CTX_new();
        EVP_PKEY_CTX *options;
        size_t size = sizeof signature;
        assert_true(
            EVP_DigestSignInit_ex(context, &options, "SHA256", NULL, NULL, pkey, NULL) == 1 &&
            EVP_PKEY_CTX_set_rsa_padding(options, RSA_PKCS1_PSS_PADDING) == 1 &&
            EVP_PKEY_CTX_set_rsa_pss_saltlen(options, salts[i]) == 1 &&
            EVP_DigestSign(context, signature, &size, (const uint8_t *)input.data, input.size) ==
                1);
        assert_int_equal(signing_pair_verify(pair, input, signature, size), salts[i] == 32);
        EVP_MD_CTX_free(context);
    }
    EVP_PKEY_free(pkey);
    signing_pair_close(pair);
}

/* A public key that was given alone. */
static void verifies_once_with_a_public_key(void **state)
{
    static const enum signing_algorithm algorithms[] = {SIGNING_RS256, SIGNING_PS256, SIGNING_ES256,
                                                        SIGNING_EDDSA};

    (void)state;
    for (size_t i = 0; i < sizeof algorithms / sizeof algorithms[0]; i++) {
        const struct signing_profile *profile = signing_profile(algorithms[i]);
        EVP_PKEY *pkey = fixture_new_pair(profile), *other = fixture_new_pair(profile);
        struct signing_pair *pair = pair_from(profile, pkey);
        uint8_t signature[SIGNING_SIGNATURE_MAX];
        size_t size = sizeof signature;
        bool failed;
        assert_true(signing_pair_sign(pair, input, signature, &size));
        assert_true(signing_pair_verify_with(profile, pkey, input, signature, size, &failed));
        assert_false(signing_pair_verify_with(profile, other, input, signature, size, &failed));
        assert_false(signing_pair_verify_with(profile, pkey, input, signature, size - 1, &failed));
        assert_false(failed);
        assert_false(signing_pair_verify_with(profile, pkey, input, signature, 0, &failed));
        signing_pair_close(pair);
        EVP_PKEY_free(pkey);
        EVP_PKEY_free(other);
    }
}

static void no_key_after_all(void **state)
{
    const struct signing_profile *profile = signing_profile(SIGNING_ES256);
    char not_on_the_curve[3 * 32];
    struct fault fault = {""};
    uint8_t signature[SIGNING_SIGNATURE_MAX] = {0};
    size_t size = sizeof signature;

    (void)state;
    assert_null(signing_pair_open(profile, TEXT("these are no numbers"), &fault));
    assert_non_null(strstr(fault.text, "P-256"));

    memset(not_on_the_curve, 7, sizeof not_on_the_curve);
    struct signing_pair *pair =
        signing_pair_open(profile, (struct text){not_on_the_curve, sizeof not_on_the_curve}, NULL);
    assert_non_null(pair);
    for (int round = 0; round < 2; round++) {
        assert_false(signing_pair_ready(pair));
        assert_false(signing_pair_sign(pair, input, signature, &size));
        assert_false(signing_pair_verify(pair, input, signature, 64));
    }
    signing_pair_close(pair);
    signing_pair_close(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(many_threads_at_once),
        cmocka_unit_test(failures_leave_nothing_behind),
        cmocka_unit_test(ecdsa_is_libcryptos_in_another_form),
        cmocka_unit_test(pss_has_one_padding),
        cmocka_unit_test(verifies_once_with_a_public_key),
        cmocka_unit_test(no_key_after_all),
    };

    return cmocka_run_group_tests(tests, NULL, fixture_close);
}
