/* SPDX-License-Identifier: ISC */
/* layout_names.h: what the template of a token's payload can be filled with, and the kinds of value
 * that other templates have too. Knows claims; does not know which of them a token has. */
#ifndef RETOKEN_TOKEN_LAYOUT_NAMES_H
#define RETOKEN_TOKEN_LAYOUT_NAMES_H

#include "token/layout.h"

/* Over a struct layout_claims. Times are in seconds, with ".ms" in milliseconds; lists are texts of
 * words, with ".list" arrays; UUIDs with ".hex" have no hyphens. */
extern const struct template_names layout_claim_names;

/* How a field is kept that a template_name's offset leads to. */
enum template_field {
    FIELD_TEXT,    /* struct text, absent when empty */
    FIELD_LIST,    /* struct text of words, as an array */
    FIELD_STRING,  /* char[], absent when empty */
    FIELD_HEX,     /* char[] with a UUID, without its hyphens */
    FIELD_NUMBER,  /* int64_t or uint64_t */
    FIELD_TIME,    /* int64_t in s, absent when 0 */
    FIELD_TIME_MS, /* … told in ms */
    FIELD_CLAIMS,  /* const json_t *: a claim by its name, or "*": all */
    FIELD_KINDS    /* further kinds are the owner's */
};
/* A `look` over such fields. */
void layout_look(const void *from, const struct template_name *name, const char *detail,
                 struct arena *arena, struct template_value *value);

#endif
