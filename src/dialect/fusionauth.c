/* SPDX-License-Identifier: ISC */
/* fusionauth.c: POST /api/login, /api/jwt/refresh, /api/auth/refresh and /api/logout, DELETE
 * /api/jwt/refresh, and GET /api/jwt/validate as FusionAuth spoke them in 2020: the token in a
 * cookie or in JSON, the answer in both. Knows cookies and the Errors object; only a logout clears
 * a cookie, because a refusal may be a race that the other tab won. */
#include "dialect/answer.h"

#include <stdio.h>

#include "base/codec.h"
#include "dialect/auth_key.h"
#include "dialect/fusionauth_revoke.h"
#include "dialect/fusionauth_sent.h"

#define JSON_TYPE "application/json"

/* ---- request ---- */

static bool is_in_url(const struct request *request)
{
    static const char *const names[] = {"refreshToken", "refresh_token"};
    struct text value = {0};

    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        if (form_get(&request->query, names[i], &value) != FORM_ABSENT &&
            !fusionauth_is_absent(value)) {
            return true;
        }
    }
    return false;
}

static bool decode_body(struct request *request, enum outcome *refusal)
{
    struct text *token = &request->input.refresh.refresh_token;

    *token = (struct text){0};
    if (request->json != NULL &&
        json_in_text(request->json, "refreshToken", token) == JSON_IN_OTHER) {
        *refusal = OUTCOME_FIELD_MISSING;
        return false;
    }
    *token = text_strip(*token);
    *refusal = OUTCOME_TOKEN_MISSING;
    return !fusionauth_is_absent(*token);
}

static bool decode_cookies(struct request *request)
{
    return cookies_take_refresh_tokens(request, &fusionauth_cookies, fusionauth_is_absent);
}

/* The cookie wins over the body. The old access token (cookie access_token, member token) was only
 * ever relayed to a webhook and need not be valid, so it is not read. */
static bool decode(struct request *request, enum outcome *refusal)
{
    if (is_in_url(request)) {
        *refusal = OUTCOME_PARAMETER_IN_URL;
        return false;
    } else if (!decode_cookies(request)) {
        *refusal = OUTCOME_FAULT;
        return false;
    }
    return request->input.refresh.refresh_token.size > 0 || decode_body(request, refusal);
}

/* DELETE ends sessions, and takes a form, too. */
static bool decode_refresh(struct request *request, enum outcome *refusal)
{
    const struct http_request *http = &request->http->request;

    if (http->method == HTTP_DELETE) {
        return fusionauth_revoke_decode(request, refusal);
    } else if (request->form.count > 0) {
        *refusal = OUTCOME_UNSUPPORTED_MEDIA;
        return false;
    }
    return decode(request, refusal);
}

/* An access token: in the header, else in a cookie. */
static bool decode_validate(struct request *request, enum outcome *refusal)
{
    struct refresh_input *input = &request->input.refresh;

    if (fusionauth_bearer(request, &input->refresh_token)) {
        return true;
    }
    input->candidates = fusionauth_access_cookies(request, &input->candidate_count);
    *refusal = input->candidates == NULL ? OUTCOME_FAULT : OUTCOME_TOKEN_MISSING;
    return input->candidate_count > 0;
}

static void encode_validate(const struct request *request, enum outcome outcome,
                            struct http_response *response)
{
    struct buffer body;
    struct json_out out;

    (void)outcome;
    buffer_start(&body, request->arena, 1024);
    out = json_out_start(&body, JSON_STYLE_PLAIN);
    json_out_open(&out);
    json_out_key(&out, "jwt");
    json_out_value(&out, request->answer.payload);
    json_out_close(&out);
    answer_buffer(response, 200, JSON_TYPE, &body);
}

/* An application is a public client. Its API key, which proved a server to FusionAuth, is not read:
 * whoever knows the password may log in. */
static bool decode_login(struct request *request, enum outcome *refusal)
{
    struct login_input *input = &request->input.login;
    struct text application = {0};

    if (fusionauth_member(request, "applicationId", &application) &&
        !fusionauth_is_absent(application)) {
        request->client.id = application;
    }
    *refusal = OUTCOME_FIELD_MISSING;
    return fusionauth_member(request, "loginId", &input->username) &&
           fusionauth_member(request, "password", &input->password);
}

/* The parameter wins over the cookie; later clients send both in JSON. Without any token there is
 * still a cookie to clear. */
static bool decode_logout(struct request *request, enum outcome *refusal)
{
    struct refresh_input *input = &request->input.refresh;
    struct text token = {0};
    struct text global = {0};

    if (!dialect_parameter(form_get(&request->query, "refreshToken", &token), refusal) ||
        !dialect_parameter(form_get(&request->query, "global", &global), refusal)) {
        return false;
    }
    input->silent = true;
    input->everywhere =
        text_is(global, "true") || json_is_true(json_object_get(request->json, "global"));
    if (!fusionauth_is_absent(token)) {
        input->refresh_token = token;
        return true;
    } else if (decode_body(request, refusal)) {
        return true;
    } else if (*refusal != OUTCOME_TOKEN_MISSING) {
        return false;
    }
    input->refresh_token = (struct text){0};
    *refusal = OUTCOME_FAULT;
    return decode_cookies(request);
}

/* ---- answer ---- */

static void add_user(struct json_out *out, const struct answer *answer);

static void answer_tokens(const struct request *request, bool with_user,
                          struct http_response *response)
{
    const struct answer *answer = &request->answer;
    struct buffer body;
    struct json_out out;

    answer_compose(request, &body);
    out = json_out_start(&body, JSON_STYLE_PLAIN);
    json_out_open(&out);
    json_out_member(&out, "refreshToken", answer->refresh_token);
    json_out_member(&out, "token", answer->access_token);
    if (with_user) {
        add_user(&out, answer);
    }
    json_out_close(&out);
    answer_buffer(response, 200, JSON_TYPE, &body);
    cookies_set(request, &fusionauth_cookies, response);
}

static bool revokes(const struct request *request)
{
    return request->operation == &operation_revoke;
}

static void encode(const struct request *request, enum outcome outcome,
                   struct http_response *response)
{
    (void)outcome;
    if (revokes(request)) {
        answer_body(response, 200, NULL, (struct text){0});
    } else {
        answer_tokens(request, false, response);
    }
}

static void add_claim(struct json_out *out, const char *key, const json_t *value)
{
    if (value != NULL) {
        json_out_key(out, key);
        json_out_value(out, value);
    }
}

/* What is known of FusionAuth's user. */
static void add_user(struct json_out *out, const struct answer *answer)
{
    json_out_key(out, "user");
    json_out_open(out);
    json_out_key(out, "active");
    json_out_bool(out, true);
    add_claim(out, "email", json_object_get(answer->claims, "email"));
    add_claim(out, "firstName", json_object_get(answer->claims, "given_name"));
    json_out_member(out, "id", answer->subject);
    add_claim(out, "lastName", json_object_get(answer->claims, "family_name"));
    if (answer->client.size > 0) {
        json_out_key(out, "registrations");
        json_out_array_open(out);
        json_out_open(out);
        json_out_member(out, "applicationId", answer->client);
        layout_add_words(out, "roles", answer->roles);
        json_out_close(out);
        json_out_array_close(out);
    }
    json_out_member(out, "username", answer->username);
    add_claim(out, "verified", json_object_get(answer->claims, "email_verified"));
    json_out_close(out);
}

static void encode_login(const struct request *request, enum outcome outcome,
                         struct http_response *response)
{
    (void)outcome;
    answer_tokens(request, true, response);
}

static void encode_logout(const struct request *request, enum outcome outcome,
                          struct http_response *response)
{
    (void)outcome;
    answer_body(response, 200, NULL, (struct text){0});
    cookies_clear(request, &fusionauth_cookies, response);
}

#define FIELD_ERROR(code, message)                                                                 \
    .status = 400, .media_type = JSON_TYPE,                                                        \
    .body = "{\"fieldErrors\":{\"refreshToken\":[{\"code\":\"" code                                \
            "refreshToken\",\"message\":\"" message "\"}]}}"
#define GENERAL_ERROR(code, message)                                                               \
    .status = 400, .media_type = JSON_TYPE,                                                        \
    .body = "{\"generalErrors\":[{\"code\":\"" code "\",\"message\":\"" message "\"}]}"
#define BAD_BODY                                                                                   \
    GENERAL_ERROR("[invalidBody]", "The body must be application/json, whole and of announced "    \
                                   "length.")

/* What all of them say first. */
#define SAYS_FIRST                                                                                 \
    {OUTCOME_METHOD_NOT_ALLOWED, .status = 405},                                                   \
        {OUTCOME_PAGE_FOREIGN, .status = 403, .media_type = JSON_TYPE,                             \
         .body = "{\"generalErrors\":[{\"code\":\"[invalidOrigin]\",\"message\":\"Pages of "       \
                 "this origin may not ask here.\"}]}"},                                            \
        {OUTCOME_MALFORMED, GENERAL_ERROR("[invalidJSON]", "The request cannot be parsed.")},      \
        {OUTCOME_BODY_TOO_LARGE, BAD_BODY}, {OUTCOME_BODY_INCOMPLETE, BAD_BODY},                   \
        {OUTCOME_LENGTH_REQUIRED, BAD_BODY}, {OUTCOME_UNSUPPORTED_MEDIA, BAD_BODY},                \
    {                                                                                              \
        OUTCOME_UNSUPPORTED_CODING,                                                                \
            .status = 415, .media_type = JSON_TYPE,                                                \
            .body =                                                                                \
                "{\"generalErrors\":[{\"code\":\"[invalidBody]\",\"message\":\"The body must not " \
                "be compressed.\"}]}",                                                             \
            DIALECT_NO_CODING                                                                      \
    }

/* The documents of 2020 say 401 without a body for a token; the server of the time sent an Errors
 * object. */
static const struct wording words[] = {
    SAYS_FIRST,
    {OUTCOME_PARAMETER_REPEATED,
     FIELD_ERROR("[duplicate]", "The Refresh Token was sent more than once.")},
    {OUTCOME_PARAMETER_IN_URL,
     FIELD_ERROR("[invalid]", "The Refresh Token belongs in a cookie or the body.")},
    {OUTCOME_FIELD_MISSING, GENERAL_ERROR("[invalidJSON]", "The request cannot be parsed.")},
    {WORDS_CLASS(REQUEST), FIELD_ERROR("[blank]", "You must specify the Refresh Token.")},
    {WORDS_CLASS(CLIENT), .status = 401},
    {OUTCOME_TOKEN_UNKNOWN, .status = 404, .when = revokes},
    {WORDS_CLASS(TOKEN), .status = 401, .when = revokes},
    {WORDS_CLASS(TOKEN),
     FIELD_ERROR("[invalid]", "The provided Refresh Token is either expired "
                              "or has been revoked."),
     .behaviour = WORDS_DEPLOYED},
    {WORDS_CLASS(TOKEN), .status = 401},
    {WORDS_CLASS(HERE), .status = 500},
    {0},
};

/* Which of the two fields of a login are missing. */
static void add_missing(const struct request *request, struct buffer *body)
{
    static const char *const names[] = {"loginId", "password"};
    struct json_out out = json_out_start(body, JSON_STYLE_PLAIN);
    struct text unused;

    json_out_open(&out);
    json_out_key(&out, "fieldErrors");
    json_out_open(&out);
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        char code[32];
        char message[64];

        if (fusionauth_member(request, names[i], &unused)) {
            continue;
        }
        snprintf(code, sizeof code, "[blank]%s", names[i]);
        snprintf(message, sizeof message, "You must specify the [%s] property.", names[i]);
        json_out_key(&out, names[i]);
        json_out_array_open(&out);
        json_out_open(&out);
        json_out_member(&out, "code", text_of(code));
        json_out_member(&out, "message", text_of(message));
        json_out_close(&out);
        json_out_array_close(&out);
    }
    json_out_close(&out);
    json_out_close(&out);
}

/* At /api/login. 404 is what an unknown user and a wrong password get there, and 423 an account
 * that is locked, as it is after too many wrong ones. */
static const struct wording login_words[] = {
    SAYS_FIRST,
    {OUTCOME_FIELD_MISSING, .status = 400, .media_type = JSON_TYPE, .compose = add_missing},
    {WORDS_CLASS(REQUEST), GENERAL_ERROR("[invalidJSON]", "The request cannot be parsed.")},
    {OUTCOME_CREDENTIALS_WRONG, .status = 404},
    {OUTCOME_SLOWED, .status = 423},
    {WORDS_CLASS(CLIENT), .status = 400, .media_type = JSON_TYPE,
     .body =
         "{\"fieldErrors\":{\"applicationId\":[{\"code\":\"[invalid]applicationId\",\"message\":"
         "\"No public client of this Id is registered.\"}]}}"},
    {OUTCOME_ACCOUNT_DISABLED, .status = 423},
    {OUTCOME_ACCOUNT_REFUSED, .status = 423},
    {WORDS_CLASS(TOKEN), .status = 404},
    {WORDS_CLASS(HERE), .status = 500},
    {0},
};

/* At /api/jwt/validate. */
static const struct wording validate_words[] = {
    SAYS_FIRST,
    {OUTCOME_TOKEN_MISSING, .status = 401},
    {WORDS_CLASS(REQUEST), GENERAL_ERROR("[invalid]", "The request cannot be parsed.")},
    {WORDS_CLASS(CLIENT), .status = 401},
    {WORDS_CLASS(TOKEN), .status = 401},
    {WORDS_CLASS(HERE), .status = 500},
    {0},
};

/* ---- public keys: of one kid, of an application (whose sessions these all are), or all ---- */

static bool decode_public_key(struct request *request, enum outcome *refusal)
{
    struct public_key_input *input = &request->input.public_key;
    enum form_find application;
    struct text ignored;

    application = form_get(&request->query, "applicationId", &ignored);
    input->signer = application == FORM_ONE;
    return dialect_parameter(form_get(&request->query, "kid", &input->kid), refusal) &&
           dialect_parameter(application, refusal);
}

static void encode_public_key(const struct request *request, enum outcome outcome,
                              struct http_response *response)
{
    const struct public_key_input *input = &request->input.public_key;
    struct json_out out;
    struct buffer body;
    struct text written = {0};

    (void)outcome;
    buffer_start(&body, request->arena, request->answer.public_keys.size + 64);
    if (input->kid.size > 0 || input->signer) {
        out = json_out_start(&body, JSON_STYLE_PLAIN);
        json_out_open(&out);
        json_out_member(&out, "publicKey", request->answer.public_key);
        json_out_close(&out);
    } else {
        buffer_add_c(&body, "{\"publicKeys\":");
        buffer_add(&body, request->answer.public_keys);
        buffer_add_char(&body, '}');
    }
    bool whole = buffer_finish(&body, &written);
    answer_cacheable(request, response, JSON_TYPE, SIGNING_KEY_SET_MAX_AGE, written);
    response->failed = response->failed || !whole;
}

static const struct wording public_key_words[] = {
    SAYS_FIRST,
    {WORDS_CLASS(REQUEST), .status = 400},
    {WORDS_CLASS(CLIENT), .status = 400},
    {WORDS_CLASS(TOKEN), .status = 404},
    {WORDS_CLASS(HERE), .status = 500},
    {0},
};

/* ---- tokens: the payload of the document, then what tells sessions apart ---- */

static void write_access(struct json_out *out, const struct layout_claims *claims)
{
    json_out_member(out, "aud", claims->audience);
    if (claims->scope_given) {
        layout_add_words(out, "scope", claims->scope);
    }
    layout_add_expiry(out, claims);
    json_out_member_int(out, "iat", claims->issued_at_s);
    json_out_member(out, "iss", claims->issuer);
    layout_add_words(out, "roles", claims->roles);
    json_out_member(out, "sub", claims->subject);
    json_out_member(out, "sid", text_of(claims->session));
    json_out_member(out, "authenticationType",
                    claims->refreshed ? TEXT("REFRESH_TOKEN") : TEXT("PASSWORD"));
    layout_add_account_claim(out, claims, "email");
    layout_add_account_claim(out, claims, "email_verified");
    layout_add_account_claim(out, claims, "preferred_username");
}

static const struct layout layout = {
    .header = {{.name = "alg"}, {"typ", "JWT"}, {.name = "kid"}},
    .access = write_access,
    .session_claim = "sid",
    .says_scope = true,
    .says_audience = true,
};

/* ---- webhooks: the two events of the documents, without the tokens that they quote ---- */

#define REFRESHES (WEBHOOK_KIND(REFRESHED) | WEBHOOK_KIND(RECOVERED) | WEBHOOK_KIND(ROLLED_FORWARD))

static void write_user(const struct webhook_told *told, struct json_out *out);

static bool write_event(const struct webhook_told *told, struct buffer *body)
{
    const struct event *event = told->event;
    bool refreshed = (event_bit(event->kind) & REFRESHES) != 0;
    struct text application = text_of(event->client);
    struct json_out out = json_out_start(body, JSON_STYLE_PLAIN);
    char id[37];

    if (!refreshed && !webhook_is_revocation(event)) {
        return false;
    }
    codec_uuid_format(told->id, id);
    json_out_open(&out);
    json_out_key(&out, "event");
    json_out_open(&out);
    json_out_member(&out, "type",
                    refreshed ? TEXT("jwt.refresh") : TEXT("jwt.refresh-token.revoke"));
    json_out_member_int(&out, "createInstant", event->at_ms);
    json_out_member(&out, "id", text_of(id));
    if (application.size > 0) {
        json_out_member(&out, "applicationId", application);
    }
    if (!refreshed && application.size > 0 && told->realm != NULL) {
        json_out_key(&out, "applicationTimeToLiveInSeconds");
        json_out_open(&out);
        json_out_member_int(&out, event->client,
                            told->realm->policy.access_lifetime_ms / CLOCK_SECOND);
        json_out_close(&out);
    }
    if (told->account != NULL) {
        json_out_member(&out, "userId", webhook_subject(told));
    }
    if (told->account != NULL && !refreshed) {
        write_user(told, &out);
    }
    if (event->address[0] != '\0') {
        json_out_key(&out, "info");
        json_out_open(&out);
        json_out_member(&out, "ipAddress", text_of(event->address));
        json_out_close(&out);
    }
    json_out_close(&out);
    json_out_close(&out);
    return true;
}

static void write_user(const struct webhook_told *told, struct json_out *out)
{
    json_out_key(out, "user");
    json_out_open(out);
    json_out_key(out, "active");
    json_out_bool(out, told->account->enabled);
    json_out_member(out, "id", webhook_subject(told));
    json_out_member(out, "username", text_of(told->account->name));
    json_out_close(out);
}

static const struct dialect_webhook webhook = {.kinds = REFRESHES | WEBHOOK_REVOCATIONS,
                                               .write = write_event};

static const struct dialect_setting settings[] = {
    COOKIE_SETTINGS, AUTH_KEY_SETTING("api-key-sha256"), {0}};

/* The document shows the first two as one handler, so a session of one is a session of the other.
 */
static const struct endpoint endpoints[] = {
    {.name = "refresh",
     .path = "/api/jwt/refresh",
     .methods = ENDPOINT_POST | ENDPOINT_DELETE,
     .methods_below = ENDPOINT_DELETE,
     .body = ENDPOINT_BODY_JSON | ENDPOINT_BODY_FORM,
     .cookies = true,
     .operation = &operation_refresh,
     .decode = decode_refresh,
     .encode = encode,
     .words = words},
    {.name = "auth",
     .path = "/api/auth/refresh",
     .methods = ENDPOINT_POST,
     .body = ENDPOINT_BODY_JSON,
     .cookies = true,
     .operation = &operation_refresh,
     .decode = decode,
     .encode = encode,
     .words = words},
    {.name = "login",
     .path = "/api/login",
     .methods = ENDPOINT_POST,
     .body = ENDPOINT_BODY_JSON,
     .cookies = true,
     .operation = &operation_login,
     .decode = decode_login,
     .encode = encode_login,
     .words = login_words},
    {.name = "logout",
     .path = "/api/logout",
     .methods = ENDPOINT_POST,
     .body = ENDPOINT_BODY_JSON,
     .cookies = true,
     .operation = &operation_logout,
     .decode = decode_logout,
     .encode = encode_logout,
     .words = words},
    {.name = "validate",
     .path = "/api/jwt/validate",
     .methods = ENDPOINT_GET,
     .body = ENDPOINT_BODY_IGNORED,
     .cookies = true,
     .operation = &operation_check,
     .decode = decode_validate,
     .encode = encode_validate,
     .words = validate_words},
    {.name = "public-key",
     .path = "/api/jwt/public-key",
     .methods = ENDPOINT_GET | ENDPOINT_HEAD,
     .body = ENDPOINT_BODY_FORM,
     .is_public = true,
     .operation = &operation_public_key,
     .decode = decode_public_key,
     .encode = encode_public_key,
     .words = public_key_words},
};

/* One-time use, because the document's sample answers with another token than it was sent; thirty
 * days from the login, as the cookie's Max-Age says. Issuer and audience are the document's
 * samples. */
const struct dialect fusionauth_dialect = {
    .name = "fusionauth",
    .summary = "FusionAuth of 2020: cookies or JSON",
    .endpoints = endpoints,
    .endpoint_count = sizeof endpoints / sizeof endpoints[0],
    .realm = "/api/jwt/refresh",
    .policy = {.rotate = true,
               .concurrency_window_ms = CLOCK_MINUTE,
               .absolute_lifetime_ms = INT64_C(30) * CLOCK_DAY,
               .access_lifetime_ms = CLOCK_HOUR,
               .format = REFRESH_FORMAT_NATIVE,
               .layout = &layout,
               .algorithm = SIGNING_RS256,
               .scope_rule = SCOPE_IGNORED},
    .issuer = "localhost:3030",
    .audience = "lemonApp",
    .settings = settings,
    .webhook = &webhook,
    .check = cookies_check,
    .advise = cookies_advise,
};
