/* SPDX-License-Identifier: ISC */
/* dpop_jwt.c: see dpop_jwt.h. */
#include "token/dpop_jwt.h"

#include <string.h>

#include <openssl/evp.h>

#include "base/codec.h"
#include "token/client_jwt.h"
#include "token/signing_jwk.h"

/* Which proof is wanted. */
struct kind {
    struct text type;
    unsigned algorithms; /* bits 1 << enum signing_algorithm */
};

static enum dpop_jwt_result open_kind(struct arena *arena, struct text token,
                                      const struct kind *kind, const struct signing_jwk *known,
                                      struct signing_jwk *jwk, json_t **payload);
static void take_point(const struct signing_jwk *jwk, uint8_t point[DPOP_JWT_POINT_SIZE]);
static bool may_sign(const struct kind *kind, struct text algorithm, enum signing_algorithm *named);
static bool read_key(struct arena *arena, const json_t *header, const struct signing_jwk *known,
                     struct signing_jwk *jwk);
static enum dpop_jwt_result check_signature(struct arena *arena, struct text token,
                                            const struct jws *jws, const struct signing_jwk *jwk,
                                            enum signing_algorithm algorithm, bool known);
static bool read_thumbprint(const struct signing_jwk *jwk, uint8_t thumbprint[CRYPTO_HASH_SIZE]);

static const struct kind client_kind = {{"dpop+jwt", 8}, ~0U};
static const struct kind browser_kind = {{"dbsc+jwt", 8}, 1U << SIGNING_ES256};

enum dpop_jwt_result dpop_jwt_open(struct arena *arena, struct text token, json_t **payload,
                                   uint8_t thumbprint[CRYPTO_HASH_SIZE])
{
    struct signing_jwk jwk;
    enum dpop_jwt_result result = open_kind(arena, token, &client_kind, NULL, &jwk, payload);

    if (result == DPOP_JWT_OPEN && !read_thumbprint(&jwk, thumbprint)) {
        *payload = NULL;
        return DPOP_JWT_FAULT;
    }
    return result;
}

enum dpop_jwt_result dpop_jwt_open_first(struct arena *arena, struct text token, json_t **payload,
                                         uint8_t point[DPOP_JWT_POINT_SIZE])
{
    struct signing_jwk jwk;
    enum dpop_jwt_result result = open_kind(arena, token, &browser_kind, NULL, &jwk, payload);

    if (result == DPOP_JWT_OPEN) {
        take_point(&jwk, point);
    }
    return result;
}

bool dpop_jwt_read_point(struct arena *arena, const json_t *key, uint8_t point[DPOP_JWT_POINT_SIZE])
{
    struct signing_jwk jwk = {0};
    EVP_PKEY *read = NULL;

    if (json_is_object(key) && signing_jwk_read(arena, key, &jwk, NULL) == SIGNING_JWK_READ &&
        (jwk.algorithms & browser_kind.algorithms) != 0) {
        read = signing_jwk_key(&jwk, NULL);
    }
    if (read != NULL) {
        take_point(&jwk, point);
    }
    EVP_PKEY_free(read);
    return read != NULL;
}

/* Of a key on P-256, so each has half the size. */
static void take_point(const struct signing_jwk *jwk, uint8_t point[DPOP_JWT_POINT_SIZE])
{
    const struct text *of = jwk->numbers.of;

    memcpy(point, of[SIGNING_X].data, of[SIGNING_X].size);
    memcpy(point + of[SIGNING_X].size, of[SIGNING_Y].data, of[SIGNING_Y].size);
}

enum dpop_jwt_result dpop_jwt_open_known(struct arena *arena, struct text token,
                                         const uint8_t point[DPOP_JWT_POINT_SIZE], json_t **payload)
{
    enum { HALF = DPOP_JWT_POINT_SIZE / 2 };
    struct signing_jwk known = {.profile = signing_profile(SIGNING_ES256),
                                .algorithms = 1U << SIGNING_ES256};
    struct signing_jwk jwk;

    known.numbers.of[SIGNING_X] = (struct text){(const char *)point, HALF};
    known.numbers.of[SIGNING_Y] = (struct text){(const char *)point + HALF, HALF};
    return open_kind(arena, token, &browser_kind, &known, &jwk, payload);
}

/* `known`: the key; NULL: the one that it brings. */
static enum dpop_jwt_result open_kind(struct arena *arena, struct text token,
                                      const struct kind *kind, const struct signing_jwk *known,
                                      struct signing_jwk *jwk, json_t **payload)
{
    struct jws jws;
    enum signing_algorithm algorithm;
    enum dpop_jwt_result result;

    *payload = NULL;
    *jwk = (struct signing_jwk){0};
    if (!jws_gate(arena, token, &jws)) {
        return DPOP_JWT_MALFORMED;
    } else if (!text_equal_ignore_case(jws.type, kind->type)) {
        return DPOP_JWT_TYPE;
    } else if (!may_sign(kind, jws.algorithm, &algorithm)) {
        return DPOP_JWT_ALGORITHM;
    } else if (!read_key(arena, jws.header, known, jwk) ||
               (jwk->algorithms & 1U << algorithm) == 0) {
        return DPOP_JWT_KEY;
    }
    result = check_signature(arena, token, &jws, jwk, algorithm, known != NULL);
    if (result != DPOP_JWT_OPEN) {
        return result;
    }
    *payload = json_in_object(arena, jws.payload_json, NULL);
    return *payload != NULL ? DPOP_JWT_OPEN : DPOP_JWT_MALFORMED;
}

static bool may_sign(const struct kind *kind, struct text algorithm, enum signing_algorithm *named)
{
    return signing_algorithm_parse(algorithm, named) && !signing_algorithm_is_secret(*named) &&
           (kind->algorithms & 1U << *named) != 0;
}

/* Who is known brings no key. */
static bool read_key(struct arena *arena, const json_t *header, const struct signing_jwk *known,
                     struct signing_jwk *jwk)
{
    const json_t *key = json_object_get(header, "jwk");

    if (known != NULL) {
        *jwk = *known;
        return key == NULL;
    }
    return json_is_object(key) && signing_jwk_read(arena, key, jwk, NULL) == SIGNING_JWK_READ;
}

/* A key that is known has been one before. */
static enum dpop_jwt_result check_signature(struct arena *arena, struct text token,
                                            const struct jws *jws, const struct signing_jwk *jwk,
                                            enum signing_algorithm algorithm, bool known)
{
    EVP_PKEY *key = signing_jwk_key(jwk, NULL);
    bool failed = false;
    bool right;

    if (key == NULL) {
        return known ? DPOP_JWT_FAULT : DPOP_JWT_KEY;
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
