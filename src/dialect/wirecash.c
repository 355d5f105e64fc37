/* wirecash.c: POST /sandbox/token and /production/token of the WireCash API: one JSON object with
 * username, access_token and refresh_token. Knows that object and the two documented errors; no
 * source of the real server is public. */
#include "dialect/answer.h"
#include "dialect/dialect.h"

#define JSON_TYPE "application/json"

/* ---- request ---- */

/* The documented Python sample puts everything into the query string, where servers log it; the
 * document itself says "must be placed in the body". */
static bool stands_in_url(const struct dialect_exchange *exchange)
{
    struct text value;

    return form_get(&exchange->query, "refresh_token", &value) != FORM_ABSENT ||
           form_get(&exchange->query, "access_token", &value) != FORM_ABSENT ||
           form_get(&exchange->query, "username", &value) != FORM_ABSENT;
}

/* A required member: a string, not empty. */
static bool member(const struct dialect_exchange *exchange, const char *key, struct text *value)
{
    return exchange->json != NULL && json_in_text(exchange->json, key, value) == JSON_IN_TEXT &&
           value->size > 0;
}

static bool decode(struct dialect_exchange *exchange, enum outcome *refusal)
{
    struct refresh_ask *ask = &exchange->ask;

    if (stands_in_url(exchange)) {
        *refusal = OUTCOME_PARAMETER_IN_URL;
    } else if (!member(exchange, "refresh_token", &ask->refresh_token)) {
        *refusal = OUTCOME_TOKEN_MISSING;
    } else if (!member(exchange, "access_token", &ask->access_token) ||
               !member(exchange, "username", &ask->username)) {
        *refusal = OUTCOME_FIELD_MISSING;
    } else {
        ask->access_token_given = ask->username_given = true;
        return true;
    }
    return false;
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
    json_out_member(&out, "access_token", answer->access_token);
    json_out_member_int(&out, "expires_in", answer->expires_in_s);
    json_out_member(&out, "refresh_token", answer->refresh_token);
    json_out_member(&out, "token_type", TEXT("Bearer"));
    json_out_close(&out);
    answer_buffer(response, 200, JSON_TYPE, &body);
}

/* The document gives errors a status and no schema, but its Node sample parses every answer as
 * JSON: so there is a body, unless the mount wants the bare status. */
static void refuse_with(const struct dialect_exchange *exchange, int status, struct text body,
                        struct http_response *response)
{
    bool bare = exchange->mount->realm->behaviour == BEHAVIOUR_DEPLOYED;

    answer_body(response, status, JSON_TYPE, bare ? TEXT("") : body);
}

static void refuse(const struct dialect_exchange *exchange, enum outcome outcome,
                   struct http_response *response)
{
    switch (outcome) {
    case OUTCOME_METHOD_NOT_ALLOWED:
        refuse_with(exchange, 405, TEXT("{\"message\":\"Method not allowed\"}"), response);
        http_response_header_c(response, "Allow", "POST");
        return;
    case OUTCOME_BODY_TOO_LARGE:
    case OUTCOME_BODY_INCOMPLETE:
    case OUTCOME_LENGTH_REQUIRED:
    case OUTCOME_UNSUPPORTED_MEDIA:
    case OUTCOME_MALFORMED:
    case OUTCOME_PARAMETER_REPEATED:
    case OUTCOME_PARAMETER_IN_URL:
    case OUTCOME_GRANT_TYPE_MISSING:
    case OUTCOME_GRANT_TYPE_UNSUPPORTED:
    case OUTCOME_TOKEN_MISSING:
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
        refuse_with(exchange, 400, TEXT("{\"message\":\"Invalid data provided\"}"), response);
        return;
    case OUTCOME_ROTATED: /* grants are encoded; one that comes here is a fault of ours */
    case OUTCOME_RENEWED:
    case OUTCOME_REPLAYED:
    case OUTCOME_RECOVERED:
    case OUTCOME_ROLLED_FORWARD:
    case OUTCOME_FAULT:
        break;
    }
    refuse_with(exchange, 500, TEXT("{\"message\":\"Internal server error\"}"), response);
}

/* ---- tokens ---- */

static void write_access(struct json_out *out, const struct layout_claims *claims)
{
    json_out_member(out, "sub", claims->username);
    json_out_member_int(out, "iat", claims->issued_at_s);
    layout_add_expiry(out, claims);
    json_out_member(out, "sid", text_of(claims->session));
    json_out_member(out, "jti", text_of(claims->jti));
}

const struct layout wirecash_layout = {
    .header = {{.name = "alg"}, {"typ", "JWT"}, {.name = "kid"}},
    .access = write_access,
    .session_claim = "sid",
};

/* The refresh token "provided by the Authentication Request or token request" is the one to use
 * next: it rotates. Its lifetimes are stated nowhere. */
const struct dialect wirecash_dialect = {
    .name = "wirecash",
    .summary = "WireCash API: JSON with user name, access and refresh token",
    .method_any_case = true,
    .body = DIALECT_BODY_JSON,
    .policy = {.rotate = true,
               .concurrency_window_ms = CLOCK_MINUTE,
               .idle_lifetime_ms = INT64_C(30) * CLOCK_DAY,
               .absolute_lifetime_ms = INT64_C(365) * CLOCK_DAY,
               .access_lifetime_ms = CLOCK_HOUR,
               .format = REFRESH_FORMAT_NATIVE,
               .layout = &wirecash_layout,
               .algorithm = SIGNING_RS256,
               .scope_rule = SCOPE_IGNORED},
    .decode = decode,
    .encode = encode,
    .refuse = refuse,
};
