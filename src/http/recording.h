/* SPDX-License-Identifier: ISC */
/* recording.h: an HTTP request or answer that someone has written down: as it goes over the wire,
 * with line breaks of either kind, or from values of a HAR file. Made for files that people keep
 * and edit, not for sockets. Knows no dialect. */
#ifndef RETOKEN_HTTP_RECORDING_H
#define RETOKEN_HTTP_RECORDING_H

#include "base/fault.h"
#include "http/request.h"

enum { HTTP_RECORDING_MAX = 256 * 1024 };

struct http_recording {
    int status;             /* of an answer; 0: it is a request */
    struct text authority;  /* of a request's absolute URL, without a user; "" = none */
    struct text path;       /* of a request, as sent, without its query */
    struct http_request is; /* an answer has only content_type, headers and body */
};

/* Reads a whole file: the first line says which of the two it is. 1xx answers before the last one
 * are passed over, and a body in chunks is put together. A body is as long as Content-Length says,
 * unless the file has been edited since: then it is the rest without the line break at its end. The
 * texts point into `bytes` and the arena. False: *fault says what is wrong and what would be right,
 * without any value. */
bool http_recording_read(struct arena *arena, struct text bytes, struct http_recording *recording,
                         struct fault *fault);

/* Starts a request by its method and its URL or path, or an answer, without headers and body.
 * False: *fault. */
bool http_recording_request(struct arena *arena, struct text method, struct text target,
                            struct http_recording *recording, struct fault *fault);
bool http_recording_answer(struct arena *arena, int64_t status, struct http_recording *recording,
                           struct fault *fault);
/* Adds a header. False: *fault. */
bool http_recording_header(struct arena *arena, struct text name, struct text value,
                           struct http_recording *recording, struct fault *fault);

/* What a Set-Cookie header says (RFC 6265 section 5.2). */
struct http_set_cookie {
    struct text name, value, attributes;
    struct text plain; /* the name without a prefix that browsers know (RFC 6265bis) */
    bool clears;       /* it takes the cookie away: no value, or an end that is past */
};
/* False: the header is another one. */
bool http_recording_cookie(const struct http_header *header, struct http_set_cookie *cookie);

#endif
