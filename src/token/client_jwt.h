/* SPDX-License-Identifier: ISC */
/* client_jwt.h: JWTs that clients signed (assertions, RFC 7523), read behind jws_gate and with the
 * algorithm pinned by the client's key. Each program links one verifier, client_jwt_libjwt.c or
 * client_jwt_own.c, by its list in Makefile.am. */
#ifndef RETOKEN_TOKEN_CLIENT_JWT_H
#define RETOKEN_TOKEN_CLIENT_JWT_H

#include "base/arena.h"
#include "base/json.h"
#include "model/signing.h"
#include "token/jws.h"

struct evp_pkey_st; /* libcrypto's EVP_PKEY */

/* The payload when the signature is right under one of these keys, a set as client_keys.h makes
 * them: under those of the token's kid, or where the set has none of that kid, under any that is
 * for the token's algorithm. NULL otherwise. `typ` must be absent or JWT. Judges no claim: the
 * caller checks iss, sub, aud, exp. */
json_t *client_jwt_open(struct arena *arena, struct text token, struct text keys);

/* ---- the verifier of this program ---- */

/* Its name and version, for people. */
extern const char client_jwt_verifier[];
/* Is the signature right? `token` has passed the gate as `jws`, its algorithm is this one, and the
 * key is for this algorithm and strong enough. */
bool client_jwt_verify(struct arena *arena, struct text token, const struct jws *jws,
                       enum signing_algorithm algorithm, struct evp_pkey_st *key);

#endif
