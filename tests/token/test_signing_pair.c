/* test_signing_pair.c: a pair is made at its first use, by whoever comes first, and serves any
 * number of threads. */
#include <pthread.h>
#include <string.h>

#include <openssl/ec.h>
#include <openssl/rsa.h>

#include "token/bench.h"
#include "token/signing_key.h"
#include "token/signing_pair.h"
#include "token/signing_pkcs8.h"

enum { THREADS = 20, ROUNDS = 25 }; /* more threads than seats */

static const struct text input = {"what is signed", 14};

/* A pair that is still bytes. */
static struct signing_pair *pair_of(enum signing_algorithm algorithm)
{
    const struct signing_profile *profile = signing_profile(algorithm);
    EVP_PKEY *pkey = profile->group != NULL    ? EVP_EC_gen(profile->group)
                     : profile->digest != NULL ? EVP_RSA_gen(2048)
                                               : EVP_PKEY_Q_keygen(NULL, NULL, profile->type);
    uint8_t *bytes;
    size_t size = signing_pkcs8_write(pkey, &bytes);
    struct signing_pair *pair = signing_pair_of_pkcs8(profile, bytes, size);

    OPENSSL_clear_free(bytes, size); /* it was copied */
    EVP_PKEY_free(pkey);
    assert_non_null(pair);
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
    for (int i = 0; i < ROUNDS; i++) {
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

/* A wrong signature, or too little room, does not spoil the context for the next one. */
static void failures_leave_nothing_behind(void **state)
{
    static const enum signing_algorithm algorithms[] = {
        SIGNING_RS256, SIGNING_RS512, SIGNING_PS256, SIGNING_ES256, SIGNING_ES384, SIGNING_EDDSA};

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

static void no_key_after_all(void **state)
{
    struct signing_pair *pair = signing_pair_of_pkcs8(signing_profile(SIGNING_ES256),
                                                      (const uint8_t *)"these are no key", 16);
    uint8_t signature[SIGNING_SIGNATURE_MAX] = {0};
    size_t size = sizeof signature;

    (void)state;
    assert_non_null(pair);
    for (int round = 0; round < 2; round++) {
        assert_null(signing_pair_pkey(pair));
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
        cmocka_unit_test(no_key_after_all),
    };

    return cmocka_run_group_tests(tests, NULL, bench_close);
}
