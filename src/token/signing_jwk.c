/* SPDX-License-Identifier: ISC */
/* signing_jwk.c: public keys as JSON. Knows JWK's members and their order. Does not know private
 * parts, files or the store. */
#include "token/signing_jwk.h"

#include "base/codec.h"
#include "base/crypto.h"

enum { THUMBPRINT_ROOM = 4096 };

static void write_number(struct json_out *out, const char *name, struct text number);
static void write_optional(struct json_out *out, const char *name, const char *value);

void signing_jwk_write(const struct signing_profile *profile, const struct signing_numbers *numbers,
                       const char *algorithm, const char *kid, struct json_out *out)
{
    json_out_open(out);
    write_optional(out, "alg", algorithm);
    write_optional(out, "crv", profile->curve);
    write_number(out, "e", numbers->of[SIGNING_E]);
    write_optional(out, "kid", kid);
    write_optional(out, "kty", profile->kty);
    write_number(out, "n", numbers->of[SIGNING_N]);
    write_optional(out, "use", kid != NULL ? "sig" : NULL);
    write_number(out, "x", numbers->of[SIGNING_X]);
    write_number(out, "y", numbers->of[SIGNING_Y]);
    json_out_close(out);
}

static void write_number(struct json_out *out, const char *name, struct text number)
{
    char spelled[(SIGNING_NUMBER_MAX * 4 + 2) / 3];

    if (number.size > 0) {
        codec_base64url_encode(number.data, number.size, spelled);
        json_out_member(out, name, (struct text){spelled, codec_base64url_size(number.size)});
    }
}

static void write_optional(struct json_out *out, const char *name, const char *value)
{
    if (value != NULL) {
        json_out_member(out, name, text_of(value));
    }
}

bool signing_jwk_thumbprint(const struct signing_profile *profile,
                            const struct signing_numbers *numbers,
                            char out[SIGNING_THUMBPRINT_SIZE + 1])
{
    struct buffer buffer;
    struct text json;
    uint8_t hash[CRYPTO_HASH_SIZE];
    struct arena *arena = arena_open(THUMBPRINT_ROOM);

    if (arena == NULL) {
        return false;
    }
    buffer_start(&buffer, arena, THUMBPRINT_ROOM / 4);
    struct json_out members = json_out_start(&buffer, JSON_STYLE_PLAIN);
    signing_jwk_write(profile, numbers, NULL, NULL, &members);
    bool good = buffer_finish(&buffer, &json) && crypto_sha256(json.data, json.size, hash);
    if (good) {
        codec_base64url_encode(hash, sizeof hash, out);
        out[SIGNING_THUMBPRINT_SIZE] = '\0';
    }
    arena_close(arena);
    return good;
}
