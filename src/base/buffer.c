/* SPDX-License-Identifier: ISC */
/* buffer.c: a growing run of bytes in an arena. Knows encodings of single values; does not know the
 * syntax it is used for. Memory that it has outgrown stays in the arena until the reset wipes it.
 */
#include "base/buffer.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/codec.h"

void buffer_start(struct buffer *buffer, struct arena *arena, size_t room)
{
    *buffer = (struct buffer){.arena = arena};
    if (room < SIZE_MAX) {
        buffer->data = arena_alloc(arena, room + 1); /* + 1: NUL-terminated when finished */
    }
    buffer->room = room;
    buffer->failed = buffer->data == NULL;
}

static bool move_to(struct buffer *buffer, size_t room)
{
    char *data = arena_alloc(buffer->arena, room + 1);

    if (data == NULL) {
        return false;
    }
    memcpy(data, buffer->data, buffer->size);
    buffer->data = data;
    buffer->room = room;
    return true;
}

/* Doubles the room; if the arena has not enough for that, makes room for just `more` bytes. */
static void grow(struct buffer *buffer, size_t more)
{
    if (more >= SIZE_MAX / 2 - buffer->size) {
        buffer->failed = true;
        return;
    }
    size_t needed = buffer->size + more;
    size_t doubled = buffer->room > SIZE_MAX / 4 ? needed : 2 * buffer->room;
    buffer->failed = !(doubled > needed && move_to(buffer, doubled)) && !move_to(buffer, needed);
}

/* Makes room for `more` bytes. Returns their place, or NULL. */
static inline char *reserve(struct buffer *buffer, size_t more)
{
    if (!buffer->failed && more > buffer->room - buffer->size) {
        grow(buffer, more);
    }
    return buffer->failed ? NULL : buffer->data + buffer->size;
}

void buffer_add(struct buffer *buffer, struct text t)
{
    char *end = reserve(buffer, t.size);

    if (end != NULL && t.size > 0) {
        memcpy(end, t.data, t.size);
        buffer->size += t.size;
    }
}

void buffer_add_c(struct buffer *buffer, const char *c_string)
{
    buffer_add(buffer, text_of(c_string));
}

void buffer_add_int(struct buffer *buffer, int64_t value)
{
    char digits[20]; /* of 2^64 - 1 */
    char *first = digits + sizeof digits;
    uint64_t rest = value < 0 ? 0 - (uint64_t)value : (uint64_t)value;

    do {
        *--first = (char)('0' + rest % 10);
        rest /= 10;
    } while (rest > 0);
    if (value < 0) {
        *--first = '-'; /* fits: 2^63 has 19 digits */
    }
    buffer_add(buffer, (struct text){first, (size_t)(digits + sizeof digits - first)});
}

void buffer_addf(struct buffer *buffer, const char *format, ...)
{
    va_list arguments;
    int size;

    va_start(arguments, format);
    size = vsnprintf(NULL, 0, format, arguments);
    va_end(arguments);
    if (size < 0) {
        buffer->failed = true;
        return;
    }
    char *end = reserve(buffer, (size_t)size);
    if (end == NULL) {
        return;
    }
    va_start(arguments, format);
    vsnprintf(end, (size_t)size + 1, format, arguments);
    va_end(arguments);
    buffer->size += (size_t)size;
}

void buffer_add_base64url(struct buffer *buffer, const void *data, size_t size)
{
    char *end = size > SIZE_MAX / 2 ? NULL : reserve(buffer, codec_base64url_size(size));

    if (end == NULL) {
        buffer->failed = true;
        return;
    }
    codec_base64url_encode(data, size, end);
    buffer->size += codec_base64url_size(size);
}

void buffer_add_base64(struct buffer *buffer, const void *data, size_t size)
{
    char *end = size > SIZE_MAX / 2 ? NULL : reserve(buffer, codec_base64_size(size));

    if (end == NULL) {
        buffer->failed = true;
        return;
    }
    codec_base64_encode(data, size, end);
    buffer->size += codec_base64_size(size);
}

struct text buffer_text(const struct buffer *buffer)
{
    return (struct text){buffer->data, buffer->size};
}

bool buffer_finish(struct buffer *buffer, struct text *t)
{
    if (buffer->failed) {
        return false;
    }
    buffer->data[buffer->size] = '\0';
    *t = buffer_text(buffer);
    return true;
}
