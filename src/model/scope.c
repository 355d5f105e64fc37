/* SPDX-License-Identifier: ISC */
/* scope.c: see scope.h. Words are told apart by any white space, because forms and files bring line
 * breaks along. */
#include "model/scope.h"

#include <string.h>

static bool is_word(struct text word);
static void add_word(char *out, size_t *size, struct text word);

bool scope_canonical(struct text words, char *out, struct text *scope)
{
    size_t size = 0;

    for (struct text word; (word = text_word(&words)).size > 0;) {
        if (!is_word(word)) {
            return false;
        } else if (!text_has_word((struct text){out, size}, word)) {
            add_word(out, &size, word);
        }
    }
    *scope = (struct text){out, size};
    return true;
}

/* scope-token = 1*( %x21 / %x23-5B / %x5D-7E ) */
static bool is_word(struct text word)
{
    return text_is_visible_ascii(word) && text_find(word, '"') == word.size &&
           text_find(word, '\\') == word.size;
}

/* What is written is never longer than what was read: a separator or the start preceded the word
 * there, too. */
static void add_word(char *out, size_t *size, struct text word)
{
    if (*size > 0) {
        out[(*size)++] = ' ';
    }
    memcpy(out + *size, word.data, word.size);
    *size += word.size;
}

bool scope_covers(struct text granted, struct text asked)
{
    for (struct text word; (word = text_word(&asked)).size > 0;) {
        if (!text_has_word(granted, word)) {
            return false;
        }
    }
    return true;
}

struct text scope_common(struct text granted, struct text asked, char *out)
{
    size_t size = 0;

    for (struct text word; (word = text_word(&granted)).size > 0;) {
        if (text_has_word(asked, word)) {
            add_word(out, &size, word);
        }
    }
    return (struct text){out, size};
}
