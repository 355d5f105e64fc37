/* SPDX-License-Identifier: ISC */
/* client_jwt.c: what a JWT of a client must be before and after its signature is verified. Knows
 * the gate and the pinned algorithm. Does not know claims, clients or which verifier is linked. */
#include "token/client_jwt.h"

static bool is_plain_jwt(const struct jws *jws);

json_t *client_jwt_open(struct arena *arena, struct text token, enum signing_algorithm algorithm,
                        struct text key)
{
    struct jws jws;

    if (!client_jwt_supports(algorithm) || !jws_gate(arena, token, &jws) ||
        !text_is(jws.algorithm, signing_algorithm_name(algorithm)) || !is_plain_jwt(&jws) ||
        !client_jwt_verify(arena, token, &jws, algorithm, key)) {
        return NULL;
    }
    return json_in_object(arena, jws.payload_json, NULL);
}

bool client_jwt_supports(enum signing_algorithm algorithm)
{
    return algorithm != SIGNING_PS256 && algorithm != SIGNING_EDDSA;
}

/* libjwt's rule. */
static bool is_plain_jwt(const struct jws *jws)
{
    return json_object_get(jws->header, "typ") == NULL ||
           text_equal_ignore_case(jws->type, TEXT("JWT"));
}
