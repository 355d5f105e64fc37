/* foreign_jwt.c: JWTs signed by others, verified by libjwt. Knows libjwt 1.10 and what it lets
 * through (reliability of the answer rests on our gate, the pinned algorithm and a key checked
 * beforehand). Does not know claims or clients. */
#include <jwt.h>

#include "token/foreign_jwt.h"
#include "token/jws.h"
#include "token/signing_profile.h"

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

bool foreign_jwt_supports(enum signing_algorithm algorithm)
{
    return libjwt_algorithm(algorithm) != JWT_ALG_NONE;
}

/* libjwt takes an empty key for "do not verify", an RSA public PEM for an HMAC secret and any size
 * of RSA key; so the key is judged before libjwt gets it. */
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

json_t *foreign_jwt_open(struct arena *arena, struct text token, enum signing_algorithm algorithm,
                         struct text key)
{
    struct jws jws;
    jwt_alg_t pinned = libjwt_algorithm(algorithm);

    if (pinned == JWT_ALG_NONE || !jws_gate(arena, token, &jws) ||
        !text_is(jws.algorithm, signing_algorithm_name(algorithm)) || !key_fits(algorithm, key)) {
        return NULL;
    }
    char *token_string = arena_c_string(arena, token);
    char *key_string = arena_c_string(arena, key);
    if (token_string == NULL || key_string == NULL ||
        !libjwt_agrees(token_string, pinned, key_string, key.size)) {
        return NULL;
    }
    return json_in_object(arena, jws.payload_json, NULL);
}
