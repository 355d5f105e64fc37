/* records.c: FastCGI's records, sections 3.3 (records), 3.4 (name-value pairs), 5 (application
 * records) and 8 (types) of its specification 1.0. Knows the order in which a responder's records
 * come and where libfcgi would stumble; does not know sockets, libfcgi itself or what a parameter
 * means.
 *
 * Stricter than the specification in what no web server does on a connection of its own and libfcgi
 * would answer by itself, in between our answer: management records, and a second request while one
 * is open (CANT_MPX_CONN). */
#include "responder/records.h"

#include <string.h>

enum { VERSION = 1, ROLE_RESPONDER = 1, FLAG_KEEP_CONN = 1 };

enum { TYPE_BEGIN = 1, TYPE_ABORT = 2, TYPE_PARAMS = 4, TYPE_STDIN = 5, TYPE_DATA = 8 };

/* ---- the verdict ---- */

static void refuse(struct records *records, const char *why)
{
    records->state = RECORDS_BAD;
    records->why = why;
}

static void require_memory(struct records *records, bool added)
{
    if (!added) {
        refuse(records, "no memory for the request");
    }
}

static size_t number(const unsigned char *bytes) /* two of them, the higher first */
{
    return (size_t)bytes[0] << 8 | bytes[1];
}

static uint8_t type_of(const struct records *records)
{
    return records->header[1];
}

static size_t id_of(const struct records *records)
{
    return number(records->header + 2);
}

static size_t content_of(const struct records *records)
{
    return number(records->header + 4);
}

/* ---- name-value pairs ---- */

static bool at_border(const struct records_pairs *pairs)
{
    return !pairs->in_value && pairs->length_left == 0 && pairs->content_left == 0;
}

/* A length is known. `room`: what the limit leaves for name and value. */
static bool end_length(struct records_pairs *pairs, size_t room)
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

/* A length is one byte, or four when the highest bit of the first is set. */
static bool take_length(struct records_pairs *pairs, unsigned char byte, size_t room)
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

/* libfcgi allocates what a pair announces, and aborts when it does not get that. */
static void take_params(struct records *records, const unsigned char *bytes, size_t size)
{
    struct records_pairs *pairs = &records->pairs;

    for (size_t i = 0; i < size;) {
        size_t step = 1;

        if (pairs->content_left > 0) {
            step = pairs->content_left < size - i ? pairs->content_left : size - i;
            pairs->content_left -= step;
        } else if (!take_length(pairs, bytes[i], records->limits.params - records->params - 1)) {
            refuse(records, "a name-value pair announces more than we take");
            return;
        }
        records->params += step;
        i += step;
    }
}

/* ---- records ---- */

static void check_begin(struct records *records)
{
    if (type_of(records) != TYPE_BEGIN) {
        refuse(records, "the first record is not BEGIN_REQUEST");
    } else if (content_of(records) != RECORDS_BEGIN_SIZE) {
        refuse(records, "BEGIN_REQUEST is not of its size");
    }
    records->id = id_of(records);
}

static void check_params(struct records *records)
{
    if (content_of(records) > records->limits.params - records->params) {
        refuse(records, "PARAMS are larger than we take");
    } else if (content_of(records) == 0 && !at_border(&records->pairs)) {
        refuse(records, "PARAMS end inside a name-value pair");
    }
}

static void check_stdin(struct records *records)
{
    if (content_of(records) > records->limits.body + RECORDS_EXCESS - records->body) {
        refuse(records, "the body is too large even to be read");
    }
}

/* A record that does not belong to the stream that is open. */
static void judge_stray(struct records *records)
{
    switch (type_of(records)) {
    case TYPE_ABORT:
        records->state = RECORDS_ABORTED;
        break;
    case TYPE_PARAMS:
        refuse(records, "PARAMS after their end");
        break;
    case TYPE_STDIN:
        refuse(records, "STDIN before the end of PARAMS");
        break;
    case TYPE_DATA:
        refuse(records, "DATA, which is not for a responder");
        break;
    default:
        refuse(records, "a record of a type that no web server sends");
    }
}

static void check_stream(struct records *records)
{
    uint8_t type = type_of(records);

    if (type == TYPE_BEGIN) {
        refuse(records, "BEGIN_REQUEST while a request is open");
    } else if (id_of(records) != records->id) {
        refuse(records, "a record of another request");
    } else if (type != records->stream) {
        judge_stray(records);
    } else if (type == TYPE_PARAMS) {
        check_params(records);
    } else {
        check_stdin(records);
    }
}

/* Everything that a header can have wrong is refused here, before its content has come. */
static void open_record(struct records *records)
{
    records->content_left = content_of(records);
    records->padding_left = records->header[6];
    if (records->header[0] != VERSION) {
        refuse(records, "not FastCGI version 1");
    } else if (id_of(records) == 0) {
        refuse(records, type_of(records) == TYPE_BEGIN ? "BEGIN_REQUEST without a request id"
                                                       : "a management record");
    } else if (records->stream == TYPE_BEGIN) {
        check_begin(records);
    } else {
        check_stream(records);
    }
}

static void end_begin(struct records *records, struct records_copy *copy)
{
    if (number(records->begin) != ROLE_RESPONDER) {
        refuse(records, "a role other than responder");
    } else if (copy != NULL) {
        require_memory(records, records_copy_begin(records, copy));
    }
    records->plain = records->header[6] == 0;
    records->stream = TYPE_PARAMS;
}

static void end_stream(struct records *records, struct records_copy *copy)
{
    records->plain = records->plain && records->header[6] == 0;
    if (records->stream == TYPE_PARAMS) {
        records->stream = TYPE_STDIN;
    } else {
        records->state = RECORDS_WHOLE;
    }
    if (copy != NULL) {
        require_memory(records, records_copy_end(records, copy));
    }
}

/* All of the record has come. */
static void end_record(struct records *records, struct records_copy *copy)
{
    if (records->stream == TYPE_BEGIN) {
        end_begin(records, copy);
    } else if (content_of(records) == 0) {
        end_stream(records, copy);
    }
    records->header_size = 0;
}

/* ---- bytes ---- */

static size_t smaller(size_t a, size_t b)
{
    return a < b ? a : b;
}

static size_t take_header(struct records *records, const unsigned char *bytes, size_t size)
{
    size_t step = smaller(RECORDS_HEADER_SIZE - records->header_size, size);

    memcpy(records->header + records->header_size, bytes, step);
    records->header_size += step;
    if (records->header_size == RECORDS_HEADER_SIZE) {
        open_record(records);
    }
    return step;
}

/* Counts all, copies up to one byte more than the limit: that tells it is over. */
static void take_stdin(struct records *records, struct records_copy *copy,
                       const unsigned char *bytes, size_t size)
{
    size_t kept = smaller(records->body, records->limits.body + 1);
    size_t wanted = smaller(size, records->limits.body + 1 - kept);

    records->body += size;
    if (copy != NULL) {
        require_memory(records, records_copy_content(records, copy, bytes, wanted));
    }
}

static size_t take_content(struct records *records, struct records_copy *copy,
                           const unsigned char *bytes, size_t size)
{
    size_t step = smaller(records->content_left, size);

    if (records->stream == TYPE_BEGIN) {
        memcpy(records->begin + RECORDS_BEGIN_SIZE - records->content_left, bytes, step);
    } else if (records->stream == TYPE_STDIN) {
        take_stdin(records, copy, bytes, step);
    } else {
        take_params(records, bytes, step);
        if (copy != NULL) {
            require_memory(records, records_copy_content(records, copy, bytes, step));
        }
    }
    records->content_left -= step;
    return step;
}

static size_t take_padding(struct records *records, size_t size)
{
    size_t step = smaller(records->padding_left, size);

    records->padding_left -= step;
    return step;
}

/* At least one byte. */
static size_t take(struct records *records, struct records_copy *copy, const unsigned char *bytes,
                   size_t size)
{
    size_t step;

    if (records->header_size < RECORDS_HEADER_SIZE) {
        step = take_header(records, bytes, size);
    } else if (records->content_left > 0) {
        step = take_content(records, copy, bytes, size);
    } else {
        step = take_padding(records, size);
    }
    if (records->state == RECORDS_PART && records->header_size == RECORDS_HEADER_SIZE &&
        records->content_left == 0 && records->padding_left == 0) {
        end_record(records, copy);
    }
    return step;
}

static enum records_state take_all(struct records *records, struct records_copy *copy,
                                   const void *bytes, size_t size, size_t *used)
{
    *used = 0;
    while (records->state == RECORDS_PART && *used < size) {
        *used += take(records, copy, (const unsigned char *)bytes + *used, size - *used);
    }
    return records->state;
}

void records_start(struct records *records, const struct records_limits *limits)
{
    *records = (struct records){.limits = *limits, .why = "", .stream = TYPE_BEGIN};
}

enum records_state records_feed(struct records *records, const void *bytes, size_t size,
                                size_t *used)
{
    return take_all(records, NULL, bytes, size, used);
}

enum records_state records_collect(struct records *records, struct records_copy *copy,
                                   const void *bytes, size_t size, size_t *used)
{
    return take_all(records, copy, bytes, size, used);
}

bool records_keep(const struct records *records)
{
    return (records->begin[2] & FLAG_KEEP_CONN) != 0;
}

bool records_plain(const struct records *records)
{
    return records->plain;
}

size_t records_body(const struct records *records)
{
    return records->body;
}

const char *records_why(const struct records *records)
{
    return records->why;
}
