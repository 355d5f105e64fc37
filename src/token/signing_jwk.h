/* SPDX-License-Identifier: ISC */
/* signing_jwk.h: the public part of a key as JWK (RFC 7517, RFC 7518 section 6, RFC 8037) and its
 * thumbprint (RFC 7638). Private to token/. */
#ifndef RETOKEN_TOKEN_SIGNING_JWK_H
#define RETOKEN_TOKEN_SIGNING_JWK_H

#include "base/json.h"
#include "token/signing_numbers.h"

enum { SIGNING_THUMBPRINT_SIZE = 43 };

/* Members in alphabetical order: alg, crv, e, kid, kty, n, use, x, y, as far as the type has them.
 * algorithm and kid NULL: only those that a thumbprint covers. */
void signing_jwk_write(const struct signing_profile *profile, const struct signing_numbers *numbers,
                       const char *algorithm, const char *kid, struct json_out *out);

/* base64url of SHA-256 over the required members. False: out of memory. */
bool signing_jwk_thumbprint(const struct signing_profile *profile,
                            const struct signing_numbers *numbers,
                            char out[SIGNING_THUMBPRINT_SIZE + 1]);

#endif
