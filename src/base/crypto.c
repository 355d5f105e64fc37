/* SPDX-License-Identifier: ISC */
/* crypto.c: libcrypto's SHA-256, MD5, HMAC, HKDF, AES-256-GCM and random generator, and how
 * libcrypto is started. Knows parameters of algorithms; does not know tokens, records or what a key
 * is for. */
/* SHA256_CTX is the one way libcrypto has to keep a half-done hash as a plain value. */
#define OPENSSL_SUPPRESS_DEPRECATED
#include "base/crypto.h"

#include <limits.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/md5.h>
#include <openssl/rand.h>
#include <openssl/sha.h>

#include "base/secret.h"

enum { NONCE_SIZE = 12, TAG_SIZE = 16 };

static bool started;
static atomic_bool broken;

/* ---- start ---- */

/* A CGI script lives for one signature, so what libcrypto does at its first use counts:
 * - By default it reads and parses openssl.cnf, which names nothing that we use. An operator who
 *   wants another provider names a configuration in OPENSSL_CONF, and then libcrypto starts in its
 *   own way. The provider chosen there makes signatures, key pairs, seals and random numbers. The
 *   SHA-256, HMAC and HKDF of this file are called directly, and no provider sees them.
 * - It would list the names that OpenSSL 1 had for ciphers and digests, which providers bring
 *   themselves, and the texts of its errors, which we never show.
 * - Its random generator is by default one over AES. The one over SHA-256 (also of SP 800-90A, and
 *   as strong) needs none of the hundred ciphers that libcrypto sets up before it finds one, and is
 *   faster for the few bytes that a signature takes. */
static void start_libcrypto(void)
{
    bool ours = getenv("OPENSSL_CONF") == NULL;
    uint64_t options = OPENSSL_INIT_NO_LOAD_CONFIG | OPENSSL_INIT_NO_ADD_ALL_CIPHERS |
                       OPENSSL_INIT_NO_ADD_ALL_DIGESTS | OPENSSL_INIT_NO_LOAD_CRYPTO_STRINGS;

    started = OPENSSL_init_crypto(ours ? options : 0, NULL) == 1 &&
              OSSL_LIB_CTX_get0_global_default() != NULL;
    if (!started) {
        crypto_break();
    } else if (ours) {
        RAND_set_DRBG_type(NULL, "HASH-DRBG", NULL, NULL, "SHA256");
    }
}

bool crypto_start(void)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;

    pthread_once(&once, start_libcrypto);
    return started;
}

/* Without them, "CA signature digest algorithm too weak" is said of every certificate. */
bool crypto_start_tls(void)
{
    return crypto_start() && EVP_add_digest(EVP_sha1()) == 1 && EVP_add_digest(EVP_sha224()) == 1 &&
           EVP_add_digest(EVP_sha256()) == 1 && EVP_add_digest(EVP_sha384()) == 1 &&
           EVP_add_digest(EVP_sha512()) == 1;
}

bool crypto_fails_again(struct crypto_use *use, bool good)
{
    if (!good) {
        return atomic_fetch_add(&use->failures, 1) == 1;
    } else if (atomic_load_explicit(&use->failures, memory_order_relaxed) != 0) {
        atomic_store(&use->failures, 0);
    }
    return false;
}

void crypto_break(void)
{
    atomic_store(&broken, true);
}

bool crypto_is_broken(void)
{
    return atomic_load(&broken);
}

const char *crypto_library(void)
{
    return OpenSSL_version(OPENSSL_VERSION);
}

/* ---- hash ---- */

bool crypto_sha256(const void *data, size_t size, uint8_t out[CRYPTO_HASH_SIZE])
{
    SHA256_CTX hash;

    return SHA256_Init(&hash) == 1 && SHA256_Update(&hash, data, size) == 1 &&
           SHA256_Final(out, &hash) == 1;
}

bool crypto_md5(const void *data, size_t size, uint8_t out[CRYPTO_MD5_SIZE])
{
    MD5_CTX hash;
    bool done =
        MD5_Init(&hash) == 1 && MD5_Update(&hash, data, size) == 1 && MD5_Final(out, &hash) == 1;

    secret_wipe(&hash, sizeof hash);
    return done;
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

static bool start_mac(struct crypto_mac *mac, const void *key, size_t size)
{
    uint8_t block[SHA256_CBLOCK] = {0};
    bool done = true;

    if (size > sizeof block) {
        done = crypto_sha256(key, size, block);
    } else if (size > 0) {
        memcpy(block, key, size);
    }
    done = done && start_hash(&mac->inner, block, 0x36) && start_hash(&mac->outer, block, 0x5c);
    secret_wipe(block, sizeof block);
    return done;
}

struct crypto_mac *crypto_mac_open(const void *key, size_t size)
{
    struct crypto_mac *mac = calloc(1, sizeof *mac);

    if (mac != NULL) {
        secret_keep(mac, sizeof *mac);
    }
    if (mac != NULL && !start_mac(mac, key, size)) {
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
    struct {
        SHA256_CTX hash;
        uint8_t inner[CRYPTO_HASH_SIZE];
    } work;
    bool done;

    work.hash = mac->inner;
    done = SHA256_Update(&work.hash, data, size) == 1 && SHA256_Final(work.inner, &work.hash) == 1;
    work.hash = mac->outer;
    done = done && SHA256_Update(&work.hash, work.inner, sizeof work.inner) == 1 &&
           SHA256_Final(out, &work.hash) == 1;
    secret_wipe(&work, sizeof work);
    return done;
}

bool crypto_long_mac(size_t hash_size, const void *key, size_t key_size, const void *data,
                     size_t size, uint8_t out[CRYPTO_LONG_HASH_MAX])
{
    unsigned written = 0;
    const EVP_MD *hash = hash_size == 48 ? EVP_sha384() : EVP_sha512();

    return crypto_start() && key_size <= INT_MAX &&
           HMAC(hash, key, (int)key_size, data, size, out, &written) != NULL &&
           written == hash_size;
}

/* ---- key derivation ---- */

static bool mac_once(const void *key, size_t key_size, const void *data, size_t size,
                     uint8_t out[CRYPTO_HASH_SIZE])
{
    struct crypto_mac mac;
    bool done = start_mac(&mac, key, key_size) && crypto_mac_compute(&mac, data, size, out);

    secret_wipe(&mac, sizeof mac);
    return done;
}

/* Not by EVP_KDF, which would be looked up among the providers first: for a key of one block, HKDF
 * is two HMACs. */
bool crypto_derive(const uint8_t secret[CRYPTO_KEY_SIZE], const char *label,
                   uint8_t out[CRYPTO_KEY_SIZE])
{
    static const uint8_t no_salt[CRYPTO_HASH_SIZE];
    uint8_t extracted[CRYPTO_HASH_SIZE];
    char info[256];
    struct text name = text_of(label);
    bool done = false;

    if (text_copy(name, info, sizeof info)) {
        info[name.size] = 1; /* in the place of the NUL: the first and only block */
        done = mac_once(no_salt, sizeof no_salt, secret, CRYPTO_KEY_SIZE, extracted) &&
               mac_once(extracted, sizeof extracted, info, name.size + 1, out);
    }
    secret_wipe(extracted, sizeof extracted);
    return done;
}

/* ---- sealing ---- */

/* Gives back `good`. */
static bool tell(struct crypto_use *use, bool good)
{
    if (crypto_fails_again(use, good)) {
        crypto_break();
    }
    return good;
}

static EVP_CIPHER *aes_gcm;
static struct crypto_use seals;

/* Never freed. A copy of libcrypto's older description of the cipher is used as it is
 * (with the same constant-time AES); the cipher itself would be looked up after a hundred others
 * have been set up, for the one or two keys that a process opens. */
static void find_aes_gcm(void)
{
    if (!crypto_start()) {
        return;
    }
#if OPENSSL_VERSION_MAJOR < 4
    if (getenv("OPENSSL_CONF") == NULL) {
        aes_gcm = EVP_CIPHER_meth_dup(EVP_aes_256_gcm());
    }
#endif
    if (aes_gcm == NULL) {
        aes_gcm = EVP_CIPHER_fetch(NULL, "AES-256-GCM", NULL);
    }
}

/* Until it is found: memory may have been short. */
static bool can_seal(void)
{
    static pthread_mutex_t finding = PTHREAD_MUTEX_INITIALIZER;

    pthread_mutex_lock(&finding);
    if (aes_gcm == NULL) {
        find_aes_gcm();
    }
    bool found = aes_gcm != NULL;
    pthread_mutex_unlock(&finding);
    return found;
}

/* Adds `about` to what is authenticated. libcrypto wants room for a length, which is not used. */
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

    return EVP_EncryptInit_ex(context, aes_gcm, NULL, key, sealed) == 1 &&
           authenticate(context, true, about) &&
           (size == 0 || EVP_EncryptUpdate(context, text, &length, plain, (int)size) == 1) &&
           EVP_EncryptFinal_ex(context, text + length, &last) == 1 &&
           EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_GET_TAG, TAG_SIZE, text + size) == 1;
}

bool crypto_seal(const uint8_t key[CRYPTO_KEY_SIZE], const uint8_t nonce[12], struct text about,
                 const void *plain, size_t size, uint8_t *sealed)
{
    if (size > INT_MAX) {
        return false;
    }
    EVP_CIPHER_CTX *context = can_seal() ? EVP_CIPHER_CTX_new() : NULL;
    memcpy(sealed, nonce, NONCE_SIZE);
    bool done = context != NULL && encrypt(context, key, about, plain, size, sealed);
    EVP_CIPHER_CTX_free(context);
    return tell(&seals, done);
}

/* All but the check of the tag. */
static bool decrypt(EVP_CIPHER_CTX *context, const uint8_t *key, struct text about,
                    const uint8_t *sealed, size_t size, uint8_t *plain)
{
    const uint8_t *text = sealed + NONCE_SIZE;
    uint8_t tag[TAG_SIZE];
    int length;

    memcpy(tag, text + size, sizeof tag);
    return EVP_DecryptInit_ex(context, aes_gcm, NULL, key, sealed) == 1 &&
           authenticate(context, false, about) &&
           (size == 0 || EVP_DecryptUpdate(context, plain, &length, text, (int)size) == 1) &&
           EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_SET_TAG, TAG_SIZE, tag) == 1;
}

bool crypto_open_seal(const uint8_t key[CRYPTO_KEY_SIZE], struct text about, const void *sealed,
                      size_t size, uint8_t *plain)
{
    if (size < CRYPTO_SEAL_EXTRA || size - CRYPTO_SEAL_EXTRA > INT_MAX) {
        return false;
    }
    size_t plain_size = size - CRYPTO_SEAL_EXTRA;
    uint8_t nothing[TAG_SIZE];
    int last;
    EVP_CIPHER_CTX *context = can_seal() ? EVP_CIPHER_CTX_new() : NULL;
    bool decrypted = context != NULL && decrypt(context, key, about, sealed, plain_size, plain);
    bool done = tell(&seals, decrypted) && EVP_DecryptFinal_ex(context, nothing, &last) == 1;
    EVP_CIPHER_CTX_free(context);
    if (!done) {
        secret_wipe(plain, plain_size); /* decrypted before the tag was checked */
    }
    return done;
}

/* ---- randomness ---- */

static bool system_fill(void *self, void *out, size_t size)
{
    static struct crypto_use filling;

    (void)self;
    return crypto_start() && tell(&filling, RAND_priv_bytes_ex(NULL, out, size, 256) == 1);
}

struct randomness randomness_system(void)
{
    return (struct randomness){system_fill, NULL};
}

bool randomness_fill(const struct randomness *randomness, void *out, size_t size)
{
    return size == 0 || randomness->fill(randomness->self, out, size);
}
