/* records_copy.c: framing and growing of the copy; see records_copy.h. */
#include "responder/records_copy.h"

#include <stdlib.h>
#include <string.h>

#include "base/secret.h"
#include "responder/records.h"

enum { CONTENT_MAX = 65535, FIRST_ROOM = 2048 };

/* Records of CONTENT_MAX bytes and a last one. */
static size_t framed(size_t content)
{
    return content + (content / CONTENT_MAX + 1) * RECORDS_HEADER_SIZE;
}

/* What the copy of the largest request takes: BEGIN_REQUEST, two streams and their two ends. */
static size_t most_room(const struct records_limits *limits)
{
    return RECORDS_HEADER_SIZE + RECORDS_BEGIN_SIZE + framed(limits->params) + RECORDS_HEADER_SIZE +
           framed(limits->body + 1) + RECORDS_HEADER_SIZE;
}

/* Not realloc, which leaves tokens behind in what it gives back. */
static bool move_to(struct records_copy *copy, size_t room)
{
    unsigned char *bytes = malloc(room);

    if (bytes == NULL) {
        return false;
    }
    if (copy->size > 0) {
        memcpy(bytes, copy->bytes, copy->size);
        secret_wipe(copy->bytes, copy->size);
    }
    free(copy->bytes);
    copy->bytes = bytes;
    copy->room = room;
    return true;
}

static bool reserve(struct records_copy *copy, size_t more, size_t most)
{
    size_t room = copy->room == 0 ? FIRST_ROOM : 2 * copy->room;

    if (more <= copy->room - copy->size) {
        return true;
    } else if (more > most - copy->size) { /* cannot be, and must not be */
        return false;
    }
    if (room < copy->size + more) {
        room = copy->size + more;
    }
    return move_to(copy, room < most ? room : most);
}

static bool add(const struct records *records, struct records_copy *copy, const void *bytes,
                size_t size)
{
    if (!reserve(copy, size, most_room(&records->limits))) {
        return false;
    }
    memcpy(copy->bytes + copy->size, bytes, size);
    copy->size += size;
    return true;
}

static bool add_header(const struct records *records, struct records_copy *copy, size_t content)
{
    const unsigned char *from = records->header;
    const unsigned char header[RECORDS_HEADER_SIZE] = {
        from[0], from[1], from[2], from[3], (unsigned char)(content >> 8), (unsigned char)content};

    return add(records, copy, header, sizeof header);
}

bool records_copy_begin(const struct records *records, struct records_copy *copy)
{
    return add_header(records, copy, RECORDS_BEGIN_SIZE) &&
           add(records, copy, records->begin, RECORDS_BEGIN_SIZE);
}

bool records_copy_end(const struct records *records, struct records_copy *copy)
{
    copy->open = 0;
    return add_header(records, copy, 0);
}

/* Adds to the open record of the copy what it takes. How much that was; 0 when out of memory. */
static size_t add_to_record(const struct records *records, struct records_copy *copy,
                            const unsigned char *bytes, size_t size)
{
    size_t content = copy->open == 0 ? 0 : copy->size - copy->open - RECORDS_HEADER_SIZE;

    if (copy->open == 0 || content == CONTENT_MAX) {
        copy->open = copy->size;
        content = 0;
        if (!add_header(records, copy, 0)) {
            return 0;
        }
    }
    if (size > CONTENT_MAX - content) {
        size = CONTENT_MAX - content;
    }
    if (!add(records, copy, bytes, size)) {
        return 0;
    }
    content += size;
    copy->bytes[copy->open + 4] = (unsigned char)(content >> 8);
    copy->bytes[copy->open + 5] = (unsigned char)content;
    return size;
}

bool records_copy_content(const struct records *records, struct records_copy *copy,
                          const unsigned char *bytes, size_t size)
{
    while (size > 0) {
        size_t added = add_to_record(records, copy, bytes, size);

        if (added == 0) {
            return false;
        }
        bytes += added;
        size -= added;
    }
    return true;
}

void records_copy_free(struct records_copy *copy)
{
    secret_wipe(copy->bytes, copy->size);
    free(copy->bytes);
    *copy = (struct records_copy){0};
}
