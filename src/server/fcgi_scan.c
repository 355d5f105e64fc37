/* SPDX-License-Identifier: ISC */
/* fcgi_scan.c: FastCGI's records: sections 3.3 (records), 3.4 (name-value pairs), 5 (application
 * records) and 8 (types) of its specification 1.0. Knows the order in which the records for a
 * responder come, and what libfcgi cannot take; does not know sockets, libfcgi itself, or what a
 * parameter means.
 *
 * It is stricter than the specification where no web server makes use of it, and where libfcgi
 * would send an answer of its own in between: management records, and a second request while one is
 * open (CANT_MPX_CONN). */
#include "server/fcgi_scan.h"

#include <string.h>

enum { VERSION = 1, ROLE_RESPONDER = 1, ROLE_AUTHORIZER = 2, FLAG_KEEP_CONN = 1 };

enum { TYPE_BEGIN = 1, TYPE_ABORT = 2, TYPE_PARAMS = 4, TYPE_STDIN = 5, TYPE_DATA = 8 };

/* Two bytes, big endian. */
static size_t number(const unsigned char *bytes)
{
    return (size_t)bytes[0] << 8 | bytes[1];
}

static uint8_t type_of(const struct fcgi_scan *scan)
{
    return scan->header[1];
}

static size_t id_of(const struct fcgi_scan *scan)
{
    return number(scan->header + 2);
}

static size_t content_of(const struct fcgi_scan *scan)
{
    return number(scan->header + 4);
}

static size_t smaller(size_t a, size_t b)
{
    return a < b ? a : b;
}

static void refuse(struct fcgi_scan *scan, const char *why)
{
    scan->state = FCGI_SCAN_BAD;
    scan->why = why;
}

static void require_memory(struct fcgi_scan *scan, bool added)
{
    if (!added) {
        refuse(scan, "no memory for the request");
    }
}

static enum fcgi_scan_state take_all(struct fcgi_scan *scan, struct fcgi_buffer *buffer,
                                     const void *bytes, size_t size, size_t *used);

void fcgi_scan_start(struct fcgi_scan *scan, const struct fcgi_scan_limits *limits)
{
    *scan = (struct fcgi_scan){.limits = *limits, .why = "", .stream = TYPE_BEGIN};
}

enum fcgi_scan_state fcgi_scan_feed(struct fcgi_scan *scan, const void *bytes, size_t size,
                                    size_t *used)
{
    return take_all(scan, NULL, bytes, size, used);
}

enum fcgi_scan_state fcgi_scan_collect(struct fcgi_scan *scan, struct fcgi_buffer *buffer,
                                       const void *bytes, size_t size, size_t *used)
{
    return take_all(scan, buffer, bytes, size, used);
}

bool fcgi_scan_keep(const struct fcgi_scan *scan)
{
    return (scan->begin[2] & FLAG_KEEP_CONN) != 0;
}

bool fcgi_scan_authorizes(const struct fcgi_scan *scan)
{
    return number(scan->begin) == ROLE_AUTHORIZER;
}

bool fcgi_scan_plain(const struct fcgi_scan *scan)
{
    return scan->plain;
}

size_t fcgi_scan_body(const struct fcgi_scan *scan)
{
    return scan->body;
}

const char *fcgi_scan_why(const struct fcgi_scan *scan)
{
    return scan->why;
}

/* ---- bytes ---- */

static size_t take(struct fcgi_scan *scan, struct fcgi_buffer *buffer, const unsigned char *bytes,
                   size_t size);
static size_t take_header(struct fcgi_scan *scan, const unsigned char *bytes, size_t size);
static size_t take_content(struct fcgi_scan *scan, struct fcgi_buffer *buffer,
                           const unsigned char *bytes, size_t size);
static void take_stdin(struct fcgi_scan *scan, struct fcgi_buffer *buffer,
                       const unsigned char *bytes, size_t size);
static void take_params(struct fcgi_scan *scan, const unsigned char *bytes, size_t size);
static size_t take_padding(struct fcgi_scan *scan, size_t size);
static void open_record(struct fcgi_scan *scan);
static void end_record(struct fcgi_scan *scan, struct fcgi_buffer *buffer);

static enum fcgi_scan_state take_all(struct fcgi_scan *scan, struct fcgi_buffer *buffer,
                                     const void *bytes, size_t size, size_t *used)
{
    *used = 0;
    while (scan->state == FCGI_SCAN_PART && *used < size) {
        *used += take(scan, buffer, (const unsigned char *)bytes + *used, size - *used);
    }
    return scan->state;
}

/* At least one byte. */
static size_t take(struct fcgi_scan *scan, struct fcgi_buffer *buffer, const unsigned char *bytes,
                   size_t size)
{
    size_t step;

    if (scan->header_size < FCGI_HEADER_SIZE) {
        step = take_header(scan, bytes, size);
    } else if (scan->content_left > 0) {
        step = take_content(scan, buffer, bytes, size);
    } else {
        step = take_padding(scan, size);
    }
    if (scan->state == FCGI_SCAN_PART && scan->header_size == FCGI_HEADER_SIZE &&
        scan->content_left == 0 && scan->padding_left == 0) {
        end_record(scan, buffer);
    }
    return step;
}

static size_t take_header(struct fcgi_scan *scan, const unsigned char *bytes, size_t size)
{
    size_t step = smaller(FCGI_HEADER_SIZE - scan->header_size, size);

    memcpy(scan->header + scan->header_size, bytes, step);
    scan->header_size += step;
    if (scan->header_size == FCGI_HEADER_SIZE) {
        open_record(scan);
    }
    return step;
}

static size_t take_content(struct fcgi_scan *scan, struct fcgi_buffer *buffer,
                           const unsigned char *bytes, size_t size)
{
    size_t step = smaller(scan->content_left, size);

    if (scan->stream == TYPE_BEGIN) {
        memcpy(scan->begin + FCGI_BEGIN_SIZE - scan->content_left, bytes, step);
    } else if (scan->stream == TYPE_STDIN) {
        take_stdin(scan, buffer, bytes, step);
    } else {
        take_params(scan, bytes, step);
        if (buffer != NULL) {
            require_memory(scan, fcgi_buffer_content(scan, buffer, bytes, step));
        }
    }
    scan->content_left -= step;
    return step;
}

/* Counts all bytes, and copies up to one more than the limit, which shows that it is exceeded. */
static void take_stdin(struct fcgi_scan *scan, struct fcgi_buffer *buffer,
                       const unsigned char *bytes, size_t size)
{
    size_t kept = smaller(scan->body, scan->limits.body + 1);
    size_t wanted = smaller(size, scan->limits.body + 1 - kept);

    scan->body += size;
    if (buffer != NULL) {
        require_memory(scan, fcgi_buffer_content(scan, buffer, bytes, wanted));
    }
}

static size_t take_padding(struct fcgi_scan *scan, size_t size)
{
    size_t step = smaller(scan->padding_left, size);

    scan->padding_left -= step;
    return step;
}

/* ---- the beginning of a record ---- */

static void check_begin(struct fcgi_scan *scan);
static void check_stream(struct fcgi_scan *scan);
static void check_stray(struct fcgi_scan *scan);
static void check_params(struct fcgi_scan *scan);
static void check_stdin(struct fcgi_scan *scan);
static bool between_pairs(const struct fcgi_scan_pairs *pairs);

/* Whatever can be wrong with a header is refused here, before its content has come. */
static void open_record(struct fcgi_scan *scan)
{
    scan->content_left = content_of(scan);
    scan->padding_left = scan->header[6];
    if (scan->header[0] != VERSION) {
        refuse(scan, "not FastCGI version 1");
    } else if (id_of(scan) == 0) {
        refuse(scan, type_of(scan) == TYPE_BEGIN ? "BEGIN_REQUEST without a request id"
                                                 : "a management record");
    } else if (scan->stream == TYPE_BEGIN) {
        check_begin(scan);
    } else {
        check_stream(scan);
    }
}

static void check_begin(struct fcgi_scan *scan)
{
    if (type_of(scan) != TYPE_BEGIN) {
        refuse(scan, "the first record is not BEGIN_REQUEST");
    } else if (content_of(scan) != FCGI_BEGIN_SIZE) {
        refuse(scan, "BEGIN_REQUEST has a wrong size");
    }
    scan->id = id_of(scan);
}

static void check_stream(struct fcgi_scan *scan)
{
    uint8_t type = type_of(scan);

    if (type == TYPE_BEGIN) {
        refuse(scan, "BEGIN_REQUEST while a request is open");
    } else if (id_of(scan) != scan->id) {
        refuse(scan, "a record of another request");
    } else if (type != scan->stream) {
        check_stray(scan);
    } else if (type == TYPE_PARAMS) {
        check_params(scan);
    } else {
        check_stdin(scan);
    }
}

/* A record that does not belong to the current stream. */
static void check_stray(struct fcgi_scan *scan)
{
    switch (type_of(scan)) {
    case TYPE_ABORT:
        scan->state = FCGI_SCAN_ABORTED;
        break;
    case TYPE_PARAMS:
        refuse(scan, "PARAMS after their end");
        break;
    case TYPE_STDIN:
        refuse(scan, "STDIN before the end of PARAMS");
        break;
    case TYPE_DATA:
        refuse(scan, "DATA, which is not for a responder");
        break;
    default:
        refuse(scan, "a record of a type that no web server sends");
    }
}

static void check_params(struct fcgi_scan *scan)
{
    if (content_of(scan) > scan->limits.params - scan->params) {
        refuse(scan, "PARAMS are larger than we take");
    } else if (content_of(scan) == 0 && !between_pairs(&scan->pairs)) {
        refuse(scan, "PARAMS end inside a name-value pair");
    }
}

static void check_stdin(struct fcgi_scan *scan)
{
    if (content_of(scan) > scan->limits.body + FCGI_SCAN_EXCESS - scan->body) {
        refuse(scan, "the body is too large even to be read");
    }
}

/* ---- the end of a record ---- */

static void end_begin(struct fcgi_scan *scan, struct fcgi_buffer *buffer);
static void end_stream(struct fcgi_scan *scan, struct fcgi_buffer *buffer);

static void end_record(struct fcgi_scan *scan, struct fcgi_buffer *buffer)
{
    if (scan->stream == TYPE_BEGIN) {
        end_begin(scan, buffer);
    } else if (content_of(scan) == 0) {
        end_stream(scan, buffer);
    }
    scan->header_size = 0;
}

static void end_begin(struct fcgi_scan *scan, struct fcgi_buffer *buffer)
{
    if (number(scan->begin) != ROLE_RESPONDER && !fcgi_scan_authorizes(scan)) {
        refuse(scan, "a role other than responder and authorizer");
    } else if (buffer != NULL) {
        require_memory(scan, fcgi_buffer_begin(scan, buffer));
    }
    scan->plain = scan->header[6] == 0;
    scan->stream = TYPE_PARAMS;
}

static void end_stream(struct fcgi_scan *scan, struct fcgi_buffer *buffer)
{
    scan->plain = scan->plain && scan->header[6] == 0;
    if (scan->stream == TYPE_PARAMS && !fcgi_scan_authorizes(scan)) {
        scan->stream = TYPE_STDIN;
    } else {
        scan->state = FCGI_SCAN_WHOLE;
    }
    if (buffer != NULL) {
        require_memory(scan, fcgi_buffer_end(scan, buffer));
    }
}

/* ---- name-value pairs ---- */

static bool take_length(struct fcgi_scan_pairs *pairs, unsigned char byte, size_t room);
static bool end_length(struct fcgi_scan_pairs *pairs, size_t room);

/* libfcgi allocates what a pair announces, and aborts when that fails. */
static void take_params(struct fcgi_scan *scan, const unsigned char *bytes, size_t size)
{
    struct fcgi_scan_pairs *pairs = &scan->pairs;

    for (size_t i = 0; i < size;) {
        size_t step = 1;

        if (pairs->content_left > 0) {
            step = pairs->content_left < size - i ? pairs->content_left : size - i;
            pairs->content_left -= step;
        } else if (!take_length(pairs, bytes[i], scan->limits.params - scan->params - 1)) {
            refuse(scan, "a name-value pair announces more than we take");
            return;
        }
        scan->params += step;
        i += step;
    }
}

/* A length is one byte, or four when the highest bit of the first is set. */
static bool take_length(struct fcgi_scan_pairs *pairs, unsigned char byte, size_t room)
{
    if (pairs->length_left > 0) {
        pairs->length = pairs->length << 8 | byte;
        pairs->length_left--;
    } else {
        pairs->length = byte & 0x7f;
        pairs->length_left = (byte & 0x80) != 0 ? 3 : 0;
    }
    return pairs->length_left > 0 || end_length(pairs, room);
}

/* A length is complete. `room`: what the limit leaves for name and value. */
static bool end_length(struct fcgi_scan_pairs *pairs, size_t room)
{
    size_t name = pairs->in_value ? pairs->name : 0;

    if (name > room || pairs->length > room - name) {
        return false;
    }
    if (pairs->in_value) {
        pairs->content_left = name + pairs->length;
    } else {
        pairs->name = pairs->length;
    }
    pairs->in_value = !pairs->in_value;
    return true;
}

static bool between_pairs(const struct fcgi_scan_pairs *pairs)
{
    return !pairs->in_value && pairs->length_left == 0 && pairs->content_left == 0;
}
