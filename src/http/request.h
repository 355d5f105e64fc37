/* SPDX-License-Identifier: ISC */
/* request.h: an HTTP request as a value, the same whether it came over FastCGI or plain CGI. Made
 * from CGI/1.1 variables (RFC 3875) and a body. Knows no dialect. */
#ifndef RETOKEN_HTTP_REQUEST_H
#define RETOKEN_HTTP_REQUEST_H

#include "base/arena.h"
#include "base/text.h"

enum http_method {
    HTTP_GET,
    HTTP_HEAD,
    HTTP_POST,
    HTTP_PUT,
    HTTP_DELETE,
    HTTP_PATCH,
    HTTP_OPTIONS,
    HTTP_OTHER
};

enum http_body {
    HTTP_BODY_WHOLE,     /* complete, or none at all */
    HTTP_BODY_TOO_LARGE, /* over the limit, and dropped */
    HTTP_BODY_CUT_SHORT, /* not as many bytes as CONTENT_LENGTH says, or the stream broke */
    HTTP_BODY_NO_LENGTH  /* no CONTENT_LENGTH, where it alone marks the end (plain CGI) */
};

enum http_length {
    HTTP_LENGTH_ABSENT, /* or empty: nginx, for a request without a body */
    HTTP_LENGTH_GIVEN,
    HTTP_LENGTH_BAD /* repeated, or not decimal digits up to 2^31-1 */
};

struct http_header {
    struct text name; /* lower case with hyphens: "x-token" */
    struct text value;
};

enum { HTTP_HEADERS_MAX = 128 };

struct http_request {
    enum http_method method; /* exact, case-sensitive (RFC 9110 section 9.1) */
    struct text method_name; /* as sent */
    struct text script_name; /* as the web server split the path; router.c joins the two */
    struct text path_info;
    struct text uri;   /* as sent, with its query; nothing is found by it; empty = not told */
    struct text query; /* not decoded, without `?` */
    struct text content_type; /* with its parameters; empty when absent */
    struct text remote_address;
    struct text remote_user; /* whom the web server says it has checked; empty = no one */
    bool authorizes; /* the web server asks, as of a FastCGI authorizer, whether it may serve a page
                        of its own: the rest is of the request for that page */
    struct text check_path; /* … and which endpoint it asks (RETOKEN_CHECK); empty = the only one */
    struct text check_scope; /* what opens that page needs it (RETOKEN_CHECK_SCOPE) */
    struct text auth_type;   /* how: "Basic", "Negotiate"; empty = it does not say that it has */
    struct text client_certificate; /* PEM, of the TLS connection, where the web server tells it;
                                       never a header. Empty = none */
    struct text client_verified;    /* what it found about it: "SUCCESS" and others */
    bool https;
    enum http_length length_state; /* CONTENT_LENGTH */
    size_t length;                 /* when given */
    enum http_body body_state;
    struct text body;
    struct http_header *headers;
    size_t header_count;
    bool malformed; /* too many or oversized headers, or a repeated CGI variable that must be single
                     */
};

/* Fills *request from `NAME=value` strings (NULL-terminated list; FCGX envp or environ), without a
 * body. Texts point into the list. Sets `malformed` when a variable that must be single
 * (REQUEST_METHOD, SCRIPT_NAME, PATH_INFO, CONTENT_TYPE, CONTENT_LENGTH, HTTP_AUTHORIZATION,
 * REMOTE_USER, AUTH_TYPE, RETOKEN_CHECK, RETOKEN_CHECK_SCOPE, SSL_CLIENT_CERT, SSL_CLIENT_VERIFY)
 * is repeated, when there are more than HTTP_HEADERS_MAX headers, or when a header is larger than
 * 16 KiB. Ignores HTTP_PROXY, and names that are not in upper case. False when the arena is
 * exhausted.
 */
bool http_request_from_cgi(struct arena *arena, const char *const *variables,
                           struct http_request *request);

/* The method of that name; HTTP_OTHER: it has no meaning here. */
enum http_method http_method_of(struct text name);

enum http_find { HTTP_ABSENT, HTTP_ONE, HTTP_REPEATED };
/* The value of a header; `name` in lower case with hyphens. An empty value counts as absent. */
enum http_find http_header(const struct http_request *request, const char *name,
                           struct text *value);

/* The string that a structured field holds (RFC 9651 section 3.3.3), whatever its parameters, or
 * all of a value that is in no quotes. An escaped character is none that the strings of ours have.
 * False: it has no end, or something else follows. */
bool http_structured_string(struct text field, struct text *string);

/* Does the client have what this entity tag names already (If-None-Match, RFC 9110 section 13.1.2)?
 * `tag` is a strong one with its quotes, and has no comma. */
bool http_none_match(const struct http_request *request, struct text tag);

/* Is this the media type, whatever its parameters? Ignores case. */
bool http_media_is(struct text content_type, const char *type);
/* Is it application/json, or another JSON's: application/problem+json, application/x-amz-json-1.1?
 */
bool http_media_is_json(struct text content_type);
/* Does Accept name this media type? A range such as star/star names none. */
bool http_accepts(const struct http_request *request, const char *type);

/* The values of the cookies of this name, in the order sent and each once; not decoded, without
 * quotes round them. An empty one counts as absent. A browser sends two of one name when their
 * domains or paths differ (RFC 6265 section 5.4), and proxies split one header in several, which
 * Apache joins by ", ". Returns how many there are, at most `room`. */
size_t http_cookies(const struct http_request *request, const char *name, struct text *values,
                    size_t room);

/* The credentials in the Authorization header (RFC 9110 section 11.6.2), if it has this scheme;
 * HTTP_ABSENT if it has another. Ignores the case of the scheme. */
enum http_find http_authorization(const struct http_request *request, const char *scheme,
                                  struct text *credentials);

/* Basic credentials. RFC 6749 section 2.3.1 form-urlencodes user and password before they are
 * joined by `:` and put into base64, but many clients leave that out (curl -u), and nothing tells
 * which they did. `decoded` follows the RFC; `raw` is what was sent, where that is another pair. */
enum http_basic { HTTP_BASIC_ABSENT, HTTP_BASIC_OK, HTTP_BASIC_MALFORMED };
struct http_basic_pair {
    bool given;
    struct text user;
    struct text password;
};
/* HTTP_BASIC_OK: at least one of the two is given. HTTP_BASIC_MALFORMED: no base64, no `:`, control
 * bytes or invalid UTF-8. */
enum http_basic http_basic(struct arena *arena, const struct http_request *request,
                           struct http_basic_pair *decoded, struct http_basic_pair *raw);

#endif
