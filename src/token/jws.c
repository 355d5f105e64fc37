/* SPDX-License-Identifier: ISC */
/* jws.c: compact JWS, written and read. Knows the three parts, the header members that matter and
 * the gate. Does not know claims, layouts or where keys are kept. */
#include "token/jws.h"

#include <string.h>

#include "base/codec.h"
#include "token/keyring.h"

static bool decode_part(struct arena *arena, struct text part, struct text *decoded);
static bool read_header(struct arena *arena, struct jws *jws);
static bool is_signed_by(const struct jws *jws, const struct signing_key *key, struct fault *fault);

/* ---- writing ---- */

/* Of RSA-3072; the buffer moves for a longer one. */
enum { USUAL_SIGNATURE = 384 };

bool jws_sign(const struct signing_key *key, struct text header, struct text payload,
              struct arena *arena, struct text *token)
{
    struct buffer buffer;
    uint8_t signature[SIGNING_SIGNATURE_MAX];
    size_t size = sizeof signature;

    buffer_start(&buffer, arena,
                 codec_base64url_size(header.size) + codec_base64url_size(payload.size) +
                     codec_base64url_size(USUAL_SIGNATURE) + 2);
    buffer_add_base64url(&buffer, header.data, header.size);
    buffer_add_char(&buffer, '.');
    buffer_add_base64url(&buffer, payload.data, payload.size);
    if (buffer.failed || !signing_key_sign(key, buffer_text(&buffer), signature, &size)) {
        return false;
    }
    buffer_add_char(&buffer, '.');
    buffer_add_base64url(&buffer, signature, size);
    return buffer_finish(&buffer, token);
}

bool jws_sign_as(const struct signing_key *key, const char *type, struct text payload,
                 struct arena *arena, struct text *token)
{
    struct buffer header;
    struct json_out out;

    buffer_start(&header, arena, 128);
    out = json_out_start(&header, JSON_STYLE_PLAIN);
    json_out_open(&out);
    json_out_member(&out, "alg", text_of(signing_algorithm_name(signing_key_algorithm(key))));
    json_out_member(&out, "typ", text_of(type));
    json_out_member(&out, "kid", text_of(signing_key_kid(key)));
    json_out_close(&out);
    return !header.failed && jws_sign(key, buffer_text(&header), payload, arena, token);
}

/* ---- the gate ---- */

bool jws_gate(struct arena *arena, struct text token, struct jws *jws)
{
    memset(jws, 0, sizeof *jws);
    if (token.size > JWS_MAX) { /* before anything reads it */
        return false;
    }
    struct text rest = token;
    struct text header = text_split(&rest, '.');
    struct text payload = text_split(&rest, '.');
    struct text signature = rest; /* a third dot in it is not base64url */

    if (signature.size == 0) {
        return false;
    }
    jws->signing_input = (struct text){token.data, header.size + 1 + payload.size};
    return decode_part(arena, header, &jws->header_json) &&
           decode_part(arena, payload, &jws->payload_json) &&
           codec_base64url_decode(signature, jws->signature, sizeof jws->signature,
                                  &jws->signature_size) &&
           jws->signature_size > 0 && read_header(arena, jws);
}

static bool decode_part(struct arena *arena, struct text part, struct text *decoded)
{
    size_t size = 0;
    char *bytes = arena_alloc(arena, part.size); /* part.size <= JWS_MAX, and larger than needed */

    if (part.size == 0 || bytes == NULL || !codec_base64url_decode(part, bytes, part.size, &size) ||
        size == 0) {
        return false;
    }
    *decoded = (struct text){bytes, size};
    return true;
}

/* RFC 7515 section 4.1.11: what must be understood and is not, is refused. The values do not
 * matter. */
static bool has_extension(const json_t *header)
{
    return json_object_get(header, "crit") != NULL || json_object_get(header, "b64") != NULL ||
           json_object_get(header, "zip") != NULL;
}

static bool read_header(struct arena *arena, struct jws *jws)
{
    jws->header = json_in_object(arena, jws->header_json, NULL);
    if (jws->header == NULL || has_extension(jws->header) ||
        json_in_text(jws->header, "alg", &jws->algorithm) != JSON_IN_TEXT ||
        json_in_text(jws->header, "typ", &jws->type) == JSON_IN_OTHER) {
        return false;
    }
    if (json_in_text(jws->header, "kid", &jws->kid) != JSON_IN_TEXT ||
        !signing_key_kid_valid(jws->kid)) {
        jws->kid = (struct text){0};
    }
    return true;
}

/* ---- opening ---- */

json_t *jws_open(struct arena *arena, struct text token, const struct signing_key *key)
{
    struct jws jws;

    if (!jws_gate(arena, token, &jws) || !is_signed_by(&jws, key, NULL)) {
        return NULL;
    }
    return json_in_object(arena, jws.payload_json, NULL);
}

json_t *jws_open_any(struct arena *arena, struct text token, const struct keyring *keyring,
                     const char *realm, struct fault *fault)
{
    struct jws jws;
    const struct signing_key *key;

    if (!jws_gate(arena, token, &jws)) {
        return NULL;
    }
    for (size_t i = 0; (key = keyring_verifier(keyring, realm, i)) != NULL; i++) {
        if (is_signed_by(&jws, key, fault)) {
            return json_in_object(arena, jws.payload_json, NULL);
        }
    }
    return NULL;
}

const struct signing_row *jws_signer(const struct jws *jws, const struct signing_row *rows,
                                     size_t count, const struct secrets *secrets,
                                     struct fault *fault)
{
    for (size_t i = 0; i < count; i++) {
        if (signing_state_is_foreign(rows[i].state)) {
            continue;
        }
        struct signing_key *key = signing_key_unseal(&rows[i], secrets, fault);
        bool found = key != NULL && is_signed_by(jws, key, fault);

        signing_key_close(key);
        if (found || key == NULL) {
            return found ? &rows[i] : NULL;
        }
    }
    return NULL;
}

/* An invalid kid names no key of ours. */
static bool may_be_signed_by(const struct jws *jws, const struct signing_key *key)
{
    bool names_a_key = json_object_get(jws->header, "kid") != NULL;

    return text_is(jws->algorithm, signing_algorithm_name(signing_key_algorithm(key))) &&
           (!names_a_key || text_is(jws->kid, signing_key_kid(key)));
}

/* False with *fault set: the key cannot be used. */
static bool is_signed_by(const struct jws *jws, const struct signing_key *key, struct fault *fault)
{
    bool failed = false;
    bool good =
        may_be_signed_by(jws, key) &&
        signing_key_check(key, jws->signing_input, jws->signature, jws->signature_size, &failed);

    if (failed) {
        fault_set(fault, "signing key %s: out of memory or libcrypto failed", signing_key_kid(key));
    }
    return good;
}
