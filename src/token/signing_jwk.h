/* SPDX-License-Identifier: ISC */
/* signing_jwk.h: the public part of a key as JWK (RFC 7517, RFC 7518 section 6, RFC 8037), written
 * and read, and its thumbprint (RFC 7638). Private to token/. */
#ifndef RETOKEN_TOKEN_SIGNING_JWK_H
#define RETOKEN_TOKEN_SIGNING_JWK_H

#include "base/json.h"
#include "token/signing_numbers.h"

enum {
    SIGNING_THUMBPRINT_SIZE = 43,
    SIGNING_JWK_KID_MAX = 128 /* of the keys of others */
};

/* Members in alphabetical order: alg, crv, e, kid, kty, n, use, x, y, as far as the type has them.
 * algorithm and kid NULL: only those that a thumbprint covers. */
void signing_jwk_write(const struct signing_profile *profile, const struct signing_numbers *numbers,
                       const char *algorithm, const char *kid, struct json_out *out);

/* base64url of SHA-256 over the required members. False: out of memory. */
bool signing_jwk_thumbprint(const struct signing_profile *profile,
                            const struct signing_numbers *numbers,
                            char out[SIGNING_THUMBPRINT_SIZE + 1]);

/* A public key of somebody else. */
struct signing_jwk {
    const struct signing_profile *profile; /* of its kind of key */
    unsigned algorithms;            /* that it may verify: bits 1 << enum signing_algorithm */
    struct text kid;                /* visible ASCII; empty when it has none */
    struct signing_numbers numbers; /* n and e, or x and y */
};
enum signing_jwk_result {
    SIGNING_JWK_READ,
    SIGNING_JWK_OTHER_USE, /* `use` or `key_ops` say that it verifies no signatures */
    SIGNING_JWK_WRONG      /* with *fault, which says what would be right */
};
/* Reads one JWK: RSA, EC on P-256, P-384 or P-521, OKP Ed25519. `alg`, where given, pins the
 * algorithm; otherwise kty and crv leave RS256, RS384, RS512 and PS256, or one. Refuses secrets
 * (oct), private members and numbers of the wrong size. Whether the numbers are a key shows in
 * signing_jwk_key. The kid points into `object`, the numbers into the arena. */
enum signing_jwk_result signing_jwk_read(struct arena *arena, const json_t *object,
                                         struct signing_jwk *jwk, struct fault *fault);
/* libcrypto's public key, to be freed with EVP_PKEY_free. NULL with *fault: the numbers are no key,
 * the key is too weak (signing_profile_fits), or libcrypto failed. */
EVP_PKEY *signing_jwk_key(const struct signing_jwk *jwk, struct fault *fault);

#endif
