/* SPDX-License-Identifier: ISC */
/* adoption_key.c: keys of other servers. Does not know what the tokens say, or who is who. */
#include "token/adoption_key.h"

#include <stdio.h>

#include "base/codec.h"
#include "base/secret.h"
#include "token/client_keys.h"
#include "token/signing_file.h"

enum { ABOUT_MAX = 96 };

static bool seal_secret(struct arena *arena, enum signing_algorithm algorithm, struct text data,
                        const char *kid, const struct secrets *secrets,
                        const struct randomness *randomness, struct signing_row *row,
                        struct fault *fault);
static bool seal_public(struct arena *arena, enum signing_algorithm algorithm, struct text data,
                        const char *kid, const struct secrets *secrets,
                        const struct randomness *randomness, struct signing_row *row,
                        struct fault *fault);
static struct text about(const struct signing_row *row, char room[ABOUT_MAX]);
static enum client_jwt_result open_secret(struct arena *arena, const struct jws *jws,
                                          const struct signing_row *row,
                                          const struct secrets *secrets, json_t **payload,
                                          struct fault *fault);
static enum client_jwt_result open_public(struct arena *arena, struct text token,
                                          const struct signing_row *row,
                                          const struct secrets *secrets, json_t **payload,
                                          struct fault *fault);

/* ---- keeping ---- */

bool adoption_key_seal(struct arena *arena, enum signing_algorithm algorithm, struct text data,
                       const char *kid, const struct secrets *secrets,
                       const struct randomness *randomness, struct signing_row *row,
                       struct fault *fault)
{
    return signing_algorithm_is_secret(algorithm)
               ? seal_secret(arena, algorithm, data, kid, secrets, randomness, row, fault)
               : seal_public(arena, algorithm, data, kid, secrets, randomness, row, fault);
}

static bool seal_secret(struct arena *arena, enum signing_algorithm algorithm, struct text data,
                        const char *kid, const struct secrets *secrets,
                        const struct randomness *randomness, struct signing_row *row,
                        struct fault *fault)
{
    struct signing_key *key = signing_file_read(arena, algorithm, data, kid, fault);
    bool sealed = key != NULL && signing_key_seal(key, secrets, randomness, row, fault);

    signing_key_close(key);
    return sealed;
}

static bool seal_public(struct arena *arena, enum signing_algorithm algorithm, struct text data,
                        const char *kid, const struct secrets *secrets,
                        const struct randomness *randomness, struct signing_row *row,
                        struct fault *fault)
{
    struct text keys;
    uint8_t nonce[12];
    char room[ABOUT_MAX];
    struct text name = text_of(kid);
    bool is_set = text_starts(text_strip(data), TEXT("{"));

    if (!(is_set ? client_keys_from_set(arena, data, &keys, fault)
                 : client_keys_from_pem(arena, data, algorithm, &keys, fault))) {
        return false;
    }
    if (name.size == 0) {
        struct client_keys *opened = client_keys_open(arena, keys);

        name = opened != NULL ? client_keys_kid(opened, 0) : name;
    }
    if (!signing_key_kid_valid(name) || !text_copy(name, row->kid, sizeof row->kid)) {
        fault_set(fault, "a kid has 1 to %d of A-Z a-z 0-9 . _ -; name one with --kid",
                  SIGNING_KID_MAX);
        return false;
    }
    row->algorithm = algorithm;
    if (keys.size + CRYPTO_SEAL_EXTRA > sizeof row->sealed) {
        fault_set(fault, "the keys are too large to be stored; import them one by one");
    } else if (!randomness_fill(randomness, nonce, sizeof nonce) ||
               !crypto_seal(secrets->sealing, nonce, about(row, room), keys.data, keys.size,
                            row->sealed)) {
        fault_set(fault, "no randomness, or libcrypto cannot seal the key %s", row->kid);
    } else {
        row->sealed_size = (uint16_t)(keys.size + CRYPTO_SEAL_EXTRA);
        return true;
    }
    return false;
}

static struct text about(const struct signing_row *row, char room[ABOUT_MAX])
{
    int size = snprintf(room, ABOUT_MAX, "verify-only %s %s",
                        signing_algorithm_name(row->algorithm), row->kid);

    return (struct text){room, (size_t)size};
}

/* ---- verifying ---- */

enum client_jwt_result adoption_key_open(struct arena *arena, struct text token,
                                         const struct signing_row *row,
                                         const struct secrets *secrets, json_t **payload,
                                         struct fault *fault)
{
    struct jws jws;

    *payload = NULL;
    if (!jws_gate(arena, token, &jws)) {
        return CLIENT_JWT_MALFORMED;
    } else if (json_object_get(jws.header, "typ") != NULL &&
               !text_equal_ignore_case(jws.type, TEXT("JWT"))) {
        return CLIENT_JWT_TYPE;
    } else if (!text_is(jws.algorithm, signing_algorithm_name(row->algorithm))) {
        return CLIENT_JWT_KEY;
    }
    return signing_algorithm_is_secret(row->algorithm)
               ? open_secret(arena, &jws, row, secrets, payload, fault)
               : open_public(arena, token, row, secrets, payload, fault);
}

/* Not by jws_open: a token names its key as the other server does, and the row need not. */
static enum client_jwt_result open_secret(struct arena *arena, const struct jws *jws,
                                          const struct signing_row *row,
                                          const struct secrets *secrets, json_t **payload,
                                          struct fault *fault)
{
    struct signing_key *key = signing_key_unseal(row, secrets, fault);
    bool failed, good;

    if (key == NULL) {
        return CLIENT_JWT_FAULT;
    }
    good = signing_key_check(key, jws->signing_input, jws->signature, jws->signature_size, &failed);
    signing_key_close(key);
    if (failed) {
        fault_set(fault, "key %s: out of memory, or libcrypto failed", row->kid);
        return CLIENT_JWT_FAULT;
    } else if (!good) {
        return CLIENT_JWT_SIGNATURE;
    }
    *payload = json_in_object(arena, jws->payload_json, NULL);
    return *payload != NULL ? CLIENT_JWT_OPEN : CLIENT_JWT_MALFORMED;
}

static enum client_jwt_result open_public(struct arena *arena, struct text token,
                                          const struct signing_row *row,
                                          const struct secrets *secrets, json_t **payload,
                                          struct fault *fault)
{
    char room[ABOUT_MAX];
    char *keys = arena_alloc(arena, sizeof row->sealed);
    enum client_jwt_result result = CLIENT_JWT_FAULT;

    if (keys == NULL || row->sealed_size <= CRYPTO_SEAL_EXTRA ||
        row->sealed_size > sizeof row->sealed ||
        !crypto_open_seal(secrets->sealing, about(row, room), row->sealed, row->sealed_size,
                          (uint8_t *)keys)) {
        fault_set(fault, "key %s: out of memory, or not sealed under this master secret", row->kid);
        return CLIENT_JWT_FAULT;
    }
    result = client_jwt_open(
        arena, token, (struct text){keys, row->sealed_size - (size_t)CRYPTO_SEAL_EXTRA}, payload);
    if (result == CLIENT_JWT_FAULT) {
        fault_set(fault, "key %s: out of memory, or libcrypto failed", row->kid);
    }
    return result;
}
