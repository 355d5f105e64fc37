/* SPDX-License-Identifier: ISC */
/* test_crypto.c: published vectors, keys used from many threads, and seals that do not open when
 * anything about them changed. */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/kdf.h>
#include <openssl/params.h>
#include <openssl/rand.h>

#include "base/codec.h"
#include "base/crypto.h"
#include "base/expect.h"

/* Bytes from hexadecimal digits; returns how many. */
static size_t unhex(const char *digits, uint8_t *out)
{
    size_t size = strlen(digits) / 2;

    assert_true(codec_hex_decode(text_of(digits), out, size));
    return size;
}

static void expect_hex(const uint8_t *bytes, size_t size, const char *digits)
{
    char text[512];

    codec_hex_encode(bytes, size, text);
    assert_string_equal(text, digits);
}

static void test_sha256(void **state)
{
    uint8_t hash[CRYPTO_HASH_SIZE];
    (void)state;

    assert_true(crypto_sha256("abc", 3, hash)); /* FIPS 180-4 examples */
    expect_hex(hash, sizeof hash,
               "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    assert_true(crypto_sha256(NULL, 0, hash));
    expect_hex(hash, sizeof hash,
               "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
}

static void test_mac_vectors(void **state)
{
    static const struct row {
        const char *key, *data, *mac;
    } rows[] = {
        /* RFC 4231 section 4 */
        {"0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b", "4869205468657265",
         "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7"},
        {"4a656665", "7768617420646f2079612077616e7420666f72206e6f7468696e673f",
         "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"},
        {"0102030405060708090a0b0c0d0e0f10111213141516171819",
         "cdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdc"
         "dcd"
         "cdcdcdcd",
         "82558a389a443c0ea4cc819899f2083a85f0faa3e578f8077a2e3ff46729665b"},
        /* nothing under no key */
        {"", "", "b613679a0814d9ec772f95d778c35fc5ff1697c493715653c6c712144292c5ad"},
    };
    (void)state;

    for (size_t i = 0; i < COUNT(rows); i++) {
        uint8_t key[64], data[64], out[CRYPTO_HASH_SIZE];
        struct crypto_mac *mac = crypto_mac_open(key, unhex(rows[i].key, key));
        assert_non_null(mac);
        size_t size = unhex(rows[i].data, data);
        for (int again = 0; again < 3; again++) {
            assert_true(crypto_mac_compute(mac, data, size, out));
            expect_hex(out, sizeof out, rows[i].mac);
        }
        crypto_mac_close(mac);
    }
    crypto_mac_close(NULL);
}

static void test_mac_without_key(void **state)
{
    uint8_t out[CRYPTO_HASH_SIZE];
    struct crypto_mac *mac = crypto_mac_open(NULL, 0);
    (void)state;

    assert_non_null(mac);
    assert_true(crypto_mac_compute(mac, NULL, 0, out));
    expect_hex(out, sizeof out, "b613679a0814d9ec772f95d778c35fc5ff1697c493715653c6c712144292c5ad");
    crypto_mac_close(mac);
}

static void test_mac_long_key(void **state)
{
    uint8_t key[131];
    uint8_t out[CRYPTO_HASH_SIZE];
    struct text data = TEXT("Test Using Larger Than Block-Size Key - Hash Key First");
    (void)state;

    memset(key, 0xaa, sizeof key);
    struct crypto_mac *mac = crypto_mac_open(key, sizeof key);
    memset(key, 0, sizeof key); /* the key was copied */
    assert_true(crypto_mac_compute(mac, data.data, data.size, out));
    expect_hex(out, sizeof out, "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54");
    crypto_mac_close(mac);
}

/* RFC 4231 section 4, test cases 1, 2 and 6 */
static void test_long_mac(void **state)
{
    uint8_t ones[20], many[131];
    const struct {
        struct text key;
        const char *data, *mac384, *mac512;
    } rows[] = {
        {{(const char *)ones, sizeof ones},
         "Hi There",
         "afd03944d84895626b0825f4ab46907f15f9dadbe4101ec682aa034c7cebc59c"
         "faea9ea9076ede7f4af152e8b2fa9cb6",
         "87aa7cdea5ef619d4ff0b4241a1d6cb02379f4e2ce4ec2787ad0b30545e17cde"
         "daa833b7d6b8a702038b274eaea3f4e4be9d914eeb61f1702e696c203a126854"},
        {LITERAL("Jefe"), "what do ya want for nothing?",
         "af45d2e376484031617f78d2b58a6b1b9c7ef464f5a01b47e42ec3736322445e"
         "8e2240ca5e69e2c78b3239ecfab21649",
         "164b7a7bfcf819e2e395fbe73b56e0a387bd64222e831fd610270cd7ea250554"
         "9758bf75c05a994a6d034f65f8f0e6fdcaeab1a34d4a6b4b636e070a38bce737"},
        {{(const char *)many, sizeof many},
         "Test Using Larger Than Block-Size Key - Hash Key First",
         "4ece084485813e9088d2c63a041bc5b44f9ef1012a2b588f3cd11f05033ac4c6"
         "0c2ef6ab4030fe8296248df163f44952",
         "80b24263c7c1a3ebb71493c1dd7be8b49b46d1f41b4aeec1121b013783f8f352"
         "6b56d037e05f2598bd0fd2215d6a1e5295e64f73f63f0aec8b915a985d786598"},
    };
    uint8_t out[CRYPTO_LONG_HASH_MAX];
    (void)state;

    memset(ones, 0x0b, sizeof ones);
    memset(many, 0xaa, sizeof many);
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct text key = rows[i].key, data = text_of(rows[i].data);

        assert_true(crypto_long_mac(48, key.data, key.size, data.data, data.size, out));
        expect_hex(out, 48, rows[i].mac384);
        assert_true(crypto_long_mac(64, key.data, key.size, data.data, data.size, out));
        expect_hex(out, 64, rows[i].mac512);
    }
}

enum { THREADS = 4, ROUNDS = 2000 };

struct worker {
    pthread_t thread;
    const struct crypto_mac *mac;
    uint32_t seed;
    uint8_t sum[CRYPTO_HASH_SIZE]; /* all results, xored */
    bool failed;
};

static void *compute_many(void *argument)
{
    struct worker *worker = argument;

    for (uint32_t i = 0; i < ROUNDS; i++) {
        uint8_t data[8], out[CRYPTO_HASH_SIZE];
        codec_put_u32(data, worker->seed);
        codec_put_u32(data + 4, i);
        worker->failed |= !crypto_mac_compute(worker->mac, data, sizeof data, out);
        for (size_t k = 0; k < sizeof out; k++) {
            worker->sum[k] ^= out[k];
        }
    }
    return NULL;
}

static void test_mac_from_many_threads(void **state)
{
    struct crypto_mac *mac = crypto_mac_open("key", 3);
    struct worker workers[THREADS] = {0};
    (void)state;

    for (uint32_t i = 0; i < THREADS; i++) {
        workers[i].mac = mac;
        workers[i].seed = i;
        assert_int_equal(pthread_create(&workers[i].thread, NULL, compute_many, &workers[i]), 0);
    }
    for (uint32_t i = 0; i < THREADS; i++) {
        struct worker alone = {.mac = mac, .seed = i};
        pthread_join(workers[i].thread, NULL);
        assert_false(workers[i].failed);
        compute_many(&alone);
        assert_memory_equal(alone.sum, workers[i].sum, sizeof alone.sum);
    }
    crypto_mac_close(mac);
}

/* The same by libcrypto (RFC 5869). */
static void hkdf_of_libcrypto(const uint8_t secret[32], const char *label, uint8_t out[32])
{
    char digest[] = "SHA256";
    EVP_KDF *hkdf = EVP_KDF_fetch(NULL, "HKDF", NULL);
    EVP_KDF_CTX *context = EVP_KDF_CTX_new(hkdf);
    OSSL_PARAM parameters[] = {
        OSSL_PARAM_construct_utf8_string(OSSL_KDF_PARAM_DIGEST, digest, 0),
        OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_KEY, (void *)secret, 32),
        OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_INFO, (void *)label, strlen(label)),
        OSSL_PARAM_construct_end(),
    };

    assert_int_equal(EVP_KDF_derive(context, out, 32, parameters), 1);
    EVP_KDF_CTX_free(context);
    EVP_KDF_free(hkdf);
}

static void test_derive(void **state)
{
    char longest[300], long_enough[256];
    const char *const labels[] = {"", "a", "retoken 1 store record", long_enough};
    uint8_t secret[32], derived[32], expected[32], other[32];
    (void)state;

    memset(secret, 0x42, sizeof secret);
    memset(long_enough, 'x', sizeof long_enough - 1);
    long_enough[sizeof long_enough - 1] = '\0';
    for (size_t i = 0; i < COUNT(labels); i++) {
        hkdf_of_libcrypto(secret, labels[i], expected);
        assert_true(crypto_derive(secret, labels[i], derived));
        assert_memory_equal(derived, expected, sizeof derived);
        secret[31] ^= 1;
        assert_true(crypto_derive(secret, labels[i], other));
        assert_memory_not_equal(other, derived, sizeof derived);
        secret[31] ^= 1;
    }
    /* A label is never cut: two that differ at their ends would give one key. */
    memset(longest, 'x', sizeof longest - 1);
    longest[sizeof long_enough] = '\0';
    assert_false(crypto_derive(secret, longest, derived));
}

/* Test cases 13 and 16 of McGrew and Viega's GCM specification. */
static void test_seal_vectors(void **state)
{
    uint8_t key[32] = {0}, nonce[12] = {0}, plain[60], about[20], sealed[88];
    (void)state;

    assert_true(crypto_seal(key, nonce, (struct text){NULL, 0}, NULL, 0, sealed));
    expect_hex(sealed, 28, "000000000000000000000000530f8afbc74536b9a963b4f1c4cb738b");
    unhex("feffe9928665731c6d6a8f9467308308feffe9928665731c6d6a8f9467308308", key);
    unhex("cafebabefacedbaddecaf888", nonce);
    unhex("feedfacedeadbeeffeedfacedeadbeefabaddad2", about);
    unhex("d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a72"
          "1c3c0c95956809532fcf0e2449a6b525b16aedf5aa0de657ba637b39",
          plain);
    assert_true(
        crypto_seal(key, nonce, (struct text){(char *)about, sizeof about}, plain, 60, sealed));
    expect_hex(sealed, sizeof sealed,
               "cafebabefacedbaddecaf888"
               "522dc1f099567d07f47f37a32a84427d643a8cdcbfe5c0c97598a2bd2555d1aa"
               "8cb08e48590dbb3da7b08b1056828838c5f61e6393ba7a0abcc9f662"
               "76fc6ece0f4e1768cddf8853bb2d551b");
}

static void test_seal_opens_only_unchanged(void **state)
{
    static const uint8_t nonce[12] = {9, 8, 7};
    uint8_t key[32] = {1}, sealed[5 + CRYPTO_SEAL_EXTRA], plain[5];
    struct text about = TEXT("key 7");
    (void)state;

    assert_true(crypto_seal(key, nonce, about, "hello", 5, sealed));
    assert_true(crypto_open_seal(key, about, sealed, sizeof sealed, plain));
    assert_memory_equal(plain, "hello", 5);
    for (size_t bit = 0; bit < 8 * sizeof sealed; bit++) {
        sealed[bit / 8] ^= (uint8_t)(1U << bit % 8);
        memset(plain, 0xcc, sizeof plain);
        assert_false(crypto_open_seal(key, about, sealed, sizeof sealed, plain));
        assert_memory_equal(plain, "\0\0\0\0\0", 5); /* nothing half-opened is left lying about */
        sealed[bit / 8] ^= (uint8_t)(1U << bit % 8);
    }
    assert_false(crypto_open_seal(key, TEXT("key 8"), sealed, sizeof sealed, plain));
    assert_false(crypto_open_seal(key, (struct text){NULL, 0}, sealed, sizeof sealed, plain));
    for (size_t size = 0; size < sizeof sealed; size++) {
        assert_false(crypto_open_seal(key, about, sealed, size, plain));
    }
    key[0] ^= 1;
    assert_false(crypto_open_seal(key, about, sealed, sizeof sealed, plain));
}

static void test_seal_sizes(void **state)
{
    static const uint8_t key[32], nonce[12];
    static uint8_t plain[5000], sealed[5000 + CRYPTO_SEAL_EXTRA], opened[5000];
    (void)state;

    for (size_t i = 0; i < sizeof plain; i++) {
        plain[i] = (uint8_t)(i * 31);
    }
    for (size_t size = 0; size <= sizeof plain; size = size * 3 + 1) {
        assert_true(crypto_seal(key, nonce, (struct text){NULL, 0}, plain, size, sealed));
        assert_true(crypto_open_seal(key, (struct text){NULL, 0}, sealed, size + CRYPTO_SEAL_EXTRA,
                                     opened));
        assert_memory_equal(opened, plain, size);
    }
}

/* libcrypto starts once, so this file's program is run again for each way: with the name of the
 * random generator that should be there then. */
static int be_started(const char *generator)
{
    uint8_t key[32] = {1}, nonce[12] = {0}, plain[5], sealed[5 + CRYPTO_SEAL_EXTRA];

    assert_true(crypto_start());
    assert_true(crypto_start());
    EVP_RAND_CTX *primary = RAND_get0_primary(NULL);
    bool expected = primary != NULL && EVP_RAND_is_a(EVP_RAND_CTX_get0_rand(primary), generator);
    bool seals = crypto_seal(key, nonce, TEXT("about"), "hello", 5, sealed) &&
                 crypto_open_seal(key, TEXT("about"), sealed, sizeof sealed, plain) &&
                 memcmp(plain, "hello", 5) == 0;
    sealed[20] ^= 1;
    bool opens = crypto_open_seal(key, TEXT("about"), sealed, sizeof sealed, plain);
    return expected && seals && !opens ? 0 : 1;
}

/* Where no provider has what the configuration demands: what asks a provider fails, and what is
 * called directly works, as crypto.c and retoken.fcgi(8) say. */
static int be_started_without_provider(void)
{
    uint8_t key[32] = {1}, nonce[12] = {0}, sealed[5 + CRYPTO_SEAL_EXTRA], hash[CRYPTO_HASH_SIZE];
    struct randomness system = randomness_system();
    struct crypto_mac *mac = crypto_mac_open(key, sizeof key);
    bool direct = crypto_sha256("abc", 3, hash) && mac != NULL &&
                  crypto_mac_compute(mac, "abc", 3, hash) && crypto_derive(key, "label", hash);
    bool provided = crypto_seal(key, nonce, TEXT("about"), "hello", 5, sealed) ||
                    randomness_fill(&system, key, sizeof key) || EVP_EC_gen("P-256") != NULL;

    crypto_mac_close(mac);
    return direct && !provided ? 0 : 1;
}

static char *program; /* not /proc/self/exe, which under valgrind is valgrind */

static int start_again(char *generator, char *environment[])
{
    char *arguments[] = {program, generator, NULL};
    int status = -1;
    pid_t child = fork();

    if (child == 0) {
        execve(program, arguments, environment);
        _exit(9);
    }
    return child > 0 && waitpid(child, &status, 0) == child && WIFEXITED(status)
               ? WEXITSTATUS(status)
               : -1;
}

static void test_configuration_is_the_operators(void **state)
{
    (void)state;

    assert_int_equal(start_again("HASH-DRBG", (char *[]){NULL}), 0);
    assert_int_equal(start_again("CTR-DRBG", (char *[]){"OPENSSL_CONF=/dev/null", NULL}), 0);
}

static void test_what_asks_a_provider(void **state)
{
    static const char configuration[] = "openssl_conf = start\n"
                                        "[start]\nalg_section = algorithms\n"
                                        "[algorithms]\ndefault_properties = maker=none\n";
    char variable[64];
    int file = memfd_create("openssl.cnf", 0);
    (void)state;

    assert_int_equal(write(file, configuration, sizeof configuration - 1),
                     sizeof configuration - 1);
    snprintf(variable, sizeof variable, "OPENSSL_CONF=/proc/self/fd/%d", file);
    assert_int_equal(start_again("none", (char *[]){variable, NULL}), 0);
    close(file);
}

static bool no_randomness(void *self, void *out, size_t size)
{
    (void)self;
    (void)out;
    (void)size;
    return false;
}

static void test_randomness(void **state)
{
    struct randomness system = randomness_system();
    struct randomness broken = {no_randomness, NULL};
    uint8_t a[32] = {0}, b[32] = {0};
    (void)state;

    assert_true(randomness_fill(&system, a, sizeof a));
    assert_true(randomness_fill(&system, b, sizeof b));
    assert_memory_not_equal(a, b, sizeof a);
    assert_true(randomness_fill(&system, NULL, 0));
    assert_false(randomness_fill(&broken, a, sizeof a));
}

/* The last test: it stays broken. */
static void test_broken_after_two_failures_in_a_row(void **state)
{
    struct crypto_use use = {0};
    (void)state;

    assert_false(crypto_fails_again(&use, false));
    assert_false(crypto_fails_again(&use, true));
    assert_false(crypto_fails_again(&use, false));
    assert_true(crypto_fails_again(&use, false));
    assert_false(crypto_fails_again(&use, false)); /* only once */
    assert_false(crypto_is_broken());
    crypto_break();
    assert_true(crypto_is_broken());
}

int main(int argc, char **argv)
{
    program = argv[0];
    if (argc == 2) {
        return strcmp(argv[1], "none") == 0 ? be_started_without_provider() : be_started(argv[1]);
    }
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_sha256),
        cmocka_unit_test(test_mac_vectors),
        cmocka_unit_test(test_mac_without_key),
        cmocka_unit_test(test_mac_long_key),
        cmocka_unit_test(test_long_mac),
        cmocka_unit_test(test_mac_from_many_threads),
        cmocka_unit_test(test_derive),
        cmocka_unit_test(test_seal_vectors),
        cmocka_unit_test(test_seal_opens_only_unchanged),
        cmocka_unit_test(test_seal_sizes),
        cmocka_unit_test(test_configuration_is_the_operators),
        cmocka_unit_test(test_what_asks_a_provider),
        cmocka_unit_test(test_randomness),
        cmocka_unit_test(test_broken_after_two_failures_in_a_row),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
