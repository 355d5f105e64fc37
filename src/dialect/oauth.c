/* SPDX-License-Identifier: ISC */
/* oauth.c: POST /oauth/token, the refresh grant of RFC 6749 section 6 with client authentication by
 * Basic, by body and by JWT (RFC 7523). Knows the RFC's parameters and error codes; does not know
 * whether a client is right. */
#include "dialect/answer.h"

#include "dialect/assertion.h"
#include "dialect/browser.h"
#include "dialect/dialect.h"

#define JSON_TYPE "application/json;charset=UTF-8"

/* ---- request ---- */

/* The parameters of the body (RFC 6749 section 3.2): none may be given twice, one without a
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

static bool read_parameters(const struct form *form, struct parameters *parameters,
                            enum outcome *refusal)
{
    const struct {
        const char *name;
        struct text *value;
        bool exact; /* white space at the ends of others is a line break of the file they came from
                     */
    } rows[] = {
        {"grant_type", &parameters->grant_type, false},
        {"refresh_token", &parameters->refresh_token, false},
        {"scope", &parameters->scope, false},
        {"client_id", &parameters->client_id, true},
        {"client_secret", &parameters->client_secret, true},
        {"client_assertion", &parameters->client_assertion, false},
        {"client_assertion_type", &parameters->client_assertion_type, false},
    };

    *parameters = (struct parameters){0};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        if (!dialect_parameter(form_get(form, rows[i].name, rows[i].value), refusal)) {
            return false;
        } else if (!rows[i].exact) {
            *rows[i].value = text_strip(*rows[i].value);
        }
    }
    return true;
}

/* RFC 6749 sections 2.3.1 and 3.2: never in the URI, where servers and proxies log it. */
static bool credential_in_url(const struct request *request)
{
    static const char *const names[] = {"refresh_token", "client_secret", "client_assertion"};
    struct text value;

    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        if (form_get(&request->query, names[i], &value) != FORM_ABSENT) {
            return true;
        }
    }
    return false;
}

/* Basic: a client_id in the body may repeat the name, nothing may prove it a second time. */
static bool take_basic(struct request *request, const struct parameters *parameters,
                       struct http_basic_pair decoded, struct http_basic_pair raw,
                       enum outcome *refusal)
{
    struct client_proof *client = &request->client;
    struct text id = parameters->client_id;

    decoded.given = decoded.given && (id.size == 0 || text_equal(id, decoded.user));
    raw.given = raw.given && (id.size == 0 || text_equal(id, raw.user));
    if (parameters->client_secret.size > 0 || parameters->client_assertion.size > 0 ||
        (!decoded.given && !raw.given)) {
        *refusal = OUTCOME_CLIENT_AUTH_REPEATED;
        return false;
    }
    client->kind = CLIENT_PROOF_BASIC;
    client->id = decoded.given ? decoded.user : raw.user;
    client->secret = decoded.given ? decoded.password : raw.password;
    if (decoded.given && raw.given) {
        client->raw_given = true;
        client->raw_id = raw.user;
        client->raw_secret = raw.password;
    }
    return true;
}

static bool take_body_proof(struct request *request, const struct parameters *parameters,
                            enum outcome *refusal)
{
    bool secret = parameters->client_secret.size > 0;

    request->client.id = parameters->client_id;
    if (secret && parameters->client_assertion.size > 0) {
        *refusal = OUTCOME_CLIENT_AUTH_REPEATED;
        return false;
    } else if (secret && parameters->client_id.size == 0) {
        *refusal = OUTCOME_FIELD_MISSING;
        return false;
    } else if (secret) {
        request->client.kind = CLIENT_PROOF_BODY;
        request->client.secret = parameters->client_secret;
        return true;
    }
    return assertion_take(request, parameters->client_assertion, parameters->client_assertion_type,
                          refusal);
}

static bool take_client(struct request *request, const struct parameters *parameters,
                        enum outcome *refusal)
{
    struct http_basic_pair decoded;
    struct http_basic_pair raw;

    switch (http_basic(request->arena, &request->http->request, &decoded, &raw)) {
    case HTTP_BASIC_OK:
        return take_basic(request, parameters, decoded, raw, refusal);
    case HTTP_BASIC_ABSENT:
        return take_body_proof(request, parameters, refusal);
    case HTTP_BASIC_MALFORMED:
        break;
    }
    *refusal = OUTCOME_CLIENT_AUTH_FAILED;
    request->answer.refusal = CLIENT_REFUSED_HEADER;
    return false;
}

static bool decode(struct request *request, enum outcome *refusal)
{
    struct refresh_input *input = &request->input.refresh;
    struct parameters parameters;

    if (credential_in_url(request)) {
        *refusal = OUTCOME_PARAMETER_IN_URL;
        return false;
    } else if (!read_parameters(&request->form, &parameters, refusal)) {
        return false;
    }
    if (parameters.grant_type.size == 0) {
        *refusal = OUTCOME_GRANT_TYPE_MISSING;
    } else if (!text_is(parameters.grant_type, "refresh_token")) {
        *refusal = OUTCOME_GRANT_TYPE_UNSUPPORTED;
    } else if (parameters.refresh_token.size == 0) {
        *refusal = OUTCOME_TOKEN_MISSING;
    } else {
        input->refresh_token = parameters.refresh_token;
        input->scope = parameters.scope;
        input->scope_given = parameters.scope.size > 0;
        return take_client(request, &parameters, refusal);
    }
    return false;
}

/* ---- answer ---- */

/* The document's four keys say `expires`, which few clients read: RFC 6749 section 5.1 says
 * `expires_in`, and `scope` when it is less than was granted. `expires-in = off`: the four alone.
 */
static void encode(const struct request *request, enum outcome outcome,
                   struct http_response *response)
{
    const struct answer *answer = &request->answer;
    bool deployed = request->realm->behaviour == BEHAVIOUR_DEPLOYED;
    struct buffer body;
    struct json_out out;

    (void)outcome;
    answer_compose(request, &body);
    out = json_out_start(&body, JSON_STYLE_PLAIN);
    json_out_open(&out);
    json_out_member(&out, "access_token", answer->access_token);
    json_out_member(&out, "refresh_token", answer->refresh_token);
    json_out_member(&out, "token_type", TEXT("bearer"));
    if (!deployed) {
        json_out_member_int(&out, "expires", answer->expires_in_s);
    }
    if (deployed || !request->realm->expires_in_omitted) {
        json_out_member_int(&out, "expires_in", answer->expires_in_s);
    }
    if (answer->scope_narrowed && (deployed || !request->realm->expires_in_omitted)) {
        json_out_member(&out, "scope", answer->scope);
    }
    json_out_close(&out);
    answer_buffer(response, 200, JSON_TYPE, &body);
}

/* RFC 6749 section 5.2: a client that tried the Authorization header is told which scheme to use.
 * Not in a browser, which would ask its user for a name and a password. */
static bool tried_basic(const struct request *request)
{
    struct text credentials;

    return http_authorization(&request->http->request, "Basic", &credentials) != HTTP_ABSENT &&
           !browser_asks(request);
}

/* Only who has a token of the session gets as far as its scope. */
static struct text granted(const struct request *request)
{
    return request->answer.granted;
}

static bool has_scope(const struct request *request)
{
    return granted(request).size > 0;
}

#define BAD_GRANT "The refresh token is invalid, expired or revoked, or belongs to another client."
#define ERROR(code, description)                                                                   \
    "{\"error\":\"" code "\",\"error_description\":\"" description "\"}"
#define SAYS(status_code, code, description)                                                       \
    .status = (status_code), .media_type = JSON_TYPE, .body = ERROR(code, description)

/* Which token error it was is the operator's business alone: one answer for all of them. Section
 * 5.2 has no code for a fault; section 4.1.2.1 names it after the status. */
static const struct wording words[] = {
    {OUTCOME_METHOD_NOT_ALLOWED, SAYS(405, "invalid_request", "Use POST.")},
    {OUTCOME_PAGE_FOREIGN, SAYS(403, "invalid_request", "Pages of this origin may not ask here.")},
    {OUTCOME_BODY_TOO_LARGE, SAYS(413, "invalid_request", "The body is too large.")},
    {OUTCOME_BODY_INCOMPLETE,
     SAYS(400, "invalid_request", "The body is not as long as announced.")},
    {OUTCOME_LENGTH_REQUIRED, SAYS(411, "invalid_request", "Content-Length is required.")},
    {OUTCOME_UNSUPPORTED_MEDIA,
     SAYS(400, "invalid_request", "The body must be application/x-www-form-urlencoded in UTF-8.")},
    {OUTCOME_UNSUPPORTED_CODING, SAYS(415, "invalid_request", "The body must not be compressed."),
     DIALECT_NO_CODING},
    {OUTCOME_PARAMETER_REPEATED,
     SAYS(400, "invalid_request", "A parameter is given more than once.")},
    {OUTCOME_PARAMETER_IN_URL, SAYS(400, "invalid_request", "Credentials belong in the body.")},
    {OUTCOME_GRANT_TYPE_MISSING, SAYS(400, "invalid_request", "grant_type is missing.")},
    {OUTCOME_GRANT_TYPE_UNSUPPORTED,
     SAYS(400, "unsupported_grant_type", "This endpoint takes grant_type refresh_token.")},
    {OUTCOME_TOKEN_MISSING, SAYS(400, "invalid_request", "refresh_token is missing.")},
    {OUTCOME_FIELD_MISSING, SAYS(400, "invalid_request", "A required parameter is missing.")},
    {WORDS_CLASS(REQUEST), SAYS(400, "invalid_request", "The request cannot be parsed.")},
    {OUTCOME_CLIENT_AUTH_REPEATED,
     SAYS(400, "invalid_request", "The client must authenticate in one way only.")},
    {OUTCOME_CLIENT_UNAUTHORIZED,
     SAYS(400, "unauthorized_client", "The client may not use this grant.")},
    {OUTCOME_CREDENTIALS_WRONG, SAYS(400, "invalid_grant", BAD_GRANT)},
    {OUTCOME_SLOWED, SAYS(429, "temporarily_unavailable",
                          "Too many wrong secrets were sent; wait before the next try.")},
    {WORDS_CLASS(CLIENT), SAYS(401, "invalid_client", "The client could not be authenticated."),
     .when = tried_basic, .header = "WWW-Authenticate", .value = "Basic realm=\"retoken\""},
    {WORDS_CLASS(CLIENT), SAYS(401, "invalid_client", "The client could not be authenticated.")},
    {OUTCOME_SCOPE_INVALID,
     SAYS(400, "invalid_scope", "The scope goes beyond what was granted: %s."), .when = has_scope,
     .quote = granted},
    {OUTCOME_SCOPE_INVALID,
     SAYS(400, "invalid_scope", "The session was granted no scope, so it can ask for none.")},
    {WORDS_CLASS(TOKEN), SAYS(400, "invalid_grant", BAD_GRANT)},
    {OUTCOME_BUSY, SAYS(503, "temporarily_unavailable",
                        "Too much is being checked; the refresh token is still good.")},
    {WORDS_CLASS(HERE), SAYS(503, "temporarily_unavailable",
                             "Something broke here; the refresh token is still good.")},
    {0},
};

/* ---- tokens: RFC 9068 section 2.2; where the operator names no audience, it is this server ----
 */

static void write_access(struct json_out *out, const struct layout_claims *claims)
{
    layout_add_named(out, "iss", claims->issuer);
    json_out_member(out, "sub", claims->subject);
    layout_add_named(out, "aud", claims->audience.size > 0 ? claims->audience : claims->issuer);
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

static const struct layout layout = {
    .header = {{"typ", "at+jwt"}, {.name = "alg"}, {.name = "kid"}},
    .access = write_access,
    .session_claim = "sid",
    .says_scope = true,
    .says_audience = true,
};

static bool take_expires_in(struct realm *realm, struct text value)
{
    realm->expires_in_omitted = text_is(value, "off");
    return realm->expires_in_omitted || text_is(value, "on");
}

static const struct dialect_setting settings[] = {
    {"expires-in", take_expires_in, "write on or off", "on"},
    {0},
};

static const char *advise(const struct realm *realm)
{
    if (!realm->policy.rotate) {
        return "without rotation a public client's stolen token is never noticed (RFC 9700): set "
               "rotation = on";
    }
    return NULL;
}

static const struct endpoint endpoints[] = {
    {.name = "token",
     .path = "/oauth/token",
     .methods = ENDPOINT_POST,
     .body = ENDPOINT_BODY_FORM,
     .client_bound = true,
     .operation = &operation_refresh,
     .decode = decode,
     .encode = encode,
     .words = words},
};

const struct dialect oauth_dialect = {
    .name = "oauth",
    .summary = "RFC 6749 refresh grant with client authentication",
    .endpoints = endpoints,
    .endpoint_count = sizeof endpoints / sizeof endpoints[0],
    .proves_clients = true,
    .policy = {.rotate = true,
               .concurrency_window_ms = CLOCK_MINUTE,
               .idle_lifetime_ms = INT64_C(30) * CLOCK_DAY,
               .absolute_lifetime_ms = INT64_C(365) * CLOCK_DAY,
               .access_lifetime_ms = CLOCK_HOUR,
               .format = REFRESH_FORMAT_NATIVE,
               .layout = &layout,
               .algorithm = SIGNING_RS256,
               .scope_rule = SCOPE_SUBSET},
    .settings = settings,
    .advise = advise,
};
