/* duktig.c: POST /auth/refresh_token of Duktig.Microservice (PHP): the token in a header, the body
 * ignored, the access token alone in the answer. Knows that header and the service's sentences. */
#include "dialect/answer.h"
#include "dialect/dialect.h"

#define JSON_TYPE "application/json"

#define ERROR(message) TEXT("{\"status\":\"error\",\"message\":\"" message "\"}")

/* ---- request ---- */

/* Later releases of the service renamed the header. */
static bool decode(struct dialect_exchange *exchange, enum outcome *refusal)
{
    struct text *token = &exchange->ask.refresh_token;
    enum http_find found = http_header(exchange->request, "refresh-token", token);

    if (found == HTTP_ABSENT) {
        found = http_header(exchange->request, "x-refresh-token", token);
    }
    switch (found) {
    case HTTP_ONE:
        return true;
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
static void encode(const struct dialect_exchange *exchange, enum outcome outcome,
                   struct http_response *response)
{
    const struct refresh_answer *answer = &exchange->answer;
    struct buffer body;
    struct json_out out;

    (void)outcome;
    answer_compose(&exchange->answer, exchange->arena, &body);
    out = json_out_start(&body, JSON_STYLE_ESCAPE_SLASH | JSON_STYLE_ASCII);
    json_out_open(&out);
    json_out_member(&out, "status", TEXT("OK"));
    json_out_member(&out, "message", TEXT("Access token regenerated successfully"));
    json_out_member(&out, "access_token", answer->access_token);
    json_out_member_int(&out, "expires_in", answer->expires_at_s);
    json_out_close(&out);
    answer_buffer(response, 200, JSON_TYPE, &body);
}

static void refuse(const struct dialect_exchange *exchange, enum outcome outcome,
                   struct http_response *response)
{
    bool deployed = exchange->mount->realm->behaviour == BEHAVIOUR_DEPLOYED;

    switch (outcome) {
    case OUTCOME_METHOD_NOT_ALLOWED: /* its router knows no 405 */
        answer_body(response, 404, JSON_TYPE, ERROR("Resource not found"));
        return;
    case OUTCOME_TOKEN_MISSING:
    case OUTCOME_CLIENT_AUTH_FAILED:
    case OUTCOME_CLIENT_AUTH_REPEATED:
    case OUTCOME_CLIENT_UNAUTHORIZED:
    case OUTCOME_CREDENTIALS_WRONG:
        answer_body(response, 401, JSON_TYPE, ERROR("Unauthorized"));
        return;
    case OUTCOME_TOKEN_EXPIRED: /* also of a refresh token */
        answer_body(response, 401, JSON_TYPE, ERROR("Access-Token Expired"));
        return;
    case OUTCOME_TOKEN_FROM_FUTURE:
        answer_body(response, 401, JSON_TYPE, ERROR("The Access-Token issued date is incorrect"));
        return;
    case OUTCOME_ACCOUNT_GONE:
        answer_body(response, 401, JSON_TYPE, ERROR("Account not exists"));
        return;
    case OUTCOME_ACCOUNT_DISABLED:
        answer_body(response, 403, JSON_TYPE,
                    ERROR("Due to the status of your account, you are not able to access this "
                          "resource"));
        return;
    case OUTCOME_WRONG_USER: /* the service wrote this one without a full stop */
    case OUTCOME_WRONG_ACCESS_TOKEN:
        answer_body(response, 401, JSON_TYPE, ERROR("Invalid token"));
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
    case OUTCOME_TOKEN_INVALID:
    case OUTCOME_TOKEN_UNKNOWN:
    case OUTCOME_TOKEN_REVOKED:
    case OUTCOME_TOKEN_REUSED:
    case OUTCOME_TOKEN_SPENT:
    case OUTCOME_WRONG_CLIENT:
    case OUTCOME_WRONG_REALM:
    case OUTCOME_SCOPE_INVALID:
        answer_body(response, 401, JSON_TYPE,
                    deployed ? ERROR("Invalid token.") : ERROR("Invalid token"));
        return;
    case OUTCOME_ROTATED: /* grants are encoded; one that comes here is a fault of ours */
    case OUTCOME_RENEWED:
    case OUTCOME_REPLAYED:
    case OUTCOME_RECOVERED:
    case OUTCOME_ROLLED_FORWARD:
    case OUTCOME_FAULT:
        break;
    }
    answer_body(response, 500, JSON_TYPE, ERROR("Internal Server Error"));
}

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

const struct layout duktig_layout = {
    .style = JSON_STYLE_ESCAPE_SLASH | JSON_STYLE_ASCII,
    .header = {{"typ", "JWT"}, {"cty", "JWT"}, {.name = "alg"}},
    .access = write_access,
    .refresh = write_refresh,
};

/* The refresh token stays as it is and is not given again. Its `exp` is a month after issue. */
const struct dialect duktig_dialect = {
    .name = "duktig",
    .summary = "Duktig.Microservice: token in the Refresh-Token header",
    .path_loose = true,
    .body = DIALECT_BODY_IGNORED,
    .policy = {.rotate = false,
               .concurrency_window_ms = CLOCK_MINUTE,
               .absolute_lifetime_ms = INT64_C(30) * CLOCK_DAY,
               .access_lifetime_ms = CLOCK_DAY,
               .format = REFRESH_FORMAT_JWT,
               .layout = &duktig_layout,
               .keeps_token = true,
               .algorithm = SIGNING_HS256,
               .scope_rule = SCOPE_IGNORED},
    .issuer = "Duktig.io.iss",
    .audience = "Duktig.io.general.aud",
    .decode = decode,
    .encode = encode,
    .refuse = refuse,
};
