/* SPDX-License-Identifier: ISC */
/* duktig.c: POST /auth/token and /auth/refresh_token of Duktig.Microservice (PHP). A login is JSON
 * with email and password, and perhaps a key of the application in a header; a refresh has the
 * token in a header, its body is ignored, and its answer is the access token alone. Knows the
 * headers and the service's sentences. */
#include "dialect/answer.h"

#include <time.h>

#include "base/codec.h"
#include "dialect/auth_key.h"
#include "dialect/dialect.h"

#define JSON_TYPE "application/json"

/* ---- login ---- */

enum member { MEMBER_GIVEN, MEMBER_EMPTY, MEMBER_OTHER };

static bool shows_key(const struct request *request, enum outcome *refusal);
static bool has_json(const struct request *request);
static enum member member_of(const struct request *request, const char *key);
static bool has_exact_keys(const struct request *request);
static void add_last_login(struct json_out *out, int64_t at_ms);
static void add_complaints(struct json_out *out, const char *key, enum member member,
                           const char *expected);

static bool decode_login(struct request *request, enum outcome *refusal)
{
    struct login_input *input = &request->input.login;

    if (!shows_key(request, refusal)) {
        return false;
    } else if (!has_json(request)) {
        *refusal = OUTCOME_MALFORMED;
        return false;
    }
    *refusal = OUTCOME_FIELD_MISSING;
    return has_exact_keys(request) && member_of(request, "email") == MEMBER_GIVEN &&
           member_of(request, "password") == MEMBER_GIVEN &&
           json_in_text(request->json, "email", &input->username) == JSON_IN_TEXT &&
           json_in_text(request->json, "password", &input->password) == JSON_IN_TEXT;
}

static bool shows_key(const struct request *request, enum outcome *refusal)
{
    struct text key;

    *refusal = OUTCOME_CLIENT_AUTH_FAILED;
    return !request->realm->has_auth_key ||
           (http_header(&request->http->request, "x-auth-key", &key) == HTTP_ONE &&
            auth_key_check(request->realm, key, refusal));
}

static bool has_json(const struct request *request)
{
    return request->json != NULL;
}

static enum member member_of(const struct request *request, const char *key)
{
    struct text value = {0};

    switch (json_in_text(request->json, key, &value)) {
    case JSON_IN_TEXT:
        return value.size > 0 ? MEMBER_GIVEN : MEMBER_EMPTY;
    case JSON_IN_ABSENT:
        return MEMBER_EMPTY;
    case JSON_IN_OTHER:
        break;
    }
    return MEMBER_OTHER;
}

/* email and password and nothing else; null counts as absent. */
static bool has_exact_keys(const struct request *request)
{
    struct text value;

    return json_object_size(request->json) == 2 &&
           json_in_text(request->json, "email", &value) != JSON_IN_ABSENT &&
           json_in_text(request->json, "password", &value) != JSON_IN_ABSENT;
}

static void encode_login(const struct request *request, enum outcome outcome,
                         struct http_response *response)
{
    const struct answer *answer = &request->answer;
    struct buffer body;
    struct json_out out;

    (void)outcome;
    answer_compose(request, &body);
    out = json_out_start(&body, JSON_STYLE_ESCAPE_SLASH | JSON_STYLE_ASCII);
    json_out_open(&out);
    json_out_member(&out, "status", TEXT("OK"));
    json_out_member(&out, "message", TEXT("Signed in successfully"));
    add_last_login(&out, answer->last_login_ms);
    json_out_member(&out, "access_token", answer->access_token);
    json_out_member_int(&out, "expires_in", answer->expires_at_s);
    json_out_member(&out, "refresh_token", answer->refresh_token);
    json_out_close(&out);
    answer_buffer(response, 200, JSON_TYPE, &body);
}

/* In UTC; the service's own zone is not known here. */
static void add_last_login(struct json_out *out, int64_t at_ms)
{
    time_t at = (time_t)(at_ms / CLOCK_SECOND);
    struct tm parts;
    char shown[32];

    json_out_key(out, "lastLogin");
    if (at_ms != 0 && gmtime_r(&at, &parts) != NULL &&
        strftime(shown, sizeof shown, "%Y-%m-%d %H:%M:%S", &parts) > 0) {
        json_out_text(out, text_of(shown));
    } else {
        json_out_null(out);
    }
}

/* What the service's validator said of the fields. */
static void compose_complaints(const struct request *request, struct buffer *body)
{
    struct json_out out = json_out_start(body, JSON_STYLE_PLAIN);

    json_out_open(&out);
    add_complaints(&out, "email", member_of(request, "email"), "Required valid email address");
    add_complaints(&out, "password", member_of(request, "password"),
                   "Required not weak Password Strength between 6 - 256 chars");
    add_complaints(&out, "account", has_exact_keys(request) ? MEMBER_GIVEN : MEMBER_OTHER,
                   "Required exact values as: email, password");
    json_out_close(&out);
}

static void add_complaints(struct json_out *out, const char *key, enum member member,
                           const char *expected)
{
    if (member == MEMBER_GIVEN) {
        return;
    }
    json_out_key(out, key);
    json_out_array_open(out);
    if (member == MEMBER_EMPTY) {
        json_out_text(out, TEXT("Required value"));
    }
    json_out_text(out, text_of(expected));
    json_out_array_close(out);
}

/* ---- refresh ---- */

/* Later releases of the service renamed the header. */
static bool decode(struct request *request, enum outcome *refusal)
{
    struct text *token = &request->input.refresh.refresh_token;
    enum http_find found = http_header(&request->http->request, "refresh-token", token);

    if (found == HTTP_ABSENT) {
        found = http_header(&request->http->request, "x-refresh-token", token);
    }
    *refusal = found == HTTP_REPEATED ? OUTCOME_PARAMETER_REPEATED : OUTCOME_TOKEN_MISSING;
    *token = text_strip(*token);
    return found == HTTP_ONE && token->size > 0;
}

/* `expires_in` is a point in time here, the JWT's own `exp`. */
static void encode(const struct request *request, enum outcome outcome,
                   struct http_response *response)
{
    const struct answer *answer = &request->answer;
    struct buffer body;
    struct json_out out;

    (void)outcome;
    answer_compose(request, &body);
    out = json_out_start(&body, JSON_STYLE_ESCAPE_SLASH | JSON_STYLE_ASCII);
    json_out_open(&out);
    json_out_member(&out, "status", TEXT("OK"));
    json_out_member(&out, "message", TEXT("Access token regenerated successfully"));
    json_out_member(&out, "access_token", answer->access_token);
    json_out_member_int(&out, "expires_in", answer->expires_at_s);
    json_out_close(&out);
    answer_buffer(response, 200, JSON_TYPE, &body);
}

/* ---- words ---- */

#define SAYS(status_code, message)                                                                 \
    .status = (status_code), .media_type = JSON_TYPE,                                              \
    .body = "{\"status\":\"error\",\"message\":\"" message "\"}"

#define NOT_ACTIVE "Due to the status of your account, you are not able to access this resource"

static const struct wording words[] = {
    /* the service's router knows no 405 */
    {OUTCOME_METHOD_NOT_ALLOWED, SAYS(404, "Resource not found")},
    {OUTCOME_PAGE_FOREIGN, SAYS(403, "Origin not allowed")},
    {OUTCOME_TOKEN_MISSING, SAYS(401, "Unauthorized")},
    {WORDS_CLASS(CLIENT), SAYS(401, "Unauthorized")},
    {OUTCOME_TOKEN_EXPIRED, SAYS(401, "Access-Token Expired")}, /* of a refresh token, too */
    {OUTCOME_TOKEN_SPENT, SAYS(401, "The Access-Token issued date is incorrect")},
    {OUTCOME_ACCOUNT_GONE, SAYS(401, "Account not exists")},
    {OUTCOME_ACCOUNT_DISABLED, SAYS(403, NOT_ACTIVE)},
    {OUTCOME_ACCOUNT_REFUSED, SAYS(403, NOT_ACTIVE)},
    /* the service wrote this one without a full stop */
    {OUTCOME_WRONG_USER, SAYS(401, "Invalid token")},
    {OUTCOME_WRONG_ACCESS_TOKEN, SAYS(401, "Invalid token")},
    {WORDS_CLASS(REQUEST), SAYS(401, "Invalid token"), .behaviour = WORDS_DOCUMENTED},
    {WORDS_CLASS(REQUEST), SAYS(401, "Invalid token.")},
    {WORDS_CLASS(TOKEN), SAYS(401, "Invalid token"), .behaviour = WORDS_DOCUMENTED},
    {WORDS_CLASS(TOKEN), SAYS(401, "Invalid token.")},
    {WORDS_CLASS(HERE), SAYS(500, "Internal Server Error")},
    {0},
};

#define BAD_JSON                                                                                   \
    .media_type = JSON_TYPE, .body = "[\"Json Error 4: Syntax error. Required valid json "         \
                                     "string\"]"

/* Of JSON that cannot be read, the document says 400; the service sent 422. */
static const struct wording login_words[] = {
    {OUTCOME_METHOD_NOT_ALLOWED, SAYS(404, "Resource not found")},
    {OUTCOME_PAGE_FOREIGN, SAYS(403, "Origin not allowed")},
    {OUTCOME_FIELD_MISSING, .when = has_json, .status = 422, .media_type = JSON_TYPE,
     .compose = compose_complaints},
    {OUTCOME_UNSUPPORTED_CODING, .status = 415, BAD_JSON, DIALECT_NO_CODING},
    {WORDS_CLASS(REQUEST), .behaviour = WORDS_DOCUMENTED, .status = 400, BAD_JSON},
    {WORDS_CLASS(REQUEST), .status = 422, BAD_JSON},
    {OUTCOME_CLIENT_AUTH_FAILED, SAYS(401, "Unauthorized")},
    {WORDS_CLASS(CLIENT), SAYS(401, "Incorrect credentials")},
    {OUTCOME_ACCOUNT_DISABLED, SAYS(403, NOT_ACTIVE)},
    {OUTCOME_ACCOUNT_REFUSED, SAYS(403, NOT_ACTIVE)},
    {WORDS_CLASS(TOKEN), SAYS(401, "Incorrect credentials")},
    {WORDS_CLASS(HERE), SAYS(500, "Internal Server Error")},
    {0},
};

/* ---- tokens ---- */

static void add_registered(struct json_out *out, const struct layout_claims *claims)
{
    json_out_member(out, "iss", claims->issuer);
    json_out_member(out, "aud", claims->audience);
    json_out_member(out, "sub", TEXT("Duktig.io.general.sub"));
    json_out_member(out, "jti", TEXT("Duktig.io.general.jti"));
    json_out_member_int(out, "nbf", claims->issued_at_s);
    json_out_member_int(out, "iat", claims->issued_at_s);
    layout_add_expiry(out, claims);
    json_out_key(out, "account");
}

static void write_access(struct json_out *out, const struct layout_claims *claims)
{
    static const char *const members[] = {"firstName", "lastName", "email", "roleId"};

    add_registered(out, claims);
    json_out_open(out);
    json_out_member_int(out, "userId", (int64_t)claims->user_number);
    for (size_t i = 0; i < sizeof members / sizeof members[0]; i++) {
        layout_add_account_claim(out, claims, members[i]);
    }
    json_out_close(out);
}

static void write_refresh(struct json_out *out, const struct layout_claims *claims)
{
    add_registered(out, claims);
    json_out_open(out);
    json_out_member_int(out, "userId", (int64_t)claims->user_number);
    json_out_close(out);
}

static const struct layout layout = {
    .style = JSON_STYLE_ESCAPE_SLASH | JSON_STYLE_ASCII,
    .header = {{"typ", "JWT"}, {"cty", "JWT"}, {.name = "alg"}},
    .access = write_access,
    .refresh = write_refresh,
    .says_audience = true,
};

/* ---- the dialect ---- */

static const struct dialect_setting settings[] = {AUTH_KEY_SETTING, {0}};

static const char *advise(const struct mount *mount)
{
    static const char published[] =
        "6ef629d072c5e176b4cab9bd77ca89a3a9813b0dd72e6efdbb41c46145f81b0a";
    const struct realm *realm = mount->realm;
    char shown[2 * sizeof realm->auth_key + 1];

    codec_hex_encode(realm->auth_key, sizeof realm->auth_key, shown);
    return realm->has_auth_key && text_is(text_of(shown), published)
               ? "auth-key-sha256 is that of the key in the service's own sample configuration: "
                 "give the application another"
               : NULL;
}

#define REFRESH_PATH "/auth/refresh_token"

static const struct endpoint endpoints[] = {
    {.name = "refresh",
     .path = REFRESH_PATH,
     .methods = ENDPOINT_POST,
     .path_loose = true,
     .body = ENDPOINT_BODY_IGNORED,
     .operation = &operation_refresh,
     .decode = decode,
     .encode = encode,
     .words = words},
    {.name = "login",
     .path = "/auth/token",
     .realm = REFRESH_PATH,
     .methods = ENDPOINT_POST,
     .path_loose = true,
     .body = ENDPOINT_BODY_JSON,
     .operation = &operation_login,
     .decode = decode_login,
     .encode = encode_login,
     .words = login_words},
};

/* The refresh token stays as it is and is not given again. Its `exp` is a month after issue. */
const struct dialect duktig_dialect = {
    .name = "duktig",
    .summary = "Duktig.Microservice: JSON login; token in the Refresh-Token header",
    .endpoints = endpoints,
    .endpoint_count = sizeof endpoints / sizeof endpoints[0],
    .policy = {.rotate = false,
               .concurrency_window_ms = CLOCK_MINUTE,
               .absolute_lifetime_ms = INT64_C(30) * CLOCK_DAY,
               .access_lifetime_ms = CLOCK_DAY,
               .format = REFRESH_FORMAT_JWT,
               .layout = &layout,
               .keeps_token = true,
               .algorithm = SIGNING_HS256,
               .scope_rule = SCOPE_IGNORED},
    .issuer = "Duktig.io.iss",
    .audience = "Duktig.io.general.aud",
    .settings = settings,
    .advise = advise,
};
