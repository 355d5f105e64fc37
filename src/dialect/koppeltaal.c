/* SPDX-License-Identifier: ISC */
/* koppeltaal.c: POST /oauth2/token and /oauth2/introspect of the Koppeltaal 2.0 authentication
 * service (Flask): RFC 6749's parameters, its errors as bare sentences, and a scope that must be
 * repeated exactly. A service begins with client_credentials and a client assertion, and gets a
 * refresh token, too. Knows those; does not know whether an assertion is right. */
#include "dialect/answer.h"

#include "dialect/assertion.h"
#include "dialect/dialect.h"
#include "dialect/introspection.h"
#include "dialect/metadata.h"

#define JSON_TYPE "application/json"
#define TEXT_TYPE "text/html; charset=utf-8"

/* What the service compares with when no scope is sent. */
#define SCOPE_DEFAULT TEXT("*/write")

/* ---- request ---- */

static bool take_refresh(struct request *request, enum outcome *refusal);
static bool take_service(struct request *request, enum outcome *refusal);
static bool take_scope(const struct request *request, struct text *scope, bool *given,
                       enum outcome *refusal);
static bool take_assertion(struct request *request, enum outcome *refusal);

/* The service's `request.values`: query and form merged, the query wins. */
static const struct form *place_of(const struct request *request, const char *name)
{
    struct text value;

    return form_get_even_empty(&request->query, name, &value) != FORM_ABSENT ? &request->query
                                                                             : &request->form;
}

/* Without the line break of the file that it came from. False: *refusal. */
static bool parameter(const struct request *request, const char *name, struct text *value,
                      enum outcome *refusal)
{
    bool good = dialect_parameter(form_get(place_of(request, name), name, value), refusal);

    *value = text_strip(*value);
    return good;
}

static bool decode(struct request *request, enum outcome *refusal)
{
    struct text grant_type = {0};

    if (dialect_refuses_query(request)) {
        *refusal = OUTCOME_PARAMETER_IN_URL;
        return false;
    } else if (!parameter(request, "grant_type", &grant_type, refusal)) {
        return false;
    } else if (text_is(grant_type, "refresh_token")) {
        return take_refresh(request, refusal);
    } else if (text_is(grant_type, "client_credentials")) {
        return take_service(request, refusal);
    }
    *refusal = grant_type.size == 0 ? OUTCOME_GRANT_TYPE_MISSING : OUTCOME_GRANT_TYPE_UNSUPPORTED;
    return false;
}

/* An empty scope is a scope: a session granted without one is renewed with `scope=`. */
static bool take_refresh(struct request *request, enum outcome *refusal)
{
    struct refresh_input *input = &request->input.refresh;
    bool given;

    if (!parameter(request, "refresh_token", &input->refresh_token, refusal) ||
        !take_scope(request, &input->scope, &given, refusal)) {
        return false;
    } else if (input->refresh_token.size == 0) {
        *refusal = OUTCOME_TOKEN_MISSING;
        return false;
    } else if (!given) {
        input->scope = SCOPE_DEFAULT;
    }
    input->scope_given = true;
    request->grant = GRANT_REFRESH;
    request->client.beside = input->refresh_token;
    return take_assertion(request, refusal);
}

/* The service's own first tokens, which are renewed like any others. */
static bool take_service(struct request *request, enum outcome *refusal)
{
    struct client_input *input = &request->input.client;

    request->operation = &operation_client;
    request->grant = GRANT_CLIENT;
    input->begins_session = true;
    if (!take_scope(request, &input->scope, &input->scope_given, refusal) ||
        !take_assertion(request, refusal)) {
        return false;
    }
    *refusal = OUTCOME_FIELD_MISSING;
    return request->client.kind == CLIENT_PROOF_ASSERTION;
}

static bool take_scope(const struct request *request, struct text *scope, bool *given,
                       enum outcome *refusal)
{
    enum form_find found = form_get_even_empty(place_of(request, "scope"), "scope", scope);

    *given = found != FORM_ABSENT;
    return dialect_parameter(found, refusal);
}

/* Refreshing needs no client authentication here (hence no client.bound, and client_id is not
 * read); an assertion that is sent nevertheless must be right. */
static bool take_assertion(struct request *request, enum outcome *refusal)
{
    struct text assertion = {0};
    struct text type = {0};

    return parameter(request, "client_assertion", &assertion, refusal) &&
           parameter(request, "client_assertion_type", &type, refusal) &&
           assertion_take(request, assertion, type, refusal);
}

/* At /oauth2/introspect: a form, and the service's assertion, which is asked for here. */
static bool decode_introspect(struct request *request, enum outcome *refusal)
{
    struct refresh_input *input = &request->input.refresh;
    struct text value;

    if (dialect_refuses_query(request) ||
        form_get(&request->query, "token", &value) != FORM_ABSENT) {
        *refusal = OUTCOME_PARAMETER_IN_URL;
        return false;
    } else if (!parameter(request, "token", &input->refresh_token, refusal)) {
        return false;
    } else if (input->refresh_token.size == 0) {
        *refusal = OUTCOME_TOKEN_MISSING;
        return false;
    }
    request->client.beside = input->refresh_token;
    introspection_choose(request);
    return take_assertion(request, refusal);
}

/* ---- answer ---- */

/* Flask's jsonify: keys sorted, ASCII, a newline at the end. The service's `id_token` is left out:
 * the document has four keys, and it lacked the claims that make one. */
static void encode(const struct request *request, enum outcome outcome,
                   struct http_response *response)
{
    const struct answer *answer = &request->answer;
    struct buffer body;
    struct json_out out;

    (void)outcome;
    answer_compose(request, &body);
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

/* Its keys sorted, as all of this service's are. */
static void add_sorted(struct json_out *out, const json_t *payload)
{
    const char *last = "", *next, *name;
    json_t *value;

    do {
        next = NULL;
        json_object_foreach((json_t *)(uintptr_t)payload, name, value)
        {
            if (text_compare(text_of(name), text_of(last)) > 0 &&
                (next == NULL || text_compare(text_of(name), text_of(next)) < 0)) {
                next = name;
            }
        }
        if (next != NULL) {
            json_out_key(out, next);
            json_out_value(out, json_object_get(payload, next));
            last = next;
        }
    } while (next != NULL);
}

static void encode_introspect(const struct request *request, enum outcome outcome,
                              struct http_response *response)
{
    const struct answer *answer = &request->answer;
    struct buffer body;
    struct json_out out;

    buffer_start(&body, request->arena, 1024);
    out = json_out_start(&body, JSON_STYLE_ASCII);
    json_out_open(&out);
    json_out_key(&out, "active");
    json_out_bool(&out, outcome != OUTCOME_INACTIVE);
    if (outcome != OUTCOME_INACTIVE && answer->payload != NULL) {
        add_sorted(&out, answer->payload);
    } else if (outcome != OUTCOME_INACTIVE) {
        layout_add_named(&out, "azp", answer->client);
        json_out_member(&out, "scope", answer->scope);
        json_out_member(&out, "type", TEXT("refresh"));
    }
    json_out_close(&out);
    introspection_answer(request, response, JSON_TYPE, &body, "\n");
}

/* /.well-known/smart-configuration, as the service spelled it. A scope is whatever a client has, so
 * none is listed, and clients are registered by `retoken client`. */
static void encode_smart(const struct request *request, enum outcome outcome,
                         struct http_response *response)
{
    static const char *const proofs[] = {"private_key_jwt", NULL};
    struct buffer body;
    struct json_out out;

    (void)outcome;
    buffer_start(&body, request->arena, 1024);
    out = json_out_start(&body, JSON_STYLE_ASCII);
    json_out_open(&out);
    metadata_add_words(&out, "capabilities",
                       (const char *const[]){"client-confidential-asymmetric", NULL});
    json_out_key(&out, "grant_types_supported");
    json_out_array_open(&out);
    if (policy_offers(&request->realm->policy, GRANT_CLIENT)) {
        json_out_text(&out, TEXT("client_credentials"));
    }
    if (policy_offers(&request->realm->policy, GRANT_REFRESH)) {
        json_out_text(&out, TEXT("refresh_token"));
    }
    json_out_array_close(&out);
    metadata_add_introspection(&out, request, proofs);
    json_out_member(&out, "issuer", text_of(request->realm->issuer));
    metadata_add_keys(&out, request);
    metadata_add_endpoint(&out, request, "token", &operation_refresh, proofs);
    json_out_close(&out);
    buffer_add_char(&body, '\n');
    metadata_answer(request, response, &body);
}

#define SAYS(status_code, sentence)                                                                \
    .status = (status_code), .media_type = TEXT_TYPE, .body = (sentence)

static bool introspects(const struct request *request)
{
    return request->operation == &operation_introspect;
}

static const struct wording words[] = {
    {OUTCOME_METHOD_NOT_ALLOWED, SAYS(405, "Method Not Allowed")},
    {OUTCOME_UNSUPPORTED_CODING, SAYS(415, "Unsupported Media Type, the body is compressed"),
     DIALECT_NO_CODING},
    {OUTCOME_PARAMETER_IN_URL, SAYS(400, "Bad Request, token in the URL")},
    {OUTCOME_PAGE_FOREIGN, SAYS(403, "Forbidden, invalid origin")},
    {OUTCOME_TOKEN_MISSING, SAYS(400, "Bad Request, required field token missing"),
     .when = introspects},
    /* the service looked up whatever it was given: nothing is not found either */
    {OUTCOME_TOKEN_MISSING, SAYS(400, "Bad Request, invalid token")},
    {WORDS_CLASS(REQUEST), SAYS(400, "Bad Request")},
    {OUTCOME_CLIENT_AUTH_REPEATED, SAYS(400, "Bad Request")},
    {OUTCOME_CREDENTIALS_WRONG, SAYS(400, "Bad Request, invalid token")},
    {WORDS_CLASS(CLIENT), SAYS(401, "Access Denied")},
    {OUTCOME_SCOPE_INVALID, SAYS(400, "Bad Request, invalid scope")},
    {WORDS_CLASS(TOKEN), SAYS(400, "Bad Request, invalid token")},
    {WORDS_CLASS(HERE), SAYS(503, "Service Unavailable")},
    {0},
};

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

static const struct layout layout = {
    .header = {{.name = "kid"}, {.name = "alg"}, {"typ", "JWT"}},
    .access = write_access,
    .says_scope = true,
    .says_audience = true,
};

static const struct dialect_setting settings[] = {DIALECT_QUERY_SETTING, {0}};

static const struct endpoint endpoints[] = {
    {.name = "token",
     .path = "/oauth2/token",
     .methods = ENDPOINT_POST,
     .deployed_methods = ENDPOINT_GET,
     .body = ENDPOINT_BODY_FORM,
     .operation = &operation_refresh,
     .decode = decode,
     .encode = encode,
     .words = words},
    {.name = "introspect",
     .path = "/oauth2/introspect",
     .methods = ENDPOINT_POST,
     .body = ENDPOINT_BODY_FORM,
     .client_bound = true,
     .operation = &operation_introspect,
     .decode = decode_introspect,
     .encode = encode_introspect,
     .words = words},
    {.name = "smart-configuration",
     .path = "/.well-known/smart-configuration",
     .methods = ENDPOINT_GET | ENDPOINT_HEAD,
     .body = ENDPOINT_BODY_IGNORED,
     .is_public = true,
     .document = DOCUMENT_BEHIND_PATH,
     .operation = &operation_metadata,
     .encode = encode_smart,
     .words = dialect_plain_words},
};

/* How long a refresh token lives was never said; here it lives until it was not used for over a
 * year. */
const struct dialect koppeltaal_dialect = {
    .name = "koppeltaal",
    .summary = "Koppeltaal 2.0: form, UUID tokens, exact scope",
    .endpoints = endpoints,
    .endpoint_count = sizeof endpoints / sizeof endpoints[0],
    .realm = "/oauth2/token",
    .proves_clients = true,
    .policy = {.rotate = true,
               .concurrency_window_ms = CLOCK_MINUTE,
               .idle_lifetime_ms = INT64_C(400) * CLOCK_DAY,
               .access_lifetime_ms = CLOCK_HOUR,
               .format = REFRESH_FORMAT_UUID,
               .layout = &layout,
               .algorithm = SIGNING_RS512,
               .scope_rule = SCOPE_EXACT,
               .grants = GRANT_REFRESH | GRANT_CLIENT},
    .issuer = "https://authentication-service.koppeltaal.headease.nl/",
    .audience = "fhir-server",
    .settings = settings,
};
