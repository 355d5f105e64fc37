/* SPDX-License-Identifier: ISC */
/* json.h: JSON in, by jansson behind a gate, and JSON out, by a writer of our own, because dialects
 * differ in escaping and key order, and old clients compare strings. Does not know any key. */
#ifndef RETOKEN_BASE_JSON_H
#define RETOKEN_BASE_JSON_H

#include <jansson.h>

#include "base/arena.h"
#include "base/buffer.h"
#include "base/fault.h"

/* More than any claims of an account or key set of a client have. A value costs jansson a hundred
 * times what a byte of a string does, so this bounds what a stranger's body can cost. */
enum { JSON_IN_VALUES_MAX = 1024 };

/* Parses one JSON object from outside. Its memory is the arena's: bounded, wiped by the reset, and
 * never given to json_decref. Refuses anything but one object, duplicate keys, more than
 * JSON_IN_VALUES_MAX values, NUL in strings, bad UTF-8, and trailing bytes. NULL with the reason in
 * *fault (position and kind, never contents). Takes about 6 bytes of the arena per byte of text,
 * besides the values. */
json_t *json_in_object(struct arena *arena, struct text t, struct fault *fault);

enum json_in { JSON_IN_ABSENT, JSON_IN_TEXT, JSON_IN_OTHER };
/* A string member: JSON_IN_ABSENT also for null; JSON_IN_OTHER when it is not a string. */
enum json_in json_in_text(const json_t *object, const char *key, struct text *value);
/* Is it `text`, which is not empty, or an array that holds it (as `aud`: RFC 7519 section 4.1.3)?
 */
bool json_in_names(const json_t *value, const char *text);

/* How strings are written. */
enum json_style {
    JSON_STYLE_PLAIN = 0,        /* raw UTF-8, `/` bare: Jackson, Grails */
    JSON_STYLE_ESCAPE_SLASH = 1, /* `\/`: PHP, json-smart */
    JSON_STYLE_ASCII = 2         /* non-ASCII as lower-case \uXXXX: PHP, Flask */
};

/* Appends compact JSON to a buffer, with its commas. A failure stays in the buffer. */
struct json_out {
    struct buffer *buffer;
    unsigned style; /* enum json_style, or-ed */
    bool comma;     /* a value precedes on this level */
};
struct json_out json_out_start(struct buffer *buffer, unsigned style);
void json_out_open(struct json_out *out);  /* { */
void json_out_close(struct json_out *out); /* } */
void json_out_array_open(struct json_out *out);
void json_out_array_close(struct json_out *out);
void json_out_key(struct json_out *out, const char *key);
void json_out_text(struct json_out *out, struct text value);
/* What stands between the quotation marks of a string, for text round it. */
void json_out_characters(struct json_out *out, struct text value);
/* The array of space-separated words. */
void json_out_words(struct json_out *out, struct text words);
void json_out_int(struct json_out *out, int64_t value);
void json_out_bool(struct json_out *out, bool value);
void json_out_null(struct json_out *out);
/* Any parsed value, with its keys in their order. */
void json_out_value(struct json_out *out, const json_t *value);
/* A key and its value. */
void json_out_member(struct json_out *out, const char *key, struct text value);
void json_out_member_int(struct json_out *out, const char *key, int64_t value);

#endif
