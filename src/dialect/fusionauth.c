/* fusionauth.c: POST /api/jwt/refresh and /api/auth/refresh as FusionAuth spoke it in 2020: the
 * token in a cookie or in JSON, the answer in both. Knows cookies and the Errors object; never
 * clears a cookie, because a refusal may be a race that the other tab won. */
#include "dialect/answer.h"
#include "dialect/dialect.h"

#define JSON_TYPE "application/json"

/* A session without end: 400 days is the most that browsers keep a cookie (RFC 6265bis). */
enum { COOKIE_AGE_MAX_S = 400 * 24 * 60 * 60, COOKIE_OF_BROWSER_SESSION = -1 };

/* ---- request ---- */

/* The TypeScript client writes out what it does not have. */
static bool is_absent(struct text value)
{
    return value.size == 0 || text_is(value, "undefined") || text_is(value, "null");
}

static bool stands_in_url(const struct dialect_exchange *exchange)
{
    static const char *const names[] = {"refreshToken", "refresh_token"};
    struct text value = {0};

    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        if (form_get(&exchange->query, names[i], &value) != FORM_ABSENT && !is_absent(value)) {
            return true;
        }
    }
    return false;
}

static bool decode_body(struct dialect_exchange *exchange, enum outcome *refusal)
{
    struct text *token = &exchange->ask.refresh_token;

    *token = (struct text){0};
    if (exchange->json != NULL &&
        json_in_text(exchange->json, "refreshToken", token) == JSON_IN_OTHER) {
        *refusal = OUTCOME_FIELD_MISSING;
    } else if (is_absent(*token)) {
        *refusal = OUTCOME_TOKEN_MISSING;
    } else {
        return true;
    }
    return false;
}

/* The cookie wins over the body. The old access token (cookie access_token, member token) was only
 * ever relayed to a webhook and need not be valid, so it is not read. */
static bool decode(struct dialect_exchange *exchange, enum outcome *refusal)
{
    struct text *token = &exchange->ask.refresh_token;

    if (stands_in_url(exchange)) {
        *refusal = OUTCOME_PARAMETER_IN_URL;
        return false;
    }
    switch (http_cookie(exchange->request, "refresh_token", token)) {
    case HTTP_REPEATED:
        *refusal = OUTCOME_PARAMETER_REPEATED;
        return false;
    case HTTP_ONE:
        if (!is_absent(*token)) {
            return true;
        }
        break;
    case HTTP_ABSENT:
        break;
    }
    return decode_body(exchange, refusal);
}

/* ---- answer ---- */

static int64_t cookie_age_s(const struct refresh_answer *answer)
{
    int64_t left_s = (answer->session_expires_ms - answer->now_ms) / CLOCK_SECOND;

    if (answer->session_expires_ms == 0 || left_s > COOKIE_AGE_MAX_S) {
        return COOKIE_AGE_MAX_S;
    }
    return left_s > 0 ? left_s : 0;
}

static void set_cookies(const struct dialect_exchange *exchange, struct http_response *response)
{
    const struct refresh_answer *answer = &exchange->answer;
    bool secure = exchange->request->https;

    http_response_cookie(response, exchange->arena, "access_token", answer->access_token,
                         COOKIE_OF_BROWSER_SESSION, answer->now_ms, secure);
    http_response_cookie(response, exchange->arena, "refresh_token", answer->refresh_token,
                         cookie_age_s(answer), answer->now_ms, secure);
}

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
    json_out_member(&out, "refreshToken", answer->refresh_token);
    json_out_member(&out, "token", answer->access_token);
    json_out_close(&out);
    answer_buffer(response, 200, JSON_TYPE, &body);
    set_cookies(exchange, response);
}

#define FIELD_ERROR(code, message)                                                                 \
    TEXT("{\"fieldErrors\":{\"refreshToken\":[{\"code\":\"" code                                   \
         "refreshToken\",\"message\":\"" message "\"}]}}")
#define GENERAL_ERROR(code, message)                                                               \
    TEXT("{\"generalErrors\":[{\"code\":\"" code "\",\"message\":\"" message "\"}]}")

/* The documents of 2020 say 401, which has no body; the server of the time sent an Errors object.
 */
static void refuse_token(const struct dialect_exchange *exchange, struct http_response *response)
{
    if (exchange->mount->realm->behaviour == BEHAVIOUR_DEPLOYED) {
        answer_body(response, 400, JSON_TYPE,
                    FIELD_ERROR("[invalid]", "The provided Refresh Token is either expired or has "
                                             "been revoked."));
        return;
    }
    answer_start(response, 401);
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
    case OUTCOME_GRANT_TYPE_MISSING:
    case OUTCOME_GRANT_TYPE_UNSUPPORTED:
        answer_body(response, 400, JSON_TYPE,
                    FIELD_ERROR("[blank]", "You must specify the Refresh Token."));
        return;
    case OUTCOME_PARAMETER_REPEATED:
        answer_body(response, 400, JSON_TYPE,
                    FIELD_ERROR("[duplicate]", "The Refresh Token was sent more than once."));
        return;
    case OUTCOME_PARAMETER_IN_URL:
        answer_body(response, 400, JSON_TYPE,
                    FIELD_ERROR("[invalid]", "The Refresh Token belongs in a cookie or the body."));
        return;
    case OUTCOME_FIELD_MISSING:
    case OUTCOME_MALFORMED:
        answer_body(response, 400, JSON_TYPE,
                    GENERAL_ERROR("[invalidJSON]", "The request cannot be parsed."));
        return;
    case OUTCOME_BODY_TOO_LARGE:
    case OUTCOME_BODY_INCOMPLETE:
    case OUTCOME_LENGTH_REQUIRED:
    case OUTCOME_UNSUPPORTED_MEDIA:
        answer_body(response, 400, JSON_TYPE,
                    GENERAL_ERROR("[invalidBody]",
                                  "The body must be application/json, whole and of "
                                  "announced length."));
        return;
    case OUTCOME_CLIENT_AUTH_FAILED:
    case OUTCOME_CLIENT_AUTH_REPEATED:
    case OUTCOME_CLIENT_UNAUTHORIZED:
    case OUTCOME_CREDENTIALS_WRONG:
        answer_start(response, 401);
        return;
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
        refuse_token(exchange, response);
        return;
    case OUTCOME_ROTATED: /* grants are encoded; one that comes here is a fault of ours */
    case OUTCOME_RENEWED:
    case OUTCOME_REPLAYED:
    case OUTCOME_RECOVERED:
    case OUTCOME_ROLLED_FORWARD:
    case OUTCOME_FAULT:
        break;
    }
    answer_start(response, 500);
}

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

const struct layout fusionauth_layout = {
    .header = {{.name = "alg"}, {"typ", "JWT"}, {.name = "kid"}},
    .access = write_access,
    .session_claim = "sid",
    .says_scope = true,
};

/* One-time use, because the document's sample answers with another token than it was sent; thirty
 * days from the login, as the cookie's Max-Age says. Issuer and audience are the document's
 * samples. */
const struct dialect fusionauth_dialect = {
    .name = "fusionauth",
    .summary = "FusionAuth of 2020: cookies or JSON",
    .body = DIALECT_BODY_JSON,
    .policy = {.rotate = true,
               .concurrency_window_ms = CLOCK_MINUTE,
               .absolute_lifetime_ms = INT64_C(30) * CLOCK_DAY,
               .access_lifetime_ms = CLOCK_HOUR,
               .format = REFRESH_FORMAT_NATIVE,
               .layout = &fusionauth_layout,
               .algorithm = SIGNING_RS256,
               .scope_rule = SCOPE_IGNORED},
    .issuer = "localhost:3030",
    .audience = "lemonApp",
    .decode = decode,
    .encode = encode,
    .refuse = refuse,
};
