/* SPDX-License-Identifier: ISC */
/* fcgi_buffer.c: how the copy is framed and grows; see fcgi_buffer.h. */
#include "server/fcgi_buffer.h"

#include <stdlib.h>
#include <string.h>

#include "base/secret.h"
#include "server/fcgi_scan.h"

enum { CONTENT_MAX = 65535, FIRST_ROOM = 2048 };

static size_t add_to_record(const struct fcgi_scan *scan, struct fcgi_buffer *buffer,
                            const unsigned char *bytes, size_t size);
static bool add_header(const struct fcgi_scan *scan, struct fcgi_buffer *buffer, size_t content);
static bool add(const struct fcgi_scan *scan, struct fcgi_buffer *buffer, const void *bytes,
                size_t size);
static bool reserve(struct fcgi_buffer *buffer, size_t more, size_t most);
static size_t most_room(const struct fcgi_scan_limits *limits);
static size_t framed(size_t content);
static bool move_to(struct fcgi_buffer *buffer, size_t room);

bool fcgi_buffer_begin(const struct fcgi_scan *scan, struct fcgi_buffer *buffer)
{
    return add_header(scan, buffer, FCGI_BEGIN_SIZE) &&
           add(scan, buffer, scan->begin, FCGI_BEGIN_SIZE);
}

bool fcgi_buffer_content(const struct fcgi_scan *scan, struct fcgi_buffer *buffer,
                         const unsigned char *bytes, size_t size)
{
    while (size > 0) {
        size_t added = add_to_record(scan, buffer, bytes, size);

        if (added == 0) {
            return false;
        }
        bytes += added;
        size -= added;
    }
    return true;
}

bool fcgi_buffer_end(const struct fcgi_scan *scan, struct fcgi_buffer *buffer)
{
    buffer->open = 0;
    return add_header(scan, buffer, 0);
}

void fcgi_buffer_free(struct fcgi_buffer *buffer)
{
    secret_wipe(buffer->bytes, buffer->size);
    free(buffer->bytes);
    *buffer = (struct fcgi_buffer){0};
}

/* Adds as much as fits to the current record, or to a new one. Returns how much; 0: out of memory.
 */
static size_t add_to_record(const struct fcgi_scan *scan, struct fcgi_buffer *buffer,
                            const unsigned char *bytes, size_t size)
{
    size_t content = buffer->open == 0 ? 0 : buffer->size - buffer->open - FCGI_HEADER_SIZE;

    if (buffer->open == 0 || content == CONTENT_MAX) {
        buffer->open = buffer->size;
        content = 0;
        if (!add_header(scan, buffer, 0)) {
            return 0;
        }
    }
    if (size > CONTENT_MAX - content) {
        size = CONTENT_MAX - content;
    }
    if (!add(scan, buffer, bytes, size)) {
        return 0;
    }
    content += size;
    buffer->bytes[buffer->open + 4] = (unsigned char)(content >> 8);
    buffer->bytes[buffer->open + 5] = (unsigned char)content;
    return size;
}

static bool add_header(const struct fcgi_scan *scan, struct fcgi_buffer *buffer, size_t content)
{
    const unsigned char *from = scan->header;
    const unsigned char header[FCGI_HEADER_SIZE] = {
        from[0], from[1], from[2], from[3], (unsigned char)(content >> 8), (unsigned char)content};

    return add(scan, buffer, header, sizeof header);
}

static bool add(const struct fcgi_scan *scan, struct fcgi_buffer *buffer, const void *bytes,
                size_t size)
{
    if (!reserve(buffer, size, most_room(&scan->limits))) {
        return false;
    }
    memcpy(buffer->bytes + buffer->size, bytes, size);
    buffer->size += size;
    return true;
}

static bool reserve(struct fcgi_buffer *buffer, size_t more, size_t most)
{
    size_t room = buffer->room == 0 ? FIRST_ROOM : 2 * buffer->room;

    if (more <= buffer->room - buffer->size) {
        return true;
    } else if (more > most - buffer->size) { /* fcgi_scan.c never lets it come to this */
        return false;
    }
    if (room < buffer->size + more) {
        room = buffer->size + more;
    }
    return move_to(buffer, room < most ? room : most);
}

/* Not realloc, which would leave tokens in the memory it frees. */
static bool move_to(struct fcgi_buffer *buffer, size_t room)
{
    unsigned char *bytes = malloc(room);

    if (bytes == NULL) {
        return false;
    }
    if (buffer->size > 0) {
        memcpy(bytes, buffer->bytes, buffer->size);
        secret_wipe(buffer->bytes, buffer->size);
    }
    free(buffer->bytes);
    buffer->bytes = bytes;
    buffer->room = room;
    return true;
}

/* The size of the largest copy: BEGIN_REQUEST, two streams and the end of each. */
static size_t most_room(const struct fcgi_scan_limits *limits)
{
    return FCGI_HEADER_SIZE + FCGI_BEGIN_SIZE + framed(limits->params) + FCGI_HEADER_SIZE +
           framed(limits->body + 1) + FCGI_HEADER_SIZE;
}

/* In records of CONTENT_MAX bytes and a last one. */
static size_t framed(size_t content)
{
    return content + (content / CONTENT_MAX + 1) * FCGI_HEADER_SIZE;
}
