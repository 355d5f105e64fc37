/* SPDX-License-Identifier: ISC */
/* signing_numbers.h: a key pair as raw numbers. In this form it is sealed and stored, and no parser
 * of a key format is needed when a process starts. A public key alone is made of its numbers too.
 * Private to token/. */
#ifndef RETOKEN_TOKEN_SIGNING_NUMBERS_H
#define RETOKEN_TOKEN_SIGNING_NUMBERS_H

#include <openssl/evp.h>

#include "base/text.h"
#include "token/signing_profile.h"

/* Named as in JWK (RFC 7518 section 6, RFC 8037 section 2). The first eight are RSA's, in the order
 * in which they are stored. */
enum signing_number {
    SIGNING_N,
    SIGNING_E,
    SIGNING_D, /* private exponent, scalar or seed */
    SIGNING_P,
    SIGNING_Q,
    SIGNING_DP,
    SIGNING_DQ,
    SIGNING_QI,
    SIGNING_X, /* EC and Ed25519 */
    SIGNING_Y
};
enum {
    SIGNING_RSA_NUMBERS = SIGNING_QI + 1,
    SIGNING_NUMBERS = SIGNING_Y + 1,
    SIGNING_ED25519_SIZE = 32,                                            /* bytes of x and of d */
    SIGNING_NUMBER_MAX = SIGNING_RSA_BITS_MAX / 8,                        /* bytes of each */
    SIGNING_NUMBERS_MAX = SIGNING_RSA_NUMBERS * (2 + SIGNING_NUMBER_MAX), /* of all, with sizes */
    SIGNING_PUBLIC_MAX = 2 * SIGNING_NUMBER_MAX                           /* n and e, or x and y */
};

/* Each most significant byte first: RSA's without leading zeros, the others at full length. Empty
 * when this type of key has no such number. */
struct signing_numbers {
    struct text of[SIGNING_NUMBERS];
};

/* Writes the numbers of a libcrypto key pair one after another. Returns their size; 0 when
 * libcrypto does not give them, one is too large, or an RSA key has more than two primes. The
 * caller wipes. */
size_t signing_numbers_write(const struct signing_profile *profile, const EVP_PKEY *pkey,
                             uint8_t bytes[SIGNING_NUMBERS_MAX]);
/* Finds the numbers in what signing_numbers_write wrote; they point into `bytes`. False unless the
 * bytes are exactly such a sequence. */
bool signing_numbers_split(const struct signing_profile *profile, struct text bytes,
                           struct signing_numbers *numbers);
/* Makes libcrypto's key pair, to be freed with EVP_PKEY_free. NULL when libcrypto fails or finds
 * that the numbers are no key; whether the key suits the profile is for signing_profile_fits. */
EVP_PKEY *signing_numbers_pair(const struct signing_profile *profile,
                               const struct signing_numbers *numbers);

/* The public numbers of a libcrypto key that suits the profile: n and e, or x and y; they point
 * into `room`. False when libcrypto does not give them. */
bool signing_numbers_read_public(const struct signing_profile *profile, const EVP_PKEY *pkey,
                                 uint8_t room[SIGNING_PUBLIC_MAX], struct signing_numbers *numbers);
/* As signing_numbers_pair, from these numbers alone. */
EVP_PKEY *signing_numbers_public(const struct signing_profile *profile,
                                 const struct signing_numbers *numbers);

#endif
