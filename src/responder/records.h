/* records.h: is a FastCGI request whole and well-formed? Looks at its records as they arrive, so
 * that libfcgi is given a request only when all of it lies ready and nothing in it can make libfcgi
 * wait, abort or allocate what was merely announced (docs/hazards.md). Takes what a web server
 * sends to a responder, one request at a time per connection; everything else is bad, and says why.
 *
 * Two ways to use it. All of a request lies in the socket already: records_feed over the bytes
 * peeked at; when that gives RECORDS_WHOLE, used all of them, and records_plain, libfcgi may read
 * the socket itself. Otherwise: records_collect over the bytes as they are received, and libfcgi
 * reads the copy. The verdict is the same however the bytes were cut into pieces. */
#ifndef RETOKEN_RESPONDER_RECORDS_H
#define RETOKEN_RESPONDER_RECORDS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "responder/records_copy.h"

enum records_state {
    RECORDS_PART,   /* well-formed so far, more must come */
    RECORDS_WHOLE,  /* the request is complete: its empty STDIN record has come, padding included */
    RECORDS_BAD,    /* not FastCGI, no responder's request, or larger than we take: close the
                       connection; records_why says what it was */
    RECORDS_ABORTED /* FCGI_ABORT_REQUEST: the web server has given it up; close the connection */
};

/* Bytes of content, headers and padding not counted. Each at most SIZE_MAX / 4. */
struct records_limits {
    size_t params; /* of PARAMS; more is bad */
    size_t body;   /* of STDIN; more is counted and left out of the copy, so that the request can
                      still be answered, and bad from RECORDS_EXCESS more on */
};

enum { RECORDS_EXCESS = 16 * 1024 * 1024 };

enum { RECORDS_HEADER_SIZE = 8, RECORDS_BEGIN_SIZE = 8 };

/* Where in the PARAMS stream's name-value pairs we are. */
struct records_pairs {
    bool in_value;        /* the length that comes next, or is under way, is the value's */
    unsigned length_left; /* bytes of a four-byte length that are still to come */
    size_t length;        /* the part of it that has come */
    size_t name;          /* the length of the name, once known */
    size_t content_left;  /* bytes of name and value that are still to come */
};

/* One request, looked at so far. Plain values and no secret among them: nothing to release. */
struct records {
    struct records_limits limits;
    enum records_state state;
    const char *why;

    unsigned char header[RECORDS_HEADER_SIZE]; /* of the record that is open */
    size_t header_size;                        /* bytes of it that have come */
    size_t content_left;                       /* of that record, still to come */
    size_t padding_left;

    unsigned char begin[RECORDS_BEGIN_SIZE]; /* content of BEGIN_REQUEST */
    size_t id;                               /* the request's, from BEGIN_REQUEST on */
    uint8_t stream;                          /* type of the records that must come now */
    bool plain;
    struct records_pairs pairs;
    size_t params; /* bytes of PARAMS content looked at */
    size_t body;   /* bytes of STDIN content looked at */
};

/* Before the first byte of each request. */
void records_start(struct records *records, const struct records_limits *limits);

/* Looks at the next `size` bytes. *used: how many of them belong to this request: all, unless it is
 * complete before their end (what follows is the next request's) or bad or aborted (then what
 * follows does not matter). Once the state is not RECORDS_PART it stays, and nothing is used. */
enum records_state records_feed(struct records *records, const void *bytes, size_t size,
                                size_t *used);

/* FCGI_KEEP_CONN: the web server wants to keep the connection. Once the request is whole. */
bool records_keep(const struct records *records);
/* May libfcgi read the very bytes? It takes padding behind BEGIN_REQUEST and behind the empty
 * PARAMS record for a header, and leaves that behind the empty STDIN record unread. No server we
 * know sends such padding, but it is allowed, and the copy has none. Once the request is whole. */
bool records_plain(const struct records *records);
/* Bytes of STDIN content so far, kept in the copy or not. For tests. */
size_t records_body(const struct records *records);
/* After RECORDS_BAD: what was wrong, a static text for a log line. Otherwise "". */
const char *records_why(const struct records *records);

/* As records_feed, and adds to the copy. Bad also when out of memory. A copy belongs to one
 * request, whose bytes must all have come this way. */
enum records_state records_collect(struct records *records, struct records_copy *copy,
                                   const void *bytes, size_t size, size_t *used);

#endif
