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

enum client_jwt_result {
    CLIENT_JWT_OPEN,
    CLIENT_JWT_MALFORMED, /* it does not pass the gate, or its payload is no JSON object */
    CLIENT_JWT_TYPE,      /* `typ` is another */
    CLIENT_JWT_KEY,       /* no key of the set is for its algorithm and kid */
    CLIENT_JWT_SIGNATURE, /* it is wrong under those that are */
    CLIENT_JWT_FAULT /* memory was short or libcrypto failed: whether it is right is not known */
};

/* *payload when the signature is right under one of these keys, a set as client_keys.h makes them:
 * under those of the token's kid, or where the set has none of that kid, under any that is for the
 * token's algorithm. `typ` must be absent, JWT or client-authentication+jwt (RFC 7523 and its
 * revision draft-ietf-oauth-rfc7523bis), each with or without "application/" (RFC 7515 section
 * 4.1.9). Judges no claim: the caller checks iss, sub, aud, exp. */
enum client_jwt_result client_jwt_open(struct arena *arena, struct text token, struct text keys,
                                       json_t **payload);

/* ---- the verifier of this program ---- */

/* Its name and version, for people. */
extern const char client_jwt_verifier[];
/* Is the signature right? `token` has passed the gate as `jws`, its algorithm is this one, and the
 * key is for this algorithm and strong enough. False with *failed: memory was short. */
bool client_jwt_verify(struct arena *arena, struct text token, const struct jws *jws,
                       enum signing_algorithm algorithm, struct evp_pkey_st *key, bool *failed);

#endif
