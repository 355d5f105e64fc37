/* SPDX-License-Identifier: ISC */
/* request.c: from CGI/1.1 variables to a request; and the small grammars of headers: media type,
 * cookie, Authorization. Knows the names that all servers agree on; does not know mounts, dialects
 * or clients. */
#include "http/request.h"

#include <string.h>

#include "base/codec.h"
#include "base/form.h"

enum { HEADER_SIZE_MAX = 16 * 1024 };

/* ---- variables ---- */

/* The variables with a meaning here. */
enum variable {
    /* nginx passes a repeated header as two variables, and lighttpd two headers that differ only in
     * `-` and `_`. A reader of the first and a reader of the last would see different requests. So
     * repeating one of these makes the request malformed. */
    VARIABLE_REQUEST_METHOD,
    VARIABLE_SCRIPT_NAME,
    VARIABLE_PATH_INFO,
    VARIABLE_CONTENT_TYPE,
    VARIABLE_CONTENT_LENGTH,
    VARIABLE_AUTHORIZATION,
    VARIABLE_REMOTE_USER,
    VARIABLE_AUTH_TYPE,
    VARIABLE_CHECK,
    VARIABLE_CHECK_SCOPE,
    VARIABLE_CLIENT_CERTIFICATE,
    VARIABLE_CLIENT_VERIFIED,
    SINGLES,
    /* of these, the first counts */
    VARIABLE_QUERY_STRING = SINGLES,
    VARIABLE_REQUEST_URI,
    VARIABLE_REMOTE_ADDR,
    VARIABLE_HTTPS,
    VARIABLES,
    VARIABLE_OTHER = VARIABLES
};

#define NAME(literal) .data = literal, .size = sizeof literal - 1
static const struct text variable_names[VARIABLES] = {
    [VARIABLE_REQUEST_METHOD] = {NAME("REQUEST_METHOD")},
    [VARIABLE_SCRIPT_NAME] = {NAME("SCRIPT_NAME")},
    [VARIABLE_PATH_INFO] = {NAME("PATH_INFO")},
    [VARIABLE_CONTENT_TYPE] = {NAME("CONTENT_TYPE")},
    [VARIABLE_CONTENT_LENGTH] = {NAME("CONTENT_LENGTH")},
    [VARIABLE_AUTHORIZATION] = {NAME("HTTP_AUTHORIZATION")},
    [VARIABLE_REMOTE_USER] = {NAME("REMOTE_USER")},
    [VARIABLE_AUTH_TYPE] = {NAME("AUTH_TYPE")},
    [VARIABLE_CHECK] = {NAME("RETOKEN_CHECK")},
    [VARIABLE_CHECK_SCOPE] = {NAME("RETOKEN_CHECK_SCOPE")},
    [VARIABLE_CLIENT_CERTIFICATE] = {NAME("SSL_CLIENT_CERT")},
    [VARIABLE_CLIENT_VERIFIED] = {NAME("SSL_CLIENT_VERIFY")},
    [VARIABLE_QUERY_STRING] = {NAME("QUERY_STRING")},
    [VARIABLE_REQUEST_URI] = {NAME("REQUEST_URI")},
    [VARIABLE_REMOTE_ADDR] = {NAME("REMOTE_ADDR")},
    [VARIABLE_HTTPS] = {NAME("HTTPS")},
};
#undef NAME

static enum variable variable_of(struct text name);
static void add_variable(struct http_request *request, enum variable variable, struct text value,
                         bool repeated);
static void take(struct text *field, struct text value);
static void take_length(struct http_request *request, struct text value, bool repeated);
static bool is_header(struct text name);
static bool add_header(struct arena *arena, struct http_request *request, struct text variable,
                       struct text value);
static bool header_name(struct arena *arena, struct text variable, struct text *name);
static size_t count_variables(const char *const *variables);

bool http_request_from_cgi(struct arena *arena, const char *const *variables,
                           struct http_request *request)
{
    struct http_request result = {.method = HTTP_OTHER, .body_state = HTTP_BODY_WHOLE};
    bool seen[SINGLES] = {false};

    result.headers = arena_alloc(arena, count_variables(variables) * sizeof *result.headers);
    if (result.headers == NULL) {
        return false;
    }
    for (; *variables != NULL; variables++) {
        struct text value = text_of(*variables);
        struct text name = text_split(&value, '=');
        enum variable variable = variable_of(name);
        bool repeated = variable < SINGLES && seen[variable];

        if (variable < SINGLES) {
            result.malformed = result.malformed || repeated;
            seen[variable] = true;
        }
        if (!is_header(name)) {
            add_variable(&result, variable, value, repeated);
        } else if (!add_header(arena, &result, name, value)) {
            return false;
        }
    }
    *request = result;
    return true;
}

static enum variable variable_of(struct text name)
{
    enum variable variable = 0;

    while (variable < VARIABLES && !text_equal(name, variable_names[variable])) {
        variable++;
    }
    return variable;
}

static void add_variable(struct http_request *request, enum variable variable, struct text value,
                         bool repeated)
{
    switch (variable) {
    case VARIABLE_REQUEST_METHOD:
        take(&request->method_name, value);
        request->method = http_method_of(request->method_name);
        break;
    case VARIABLE_SCRIPT_NAME:
        take(&request->script_name, value);
        break;
    case VARIABLE_PATH_INFO:
        take(&request->path_info, value);
        break;
    case VARIABLE_QUERY_STRING:
        take(&request->query, value);
        break;
    case VARIABLE_CONTENT_TYPE:
        take(&request->content_type, value);
        break;
    case VARIABLE_REMOTE_ADDR:
        take(&request->remote_address, value);
        break;
    case VARIABLE_REMOTE_USER:
        take(&request->remote_user, value);
        break;
    case VARIABLE_AUTH_TYPE:
        take(&request->auth_type, value);
        break;
    case VARIABLE_REQUEST_URI:
        take(&request->uri, value);
        break;
    case VARIABLE_CHECK:
        take(&request->check_path, value);
        break;
    case VARIABLE_CHECK_SCOPE:
        take(&request->check_scope, value);
        break;
    case VARIABLE_CLIENT_CERTIFICATE:
        take(&request->client_certificate, value);
        break;
    case VARIABLE_CLIENT_VERIFIED:
        take(&request->client_verified, value);
        break;
    case VARIABLE_HTTPS:
        request->https = text_equal_ignore_case(value, TEXT("on")) || text_is(value, "1");
        break;
    case VARIABLE_CONTENT_LENGTH:
        take_length(request, value, repeated);
        break;
    case VARIABLE_AUTHORIZATION: /* a header */
    case VARIABLE_OTHER:
        break;
    }
}

enum http_method http_method_of(struct text name)
{
    static const struct {
        const char *name;
        enum http_method method;
    } methods[] = {
        {"GET", HTTP_GET},         {"HEAD", HTTP_HEAD},     {"POST", HTTP_POST},
        {"PUT", HTTP_PUT},         {"DELETE", HTTP_DELETE}, {"PATCH", HTTP_PATCH},
        {"OPTIONS", HTTP_OPTIONS},
    };
    for (size_t i = 0; i < sizeof methods / sizeof methods[0]; i++) {
        if (text_is(name, methods[i].name)) {
            return methods[i].method;
        }
    }
    return HTTP_OTHER;
}

static void take(struct text *field, struct text value)
{
    if (field->data == NULL) {
        *field = value;
    }
}

/* Two lengths, even equal ones, are two requests to some server on the way. */
static void take_length(struct http_request *request, struct text value, bool repeated)
{
    uint64_t number = 0;

    if (repeated) {
        request->length_state = HTTP_LENGTH_BAD;
        request->length = 0;
    } else if (value.size > 0) {
        bool good = text_to_u64(value, INT32_MAX, &number);
        request->length_state = good ? HTTP_LENGTH_GIVEN : HTTP_LENGTH_BAD;
        request->length = (size_t)number;
    }
}

/* A web server writes a header's name in upper case (RFC 3875, 4.1.18), so any other spelling would
 * be a second name for the same header. HTTP_PROXY is left out: libraries take it for the address
 * of a proxy, and any client can send it as a `Proxy` header (CVE-2016-1000104). */
static bool is_header(struct text name)
{
    if (name.size <= strlen("HTTP_") || !text_starts(name, TEXT("HTTP_")) ||
        text_is(name, "HTTP_PROXY")) {
        return false;
    }
    for (size_t i = 0; i < name.size; i++) {
        if (name.data[i] >= 'a' && name.data[i] <= 'z') {
            return false;
        }
    }
    return true;
}

/* False when the arena is exhausted. Leaves out a header that is too much, and remembers that. */
static bool add_header(struct arena *arena, struct http_request *request, struct text variable,
                       struct text value)
{
    if (request->header_count == HTTP_HEADERS_MAX || value.size > HEADER_SIZE_MAX ||
        variable.size > HEADER_SIZE_MAX) {
        request->malformed = true;
        return true;
    }
    struct http_header *header = &request->headers[request->header_count];
    if (!header_name(arena, variable, &header->name)) {
        return false;
    }
    header->value = value;
    request->header_count++;
    return true;
}

/* "HTTP_X_TOKEN" -> "x-token" */
static bool header_name(struct arena *arena, struct text variable, struct text *name)
{
    struct text upper = text_from(variable, strlen("HTTP_"));
    char *lower = arena_alloc(arena, upper.size);

    if (lower == NULL) {
        return false;
    }
    for (size_t i = 0; i < upper.size; i++) {
        char c = upper.data[i];
        if (c == '_') {
            c = '-';
        } else if (c >= 'A' && c <= 'Z') {
            c = (char)(c - 'A' + 'a');
        }
        lower[i] = c;
    }
    *name = (struct text){lower, upper.size};
    return true;
}

/* At least as many as there will be headers. */
static size_t count_variables(const char *const *variables)
{
    size_t count = 0;

    while (count < HTTP_HEADERS_MAX && variables[count] != NULL) {
        count++;
    }
    return count;
}

/* ---- headers ---- */

enum http_find http_header(const struct http_request *request, const char *name, struct text *value)
{
    enum http_find found = HTTP_ABSENT;

    for (size_t i = 0; i < request->header_count; i++) {
        const struct http_header *header = &request->headers[i];
        if (header->value.size == 0 || !text_is(header->name, name)) {
            continue;
        }
        if (found != HTTP_ABSENT) {
            return HTTP_REPEATED;
        }
        *value = header->value;
        found = HTTP_ONE;
    }
    return found;
}

/* ---- media type ---- */

/* Compared weakly: a proxy that compresses marks the tag as weak. */
bool http_structured_string(struct text field, struct text *string)
{
    size_t end;

    *string = text_trim(field);
    if (!text_starts(*string, TEXT("\""))) {
        return string->size > 0;
    }
    *string = text_from(*string, 1);
    end = text_find(*string, '"');
    if (end == string->size) {
        return false;
    }
    field = text_trim(text_from(*string, end + 1));
    *string = text_cut(*string, end);
    return field.size == 0 || field.data[0] == ';';
}

bool http_none_match(const struct http_request *request, struct text tag)
{
    struct text list;

    if (http_header(request, "if-none-match", &list) != HTTP_ONE) {
        return false;
    } else if (text_is(text_trim(list), "*")) {
        return true;
    }
    while (list.size > 0) {
        struct text one = text_trim(text_split(&list, ','));

        if (text_equal(text_starts(one, TEXT("W/")) ? text_from(one, 2) : one, tag)) {
            return true;
        }
    }
    return false;
}

bool http_media_is(struct text content_type, const char *type)
{
    struct text media = text_trim(text_split(&content_type, ';'));

    return text_equal_ignore_case(media, text_of(type));
}

bool http_media_is_json(struct text content_type)
{
    struct text rest = text_trim(text_cut(content_type, text_find(content_type, ';')));
    bool application = text_equal_ignore_case(text_split(&rest, '/'), TEXT("application"));

    while (rest.size > 0) {
        size_t size = 0;

        while (size < rest.size && strchr("+-.", rest.data[size]) == NULL) {
            size++;
        }
        if (text_equal_ignore_case(text_cut(rest, size), TEXT("json"))) {
            return application;
        }
        rest = text_from(rest, size + 1);
    }
    return false;
}

bool http_accepts(const struct http_request *request, const char *type)
{
    struct text accepted = {0};
    bool named = false;

    if (http_header(request, "accept", &accepted) != HTTP_ONE) {
        return false;
    }
    while (accepted.size > 0 && !named) {
        named = http_media_is(text_split(&accepted, ','), type);
    }
    return named;
}

/* ---- cookies ---- */

static size_t add_cookies(struct text header, const char *name, struct text *values, size_t room,
                          size_t count);
static struct text next_pair(struct text *rest);
static struct text unquoted(struct text value);
static bool is_among(const struct text *values, size_t count, struct text value);

size_t http_cookies(const struct http_request *request, const char *name, struct text *values,
                    size_t room)
{
    size_t count = 0;

    for (size_t i = 0; i < request->header_count; i++) {
        if (text_is(request->headers[i].name, "cookie")) {
            count = add_cookies(request->headers[i].value, name, values, room, count);
        }
    }
    return count;
}

/* Those of one Cookie header, behind the `count` values that there are. Returns how many then. */
static size_t add_cookies(struct text header, const char *name, struct text *values, size_t room,
                          size_t count)
{
    while (header.size > 0 && count < room) {
        struct text value = next_pair(&header);
        struct text its_name = text_trim(text_split(&value, '='));

        value = unquoted(text_trim(value));
        if (value.size > 0 && text_is(its_name, name) && !is_among(values, count, value)) {
            values[count++] = value;
        }
    }
    return count;
}

/* Cuts off the next pair, at `;` or at ", ", which no cookie's value has in it. */
static struct text next_pair(struct text *rest)
{
    size_t i = 0;

    while (i < rest->size && rest->data[i] != ';' &&
           !(rest->data[i] == ',' && i + 1 < rest->size && rest->data[i + 1] == ' ')) {
        i++;
    }
    struct text pair = text_cut(*rest, i);
    *rest = text_from(*rest, i + 1);
    return pair;
}

static struct text unquoted(struct text value)
{
    if (value.size >= 2 && text_starts(value, TEXT("\"")) && text_ends(value, TEXT("\""))) {
        value = text_cut(text_from(value, 1), value.size - 2);
    }
    return value;
}

static bool is_among(const struct text *values, size_t count, struct text value)
{
    for (size_t i = 0; i < count; i++) {
        if (text_equal(values[i], value)) {
            return true;
        }
    }
    return false;
}

/* ---- Authorization ---- */

static bool is_text(struct text t);
static bool decode_base64(struct arena *arena, struct text encoded, struct text *decoded);

enum http_find http_authorization(const struct http_request *request, const char *scheme,
                                  struct text *credentials)
{
    struct text value;
    enum http_find found = http_header(request, "authorization", &value);

    if (found != HTTP_ONE) {
        return found;
    }
    value = text_trim(value);
    struct text given = text_split(&value, ' ');
    value = text_trim(value);
    if (!text_equal_ignore_case(given, text_of(scheme)) || value.size == 0) {
        return HTTP_ABSENT;
    }
    *credentials = value;
    return HTTP_ONE;
}

enum http_basic http_basic(struct arena *arena, const struct http_request *request,
                           struct http_basic_pair *decoded, struct http_basic_pair *raw)
{
    struct text credentials;
    struct text pair;

    memset(decoded, 0, sizeof *decoded);
    memset(raw, 0, sizeof *raw);
    switch (http_authorization(request, "Basic", &credentials)) {
    case HTTP_ABSENT:
        return HTTP_BASIC_ABSENT;
    case HTTP_REPEATED:
        return HTTP_BASIC_MALFORMED;
    case HTTP_ONE:
        break;
    }
    if (!decode_base64(arena, credentials, &pair) || text_find(pair, ':') == pair.size) {
        return HTTP_BASIC_MALFORMED;
    }
    raw->user = text_split(&pair, ':');
    raw->password = pair;
    decoded->given = form_decode(arena, raw->user, &decoded->user) &&
                     form_decode(arena, raw->password, &decoded->password);
    raw->given = is_text(raw->user) && is_text(raw->password) &&
                 !(decoded->given && text_equal(raw->user, decoded->user) &&
                   text_equal(raw->password, decoded->password));
    return decoded->given || raw->given ? HTTP_BASIC_OK : HTTP_BASIC_MALFORMED;
}

static bool is_text(struct text t)
{
    return !text_has_control(t) && text_is_utf8(t);
}

static bool decode_base64(struct arena *arena, struct text encoded, struct text *decoded)
{
    char *out = arena_alloc(arena, encoded.size);
    size_t size;

    if (out == NULL || !codec_base64_decode(encoded, out, encoded.size, &size)) {
        return false;
    }
    *decoded = (struct text){out, size};
    return true;
}
