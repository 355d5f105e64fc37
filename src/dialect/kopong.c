/* kopong.c: POST /oauth/access_token as the Grails plugin spring-security-rest 2.0.0.M2 spoke it,
 * and as its document describes it. Knows both spellings and which one a request uses; does not
 * know how tokens are made.
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

/* The plugin's `params`: query and form are one set, so one name in both stands there twice. */
static enum form_find parameter(const struct dialect_exchange *exchange, const char *name,
                                struct text *value)
{
    struct text in_form = {0};
    enum form_find query = form_get(&exchange->query, name, value);
    enum form_find form = form_get(&exchange->form, name, &in_form);

    if (query != FORM_ABSENT && form != FORM_ABSENT) {
        return FORM_REPEATED;
    } else if (query != FORM_ABSENT) {
        return query;
    }
    *value = in_form;
    return form;
}

static bool has_parameter(const struct dialect_exchange *exchange, const char *name)
{
    struct text value;

    return form_get_even_empty(&exchange->query, name, &value) != FORM_ABSENT ||
           form_get_even_empty(&exchange->form, name, &value) != FORM_ABSENT;
}

static bool has_bearer(const struct dialect_exchange *exchange)
{
    struct text bearer;

    return http_authorization(exchange->request, "Bearer", &bearer) != HTTP_ABSENT;
}

static bool is_documented_form(const struct dialect_exchange *exchange)
{
    return exchange->mount->realm->behaviour == BEHAVIOUR_DOCUMENTED &&
           !has_parameter(exchange, "grant_type") && !has_parameter(exchange, "refresh_token") &&
           (exchange->json != NULL || has_bearer(exchange));
}

static bool decode_documented(struct dialect_exchange *exchange, enum outcome *refusal)
{
    struct refresh_ask *ask = &exchange->ask;

    if (http_authorization(exchange->request, "Bearer", &ask->refresh_token) != HTTP_ONE) {
        *refusal = OUTCOME_TOKEN_MISSING;
    } else if (exchange->json == NULL ||
               json_in_text(exchange->json, "username", &ask->username) != JSON_IN_TEXT ||
               json_in_text(exchange->json, "password", &ask->password) != JSON_IN_TEXT ||
               ask->username.size == 0 || ask->password.size == 0) {
        *refusal = OUTCOME_FIELD_MISSING;
    } else {
        ask->username_given = ask->password_given = true;
        return true;
    }
    return false;
}

/* A bad grant_type wins over a missing token. */
static bool decode_plugin(struct dialect_exchange *exchange, enum outcome *refusal)
{
    struct text grant_type = {0};
    enum form_find grant = parameter(exchange, "grant_type", &grant_type);
    enum form_find token = parameter(exchange, "refresh_token", &exchange->ask.refresh_token);

    if (grant == FORM_ABSENT) {
        *refusal = OUTCOME_GRANT_TYPE_MISSING;
    } else if (grant == FORM_REPEATED) {
        *refusal = OUTCOME_PARAMETER_REPEATED;
    } else if (!text_is(grant_type, "refresh_token")) {
        *refusal = OUTCOME_GRANT_TYPE_UNSUPPORTED;
    } else if (token == FORM_ABSENT) {
        *refusal = OUTCOME_TOKEN_MISSING;
    } else if (token == FORM_REPEATED) {
        *refusal = OUTCOME_PARAMETER_REPEATED;
    } else {
        return true;
    }
    return false;
}

static bool decode(struct dialect_exchange *exchange, enum outcome *refusal)
{
    return is_documented_form(exchange) ? decode_documented(exchange, refusal)
                                        : decode_plugin(exchange, refusal);
}

/* ---- answer ---- */

static void encode(const struct dialect_exchange *exchange, enum outcome outcome,
                   struct http_response *response)
{
    const struct refresh_answer *answer = &exchange->answer;
    struct buffer body;
    struct json_out out;

    (void)outcome;
    answer_compose(&exchange->answer, exchange->arena, &body);
    out = json_out_start(&body, JSON_STYLE_PLAIN);
    json_out_open(&out);
    json_out_member(&out, "username", answer->username);
    layout_add_words(&out, "roles", answer->roles);
    json_out_member(&out, "token_type", TEXT("Bearer"));
    json_out_member(&out, "access_token", answer->access_token);
    if (answer->expires_in_s != 0) {
        json_out_member_int(&out, "expires_in", answer->expires_in_s);
    }
    json_out_member(&out, "refresh_token", answer->refresh_token);
    json_out_close(&out);
    answer_buffer(response, 200, JSON_TYPE, &body);
}

/* The document knows 401 only; the plugin answered 403 to every token it did not like. */
static void refuse_token(const struct dialect_exchange *exchange, bool token_given,
                         struct http_response *response)
{
    if (exchange->mount->realm->behaviour == BEHAVIOUR_DEPLOYED) {
        answer_start(response, 403);
        return;
    }
    answer_start(response, 401);
    http_response_header_c(response, "WWW-Authenticate",
                           token_given ? "Bearer error=\"invalid_token\"" : "Bearer");
}

static void refuse(const struct dialect_exchange *exchange, enum outcome outcome,
                   struct http_response *response)
{
    switch (outcome) {
    case OUTCOME_METHOD_NOT_ALLOWED:
        answer_start(response, 405);
        http_response_header_c(response, "Allow", "POST");
        return;
    case OUTCOME_TOKEN_MISSING:
        if (is_documented_form(exchange)) {
            refuse_token(exchange, false, response);
            return;
        }
        answer_body(response, 400, TEXT_TYPE, TEXT("Refresh token is required"));
        return;
    /* A body that cannot be read gives the plugin no parameters, and grant_type is the first it
     * misses. */
    case OUTCOME_BODY_TOO_LARGE:
    case OUTCOME_BODY_INCOMPLETE:
    case OUTCOME_LENGTH_REQUIRED:
    case OUTCOME_UNSUPPORTED_MEDIA:
    case OUTCOME_MALFORMED:
    case OUTCOME_PARAMETER_REPEATED:
    case OUTCOME_PARAMETER_IN_URL:
    case OUTCOME_GRANT_TYPE_MISSING:
    case OUTCOME_GRANT_TYPE_UNSUPPORTED:
        answer_body(response, 400, TEXT_TYPE, TEXT("Invalid grant_type"));
        return;
    case OUTCOME_FIELD_MISSING:
    case OUTCOME_CLIENT_AUTH_FAILED:
    case OUTCOME_CLIENT_AUTH_REPEATED:
    case OUTCOME_CLIENT_UNAUTHORIZED:
    case OUTCOME_CREDENTIALS_WRONG:
    case OUTCOME_TOKEN_INVALID:
    case OUTCOME_TOKEN_UNKNOWN:
    case OUTCOME_TOKEN_EXPIRED:
    case OUTCOME_TOKEN_REVOKED:
    case OUTCOME_TOKEN_REUSED:
    case OUTCOME_TOKEN_SPENT:
    case OUTCOME_TOKEN_FROM_FUTURE:
    case OUTCOME_WRONG_CLIENT:
    case OUTCOME_WRONG_REALM:
    case OUTCOME_WRONG_USER:
    case OUTCOME_WRONG_ACCESS_TOKEN:
    case OUTCOME_ACCOUNT_GONE:
    case OUTCOME_ACCOUNT_DISABLED:
    case OUTCOME_SCOPE_INVALID:
        refuse_token(exchange, true, response);
        return;
    case OUTCOME_ROTATED: /* grants are encoded; one that comes here is a fault of ours */
    case OUTCOME_RENEWED:
    case OUTCOME_REPLAYED:
    case OUTCOME_RECOVERED:
    case OUTCOME_ROLLED_FORWARD:
    case OUTCOME_FAULT:
        break;
    }
    answer_start(response, 503);
    answer_retry(response);
}

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

const struct layout kopong_layout = {
    .style = JSON_STYLE_ESCAPE_SLASH,
    .header = {{.name = "alg"}},
    .access = write_with_principal,
    .refresh = write_with_principal,
};

/* principal = off: for verifiers that do not read it. */
const struct layout kopong_plain_layout = {
    .style = JSON_STYLE_ESCAPE_SLASH,
    .header = {{.name = "alg"}},
    .access = write_plain,
    .refresh = write_plain,
};

static bool take_principal(struct realm *realm, struct text value)
{
    bool on = text_is(value, "on");

    if (!on && !text_is(value, "off")) {
        return false;
    }
    realm->policy.layout = on ? &kopong_layout : &kopong_plain_layout;
    return true;
}

static const struct dialect_setting settings[] = {
    {"principal", take_principal, "write on or off", "on"},
    {0},
};

/* The refresh token has no `exp` and is echoed: a session lives until it is revoked. */
const struct dialect kopong_dialect = {
    .name = "kopong",
    .summary = "Grails spring-security-rest: form or Bearer with JSON, token echoed",
    .body = DIALECT_BODY_FORM | DIALECT_BODY_JSON,
    .policy = {.rotate = false,
               .concurrency_window_ms = CLOCK_MINUTE,
               .access_lifetime_ms = CLOCK_HOUR,
               .format = REFRESH_FORMAT_JWT,
               .layout = &kopong_layout,
               .algorithm = SIGNING_HS256,
               .scope_rule = SCOPE_IGNORED},
    .settings = settings,
    .decode = decode,
    .encode = encode,
    .refuse = refuse,
};
