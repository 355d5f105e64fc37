/* SPDX-License-Identifier: ISC */
/* own.c: see own.h. */
#include "admin/learn/own.h"

#include <ctype.h>

bool own_is_token(struct text value)
{
    enum { TOKEN_LEAST = 16 };

    return value.size >= TOKEN_LEAST && text_is_visible_ascii(value);
}

bool own_is_opaque(struct text value)
{
    enum { LONG = 24 };
    bool digit = false, letter = false;

    for (size_t i = 0; i < value.size; i++) {
        digit = digit || isdigit((unsigned char)value.data[i]);
        letter = letter || isalpha((unsigned char)value.data[i]);
    }
    return own_is_token(value) && ((digit && letter) || value.size >= LONG);
}

bool own_is_unique(struct text value)
{
    enum { DIGITS_LEAST = 3 };
    size_t digits = 0;

    for (size_t i = 0; i < value.size; i++) {
        digits += isdigit((unsigned char)value.data[i]) != 0;
    }
    return own_is_token(value) && digits >= DIGITS_LEAST &&
           memmem(value.data, value.size, "://", 3) == NULL;
}

bool own_in_text(struct text text, size_t *at, size_t *size)
{
    static const char between[] = " \t\r\n\"'=,;:()<>[]{}?&\\";
    size_t start = 0;

    for (size_t i = 0; i <= text.size; i++) {
        if (i < text.size && memchr(between, text.data[i], sizeof between - 1) == NULL) {
            continue;
        }
        struct text piece = text_from(text_cut(text, i), start);

        if (own_is_unique(piece) || text_find(piece, '@') < piece.size) {
            *(at != NULL ? at : &(size_t){0}) = start;
            *(size != NULL ? size : &(size_t){0}) = piece.size;
            return true;
        }
        start = i + 1;
    }
    return false;
}
