/* SPDX-License-Identifier: ISC */
/* fcgi_scan.h: is a FastCGI request complete and well-formed? Scans its records as they arrive, so
 * that libfcgi gets to read only when the whole request is there and nothing in it can make libfcgi
 * wait, abort, or allocate what was merely announced (docs/hazards.md). Takes what a web server
 * sends to a responder or an authorizer, one request at a time per connection; all else is bad,
 * with the reason.
 *
 * There are two ways to use it. When a whole request is in the socket: fcgi_scan_feed over the
 * bytes peeked at; if that gives FCGI_SCAN_WHOLE, used all of them, and fcgi_scan_plain, libfcgi
 * may read the socket. Otherwise: fcgi_scan_collect over the bytes as they are received, and
 * libfcgi reads the copy. The verdict does not depend on how the bytes were cut into pieces. */
#ifndef RETOKEN_SERVER_FCGI_SCAN_H
#define RETOKEN_SERVER_FCGI_SCAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "server/fcgi_buffer.h"

enum fcgi_scan_state {
    FCGI_SCAN_PART,   /* well-formed so far, more must come */
    FCGI_SCAN_WHOLE,  /* complete: the empty STDIN record has come, with its padding; an
                         authorizer gets none, and has all after PARAMS */
    FCGI_SCAN_BAD,    /* not FastCGI, no request for either, or too large: close the connection;
                         fcgi_scan_why has the reason */
    FCGI_SCAN_ABORTED /* FCGI_ABORT_REQUEST: the web server has given it up; close the connection */
};

/* Bytes of content, headers and padding not counted. Each at most SIZE_MAX / 4. */
struct fcgi_scan_limits {
    size_t params; /* of PARAMS; more is bad */
    size_t body;   /* of STDIN; more is counted and left out of the copy, so that the request can
                      still be answered, up to FCGI_SCAN_EXCESS more, which is bad */
};

enum { FCGI_SCAN_EXCESS = 16 * 1024 * 1024 };

enum { FCGI_HEADER_SIZE = 8, FCGI_BEGIN_SIZE = 8 };

/* The position in the name-value pairs of the PARAMS stream. */
struct fcgi_scan_pairs {
    bool in_value;        /* the next length, or the one that is half read, is that of a value */
    unsigned length_left; /* bytes still to come of a four-byte length */
    size_t length;        /* what has come of it */
    size_t name;          /* length of the name, once known */
    size_t content_left;  /* bytes still to come of name and value */
};

/* One request as far as it was scanned. Holds no secret and nothing to release. */
struct fcgi_scan {
    struct fcgi_scan_limits limits;
    enum fcgi_scan_state state;
    const char *why;

    unsigned char header[FCGI_HEADER_SIZE]; /* of the current record */
    size_t header_size;                     /* bytes of it that have come */
    size_t content_left;                    /* bytes of that record still to come */
    size_t padding_left;

    unsigned char begin[FCGI_BEGIN_SIZE]; /* content of BEGIN_REQUEST */
    size_t id;                            /* of the request, once BEGIN_REQUEST has come */
    uint8_t stream;                       /* type of the records that must come now */
    bool plain;
    struct fcgi_scan_pairs pairs;
    size_t params; /* bytes of PARAMS content scanned */
    size_t body;   /* bytes of STDIN content scanned */
};

/* Call it before the first byte of each request. */
void fcgi_scan_start(struct fcgi_scan *scan, const struct fcgi_scan_limits *limits);

/* Scans the next `size` bytes. *used is how many of them belong to this request: all, unless it is
 * complete before their end (the next request follows), or bad or aborted (what follows does not
 * matter). A state other than FCGI_SCAN_PART is final: later calls use nothing. */
enum fcgi_scan_state fcgi_scan_feed(struct fcgi_scan *scan, const void *bytes, size_t size,
                                    size_t *used);

/* As fcgi_scan_feed, and adds to the copy in *buffer. Bad also when out of memory. All bytes of the
 * request must come this way, and no others. */
enum fcgi_scan_state fcgi_scan_collect(struct fcgi_scan *scan, struct fcgi_buffer *buffer,
                                       const void *bytes, size_t size, size_t *used);

/* The web server wants to keep the connection (FCGI_KEEP_CONN). Once the request is whole. */
bool fcgi_scan_keep(const struct fcgi_scan *scan);
/* It is for an authorizer, not for a responder. Once the request is whole. */
bool fcgi_scan_authorizes(const struct fcgi_scan *scan);
/* Can libfcgi read these bytes as they are? It takes padding after BEGIN_REQUEST and after the
 * empty PARAMS record for a header, and leaves padding after the empty STDIN record unread. No
 * server we know sends such padding, but it is allowed; the copy has none. Once the request is
 * whole. */
bool fcgi_scan_plain(const struct fcgi_scan *scan);
/* Bytes of STDIN content so far, in the copy or not. */
size_t fcgi_scan_body(const struct fcgi_scan *scan);
/* After FCGI_SCAN_BAD, the reason: static text for a log line. Otherwise "". */
const char *fcgi_scan_why(const struct fcgi_scan *scan);

#endif
