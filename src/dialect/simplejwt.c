/* SPDX-License-Identifier: ISC */
/* simplejwt.c: POST /api/token/refresh/ of django-rest-framework-simplejwt: the token in JSON or a
 * form, the access token alone in the answer, or both where tokens rotate. Knows the package's
 * field errors, its token_not_valid object and its claims. Its other views (token, verify,
 * blacklist) are not here yet.
 *
 * documented is the package up to 5.4, whose one text is "Token is invalid or expired"; deployed is
 * 5.5, which tells the two apart. */
#include "dialect/answer.h"

#include "dialect/dialect.h"

#define JSON_TYPE "application/json"

/* ---- request ---- */

/* The serializer's field: JSON wins where there is some; white space around a value is dropped. */
static enum json_in field(const struct request *request, struct text *value)
{
    enum json_in found = JSON_IN_ABSENT;

    *value = (struct text){0};
    if (request->json != NULL) {
        found = json_in_text(request->json, "refresh", value);
    } else if (form_get_even_empty(&request->form, "refresh", value) == FORM_ONE) {
        found = JSON_IN_TEXT;
    }
    *value = text_strip(*value);
    return found;
}

static bool is_null(const struct request *request)
{
    return json_is_null(json_object_get(request->json, "refresh"));
}

static bool is_mistyped(const struct request *request)
{
    struct text value;

    return field(request, &value) == JSON_IN_OTHER;
}

/* A number is no field error: the serializer makes a text of it, which is no token. */
static bool decode(struct request *request, enum outcome *refusal)
{
    struct text *token = &request->input.refresh.refresh_token;
    struct text unused;

    if (!dialect_parameter(form_get_even_empty(&request->form, "refresh", &unused), refusal)) {
        return false;
    }
    switch (field(request, token)) {
    case JSON_IN_TEXT:
        *refusal = OUTCOME_FIELD_MISSING;
        return token->size > 0;
    case JSON_IN_ABSENT:
        *refusal = is_null(request) ? OUTCOME_FIELD_MISSING : OUTCOME_TOKEN_MISSING;
        return false;
    case JSON_IN_OTHER:
        break;
    }
    *refusal = json_is_number(json_object_get(request->json, "refresh")) ? OUTCOME_TOKEN_INVALID
                                                                         : OUTCOME_FIELD_MISSING;
    return false;
}

/* ---- answer ---- */

/* The rotated token comes second; one that stays the same is not given again. */
static void encode(const struct request *request, enum outcome outcome,
                   struct http_response *response)
{
    const struct answer *answer = &request->answer;
    struct buffer body;
    struct json_out out;

    answer_compose(request, &body);
    out = json_out_start(&body, JSON_STYLE_PLAIN);
    json_out_open(&out);
    json_out_member(&out, "access", answer->access_token);
    if (outcome != OUTCOME_RENEWED &&
        !text_equal(answer->refresh_token, request->input.refresh.refresh_token)) {
        json_out_member(&out, "refresh", answer->refresh_token);
    }
    json_out_close(&out);
    answer_buffer(response, 200, JSON_TYPE, &body);
}

static struct text method_of(const struct request *request)
{
    return request->http->request.method_name;
}

static struct text media_type_of(const struct request *request)
{
    return request->http->request.content_type;
}

#define SAYS(status_code, json) .status = (status_code), .media_type = JSON_TYPE, .body = (json)
#define DETAIL(text)            "{\"detail\":\"" text "\"}"
#define FIELD(text)             "{\"refresh\":[\"" text "\"]}"
#define CHALLENGE               .header = "WWW-Authenticate", .value = "Bearer realm=\"api\""
#define NOT_VALID(text)                                                                            \
    SAYS(401, "{\"detail\":\"" text "\",\"code\":\"token_not_valid\"}"), CHALLENGE

static const struct wording words[] = {
    {OUTCOME_METHOD_NOT_ALLOWED, SAYS(405, DETAIL("Method \\\"%s\\\" not allowed.")),
     .quote = method_of},
    {OUTCOME_UNSUPPORTED_MEDIA, SAYS(415, DETAIL("Unsupported media type \\\"%s\\\" in request.")),
     .quote = media_type_of},
    {OUTCOME_UNSUPPORTED_CODING, SAYS(415, DETAIL("Compressed request bodies are not supported.")),
     DIALECT_NO_CODING},
    {OUTCOME_PAGE_FOREIGN, SAYS(403, DETAIL("CSRF Failed: Origin checking failed."))},
    {OUTCOME_BODY_TOO_LARGE, SAYS(413, DETAIL("Request body too large."))},
    {OUTCOME_TOKEN_MISSING, SAYS(400, FIELD("This field is required."))},
    {OUTCOME_FIELD_MISSING, SAYS(400, FIELD("This field may not be null.")), .when = is_null},
    {OUTCOME_FIELD_MISSING, SAYS(400, FIELD("Not a valid string.")), .when = is_mistyped},
    {OUTCOME_FIELD_MISSING, SAYS(400, FIELD("This field may not be blank."))},
    {OUTCOME_PARAMETER_REPEATED, SAYS(400, FIELD("Not a valid string."))},
    /* the rest of the text is Python's, and differs with its version */
    {WORDS_CLASS(REQUEST),
     SAYS(400, DETAIL("JSON parse error - Expecting value: line 1 column 1 (char 0)"))},
    {WORDS_CLASS(CLIENT), SAYS(401, DETAIL("No active account found with the given credentials")),
     CHALLENGE},
    {OUTCOME_ACCOUNT_GONE, SAYS(401, DETAIL("No active account found for the given token.")),
     CHALLENGE},
    {OUTCOME_ACCOUNT_DISABLED, SAYS(401, DETAIL("No active account found for the given token.")),
     CHALLENGE},
    {OUTCOME_TOKEN_REVOKED, NOT_VALID("Token is blacklisted")},
    {OUTCOME_TOKEN_REUSED, NOT_VALID("Token is blacklisted")},
    {OUTCOME_TOKEN_SPENT, NOT_VALID("Token is blacklisted")},
    {OUTCOME_TOKEN_EXPIRED, NOT_VALID("Token is expired"), .behaviour = WORDS_DEPLOYED},
    {WORDS_CLASS(TOKEN), NOT_VALID("Token is invalid"), .behaviour = WORDS_DEPLOYED},
    {WORDS_CLASS(TOKEN), NOT_VALID("Token is invalid or expired")},
    {WORDS_CLASS(HERE), SAYS(503, DETAIL("Service temporarily unavailable, try again later."))},
    {0},
};

/* ---- tokens ---- */

/* A UUID as Python's uuid4().hex spells it. */
static void add_jti(struct json_out *out, const char *uuid)
{
    char hex[33];
    size_t size = 0;

    for (; *uuid != '\0' && size < sizeof hex - 1; uuid++) {
        if (*uuid != '-') {
            hex[size++] = *uuid;
        }
    }
    hex[size] = '\0';
    json_out_member(out, "jti", text_of(hex));
}

static bool is_registered(const char *claim)
{
    static const char *const registered[] = {"token_type", "exp", "iat", "jti",
                                             "user_id",    "aud", "iss"};

    for (size_t i = 0; i < sizeof registered / sizeof registered[0]; i++) {
        if (text_is(text_of(claim), registered[i])) {
            return true;
        }
    }
    return false;
}

/* What a subclass of TokenObtainPairSerializer adds comes from the account's claims. */
static void add_claims(struct json_out *out, const struct layout_claims *claims, const char *type,
                       const char *jti)
{
    const char *name;
    json_t *value;

    json_out_member(out, "token_type", text_of(type));
    layout_add_expiry(out, claims);
    json_out_member_int(out, "iat", claims->issued_at_s);
    add_jti(out, jti);
    json_out_member(out, "user_id", claims->subject);
    json_object_foreach((json_t *)(uintptr_t)claims->account, name, value)
    {
        if (!is_registered(name)) {
            json_out_key(out, name);
            json_out_value(out, value);
        }
    }
    layout_add_named(out, "aud", claims->audience);
    layout_add_named(out, "iss", claims->issuer);
}

static void write_access(struct json_out *out, const struct layout_claims *claims)
{
    add_claims(out, claims, "access", claims->jti);
}

/* One per session, and no access token has the session's id. */
static void write_refresh(struct json_out *out, const struct layout_claims *claims)
{
    add_claims(out, claims, "refresh", claims->session);
}

static const struct layout layout = {
    .style = JSON_STYLE_ASCII,
    .header = {{.name = "alg"}, {"typ", "JWT"}},
    .access = write_access,
    .refresh = write_refresh,
    .says_audience = true,
};

/* ---- the dialect ---- */

static const struct endpoint endpoints[] = {
    {.name = "refresh",
     .path = "/api/token/refresh",
     .methods = ENDPOINT_POST,
     .path_loose = true, /* its path ends with a slash, which clients forget */
     .body = ENDPOINT_BODY_JSON | ENDPOINT_BODY_FORM,
     .operation = &operation_refresh,
     .decode = decode,
     .encode = encode,
     .words = words},
};

/* The package's defaults: no rotation, five minutes and a day. */
const struct dialect simplejwt_dialect = {
    .name = "simplejwt",
    .summary = "django-rest-framework-simplejwt: JSON or form, JWT refresh tokens",
    .endpoints = endpoints,
    .endpoint_count = sizeof endpoints / sizeof endpoints[0],
    .policy = {.rotate = false,
               .concurrency_window_ms = CLOCK_MINUTE,
               .absolute_lifetime_ms = CLOCK_DAY,
               .access_lifetime_ms = 5 * CLOCK_MINUTE,
               .format = REFRESH_FORMAT_JWT,
               .layout = &layout,
               .algorithm = SIGNING_HS256,
               .scope_rule = SCOPE_IGNORED},
};
