/* SPDX-License-Identifier: ISC */
/* client_jwt_libjwt.c: signatures of clients, verified by libjwt. Knows libjwt 1.10 and what it
 * lets through: its answer is reliable only because of the gate, the pinned algorithm and a key
 * checked beforehand. Does not know claims or clients. The only file that includes jwt.h. */
#include <jwt.h>

#include "config.h"
#include "token/client_jwt.h"
#include "token/signing_profile.h"

const char client_jwt_verifier[] = "libjwt " LIBJWT_VERSION;

static jwt_alg_t libjwt_algorithm(enum signing_algorithm algorithm);
static bool key_fits(enum signing_algorithm algorithm, struct text key);
static bool libjwt_agrees(const char *token, jwt_alg_t pinned, const char *key, size_t key_size);

bool client_jwt_verify(struct arena *arena, struct text token, const struct jws *jws,
                       enum signing_algorithm algorithm, struct text key)
{
    jwt_alg_t pinned = libjwt_algorithm(algorithm);

    (void)jws;
    if (pinned == JWT_ALG_NONE || !key_fits(algorithm, key)) {
        return false;
    }
    char *token_string = arena_c_string(arena, token);
    char *key_string = arena_c_string(arena, key);
    return token_string != NULL && key_string != NULL &&
           libjwt_agrees(token_string, pinned, key_string, key.size);
}

/* JWT_ALG_NONE: libjwt 1.10 cannot do it. */
static jwt_alg_t libjwt_algorithm(enum signing_algorithm algorithm)
{
    switch (algorithm) {
    case SIGNING_HS256:
        return JWT_ALG_HS256;
    case SIGNING_RS256:
        return JWT_ALG_RS256;
    case SIGNING_RS384:
        return JWT_ALG_RS384;
    case SIGNING_RS512:
        return JWT_ALG_RS512;
    case SIGNING_ES256:
        return JWT_ALG_ES256;
    case SIGNING_ES384:
        return JWT_ALG_ES384;
    case SIGNING_PS256:
    case SIGNING_EDDSA:
        break;
    }
    return JWT_ALG_NONE;
}

/* libjwt takes an empty key for "do not verify", an RSA public PEM for an HMAC secret and any size
 * of RSA key, so the key is checked before libjwt gets it. */
static bool key_fits(enum signing_algorithm algorithm, struct text key)
{
    if (algorithm == SIGNING_HS256) {
        return key.size >= SIGNING_SECRET_MIN && key.size <= SIGNING_SECRET_MAX;
    }
    return signing_key_public_fits(algorithm, key, NULL);
}

/* libjwt verifies with the algorithm that the token names; afterwards it must be the pinned one. */
static bool libjwt_agrees(const char *token, jwt_alg_t pinned, const char *key, size_t key_size)
{
    jwt_t *jwt = NULL;
    bool agrees = jwt_decode(&jwt, token, (const unsigned char *)key, (int)key_size) == 0 &&
                  jwt_get_alg(jwt) == pinned;

    jwt_free(jwt);
    return agrees;
}
