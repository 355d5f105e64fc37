/* signing_pair.c: one key pair and the contexts that were prepared for it. Knows libcrypto, JWS's
 * signature formats and threads. Does not know kids, sealing or JSON Web Tokens.
 *
 * A prepared context serves one thread at a time, so idle ones wait in seats, and a thread looks
 * into its own seat first: no lock, and as a rule nobody else's cache line. */
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/params.h>
#include <openssl/rsa.h>

#include "token/signing_ecdsa.h"
#include "token/signing_pair.h"
#include "token/signing_pkcs8.h"

enum { SEATS = 8, CACHE_LINE = 64, DIGEST_NAME_MAX = 16 };

struct seat {
    _Atomic(EVP_PKEY_CTX *) idle;
    char apart[CACHE_LINE - sizeof(EVP_PKEY_CTX *)];
};

struct signing_pair {
    const struct signing_profile *profile;
    pthread_mutex_t making;
    _Atomic(EVP_PKEY *) pkey; /* NULL until it is needed */
    uint8_t *bytes;           /* what to make it from; NULL once that is done */
    size_t size;
    struct seat signers[SEATS];
    struct seat verifiers[SEATS];
    EVP_MD_CTX *whole_signer; /* Ed25519: set before pkey is, and copied by each signature */
    EVP_MD_CTX *whole_verifier;
};

/* ---- making ---- */

static struct signing_pair *pair_new(const struct signing_profile *profile)
{
    struct signing_pair *pair = calloc(1, sizeof *pair);

    if (pair != NULL) {
        pair->profile = profile;
        pthread_mutex_init(&pair->making, NULL);
    }
    return pair;
}

static void forget_whole(struct signing_pair *pair)
{
    EVP_MD_CTX_free(pair->whole_signer);
    EVP_MD_CTX_free(pair->whole_verifier);
    pair->whole_signer = pair->whole_verifier = NULL;
}

/* Ed25519: libcrypto takes the whole text, and its context once only, so each use copies one that
 * was prepared. True when there is nothing to do. */
static bool prepare_whole(struct signing_pair *pair, EVP_PKEY *pkey)
{
    if (pair->profile->hash != NULL) {
        return true;
    }
    if ((pair->whole_signer = EVP_MD_CTX_new()) != NULL &&
        (pair->whole_verifier = EVP_MD_CTX_new()) != NULL &&
        EVP_DigestSignInit(pair->whole_signer, NULL, NULL, NULL, pkey) == 1 &&
        EVP_DigestVerifyInit(pair->whole_verifier, NULL, NULL, NULL, pkey) == 1) {
        return true;
    }
    forget_whole(pair);
    return false;
}

struct signing_pair *signing_pair_of(const struct signing_profile *profile, EVP_PKEY *pkey)
{
    struct signing_pair *pair = pair_new(profile);

    if (pair != NULL && prepare_whole(pair, pkey)) {
        atomic_init(&pair->pkey, pkey);
        return pair;
    }
    signing_pair_close(pair);
    return NULL;
}

struct signing_pair *signing_pair_of_pkcs8(const struct signing_profile *profile,
                                           const uint8_t *bytes, size_t size)
{
    struct signing_pair *pair = pair_new(profile);

    if (pair != NULL && (pair->bytes = OPENSSL_memdup(bytes, size)) == NULL) {
        signing_pair_close(pair);
        return NULL;
    }
    if (pair != NULL) {
        pair->size = size;
    }
    return pair;
}

void signing_pair_close(struct signing_pair *pair)
{
    if (pair == NULL) {
        return;
    }
    for (size_t i = 0; i < SEATS; i++) {
        EVP_PKEY_CTX_free(atomic_load(&pair->signers[i].idle));
        EVP_PKEY_CTX_free(atomic_load(&pair->verifiers[i].idle));
    }
    forget_whole(pair);
    EVP_PKEY_free(atomic_load(&pair->pkey));
    OPENSSL_clear_free(pair->bytes, pair->size);
    pthread_mutex_destroy(&pair->making);
    free(pair);
}

/* Tried again by the next one when it fails: memory may have been short. */
static EVP_PKEY *make(struct signing_pair *pair)
{
    EVP_PKEY *pkey;

    pthread_mutex_lock(&pair->making);
    pkey = atomic_load_explicit(&pair->pkey, memory_order_relaxed);
    if (pkey == NULL) {
        pkey = signing_pkcs8_read(pair->profile, pair->bytes, pair->size);
        if (pkey != NULL &&
            !(signing_profile_fits(pair->profile, pkey, NULL) && prepare_whole(pair, pkey))) {
            EVP_PKEY_free(pkey);
            pkey = NULL;
        }
        if (pkey != NULL) {
            OPENSSL_clear_free(pair->bytes, pair->size);
            pair->bytes = NULL;
            atomic_store_explicit(&pair->pkey, pkey, memory_order_release);
        }
    }
    pthread_mutex_unlock(&pair->making);
    return pkey;
}

static EVP_PKEY *pkey_of(struct signing_pair *pair)
{
    EVP_PKEY *pkey = atomic_load_explicit(&pair->pkey, memory_order_acquire);

    return pkey != NULL ? pkey : make(pair);
}

const EVP_PKEY *signing_pair_pkey(struct signing_pair *pair)
{
    return pkey_of(pair);
}

/* ---- prepared contexts ---- */

static bool set_padding(const struct signing_profile *profile, EVP_PKEY_CTX *context)
{
    return !profile->pss ||
           (EVP_PKEY_CTX_set_rsa_padding(context, RSA_PKCS1_PSS_PADDING) == 1 &&
            EVP_PKEY_CTX_set_rsa_mgf1_md_name(context, profile->digest, NULL) == 1 &&
            EVP_PKEY_CTX_set_rsa_pss_saltlen(context, RSA_PSS_SALTLEN_DIGEST) == 1);
}

/* RSA puts the hash's name beside it; ECDSA signs any hash as it is. */
static bool set_digest(const struct signing_profile *profile, EVP_PKEY_CTX *context)
{
    char name[DIGEST_NAME_MAX] = "";

    if (profile->half != 0) {
        return true;
    } else if (!text_copy(text_of(profile->digest), name, sizeof name)) {
        return false;
    }
    OSSL_PARAM parameters[] = {
        OSSL_PARAM_construct_utf8_string(OSSL_SIGNATURE_PARAM_DIGEST, name, 0),
        OSSL_PARAM_construct_end(),
    };
    return EVP_PKEY_CTX_set_params(context, parameters) == 1;
}

static EVP_PKEY_CTX *prepare(const struct signing_profile *profile, EVP_PKEY *pkey,
                             int (*init)(EVP_PKEY_CTX *))
{
    EVP_PKEY_CTX *context = EVP_PKEY_CTX_new_from_pkey(NULL, pkey, NULL);

    if (context != NULL && init(context) == 1 && set_digest(profile, context) &&
        set_padding(profile, context)) {
        return context;
    }
    EVP_PKEY_CTX_free(context);
    return NULL;
}

static size_t own_seat(void)
{
    static atomic_size_t threads;
    static _Thread_local size_t number;

    if (number == 0) {
        number = 1 + atomic_fetch_add_explicit(&threads, 1, memory_order_relaxed);
    }
    return number % SEATS;
}

/* An idle one; NULL when there is none. */
static EVP_PKEY_CTX *stand_up(struct seat seats[SEATS])
{
    size_t own = own_seat();

    for (size_t i = 0; i < SEATS; i++) {
        struct seat *seat = &seats[(own + i) % SEATS];
        if (atomic_load_explicit(&seat->idle, memory_order_relaxed) != NULL) {
            EVP_PKEY_CTX *context =
                atomic_exchange_explicit(&seat->idle, NULL, memory_order_acquire);
            if (context != NULL) {
                return context;
            }
        }
    }
    return NULL;
}

/* Freed when all seats are taken. */
static void sit_down(struct seat seats[SEATS], EVP_PKEY_CTX *context)
{
    size_t own = own_seat();

    for (size_t i = 0; i < SEATS; i++) {
        EVP_PKEY_CTX *nobody = NULL;
        if (atomic_compare_exchange_strong_explicit(&seats[(own + i) % SEATS].idle, &nobody,
                                                    context, memory_order_release,
                                                    memory_order_relaxed)) {
            return;
        }
    }
    EVP_PKEY_CTX_free(context);
}

/* ---- signing ---- */

static EVP_MD_CTX *copy_of(const EVP_MD_CTX *prepared)
{
    EVP_MD_CTX *context = EVP_MD_CTX_new();

    if (context != NULL && EVP_MD_CTX_copy_ex(context, prepared) != 1) {
        EVP_MD_CTX_free(context);
        context = NULL;
    }
    return context;
}

static bool sign_whole(const struct signing_pair *pair, struct text input, uint8_t *signature,
                       size_t *size)
{
    EVP_MD_CTX *context = copy_of(pair->whole_signer);
    bool good = context != NULL && EVP_DigestSign(context, signature, size,
                                                  (const uint8_t *)input.data, input.size) == 1;

    EVP_MD_CTX_free(context);
    return good;
}

static bool verify_whole(const struct signing_pair *pair, struct text input,
                         const uint8_t *signature, size_t size)
{
    EVP_MD_CTX *context = copy_of(pair->whole_verifier);
    bool good = context != NULL && EVP_DigestVerify(context, signature, size,
                                                    (const uint8_t *)input.data, input.size) == 1;

    EVP_MD_CTX_free(context);
    return good;
}

static bool sign_hash(struct signing_pair *pair, EVP_PKEY *pkey, const uint8_t *hash,
                      uint8_t *signature, size_t *size)
{
    EVP_PKEY_CTX *context = stand_up(pair->signers);

    if (context == NULL) {
        context = prepare(pair->profile, pkey, EVP_PKEY_sign_init);
    }
    if (context == NULL ||
        EVP_PKEY_sign(context, signature, size, hash, pair->profile->hash_size) != 1) {
        EVP_PKEY_CTX_free(context);
        return false;
    }
    sit_down(pair->signers, context);
    return true;
}

static bool sign_ecdsa(struct signing_pair *pair, EVP_PKEY *pkey, const uint8_t *hash,
                       uint8_t *signature, size_t *size)
{
    size_t half = pair->profile->half;
    uint8_t der[SIGNING_ECDSA_DER_MAX];
    size_t der_size = sizeof der;

    if (*size < 2 * half || !sign_hash(pair, pkey, hash, der, &der_size)) {
        return false;
    }
    *size = 2 * half;
    return signing_ecdsa_to_raw(der, der_size, half, signature);
}

static bool sign(struct signing_pair *pair, EVP_PKEY *pkey, struct text input, uint8_t *signature,
                 size_t *size)
{
    const struct signing_profile *profile = pair->profile;
    uint8_t hash[SIGNING_HASH_MAX];

    if (profile->hash == NULL) {
        return sign_whole(pair, input, signature, size);
    }
    return profile->hash(input.data, input.size, hash) &&
           (profile->half != 0 ? sign_ecdsa(pair, pkey, hash, signature, size)
                               : sign_hash(pair, pkey, hash, signature, size));
}

bool signing_pair_sign(struct signing_pair *pair, struct text input, uint8_t *signature,
                       size_t *size)
{
    EVP_PKEY *pkey = pkey_of(pair);
    bool good = pkey != NULL && sign(pair, pkey, input, signature, size);

    if (!good) {
        ERR_clear_error();
    }
    return good;
}

/* ---- verifying ---- */

/* One that did not fit leaves nothing behind in its context. */
static bool verify_hash(struct signing_pair *pair, EVP_PKEY *pkey, const uint8_t *hash,
                        const uint8_t *signature, size_t size)
{
    EVP_PKEY_CTX *context = stand_up(pair->verifiers);

    if (context == NULL) {
        context = prepare(pair->profile, pkey, EVP_PKEY_verify_init);
    }
    if (context == NULL) {
        return false;
    }
    bool good = EVP_PKEY_verify(context, signature, size, hash, pair->profile->hash_size) == 1;
    sit_down(pair->verifiers, context);
    return good;
}

static bool verify(struct signing_pair *pair, EVP_PKEY *pkey, struct text input,
                   const uint8_t *signature, size_t size)
{
    const struct signing_profile *profile = pair->profile;
    uint8_t hash[SIGNING_HASH_MAX];
    uint8_t der[SIGNING_ECDSA_DER_MAX];

    if (profile->hash == NULL) {
        return verify_whole(pair, input, signature, size);
    }
    if (profile->half != 0) {
        size =
            size == 2 * profile->half ? signing_ecdsa_from_raw(signature, profile->half, der) : 0;
        signature = der;
    }
    return size != 0 && profile->hash(input.data, input.size, hash) &&
           verify_hash(pair, pkey, hash, signature, size);
}

bool signing_pair_verify(struct signing_pair *pair, struct text input, const uint8_t *signature,
                         size_t size)
{
    EVP_PKEY *pkey = pkey_of(pair);
    bool good = pkey != NULL && verify(pair, pkey, input, signature, size);

    if (!good) {
        ERR_clear_error();
    }
    return good;
}
