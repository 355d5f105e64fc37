/* SPDX-License-Identifier: ISC */
/* dpop_jwt.h: a JWT by which its sender shows a key: a DPoP proof (RFC 9449 section 4.2), which
 * brings the public key it is signed with, and a browser's (Device Bound Session Credentials),
 * which brings it once. Knows their headers; judges no claim. Linked with the verifier of
 * client_jwt.h. */
#ifndef RETOKEN_TOKEN_DPOP_JWT_H
#define RETOKEN_TOKEN_DPOP_JWT_H

#include "base/arena.h"
#include "base/crypto.h"
#include "base/json.h"

enum dpop_jwt_result {
    DPOP_JWT_OPEN,
    DPOP_JWT_MALFORMED, /* it does not pass jws_gate, or its payload is no JSON object */
    DPOP_JWT_TYPE,      /* `typ` is another */
    DPOP_JWT_ALGORITHM, /* not one of a key pair, or unknown; a browser's: not ES256 */
    DPOP_JWT_KEY,       /* `jwk` is no public key, holds a private member, is for another one, or
                           came where none may */
    DPOP_JWT_SIGNATURE,
    DPOP_JWT_FAULT /* memory was short, libcrypto failed, or the known key is none: whether it is
                      right is not known */
};

enum { DPOP_JWT_POINT_SIZE = 64 }; /* x and y of a point on P-256 */

/* *payload, in the arena, and the key's thumbprint (RFC 7638), when the key in the header has
 * signed it. */
enum dpop_jwt_result dpop_jwt_open(struct arena *arena, struct text token, json_t **payload,
                                   uint8_t thumbprint[CRYPTO_HASH_SIZE]);

/* The point of a public key on P-256 that is written as a JWK (RFC 7517). False: it is none. */
bool dpop_jwt_read_point(struct arena *arena, const json_t *key,
                         uint8_t point[DPOP_JWT_POINT_SIZE]);

/* A browser's first one (typ dbsc+jwt, ES256): *payload and the key in its header, which has signed
 * it. */
enum dpop_jwt_result dpop_jwt_open_first(struct arena *arena, struct text token, json_t **payload,
                                         uint8_t point[DPOP_JWT_POINT_SIZE]);
/* A later one, which that key has signed. */
enum dpop_jwt_result dpop_jwt_open_known(struct arena *arena, struct text token,
                                         const uint8_t point[DPOP_JWT_POINT_SIZE],
                                         json_t **payload);

#endif
