/* SPDX-License-Identifier: ISC */
/* text.h: a run of bytes with its length. Owns nothing: a text points into an arena, a literal or a
 * struct. Not NUL-terminated. Does not know what it says.
 *
 * The smallest functions are inline: a request calls them hundreds of times, mostly with literals,
 * whose length the compiler then knows. */
#ifndef RETOKEN_BASE_TEXT_H
#define RETOKEN_BASE_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct text {
    const char *data; /* may be NULL when size is 0 */
    size_t size;      /* bytes */
};

/* A text over a string literal. */
#define TEXT(literal) ((struct text){("" literal ""), sizeof(literal) - 1})
/* For printf: printf("%.*s", TEXT_ARGS(t)). */
#define TEXT_ARGS(t) (int)(t).size, ((t).data != NULL ? (t).data : "")

/* A text over a NUL-terminated string; NULL gives the empty text. */
static inline struct text text_of(const char *c_string)
{
    return c_string == NULL ? (struct text){NULL, 0} : (struct text){c_string, strlen(c_string)};
}
/* Byte comparison; not for secrets (base/secret.h). */
static inline bool text_equal(struct text a, struct text b)
{
    /* memcmp must not get NULL, not even with a size of 0 */
    return a.size == b.size && (a.size == 0 || memcmp(a.data, b.data, a.size) == 0);
}
static inline bool text_is(struct text a, const char *c_string)
{
    return text_equal(a, text_of(c_string));
}
bool text_equal_ignore_case(struct text a, struct text b); /* ASCII only */
int text_compare(struct text a, struct text b);            /* memcmp order, shorter first */
/* From byte `from` to the end; empty when from >= size. */
static inline struct text text_from(struct text t, size_t from)
{
    return from >= t.size ? (struct text){NULL, 0} : (struct text){t.data + from, t.size - from};
}
/* The first `size` bytes, or all. */
static inline struct text text_cut(struct text t, size_t size)
{
    return (struct text){t.data, size < t.size ? size : t.size};
}
static inline bool text_starts(struct text t, struct text prefix)
{
    return text_equal(text_cut(t, prefix.size), prefix);
}
bool text_ends(struct text t, struct text suffix);
/* Index of the first byte `c`, or t.size. */
static inline size_t text_find(struct text t, char c)
{
    const char *found = t.size == 0 ? NULL : memchr(t.data, c, t.size);

    return found == NULL ? t.size : (size_t)(found - t.data);
}
/* Without spaces and tabs at both ends. */
struct text text_trim(struct text t);
/* Without white space (space, tab, CR, LF, VT, FF) at both ends. */
struct text text_strip(struct text t);
/* Cuts *rest at the first separator: returns what precedes it, and leaves what follows. Without a
 * separator, returns all and leaves the empty text. */
struct text text_split(struct text *rest, char separator);
/* Cuts the next word off *rest; words stand between white space (as of text_strip). Empty: there is
 * none. */
struct text text_word(struct text *rest);
/* Is `word` one of the words of the list? Not the empty one. */
bool text_has_word(struct text list, struct text word);

/* Decimal digits only, no sign, no space, at most `max`. False otherwise, and *value is unchanged.
 */
bool text_to_u64(struct text t, uint64_t max, uint64_t *value);
/* How many bytes at the start are printable ASCII (0x20..0x7e) and none of `but`, a string of at
 * most three characters? Fast, because a long text is nearly always so to its end. */
size_t text_plain_run(struct text t, const char *but);
/* The size of the well-formed UTF-8 character at the start of t, with its code point in *point; 0
 * if there is none. */
size_t text_utf8_first(struct text t, uint32_t *point);
/* Well-formed UTF-8 (no overlongs, no surrogates, at most U+10FFFF). */
bool text_is_utf8(struct text t);
/* Any byte below 0x20 or equal to 0x7f? */
bool text_has_control(struct text t);
/* Well-formed UTF-8 without what terminals obey: control characters of ASCII, but tabs, and of the
 * second set (U+0080 to U+009F)? */
bool text_is_printable(struct text t);
/* Every byte in 0x21..0x7e (RFC 6749 appendix A: 1*VSCHAR without space)? Empty gives false. */
bool text_is_visible_ascii(struct text t);

/* Copies into a field of `room` bytes, with a NUL. False, and "" in the field, when it does not fit
 * or holds a NUL byte. */
bool text_copy(struct text t, char *field, size_t room);

#endif
