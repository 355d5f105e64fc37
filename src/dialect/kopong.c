/* SPDX-License-Identifier: ISC */
/* kopong.c: POST /login, POST /oauth/access_token and /api/validate as the Grails plugin
 * spring-security-rest 2.0.0.M2 spoke them, and as their document describes them. Knows the
 * spellings and which one a request uses; does not know how tokens are made.
 *
 * Login: JSON with username and password.
 *
 * Validate: an access token as RFC 6750 has it, in the header, a form or the query.
 *
 * Plugin form: grant_type and refresh_token, from query and form together. The Authorization header
 * is not consulted, so OAuth libraries that send Basic work unchanged. Documented form (behaviour =
 * documented only; the plugin never had it): a Bearer token that may have expired, and JSON with
 * username and password, which the operation checks both. */
#include "dialect/answer.h"

#include "dialect/dialect.h"
#include "dialect/kopong_principal.h"

#define JSON_TYPE "application/json;charset=UTF-8"
#define TEXT_TYPE "text/html;charset=utf-8"

/* ---- request ---- */

/* The plugin's `params`: query and form are one set, so one name in both is given twice. White
 * space at the ends is a line break of the file that the value came from. */
static enum form_find parameter(const struct request *request, const char *name, struct text *value)
{
    struct text in_form = {0};
    enum form_find query = form_get(&request->query, name, value);
    enum form_find form = form_get(&request->form, name, &in_form);

    if (query != FORM_ABSENT && form != FORM_ABSENT) {
        return FORM_REPEATED;
    } else if (query == FORM_ABSENT) {
        *value = in_form;
        query = form;
    }
    *value = text_strip(*value);
    return query == FORM_ONE && value->size == 0 ? FORM_ABSENT : query;
}

static bool has_parameter(const struct request *request, const char *name)
{
    struct text value;

    return form_get_even_empty(&request->query, name, &value) != FORM_ABSENT ||
           form_get_even_empty(&request->form, name, &value) != FORM_ABSENT;
}

static bool has_bearer(const struct request *request)
{
    struct text bearer;

    return http_authorization(&request->http->request, "Bearer", &bearer) != HTTP_ABSENT;
}

static bool is_documented_form(const struct request *request)
{
    return request->realm->behaviour == BEHAVIOUR_DOCUMENTED &&
           !has_parameter(request, "grant_type") && !has_parameter(request, "refresh_token") &&
           (request->json != NULL || has_bearer(request));
}

/* User name and password from JSON, neither empty. */
static bool decode_login(struct request *request, enum outcome *refusal)
{
    struct login_input *input = &request->input.login;

    *refusal = OUTCOME_FIELD_MISSING;
    return request->json != NULL &&
           json_in_text(request->json, "username", &input->username) == JSON_IN_TEXT &&
           json_in_text(request->json, "password", &input->password) == JSON_IN_TEXT &&
           input->username.size > 0 && input->password.size > 0;
}

static bool decode_documented(struct request *request, enum outcome *refusal)
{
    struct login_input *input = &request->input.login;

    request->operation = &operation_login;
    input->bearer_given = true;
    if (http_authorization(&request->http->request, "Bearer", &input->bearer) != HTTP_ONE) {
        *refusal = OUTCOME_TOKEN_MISSING;
        return false;
    }
    return decode_login(request, refusal);
}

/* A bad grant_type wins over a missing token. */
static bool decode_plugin(struct request *request, enum outcome *refusal)
{
    struct text grant_type = {0};
    enum form_find grant = parameter(request, "grant_type", &grant_type);
    enum form_find token =
        parameter(request, "refresh_token", &request->input.refresh.refresh_token);

    if (grant == FORM_ABSENT) {
        *refusal = OUTCOME_GRANT_TYPE_MISSING;
    } else if (!dialect_parameter(grant, refusal)) {
        return false;
    } else if (!text_is(grant_type, "refresh_token")) {
        *refusal = OUTCOME_GRANT_TYPE_UNSUPPORTED;
    } else if (token == FORM_ABSENT) {
        *refusal = OUTCOME_TOKEN_MISSING;
    } else {
        return dialect_parameter(token, refusal);
    }
    return false;
}

static bool decode(struct request *request, enum outcome *refusal)
{
    if (dialect_refuses_query(request)) {
        *refusal = OUTCOME_PARAMETER_IN_URL;
        return false;
    }
    return is_documented_form(request) ? decode_documented(request, refusal)
                                       : decode_plugin(request, refusal);
}

/* The header wins. */
static bool decode_validate(struct request *request, enum outcome *refusal)
{
    struct text *token = &request->input.refresh.refresh_token;

    if (dialect_refuses_query(request)) {
        *refusal = OUTCOME_PARAMETER_IN_URL;
        return false;
    } else if (has_bearer(request)) {
        *refusal = OUTCOME_TOKEN_INVALID;
        return http_authorization(&request->http->request, "Bearer", token) == HTTP_ONE;
    }
    if (!dialect_parameter(parameter(request, "access_token", token), refusal)) {
        return false;
    }
    *refusal = OUTCOME_TOKEN_MISSING;
    return token->size > 0;
}

/* ---- answer ---- */

static void add_access_token(struct json_out *out, struct text token, int64_t expires_in_s)
{
    json_out_member(out, "token_type", TEXT("Bearer"));
    json_out_member(out, "access_token", token);
    if (expires_in_s != 0) {
        json_out_member_int(out, "expires_in", expires_in_s);
    }
}

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
    json_out_member(&out, "username", answer->username);
    layout_add_words(&out, "roles", answer->roles);
    add_access_token(&out, answer->access_token, answer->expires_in_s);
    json_out_member(&out, "refresh_token", answer->refresh_token);
    json_out_close(&out);
    answer_buffer(response, 200, JSON_TYPE, &body);
}

/* The same of the token that was sent, with its own roles. */
static void encode_validate(const struct request *request, enum outcome outcome,
                            struct http_response *response)
{
    const struct answer *answer = &request->answer;
    const json_t *roles = json_object_get(answer->payload, "roles");
    json_int_t exp = json_integer_value(json_object_get(answer->payload, "exp"));
    struct text token = request->input.refresh.refresh_token;
    struct buffer body;
    struct json_out out;

    (void)outcome;
    buffer_start(&body, request->arena, token.size + 1024);
    out = json_out_start(&body, JSON_STYLE_PLAIN);
    json_out_open(&out);
    json_out_member(&out, "username", answer->username);
    if (roles != NULL) {
        json_out_key(&out, "roles");
        json_out_value(&out, roles);
    } else {
        layout_add_words(&out, "roles", (struct text){0});
    }
    add_access_token(&out, token, exp - answer->now_ms / CLOCK_SECOND);
    json_out_close(&out);
    answer_buffer(response, 200, JSON_TYPE, &body);
}

#define SAYS_BEARER(challenge) .status = 401, .header = "WWW-Authenticate", .value = (challenge)
#define INVALID_TOKEN          SAYS_BEARER("Bearer error=\"invalid_token\"")
#define BAD_TOKEN              .behaviour = WORDS_DOCUMENTED, INVALID_TOKEN

/* A body that cannot be read gives the plugin no parameters, and grant_type is the first it misses.
 * Of a token it does not like, the document knows 401 only; the plugin answered 403. */
static const struct wording words[] = {
    {OUTCOME_METHOD_NOT_ALLOWED, .status = 405},
    {OUTCOME_PAGE_FOREIGN, .status = 403, .media_type = TEXT_TYPE, .body = "Origin not allowed"},
    {OUTCOME_PARAMETER_IN_URL, .status = 400, .media_type = TEXT_TYPE,
     .body = "Refresh token belongs in the body"},
    {OUTCOME_TOKEN_MISSING, .when = is_documented_form, SAYS_BEARER("Bearer")},
    {OUTCOME_TOKEN_MISSING, .status = 400, .media_type = TEXT_TYPE,
     .body = "Refresh token is required"},
    {OUTCOME_FIELD_MISSING, BAD_TOKEN},
    {OUTCOME_FIELD_MISSING, .status = 403},
    {OUTCOME_UNSUPPORTED_CODING, .status = 415, .media_type = TEXT_TYPE,
     .body = "The body must not be compressed", DIALECT_NO_CODING},
    {WORDS_CLASS(REQUEST), .status = 400, .media_type = TEXT_TYPE, .body = "Invalid grant_type"},
    {WORDS_CLASS(CLIENT), BAD_TOKEN},
    {WORDS_CLASS(CLIENT), .status = 403},
    {WORDS_CLASS(TOKEN), BAD_TOKEN},
    {WORDS_CLASS(TOKEN), .status = 403},
    {WORDS_CLASS(HERE), .status = 503},
    {0},
};

/* At /login. That an account is disabled is told like a wrong password. */
static const struct wording login_words[] = {
    {OUTCOME_METHOD_NOT_ALLOWED, .status = 405},
    {OUTCOME_PAGE_FOREIGN, .status = 403, .media_type = TEXT_TYPE, .body = "Origin not allowed"},
    {OUTCOME_UNSUPPORTED_CODING, .status = 415, .media_type = TEXT_TYPE,
     .body = "The body must not be compressed", DIALECT_NO_CODING},
    {WORDS_CLASS(REQUEST), .status = 400},
    {WORDS_CLASS(CLIENT), .when = has_bearer, INVALID_TOKEN},
    {WORDS_CLASS(CLIENT), SAYS_BEARER("Bearer")},
    {WORDS_CLASS(TOKEN), .when = has_bearer, INVALID_TOKEN},
    {WORDS_CLASS(TOKEN), SAYS_BEARER("Bearer")},
    {WORDS_CLASS(HERE), .status = 503},
    {0},
};

/* At /api/validate. */
static const struct wording validate_words[] = {
    {OUTCOME_METHOD_NOT_ALLOWED, .status = 405},
    {OUTCOME_PAGE_FOREIGN, .status = 403, .media_type = TEXT_TYPE, .body = "Origin not allowed"},
    {OUTCOME_UNSUPPORTED_CODING, .status = 415, .media_type = TEXT_TYPE,
     .body = "The body must not be compressed", DIALECT_NO_CODING},
    {OUTCOME_TOKEN_MISSING, SAYS_BEARER("Bearer")},
    {WORDS_CLASS(REQUEST), .status = 400},
    {WORDS_CLASS(CLIENT), INVALID_TOKEN},
    {WORDS_CLASS(TOKEN), INVALID_TOKEN},
    {WORDS_CLASS(HERE), .status = 503},
    {0},
};

/* ---- tokens: grails-spring-security-rest 2.0.0.M2 ---- */

/* Access and refresh token differ in `exp` only, which the refresh token usually has not. */
static void write_plain(struct json_out *out, const struct layout_claims *claims)
{
    json_out_member(out, "sub", claims->username);
    layout_add_words(out, "roles", claims->roles);
    layout_add_expiry(out, claims);
    json_out_member_int(out, "iat", claims->issued_at_s);
}

static void write_with_principal(struct json_out *out, const struct layout_claims *claims)
{
    struct text principal;

    if (kopong_principal(claims->username, claims->roles, claims->user_number, out->buffer->arena,
                         &principal)) {
        json_out_member(out, "principal", principal);
    } else {
        out->buffer->failed = true;
    }
    write_plain(out, claims);
}

static const struct layout layout = {
    .style = JSON_STYLE_ESCAPE_SLASH,
    .header = {{.name = "alg"}},
    .access = write_with_principal,
    .refresh = write_with_principal,
    .refresh_has_no_exp = true,
};

/* principal = off: for verifiers that do not read it. */
static const struct layout plain_layout = {
    .style = JSON_STYLE_ESCAPE_SLASH,
    .header = {{.name = "alg"}},
    .access = write_plain,
    .refresh = write_plain,
    .refresh_has_no_exp = true,
};

static bool take_principal(struct realm *realm, struct text value)
{
    bool on = text_is(value, "on");

    if (!on && !text_is(value, "off")) {
        return false;
    }
    realm->policy.layout = on ? &layout : &plain_layout;
    return true;
}

static const struct dialect_setting settings[] = {
    {"principal", take_principal, "write on or off", "on"},
    DIALECT_QUERY_SETTING,
    {0},
};

#define REFRESH_PATH "/oauth/access_token"

static const struct endpoint endpoints[] = {
    {.name = "refresh",
     .path = REFRESH_PATH,
     .methods = ENDPOINT_POST,
     .body = ENDPOINT_BODY_FORM | ENDPOINT_BODY_JSON,
     .operation = &operation_refresh,
     .decode = decode,
     .encode = encode,
     .words = words},
    {.name = "login",
     .path = "/login",
     .realm = REFRESH_PATH,
     .methods = ENDPOINT_POST,
     .body = ENDPOINT_BODY_JSON,
     .operation = &operation_login,
     .decode = decode_login,
     .encode = encode,
     .words = login_words},
    {.name = "validate",
     .path = "/api/validate",
     .realm = REFRESH_PATH,
     .methods = ENDPOINT_GET | ENDPOINT_POST,
     .body = ENDPOINT_BODY_FORM | ENDPOINT_BODY_JSON,
     .operation = &operation_validate,
     .decode = decode_validate,
     .encode = encode_validate,
     .words = validate_words},
};

/* The refresh token has no `exp` and is echoed. One that was not used for over a year is forgotten,
 * so that a store does not grow for ever. */
const struct dialect kopong_dialect = {
    .name = "kopong",
    .summary = "Grails spring-security-rest: JSON login; form or Bearer, token echoed",
    .endpoints = endpoints,
    .endpoint_count = sizeof endpoints / sizeof endpoints[0],
    .policy = {.rotate = false,
               .concurrency_window_ms = CLOCK_MINUTE,
               .idle_lifetime_ms = INT64_C(400) * CLOCK_DAY,
               .access_lifetime_ms = CLOCK_HOUR,
               .bearer_max_age_ms = INT64_C(30) * CLOCK_DAY,
               .format = REFRESH_FORMAT_JWT,
               .layout = &layout,
               .algorithm = SIGNING_HS256,
               .scope_rule = SCOPE_IGNORED},
    .settings = settings,
};
