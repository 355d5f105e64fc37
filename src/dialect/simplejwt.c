/* SPDX-License-Identifier: ISC */
/* simplejwt.c: POST /api/token/, /api/token/refresh/, /api/token/verify/ and /api/token/blacklist/
 * of django-rest-framework-simplejwt: fields in JSON or a form; of a refresh the access token alone
 * in the answer, or both where tokens rotate. Knows the package's field errors, its token_not_valid
 * object and its claims.
 *
 * documented is the package up to 5.4, whose one text is "Token is invalid or expired"; deployed is
 * 5.5, which tells the two apart. */
#include "dialect/answer.h"

#include "dialect/dialect.h"

#define JSON_TYPE "application/json"

/* ---- request ---- */

/* What the serializer of an endpoint says of one of its fields. */
enum field { FIELD_GOOD, FIELD_REQUIRED, FIELD_NULL, FIELD_INVALID, FIELD_BLANK };

/* The fields of a login, and the one of the others. */
static const char *const login_fields[] = {"username", "password", NULL};
static const char *const refresh_fields[] = {"refresh", NULL};
static const char *const token_fields[] = {"token", NULL};

static const char *const *fields_of(const struct request *request)
{
    const struct operation *operation = request->mount->endpoint->operation;

    return operation == &operation_login    ? login_fields
           : operation == &operation_verify ? token_fields
                                            : refresh_fields;
}

/* A number is no error: the serializer makes a text of it. */
static bool number_text(const struct request *request, const json_t *number, struct text *value)
{
    struct buffer buffer;

    buffer_start(&buffer, request->arena, 32);
    if (json_is_integer(number)) {
        buffer_addf(&buffer, "%" JSON_INTEGER_FORMAT, json_integer_value(number));
    } else {
        buffer_addf(&buffer, "%.17g", json_real_value(number));
    }
    return buffer_finish(&buffer, value);
}

/* JSON wins where there is some; white space round a value is dropped. */
static enum field read_field(const struct request *request, const char *name, struct text *value)
{
    const json_t *json = json_object_get(request->json, name);

    *value = (struct text){0};
    if (request->json == NULL) {
        switch (form_get_even_empty(&request->form, name, value)) {
        case FORM_ABSENT:
            return FIELD_REQUIRED;
        case FORM_ONE:
            break;
        case FORM_REPEATED:
        case FORM_BAD:
            return FIELD_INVALID;
        }
    } else if (json == NULL) {
        return FIELD_REQUIRED;
    } else if (json_is_null(json)) {
        return FIELD_NULL;
    } else if (json_is_number(json)) {
        return number_text(request, json, value) ? FIELD_GOOD : FIELD_INVALID;
    } else if (json_in_text(request->json, name, value) != JSON_IN_TEXT) {
        return FIELD_INVALID;
    }
    *value = text_strip(*value);
    return value->size > 0 ? FIELD_GOOD : FIELD_BLANK;
}

/* One that is sent twice is not guessed at. */
static bool take_field(const struct request *request, const char *name, struct text *value,
                       enum outcome *refusal)
{
    enum field field;

    if (!dialect_parameter(form_get_even_empty(&request->form, name, value), refusal)) {
        return false;
    }
    field = read_field(request, name, value);
    *refusal = field == FIELD_REQUIRED ? OUTCOME_TOKEN_MISSING : OUTCOME_FIELD_MISSING;
    return field == FIELD_GOOD;
}

static bool decode(struct request *request, enum outcome *refusal)
{
    return take_field(request, fields_of(request)[0], &request->input.refresh.refresh_token,
                      refusal);
}

static bool decode_login(struct request *request, enum outcome *refusal)
{
    struct login_input *input = &request->input.login;

    return take_field(request, "username", &input->username, refusal) &&
           take_field(request, "password", &input->password, refusal);
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

/* Refresh first, the other way round than after a refresh. */
static void encode_login(const struct request *request, enum outcome outcome,
                         struct http_response *response)
{
    struct buffer body;
    struct json_out out;

    (void)outcome;
    answer_compose(request, &body);
    out = json_out_start(&body, JSON_STYLE_PLAIN);
    json_out_open(&out);
    json_out_member(&out, "refresh", request->answer.refresh_token);
    json_out_member(&out, "access", request->answer.access_token);
    json_out_close(&out);
    answer_buffer(response, 200, JSON_TYPE, &body);
}

static void encode_nothing(const struct request *request, enum outcome outcome,
                           struct http_response *response)
{
    (void)request;
    (void)outcome;
    answer_body(response, 200, JSON_TYPE, TEXT("{}"));
}

/* Every field that is not as it must be. */
static void add_field_errors(const struct request *request, struct buffer *body)
{
    static const char *const errors[] = {[FIELD_REQUIRED] = "This field is required.",
                                         [FIELD_NULL] = "This field may not be null.",
                                         [FIELD_INVALID] = "Not a valid string.",
                                         [FIELD_BLANK] = "This field may not be blank."};
    struct json_out out = json_out_start(body, JSON_STYLE_PLAIN);

    json_out_open(&out);
    for (const char *const *name = fields_of(request); *name != NULL; name++) {
        struct text unused;
        enum field field = read_field(request, *name, &unused);

        if (field != FIELD_GOOD) {
            json_out_key(&out, *name);
            json_out_array_open(&out);
            json_out_text(&out, text_of(errors[field]));
            json_out_array_close(&out);
        }
    }
    json_out_close(&out);
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
#define CHALLENGE               .header = "WWW-Authenticate", .value = "Bearer realm=\"api\""
#define NOT_VALID(text)                                                                            \
    SAYS(401, "{\"detail\":\"" text "\",\"code\":\"token_not_valid\"}"), CHALLENGE

#define FIELD_ERRORS .status = 400, .media_type = JSON_TYPE, .compose = add_field_errors

/* What all of them say first. Of JSON that is none, the rest of the text is Python's, and differs
 * with its version. */
#define SAYS_FIRST                                                                                 \
    {OUTCOME_METHOD_NOT_ALLOWED, SAYS(405, DETAIL("Method \\\"%s\\\" not allowed.")),              \
     .quote = method_of},                                                                          \
        {OUTCOME_UNSUPPORTED_MEDIA,                                                                \
         SAYS(415, DETAIL("Unsupported media type \\\"%s\\\" in request.")),                       \
         .quote = media_type_of},                                                                  \
        {OUTCOME_UNSUPPORTED_CODING,                                                               \
         SAYS(415, DETAIL("Compressed request bodies are not supported.")), DIALECT_NO_CODING},    \
        {OUTCOME_PAGE_FOREIGN, SAYS(403, DETAIL("CSRF Failed: Origin checking failed."))},         \
        {OUTCOME_BODY_TOO_LARGE, SAYS(413, DETAIL("Request body too large."))},                    \
        {OUTCOME_TOKEN_MISSING, FIELD_ERRORS}, {OUTCOME_FIELD_MISSING, FIELD_ERRORS},              \
        {OUTCOME_PARAMETER_REPEATED, FIELD_ERRORS},                                                \
    {                                                                                              \
        WORDS_CLASS(REQUEST),                                                                      \
            SAYS(400, DETAIL("JSON parse error - Expecting value: line 1 column 1 (char 0)"))      \
    }
#define SAYS_LAST                                                                                  \
    {WORDS_CLASS(CLIENT), SAYS(401, DETAIL("No active account found with the given credentials")), \
     CHALLENGE},                                                                                   \
        {OUTCOME_ACCOUNT_GONE, SAYS(401, DETAIL("No active account found for the given token.")),  \
         CHALLENGE},                                                                               \
        {OUTCOME_ACCOUNT_DISABLED,                                                                 \
         SAYS(401, DETAIL("No active account found for the given token.")), CHALLENGE},            \
        {OUTCOME_ACCOUNT_REFUSED,                                                                  \
         SAYS(401, DETAIL("No active account found for the given token.")), CHALLENGE},            \
        {OUTCOME_TOKEN_REVOKED, NOT_VALID("Token is blacklisted")},                                \
        {OUTCOME_TOKEN_REUSED, NOT_VALID("Token is blacklisted")},                                 \
        {OUTCOME_TOKEN_SPENT, NOT_VALID("Token is blacklisted")},                                  \
        {OUTCOME_TOKEN_EXPIRED, NOT_VALID("Token is expired"), .behaviour = WORDS_DEPLOYED},       \
        {WORDS_CLASS(TOKEN), NOT_VALID("Token is invalid"), .behaviour = WORDS_DEPLOYED},          \
        {WORDS_CLASS(TOKEN), NOT_VALID("Token is invalid or expired")},                            \
        {WORDS_CLASS(HERE),                                                                        \
         SAYS(503, DETAIL("Service temporarily unavailable, try again later."))},                  \
    {                                                                                              \
        0                                                                                          \
    }

static const struct wording words[] = {SAYS_FIRST, SAYS_LAST};

/* That an account is disabled is told like a wrong password. */
static const struct wording login_words[] = {
    SAYS_FIRST,
    {WORDS_CLASS(TOKEN), SAYS(401, DETAIL("No active account found with the given credentials")),
     CHALLENGE},
    SAYS_LAST};

/* The view of 5.5 takes a blacklisted token for an error of the request. */
#define BLACKLISTED                                                                                \
    SAYS(400, "{\"non_field_errors\":[\"Token is blacklisted\"]}"), .behaviour = WORDS_DEPLOYED

static const struct wording verify_words[] = {SAYS_FIRST,
                                              {OUTCOME_TOKEN_REVOKED, BLACKLISTED},
                                              {OUTCOME_TOKEN_REUSED, BLACKLISTED},
                                              {OUTCOME_TOKEN_SPENT, BLACKLISTED},
                                              SAYS_LAST};

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

/* Their paths end with a slash, which clients forget. */
#define ENDPOINT_AT(its_name, its_path, of, its_decode, its_encode, its_words)                     \
    {                                                                                              \
        .name = (its_name), .path = (its_path), .methods = ENDPOINT_POST, .path_loose = true,      \
        .body = ENDPOINT_BODY_JSON | ENDPOINT_BODY_FORM, .operation = &(of),                       \
        .decode = (its_decode), .encode = (its_encode), .words = (its_words)                       \
    }

#define REFRESH_PATH "/api/token/refresh"

static const struct endpoint endpoints[] = {
    ENDPOINT_AT("refresh", REFRESH_PATH, operation_refresh, decode, encode, words),
    ENDPOINT_AT("login", "/api/token", operation_login, decode_login, encode_login, login_words),
    ENDPOINT_AT("verify", "/api/token/verify", operation_verify, decode, encode_nothing,
                verify_words),
    ENDPOINT_AT("blacklist", "/api/token/blacklist", operation_logout, decode, encode_nothing,
                words),
};

/* The package's defaults: no rotation, five minutes and a day. */
const struct dialect simplejwt_dialect = {
    .name = "simplejwt",
    .summary = "django-rest-framework-simplejwt: JSON or form, JWT refresh tokens",
    .endpoints = endpoints,
    .endpoint_count = sizeof endpoints / sizeof endpoints[0],
    .realm = REFRESH_PATH,
    .policy = {.rotate = false,
               .concurrency_window_ms = CLOCK_MINUTE,
               .absolute_lifetime_ms = CLOCK_DAY,
               .access_lifetime_ms = 5 * CLOCK_MINUTE,
               .format = REFRESH_FORMAT_JWT,
               .layout = &layout,
               .algorithm = SIGNING_HS256,
               .scope_rule = SCOPE_IGNORED},
};
