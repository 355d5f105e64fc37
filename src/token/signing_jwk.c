/* SPDX-License-Identifier: ISC */
/* signing_jwk.c: public keys as JSON. Knows JWK's members and their order. Does not know sets of
 * keys, files or the store. */
#include "token/signing_jwk.h"

#include "base/codec.h"
#include "base/crypto.h"

enum { THUMBPRINT_ROOM = 4096 };

static void write_number(struct json_out *out, const char *name, struct text number);
static void write_optional(struct json_out *out, const char *name, const char *value);
static bool verifies_signatures(const json_t *object);
static bool has_private_member(const json_t *object, struct fault *fault);
static bool read_algorithms(const json_t *object, struct signing_jwk *jwk, struct fault *fault);
static bool read_kid(const json_t *object, struct signing_jwk *jwk, struct fault *fault);
static bool read_numbers(struct arena *arena, const json_t *object, struct signing_jwk *jwk,
                         struct fault *fault);

/* ---- writing ---- */

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

/* ---- reading ---- */

enum signing_jwk_result signing_jwk_read(struct arena *arena, const json_t *object,
                                         struct signing_jwk *jwk, struct fault *fault)
{
    *jwk = (struct signing_jwk){0};
    if (has_private_member(object, fault)) {
        return SIGNING_JWK_WRONG;
    } else if (!verifies_signatures(object)) {
        return SIGNING_JWK_OTHER_USE;
    }
    return read_algorithms(object, jwk, fault) && read_kid(object, jwk, fault) &&
                   read_numbers(arena, object, jwk, fault)
               ? SIGNING_JWK_READ
               : SIGNING_JWK_WRONG;
}

EVP_PKEY *signing_jwk_key(const struct signing_jwk *jwk, struct fault *fault)
{
    EVP_PKEY *pkey = signing_numbers_public(jwk->profile, &jwk->numbers);

    if (pkey == NULL) {
        fault_set(fault, "its numbers are not those of %s", jwk->profile->wanted);
    } else if (!signing_profile_fits(jwk->profile, pkey, fault)) {
        EVP_PKEY_free(pkey);
        pkey = NULL;
    }
    return pkey;
}

/* RFC 7518 sections 6.2.2, 6.3.2 and 6.4.1. */
static bool has_private_member(const json_t *object, struct fault *fault)
{
    static const char *const names[] = {"d", "p", "q", "dp", "dq", "qi", "oth", "k"};

    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        if (json_object_get(object, names[i]) != NULL) {
            fault_set(fault, "member %s is secret; give the public part of a key pair only",
                      names[i]);
            return true;
        }
    }
    return false;
}

/* RFC 7517 sections 4.2 and 4.3. */
static bool verifies_signatures(const json_t *object)
{
    const json_t *use = json_object_get(object, "use");
    const json_t *operations = json_object_get(object, "key_ops");
    bool verifies = operations == NULL;

    for (size_t i = 0; i < json_array_size(operations); i++) {
        verifies |= text_is(text_of(json_string_value(json_array_get(operations, i))), "verify");
    }
    return verifies && (use == NULL || text_is(text_of(json_string_value(use)), "sig"));
}

/* Absent and empty are the same: neither names anything. */
static struct text member(const json_t *object, const char *name)
{
    return text_of(json_string_value(json_object_get(object, name)));
}

static bool read_algorithms(const json_t *object, struct signing_jwk *jwk, struct fault *fault)
{
    struct text kty = member(object, "kty");
    struct text curve = member(object, "crv");
    struct text algorithm = member(object, "alg");
    enum signing_algorithm named;
    bool is_known = signing_algorithm_parse(algorithm, &named);

    for (unsigned i = 0; i < SIGNING_ALGORITHMS; i++) {
        const struct signing_profile *profile = signing_profile((enum signing_algorithm)i);

        if (profile->type == NULL || !text_is(kty, profile->kty) ||
            !text_equal(curve, text_of(profile->curve))) {
            continue;
        }
        jwk->profile = profile;
        if (json_object_get(object, "alg") == NULL ||
            (is_known && named == (enum signing_algorithm)i)) {
            jwk->algorithms |= 1U << i;
        }
    }
    if (jwk->profile == NULL) {
        fault_set(fault,
                  "kty \"%.*s\" with crv \"%.*s\" is not supported; what is: RSA, EC with P-256, "
                  "P-384 or P-521, OKP with Ed25519",
                  TEXT_ARGS(text_cut(kty, 32)), TEXT_ARGS(text_cut(curve, 32)));
    } else if (jwk->algorithms == 0) {
        fault_set(fault, "alg \"%.*s\" is not supported for kty %s",
                  TEXT_ARGS(text_cut(algorithm, 32)), jwk->profile->kty);
    }
    return jwk->algorithms != 0;
}

static bool read_kid(const json_t *object, struct signing_jwk *jwk, struct fault *fault)
{
    enum json_in found = json_in_text(object, "kid", &jwk->kid);

    if (found == JSON_IN_ABSENT || (found == JSON_IN_TEXT && text_is_visible_ascii(jwk->kid) &&
                                    jwk->kid.size <= SIGNING_JWK_KID_MAX)) {
        return true;
    }
    fault_set(fault, "kid must be 1 to %d visible ASCII characters", (int)SIGNING_JWK_KID_MAX);
    return false;
}

static bool read_number(struct arena *arena, const json_t *object, const char *name,
                        struct text *number, struct fault *fault)
{
    struct text spelled = member(object, name);
    char *bytes = NULL;

    if (spelled.size <= codec_base64url_size(SIGNING_NUMBER_MAX)) {
        bytes = arena_alloc(arena, SIGNING_NUMBER_MAX);
    }
    number->data = bytes;
    if (bytes != NULL &&
        codec_base64url_decode(spelled, bytes, SIGNING_NUMBER_MAX, &number->size) &&
        number->size > 0) {
        return true;
    }
    fault_set(fault, "%s must be 1 to %d bytes in base64url without padding", name,
              (int)SIGNING_NUMBER_MAX);
    return false;
}

/* RFC 7518 section 6.3.1: without leading zeros. */
static bool read_rsa(struct arena *arena, const json_t *object, struct text *n, struct text *e,
                     struct fault *fault)
{
    if (!read_number(arena, object, "n", n, fault) || !read_number(arena, object, "e", e, fault)) {
        return false;
    } else if (n->data[0] == 0 || e->data[0] == 0) {
        fault_set(fault, "n and e must not begin with a zero byte");
        return false;
    }
    return true;
}

/* RFC 7518 section 6.2.1, RFC 8037 section 2: at full length. */
static bool read_coordinate(struct arena *arena, const json_t *object, const char *name,
                            size_t size, struct text *number, struct fault *fault)
{
    if (!read_number(arena, object, name, number, fault)) {
        return false;
    } else if (number->size != size) {
        fault_set(fault, "%s has %zu bytes; it must have %zu", name, number->size, size);
        return false;
    }
    return true;
}

static bool read_numbers(struct arena *arena, const json_t *object, struct signing_jwk *jwk,
                         struct fault *fault)
{
    struct text *of = jwk->numbers.of;
    size_t half = jwk->profile->half;

    if (jwk->profile->curve == NULL) {
        return read_rsa(arena, object, &of[SIGNING_N], &of[SIGNING_E], fault);
    } else if (half == 0) {
        return read_coordinate(arena, object, "x", SIGNING_ED25519_SIZE, &of[SIGNING_X], fault);
    }
    return read_coordinate(arena, object, "x", half, &of[SIGNING_X], fault) &&
           read_coordinate(arena, object, "y", half, &of[SIGNING_Y], fault);
}
