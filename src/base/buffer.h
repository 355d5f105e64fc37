/* buffer.h: text built piece by piece in an arena. Remembers its first failure, so writers write
 * many times and check once. */
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
    bool failed; /* out of arena; everything after is dropped */
};

/* Starts empty, with room for `room` bytes (it grows). */
void buffer_start(struct buffer *buffer, struct arena *arena, size_t room);
void buffer_add(struct buffer *buffer, struct text t);
void buffer_add_c(struct buffer *buffer, const char *c_string);
void buffer_add_char(struct buffer *buffer, char c);
void buffer_add_int(struct buffer *buffer, int64_t value);
void buffer_addf(struct buffer *buffer, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
void buffer_add_base64url(struct buffer *buffer, const void *data, size_t size); /* no padding */
void buffer_add_base64(struct buffer *buffer, const void *data, size_t size);    /* padded */
/* What stands in it so far; valid until the arena is reset. */
struct text buffer_text(const struct buffer *buffer);
/* False when anything was dropped; *t untouched then. The text is NUL-terminated behind its end. */
bool buffer_finish(struct buffer *buffer, struct text *t);

#endif
