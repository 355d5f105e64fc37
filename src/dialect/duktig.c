/* SPDX-License-Identifier: ISC */
/* duktig.c: POST /auth/refresh_token of Duktig.Microservice (PHP): the token in a header, the body
 * ignored, the access token alone in the answer. Knows that header and the service's sentences. */
#include "dialect/answer.h"

#include "dialect/dialect.h"

#define JSON_TYPE "application/json"

/* ---- request ---- */

/* Later releases of the service renamed the header. */
static bool decode(struct request *request, enum outcome *refusal)
{
    struct text *token = &request->input.refresh.refresh_token;
    enum http_find found = http_header(&request->http->request, "refresh-token", token);

    if (found == HTTP_ABSENT) {
        found = http_header(&request->http->request, "x-refresh-token", token);
    }
    switch (found) {
    case HTTP_ONE:
        *token = text_strip(*token);
        *refusal = OUTCOME_TOKEN_MISSING;
        return token->size > 0;
    case HTTP_REPEATED:
        *refusal = OUTCOME_PARAMETER_REPEATED;
        return false;
    case HTTP_ABSENT:
        break;
    }
    *refusal = OUTCOME_TOKEN_MISSING;
    return false;
}

/* ---- answer ---- */

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

#define SAYS(status_code, message)                                                                 \
    .status = (status_code), .media_type = JSON_TYPE,                                              \
    .body = "{\"status\":\"error\",\"message\":\"" message "\"}"

static const struct wording words[] = {
    /* the service's router knows no 405 */
    {OUTCOME_METHOD_NOT_ALLOWED, SAYS(404, "Resource not found")},
    {OUTCOME_PAGE_FOREIGN, SAYS(403, "Origin not allowed")},
    {OUTCOME_TOKEN_MISSING, SAYS(401, "Unauthorized")},
    {WORDS_CLASS(CLIENT), SAYS(401, "Unauthorized")},
    {OUTCOME_TOKEN_EXPIRED, SAYS(401, "Access-Token Expired")}, /* of a refresh token, too */
    {OUTCOME_TOKEN_SPENT, SAYS(401, "The Access-Token issued date is incorrect")},
    {OUTCOME_ACCOUNT_GONE, SAYS(401, "Account not exists")},
    {OUTCOME_ACCOUNT_DISABLED, SAYS(403, "Due to the status of your account, you are not able to "
                                         "access this resource")},
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

static const struct endpoint endpoints[] = {
    {.name = "refresh",
     .path = "/auth/refresh_token",
     .methods = ENDPOINT_POST,
     .path_loose = true,
     .body = ENDPOINT_BODY_IGNORED,
     .operation = &operation_refresh,
     .decode = decode,
     .encode = encode,
     .words = words},
};

/* The refresh token stays as it is and is not given again. Its `exp` is a month after issue. */
const struct dialect duktig_dialect = {
    .name = "duktig",
    .summary = "Duktig.Microservice: token in the Refresh-Token header",
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
};
