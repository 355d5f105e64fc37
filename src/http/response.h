/* SPDX-License-Identifier: ISC */
/* response.h: an HTTP response as a value, and its CGI spelling (RFC 3875 section 6). Does not know
 * what it says. */
#ifndef RETOKEN_HTTP_RESPONSE_H
#define RETOKEN_HTTP_RESPONSE_H

#include "base/arena.h"
#include "base/buffer.h"
#include "base/text.h"

/* mod_proxy_fcgi once crashed on long header blocks (CVE-2014-3583), so ours stay small. The
 * largest have two cookies with a JWT each, and expire some. */
enum { HTTP_RESPONSE_HEADERS_MAX = 20, HTTP_RESPONSE_HEAD_MAX = 12 * 1024 };

struct http_response {
    int status;
    struct http_response_header {
        struct text name;
        struct text value;
    } headers[HTTP_RESPONSE_HEADERS_MAX];
    size_t header_count;
    struct text body;
    bool failed; /* a header did not fit or held control bytes: http_response_write fails */
};

/* Sets the status; no headers, no body. */
void http_response_start(struct http_response *response, int status);
/* Add a header; name and value outlive the response. Set `failed` for a control byte such as CR or
 * LF, and for one header too many. */
void http_response_header(struct http_response *response, const char *name, struct text value);
void http_response_header_c(struct http_response *response, const char *name, const char *value);
/* Adds Cache-Control: no-store and Pragma: no-cache (RFC 6749 section 5.1). */
void http_response_no_store(struct http_response *response);

/* A cookie to be set (RFC 6265bis). */
struct http_cookie {
    struct text name;
    struct text value;
    struct text domain;    /* "" = none: this host only */
    struct text path;      /* "" = / */
    const char *same_site; /* "Lax", "Strict", "None" */
    int64_t max_age_s;     /* 0 = over; negative = until the browser is closed */
    int64_t now_ms;
    bool secure;
};

/* Adds a Set-Cookie header with HttpOnly; Max-Age and Expires ("Wed, 05-Aug-2020 13:53:05 GMT")
 * unless max_age_s is negative. Sets `failed` when the name is no token or the value has other
 * bytes than cookie-octets (RFC 6265 section 4.1.1). Domain and path are the caller's, who has seen
 * that they hold no `;`. */
void http_response_cookie(struct http_response *response, struct arena *arena,
                          const struct http_cookie *cookie);

/* Appends its attributes, but for those of its lifetime, as Set-Cookie spells them: "Path=/;
 * HttpOnly; SameSite=Lax". */
void http_cookie_attributes(const struct http_cookie *cookie, struct buffer *buffer);

/* Appends "Status: 200 OK\r\n", X-Content-Type-Options: nosniff (no browser guesses another media
 * type than the one given), headers, Content-Length, a blank line and the body. False when
 * `failed`, or when the head exceeds HTTP_RESPONSE_HEAD_MAX (nothing is appended), or when the
 * buffer has failed. */
bool http_response_write(const struct http_response *response, struct buffer *buffer);

/* The reason phrase (RFC 9110 section 15). For tests. */
const char *http_reason(int status);

#endif
