/* SPDX-License-Identifier: ISC */
/* response.c: headers and their CGI spelling. Knows what a header may contain; does not know what a
 * response says. */
#include "http/response.h"

#include <inttypes.h>
#include <time.h>

#include "base/clock.h"

static bool is_token(struct text t);
static bool is_cookie_value(struct text value);
static bool add_lifetime(struct buffer *buffer, int64_t max_age_s, int64_t now_ms);
static bool add_expires(struct buffer *buffer, int64_t at_s);

void http_response_start(struct http_response *response, int status)
{
    *response = (struct http_response){.status = status};
}

void http_response_header(struct http_response *response, const char *name, struct text value)
{
    if (response->header_count == HTTP_RESPONSE_HEADERS_MAX || !is_token(text_of(name)) ||
        text_has_control(value)) {
        response->failed = true;
        return;
    }
    response->headers[response->header_count++] =
        (struct http_response_header){text_of(name), value};
}

/* RFC 9110 section 5.6.2. */
static bool is_token(struct text t)
{
    for (size_t i = 0; i < t.size; i++) {
        switch (t.data[i]) {
        case '(':
        case ')':
        case '<':
        case '>':
        case '@':
        case ',':
        case ';':
        case ':':
        case '\\':
        case '"':
        case '/':
        case '[':
        case ']':
        case '?':
        case '=':
        case '{':
        case '}':
            return false;
        default:
            break;
        }
    }
    return text_is_visible_ascii(t);
}

void http_response_header_c(struct http_response *response, const char *name, const char *value)
{
    http_response_header(response, name, text_of(value));
}

void http_response_no_store(struct http_response *response)
{
    http_response_header_c(response, "Cache-Control", "no-store");
    http_response_header_c(response, "Pragma", "no-cache");
}

/* ---- cookies ---- */

void http_response_cookie(struct http_response *response, struct arena *arena,
                          const struct http_cookie *cookie)
{
    struct buffer buffer;
    struct text line;

    if (!is_token(cookie->name) || !is_cookie_value(cookie->value)) {
        response->failed = true;
        return;
    }
    buffer_start(&buffer, arena, cookie->value.size + 240);
    buffer_add(&buffer, cookie->name);
    buffer_add_char(&buffer, '=');
    buffer_add(&buffer, cookie->value);
    bool dated = add_lifetime(&buffer, cookie->max_age_s, cookie->now_ms);
    buffer_add_c(&buffer, "; ");
    http_cookie_attributes(cookie, &buffer);
    if (!dated || !buffer_finish(&buffer, &line)) {
        response->failed = true;
        return;
    }
    http_response_header(response, "Set-Cookie", line);
}

void http_cookie_attributes(const struct http_cookie *cookie, struct buffer *buffer)
{
    if (cookie->domain.size > 0) {
        buffer_add_c(buffer, "Domain=");
        buffer_add(buffer, cookie->domain);
        buffer_add_c(buffer, "; ");
    }
    buffer_add_c(buffer, "Path=");
    buffer_add(buffer, cookie->path.size > 0 ? cookie->path : TEXT("/"));
    buffer_add_c(buffer, "; HttpOnly; SameSite=");
    buffer_add_c(buffer, cookie->same_site);
    if (cookie->secure) {
        buffer_add_c(buffer, "; Secure");
    }
}

/* RFC 6265 section 4.1.1: no space, quote, comma, semicolon or backslash. */
static bool is_cookie_value(struct text value)
{
    for (size_t i = 0; i < value.size; i++) {
        char c = value.data[i];
        if (c == '"' || c == ',' || c == ';' || c == '\\') {
            return false;
        }
    }
    return value.size == 0 || text_is_visible_ascii(value);
}

/* A cookie that ends now gets 1970, so that a browser whose clock is slow drops it, too. */
static bool add_lifetime(struct buffer *buffer, int64_t max_age_s, int64_t now_ms)
{
    int64_t now_s = now_ms / CLOCK_SECOND;

    if (max_age_s < 0) {
        return true; /* ends with the browser session */
    }
    buffer_addf(buffer, "; Max-Age=%" PRId64, max_age_s);
    if (max_age_s == 0) {
        return add_expires(buffer, 0);
    }
    return max_age_s <= INT64_MAX - (now_s > 0 ? now_s : 0) &&
           add_expires(buffer, now_s + max_age_s);
}

/* "Wed, 05-Aug-2020 13:53:05 GMT": Netscape's date, which old clients and browsers read. Not by
 * strftime(), which takes the names from the locale. */
static bool add_expires(struct buffer *buffer, int64_t at_s)
{
    static const char days[7][4] = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
    static const char months[12][4] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                       "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
    time_t at = (time_t)at_s;
    struct tm tm;

    if (gmtime_r(&at, &tm) == NULL) {
        return false;
    }
    buffer_addf(buffer, "; Expires=%s, %02d-%s-%04d %02d:%02d:%02d GMT", days[tm.tm_wday],
                tm.tm_mday, months[tm.tm_mon], tm.tm_year + 1900, tm.tm_hour, tm.tm_min, tm.tm_sec);
    return true;
}

/* ---- CGI spelling ---- */

static void write_head(const struct http_response *response, struct buffer *buffer);
static void write_headers(const struct http_response *response, struct buffer *buffer);

bool http_response_write(const struct http_response *response, struct buffer *buffer)
{
    size_t from = buffer->size;

    if (response->failed) {
        return false;
    }
    write_head(response, buffer);
    if (buffer->size - from > HTTP_RESPONSE_HEAD_MAX) {
        buffer->size = from;
        return false;
    }
    buffer_add(buffer, response->body);
    return !buffer->failed;
}

static void write_head(const struct http_response *response, struct buffer *buffer)
{
    buffer_add_c(buffer, "Status: ");
    buffer_add_int(buffer, response->status);
    buffer_add_char(buffer, ' ');
    buffer_add_c(buffer, http_reason(response->status));
    buffer_add_c(buffer, "\r\nX-Content-Type-Options: nosniff\r\n");
    write_headers(response, buffer);
    if (response->status != 204 && response->status != 304) { /* RFC 9110 section 8.6 */
        buffer_add_c(buffer, "Content-Length: ");
        buffer_add_int(buffer, (int64_t)response->body.size);
        buffer_add_c(buffer, "\r\n");
    }
    buffer_add_c(buffer, "\r\n");
}

static void write_headers(const struct http_response *response, struct buffer *buffer)
{
    for (size_t i = 0; i < response->header_count; i++) {
        buffer_add(buffer, response->headers[i].name);
        buffer_add_c(buffer, ": ");
        buffer_add(buffer, response->headers[i].value);
        buffer_add_c(buffer, "\r\n");
    }
}

const char *http_reason(int status)
{
    static const struct {
        int status;
        const char *reason;
    } reasons[] = {
        {200, "OK"},
        {201, "Created"},
        {202, "Accepted"},
        {204, "No Content"},
        {301, "Moved Permanently"},
        {302, "Found"},
        {303, "See Other"},
        {304, "Not Modified"},
        {307, "Temporary Redirect"},
        {308, "Permanent Redirect"},
        {400, "Bad Request"},
        {401, "Unauthorized"},
        {403, "Forbidden"},
        {404, "Not Found"},
        {405, "Method Not Allowed"},
        {406, "Not Acceptable"},
        {408, "Request Timeout"},
        {409, "Conflict"},
        {410, "Gone"},
        {411, "Length Required"},
        {413, "Content Too Large"},
        {414, "URI Too Long"},
        {415, "Unsupported Media Type"},
        {421, "Misdirected Request"},
        {422, "Unprocessable Content"},
        {423, "Locked"},
        {429, "Too Many Requests"},
        {431, "Request Header Fields Too Large"},
        {500, "Internal Server Error"},
        {501, "Not Implemented"},
        {502, "Bad Gateway"},
        {503, "Service Unavailable"},
        {504, "Gateway Timeout"},
    };
    for (size_t i = 0; i < sizeof reasons / sizeof reasons[0]; i++) {
        if (reasons[i].status == status) {
            return reasons[i].reason;
        }
    }
    return "Unknown";
}
