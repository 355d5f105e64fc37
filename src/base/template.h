/* SPDX-License-Identifier: ISC */
/* template.h: a text with places for values, written ${name}, compiled once and filled often. Its
 * other bytes stay as they are. Knows JSON well enough to escape a value for its place; does not
 * know any name.
 *
 * In JSON a place between quotation marks is filled with the characters of a string, one without
 * them with a whole value: "${name}" and ${name}. What is absent becomes an empty string or null.
 * ${name?} leaves the whole member out instead, with its comma. ${name.*} stands where a member
 * does, in the outermost object, and becomes all members of an object that the template does not
 * name. $${ is ${. */
#ifndef RETOKEN_BASE_TEMPLATE_H
#define RETOKEN_BASE_TEMPLATE_H

#include "base/fault.h"
#include "base/json.h"

enum { TEMPLATE_SIZE_MAX = 16 * 1024, TEMPLATE_PLACES_MAX = 64, TEMPLATE_DEPTH_MAX = 16 };

/* In plain text, values that are not printable ASCII are left out. */
enum template_media { TEMPLATE_JSON, TEMPLATE_PLAIN };

/* What a name stands for. */
struct template_value {
    enum template_kind {
        TEMPLATE_ABSENT,
        TEMPLATE_TEXT,
        TEMPLATE_WORDS, /* space-separated; a JSON array where a whole value is */
        TEMPLATE_NUMBER,
        TEMPLATE_PARSED, /* any JSON value */
        TEMPLATE_WRITTEN /* JSON as it is to be; where it is a whole value only */
    } kind;
    struct text text; /* of TEXT, WORDS and WRITTEN */
    int64_t number;
    const json_t *parsed; /* may be NULL: absent */
};

/* A value that a template may have: how it is kept, and where, is its owner's. "account." stands
 * for account.NAME, whatever that NAME is. */
struct template_name {
    const char *name; /* NULL ends a list */
    int kind;
    size_t offset;
};

struct template_names {
    const struct template_name *rows;
    /* The value now; `detail` is that NAME, or "". It lives in `arena`, or as long as `from`. */
    void (*look)(const void *from, const struct template_name *name, const char *detail,
                 struct arena *arena, struct template_value *value);
};

struct template;

/* Compiles `source`, which is copied into the arena with all else. `style`: enum json_style. NULL:
 * *fault says what is wrong. */
const struct template *template_compile(struct arena *arena, struct text source,
                                        enum template_media media, unsigned style,
                                        const struct template_names *names, struct fault *fault);

/* Appends the text with its values. A failure stays in the buffer. */
void template_fill(const struct template *template, const void *from, struct buffer *out);

/* As it was written. */
struct text template_source(const struct template *template);
/* How strings in it are written: enum json_style, or-ed. */
unsigned template_style(const struct template *template);
/* Has it any place? */
bool template_has_places(const struct template *template);
/* Has it one for that value? */
bool template_has(const struct template *template, const char *name);
/* The member of the outermost JSON object whose value is that place alone; NULL = none. */
const char *template_member(const struct template *template, const char *name);
/* The JSON that it makes, with "${name}" for each place; NULL where it makes none. */
const json_t *template_outline(const struct template *template);

#endif
