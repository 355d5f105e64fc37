/* SPDX-License-Identifier: ISC */
/* dpop_jwt.c: see dpop_jwt.h. */
#include "token/dpop_jwt.h"

#include <openssl/evp.h>

#include "base/codec.h"
#include "token/client_jwt.h"
#include "token/signing_jwk.h"

static enum dpop_jwt_result check_signature(struct arena *arena, struct text token,
                                            const struct jws *jws, const struct signing_jwk *jwk,
                                            enum signing_algorithm algorithm);
static bool read_thumbprint(const struct signing_jwk *jwk, uint8_t thumbprint[CRYPTO_HASH_SIZE]);

enum dpop_jwt_result dpop_jwt_open(struct arena *arena, struct text token, json_t **payload,
                                   uint8_t thumbprint[CRYPTO_HASH_SIZE])
{
    struct jws jws;
    struct signing_jwk jwk;
    enum signing_algorithm algorithm;
    const json_t *key;
    enum dpop_jwt_result result;

    *payload = NULL;
    if (!jws_gate(arena, token, &jws)) {
        return DPOP_JWT_MALFORMED;
    } else if (!text_equal_ignore_case(jws.type, TEXT("dpop+jwt"))) {
        return DPOP_JWT_TYPE;
    } else if (!signing_algorithm_parse(jws.algorithm, &algorithm) ||
               signing_algorithm_is_secret(algorithm)) {
        return DPOP_JWT_ALGORITHM;
    }
    key = json_object_get(jws.header, "jwk");
    if (!json_is_object(key) || signing_jwk_read(arena, key, &jwk, NULL) != SIGNING_JWK_READ ||
        (jwk.algorithms & 1U << algorithm) == 0) {
        return DPOP_JWT_KEY;
    }
    result = check_signature(arena, token, &jws, &jwk, algorithm);
    if (result != DPOP_JWT_OPEN) {
        return result;
    } else if (!read_thumbprint(&jwk, thumbprint)) {
        return DPOP_JWT_FAULT;
    }
    *payload = json_in_object(arena, jws.payload_json, NULL);
    return *payload != NULL ? DPOP_JWT_OPEN : DPOP_JWT_MALFORMED;
}

static enum dpop_jwt_result check_signature(struct arena *arena, struct text token,
                                            const struct jws *jws, const struct signing_jwk *jwk,
                                            enum signing_algorithm algorithm)
{
    EVP_PKEY *key = signing_jwk_key(jwk, NULL);
    bool failed = false;
    bool right;

    if (key == NULL) {
        return DPOP_JWT_KEY;
    }
    right = client_jwt_verify(arena, token, jws, algorithm, key, &failed);
    EVP_PKEY_free(key);
    if (right) {
        return DPOP_JWT_OPEN;
    }
    return failed ? DPOP_JWT_FAULT : DPOP_JWT_SIGNATURE;
}

static bool read_thumbprint(const struct signing_jwk *jwk, uint8_t thumbprint[CRYPTO_HASH_SIZE])
{
    char spelled[SIGNING_THUMBPRINT_SIZE + 1];
    size_t size = 0;

    return signing_jwk_thumbprint(jwk->profile, &jwk->numbers, spelled) &&
           codec_base64url_decode(text_of(spelled), thumbprint, CRYPTO_HASH_SIZE, &size) &&
           size == CRYPTO_HASH_SIZE;
}
