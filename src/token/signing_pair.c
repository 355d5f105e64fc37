/* SPDX-License-Identifier: ISC */
/* signing_pair.c: one key pair and the contexts that were prepared for it. Knows libcrypto, JWS's
 * signature formats and threads. Does not know kids, sealing or JSON Web Tokens.
 *
 * Preparing a context takes 6 us and libcrypto's locks. It is done once for each pair; a signature
 * or a verification works on a copy, which takes 0.3 us, so threads share nothing that changes. */
#include "token/signing_pair.h"

#include <pthread.h>
#include <stdatomic.h>
#include <string.h>

#include <openssl/bn.h>
#include <openssl/ecdsa.h>
#include <openssl/err.h>
#include <openssl/rsa.h>

#include "token/signing_key.h"

enum { ECDSA_DER_MAX = 3 + 2 * (3 + SIGNING_HALF_MAX) };

struct signing_pair {
    const struct signing_profile *profile;
    pthread_mutex_t making;
    struct crypto_use use;
    atomic_bool made; /* the two below are set, and stay so */
    EVP_MD_CTX *signer;
    EVP_MD_CTX *verifier;
    struct signing_numbers numbers;
    size_t size;
    uint8_t bytes[];
};

typedef int init_function(EVP_MD_CTX *, EVP_PKEY_CTX **, const char *, OSSL_LIB_CTX *, const char *,
                          EVP_PKEY *, const OSSL_PARAM[]);

static bool make(struct signing_pair *pair);
static EVP_MD_CTX *prepare(const struct signing_profile *profile, EVP_PKEY *pkey,
                           init_function *init);
static bool can_sign(const struct signing_profile *profile);
static bool sign(const struct signing_profile *profile, const EVP_MD_CTX *prepared,
                 struct text input, uint8_t *signature, size_t *size);
static bool verify(const struct signing_profile *profile, const EVP_MD_CTX *prepared,
                   struct text input, const uint8_t *signature, size_t size, bool *failed);

/* ---- opening ---- */

struct signing_pair *signing_pair_open(const struct signing_profile *profile, struct text bytes,
                                       struct fault *fault)
{
    struct signing_pair *pair = OPENSSL_zalloc(sizeof *pair + bytes.size);

    if (pair == NULL) {
        fault_set(fault, "out of memory for a signing key");
        return NULL;
    }
    pthread_mutex_init(&pair->making, NULL);
    pair->profile = profile;
    pair->size = bytes.size;
    memcpy(pair->bytes, bytes.data, bytes.size);
    if (!signing_numbers_split(profile, signing_pair_bytes(pair), &pair->numbers)) {
        fault_set(fault, "its numbers are damaged; what is needed is %s", profile->wanted);
        signing_pair_close(pair);
        return NULL;
    }
    return pair;
}

void signing_pair_close(struct signing_pair *pair)
{
    if (pair != NULL) {
        EVP_MD_CTX_free(pair->signer);
        EVP_MD_CTX_free(pair->verifier);
        pthread_mutex_destroy(&pair->making);
        OPENSSL_clear_free(pair, sizeof *pair + pair->size);
    }
}

struct text signing_pair_bytes(const struct signing_pair *pair)
{
    return (struct text){(const char *)pair->bytes, pair->size};
}

const struct signing_numbers *signing_pair_numbers(const struct signing_pair *pair)
{
    return &pair->numbers;
}

/* ---- use ---- */

bool signing_pair_ready(struct signing_pair *pair)
{
    if (atomic_load_explicit(&pair->made, memory_order_acquire)) {
        return true;
    }
    pthread_mutex_lock(&pair->making);
    bool made = atomic_load_explicit(&pair->made, memory_order_relaxed) || make(pair);
    atomic_store_explicit(&pair->made, made, memory_order_release);
    pthread_mutex_unlock(&pair->making);
    return made;
}

bool signing_pair_sign(struct signing_pair *pair, struct text input, uint8_t *signature,
                       size_t *size)
{
    bool good =
        signing_pair_ready(pair) && sign(pair->profile, pair->signer, input, signature, size);

    if (!good) {
        ERR_clear_error();
    }
    if (crypto_fails_again(&pair->use, good) && !can_sign(pair->profile)) {
        crypto_break();
    }
    return good;
}

/* With a fresh key: is it libcrypto that fails, or are a pair's numbers no key? */
static bool can_sign(const struct signing_profile *profile)
{
    uint8_t signature[SIGNING_SIGNATURE_MAX];
    size_t size = sizeof signature;
    EVP_PKEY *pkey = signing_profile_generate(profile);
    EVP_MD_CTX *signer = pkey != NULL ? prepare(profile, pkey, EVP_DigestSignInit_ex) : NULL;
    bool good = signer != NULL && sign(profile, signer, TEXT("retoken"), signature, &size);

    EVP_MD_CTX_free(signer);
    EVP_PKEY_free(pkey);
    ERR_clear_error();
    return good;
}

bool signing_pair_verify(struct signing_pair *pair, struct text input, const uint8_t *signature,
                         size_t size)
{
    bool ignored;

    return signing_pair_check(pair, input, signature, size, &ignored);
}

bool signing_pair_check(struct signing_pair *pair, struct text input, const uint8_t *signature,
                        size_t size, bool *failed)
{
    *failed = !signing_pair_ready(pair);
    bool good = !*failed && verify(pair->profile, pair->verifier, input, signature, size, failed);

    if (!good) {
        ERR_clear_error();
    }
    return good;
}

/* ---- prepared contexts ---- */

/* PS256: MGF1 over the same hash, and a salt of its length (RFC 7518 section 3.5). */
static bool set_padding(const struct signing_profile *profile, EVP_PKEY_CTX *context)
{
    return !profile->pss ||
           (EVP_PKEY_CTX_set_rsa_padding(context, RSA_PKCS1_PSS_PADDING) == 1 &&
            EVP_PKEY_CTX_set_rsa_mgf1_md_name(context, profile->digest, NULL) == 1 &&
            EVP_PKEY_CTX_set_rsa_pss_saltlen(context, RSA_PSS_SALTLEN_DIGEST) == 1);
}

/* Each use works on a copy of its own, so libcrypto need not finish on one more. */
static EVP_MD_CTX *prepare(const struct signing_profile *profile, EVP_PKEY *pkey,
                           init_function *init)
{
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    EVP_PKEY_CTX *options;

    if (context != NULL && init(context, &options, profile->digest, NULL, NULL, pkey, NULL) == 1 &&
        set_padding(profile, options)) {
        EVP_MD_CTX_set_flags(context, EVP_MD_CTX_FLAG_FINALISE);
        return context;
    }
    EVP_MD_CTX_free(context);
    return NULL;
}

/* What was made stays where it is when something else fails, and the next call goes on from there:
 * memory may have been short. */
static bool make(struct signing_pair *pair)
{
    EVP_PKEY *pkey = signing_numbers_pair(pair->profile, &pair->numbers);

    if (pkey != NULL && signing_profile_fits(pair->profile, pkey, NULL)) {
        if (pair->signer == NULL) {
            pair->signer = prepare(pair->profile, pkey, EVP_DigestSignInit_ex);
        }
        if (pair->verifier == NULL) {
            pair->verifier = prepare(pair->profile, pkey, EVP_DigestVerifyInit_ex);
        }
    }
    EVP_PKEY_free(pkey);
    return pair->signer != NULL && pair->verifier != NULL;
}

static EVP_MD_CTX *copy_of(const EVP_MD_CTX *prepared)
{
    EVP_MD_CTX *context = EVP_MD_CTX_new();

    if (context != NULL && EVP_MD_CTX_copy_ex(context, prepared) != 1) {
        EVP_MD_CTX_free(context);
        context = NULL;
    }
    return context;
}

/* ---- ECDSA ---- */

/* libcrypto writes the two numbers in DER; JWS has them side by side at full length (RFC 7518
 * section 3.4). */
static bool raw_from_der(const uint8_t *der, size_t der_size, int half, uint8_t *raw)
{
    ECDSA_SIG *pair = d2i_ECDSA_SIG(NULL, &der, (long)der_size);
    bool good = pair != NULL && BN_bn2binpad(ECDSA_SIG_get0_r(pair), raw, half) == half &&
                BN_bn2binpad(ECDSA_SIG_get0_s(pair), raw + half, half) == half;

    ECDSA_SIG_free(pair);
    return good;
}

/* Returns the size in DER, 0 on failure. That r and s lie in [1, n-1] is libcrypto's to check. */
static size_t der_from_raw(const uint8_t *raw, int half, uint8_t der[ECDSA_DER_MAX])
{
    ECDSA_SIG *pair = ECDSA_SIG_new();
    BIGNUM *r = BN_bin2bn(raw, half, NULL);
    BIGNUM *s = BN_bin2bn(raw + half, half, NULL);
    int size = 0;

    if (pair != NULL && ECDSA_SIG_set0(pair, r, s) == 1) { /* false when r or s is NULL */
        size = i2d_ECDSA_SIG(pair, &der);
    } else {
        BN_free(r);
        BN_free(s);
    }
    ECDSA_SIG_free(pair);
    return size > 0 ? (size_t)size : 0;
}

/* ---- signing ---- */

static bool sign(const struct signing_profile *profile, const EVP_MD_CTX *prepared,
                 struct text input, uint8_t *signature, size_t *size)
{
    uint8_t der[ECDSA_DER_MAX];
    size_t der_size = sizeof der;
    bool ecdsa = profile->half != 0;
    EVP_MD_CTX *context = copy_of(prepared);
    bool good = context != NULL && (!ecdsa || *size >= 2 * profile->half) &&
                EVP_DigestSign(context, ecdsa ? der : signature, ecdsa ? &der_size : size,
                               (const uint8_t *)input.data, input.size) == 1;

    EVP_MD_CTX_free(context);
    if (good && ecdsa) {
        *size = 2 * profile->half;
        good = raw_from_der(der, der_size, (int)profile->half, signature);
    }
    return good;
}

/* ---- verifying ---- */

static bool verify_once(const struct signing_profile *profile, const EVP_MD_CTX *prepared,
                        struct text input, const uint8_t *signature, size_t size);
static bool memory_is_short(void);

bool signing_pair_verify_with(const struct signing_profile *profile, EVP_PKEY *pkey,
                              struct text input, const uint8_t *signature, size_t size,
                              bool *failed)
{
    EVP_MD_CTX *prepared = prepare(profile, pkey, EVP_DigestVerifyInit_ex);
    bool good = prepared != NULL && verify(profile, prepared, input, signature, size, failed);

    if (prepared == NULL) {
        *failed = true;
    }

    EVP_MD_CTX_free(prepared);
    ERR_clear_error();
    return good;
}

/* Where memory is short libcrypto may say the same as of a wrong signature, and may be right the
 * next time. So what it refuses is asked twice, and believed while there is memory. */
static bool verify(const struct signing_profile *profile, const EVP_MD_CTX *prepared,
                   struct text input, const uint8_t *signature, size_t size, bool *failed)
{
    *failed = false;
    if (size == 0 || (profile->half != 0 && size != 2 * profile->half)) {
        return false;
    } else if (verify_once(profile, prepared, input, signature, size) ||
               verify_once(profile, prepared, input, signature, size)) {
        return true;
    }
    *failed = memory_is_short();
    return false;
}

static bool verify_once(const struct signing_profile *profile, const EVP_MD_CTX *prepared,
                        struct text input, const uint8_t *signature, size_t size)
{
    uint8_t der[ECDSA_DER_MAX];

    if (profile->half != 0) {
        size = der_from_raw(signature, (int)profile->half, der);
        signature = der;
    }
    EVP_MD_CTX *context = size != 0 ? copy_of(prepared) : NULL;
    bool good = context != NULL && EVP_DigestVerify(context, signature, size,
                                                    (const uint8_t *)input.data, input.size) == 1;
    EVP_MD_CTX_free(context);
    return good;
}

/* It said so, or now there is not as much as a verification needs. */
static bool memory_is_short(void)
{
    enum { NEEDED = 64 * 1024 };
    void *memory = OPENSSL_malloc(NEEDED);
    bool is = memory == NULL;
    unsigned long error;

    OPENSSL_free(memory);
    while ((error = ERR_get_error()) != 0) {
        is = is || ERR_GET_REASON(error) == ERR_R_MALLOC_FAILURE;
    }
    return is;
}
