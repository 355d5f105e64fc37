/* SPDX-License-Identifier: ISC */
/* json_out.c: compact JSON in several styles. Knows escaping and commas; does not know any key. */
#include <stdlib.h>

#include "base/json.h"

struct json_out json_out_start(struct buffer *buffer, unsigned style)
{
    return (struct json_out){.buffer = buffer, .style = style, .comma = false};
}

/* Before a key, or a value without one. */
static void separate(struct json_out *out)
{
    if (out->comma) {
        buffer_add_char(out->buffer, ',');
    }
    out->comma = true;
}

static void open_with(struct json_out *out, char bracket)
{
    separate(out);
    buffer_add_char(out->buffer, bracket);
    out->comma = false;
}

static void close_with(struct json_out *out, char bracket)
{
    buffer_add_char(out->buffer, bracket);
    out->comma = true;
}

void json_out_open(struct json_out *out)
{
    open_with(out, '{');
}

void json_out_close(struct json_out *out)
{
    close_with(out, '}');
}

void json_out_array_open(struct json_out *out)
{
    open_with(out, '[');
}

void json_out_array_close(struct json_out *out)
{
    close_with(out, ']');
}

/* What follows the backslash of a short escape, or 0. */
static char short_escape(uint32_t point, unsigned style)
{
    switch (point) {
    case '"':
        return '"';
    case '\\':
        return '\\';
    case '/':
        return (style & JSON_STYLE_ESCAPE_SLASH) != 0 ? '/' : '\0';
    case '\b':
        return 'b';
    case '\f':
        return 'f';
    case '\n':
        return 'n';
    case '\r':
        return 'r';
    case '\t':
        return 't';
    default:
        return '\0';
    }
}

/* \uXXXX, as a surrogate pair above U+FFFF (RFC 8259 section 7). */
static void add_escaped_point(struct buffer *buffer, uint32_t point)
{
    if (point > 0xffff) {
        point -= 0x10000;
        buffer_addf(buffer, "\\u%04x", (unsigned)(0xd800 | point >> 10));
        point = 0xdc00 | (point & 0x3ff);
    }
    buffer_addf(buffer, "\\u%04x", (unsigned)point);
}

static void add_point(struct json_out *out, uint32_t point, struct text spelled)
{
    char escape = short_escape(point, out->style);

    if (escape != '\0') {
        buffer_add_char(out->buffer, '\\');
        buffer_add_char(out->buffer, escape);
    } else if (point < 0x20 || (point > 0x7f && (out->style & JSON_STYLE_ASCII) != 0)) {
        add_escaped_point(out->buffer, point);
    } else {
        buffer_add(out->buffer, spelled);
    }
}

/* A byte that is not UTF-8 becomes U+FFFD, so that the output is JSON whatever the store holds. */
void json_out_characters(struct json_out *out, struct text value)
{
    while (value.size > 0) {
        uint32_t point = 0xfffd;
        size_t size = text_plain_run(value, "\"\\/"); /* all of a token, and most of other texts */
        if (size > 0) {
            buffer_add(out->buffer, text_cut(value, size));
        } else if ((size = text_utf8_first(value, &point)) > 0) {
            add_point(out, point, text_cut(value, size));
        } else {
            add_point(out, point, TEXT("\xef\xbf\xbd"));
            size = 1;
        }
        value = text_from(value, size);
    }
}

static void add_string(struct json_out *out, struct text value)
{
    buffer_add_char(out->buffer, '"');
    json_out_characters(out, value);
    buffer_add_char(out->buffer, '"');
}

void json_out_key(struct json_out *out, const char *key)
{
    separate(out);
    add_string(out, text_of(key));
    buffer_add_char(out->buffer, ':');
    out->comma = false; /* its value follows without one */
}

void json_out_text(struct json_out *out, struct text value)
{
    separate(out);
    add_string(out, value);
}

void json_out_words(struct json_out *out, struct text words)
{
    json_out_array_open(out);
    while (words.size > 0) {
        struct text word = text_split(&words, ' ');

        if (word.size > 0) {
            json_out_text(out, word);
        }
    }
    json_out_array_close(out);
}

void json_out_int(struct json_out *out, int64_t value)
{
    separate(out);
    buffer_add_int(out->buffer, value);
}

void json_out_bool(struct json_out *out, bool value)
{
    separate(out);
    buffer_add_c(out->buffer, value ? "true" : "false");
}

void json_out_null(struct json_out *out)
{
    separate(out);
    buffer_add_c(out->buffer, "null");
}

/* The shortest of 15 to 17 digits that reads back as the same number: 0.1, not 0.1000…01. By
 * jansson, which sees to the locale and the ".0". */
static void add_real(struct json_out *out, const json_t *value)
{
    char digits[64] = "";
    size_t size = 0;

    for (size_t precision = 15; precision <= 17; precision++) {
        size = json_dumpb(value, digits, sizeof digits - 1,
                          JSON_ENCODE_ANY | JSON_REAL_PRECISION(precision));
        if (size == 0 || size >= sizeof digits) {
            out->buffer->failed = true;
            return;
        }
        digits[size] = '\0';
        double back = strtod(digits, NULL);
        if (!(back < json_real_value(value) || back > json_real_value(value))) {
            break;
        }
    }
    separate(out);
    buffer_add(out->buffer, (struct text){digits, size});
}

static void add_object(struct json_out *out, const json_t *object)
{
    /* jansson's iterators take a json_t that is not const, and do not change it. */
    json_t *members = (json_t *)(uintptr_t)object;
    const char *key;
    json_t *member;

    json_out_open(out);
    json_object_foreach(members, key, member)
    {
        json_out_key(out, key);
        json_out_value(out, member);
    }
    json_out_close(out);
}

static void add_array(struct json_out *out, const json_t *array)
{
    json_out_array_open(out);
    for (size_t i = 0; i < json_array_size(array); i++) {
        json_out_value(out, json_array_get(array, i));
    }
    json_out_array_close(out);
}

void json_out_value(struct json_out *out, const json_t *value)
{
    switch (json_typeof(value)) {
    case JSON_OBJECT:
        add_object(out, value);
        break;
    case JSON_ARRAY:
        add_array(out, value);
        break;
    case JSON_STRING:
        json_out_text(out, (struct text){json_string_value(value), json_string_length(value)});
        break;
    case JSON_INTEGER:
        json_out_int(out, json_integer_value(value));
        break;
    case JSON_REAL:
        add_real(out, value);
        break;
    case JSON_TRUE:
    case JSON_FALSE:
        json_out_bool(out, json_is_true(value));
        break;
    case JSON_NULL:
        json_out_null(out);
        break;
    }
}

void json_out_member(struct json_out *out, const char *key, struct text value)
{
    json_out_key(out, key);
    json_out_text(out, value);
}

void json_out_member_int(struct json_out *out, const char *key, int64_t value)
{
    json_out_key(out, key);
    json_out_int(out, value);
}
