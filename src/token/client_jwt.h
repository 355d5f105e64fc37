/* SPDX-License-Identifier: ISC */
/* client_jwt.h: JWTs that clients signed (assertions, RFC 7523), read behind jws_gate and with the
 * algorithm pinned by the caller. Each program links one verifier, client_jwt_libjwt.c or
 * client_jwt_own.c, by its list in Makefile.am. */
#ifndef RETOKEN_TOKEN_CLIENT_JWT_H
#define RETOKEN_TOKEN_CLIENT_JWT_H

#include "base/arena.h"
#include "base/json.h"
#include "model/signing.h"
#include "token/jws.h"

/* The payload when the signature is right under the PEM public key (or, for HS256, the secret's
 * bytes) with exactly this algorithm; NULL otherwise. `typ` must be absent or JWT. Judges no claim:
 * the caller checks iss, sub, aud, exp. */
json_t *client_jwt_open(struct arena *arena, struct text token, enum signing_algorithm algorithm,
                        struct text key);

/* HS256, RS256, RS384, RS512, ES256, ES384: what libjwt 1.10 can verify, and so what every build
 * accepts. For the program that registers a key: one of another algorithm would open nothing. */
bool client_jwt_supports(enum signing_algorithm algorithm);

/* ---- the verifier of this program ---- */

/* Its name and version, for people. */
extern const char client_jwt_verifier[];
/* Is the signature right? `token` has passed the gate as `jws`, and its algorithm is this one. */
bool client_jwt_verify(struct arena *arena, struct text token, const struct jws *jws,
                       enum signing_algorithm algorithm, struct text key);

#endif
