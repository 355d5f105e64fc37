/* SPDX-License-Identifier: ISC */
/* buffer.h: text built piece by piece in an arena. Remembers its first failure, so that a writer
 * adds many pieces and checks once. Does not know what it is used for. */
#ifndef RETOKEN_BASE_BUFFER_H
#define RETOKEN_BASE_BUFFER_H

#include <stdint.h>

#include "base/arena.h"
#include "base/text.h"

struct buffer {
    struct arena *arena;
    char *data;
    size_t size;
    size_t room;
    bool failed; /* the arena was exhausted; what followed was dropped */
};

/* Starts empty, with room for `room` bytes. It grows. */
void buffer_start(struct buffer *buffer, struct arena *arena, size_t room);
void buffer_add(struct buffer *buffer, struct text t);
/* Inline, because JSON is half made of single characters. */
static inline void buffer_add_char(struct buffer *buffer, char c)
{
    if (!buffer->failed && buffer->size < buffer->room) {
        buffer->data[buffer->size++] = c;
    } else {
        buffer_add(buffer, (struct text){&c, 1});
    }
}
void buffer_add_c(struct buffer *buffer, const char *c_string);
void buffer_add_int(struct buffer *buffer, int64_t value);
void buffer_addf(struct buffer *buffer, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
void buffer_add_base64url(struct buffer *buffer, const void *data, size_t size); /* no padding */
void buffer_add_base64(struct buffer *buffer, const void *data, size_t size);    /* padded */
/* The text so far; valid until the next addition. */
struct text buffer_text(const struct buffer *buffer);
/* Gives the text, with a NUL after its end. False when anything was dropped, and *t is unchanged.
 */
bool buffer_finish(struct buffer *buffer, struct text *t);

#endif
