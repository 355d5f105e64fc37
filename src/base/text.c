/* text.c: questions asked of a run of bytes. Knows ASCII and UTF-8; allocates nothing and keeps
 * nothing. Its comparisons stop at the first difference, so they are not for secrets. */
#include <string.h>

#include "base/text.h"

struct text text_of(const char *c_string)
{
    return c_string == NULL ? (struct text){NULL, 0} : (struct text){c_string, strlen(c_string)};
}

/* memcmp may not be given NULL, not even with a size of 0. */
static int compare_bytes(const char *a, const char *b, size_t size)
{
    return size == 0 ? 0 : memcmp(a, b, size);
}

bool text_equal(struct text a, struct text b)
{
    return a.size == b.size && compare_bytes(a.data, b.data, a.size) == 0;
}

bool text_is(struct text a, const char *c_string)
{
    return text_equal(a, text_of(c_string));
}

/* Not tolower(): that one asks the locale. */
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
    int order = compare_bytes(a.data, b.data, a.size < b.size ? a.size : b.size);

    if (order == 0) {
        order = (a.size > b.size) - (a.size < b.size);
    }
    return order;
}

bool text_starts(struct text t, struct text prefix)
{
    return text_equal(text_cut(t, prefix.size), prefix);
}

bool text_ends(struct text t, struct text suffix)
{
    return t.size >= suffix.size && text_equal(text_from(t, t.size - suffix.size), suffix);
}

size_t text_find(struct text t, char c)
{
    const char *found = t.size == 0 ? NULL : memchr(t.data, c, t.size);

    return found == NULL ? t.size : (size_t)(found - t.data);
}

struct text text_from(struct text t, size_t from)
{
    return from >= t.size ? (struct text){NULL, 0} : (struct text){t.data + from, t.size - from};
}

struct text text_cut(struct text t, size_t size)
{
    return (struct text){t.data, size < t.size ? size : t.size};
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

struct text text_split(struct text *rest, char separator)
{
    size_t at = text_find(*rest, separator);
    struct text before = text_cut(*rest, at);

    *rest = text_from(*rest, at + 1);
    return before;
}

bool text_has_word(struct text list, struct text word)
{
    if (word.size == 0) {
        return false;
    }
    while (list.size > 0) {
        if (text_equal(text_split(&list, ' '), word)) {
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

/* The lead bytes and what may follow them (Unicode 15, table 3-7): the narrower second byte is what
 * keeps out overlongs, surrogates and everything above U+10FFFF. */
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

    while (t.size > 0) {
        size_t size = text_utf8_first(t, &point);
        if (size == 0) {
            return false;
        }
        t = text_from(t, size);
    }
    return true;
}

bool text_has_control(struct text t)
{
    for (size_t i = 0; i < t.size; i++) {
        if ((uint8_t)t.data[i] < 0x20 || t.data[i] == 0x7f) {
            return true;
        }
    }
    return false;
}

bool text_is_visible_ascii(struct text t)
{
    for (size_t i = 0; i < t.size; i++) {
        if (t.data[i] < 0x21 || t.data[i] > 0x7e) {
            return false;
        }
    }
    return t.size > 0;
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
