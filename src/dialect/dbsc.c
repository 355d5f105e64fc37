/* SPDX-License-Identifier: ISC */
/* dbsc.c: Device Bound Session Credentials (w3c.github.io/webappsec-dbsc, the draft of February
 * 2026; experimental): POST /dbsc/start, by which a page has its browser make a key, /dbsc/register
 * and /dbsc/refresh, which the browser asks by itself, and /dbsc/logout. The session is the key's,
 * and pages are asked for with a short-lived cookie that holds an access token. Knows the headers,
 * the session instructions and the cookie; does not know what a proof must say. */
#include "dialect/answer.h"

#include "dialect/at_jwt.h"
#include "dialect/cookies.h"
#include "dialect/dialect.h"
#include "dialect/metadata.h"

#define JSON_TYPE "application/json"

enum { HEADER_ROOM = 512, COOKIES_MAX = 8 };

static const struct cookie_names cookie_names = {.access = "access_token", .access_expires = true};

/* ---- request ---- */

/* A header that is one string. False: it is not there, or *refusal. */
static bool take_string(const struct request *request, const char *name, struct text *string,
                        enum outcome *refusal)
{
    struct text field;

    switch (http_header(&request->http->request, name, &field)) {
    case HTTP_ABSENT:
        *refusal = OUTCOME_TOKEN_MISSING;
        return false;
    case HTTP_REPEATED:
        *refusal = OUTCOME_PARAMETER_REPEATED;
        return false;
    case HTTP_ONE:
        break;
    }
    *refusal = OUTCOME_MALFORMED;
    return http_structured_string(field, string);
}

/* No page can say Sec-Secure-Session-Id, so whichever page the browser asks for, it is the browser
 * that asks. */
static bool decode(struct request *request, enum outcome *refusal)
{
    struct possession *possession = &request->possession;

    possession->by_browser = true;
    return take_string(request, "sec-secure-session-id", &request->input.refresh.refresh_token,
                       refusal) &&
           (take_string(request, "secure-session-response", &possession->response, refusal) ||
            *refusal == OUTCOME_TOKEN_MISSING);
}

static bool decode_register(struct request *request, enum outcome *refusal)
{
    request->possession.by_browser = true;
    return take_string(request, "secure-session-response", &request->possession.response, refusal);
}

/* Without any cookie there is still one to clear. */
static bool decode_logout(struct request *request, enum outcome *refusal)
{
    struct refresh_input *input = &request->input.refresh;
    struct text *values = arena_alloc(request->arena, COOKIES_MAX * sizeof *values);

    *refusal = OUTCOME_FAULT;
    if (values == NULL) {
        return false;
    }
    input->silent = true;
    input->by_access_token = true;
    input->candidates = values;
    input->candidate_count = cookies_access_values(request, &cookie_names, values, COOKIES_MAX);
    return true;
}

/* ---- answer ---- */

/* A structured field: nothing in its strings would have to be escaped. */
static void add_field(struct http_response *response, const char *name, struct buffer *value)
{
    struct text whole = {0};

    response->failed = !buffer_finish(value, &whole) || response->failed;
    http_response_header(response, name, whole);
}

/* The key is to be on P-256, which every browser and every TPM has. */
static void encode_start(const struct request *request, enum outcome outcome,
                         struct http_response *response)
{
    struct buffer value;
    struct text path;

    (void)outcome;
    answer_body(response, 200, NULL, (struct text){0});
    if (!metadata_path(request, &operation_dbsc_register, &path)) {
        response->failed = true;
        return;
    }
    buffer_start(&value, request->arena, HEADER_ROOM);
    buffer_addf(&value, "(ES256);path=\"%.*s\";challenge=\"%.*s\";authorization=\"%.*s\"",
                TEXT_ARGS(path), TEXT_ARGS(request->answer.challenge),
                TEXT_ARGS(request->answer.code));
    add_field(response, "Secure-Session-Registration", &value);
}

/* Who follows a link of another site is logged in, too. With SameSite=Lax nothing else of another
 * site brings the cookie; with None each of its images would have it renewed, and the time that
 * takes would tell that site who is logged in (the draft's section 3.2). */
static void add_initiators(struct json_out *out, const struct request *request)
{
    if (request->realm->cookies.same_site == COOKIE_SAME_SITE_LAX) {
        json_out_key(out, "allowed_refresh_initiators");
        json_out_array_open(out);
        json_out_text(out, TEXT("*"));
        json_out_array_close(out);
    }
}

/* The instructions come with each answer, so that a browser follows what is configured now. */
static void encode(const struct request *request, enum outcome outcome,
                   struct http_response *response)
{
    struct buffer body, attributes;
    struct json_out out;
    struct text name, described = {0}, path = {0};

    (void)outcome;
    buffer_start(&attributes, request->arena, HEADER_ROOM);
    cookies_describe_access(request, &cookie_names, &name, &attributes);
    if (!buffer_finish(&attributes, &described) ||
        !metadata_path(request, &operation_refresh, &path)) {
        answer_body(response, 200, NULL, (struct text){0});
        response->failed = true;
        return;
    }
    buffer_start(&body, request->arena, HEADER_ROOM);
    out = json_out_start(&body, JSON_STYLE_PLAIN);
    json_out_open(&out);
    json_out_member(&out, "session_identifier", request->answer.refresh_token);
    json_out_member(&out, "refresh_url", path);
    json_out_key(&out, "scope");
    json_out_open(&out);
    json_out_key(&out, "include_site");
    json_out_bool(&out, false);
    json_out_close(&out);
    json_out_key(&out, "credentials");
    json_out_array_open(&out);
    json_out_open(&out);
    json_out_member(&out, "type", TEXT("cookie"));
    json_out_member(&out, "name", name);
    json_out_member(&out, "attributes", described);
    json_out_close(&out);
    json_out_array_close(&out);
    add_initiators(&out, request);
    json_out_close(&out);
    answer_buffer(response, 200, JSON_TYPE, &body);
    cookies_set(request, &cookie_names, response);
}

static void encode_logout(const struct request *request, enum outcome outcome,
                          struct http_response *response)
{
    (void)outcome;
    answer_body(response, 200, NULL, (struct text){0});
    cookies_clear(request, &cookie_names, response);
}

/* 403 is what asks a browser for a proof. */
static bool refuse(const struct request *request, enum outcome outcome,
                   struct http_response *response)
{
    const struct answer *answer = &request->answer;
    struct buffer value;

    if (outcome != OUTCOME_DPOP_NONCE || answer->challenge.size == 0) {
        return false;
    }
    answer_body(response, 403, NULL, (struct text){0});
    buffer_start(&value, request->arena, HEADER_ROOM);
    buffer_addf(&value, "\"%.*s\";id=\"%.*s\"", TEXT_ARGS(answer->challenge),
                TEXT_ARGS(request->input.refresh.refresh_token));
    add_field(response, "Secure-Session-Challenge", &value);
    return true;
}

#define SAYS(status_code, sentence)                                                                \
    .status = (status_code), .media_type = "text/plain; charset=utf-8", .body = sentence "\n"

/* A browser ends its session at any 4xx but 403, 407 and 429, and goes on after a 5xx: a fault here
 * must be one. */
static const struct wording words[] = {
    {OUTCOME_METHOD_NOT_ALLOWED, SAYS(405, "Method Not Allowed")},
    {WORDS_CLASS(REQUEST), SAYS(400, "Bad Request")},
    {WORDS_CLASS(CLIENT), SAYS(400, "Bad Request")},
    {OUTCOME_WRONG_KEY, SAYS(400, "Bad Request")},
    {WORDS_CLASS(TOKEN), .status = 400, .media_type = JSON_TYPE, .body = "{\"continue\":false}"},
    {WORDS_CLASS(HERE), SAYS(503, "Service Unavailable")},
    {0},
};

/* What a page asks. */
static const struct wording page_words[] = {
    {OUTCOME_METHOD_NOT_ALLOWED, SAYS(405, "Method Not Allowed")},
    {OUTCOME_PAGE_FOREIGN, SAYS(403, "Pages of this origin may not ask here.")},
    {WORDS_CLASS(REQUEST), SAYS(400, "Bad Request")},
    {OUTCOME_REMOTE_USER_ABSENT, SAYS(403, "The web server asks for no login here.")},
    {OUTCOME_REMOTE_USER_UNCHECKED, SAYS(403, "The web server checks no logins here.")},
    {WORDS_CLASS(CLIENT), SAYS(403, "The user has no account here.")},
    {WORDS_CLASS(TOKEN), SAYS(403, "The account cannot be used.")},
    {WORDS_CLASS(HERE), SAYS(503, "Service Unavailable")},
    {0},
};

/* ---- the dialect ---- */

static const struct dialect_setting settings[] = {COOKIE_ACCESS_SETTINGS, {0}};

/* The others are not asked with the cookie. */
static const char *advise(const struct mount *mount)
{
    return mount->endpoint->operation == &operation_logout ? cookies_advise(mount) : NULL;
}

static const struct endpoint endpoints[] = {
    {.name = "refresh",
     .path = "/dbsc/refresh",
     .methods = ENDPOINT_POST,
     .body = ENDPOINT_BODY_IGNORED,
     .cookies = true,
     .by_browser = true,
     .with_remote_user = true,
     .operation = &operation_refresh,
     .decode = decode,
     .encode = encode,
     .refuse = refuse,
     .words = words},
    {.name = "register",
     .path = "/dbsc/register",
     .methods = ENDPOINT_POST,
     .body = ENDPOINT_BODY_IGNORED,
     .cookies = true,
     .by_browser = true,
     .with_remote_user = true,
     .operation = &operation_dbsc_register,
     .decode = decode_register,
     .encode = encode,
     .words = words},
    {.name = "start",
     .path = "/dbsc/start",
     .methods = ENDPOINT_POST,
     .body = ENDPOINT_BODY_IGNORED,
     .needs_remote_user = true,
     .operation = &operation_dbsc_start,
     .encode = encode_start,
     .words = page_words},
    {.name = "logout",
     .path = "/dbsc/logout",
     .methods = ENDPOINT_POST,
     .body = ENDPOINT_BODY_IGNORED,
     .cookies = true,
     .with_remote_user = true,
     .operation = &operation_logout,
     .decode = decode_logout,
     .encode = encode_logout,
     .words = page_words},
};

/* What a browser calls its session must not change, so nothing rotates: the key is what keeps a
 * thief out, not a token that is spent. */
const struct dialect dbsc_dialect = {
    .name = "dbsc",
    .summary = "sessions bound to a key of the browser (experimental)",
    .endpoints = endpoints,
    .endpoint_count = sizeof endpoints / sizeof endpoints[0],
    .realm = "/dbsc/refresh",
    .policy = {.rotate = false,
               .concurrency_window_ms = CLOCK_MINUTE,
               .idle_lifetime_ms = INT64_C(30) * CLOCK_DAY,
               .absolute_lifetime_ms = INT64_C(365) * CLOCK_DAY,
               .access_lifetime_ms = 10 * CLOCK_MINUTE,
               .format = REFRESH_FORMAT_NATIVE,
               .layout = &at_jwt_layout,
               .keeps_token = true,
               .algorithm = SIGNING_RS256,
               .scope_rule = SCOPE_IGNORED},
    .settings = settings,
    .check = cookies_check,
    .advise = advise,
};
