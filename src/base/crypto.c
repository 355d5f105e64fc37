/* crypto.c: libcrypto's SHA-256, HMAC, HKDF, AES-256-GCM and random generator. Knows parameters of
 * algorithms; does not know tokens, records or what a key is for. */
#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/kdf.h>
#include <openssl/params.h>
#include <openssl/rand.h>
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
    EVP_MAC *hmac;
    EVP_KDF *hkdf;
    EVP_CIPHER *aes_gcm;
} algorithms;

static void fetch_algorithms(void)
{
    algorithms.sha256 = EVP_MD_fetch(NULL, "SHA256", NULL);
    algorithms.hmac = EVP_MAC_fetch(NULL, "HMAC", NULL);
    algorithms.hkdf = EVP_KDF_fetch(NULL, "HKDF", NULL);
    algorithms.aes_gcm = EVP_CIPHER_fetch(NULL, "AES-256-GCM", NULL);
}

static bool ready(void)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;

    return pthread_once(&once, fetch_algorithms) == 0 && algorithms.sha256 != NULL &&
           algorithms.hmac != NULL && algorithms.hkdf != NULL && algorithms.aes_gcm != NULL;
}

/* ---- hash ---- */

bool crypto_sha256(const void *data, size_t size, uint8_t out[CRYPTO_HASH_SIZE])
{
    return ready() && EVP_Digest(data, size, out, NULL, algorithms.sha256, NULL) == 1;
}

/* ---- MAC ---- */

struct crypto_mac {
    EVP_MAC_CTX *prepared; /* keyed and never updated: each computation works on a copy */
};

/* OSSL_PARAM has no const, though libcrypto only reads what we pass. */
static char sha256_name[] = "SHA256";

struct crypto_mac *crypto_mac_open(const void *key, size_t size)
{
    OSSL_PARAM params[] = {
        OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, sha256_name, 0),
        OSSL_PARAM_construct_end(),
    };
    struct crypto_mac *mac = ready() ? calloc(1, sizeof *mac) : NULL;

    if (mac == NULL) {
        return NULL;
    }
    /* A NULL key would mean "keep the key set before" to libcrypto; an empty one is what is meant.
     */
    const void *bytes = size == 0 ? "" : key;
    mac->prepared = EVP_MAC_CTX_new(algorithms.hmac);
    if (mac->prepared == NULL || EVP_MAC_init(mac->prepared, bytes, size, params) != 1) {
        crypto_mac_close(mac);
        return NULL;
    }
    return mac;
}

void crypto_mac_close(struct crypto_mac *mac)
{
    if (mac != NULL) {
        EVP_MAC_CTX_free(mac->prepared);
        free(mac);
    }
}

bool crypto_mac_compute(const struct crypto_mac *mac, const void *data, size_t size,
                        uint8_t out[CRYPTO_HASH_SIZE])
{
    EVP_MAC_CTX *context = EVP_MAC_CTX_dup(mac->prepared);
    size_t written = 0;
    bool done = context != NULL && (size == 0 || EVP_MAC_update(context, data, size) == 1) &&
                EVP_MAC_final(context, out, &written, CRYPTO_HASH_SIZE) == 1 &&
                written == CRYPTO_HASH_SIZE;

    EVP_MAC_CTX_free(context);
    return done;
}

/* ---- key derivation ---- */

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
