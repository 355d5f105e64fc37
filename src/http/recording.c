/* SPDX-License-Identifier: ISC */
/* recording.c: see recording.h. */
#include "http/recording.h"

#include <ctype.h>

#include "base/buffer.h"

static bool take_first_line(struct arena *arena, struct text line, struct http_recording *recording,
                            struct fault *fault);
static bool take_headers(struct arena *arena, struct text *rest, struct http_recording *recording,
                         struct fault *fault);
static bool take_body(struct arena *arena, struct text rest, struct http_recording *recording,
                      struct fault *fault);
static bool join_chunks(struct arena *arena, struct text rest, struct text *body);

/* Cuts a line off, without its line break. */
static struct text next_line(struct text *rest)
{
    struct text line = text_split(rest, '\n');

    return text_ends(line, TEXT("\r")) ? text_cut(line, line.size - 1) : line;
}

bool http_recording_read(struct arena *arena, struct text bytes, struct http_recording *recording,
                         struct fault *fault)
{
    struct text rest = bytes;

    if (bytes.size > HTTP_RECORDING_MAX) {
        fault_set(fault, "larger than %d KiB", HTTP_RECORDING_MAX / 1024);
        return false;
    }
    do {
        if (!take_first_line(arena, next_line(&rest), recording, fault) ||
            !take_headers(arena, &rest, recording, fault)) {
            return false;
        }
    } while (recording->status >= 100 && recording->status < 200);
    return take_body(arena, rest, recording, fault);
}

/* "POST /token HTTP/1.1", "HTTP/1.1 200 OK" */
static bool take_first_line(struct arena *arena, struct text line, struct http_recording *recording,
                            struct fault *fault)
{
    struct text rest = line;
    struct text first = text_word(&rest);
    struct text second = text_word(&rest);
    struct text third = text_word(&rest);
    uint64_t status = 0;

    if (text_starts(first, TEXT("HTTP/")) && text_to_u64(second, 599, &status)) {
        return http_recording_answer(arena, (int64_t)status, recording, fault);
    } else if (first.size > 0 && second.size > 0 &&
               (third.size == 0 || text_starts(third, TEXT("HTTP/")))) {
        return http_recording_request(arena, first, second, recording, fault);
    }
    fault_set(fault, "begins with neither a request nor an answer; write \"POST /path HTTP/1.1\" "
                     "or \"HTTP/1.1 200 OK\", then headers, a blank line and the body");
    return false;
}

static bool start(struct arena *arena, struct http_recording *recording, struct fault *fault)
{
    *recording =
        (struct http_recording){.is = {.method = HTTP_OTHER, .body_state = HTTP_BODY_WHOLE}};
    recording->is.headers = arena_alloc(arena, HTTP_HEADERS_MAX * sizeof *recording->is.headers);
    if (recording->is.headers == NULL) {
        fault_set(fault, "out of memory");
    }
    return recording->is.headers != NULL;
}

bool http_recording_answer(struct arena *arena, int64_t status, struct http_recording *recording,
                           struct fault *fault)
{
    if (status < 100 || status > 599) {
        fault_set(fault, "an answer without a status from 100 to 599");
        return false;
    }
    if (!start(arena, recording, fault)) {
        return false;
    }
    recording->status = (int)status;
    return true;
}

bool http_recording_request(struct arena *arena, struct text method, struct text target,
                            struct http_recording *recording, struct fault *fault)
{
    struct text scheme = TEXT("://");
    size_t colon;

    target = text_cut(target, text_find(target, '#'));
    colon = text_find(target, ':');
    if (!start(arena, recording, fault)) {
        return false;
    } else if (!text_is_visible_ascii(method) || !text_is_visible_ascii(target)) {
        fault_set(fault, "a request without a method and a path");
        return false;
    }
    recording->is.method_name = method;
    recording->is.method = http_method_of(method);
    if (text_starts(text_from(target, colon), scheme)) {
        struct text behind = text_from(target, colon + scheme.size);
        size_t end = text_find(behind, '/'), query = text_find(behind, '?');

        end = query < end ? query : end;
        recording->authority = text_cut(behind, end);
        while (text_find(recording->authority, '@') < recording->authority.size) {
            (void)text_split(&recording->authority, '@'); /* a user's name and password */
        }
        target = end < behind.size ? text_from(behind, end) : TEXT("/");
    }
    recording->is.uri = target;
    recording->path = text_split(&target, '?');
    recording->path = recording->path.size > 0 ? recording->path : TEXT("/");
    recording->is.script_name = recording->path;
    recording->is.query = target;
    return true;
}

/* Up to the blank line. */
static bool take_headers(struct arena *arena, struct text *rest, struct http_recording *recording,
                         struct fault *fault)
{
    struct text line;

    while ((line = next_line(rest)).size > 0) {
        struct text value = line;
        struct text name = text_split(&value, ':');

        if (name.size == line.size) {
            fault_set(fault, "a line before the body is no header; write NAME: VALUE, and a blank "
                             "line before the body");
            return false;
        } else if (!http_recording_header(arena, name, text_trim(value), recording, fault)) {
            return false;
        }
    }
    return true;
}

/* Those of HTTP/2 that begin with a colon are no headers. */
bool http_recording_header(struct arena *arena, struct text name, struct text value,
                           struct http_recording *recording, struct fault *fault)
{
    struct http_request *request = &recording->is;
    char *kept = arena_c_string(arena, name);

    if (name.size == 0 || name.data[0] == ':') {
        return true;
    } else if (kept == NULL) {
        fault_set(fault, "out of memory");
        return false;
    } else if (request->header_count == HTTP_HEADERS_MAX) {
        fault_set(fault, "more than %d headers", HTTP_HEADERS_MAX);
        return false;
    } else if (!text_is_visible_ascii(name) || text_has_control(value)) {
        fault_set(fault, "a header with control characters, or with spaces in its name");
        return false;
    }
    for (char *c = kept; *c != '\0'; c++) {
        *c = (char)tolower((unsigned char)*c);
    }
    request->headers[request->header_count++] = (struct http_header){{kept, name.size}, value};
    if (text_is(TEXT("content-type"), kept) && request->content_type.size == 0 &&
        text_is_printable(value)) {
        request->content_type = value;
    }
    return true;
}

static bool take_body(struct arena *arena, struct text rest, struct http_recording *recording,
                      struct fault *fault)
{
    struct http_request *request = &recording->is;
    struct text value = {0};
    uint64_t length = 0;

    if (http_header(request, "transfer-encoding", &value) == HTTP_ONE &&
        text_equal_ignore_case(value, TEXT("chunked")) &&
        join_chunks(arena, rest, &request->body)) {
        /* as it was sent; most programs write it down without its chunks */
    } else if (http_header(request, "content-length", &value) == HTTP_ONE &&
               text_to_u64(value, rest.size, &length) &&
               text_strip(text_from(rest, (size_t)length)).size == 0) {
        request->body = text_cut(rest, (size_t)length);
    } else {
        rest.size -= text_ends(rest, TEXT("\n"));
        rest.size -= text_ends(rest, TEXT("\r"));
        request->body = rest;
    }
    if (!text_is_utf8(request->body) || text_find(request->body, '\0') < request->body.size) {
        fault_set(fault, "its body is not UTF-8; where it is compressed, record it as it reads "
                         "(curl --compressed)");
        return false;
    }
    return true;
}

static int digit_of(char c)
{
    return c >= '0' && c <= '9'   ? c - '0'
           : c >= 'a' && c <= 'f' ? c - 'a' + 10
           : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                  : -1;
}

/* RFC 9112 section 7.1. False: it is not in chunks. */
static bool join_chunks(struct arena *arena, struct text rest, struct text *body)
{
    struct buffer buffer;

    buffer_start(&buffer, arena, rest.size);
    for (;;) {
        struct text line = next_line(&rest);
        size_t size = 0, digits = 0;

        while (digits < line.size && digits < 6 && digit_of(line.data[digits]) >= 0) {
            size = 16 * size + (size_t)digit_of(line.data[digits++]);
        }
        if (digits == 0 || (digits < line.size && line.data[digits] != ';') || size > rest.size) {
            return false;
        } else if (size == 0) {
            return buffer_finish(&buffer, body);
        }
        buffer_add(&buffer, text_cut(rest, size));
        rest = text_from(rest, size);
        if (next_line(&rest).size > 0) {
            return false;
        }
    }
}

bool http_recording_cookie(const struct http_header *header, struct http_set_cookie *cookie)
{
    struct text rest = header->value;
    struct text value = text_split(&rest, ';');

    *cookie = (struct http_set_cookie){.attributes = rest};
    cookie->name = text_trim(text_split(&value, '='));
    cookie->value = text_trim(value);
    cookie->plain =
        text_starts(cookie->name, TEXT("__Host-")) ? text_from(cookie->name, 7) : cookie->name;
    cookie->clears = cookie->value.size == 0;
    while (rest.size > 0) {
        struct text end = text_trim(text_split(&rest, ';'));
        struct text attribute = text_split(&end, '=');
        bool age = text_equal_ignore_case(attribute, TEXT("max-age"));
        bool date = text_equal_ignore_case(attribute, TEXT("expires")) && end.size > 0;

        cookie->clears = cookie->clears ||
                         (age && (text_is(end, "0") || text_starts(end, TEXT("-")))) ||
                         (date && memmem(end.data, end.size, "1970", 4) != NULL);
    }
    return text_is(header->name, "set-cookie");
}
