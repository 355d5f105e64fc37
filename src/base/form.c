/* SPDX-License-Identifier: ISC */
/* form.c: parses application/x-www-form-urlencoded. Knows its encoding and which bytes are allowed;
 * does not know any parameter. */
#include "base/form.h"

#include <string.h>

#include "base/codec.h"

static bool is_break(unsigned char c)
{
    return c == '\t' || c == '\r' || c == '\n';
}

/* No control byte in a name, and in a value only those that a textarea sends. */
static bool acceptable(struct text t, bool breaks_allowed)
{
    for (size_t i = text_plain_run(t, ""); i < t.size; i++) {
        unsigned char c = (unsigned char)t.data[i];
        if ((c < 0x20 || c == 0x7f) && !(breaks_allowed && is_break(c))) {
            return false;
        }
    }
    return text_is_utf8(t);
}

/* The decoded text is never longer than the encoded one. */
static bool decode_into(struct text encoded, char *out, size_t *size)
{
    size_t n = 0;

    if (encoded.size > 0 && text_find(encoded, '%') == encoded.size &&
        text_find(encoded, '+') == encoded.size) {
        memcpy(out, encoded.data, encoded.size); /* tokens and most names have no escapes */
        *size = encoded.size;
        return true;
    }
    for (size_t i = 0; i < encoded.size; i++) {
        char c = encoded.data[i];
        if (c == '+') {
            c = ' ';
        } else if (c == '%') {
            if (!codec_hex_decode(text_cut(text_from(encoded, i + 1), 2), &c, 1)) {
                return false;
            }
            i += 2;
        }
        out[n++] = c;
    }
    *size = n;
    return true;
}

enum decoded { DECODED, DECODED_BAD, DECODED_NO_MEMORY };

static enum decoded decode(struct arena *arena, struct text encoded, bool breaks_allowed,
                           struct text *decoded)
{
    char *out = encoded.size < SIZE_MAX ? arena_alloc(arena, encoded.size + 1) : NULL;
    struct text result = {out, 0};

    if (out == NULL) {
        return DECODED_NO_MEMORY;
    }
    if (!decode_into(encoded, out, &result.size) || !acceptable(result, breaks_allowed)) {
        return DECODED_BAD;
    }
    *decoded = result;
    return DECODED;
}

bool form_decode(struct arena *arena, struct text encoded, struct text *decoded)
{
    return decode(arena, encoded, true, decoded) == DECODED;
}

/* "&&" has no field, as in the WHATWG parser. */
static size_t count_fields(struct text encoded)
{
    size_t count = 0;

    while (encoded.size > 0) {
        if (text_split(&encoded, '&').size > 0) {
            count++;
        }
    }
    return count;
}

/* False: no memory. */
static bool parse_field(struct arena *arena, struct text encoded, struct form *form)
{
    struct form_field *field = &form->fields[form->count];
    struct text name = text_strip(text_split(&encoded, '='));

    *field = (struct form_field){0};
    switch (decode(arena, name, false, &field->name)) {
    case DECODED:
        break;
    case DECODED_BAD:
        return true;
    case DECODED_NO_MEMORY:
        return false;
    }
    form->count++;
    switch (decode(arena, text_strip(encoded), true, &field->value)) {
    case DECODED:
        return true;
    case DECODED_BAD:
        field->bad = true;
        return true;
    case DECODED_NO_MEMORY:
        break;
    }
    return false;
}

enum form_result form_parse(struct arena *arena, struct text encoded, struct form *form)
{
    size_t count = count_fields(encoded);
    struct form parsed = {NULL, 0};

    if (count > FORM_FIELDS_MAX) {
        return FORM_MALFORMED;
    }
    parsed.fields = arena_alloc(arena, count * sizeof *parsed.fields);
    if (parsed.fields == NULL) {
        return FORM_NO_MEMORY;
    }
    while (encoded.size > 0) {
        struct text field = text_split(&encoded, '&');
        if (field.size > 0 && !parse_field(arena, field, &parsed)) {
            return FORM_NO_MEMORY;
        }
    }
    *form = parsed;
    return FORM_OK;
}

static enum form_find find_from(const struct form *form, const char *name, bool even_empty,
                                size_t *at, struct text *value)
{
    while (*at < form->count) {
        const struct form_field *field = &form->fields[(*at)++];

        if (text_is(field->name, name) && (field->value.size > 0 || field->bad || even_empty)) {
            *value = field->value;
            return field->bad ? FORM_BAD : FORM_ONE;
        }
    }
    return FORM_ABSENT;
}

static enum form_find find(const struct form *form, const char *name, bool even_empty,
                           struct text *value)
{
    size_t at = 0;
    struct text other;
    enum form_find found = find_from(form, name, even_empty, &at, value);

    return found != FORM_ABSENT && find_from(form, name, even_empty, &at, &other) != FORM_ABSENT
               ? FORM_REPEATED
               : found;
}

enum form_find form_get(const struct form *form, const char *name, struct text *value)
{
    return find(form, name, false, value);
}

enum form_find form_get_even_empty(const struct form *form, const char *name, struct text *value)
{
    return find(form, name, true, value);
}

enum form_find form_next(const struct form *form, const char *name, size_t *at, struct text *value)
{
    return find_from(form, name, false, at, value);
}
