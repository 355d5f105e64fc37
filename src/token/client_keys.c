/* SPDX-License-Identifier: ISC */
/* client_keys.c: sets of public keys. Knows the members of a JWK Set and how a key is chosen; one
 * key is signing_jwk.c's. Does not know clients or tokens. */
#include "token/client_keys.h"

#include "base/json.h"
#include "token/signing_jwk.h"
#include "token/signing_pem.h"

struct client_keys {
    size_t count;
    struct signing_jwk of[CLIENT_KEYS_COUNT];
};

/* What an operator gives is made into libcrypto's keys at once, to see whether it is any. */
enum source { FROM_OPERATOR, FROM_STORE };
static struct client_keys *read_set(struct arena *arena, struct text set, enum source from,
                                    struct fault *fault);
static bool read_key(struct arena *arena, const json_t *object, enum source from,
                     struct client_keys *keys, struct fault *fault);
static bool is_usable(const struct signing_jwk *jwk, struct fault *fault);
static bool write_set(struct arena *arena, const struct client_keys *keys, struct text *set,
                      struct fault *fault);
static bool write_key(const struct signing_jwk *jwk, struct json_out *out);

/* ---- from an operator ---- */

bool client_keys_from_set(struct arena *arena, struct text set, struct text *keys,
                          struct fault *fault)
{
    struct client_keys *read = read_set(arena, set, FROM_OPERATOR, fault);

    if (read == NULL) {
        return false;
    } else if (read->count == 0) {
        fault_set(fault, "no key in this JWK Set verifies signatures");
        return false;
    }
    return write_set(arena, read, keys, fault);
}

bool client_keys_from_pem(struct arena *arena, struct text pem, enum signing_algorithm algorithm,
                          struct text *keys, struct fault *fault)
{
    const struct signing_profile *profile = signing_profile(algorithm);
    struct client_keys one = {.count = 1};
    struct signing_jwk *jwk = &one.of[0];
    uint8_t room[SIGNING_PUBLIC_MAX];
    EVP_PKEY *pkey = signing_pem_public(pem, fault);
    bool good = pkey != NULL && signing_profile_fits(profile, pkey, fault);

    *jwk = (struct signing_jwk){.profile = profile, .algorithms = 1U << algorithm};
    if (good && !signing_numbers_read_public(profile, pkey, room, &jwk->numbers)) {
        fault_set(fault, "the key's numbers cannot be read; what is needed is %s", profile->wanted);
        good = false;
    }
    EVP_PKEY_free(pkey);
    return good && write_set(arena, &one, keys, fault);
}

/* ---- to a signature ---- */

struct client_keys *client_keys_open(struct arena *arena, struct text keys)
{
    return read_set(arena, keys, FROM_STORE, NULL);
}

struct text client_keys_kid(const struct client_keys *keys, size_t index)
{
    return index < keys->count ? keys->of[index].kid : (struct text){0};
}

static bool has_kid(const struct client_keys *keys, struct text kid)
{
    bool has = false;

    for (size_t i = 0; i < keys->count; i++) {
        has |= text_equal(keys->of[i].kid, kid);
    }
    return has;
}

struct evp_pkey_st *client_keys_next(const struct client_keys *keys,
                                     enum signing_algorithm algorithm, struct text kid, size_t *at,
                                     bool *failed)
{
    bool named = kid.size > 0 && has_kid(keys, kid);
    EVP_PKEY *pkey = NULL;

    while (pkey == NULL && *at < keys->count) {
        const struct signing_jwk *jwk = &keys->of[(*at)++];

        if ((jwk->algorithms & 1U << algorithm) != 0 && (!named || text_equal(jwk->kid, kid))) {
            pkey = signing_jwk_key(jwk, NULL);
            *failed = *failed || pkey == NULL;
        }
    }
    return pkey;
}

/* ---- reading ---- */

static struct client_keys *read_set(struct arena *arena, struct text set, enum source from,
                                    struct fault *fault)
{
    struct client_keys *keys = arena_alloc(arena, sizeof *keys);

    if (keys == NULL || set.size > CLIENT_KEYS_INPUT_MAX) {
        fault_set(fault, "the JWK Set is too large; %d bytes are the most",
                  (int)CLIENT_KEYS_INPUT_MAX);
        return NULL;
    }
    const json_t *object = json_in_object(arena, set, fault);
    const json_t *array = json_object_get(object, "keys");
    if (object != NULL && !json_is_array(array)) {
        fault_set(fault, "this is no JWK Set: {\"keys\":[...]}");
    }
    if (!json_is_array(array)) {
        return NULL;
    }
    for (size_t i = 0; i < json_array_size(array); i++) {
        if (!read_key(arena, json_array_get(array, i), from, keys, fault)) {
            fault_prefix(fault, "key %zu of the JWK Set", i + 1);
            return NULL;
        }
    }
    return keys;
}

static bool read_key(struct arena *arena, const json_t *object, enum source from,
                     struct client_keys *keys, struct fault *fault)
{
    struct signing_jwk jwk;

    switch (signing_jwk_read(arena, object, &jwk, fault)) {
    case SIGNING_JWK_READ:
        break;
    case SIGNING_JWK_OTHER_USE:
        return true;
    case SIGNING_JWK_WRONG:
        return false;
    }
    if (keys->count == CLIENT_KEYS_COUNT) {
        fault_set(fault, "too many; %d are the most", (int)CLIENT_KEYS_COUNT);
        return false;
    } else if (from == FROM_OPERATOR && !is_usable(&jwk, fault)) {
        return false;
    }
    keys->of[keys->count++] = jwk;
    return true;
}

static bool is_usable(const struct signing_jwk *jwk, struct fault *fault)
{
    EVP_PKEY *pkey = signing_jwk_key(jwk, fault);

    EVP_PKEY_free(pkey);
    return pkey != NULL;
}

/* ---- writing ---- */

static bool write_set(struct arena *arena, const struct client_keys *keys, struct text *set,
                      struct fault *fault)
{
    struct buffer buffer;
    bool good = true;

    buffer_start(&buffer, arena, 1024);
    struct json_out out = json_out_start(&buffer, JSON_STYLE_PLAIN);
    json_out_open(&out);
    json_out_key(&out, "keys");
    json_out_array_open(&out);
    for (size_t i = 0; i < keys->count; i++) {
        good &= write_key(&keys->of[i], &out);
    }
    json_out_array_close(&out);
    json_out_close(&out);
    good = buffer_finish(&buffer, set) && good;
    if (!good) {
        fault_set(fault, "out of memory for a JWK Set");
    }
    return good;
}

/* NULL when the key is for several. */
static const char *only_algorithm(const struct signing_jwk *jwk)
{
    for (unsigned i = 0; i < SIGNING_ALGORITHMS; i++) {
        if (jwk->algorithms == 1U << i) {
            return signing_algorithm_name((enum signing_algorithm)i);
        }
    }
    return NULL;
}

static bool write_key(const struct signing_jwk *jwk, struct json_out *out)
{
    char kid[SIGNING_JWK_KID_MAX + 1];

    if (jwk->kid.size > 0 ? !text_copy(jwk->kid, kid, sizeof kid)
                          : !signing_jwk_thumbprint(jwk->profile, &jwk->numbers, kid)) {
        return false;
    }
    signing_jwk_write(jwk->profile, &jwk->numbers, only_algorithm(jwk), kid, out);
    return true;
}
