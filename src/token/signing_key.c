/* SPDX-License-Identifier: ISC */
/* signing_key.c: one key with one algorithm, made, sealed and opened again. Knows secrets and
 * sealing; a key pair is signing_pair.c's. Does not know JSON Web Tokens, states or realms. */
#include "token/signing_key.h"

#include <stdio.h>
#include <string.h>

#include <openssl/crypto.h>
#include <openssl/err.h>

#include "base/codec.h"
#include "base/secret.h"
#include "token/signing_jwk.h"
#include "token/signing_numbers.h"
#include "token/signing_pair.h"
#include "token/signing_weak.h"
#include "token/signing_pem.h"

enum { SECRET_KID_BYTES = 16, ABOUT_MAX = SIGNING_KID_MAX + 64 };

struct signing_key {
    enum signing_algorithm algorithm;
    const struct signing_profile *profile;
    char kid[SIGNING_KID_MAX + 1];
    struct signing_pair *pair; /* NULL: a secret */
    struct crypto_mac *mac;
    size_t secret_size;
    uint8_t secret[SIGNING_SECRET_MAX];
};

static struct signing_key *generate(enum signing_algorithm algorithm, const char *kid,
                                    const struct randomness *randomness, struct fault *fault);
static struct signing_key *key_from_random(enum signing_algorithm algorithm, const char *kid,
                                           const struct randomness *randomness,
                                           struct fault *fault);
static struct signing_key *key_from_pkey(enum signing_algorithm algorithm, EVP_PKEY *pkey,
                                         const char *kid, struct fault *fault);
static struct signing_key *key_open(enum signing_algorithm algorithm, struct text bytes,
                                    const char *kid, struct fault *fault);
static bool is_one_pair(const struct signing_key *key);
static struct text sealed_about(enum signing_algorithm algorithm, const char *kid, char *room,
                                size_t size);

static bool compute_mac(const struct signing_key *key, struct text input, uint8_t *mac);

/* ---- making ---- */

/* A kid of our own that begins with a dash would be an option to whoever types it: another key then
 * gets another one. */
struct signing_key *signing_key_generate(enum signing_algorithm algorithm, const char *kid,
                                         const struct randomness *randomness, struct fault *fault)
{
    enum { TRIES = 8 };
    struct signing_key *key = generate(algorithm, kid, randomness, fault);

    for (int i = 1; key != NULL && kid == NULL && signing_key_kid(key)[0] == '-' && i < TRIES;
         i++) {
        signing_key_close(key);
        key = generate(algorithm, kid, randomness, fault);
    }
    return key;
}

static struct signing_key *generate(enum signing_algorithm algorithm, const char *kid,
                                    const struct randomness *randomness, struct fault *fault)
{
    if (signing_algorithm_is_secret(algorithm)) {
        return key_from_random(algorithm, kid, randomness, fault);
    }
    EVP_PKEY *pkey = crypto_start() ? signing_profile_generate(signing_profile(algorithm)) : NULL;
    if (pkey == NULL) {
        ERR_clear_error();
        fault_set(fault, "libcrypto cannot generate a key for %s",
                  signing_algorithm_name(algorithm));
        return NULL;
    }
    return key_from_pkey(algorithm, pkey, kid, fault);
}

struct signing_key *signing_key_from_pem(enum signing_algorithm algorithm, struct text pem,
                                         const char *kid, struct fault *fault)
{
    if (signing_algorithm_is_secret(algorithm)) {
        fault_set(fault, "%s takes a secret, not a PEM key", signing_algorithm_name(algorithm));
        return NULL;
    }
    EVP_PKEY *pkey = signing_pem_private(pem, fault);
    if (pkey == NULL) {
        return NULL;
    }
    struct signing_key *key = key_from_pkey(algorithm, pkey, kid, fault);
    if (key != NULL && !is_one_pair(key)) {
        signing_key_close(key);
        fault_set(fault, "the private key does not belong to the public key beside it");
        return NULL;
    }
    return key;
}

struct signing_key *signing_key_from_secret(enum signing_algorithm algorithm, struct text secret,
                                            const char *kid, struct fault *fault)
{
    return key_open(algorithm, secret, kid, fault);
}

bool signing_key_is_weak(const struct signing_key *key, struct fault *fault)
{
    return key->pair == NULL &&
           signing_weak_secret((struct text){(const char *)key->secret, key->secret_size}, fault);
}

void signing_key_close(struct signing_key *key)
{
    if (key != NULL) {
        signing_pair_close(key->pair);
        crypto_mac_close(key->mac);
        OPENSSL_clear_free(key, sizeof *key);
    }
}

static struct signing_key *key_from_random(enum signing_algorithm algorithm, const char *kid,
                                           const struct randomness *randomness, struct fault *fault)
{
    uint8_t secret[CRYPTO_LONG_HASH_MAX];
    size_t size = signing_profile(algorithm)->mac;
    struct signing_key *key = NULL;

    if (!randomness_fill(randomness, secret, size)) {
        fault_set(fault, "no randomness for a signing key");
    } else {
        key = signing_key_from_secret(algorithm, (struct text){(const char *)secret, size}, kid,
                                      fault);
    }
    secret_wipe(secret, sizeof secret);
    return key;
}

/* Frees pkey. */
static struct signing_key *key_from_pkey(enum signing_algorithm algorithm, EVP_PKEY *pkey,
                                         const char *kid, struct fault *fault)
{
    const struct signing_profile *profile = signing_profile(algorithm);
    uint8_t bytes[SIGNING_NUMBERS_MAX];
    struct signing_key *key = NULL;

    if (signing_profile_fits(profile, pkey, fault)) {
        size_t size = signing_numbers_write(profile, pkey, bytes);
        if (size == 0) {
            fault_set(fault, "the key's numbers cannot be read; what is needed is %s",
                      profile->wanted);
        } else {
            key = key_open(algorithm, (struct text){(const char *)bytes, size}, kid, fault);
        }
    }
    secret_wipe(bytes, sizeof bytes);
    EVP_PKEY_free(pkey);
    ERR_clear_error();
    return key;
}

/* A file put together by hand may hold a private part that does not belong to its public part. */
static bool is_one_pair(const struct signing_key *key)
{
    struct text sample = TEXT("retoken");
    uint8_t signature[SIGNING_SIGNATURE_MAX];
    size_t size = sizeof signature;

    return signing_key_sign(key, sample, signature, &size) &&
           signing_key_verify(key, sample, signature, size);
}

/* ---- opening ---- */

static bool open_secret(struct signing_key *key, struct text secret, struct fault *fault)
{
    if (secret.size < SIGNING_SECRET_MIN || secret.size > SIGNING_SECRET_MAX) {
        fault_set(fault, "the secret has %zu bytes; %s needs %d to %d", secret.size,
                  signing_algorithm_name(key->algorithm), (int)SIGNING_SECRET_MIN,
                  (int)SIGNING_SECRET_MAX);
        return false;
    }
    memcpy(key->secret, secret.data, secret.size);
    key->secret_size = secret.size;
    key->mac = crypto_mac_open(secret.data, secret.size);
    if (key->mac == NULL) {
        fault_set(fault, "libcrypto cannot prepare an HMAC key");
    }
    return key->mac != NULL;
}

static bool open_pair(struct signing_key *key, struct text numbers, struct fault *fault)
{
    key->pair = signing_pair_open(key->profile, numbers, fault);
    return key->pair != NULL;
}

/* A thumbprint of a secret would publish a hash of it, so a secret's id is a MAC of a fixed label.
 */
static bool secret_kid(struct signing_key *key)
{
    static const char label[] = "retoken 1 kid";
    uint8_t hash[CRYPTO_HASH_SIZE];

    if (!crypto_mac_compute(key->mac, label, sizeof label - 1, hash)) {
        return false;
    }
    codec_base64url_encode(hash, SECRET_KID_BYTES, key->kid);
    key->kid[codec_base64url_size(SECRET_KID_BYTES)] = '\0';
    return true;
}

static bool default_kid(struct signing_key *key)
{
    return key->pair == NULL
               ? secret_kid(key)
               : signing_jwk_thumbprint(key->profile, signing_pair_numbers(key->pair), key->kid);
}

static bool set_kid(struct signing_key *key, const char *kid, struct fault *fault)
{
    struct text given = text_of(kid);

    if (given.size == 0 && !default_kid(key)) {
        fault_set(fault, "out of memory for the key's thumbprint");
    } else if (given.size != 0 && !signing_key_kid_valid(given)) {
        fault_set(fault, "a key id must be 1 to %d characters out of A-Z a-z 0-9 . _ -",
                  (int)SIGNING_KID_MAX);
    } else {
        return given.size == 0 || text_copy(given, key->kid, sizeof key->kid);
    }
    return false;
}

/* From the bytes that are sealed: a secret, or the raw numbers of a pair. */
static struct signing_key *key_open(enum signing_algorithm algorithm, struct text bytes,
                                    const char *kid, struct fault *fault)
{
    struct signing_key *key = OPENSSL_zalloc(sizeof *key);

    if (key == NULL) {
        fault_set(fault, "out of memory for a signing key");
        return NULL;
    }
    key->algorithm = algorithm;
    key->profile = signing_profile(algorithm);
    if ((signing_algorithm_is_secret(algorithm) ? open_secret(key, bytes, fault)
                                                : open_pair(key, bytes, fault)) &&
        set_kid(key, kid, fault)) {
        return key;
    }
    signing_key_close(key);
    return NULL;
}

/* ---- facts ---- */

bool signing_key_kid_valid(struct text kid)
{
    for (size_t i = 0; i < kid.size; i++) {
        char c = kid.data[i];
        if (!((c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') ||
              c == '.' || c == '_' || c == '-')) {
            return false;
        }
    }
    return kid.size >= 1 && kid.size <= SIGNING_KID_MAX;
}

enum signing_algorithm signing_key_algorithm(const struct signing_key *key)
{
    return key->algorithm;
}

const char *signing_key_kid(const struct signing_key *key)
{
    return key->kid;
}

bool signing_key_jwk(const struct signing_key *key, struct json_out *out)
{
    if (key->pair == NULL) {
        return false;
    }
    signing_jwk_write(key->profile, signing_pair_numbers(key->pair),
                      signing_algorithm_name(key->algorithm), key->kid, out);
    return true;
}

/* ---- sealing ---- */

bool signing_key_seal(const struct signing_key *key, const struct secrets *secrets,
                      const struct randomness *randomness, struct signing_row *row,
                      struct fault *fault)
{
    char room[ABOUT_MAX];
    uint8_t nonce[12];
    struct text plain = signing_key_bytes(key);

    if (plain.size + CRYPTO_SEAL_EXTRA > sizeof row->sealed) {
        fault_set(fault, "the key %s is too large to be stored", key->kid);
    } else if (!randomness_fill(randomness, nonce, sizeof nonce)) {
        fault_set(fault, "no randomness to seal the key %s", key->kid);
    } else if (!crypto_seal(secrets->sealing, nonce,
                            sealed_about(key->algorithm, key->kid, room, sizeof room), plain.data,
                            plain.size, row->sealed)) {
        fault_set(fault, "libcrypto cannot seal the key %s", key->kid);
    } else {
        row->sealed_size = (uint16_t)(plain.size + CRYPTO_SEAL_EXTRA);
        row->algorithm = key->algorithm;
        memcpy(row->kid, key->kid, sizeof row->kid);
        return true;
    }
    return false;
}

struct signing_key *signing_key_unseal(const struct signing_row *row, const struct secrets *secrets,
                                       struct fault *fault)
{
    char room[ABOUT_MAX];
    uint8_t plain[SIGNING_SEALED_MAX];
    struct signing_key *key = NULL;

    if (!signing_key_kid_valid(text_of(row->kid)) || row->sealed_size <= CRYPTO_SEAL_EXTRA ||
        row->sealed_size > sizeof row->sealed) {
        fault_set(fault, "signing key: the stored row is damaged");
        return NULL;
    }
    if (!crypto_open_seal(secrets->sealing,
                          sealed_about(row->algorithm, row->kid, room, sizeof room), row->sealed,
                          row->sealed_size, plain)) {
        fault_set(fault, "was not sealed under this master secret");
    } else {
        size_t size = row->sealed_size - (size_t)CRYPTO_SEAL_EXTRA;
        key = key_open(row->algorithm, (struct text){(const char *)plain, size}, row->kid, fault);
    }
    if (key == NULL) {
        fault_prefix(fault, "signing key %s", row->kid);
    }
    secret_wipe(plain, sizeof plain);
    return key;
}

struct text signing_key_bytes(const struct signing_key *key)
{
    return key->pair != NULL ? signing_pair_bytes(key->pair)
                             : (struct text){(const char *)key->secret, key->secret_size};
}

/* Binds the sealed bytes to their layout and to the row's own words, so that rows cannot be mixed
 * by hand. */
static struct text sealed_about(enum signing_algorithm algorithm, const char *kid, char *room,
                                size_t size)
{
    int length =
        snprintf(room, size, "retoken 2 signing key %s %s", signing_algorithm_name(algorithm), kid);

    return (struct text){room, length > 0 ? (size_t)length : 0};
}

/* ---- signing ---- */

bool signing_key_sign(const struct signing_key *key, struct text input, uint8_t *signature,
                      size_t *size)
{
    if (key->pair != NULL) {
        return signing_pair_sign(key->pair, input, signature, size);
    } else if (*size < key->profile->mac) {
        return false;
    }
    *size = key->profile->mac;
    return compute_mac(key, input, signature);
}

static bool compute_mac(const struct signing_key *key, struct text input, uint8_t *mac)
{
    return key->profile->mac == CRYPTO_HASH_SIZE
               ? crypto_mac_compute(key->mac, input.data, input.size, mac)
               : crypto_long_mac(key->profile->mac, key->secret, key->secret_size, input.data,
                                 input.size, mac);
}

bool signing_key_verify(const struct signing_key *key, struct text input, const uint8_t *signature,
                        size_t size)
{
    bool ignored;

    return signing_key_check(key, input, signature, size, &ignored);
}

bool signing_key_check(const struct signing_key *key, struct text input, const uint8_t *signature,
                       size_t size, bool *failed)
{
    uint8_t hash[CRYPTO_LONG_HASH_MAX];

    *failed = false;
    if (key->pair != NULL) {
        return signing_pair_check(key->pair, input, signature, size, failed);
    }
    *failed = !compute_mac(key, input, hash);
    bool good = !*failed && size == key->profile->mac && secret_equal(hash, signature, size);
    secret_wipe(hash, sizeof hash);
    return good;
}
