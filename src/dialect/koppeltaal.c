/* koppeltaal.c: POST /oauth2/token of the Koppeltaal 2.0 authentication service (Flask): RFC 6749's
 * parameters, its errors as bare sentences, and a scope that must be repeated exactly. Knows those;
 * does not know whether a client assertion is right. */
#include "dialect/answer.h"
#include "dialect/assertion.h"
#include "dialect/dialect.h"

#define JSON_TYPE "application/json"
#define TEXT_TYPE "text/html; charset=utf-8"

/* What the service compares with when no scope is sent. */
#define SCOPE_DEFAULT TEXT("*/write")

/* ---- request ---- */

/* The service's `request.values`: query and form merged, the query wins. */
static const struct form *place_of(const struct dialect_exchange *exchange, const char *name)
{
    struct text value;

    return form_get_even_empty(&exchange->query, name, &value) != FORM_ABSENT ? &exchange->query
                                                                              : &exchange->form;
}

/* False when it stands twice in the place it is read from. */
static bool parameter(const struct dialect_exchange *exchange, const char *name, struct text *value)
{
    return form_get(place_of(exchange, name), name, value) != FORM_REPEATED;
}

/* An empty scope is a scope: a session granted without one is renewed with `scope=`. */
static bool take_scope(struct dialect_exchange *exchange)
{
    struct refresh_ask *ask = &exchange->ask;

    ask->scope_given = true;
    switch (form_get_even_empty(place_of(exchange, "scope"), "scope", &ask->scope)) {
    case FORM_ONE:
        return true;
    case FORM_REPEATED:
        return false;
    case FORM_ABSENT:
        break;
    }
    ask->scope = SCOPE_DEFAULT;
    return true;
}

/* Refreshing needs no client authentication here (hence no client_bound, and client_id is not
 * read); an assertion that is sent nevertheless must be right. */
static bool decode(struct dialect_exchange *exchange, enum outcome *refusal)
{
    struct text grant_type = {0};
    struct text assertion = {0};
    struct text assertion_type = {0};

    if (!parameter(exchange, "grant_type", &grant_type) ||
        !parameter(exchange, "refresh_token", &exchange->ask.refresh_token) ||
        !parameter(exchange, "client_assertion", &assertion) ||
        !parameter(exchange, "client_assertion_type", &assertion_type) || !take_scope(exchange)) {
        *refusal = OUTCOME_PARAMETER_REPEATED;
    } else if (grant_type.size == 0) {
        *refusal = OUTCOME_GRANT_TYPE_MISSING;
    } else if (!text_is(grant_type, "refresh_token")) {
        *refusal = OUTCOME_GRANT_TYPE_UNSUPPORTED;
    } else if (exchange->ask.refresh_token.size == 0) {
        *refusal = OUTCOME_TOKEN_MISSING;
    } else {
        return assertion_take(exchange, assertion, assertion_type, refusal);
    }
    return false;
}

/* ---- answer ---- */

/* Flask's jsonify: keys sorted, ASCII, a newline at the end. The service's `id_token` is left out:
 * the document has four keys, and it lacked the claims that make one. */
static void encode(const struct dialect_exchange *exchange, enum outcome outcome,
                   struct http_response *response)
{
    const struct refresh_answer *answer = &exchange->answer;
    struct buffer body;
    struct json_out out;

    (void)outcome;
    answer_compose(&exchange->answer, exchange->arena, &body);
    out = json_out_start(&body, JSON_STYLE_ASCII);
    json_out_open(&out);
    json_out_member(&out, "access_token", answer->access_token);
    json_out_member_int(&out, "expires_in", answer->expires_in_s);
    json_out_member(&out, "refresh_token", answer->refresh_token);
    json_out_member(&out, "token_type", TEXT("Bearer"));
    json_out_close(&out);
    buffer_add_char(&body, '\n');
    answer_buffer(response, 200, JSON_TYPE, &body);
}

static void refuse(const struct dialect_exchange *exchange, enum outcome outcome,
                   struct http_response *response)
{
    bool get = exchange->mount->realm->behaviour == BEHAVIOUR_DEPLOYED;

    switch (outcome) {
    case OUTCOME_METHOD_NOT_ALLOWED:
        answer_body(response, 405, TEXT_TYPE, TEXT("Method Not Allowed"));
        http_response_header_c(response, "Allow", get ? "GET, POST" : "POST");
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
    case OUTCOME_FIELD_MISSING:
    case OUTCOME_CLIENT_AUTH_REPEATED:
        answer_body(response, 400, TEXT_TYPE, TEXT("Bad Request"));
        return;
    case OUTCOME_CLIENT_AUTH_FAILED:
    case OUTCOME_CLIENT_UNAUTHORIZED:
        answer_body(response, 401, TEXT_TYPE, TEXT("Access Denied"));
        return;
    case OUTCOME_SCOPE_INVALID:
        answer_body(response, 400, TEXT_TYPE, TEXT("Bad Request, invalid scope"));
        return;
    /* The service looked up whatever it was given: nothing is not found either. */
    case OUTCOME_TOKEN_MISSING:
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
        answer_body(response, 400, TEXT_TYPE, TEXT("Bad Request, invalid token"));
        return;
    case OUTCOME_ROTATED: /* grants are encoded; one that comes here is a fault of ours */
    case OUTCOME_RENEWED:
    case OUTCOME_REPLAYED:
    case OUTCOME_RECOVERED:
    case OUTCOME_ROLLED_FORWARD:
    case OUTCOME_FAULT:
        break;
    }
    answer_body(response, 503, TEXT_TYPE, TEXT("Service Unavailable"));
    answer_retry(response);
}

/* ---- tokens ---- */

/* The service named a person only where a person had logged in, and not for a service's own grant:
 * the claims of the account tell which it is. */
static void add_person(struct json_out *out, const struct layout_claims *claims)
{
    bool person = json_object_get(claims->account, "email") != NULL ||
                  json_object_get(claims->account, "given_name") != NULL;

    if (person && claims->subject.size > 0) {
        json_out_member(out, "sub", claims->subject);
    }
    layout_add_account_claim(out, claims, "email");
    layout_add_account_claim(out, claims, "given_name");
    layout_add_account_claim(out, claims, "family_name");
}

static void write_access(struct json_out *out, const struct layout_claims *claims)
{
    json_out_member(out, "iss", claims->issuer);
    json_out_member(out, "aud", claims->audience);
    json_out_member_int(out, "nbf", claims->issued_at_s);
    layout_add_expiry(out, claims);
    json_out_member(out, "nonce", text_of(claims->jti));
    json_out_member(out, "type", TEXT("access"));
    add_person(out, claims);
    if (claims->scope_given) {
        json_out_member(out, "scope", claims->scope);
    }
    json_out_member(out, "azp", claims->client.size > 0 ? claims->client : claims->subject);
}

const struct layout koppeltaal_layout = {
    .header = {{.name = "kid"}, {.name = "alg"}, {"typ", "JWT"}},
    .access = write_access,
    .says_scope = true,
};

/* Nobody ever said how long a refresh token lives; here until it is revoked. */
const struct dialect koppeltaal_dialect = {
    .name = "koppeltaal",
    .summary = "Koppeltaal 2.0: form, UUID tokens, exact scope",
    .method_get = true,
    .body = DIALECT_BODY_FORM,
    .policy = {.rotate = true,
               .concurrency_window_ms = CLOCK_MINUTE,
               .access_lifetime_ms = CLOCK_HOUR,
               .format = REFRESH_FORMAT_UUID,
               .layout = &koppeltaal_layout,
               .algorithm = SIGNING_RS512,
               .scope_rule = SCOPE_EXACT},
    .issuer = "https://authentication-service.koppeltaal.headease.nl/",
    .audience = "fhir-server",
    .decode = decode,
    .encode = encode,
    .refuse = refuse,
};
