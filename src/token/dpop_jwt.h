/* SPDX-License-Identifier: ISC */
/* dpop_jwt.h: a JWT that brings the public key it is signed with, as a DPoP proof does (RFC 9449
 * section 4.2). Knows its header; judges no claim. Linked with the verifier of client_jwt.h. */
#ifndef RETOKEN_TOKEN_DPOP_JWT_H
#define RETOKEN_TOKEN_DPOP_JWT_H

#include "base/arena.h"
#include "base/crypto.h"
#include "base/json.h"

enum dpop_jwt_result {
    DPOP_JWT_OPEN,
    DPOP_JWT_MALFORMED, /* it does not pass jws_gate, or its payload is no JSON object */
    DPOP_JWT_TYPE,      /* `typ` is not dpop+jwt */
    DPOP_JWT_ALGORITHM, /* not one of a key pair, or unknown */
    DPOP_JWT_KEY,       /* `jwk` is no public key, holds a private member, or is for another one */
    DPOP_JWT_SIGNATURE,
    DPOP_JWT_FAULT /* memory was short or libcrypto failed: whether it is right is not known */
};

/* *payload, in the arena, and the key's thumbprint (RFC 7638), when the key in the header has
 * signed it. */
enum dpop_jwt_result dpop_jwt_open(struct arena *arena, struct text token, json_t **payload,
                                   uint8_t thumbprint[CRYPTO_HASH_SIZE]);

#endif
