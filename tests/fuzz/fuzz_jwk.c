/* SPDX-License-Identifier: ISC */
/* fuzz_jwk.c: any bytes as a JWK Set, and any JSON object as the only key of one. Properties: what
 * is accepted is kept in a form that is accepted again and stays the same, with at most eight keys
 * that each have a kid, are for at least one algorithm and can be made by libcrypto; nothing secret
 * is kept. */
#include <openssl/evp.h>

#include "base/json.h"
#include "fuzz/fuzz.h"
#include "token/client_keys.h"

static void check_members(const json_t *key)
{
    static const char *const kept[] = {"alg", "crv", "e", "kid", "kty", "n", "use", "x", "y"};
    size_t known = 0;

    for (size_t i = 0; i < sizeof kept / sizeof kept[0]; i++) {
        known += json_is_string(json_object_get(key, kept[i]));
    }
    FUZZ_ASSERT(known == json_object_size(key));
}

/* Each key must be found under some algorithm. */
static void check_found(const struct client_keys *keys, size_t count)
{
    bool found[CLIENT_KEYS_COUNT] = {false};

    for (unsigned i = 0; i < SIGNING_ALGORITHMS; i++) {
        struct evp_pkey_st *key;
        size_t at = 0;
        bool failed = false;

        while ((key = client_keys_next(keys, (enum signing_algorithm)i, (struct text){0}, &at,
                                       &failed)) != NULL) {
            FUZZ_ASSERT(at >= 1 && at <= count);
            found[at - 1] = true;
            EVP_PKEY_free(key);
        }
    }
    for (size_t i = 0; i < count; i++) {
        FUZZ_ASSERT(found[i]);
        FUZZ_ASSERT(text_is_visible_ascii(client_keys_kid(keys, i)));
    }
    FUZZ_ASSERT(client_keys_kid(keys, count).size == 0);
}

static void check_set(struct arena *arena, struct text set)
{
    struct text kept, again;

    if (!client_keys_from_set(arena, set, &kept, NULL)) {
        return;
    }
    const json_t *array = json_object_get(json_in_object(arena, kept, NULL), "keys");
    size_t count = json_array_size(array);
    const struct client_keys *keys = client_keys_open(arena, kept);
    FUZZ_ASSERT(keys != NULL && count >= 1 && count <= CLIENT_KEYS_COUNT);
    for (size_t i = 0; i < count; i++) {
        check_members(json_array_get(array, i));
    }
    check_found(keys, count);
    FUZZ_ASSERT(client_keys_from_set(arena, kept, &again, NULL));
    FUZZ_ASSERT(text_equal(kept, again));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena *arena = fuzz_arena(8 << 20);
    struct text input = fuzz_text(data, size);
    uint64_t random = fuzz_hash(input);
    struct buffer buffer;
    struct text kept;

    check_set(arena, input);
    buffer_start(&buffer, arena, size + 16);
    buffer_add_c(&buffer, "{\"keys\":[");
    buffer_add(&buffer, input);
    buffer_add_c(&buffer, "]}");
    check_set(arena, buffer_text(&buffer));
    client_keys_from_set(fuzz_arena(fuzz_random(&random, 16384)), input, &kept, NULL);
    return 0;
}
