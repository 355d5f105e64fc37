/* response.h: an HTTP answer as a value, and its CGI spelling (RFC 3875 section 6). */
#ifndef RETOKEN_HTTP_RESPONSE_H
#define RETOKEN_HTTP_RESPONSE_H

#include "base/arena.h"
#include "base/buffer.h"
#include "base/text.h"

/* mod_proxy_fcgi once crashed on long header blocks (CVE-2014-3583); ours stays small. The two
 * cookies with their JWT are what fills it. */
enum { HTTP_RESPONSE_HEADERS_MAX = 12, HTTP_RESPONSE_HEAD_MAX = 12 * 1024 };

struct http_response {
    int status;
    struct http_response_header {
        struct text name;
        struct text value;
    } headers[HTTP_RESPONSE_HEADERS_MAX];
    size_t header_count;
    struct text body;
    bool failed; /* a header did not fit or held control bytes: http_response_write refuses it, and
                    the client gets a plain 503 instead */
};

/* Status, no headers, no body. */
void http_response_start(struct http_response *response, int status);
/* Adds a header; name and value must outlive the response. CR, LF and other control bytes set
 * `failed`, as does one header too many. */
void http_response_header(struct http_response *response, const char *name, struct text value);
void http_response_header_c(struct http_response *response, const char *name, const char *value);
/* Cache-Control: no-store and Pragma: no-cache (RFC 6749 section 5.1). */
void http_response_no_store(struct http_response *response);

/* A Set-Cookie header: Path=/; HttpOnly; SameSite=Lax, Secure when `secure`; Max-Age and Expires
 * (FusionAuth's spelling: "Wed, 05-Aug-2020 13:53:05 GMT") when max_age_s >= 0. Name and value must
 * be cookie-octets (RFC 6265 section 4.1.1), else `failed`. */
void http_response_cookie(struct http_response *response, struct arena *arena, const char *name,
                          struct text value, int64_t max_age_s, int64_t now_ms, bool secure);

/* Appends "Status: 200 OK\r\n", headers, Content-Length, blank line and body. False when `failed`
 * or the head is over HTTP_RESPONSE_HEAD_MAX (then append nothing). */
bool http_response_write(const struct http_response *response, struct buffer *buffer);

/* RFC 9110 section 15 reason phrase. For tests. */
const char *http_reason(int status);

#endif
