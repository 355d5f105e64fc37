/* SPDX-License-Identifier: ISC */
/* wirecash.c: POST authenticate and token, under /sandbox and /production, of the WireCash API: one
 * JSON object with username and password, or with username, access_token and refresh_token. Knows
 * these objects and the documented errors; no source of the real server is public. */
#include "dialect/answer.h"

#include "dialect/dialect.h"

#define JSON_TYPE "application/json"

/* ---- request ---- */

/* The documented Python sample puts everything into the query string, where servers log it; the
 * document itself says "must be placed in the body". */
static bool is_in_url(const struct request *request)
{
    struct text value;

    return form_get(&request->query, "refresh_token", &value) != FORM_ABSENT ||
           form_get(&request->query, "access_token", &value) != FORM_ABSENT ||
           form_get(&request->query, "password", &value) != FORM_ABSENT ||
           form_get(&request->query, "username", &value) != FORM_ABSENT;
}

/* A required member: a string, not empty. */
static bool member(const struct request *request, const char *key, struct text *value)
{
    return request->json != NULL && json_in_text(request->json, key, value) == JSON_IN_TEXT &&
           value->size > 0;
}

/* The same without white space at its ends, which no token has. */
static bool token_member(const struct request *request, const char *key, struct text *value)
{
    bool given = member(request, key, value);

    *value = text_strip(*value);
    return given && value->size > 0;
}

static bool decode(struct request *request, enum outcome *refusal)
{
    struct refresh_input *input = &request->input.refresh;

    if (is_in_url(request)) {
        *refusal = OUTCOME_PARAMETER_IN_URL;
    } else if (!token_member(request, "refresh_token", &input->refresh_token)) {
        *refusal = OUTCOME_TOKEN_MISSING;
    } else if (!token_member(request, "access_token", &input->access_token) ||
               !member(request, "username", &input->username)) {
        *refusal = OUTCOME_FIELD_MISSING;
    } else {
        input->access_token_given = input->username_given = true;
        return true;
    }
    return false;
}

static bool decode_login(struct request *request, enum outcome *refusal)
{
    struct login_input *input = &request->input.login;

    *refusal = is_in_url(request) ? OUTCOME_PARAMETER_IN_URL : OUTCOME_FIELD_MISSING;
    return *refusal != OUTCOME_PARAMETER_IN_URL && member(request, "username", &input->username) &&
           member(request, "password", &input->password);
}

/* ---- answer ---- */

static void encode(const struct request *request, enum outcome outcome,
                   struct http_response *response)
{
    const struct answer *answer = &request->answer;
    struct buffer body;
    struct json_out out;

    (void)outcome;
    answer_compose(request, &body);
    out = json_out_start(&body, JSON_STYLE_PLAIN);
    json_out_open(&out);
    json_out_member(&out, "access_token", answer->access_token);
    json_out_member_int(&out, "expires_in", answer->expires_in_s);
    json_out_member(&out, "refresh_token", answer->refresh_token);
    json_out_member(&out, "token_type", TEXT("Bearer"));
    json_out_close(&out);
    answer_buffer(response, 200, JSON_TYPE, &body);
}

#define SAYS(status_code, message)                                                                 \
    .behaviour = WORDS_DOCUMENTED, .status = (status_code), .media_type = JSON_TYPE,               \
    .body = "{\"message\":\"" message "\"}"

#define WRONG_LOGIN "Invalid username or password provided."

static bool is_login(const struct request *request)
{
    return request->mount->endpoint->operation == &operation_login;
}

/* The document gives errors a status and no schema, but its Node sample parses every answer as
 * JSON: so there is a body, unless the realm wants the bare status. */
static const struct wording words[] = {
    {OUTCOME_METHOD_NOT_ALLOWED, SAYS(405, "Method not allowed")},
    {OUTCOME_METHOD_NOT_ALLOWED, .status = 405},
    {OUTCOME_UNSUPPORTED_CODING, SAYS(415, "The body must not be compressed"), DIALECT_NO_CODING},
    {OUTCOME_UNSUPPORTED_CODING, .status = 415, DIALECT_NO_CODING},
    {OUTCOME_PAGE_FOREIGN, SAYS(403, "Origin not allowed")},
    {OUTCOME_PAGE_FOREIGN, .status = 403},
    {WORDS_CLASS(REQUEST), SAYS(400, WRONG_LOGIN), .when = is_login},
    {WORDS_CLASS(REQUEST), SAYS(400, "Invalid data provided")},
    {WORDS_CLASS(REQUEST), .status = 400},
    {WORDS_CLASS(CLIENT), SAYS(400, WRONG_LOGIN), .when = is_login},
    {WORDS_CLASS(CLIENT), SAYS(400, "Invalid data provided")},
    {WORDS_CLASS(CLIENT), .status = 400},
    {WORDS_CLASS(TOKEN), SAYS(400, WRONG_LOGIN), .when = is_login},
    {WORDS_CLASS(TOKEN), SAYS(400, "Invalid data provided")},
    {WORDS_CLASS(TOKEN), .status = 400},
    {WORDS_CLASS(HERE), SAYS(500, "Internal server error")},
    {WORDS_CLASS(HERE), .status = 500},
    {0},
};

/* ---- tokens ---- */

static void write_access(struct json_out *out, const struct layout_claims *claims)
{
    json_out_member(out, "sub", claims->username);
    json_out_member_int(out, "iat", claims->issued_at_s);
    layout_add_expiry(out, claims);
    json_out_member(out, "sid", text_of(claims->session));
    json_out_member(out, "jti", text_of(claims->jti));
}

static const struct layout layout = {
    .header = {{.name = "alg"}, {"typ", "JWT"}, {.name = "kid"}},
    .access = write_access,
    .session_claim = "sid",
};

/* The two stages are two worlds: each is a realm of its own. The documented curl sends "post". */
#define COMMON                                                                                     \
    .methods = ENDPOINT_POST, .method_any_case = true, .body = ENDPOINT_BODY_JSON, .encode = encode
#define REFRESH_OF(stage)                                                                          \
    {                                                                                              \
        COMMON, .name = stage, .path = "/" stage "/token", .operation = &operation_refresh,        \
                .decode = decode, .words = words                                                   \
    }
#define LOGIN_OF(stage)                                                                            \
    {                                                                                              \
        COMMON, .name = stage "-login", .path = "/" stage "/authenticate",                         \
                .realm = "/" stage "/token", .operation = &operation_login,                        \
                .decode = decode_login, .words = words                                             \
    }

static const struct endpoint endpoints[] = {
    REFRESH_OF("sandbox"),
    REFRESH_OF("production"),
    LOGIN_OF("sandbox"),
    LOGIN_OF("production"),
};

/* The refresh token "provided by the Authentication Request or token request" is the one to use
 * next: it rotates. Its lifetimes are stated nowhere. */
const struct dialect wirecash_dialect = {
    .name = "wirecash",
    .summary = "WireCash API: JSON with user name and password, or with both tokens",
    .endpoints = endpoints,
    .endpoint_count = sizeof endpoints / sizeof endpoints[0],
    .policy = {.rotate = true,
               .concurrency_window_ms = CLOCK_MINUTE,
               .idle_lifetime_ms = INT64_C(30) * CLOCK_DAY,
               .absolute_lifetime_ms = INT64_C(365) * CLOCK_DAY,
               .access_lifetime_ms = CLOCK_HOUR,
               .format = REFRESH_FORMAT_NATIVE,
               .layout = &layout,
               .algorithm = SIGNING_RS256,
               .scope_rule = SCOPE_IGNORED},
};
