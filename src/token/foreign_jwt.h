/* foreign_jwt.h: JWTs that others signed (client assertions, RFC 7523), read with libjwt behind
 * jws_gate and with the algorithm pinned by the caller. The only file that includes jwt.h. */
#ifndef RETOKEN_TOKEN_FOREIGN_JWT_H
#define RETOKEN_TOKEN_FOREIGN_JWT_H

#include "base/arena.h"
#include "base/json.h"
#include "model/signing.h"

/* The payload when the signature is right under the PEM public key (or, for HS256, the secret's
 * bytes) with exactly this algorithm; NULL otherwise. Judges no claim: the caller checks iss, sub,
 * aud, exp. */
json_t *foreign_jwt_open(struct arena *arena, struct text token, enum signing_algorithm algorithm,
                         struct text key);

/* HS256, RS256, RS384, RS512, ES256, ES384: what libjwt 1.10 can verify. (It also wants `typ` to be
 * absent or JWT.) For whoever registers a key: one of another algorithm would open nothing. */
bool foreign_jwt_supports(enum signing_algorithm algorithm);

#endif
