/* SPDX-License-Identifier: ISC */
/* text.c: questions about a run of bytes. Knows ASCII and UTF-8; allocates and keeps nothing. Its
 * comparisons stop at the first difference, so they are not for secrets. */
#include "base/text.h"

#include <string.h>

/* Not tolower(), which depends on the locale. */
static unsigned char ascii_lower(char c)
{
    return (unsigned char)(c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c);
}

bool text_equal_ignore_case(struct text a, struct text b)
{
    if (a.size != b.size) {
        return false;
    }
    for (size_t i = 0; i < a.size; i++) {
        if (ascii_lower(a.data[i]) != ascii_lower(b.data[i])) {
            return false;
        }
    }
    return true;
}

int text_compare(struct text a, struct text b)
{
    size_t shorter = a.size < b.size ? a.size : b.size;
    int order = shorter == 0 ? 0 : memcmp(a.data, b.data, shorter); /* never of NULL */

    if (order == 0) {
        order = (a.size > b.size) - (a.size < b.size);
    }
    return order;
}

bool text_ends(struct text t, struct text suffix)
{
    return t.size >= suffix.size && text_equal(text_from(t, t.size - suffix.size), suffix);
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t';
}

struct text text_trim(struct text t)
{
    while (t.size > 0 && is_blank(t.data[0])) {
        t.data++;
        t.size--;
    }
    while (t.size > 0 && is_blank(t.data[t.size - 1])) {
        t.size--;
    }
    return t;
}

static bool is_space(char c)
{
    return c == ' ' || (c >= '\t' && c <= '\r');
}

struct text text_strip(struct text t)
{
    while (t.size > 0 && is_space(t.data[0])) {
        t.data++;
        t.size--;
    }
    while (t.size > 0 && is_space(t.data[t.size - 1])) {
        t.size--;
    }
    return t;
}

struct text text_split(struct text *rest, char separator)
{
    size_t at = text_find(*rest, separator);
    struct text before = text_cut(*rest, at);

    *rest = text_from(*rest, at + 1);
    return before;
}

struct text text_word(struct text *rest)
{
    struct text t = text_strip(*rest);
    size_t size = 0;

    while (size < t.size && !is_space(t.data[size])) {
        size++;
    }
    *rest = text_from(t, size);
    return text_cut(t, size);
}

bool text_has_word(struct text list, struct text word)
{
    for (struct text one; (one = text_word(&list)).size > 0;) {
        if (text_equal(one, word)) {
            return true;
        }
    }
    return false;
}

bool text_to_u64(struct text t, uint64_t max, uint64_t *value)
{
    uint64_t result = 0;

    if (t.size == 0) {
        return false;
    }
    for (size_t i = 0; i < t.size; i++) {
        if (t.data[i] < '0' || t.data[i] > '9') {
            return false;
        }
        uint64_t digit = (uint64_t)(t.data[i] - '0');
        if (result > max / 10 || digit > max - 10 * result) {
            return false;
        }
        result = 10 * result + digit;
    }
    *value = result;
    return true;
}

#define EACH_BYTE(value) (UINT64_C(0x0101010101010101) * (uint8_t)(value))

/* Eight bytes at once. Each term sets the top bit of a byte that ends the run. It may borrow or
 * carry into bytes after such a one, but never changes whether there is one. */
static bool is_plain(const char *eight, char a, char b, char c)
{
    uint64_t word;

    memcpy(&word, eight, sizeof word);
    return ((word | (word - EACH_BYTE(0x20)) | (word + EACH_BYTE(1)) |
             ((word ^ EACH_BYTE(a)) - EACH_BYTE(1)) | ((word ^ EACH_BYTE(b)) - EACH_BYTE(1)) |
             ((word ^ EACH_BYTE(c)) - EACH_BYTE(1))) &
            EACH_BYTE(0x80)) == 0;
}

size_t text_plain_run(struct text t, const char *but)
{
    const char a = but[0];
    const char b = a != '\0' ? but[1] : '\0';
    const char c = b != '\0' ? but[2] : '\0';
    size_t run = 0;

    while (t.size - run >= 8 && is_plain(t.data + run, a, b, c)) {
        run += 8;
    }
    if (run > 0 && t.size - run < 8 && is_plain(t.data + t.size - 8, a, b, c)) {
        return t.size; /* the rest with some bytes before it */
    }
    while (run < t.size && t.data[run] >= 0x20 && t.data[run] < 0x7f && t.data[run] != a &&
           t.data[run] != b && t.data[run] != c) {
        run++;
    }
    return run;
}

/* The lead bytes and what may follow them (Unicode 15, table 3-7). The narrower range of the second
 * byte excludes overlongs, surrogates and all above U+10FFFF. */
static const struct utf8_row {
    uint8_t lead_min, lead_max;
    uint8_t second_min, second_max;
    uint8_t size;
} utf8_rows[] = {
    {0xc2, 0xdf, 0x80, 0xbf, 2}, {0xe0, 0xe0, 0xa0, 0xbf, 3}, {0xe1, 0xec, 0x80, 0xbf, 3},
    {0xed, 0xed, 0x80, 0x9f, 3}, {0xee, 0xef, 0x80, 0xbf, 3}, {0xf0, 0xf0, 0x90, 0xbf, 4},
    {0xf1, 0xf3, 0x80, 0xbf, 4}, {0xf4, 0xf4, 0x80, 0x8f, 4},
};

static bool utf8_row_fits(const struct utf8_row *row, const uint8_t *bytes, size_t size)
{
    if (bytes[0] < row->lead_min || bytes[0] > row->lead_max || size < row->size ||
        bytes[1] < row->second_min || bytes[1] > row->second_max) {
        return false;
    }
    for (size_t i = 2; i < row->size; i++) {
        if ((bytes[i] & 0xc0) != 0x80) {
            return false;
        }
    }
    return true;
}

size_t text_utf8_first(struct text t, uint32_t *point)
{
    const uint8_t *bytes = (const uint8_t *)t.data;

    if (t.size == 0) {
        return 0;
    }
    if (bytes[0] < 0x80) {
        *point = bytes[0];
        return 1;
    }
    for (size_t i = 0; i < sizeof utf8_rows / sizeof utf8_rows[0]; i++) {
        const struct utf8_row *row = &utf8_rows[i];
        if (utf8_row_fits(row, bytes, t.size)) {
            *point = bytes[0] & (0x7fU >> row->size);
            for (size_t k = 1; k < row->size; k++) {
                *point = *point << 6 | (bytes[k] & 0x3fU);
            }
            return row->size;
        }
    }
    return 0;
}

bool text_is_utf8(struct text t)
{
    uint32_t point;

    for (size_t i = text_plain_run(t, ""), size = 1; i < t.size; i += size, size = 1) {
        if ((uint8_t)t.data[i] >= 0x80 && (size = text_utf8_first(text_from(t, i), &point)) == 0) {
            return false;
        }
    }
    return true;
}

bool text_has_control(struct text t)
{
    for (size_t i = text_plain_run(t, ""); i < t.size; i++) {
        if ((uint8_t)t.data[i] < 0x20 || t.data[i] == 0x7f) {
            return true;
        }
    }
    return false;
}

bool text_is_printable(struct text t)
{
    uint32_t point = 0;

    for (size_t i = text_plain_run(t, ""), size; i < t.size; i += size) {
        size = text_utf8_first(text_from(t, i), &point);
        if (size == 0 || (point < 0x20 && point != '\t') || (point >= 0x7f && point < 0xa0)) {
            return false;
        }
    }
    return true;
}

bool text_is_visible_ascii(struct text t)
{
    return t.size > 0 && text_plain_run(t, " ") == t.size;
}

bool text_copy(struct text t, char *field, size_t room)
{
    if (room == 0) {
        return false;
    }
    field[0] = '\0';
    if (t.size >= room || text_find(t, '\0') < t.size) {
        return false;
    }
    if (t.size > 0) {
        memcpy(field, t.data, t.size);
    }
    field[t.size] = '\0';
    return true;
}
