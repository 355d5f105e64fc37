/* SPDX-License-Identifier: ISC */
/* signing_profile.h: what each algorithm requires of a key (RFC 7518 section 3, RFC 8037), and
 * whether a libcrypto key meets it. Private to token/. */
#ifndef RETOKEN_TOKEN_SIGNING_PROFILE_H
#define RETOKEN_TOKEN_SIGNING_PROFILE_H

#include <openssl/evp.h>

#include "base/crypto.h"
#include "base/fault.h"
#include "model/signing.h"

enum {
    SIGNING_RSA_BITS_MIN = 2048,
    SIGNING_RSA_BITS_MAX = 4096,        /* the sealed private key must fit SIGNING_SEALED_MAX */
    SIGNING_RSA_EXPONENT_BITS_MAX = 64, /* as libcrypto has it for large moduli */
    SIGNING_SECRET_MIN = 32,            /* RFC 7518 section 3.2, for HS256 */
    SIGNING_SECRET_MAX = 512,
    SIGNING_HALF_MAX = 66 /* of P-521 */
};

struct signing_profile {
    const char *type;   /* libcrypto's name of the key type; NULL: a secret */
    const char *digest; /* libcrypto's name of the hash; NULL: the algorithm has its own */
    const char *group;  /* EC: libcrypto's name of the curve */
    const char *curve;  /* JWK's `crv` */
    const char *kty;    /* JWK's `kty` */
    size_t half;        /* EC: bytes of each of R, S, x and y */
    bool pss;
    size_t mac;         /* a secret: bytes of the HMAC */
    const char *wanted; /* for people */
};

const struct signing_profile *signing_profile(enum signing_algorithm algorithm);

/* Is `pkey` a key for this algorithm, and strong enough? False with *fault, which says what would
 * be right. */
bool signing_profile_fits(const struct signing_profile *profile, const EVP_PKEY *pkey,
                          struct fault *fault);
/* A fresh key; the caller frees it. NULL: libcrypto failed. */
EVP_PKEY *signing_profile_generate(const struct signing_profile *profile);

#endif
