/* oauth.c: POST /oauth/token, the refresh grant of RFC 6749 section 6 with client authentication by
 * Basic, by body and by JWT (RFC 7523). Knows the RFC's parameters and error codes; does not know
 * whether a client is right. */
#include "dialect/answer.h"
#include "dialect/assertion.h"
#include "dialect/dialect.h"

#define JSON_TYPE "application/json;charset=UTF-8"

/* ---- request ---- */

/* The parameters of the body (RFC 6749 section 3.2): none may stand there twice, one without a
 * value counts as omitted, others are ignored. */
struct parameters {
    struct text grant_type;
    struct text refresh_token;
    struct text scope;
    struct text client_id;
    struct text client_secret;
    struct text client_assertion;
    struct text client_assertion_type;
};

static bool read_parameters(const struct form *form, struct parameters *parameters)
{
    const struct {
        const char *name;
        struct text *value;
    } rows[] = {
        {"grant_type", &parameters->grant_type},
        {"refresh_token", &parameters->refresh_token},
        {"scope", &parameters->scope},
        {"client_id", &parameters->client_id},
        {"client_secret", &parameters->client_secret},
        {"client_assertion", &parameters->client_assertion},
        {"client_assertion_type", &parameters->client_assertion_type},
    };

    *parameters = (struct parameters){0};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        if (form_get(form, rows[i].name, rows[i].value) == FORM_REPEATED) {
            return false;
        }
    }
    return true;
}

/* RFC 6749 sections 2.3.1 and 3.2: never in the URI, where servers and proxies log it. */
static bool credential_in_url(const struct dialect_exchange *exchange)
{
    static const char *const names[] = {"refresh_token", "client_secret", "client_assertion"};
    struct text value;

    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        if (form_get(&exchange->query, names[i], &value) != FORM_ABSENT) {
            return true;
        }
    }
    return false;
}

/* Basic: a client_id in the body may repeat the name, nothing may prove it a second time. */
static bool take_basic(struct refresh_ask *ask, const struct parameters *parameters,
                       struct text user, struct text password, enum outcome *refusal)
{
    if (parameters->client_secret.size > 0 || parameters->client_assertion.size > 0 ||
        (parameters->client_id.size > 0 && !text_equal(parameters->client_id, user))) {
        *refusal = OUTCOME_CLIENT_AUTH_REPEATED;
        return false;
    }
    ask->client_proof = CLIENT_PROOF_BASIC;
    ask->client_id = user;
    ask->client_secret = password;
    return true;
}

static bool take_body_proof(struct dialect_exchange *exchange, const struct parameters *parameters,
                            enum outcome *refusal)
{
    struct refresh_ask *ask = &exchange->ask;
    bool secret = parameters->client_secret.size > 0;

    ask->client_id = parameters->client_id;
    if (secret && parameters->client_assertion.size > 0) {
        *refusal = OUTCOME_CLIENT_AUTH_REPEATED;
        return false;
    } else if (secret && parameters->client_id.size == 0) {
        *refusal = OUTCOME_FIELD_MISSING;
        return false;
    } else if (secret) {
        ask->client_proof = CLIENT_PROOF_BODY;
        ask->client_secret = parameters->client_secret;
        return true;
    }
    return assertion_take(exchange, parameters->client_assertion, parameters->client_assertion_type,
                          refusal);
}

static bool take_client(struct dialect_exchange *exchange, const struct parameters *parameters,
                        enum outcome *refusal)
{
    struct text user = {0};
    struct text password = {0};

    exchange->ask.client_bound = true;
    switch (http_basic(exchange->arena, exchange->request, &user, &password)) {
    case HTTP_BASIC_OK:
        return take_basic(&exchange->ask, parameters, user, password, refusal);
    case HTTP_BASIC_ABSENT:
        return take_body_proof(exchange, parameters, refusal);
    case HTTP_BASIC_MALFORMED:
        break;
    }
    *refusal = OUTCOME_CLIENT_AUTH_FAILED;
    return false;
}

static bool decode(struct dialect_exchange *exchange, enum outcome *refusal)
{
    struct refresh_ask *ask = &exchange->ask;
    struct parameters parameters;

    if (credential_in_url(exchange)) {
        *refusal = OUTCOME_PARAMETER_IN_URL;
    } else if (!read_parameters(&exchange->form, &parameters)) {
        *refusal = OUTCOME_PARAMETER_REPEATED;
    } else if (parameters.grant_type.size == 0) {
        *refusal = OUTCOME_GRANT_TYPE_MISSING;
    } else if (!text_is(parameters.grant_type, "refresh_token")) {
        *refusal = OUTCOME_GRANT_TYPE_UNSUPPORTED;
    } else if (parameters.refresh_token.size == 0) {
        *refusal = OUTCOME_TOKEN_MISSING;
    } else {
        ask->refresh_token = parameters.refresh_token;
        ask->scope = parameters.scope;
        ask->scope_given = parameters.scope.size > 0;
        return take_client(exchange, &parameters, refusal);
    }
    return false;
}

/* ---- answer ---- */

/* The document's four keys say `expires`; RFC 6749 section 5.1 says `expires_in`, and `scope` when
 * it is less than was granted. */
static void encode(const struct dialect_exchange *exchange, enum outcome outcome,
                   struct http_response *response)
{
    const struct refresh_answer *answer = &exchange->answer;
    bool deployed = exchange->mount->realm->behaviour == BEHAVIOUR_DEPLOYED;
    struct buffer body;
    struct json_out out;

    (void)outcome;
    answer_compose(&exchange->answer, exchange->arena, &body);
    out = json_out_start(&body, JSON_STYLE_PLAIN);
    json_out_open(&out);
    json_out_member(&out, "access_token", answer->access_token);
    json_out_member(&out, "refresh_token", answer->refresh_token);
    json_out_member(&out, "token_type", TEXT("bearer"));
    json_out_member_int(&out, deployed ? "expires_in" : "expires", answer->expires_in_s);
    if (deployed && answer->scope_narrowed) {
        json_out_member(&out, "scope", answer->scope);
    }
    json_out_close(&out);
    answer_buffer(response, 200, JSON_TYPE, &body);
}

#define ERROR(code, description)                                                                   \
    TEXT("{\"error\":\"" code "\",\"error_description\":\"" description "\"}")

static void refuse_request(struct http_response *response, int status, struct text body)
{
    answer_body(response, status, JSON_TYPE, body);
}

/* RFC 6749 section 5.2: who tried the Authorization header is told which scheme it takes. */
static void refuse_client(const struct dialect_exchange *exchange, struct http_response *response)
{
    struct text credentials;

    answer_body(response, 401, JSON_TYPE,
                ERROR("invalid_client", "The client could not be authenticated."));
    if (http_authorization(exchange->request, "Basic", &credentials) != HTTP_ABSENT) {
        http_response_header_c(response, "WWW-Authenticate", "Basic realm=\"retoken\"");
    }
}

static void refuse(const struct dialect_exchange *exchange, enum outcome outcome,
                   struct http_response *response)
{
    switch (outcome) {
    case OUTCOME_METHOD_NOT_ALLOWED:
        refuse_request(response, 405,
                       ERROR("invalid_request", "This endpoint is asked with POST."));
        http_response_header_c(response, "Allow", "POST");
        return;
    case OUTCOME_BODY_TOO_LARGE:
        refuse_request(response, 413, ERROR("invalid_request", "The body is too large."));
        return;
    case OUTCOME_BODY_INCOMPLETE:
        refuse_request(response, 400,
                       ERROR("invalid_request", "The body is not as long as announced."));
        return;
    case OUTCOME_LENGTH_REQUIRED:
        refuse_request(response, 411, ERROR("invalid_request", "Content-Length is required."));
        return;
    case OUTCOME_UNSUPPORTED_MEDIA:
        refuse_request(response, 400,
                       ERROR("invalid_request",
                             "The body must be application/x-www-form-urlencoded in UTF-8."));
        return;
    case OUTCOME_MALFORMED:
        refuse_request(response, 400, ERROR("invalid_request", "The request cannot be parsed."));
        return;
    case OUTCOME_PARAMETER_REPEATED:
        refuse_request(response, 400,
                       ERROR("invalid_request", "A parameter is given more than once."));
        return;
    case OUTCOME_PARAMETER_IN_URL:
        refuse_request(response, 400, ERROR("invalid_request", "Credentials belong in the body."));
        return;
    case OUTCOME_GRANT_TYPE_MISSING:
        refuse_request(response, 400, ERROR("invalid_request", "grant_type is missing."));
        return;
    case OUTCOME_TOKEN_MISSING:
        refuse_request(response, 400, ERROR("invalid_request", "refresh_token is missing."));
        return;
    case OUTCOME_FIELD_MISSING:
        refuse_request(response, 400, ERROR("invalid_request", "A required parameter is missing."));
        return;
    case OUTCOME_CLIENT_AUTH_REPEATED:
        refuse_request(response, 400,
                       ERROR("invalid_request", "The client must authenticate in one way only."));
        return;
    case OUTCOME_GRANT_TYPE_UNSUPPORTED:
        refuse_request(
            response, 400,
            ERROR("unsupported_grant_type", "This endpoint takes grant_type refresh_token."));
        return;
    case OUTCOME_CLIENT_AUTH_FAILED:
        refuse_client(exchange, response);
        return;
    case OUTCOME_CLIENT_UNAUTHORIZED:
        refuse_request(response, 400,
                       ERROR("unauthorized_client", "The client may not use this grant."));
        return;
    case OUTCOME_SCOPE_INVALID:
        refuse_request(response, 400,
                       ERROR("invalid_scope", "The scope goes beyond what was granted."));
        return;
    /* One answer for all of these: which one it was is nobody's business but the operator's. */
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
        refuse_request(response, 400,
                       ERROR("invalid_grant", "The refresh token is invalid, expired or revoked, "
                                              "or belongs to another client."));
        return;
    case OUTCOME_ROTATED: /* grants are encoded; one that comes here is a fault of ours */
    case OUTCOME_RENEWED:
    case OUTCOME_REPLAYED:
    case OUTCOME_RECOVERED:
    case OUTCOME_ROLLED_FORWARD:
    case OUTCOME_FAULT:
        break;
    }
    /* Section 5.2 has no code for this; section 4.1.2.1 names it after the status. */
    refuse_request(
        response, 503,
        ERROR("temporarily_unavailable", "Something broke here; the refresh token is still good."));
    answer_retry(response);
}

/* ---- tokens: RFC 9068 section 2.2, as far as the operator has named issuer and audience ---- */

static void write_access(struct json_out *out, const struct layout_claims *claims)
{
    layout_add_named(out, "iss", claims->issuer);
    json_out_member(out, "sub", claims->subject);
    layout_add_named(out, "aud", claims->audience);
    layout_add_expiry(out, claims);
    json_out_member_int(out, "iat", claims->issued_at_s);
    json_out_member(out, "jti", text_of(claims->jti));
    layout_add_named(out, "client_id", claims->client);
    layout_add_named(out, "scope", claims->scope); /* an empty one is none (RFC 6749 section 3.3) */
    json_out_member(out, "sid", text_of(claims->session));
    if (claims->roles.size > 0) {
        layout_add_words(out, "roles", claims->roles);
    }
}

const struct layout oauth_layout = {
    .header = {{"typ", "at+jwt"}, {.name = "alg"}, {.name = "kid"}},
    .access = write_access,
    .session_claim = "sid",
    .says_scope = true,
};

const struct dialect oauth_dialect = {
    .name = "oauth",
    .summary = "RFC 6749 refresh grant with client authentication",
    .body = DIALECT_BODY_FORM,
    .policy = {.rotate = true,
               .concurrency_window_ms = CLOCK_MINUTE,
               .idle_lifetime_ms = INT64_C(30) * CLOCK_DAY,
               .absolute_lifetime_ms = INT64_C(365) * CLOCK_DAY,
               .access_lifetime_ms = CLOCK_HOUR,
               .format = REFRESH_FORMAT_NATIVE,
               .layout = &oauth_layout,
               .algorithm = SIGNING_RS256,
               .scope_rule = SCOPE_SUBSET},
    .decode = decode,
    .encode = encode,
    .refuse = refuse,
};
