/* SPDX-License-Identifier: ISC */
/* signing_file.c: see signing_file.h. */
#include "token/signing_file.h"

#include <string.h>

#include "base/codec.h"
#include "base/secret.h"
#include "token/signing_numbers.h"
#include "token/signing_pem.h"

static struct text without_line_end(struct text data);
static bool read_jwk(struct arena *arena, enum signing_algorithm algorithm, struct text json,
                     struct text *secret, const char **kid, struct fault *fault);
static bool write_jwk(const struct signing_key *key, struct buffer *out);

struct signing_key *signing_file_read(struct arena *arena, enum signing_algorithm algorithm,
                                      struct text data, const char *kid, struct fault *fault)
{
    struct text secret = without_line_end(data);

    if (!signing_algorithm_is_secret(algorithm)) {
        return signing_key_from_pem(algorithm, data, kid, fault);
    } else if (text_starts(text_strip(data), TEXT("{")) &&
               !read_jwk(arena, algorithm, data, &secret, &kid, fault)) {
        return NULL;
    }
    return signing_key_from_secret(algorithm, secret, kid, fault);
}

static struct text without_line_end(struct text data)
{
    data.size -= text_ends(data, TEXT("\n"));
    data.size -= text_ends(data, TEXT("\r"));
    return data;
}

/* *kid stays as it is where the caller names one. */
static bool read_jwk(struct arena *arena, enum signing_algorithm algorithm, struct text json,
                     struct text *secret, const char **kid, struct fault *fault)
{
    const json_t *jwk = json_in_object(arena, json, fault);
    struct text named = text_of(json_string_value(json_object_get(jwk, "alg")));
    struct text spelled = text_of(json_string_value(json_object_get(jwk, "k")));
    char *bytes = jwk != NULL ? arena_alloc(arena, spelled.size + 1) : NULL;

    if (jwk == NULL) {
        fault_prefix(fault, "what begins with { is read as a JWK");
    } else if (!text_is(text_of(json_string_value(json_object_get(jwk, "kty"))), "oct") ||
               bytes == NULL ||
               !codec_base64url_decode(spelled, bytes, spelled.size + 1, &secret->size)) {
        fault_set(fault, "a JWK of a secret has kty oct and k in base64url without padding");
    } else if (named.size > 0 && !text_is(named, signing_algorithm_name(algorithm))) {
        fault_set(fault, "the JWK's alg is another than %s", signing_algorithm_name(algorithm));
    } else {
        secret->data = bytes;
        if (*kid == NULL || **kid == '\0') {
            *kid = json_string_value(json_object_get(jwk, "kid"));
        }
        return true;
    }
    return false;
}

bool signing_file_write(const struct signing_key *key, bool with_private, struct buffer *out)
{
    enum signing_algorithm algorithm = signing_key_algorithm(key);
    const struct signing_profile *profile = signing_profile(algorithm);
    struct signing_numbers numbers;

    if (signing_algorithm_is_secret(algorithm)) {
        return with_private && write_jwk(key, out);
    } else if (!signing_numbers_split(profile, signing_key_bytes(key), &numbers)) {
        return false;
    }
    EVP_PKEY *pkey = with_private ? signing_numbers_pair(profile, &numbers)
                                  : signing_numbers_public(profile, &numbers);
    bool written = pkey != NULL && signing_pem_write(pkey, with_private, out);

    EVP_PKEY_free(pkey);
    return written;
}

/* Bytes alone would lose a line end that they happen to end with. */
static bool write_jwk(const struct signing_key *key, struct buffer *out)
{
    struct json_out json = json_out_start(out, JSON_STYLE_PLAIN);
    struct text bytes = signing_key_bytes(key);
    char spelled[2 * SIGNING_SECRET_MAX];

    codec_base64url_encode(bytes.data, bytes.size, spelled);
    json_out_open(&json);
    json_out_member(&json, "alg", text_of(signing_algorithm_name(signing_key_algorithm(key))));
    json_out_member(&json, "k", (struct text){spelled, codec_base64url_size(bytes.size)});
    json_out_member(&json, "kid", text_of(signing_key_kid(key)));
    json_out_member(&json, "kty", TEXT("oct"));
    json_out_close(&json);
    buffer_add_c(out, "\n");
    secret_wipe(spelled, sizeof spelled);
    return true;
}
