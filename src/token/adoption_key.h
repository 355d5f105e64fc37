/* SPDX-License-Identifier: ISC */
/* adoption_key.h: a key of another server, which verifies that server's refresh JWTs and nothing
 * else: an HMAC secret, or public keys as a JWK Set. Kept sealed like a signing key, in a row of
 * state verify-only. Knows keys and signatures; does not know claims. */
#ifndef RETOKEN_TOKEN_ADOPTION_KEY_H
#define RETOKEN_TOKEN_ADOPTION_KEY_H

#include "token/client_jwt.h"
#include "token/signing_key.h"

/* Seals it into row->sealed, and sets algorithm and kid; the rest of the row is the caller's.
 * `data`: for HS256, HS384 and HS512 a secret's bytes (signing_key_from_secret) or a JWK of kty oct
 * (RFC 7518 section 6.4), which is what begins with "{"; else a public key in PEM or a JWK Set. kid
 * NULL or "": that of the JWK or of the set's first key, or a thumbprint. False with *fault. */
bool adoption_key_seal(struct arena *arena, enum signing_algorithm algorithm, struct text data,
                       const char *kid, const struct secrets *secrets,
                       const struct randomness *randomness, struct signing_row *row,
                       struct fault *fault);

/* *payload when the token passes the gate, its `typ` is absent or JWT, its algorithm is the row's
 * and its signature is right under the row's key. A secret is tried whatever the token's kid.
 * Judges no claim. CLIENT_JWT_FAULT: whether it is right is not known, and *fault says why. */
enum client_jwt_result adoption_key_open(struct arena *arena, struct text token,
                                         const struct signing_row *row,
                                         const struct secrets *secrets, json_t **payload,
                                         struct fault *fault);

#endif
