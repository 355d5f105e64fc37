/* SPDX-License-Identifier: ISC */
/* layout.c: writes and signs a token as a layout says. Knows the order of header and payload and
 * the members that several layouts share; does not know where a claim's value comes from. */
#include "token/layout.h"

#include "base/codec.h"
#include "token/jws.h"
#include "token/refresh_token.h"
#include "token/signing_jwk.h"

enum { HEADER_ROOM = 256, PAYLOAD_ROOM = 512 };

static bool make_token(const struct layout *layout, bool refresh, const struct signing_key *key,
                       const struct layout_claims *claims, struct arena *arena, struct text *token);
static bool write_payload(const struct layout *layout, bool refresh,
                          const struct layout_claims *claims, struct arena *arena,
                          struct text *payload);

#define AT_JWT "at+jwt"

bool layout_needs_issuer(const struct layout *layout)
{
    for (size_t i = 0; i < LAYOUT_HEADER_MAX && layout->header[i].name != NULL; i++) {
        if (text_is(text_of(layout->header[i].value), AT_JWT)) {
            return true;
        }
    }
    return false;
}

bool layout_access_token(const struct layout *layout, const struct signing_key *key,
                         const struct layout_claims *claims, struct arena *arena,
                         struct text *token)
{
    return make_token(layout, false, key, claims, arena, token);
}

bool layout_refresh_token(const struct layout *layout, const struct signing_key *key,
                          const struct layout_claims *claims, struct arena *arena,
                          struct text *token)
{
    struct text made;

    /* a longer one would be refused when it comes back */
    if (!layout_has_refresh(layout) || !make_token(layout, true, key, claims, arena, &made) ||
        made.size > REFRESH_TOKEN_MAX) {
        return false;
    }
    *token = made;
    return true;
}

/* A member's value where no key decides. RFC 9068 asks for `iss`. */
static const char *fixed_value(const struct layout *layout, size_t member, bool has_issuer)
{
    const char *value = layout->header[member].value;

    return value != NULL && !has_issuer && text_is(TEXT(AT_JWT), value) ? "JWT" : value;
}

bool layout_has_header(const struct layout *layout, bool has_issuer, const json_t *header)
{
    size_t count = 0;

    while (count < LAYOUT_HEADER_MAX && layout->header[count].name != NULL) {
        const char *value = fixed_value(layout, count, has_issuer);
        struct text text;

        if (json_in_text(header, layout->header[count].name, &text) != JSON_IN_TEXT ||
            (value != NULL && !text_is(text, value))) {
            return false;
        }
        count++;
    }
    return json_object_size(header) == count;
}

static bool make_token(const struct layout *layout, bool refresh, const struct signing_key *key,
                       const struct layout_claims *claims, struct arena *arena, struct text *token)
{
    struct text header;
    struct text payload;

    return layout_header(layout, signing_algorithm_name(signing_key_algorithm(key)),
                         signing_key_kid(key), claims->issuer.size > 0, arena, &header) &&
           write_payload(layout, refresh, claims, arena, &payload) &&
           jws_sign(key, header, payload, arena, token);
}

bool layout_header(const struct layout *layout, const char *algorithm, const char *kid,
                   bool has_issuer, struct arena *arena, struct text *header)
{
    struct buffer buffer;
    struct json_out out = json_out_start(&buffer, layout->style);

    buffer_start(&buffer, arena, HEADER_ROOM);
    json_out_open(&out);
    for (size_t i = 0; i < LAYOUT_HEADER_MAX && layout->header[i].name != NULL; i++) {
        const char *name = layout->header[i].name;
        const char *value = fixed_value(layout, i, has_issuer);

        if (value == NULL) {
            value = text_is(TEXT("kid"), name) ? kid : algorithm;
        }
        json_out_member(&out, name, text_of(value));
    }
    json_out_close(&out);
    return buffer_finish(&buffer, header);
}

static bool write_payload(const struct layout *layout, bool refresh,
                          const struct layout_claims *claims, struct arena *arena,
                          struct text *payload)
{
    const struct template *template = refresh ? layout->refresh_template : layout->access_template;
    struct buffer buffer;
    struct json_out out = json_out_start(&buffer, layout->style);

    buffer_start(&buffer, arena, PAYLOAD_ROOM);
    if (template != NULL) {
        template_fill(template, claims, &buffer);
    } else {
        json_out_open(&out);
        (refresh ? layout->refresh : layout->access)(&out, claims);
        json_out_close(&out);
    }
    return buffer_finish(&buffer, payload);
}

/* ---- members that several layouts share ---- */

void layout_add_words(struct json_out *out, const char *key, struct text words)
{
    json_out_key(out, key);
    json_out_words(out, words);
}

void layout_add_expiry(struct json_out *out, const struct layout_claims *claims)
{
    if (claims->expires_at_s != 0) {
        json_out_member_int(out, "exp", claims->expires_at_s);
    }
}

void layout_add_account_claim(struct json_out *out, const struct layout_claims *claims,
                              const char *key)
{
    const json_t *value = json_object_get(claims->account, key);

    if (value != NULL) {
        json_out_key(out, key);
        json_out_value(out, value);
    }
}

void layout_add_given(struct json_out *out, const struct layout_claims *claims)
{
    const char *name;
    json_t *value;

    json_object_foreach((json_t *)(uintptr_t)claims->given, name, value)
    {
        if (!json_is_null(value)) {
            json_out_key(out, name);
            json_out_value(out, value);
        }
    }
}

void layout_add_named(struct json_out *out, const char *key, struct text value)
{
    if (value.size > 0) {
        json_out_member(out, key, value);
    }
}

void layout_add_audience(struct json_out *out, const struct layout_claims *claims,
                         struct text usual)
{
    struct text asked = claims->targets;

    if (text_find(asked, ' ') < asked.size) {
        layout_add_words(out, "aud", asked);
    } else {
        layout_add_named(out, "aud", asked.size > 0 ? asked : usual);
    }
}

static void add_thumbprint(struct json_out *out, const char *name, const uint8_t *thumbprint)
{
    char spelled[SIGNING_THUMBPRINT_SIZE];

    if (thumbprint != NULL) {
        codec_base64url_encode(thumbprint, CRYPTO_HASH_SIZE, spelled);
        json_out_member(out, name, (struct text){spelled, sizeof spelled});
    }
}

void layout_add_key(struct json_out *out, const struct layout_claims *claims)
{
    if (claims->key == NULL && claims->certificate == NULL) {
        return;
    }
    json_out_key(out, "cnf");
    json_out_open(out);
    add_thumbprint(out, "jkt", claims->key);
    add_thumbprint(out, "x5t#S256", claims->certificate);
    json_out_close(out);
}
