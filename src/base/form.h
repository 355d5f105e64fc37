/* SPDX-License-Identifier: ISC */
/* form.h: application/x-www-form-urlencoded (WHATWG URL, section 5.1), from a body or a query. Does
 * not know any parameter. */
#ifndef RETOKEN_BASE_FORM_H
#define RETOKEN_BASE_FORM_H

#include "base/arena.h"
#include "base/text.h"

enum { FORM_FIELDS_MAX = 64 };

struct form_field {
    struct text name;
    struct text value; /* empty when it cannot be decoded */
    bool bad; /* bad percent-encoding, invalid UTF-8 after decoding, or NUL or other control
                 bytes except tab, CR, LF */
};

struct form {
    struct form_field *fields;
    size_t count;
};

/* FORM_MALFORMED: more than FORM_FIELDS_MAX fields. */
enum form_result { FORM_OK, FORM_MALFORMED, FORM_NO_MEMORY };
/* Decodes into the arena. An empty text gives an empty form. White space around a name or a value
 * that is not encoded is dropped: no encoder writes any, but files and editors end with a line
 * break. A field whose name cannot be decoded is dropped: it is none that anyone asks for. */
enum form_result form_parse(struct arena *arena, struct text encoded, struct form *form);

/* RFC 6749 section 3.1: a parameter without a value counts as omitted; a repeated one is an error.
 * FORM_BAD: it cannot be decoded, which harms only who asks for it. */
enum form_find { FORM_ABSENT, FORM_ONE, FORM_REPEATED, FORM_BAD };
enum form_find form_get(const struct form *form, const char *name, struct text *value);
/* The same, but an empty value is a value: for a dialect that tells `scope=` from no scope. Sets
 * *value unless FORM_ABSENT. */
enum form_find form_get_even_empty(const struct form *form, const char *name, struct text *value);

/* The next value of a parameter that may be given several times, from field *at on, which it moves;
 * 0 before the first. FORM_ABSENT: no more. An empty value counts as omitted. */
enum form_find form_next(const struct form *form, const char *name, size_t *at, struct text *value);

/* Decodes one value. False where a field would be bad, or without memory. */
bool form_decode(struct arena *arena, struct text encoded, struct text *decoded);

#endif
