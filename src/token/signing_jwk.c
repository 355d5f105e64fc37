/* signing_jwk.c: public keys as JSON. Knows JWK's members and their order. Does not know private
 * parts, files or the store. */
#include <openssl/bn.h>
#include <openssl/core_names.h>

#include "base/codec.h"
#include "base/crypto.h"

#include "token/signing_jwk.h"

enum { NUMBER_MAX = SIGNING_RSA_BITS_MAX / 8, THUMBPRINT_ROOM = 4096 };

struct number {
    uint8_t bytes[NUMBER_MAX];
    size_t size; /* 0: the type has no such member */
};

struct public_part {
    struct number e, n, x, y;
};

/* Big-endian; padded to `size` bytes, or in its shortest form when `size` is 0. */
static bool read_number(const EVP_PKEY *pkey, const char *name, size_t size, struct number *number)
{
    BIGNUM *value = NULL;
    bool good = false;

    if (EVP_PKEY_get_bn_param(pkey, name, &value) == 1) {
        number->size = size != 0 ? size : (size_t)BN_num_bytes(value);
        good = number->size <= sizeof number->bytes &&
               BN_bn2binpad(value, number->bytes, (int)number->size) == (int)number->size;
    }
    BN_free(value);
    return good;
}

static bool read_public(const struct signing_profile *profile, const EVP_PKEY *pkey,
                        struct public_part *part)
{
    *part = (struct public_part){0};
    if (profile->half != 0) {
        return read_number(pkey, OSSL_PKEY_PARAM_EC_PUB_X, profile->half, &part->x) &&
               read_number(pkey, OSSL_PKEY_PARAM_EC_PUB_Y, profile->half, &part->y);
    } else if (profile->curve != NULL) {
        part->x.size = sizeof part->x.bytes;
        return EVP_PKEY_get_raw_public_key(pkey, part->x.bytes, &part->x.size) == 1;
    }
    return read_number(pkey, OSSL_PKEY_PARAM_RSA_E, 0, &part->e) &&
           read_number(pkey, OSSL_PKEY_PARAM_RSA_N, 0, &part->n);
}

static void write_number(struct json_out *out, const char *name, const struct number *number)
{
    char spelled[(NUMBER_MAX * 4 + 2) / 3];

    if (number->size == 0) {
        return;
    }
    codec_base64url_encode(number->bytes, number->size, spelled);
    json_out_member(out, name, (struct text){spelled, codec_base64url_size(number->size)});
}

static void write_optional(struct json_out *out, const char *name, const char *value)
{
    if (value != NULL) {
        json_out_member(out, name, text_of(value));
    }
}

/* kid NULL: the members that a thumbprint covers, which are the same in the same order. */
static void write_members(const struct signing_profile *profile, const struct public_part *part,
                          const char *algorithm, const char *kid, struct json_out *out)
{
    json_out_open(out);
    write_optional(out, "alg", algorithm);
    write_optional(out, "crv", profile->curve);
    write_number(out, "e", &part->e);
    write_optional(out, "kid", kid);
    write_optional(out, "kty", profile->kty);
    write_number(out, "n", &part->n);
    write_optional(out, "use", kid != NULL ? "sig" : NULL);
    write_number(out, "x", &part->x);
    write_number(out, "y", &part->y);
    json_out_close(out);
}

bool signing_jwk_write(const struct signing_profile *profile, const EVP_PKEY *pkey,
                       const char *algorithm, const char *kid, struct json_out *out)
{
    struct public_part part;

    if (!read_public(profile, pkey, &part)) {
        return false;
    }
    write_members(profile, &part, algorithm, kid, out);
    return true;
}

bool signing_jwk_thumbprint(const struct signing_profile *profile, const EVP_PKEY *pkey,
                            char out[SIGNING_THUMBPRINT_SIZE + 1])
{
    struct public_part part;
    struct buffer buffer;
    struct text json;
    uint8_t hash[CRYPTO_HASH_SIZE];
    struct arena *arena = arena_open(THUMBPRINT_ROOM);

    if (arena == NULL) {
        return false;
    }
    buffer_start(&buffer, arena, THUMBPRINT_ROOM / 4);
    bool good = read_public(profile, pkey, &part);
    if (good) {
        struct json_out members = json_out_start(&buffer, JSON_STYLE_PLAIN);
        write_members(profile, &part, NULL, NULL, &members);
        good = buffer_finish(&buffer, &json) && crypto_sha256(json.data, json.size, hash);
    }
    if (good) {
        codec_base64url_encode(hash, sizeof hash, out);
        out[SIGNING_THUMBPRINT_SIZE] = '\0';
    }
    arena_close(arena);
    return good;
}
