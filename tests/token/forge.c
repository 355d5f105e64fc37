/* SPDX-License-Identifier: ISC */
/* forge.c: forged tokens for tests. Knows base64url and dots; checks nothing. */
#include "token/fixture.h"

#include "token/forge.h"

struct text forge_with(struct arena *arena, struct text header, struct text payload,
                       struct text signature)
{
    struct buffer buffer;
    struct text token;

    buffer_start(&buffer, arena, 64);
    buffer_add_base64url(&buffer, header.data, header.size);
    buffer_add_char(&buffer, '.');
    buffer_add_base64url(&buffer, payload.data, payload.size);
    buffer_add_char(&buffer, '.');
    buffer_add_base64url(&buffer, signature.data, signature.size);
    assert_true(buffer_finish(&buffer, &token));
    return token;
}

static struct text input_of(struct arena *arena, const char *header, const char *payload)
{
    struct text token = forge_with(arena, T(header), T(payload), (struct text){0});

    return text_cut(token, token.size - 1); /* without the last dot */
}

struct text forge_signed(struct arena *arena, const struct signing_key *key, const char *header,
                         const char *payload)
{
    uint8_t signature[SIGNING_SIGNATURE_MAX];
    size_t size = sizeof signature;

    assert_true(signing_key_sign(key, input_of(arena, header, payload), signature, &size));
    return forge_with(arena, T(header), T(payload), (struct text){(const char *)signature, size});
}

struct text forge_mac(struct arena *arena, struct text secret, const char *header,
                      const char *payload)
{
    uint8_t mac[CRYPTO_HASH_SIZE];
    struct text input = input_of(arena, header, payload);
    struct crypto_mac *key = crypto_mac_open(secret.size > 0 ? secret.data : "", secret.size);

    assert_non_null(key);
    assert_true(crypto_mac_compute(key, input.data, input.size, mac));
    crypto_mac_close(key);
    return forge_with(arena, T(header), T(payload), (struct text){(const char *)mac, sizeof mac});
}
