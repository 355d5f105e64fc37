/* crypto.c: libcrypto's SHA-256, HMAC, HKDF, AES-256-GCM and random generator. Knows parameters of
 * algorithms; does not know tokens, records or what a key is for. */
/* SHA256_CTX is the one way libcrypto has to keep a half-done hash as a plain value. */
#define OPENSSL_SUPPRESS_DEPRECATED
#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/kdf.h>
#include <openssl/params.h>
#include <openssl/rand.h>
#include <openssl/sha.h>
#include <limits.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "base/crypto.h"
#include "base/secret.h"

enum { NONCE_SIZE = 12, TAG_SIZE = 16 };

/* Fetched once: OpenSSL 3 otherwise looks an algorithm up by name, under a lock, at every use.
 * Never freed and never changed afterwards. */
static struct {
    EVP_MD *sha256;
    EVP_KDF *hkdf;
    EVP_CIPHER *aes_gcm;
} algorithms;

static void fetch_algorithms(void)
{
    algorithms.sha256 = EVP_MD_fetch(NULL, "SHA256", NULL);
    algorithms.hkdf = EVP_KDF_fetch(NULL, "HKDF", NULL);
    algorithms.aes_gcm = EVP_CIPHER_fetch(NULL, "AES-256-GCM", NULL);
}

static bool ready(void)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;

    return pthread_once(&once, fetch_algorithms) == 0 && algorithms.sha256 != NULL &&
           algorithms.hkdf != NULL && algorithms.aes_gcm != NULL;
}

/* ---- hash ---- */

bool crypto_sha256(const void *data, size_t size, uint8_t out[CRYPTO_HASH_SIZE])
{
    return ready() && EVP_Digest(data, size, out, NULL, algorithms.sha256, NULL) == 1;
}

/* ---- MAC ---- */

/* The two hashes of HMAC with their padded keys already in (RFC 2104 section 4), copied for each
 * use: no allocation, no lock, a quarter of the time of EVP_MAC_CTX_dup (0.4 us against 1.6 us). */
struct crypto_mac {
    SHA256_CTX inner;
    SHA256_CTX outer;
};

static bool start_hash(SHA256_CTX *hash, const uint8_t key[SHA256_CBLOCK], uint8_t pad)
{
    uint8_t block[SHA256_CBLOCK];
    bool done;

    for (size_t i = 0; i < sizeof block; i++) {
        block[i] = key[i] ^ pad;
    }
    done = SHA256_Init(hash) == 1 && SHA256_Update(hash, block, sizeof block) == 1;
    secret_wipe(block, sizeof block);
    return done;
}

struct crypto_mac *crypto_mac_open(const void *key, size_t size)
{
    struct crypto_mac *mac = calloc(1, sizeof *mac);
    uint8_t block[SHA256_CBLOCK] = {0};
    bool done = mac != NULL;

    if (done && size > sizeof block) {
        done = SHA256(key, size, block) != NULL;
    } else if (done && size > 0) {
        memcpy(block, key, size);
    }
    done = done && start_hash(&mac->inner, block, 0x36) && start_hash(&mac->outer, block, 0x5c);
    secret_wipe(block, sizeof block);
    if (!done) {
        crypto_mac_close(mac);
        return NULL;
    }
    return mac;
}

void crypto_mac_close(struct crypto_mac *mac)
{
    if (mac != NULL) {
        secret_wipe(mac, sizeof *mac);
        free(mac);
    }
}

bool crypto_mac_compute(const struct crypto_mac *mac, const void *data, size_t size,
                        uint8_t out[CRYPTO_HASH_SIZE])
{
    SHA256_CTX hash = mac->inner;
    uint8_t inner[CRYPTO_HASH_SIZE];
    bool done = SHA256_Update(&hash, data, size) == 1 && SHA256_Final(inner, &hash) == 1;

    hash = mac->outer;
    done = done && SHA256_Update(&hash, inner, sizeof inner) == 1 && SHA256_Final(out, &hash) == 1;
    secret_wipe(inner, sizeof inner);
    secret_wipe(&hash, sizeof hash);
    return done;
}

/* ---- key derivation ---- */

/* OSSL_PARAM has no const, though libcrypto only reads what we pass. */
static char sha256_name[] = "SHA256";

bool crypto_derive(const uint8_t secret[CRYPTO_KEY_SIZE], const char *label,
                   uint8_t out[CRYPTO_KEY_SIZE])
{
    uint8_t key[CRYPTO_KEY_SIZE];
    char info[256];
    EVP_KDF_CTX *context = NULL;
    bool done = false;

    if (!ready() || !text_copy(text_of(label), info, sizeof info)) {
        return false;
    }
    memcpy(key, secret, sizeof key);
    OSSL_PARAM params[] = {
        OSSL_PARAM_construct_utf8_string(OSSL_KDF_PARAM_DIGEST, sha256_name, 0),
        OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_KEY, key, sizeof key),
        OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_INFO, info, strlen(info)),
        OSSL_PARAM_construct_end(),
    };
    context = EVP_KDF_CTX_new(algorithms.hkdf);
    done = context != NULL && EVP_KDF_derive(context, out, CRYPTO_KEY_SIZE, params) == 1;
    EVP_KDF_CTX_free(context);
    secret_wipe(key, sizeof key);
    return done;
}

/* ---- sealing ---- */

/* Adds `about` to what is authenticated. `length` is libcrypto's and of no use to us. */
static bool authenticate(EVP_CIPHER_CTX *context, bool sealing, struct text about)
{
    const unsigned char *data = (const unsigned char *)about.data;
    int length;

    if (about.size == 0) {
        return true;
    }
    return about.size <= INT_MAX &&
           (sealing ? EVP_EncryptUpdate(context, NULL, &length, data, (int)about.size)
                    : EVP_DecryptUpdate(context, NULL, &length, data, (int)about.size)) == 1;
}

static bool encrypt(EVP_CIPHER_CTX *context, const uint8_t *key, struct text about,
                    const void *plain, size_t size, uint8_t *sealed)
{
    uint8_t *text = sealed + NONCE_SIZE;
    int length = 0;
    int last = 0;

    return EVP_EncryptInit_ex2(context, algorithms.aes_gcm, key, sealed, NULL) == 1 &&
           authenticate(context, true, about) &&
           (size == 0 || EVP_EncryptUpdate(context, text, &length, plain, (int)size) == 1) &&
           EVP_EncryptFinal_ex(context, text + length, &last) == 1 &&
           EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_GET_TAG, TAG_SIZE, text + size) == 1;
}

bool crypto_seal(const uint8_t key[CRYPTO_KEY_SIZE], const uint8_t nonce[12], struct text about,
                 const void *plain, size_t size, uint8_t *sealed)
{
    if (!ready() || size > INT_MAX) {
        return false;
    }
    EVP_CIPHER_CTX *context = EVP_CIPHER_CTX_new();
    memcpy(sealed, nonce, NONCE_SIZE);
    bool done = context != NULL && encrypt(context, key, about, plain, size, sealed);
    EVP_CIPHER_CTX_free(context);
    return done;
}

static bool decrypt(EVP_CIPHER_CTX *context, const uint8_t *key, struct text about,
                    const uint8_t *sealed, size_t size, uint8_t *plain)
{
    const uint8_t *text = sealed + NONCE_SIZE;
    uint8_t tag[TAG_SIZE];
    int length = 0;
    int last = 0;

    memcpy(tag, text + size, sizeof tag);
    return EVP_DecryptInit_ex2(context, algorithms.aes_gcm, key, sealed, NULL) == 1 &&
           authenticate(context, false, about) &&
           (size == 0 || EVP_DecryptUpdate(context, plain, &length, text, (int)size) == 1) &&
           EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_SET_TAG, TAG_SIZE, tag) == 1 &&
           EVP_DecryptFinal_ex(context, plain + length, &last) == 1;
}

bool crypto_open_seal(const uint8_t key[CRYPTO_KEY_SIZE], struct text about, const void *sealed,
                      size_t size, uint8_t *plain)
{
    if (!ready() || size < CRYPTO_SEAL_EXTRA || size - CRYPTO_SEAL_EXTRA > INT_MAX) {
        return false;
    }
    size_t plain_size = size - CRYPTO_SEAL_EXTRA;
    EVP_CIPHER_CTX *context = EVP_CIPHER_CTX_new();
    bool done = context != NULL && decrypt(context, key, about, sealed, plain_size, plain);
    EVP_CIPHER_CTX_free(context);
    if (!done) {
        secret_wipe(plain, plain_size); /* decrypted before the tag was looked at: not to be used */
    }
    return done;
}

/* ---- randomness ---- */

static bool system_fill(void *self, void *out, size_t size)
{
    (void)self;
    return RAND_priv_bytes_ex(NULL, out, size, 256) == 1;
}

struct randomness randomness_system(void)
{
    return (struct randomness){system_fill, NULL};
}

bool randomness_fill(const struct randomness *randomness, void *out, size_t size)
{
    return size == 0 || randomness->fill(randomness->self, out, size);
}
