/* SPDX-License-Identifier: ISC */
/* client_jwt.c: what a JWT of a client must be before and after its signature is verified. Knows
 * the gate and that the key pins the algorithm. Does not know claims, clients or which verifier is
 * linked. */
#include "token/client_jwt.h"

#include <openssl/evp.h>

#include "token/client_keys.h"

static bool is_plain_jwt(const struct jws *jws);
static bool is_signed(struct arena *arena, struct text token, const struct jws *jws,
                      const struct client_keys *keys);

json_t *client_jwt_open(struct arena *arena, struct text token, struct text keys)
{
    struct jws jws;
    const struct client_keys *opened;

    if (!jws_gate(arena, token, &jws) || !is_plain_jwt(&jws) ||
        (opened = client_keys_open(arena, keys)) == NULL ||
        !is_signed(arena, token, &jws, opened)) {
        return NULL;
    }
    return json_in_object(arena, jws.payload_json, NULL);
}

/* libjwt's rule. */
static bool is_plain_jwt(const struct jws *jws)
{
    return json_object_get(jws->header, "typ") == NULL ||
           text_equal_ignore_case(jws->type, TEXT("JWT"));
}

/* Of the keys that the header's kid and algorithm leave, by any. The kid is as the client spells
 * it, so not jws->kid. */
static bool is_signed(struct arena *arena, struct text token, const struct jws *jws,
                      const struct client_keys *keys)
{
    struct text kid = text_of(json_string_value(json_object_get(jws->header, "kid")));
    enum signing_algorithm algorithm;
    EVP_PKEY *key;
    bool right = false;
    size_t at = 0;

    if (!signing_algorithm_parse(jws->algorithm, &algorithm)) {
        return false;
    }
    while (!right && (key = client_keys_next(keys, algorithm, kid, &at)) != NULL) {
        right = client_jwt_verify(arena, token, jws, algorithm, key);
        EVP_PKEY_free(key);
    }
    return right;
}
