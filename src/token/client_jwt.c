/* SPDX-License-Identifier: ISC */
/* client_jwt.c: what a JWT of a client must be before and after its signature is verified. Knows
 * the gate and that the key pins the algorithm. Does not know claims, clients or which verifier is
 * linked. */
#include "token/client_jwt.h"

#include <openssl/evp.h>

#include "token/client_keys.h"

static bool has_type(const struct jws *jws);
static enum client_jwt_result check_signature(struct arena *arena, struct text token,
                                              const struct jws *jws,
                                              const struct client_keys *keys);

enum client_jwt_result client_jwt_open(struct arena *arena, struct text token, struct text keys,
                                       json_t **payload)
{
    struct jws jws;
    const struct client_keys *opened;
    enum client_jwt_result result;

    *payload = NULL;
    if (!jws_gate(arena, token, &jws)) {
        return CLIENT_JWT_MALFORMED;
    } else if (!has_type(&jws)) {
        return CLIENT_JWT_TYPE;
    } else if (keys.size == 0) {
        return CLIENT_JWT_KEY;
    } else if ((opened = client_keys_open(arena, keys)) == NULL) {
        return CLIENT_JWT_FAULT;
    }
    result = check_signature(arena, token, &jws, opened);
    if (result != CLIENT_JWT_OPEN) {
        return result;
    }
    *payload = json_in_object(arena, jws.payload_json, NULL);
    return *payload != NULL ? CLIENT_JWT_OPEN : CLIENT_JWT_MALFORMED;
}

static bool has_type(const struct jws *jws)
{
    static const struct text application = {"application/", 12};
    struct text type = jws->type;

    if (json_object_get(jws->header, "typ") == NULL) {
        return true;
    } else if (text_equal_ignore_case(text_cut(type, application.size), application)) {
        type = text_from(type, application.size);
    }
    return text_equal_ignore_case(type, TEXT("JWT")) ||
           text_equal_ignore_case(type, TEXT("client-authentication+jwt"));
}

/* Of the keys that the header's kid and algorithm leave, by any. The kid is as the client spells
 * it, so not jws->kid. */
static enum client_jwt_result check_signature(struct arena *arena, struct text token,
                                              const struct jws *jws, const struct client_keys *keys)
{
    struct text kid = text_of(json_string_value(json_object_get(jws->header, "kid")));
    enum signing_algorithm algorithm;
    EVP_PKEY *key;
    bool right = false;
    bool failed = false;
    size_t tried = 0;
    size_t at = 0;

    if (!signing_algorithm_parse(jws->algorithm, &algorithm)) {
        return CLIENT_JWT_KEY;
    }
    while (!right && (key = client_keys_next(keys, algorithm, kid, &at, &failed)) != NULL) {
        bool this_failed;

        right = client_jwt_verify(arena, token, jws, algorithm, key, &this_failed);
        failed = failed || this_failed;
        tried++;
        EVP_PKEY_free(key);
    }
    if (right) {
        return CLIENT_JWT_OPEN;
    } else if (failed) {
        return CLIENT_JWT_FAULT;
    }
    return tried > 0 ? CLIENT_JWT_SIGNATURE : CLIENT_JWT_KEY;
}
