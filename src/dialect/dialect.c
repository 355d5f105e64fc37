/* SPDX-License-Identifier: ISC */
/* dialect.c: what every endpoint asks of a request before its own decode
 * runs, and how a table of words becomes a response. Knows the order of those questions; does not
 * know any dialect's parameters or words. */
#include "dialect/dialect.h"

#include <inttypes.h>
#include <stdio.h>

#include "base/codec.h"
#include "dialect/answer.h"
#include "dialect/browser.h"
#include "dialect/described.h"
#include "token/refresh_token.h"

static bool method_is_taken(const struct request *request);
static bool take_remote_user(struct request *request, enum outcome *refusal);
static bool body_is_whole(const struct http_request *http, enum outcome *refusal);
static bool parse_body(struct request *request, enum outcome *refusal);
static bool body_is_plain(const struct http_request *http);
static unsigned body_kind(const struct endpoint *endpoint, struct text content_type);
static bool is_json(const struct endpoint *endpoint, struct text content_type);
static bool parse_form(struct arena *arena, struct text encoded, struct form *form,
                       enum outcome *refusal);
static void word(struct request *request, enum outcome outcome);
static const struct wording *find_words(const struct request *request, enum outcome outcome);
static struct text quoted_body(struct request *request, const struct wording *words);
static struct text composed_body(struct request *request, const struct wording *words,
                                 enum outcome outcome);
static void date_refusal(struct request *request, bool tells_id);
static void add_retry_after(struct request *request);
static void add_allow(struct request *request);

const struct endpoint *dialect_endpoint(const struct dialect *dialect, struct text name)
{
    for (size_t i = 0; i < dialect->endpoint_count; i++) {
        if (text_is(name, dialect->endpoints[i].name)) {
            return &dialect->endpoints[i];
        }
    }
    return NULL;
}

const struct endpoint *dialect_endpoint_at(const struct dialect *dialect, struct text path)
{
    for (size_t i = 0; i < dialect->endpoint_count; i++) {
        if (text_is(path, dialect->endpoints[i].path)) {
            return &dialect->endpoints[i];
        }
    }
    return NULL;
}

/* ---- reading ---- */

bool dialect_decode(struct request *request, enum outcome *refusal)
{
    const struct endpoint *endpoint = request->mount->endpoint;
    const struct http_request *http = &request->http->request;

    request->operation = endpoint->operation;
    browser_look(request);
    if (http->malformed) {
        *refusal = OUTCOME_MALFORMED;
        return false;
    } else if (browser_is_preflight(request)) {
        request->operation = &operation_preflight;
        return true;
    } else if (!http->authorizes && !method_is_taken(request)) {
        *refusal = OUTCOME_METHOD_NOT_ALLOWED;
        return false;
    } else if (request->page == PAGE_FOREIGN) {
        *refusal = OUTCOME_PAGE_FOREIGN;
        return false;
    } else if (endpoint->body != ENDPOINT_BODY_IGNORED &&
               (!body_is_whole(http, refusal) || !parse_body(request, refusal) ||
                !parse_form(request->arena, http->query, &request->query, refusal))) {
        return false;
    }
    if (endpoint->needs_remote_user && !take_remote_user(request, refusal)) {
        return false;
    }
    if (request->realm->client_certificates) {
        request->possession.pem = http->client_certificate;
        request->possession.verified = text_is(http->client_verified, "SUCCESS");
    }
    request->client.bound = endpoint->client_bound;
    if (endpoint->decode != NULL && !endpoint->decode(request, refusal)) {
        return false;
    }
    *refusal = OUTCOME_PAGE_FOREIGN;
    return request->page != PAGE_OF_CLIENT || request->operation->finds_client ||
           request->operation->names_client;
}

/* RFC 3875, 4.1.11: REMOTE_USER is a user only beside the AUTH_TYPE by which it was checked. */
static bool take_remote_user(struct request *request, enum outcome *refusal)
{
    const struct http_request *http = &request->http->request;

    request->remote_user = http->remote_user;
    *refusal =
        http->remote_user.size == 0 ? OUTCOME_REMOTE_USER_ABSENT : OUTCOME_REMOTE_USER_UNCHECKED;
    if (http->remote_user.size > 0 && http->auth_type.size > 0) {
        return true;
    }
    fault_set(&request->fault, "%s", outcome_meaning(*refusal)); /* what the operator lacks */
    return false;
}

static unsigned methods_of(const struct request *request)
{
    const struct endpoint *endpoint = request->mount->endpoint;
    bool deployed = request->realm->behaviour == BEHAVIOUR_DEPLOYED;
    struct text session;

    if (endpoint->methods_below != 0 && dialect_session_in_path(request, &session)) {
        return endpoint->methods_below;
    }
    return endpoint->methods | (deployed ? endpoint->deployed_methods : 0);
}

static bool method_is_taken(const struct request *request)
{
    const struct http_request *http = &request->http->request;

    return (methods_of(request) & ENDPOINT_METHOD(http->method)) != 0 ||
           (request->mount->endpoint->method_any_case &&
            text_equal_ignore_case(http->method_name, TEXT("POST")));
}

/* A POST without length and without media type announces no body: a cookie is enough for some
 * dialects, and `curl -X POST` sends neither header. */
static bool body_is_whole(const struct http_request *http, enum outcome *refusal)
{
    switch (http->body_state) {
    case HTTP_BODY_WHOLE:
        return true;
    case HTTP_BODY_TOO_LARGE:
        *refusal = OUTCOME_BODY_TOO_LARGE;
        return false;
    case HTTP_BODY_CUT_SHORT:
        *refusal = OUTCOME_BODY_INCOMPLETE;
        return false;
    case HTTP_BODY_NO_LENGTH:
        *refusal = OUTCOME_LENGTH_REQUIRED;
        return http->body.size == 0 && http->content_type.size == 0;
    }
    *refusal = OUTCOME_FAULT;
    return false;
}

/* A body of white space is none, and a byte order mark, which editors and PowerShell write, is not
 * part of it. */
static bool parse_body(struct request *request, enum outcome *refusal)
{
    const struct endpoint *endpoint = request->mount->endpoint;
    const struct http_request *http = &request->http->request;
    const struct text mark = TEXT("\xef\xbb\xbf");
    struct text body =
        text_starts(http->body, mark) ? text_from(http->body, mark.size) : http->body;

    body = text_strip(body);
    if (body.size == 0) {
        return true;
    } else if (!body_is_plain(http)) {
        *refusal = OUTCOME_UNSUPPORTED_CODING;
        return false;
    }
    switch (body_kind(endpoint, http->content_type)) {
    case ENDPOINT_BODY_FORM:
        return parse_form(request->arena, body, &request->form, refusal);
    case ENDPOINT_BODY_JSON:
        request->json = json_in_object(request->arena, body, NULL);
        *refusal = OUTCOME_MALFORMED;
        return request->json != NULL;
    default:
        *refusal = OUTCOME_UNSUPPORTED_MEDIA;
        return false;
    }
}

/* RFC 9110 section 8.4: a coded body cannot be read, whatever its type says. */
static bool body_is_plain(const struct http_request *http)
{
    struct text coding;

    switch (http_header(http, "content-encoding", &coding)) {
    case HTTP_ABSENT:
        return true;
    case HTTP_ONE:
        return text_equal_ignore_case(text_trim(coding), TEXT("identity"));
    case HTTP_REPEATED:
        break;
    }
    return false;
}

/* Which of the endpoint's kinds this body is; ENDPOINT_BODY_IGNORED when it is none of them.
 * Neither type has a charset parameter (RFC 8259 section 11; WHATWG URL section 5), so one that is
 * sent means nothing: the bytes are judged. Where there are cookies the body must name its type,
 * because any page can make a browser send one without. */
static unsigned body_kind(const struct endpoint *endpoint, struct text content_type)
{
    if (content_type.size == 0 && endpoint->cookies) {
        return ENDPOINT_BODY_IGNORED;
    } else if (content_type.size == 0) {
        return (endpoint->body & ENDPOINT_BODY_FORM) != 0 ? ENDPOINT_BODY_FORM : ENDPOINT_BODY_JSON;
    } else if (http_media_is(content_type, "application/x-www-form-urlencoded")) {
        return endpoint->body & ENDPOINT_BODY_FORM;
    } else if (is_json(endpoint, content_type)) {
        return endpoint->body & ENDPOINT_BODY_JSON;
    }
    return ENDPOINT_BODY_IGNORED;
}

static bool is_json(const struct endpoint *endpoint, struct text content_type)
{
    const char *const *types = endpoint->json_types;

    while (types != NULL && *types != NULL && !http_media_is(content_type, *types)) {
        types++;
    }
    return http_media_is(content_type, "application/json") || (types != NULL && *types != NULL);
}

static bool parse_form(struct arena *arena, struct text encoded, struct form *form,
                       enum outcome *refusal)
{
    switch (form_parse(arena, encoded, form)) {
    case FORM_OK:
        return true;
    case FORM_MALFORMED:
        *refusal = OUTCOME_MALFORMED;
        return false;
    case FORM_NO_MEMORY:
        break;
    }
    *refusal = OUTCOME_FAULT;
    return false;
}

bool dialect_parameter(enum form_find found, enum outcome *refusal)
{
    switch (found) {
    case FORM_ABSENT:
    case FORM_ONE:
        return true;
    case FORM_REPEATED:
        *refusal = OUTCOME_PARAMETER_REPEATED;
        return false;
    case FORM_BAD:
        break;
    }
    *refusal = OUTCOME_MALFORMED;
    return false;
}

bool dialect_url_path(const struct request *request, struct text *path)
{
    const struct http_request *http = &request->http->request;
    struct buffer joined;

    if (http->authorizes) { /* of the page, which has no split path here */
        *path = text_cut(http->uri, text_find(http->uri, '?'));
        return true;
    }
    buffer_start(&joined, request->arena, 128);
    buffer_add(&joined, http->script_name);
    buffer_add(&joined, http->path_info);
    return buffer_finish(&joined, path);
}

bool dialect_session_in_path(const struct request *request, struct text *id)
{
    struct text path;

    return dialect_url_path(request, &path) && dialect_path_session(path, id);
}

bool dialect_path_session(struct text path, struct text *id)
{
    uint8_t session[SESSION_ID_SIZE];
    struct text name = text_ends(path, TEXT("/")) ? text_cut(path, path.size - 1) : path;
    size_t size = 2 * sizeof session + 4; /* its hyphens */

    if (name.size <= size || name.data[name.size - size - 1] != '/') {
        return false;
    }
    *id = text_from(name, name.size - size);
    return codec_uuid_parse(*id, session);
}

bool dialect_take_query(struct realm *realm, struct text value)
{
    realm->query_refused = text_is(value, "off");
    return realm->query_refused || text_is(value, "on");
}

bool dialect_refuses_query(const struct request *request)
{
    static const char *const names[] = {"refresh_token", "access_token", "client_assertion",
                                        "client_secret", "password"};
    struct text value;

    for (size_t i = 0; i < sizeof names / sizeof names[0] && request->realm->query_refused; i++) {
        if (form_get(&request->query, names[i], &value) != FORM_ABSENT) {
            return true;
        }
    }
    return false;
}

/* ---- answering ---- */

#define PLAIN(code, sentence)                                                                      \
    .status = (code), .media_type = "text/plain; charset=utf-8", .body = sentence "\n"

const struct wording dialect_plain_words[] = {
    {OUTCOME_METHOD_NOT_ALLOWED, PLAIN(405, "Method Not Allowed")},
    {WORDS_CLASS(REQUEST), PLAIN(400, "Bad Request")},
    {WORDS_CLASS(CLIENT), PLAIN(400, "Bad Request")},
    {WORDS_CLASS(TOKEN), PLAIN(400, "Bad Request")},
    {WORDS_CLASS(HERE), PLAIN(503, "Service Unavailable")},
    {0},
};

void dialect_respond(struct request *request, enum outcome outcome)
{
    const struct endpoint *endpoint = request->mount->endpoint;
    struct http_response *response = &request->http->response;

    if (outcome_is_grant(outcome) && request->operation == &operation_preflight) {
        browser_answer_preflight(request, methods_of(request));
    } else if (outcome_is_grant(outcome)) {
        endpoint->encode(request, outcome, response);
    } else if (endpoint->refuse == NULL || !endpoint->refuse(request, outcome, response)) {
        word(request, outcome);
    }
    if (response->failed) {
        word(request, OUTCOME_FAULT);
    }
    if (request->answer.dpop_nonce.size > 0) {
        http_response_header(response, "DPoP-Nonce", request->answer.dpop_nonce);
    }
    browser_add_headers(request);
    if (endpoint->navigated) {
        const char *policy = endpoint->content_policy;

        /* the URL may hold a code or a state, and no other site shows these pages; what a form of
         * ours sends has no Origin with no-referrer */
        http_response_header_c(response, "Referrer-Policy",
                               policy != NULL ? "same-origin" : "no-referrer");
        http_response_header_c(response, "Content-Security-Policy",
                               policy != NULL ? policy
                                              : "default-src 'none'; frame-ancestors 'none'");
    }
}

static void word(struct request *request, enum outcome outcome)
{
    const struct wording *words = find_words(request, outcome);
    struct http_response *response = &request->http->response;

    answer_body(response, words->status, words->media_type,
                words->quote != NULL ? quoted_body(request, words)
                : words->compose != NULL || words->template != NULL
                    ? composed_body(request, words, outcome)
                    : text_of(words->body));
    if (words->status == 405) {
        add_allow(request);
    } else if (words->status == 503) {
        http_response_header_c(response, "Retry-After", "1"); /* RFC 9110 section 10.2.3 */
    } else if (words->status == 429) {
        add_retry_after(request);
    }
    if (words->header != NULL) {
        http_response_header_c(response, words->header, words->value);
    }
}

static const struct wording *find_words(const struct request *request, enum outcome outcome)
{
    static const struct wording unworded = {.status = 503};
    bool deployed = request->realm->behaviour == BEHAVIOUR_DEPLOYED;
    int class = (int)OUTCOME_COUNT + (int)outcome_class(outcome);
    const struct wording *table =
        request->described != NULL ? request->described->words : request->mount->endpoint->words;

    for (const struct wording *words = table; words->status != 0; words++) {
        if ((words->about == (int)outcome || words->about == class) &&
            (words->behaviour == WORDS_ALWAYS ||
             (words->behaviour == WORDS_DEPLOYED) == deployed) &&
            (words->when == NULL || words->when(request))) {
            return words;
        }
    }
    return &unworded; /* a test sees to it that no table lacks a class */
}

/* What is not UTF-8, which JSON cannot carry, and what is long is not quoted. */
static struct text quoted_body(struct request *request, const struct wording *words)
{
    enum { QUOTED_MAX = 256 };
    struct text rest = text_of(words->body);
    struct text before = text_split(&rest, '%');
    struct text quoted = words->quote(request);
    struct text body = {0};
    struct buffer buffer;
    struct json_out out = json_out_start(&buffer, JSON_STYLE_PLAIN);

    buffer_start(&buffer, request->arena, before.size + quoted.size + rest.size);
    buffer_add(&buffer, before);
    if (text_is_utf8(quoted) && quoted.size <= QUOTED_MAX) {
        json_out_characters(&out, quoted);
    }
    buffer_add(&buffer, text_from(rest, 1));
    (void)buffer_finish(&buffer, &body);
    return body;
}

static struct text composed_body(struct request *request, const struct wording *words,
                                 enum outcome outcome)
{
    const struct described_told told = {request, outcome};
    struct text body = {0};
    struct buffer buffer;

    buffer_start(&buffer, request->arena, 256);
    if (words->template != NULL) {
        date_refusal(request, template_has(words->template, "request_id"));
        template_fill(words->template, &told, &buffer);
    } else {
        words->compose(request, &buffer);
    }
    (void)buffer_finish(&buffer, &body);
    return body;
}

/* What was refused before an operation began has no time yet. An id is made where it is told, for
 * the log as well. */
static void date_refusal(struct request *request, bool tells_id)
{
    struct issuer *issuer = request->issuer;
    uint8_t id[SESSION_ID_SIZE];

    if (request->answer.now_ms == 0 && issuer != NULL) {
        request->answer.now_ms = clock_now_ms(&issuer->clock);
    }
    if (tells_id && request->id[0] == '\0' && issuer != NULL &&
        session_id_make(&issuer->randomness, request->answer.now_ms, id)) {
        codec_uuid_format(id, request->id);
    }
}

/* RFC 6585 section 4. */
static void add_retry_after(struct request *request)
{
    char *seconds = arena_alloc(request->arena, 24);

    if (seconds != NULL) {
        snprintf(seconds, 24, "%" PRId64, request->answer.retry_after_s);
        http_response_header_c(&request->http->response, "Retry-After", seconds);
    }
}

/* RFC 9110 section 10.2.1. */
static void add_allow(struct request *request)
{
    struct text allow;

    if (dialect_methods(request->arena, methods_of(request), &allow)) {
        http_response_header(&request->http->response, "Allow", allow);
    }
}

bool dialect_methods(struct arena *arena, unsigned methods, struct text *names)
{
    static const char *const words[] = {
        [HTTP_GET] = "GET", [HTTP_HEAD] = "HEAD", [HTTP_POST] = "POST", [HTTP_DELETE] = "DELETE"};
    struct buffer buffer;

    buffer_start(&buffer, arena, 32);
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        if ((methods & ENDPOINT_METHOD(i)) != 0) {
            buffer_add_c(&buffer, buffer_text(&buffer).size > 0 ? ", " : "");
            buffer_add_c(&buffer, words[i]);
        }
    }
    return buffer_finish(&buffer, names);
}
