/* dialect.c: the table of dialects, the mounts that exist without configuration, and what every
 * dialect asks of a request before its own decode runs. Knows the order of those questions; does
 * not know any dialect's parameters or words. */
#include "dialect/dialect.h"

#include <string.h>

#define DIALECT(name) &name##_dialect,
const struct dialect *const dialects[] = {DIALECT_ROWS};
#undef DIALECT
const size_t dialect_count = sizeof dialects / sizeof dialects[0];

const struct dialect *dialect_find(const char *name)
{
    for (size_t i = 0; i < dialect_count; i++) {
        if (strcmp(dialects[i]->name, name) == 0) {
            return dialects[i];
        }
    }
    return NULL;
}

/* The document shows /api/auth/refresh and /api/jwt/refresh as one handler under two paths, so a
 * session of one is a session of the other. WireCash's two stages are two worlds. */
const struct dialect_default_mount dialect_default_mounts[] = {
    {"/oauth/access_token", MOUNT_REFRESH, &kopong_dialect, NULL},
    {"/sandbox/token", MOUNT_REFRESH, &wirecash_dialect, NULL},
    {"/production/token", MOUNT_REFRESH, &wirecash_dialect, NULL},
    {"/auth/refresh_token", MOUNT_REFRESH, &duktig_dialect, NULL},
    {"/oauth/token", MOUNT_REFRESH, &oauth_dialect, NULL},
    {"/api/auth/refresh", MOUNT_REFRESH, &fusionauth_dialect, "/api/jwt/refresh"},
    {"/api/jwt/refresh", MOUNT_REFRESH, &fusionauth_dialect, "/api/jwt/refresh"},
    {"/oauth2/token", MOUNT_REFRESH, &koppeltaal_dialect, NULL},
    {"/.well-known/jwks.json", MOUNT_JWKS, NULL, NULL},
    {"/healthz", MOUNT_HEALTH, NULL, NULL},
};
const size_t dialect_default_mount_count =
    sizeof dialect_default_mounts / sizeof dialect_default_mounts[0];

static bool method_is_read(const struct dialect_exchange *exchange)
{
    const struct dialect *dialect = exchange->mount->realm->dialect;
    const struct http_request *request = exchange->request;

    return request->method == HTTP_POST ||
           (request->method == HTTP_GET && dialect->method_get &&
            exchange->mount->realm->behaviour == BEHAVIOUR_DEPLOYED) ||
           (dialect->method_any_case && text_equal_ignore_case(request->method_name, TEXT("POST")));
}

/* Is the body all here? A POST without length and without media type announces no body: a cookie
 * is enough for some dialects, and `curl -X POST` sends neither header. */
static bool body_is_whole(const struct http_request *request, enum outcome *refusal)
{
    switch (request->body_state) {
    case HTTP_BODY_WHOLE:
        return true;
    case HTTP_BODY_TOO_LARGE:
        *refusal = OUTCOME_BODY_TOO_LARGE;
        return false;
    case HTTP_BODY_CUT_SHORT:
        *refusal = OUTCOME_BODY_INCOMPLETE;
        return false;
    case HTTP_BODY_NO_LENGTH:
        *refusal = OUTCOME_LENGTH_REQUIRED;
        return request->body.size == 0 && request->content_type.size == 0;
    }
    *refusal = OUTCOME_FAULT;
    return false;
}

/* Which of the dialect's body kinds this body is; DIALECT_BODY_IGNORED when it is none of them. */
static unsigned body_kind(unsigned kinds, struct text content_type)
{
    if (content_type.size == 0) {
        return (kinds & DIALECT_BODY_FORM) != 0 ? DIALECT_BODY_FORM : DIALECT_BODY_JSON;
    } else if (!http_charset_is_utf8(content_type)) {
        return DIALECT_BODY_IGNORED;
    } else if (http_media_is(content_type, "application/x-www-form-urlencoded")) {
        return kinds & DIALECT_BODY_FORM;
    } else if (http_media_is(content_type, "application/json")) {
        return kinds & DIALECT_BODY_JSON;
    }
    return DIALECT_BODY_IGNORED;
}

static bool parse_form(struct arena *arena, struct text encoded, struct form *form,
                       enum outcome *refusal)
{
    switch (form_parse(arena, encoded, form)) {
    case FORM_OK:
        return true;
    case FORM_MALFORMED:
        *refusal = OUTCOME_MALFORMED;
        return false;
    case FORM_NO_MEMORY:
        break;
    }
    *refusal = OUTCOME_FAULT;
    return false;
}

static bool parse_body(struct dialect_exchange *exchange, enum outcome *refusal)
{
    const struct http_request *request = exchange->request;

    if (request->body.size == 0) {
        return true;
    }
    switch (body_kind(exchange->mount->realm->dialect->body, request->content_type)) {
    case DIALECT_BODY_FORM:
        return parse_form(exchange->arena, request->body, &exchange->form, refusal);
    case DIALECT_BODY_JSON:
        exchange->json = json_in_object(exchange->arena, request->body, NULL);
        *refusal = OUTCOME_MALFORMED;
        return exchange->json != NULL;
    default:
        *refusal = OUTCOME_UNSUPPORTED_MEDIA;
        return false;
    }
}

bool dialect_decode(struct dialect_exchange *exchange, enum outcome *refusal)
{
    const struct dialect *dialect = exchange->mount->realm->dialect;
    const struct http_request *request = exchange->request;

    exchange->query = exchange->form = (struct form){0};
    exchange->json = NULL;
    exchange->ask = (struct refresh_ask){.mount = exchange->mount};
    exchange->answer = (struct refresh_answer){0};
    if (request->malformed) {
        *refusal = OUTCOME_MALFORMED;
        return false;
    } else if (!method_is_read(exchange)) {
        *refusal = OUTCOME_METHOD_NOT_ALLOWED;
        return false;
    } else if (dialect->body != DIALECT_BODY_IGNORED &&
               (!body_is_whole(request, refusal) || !parse_body(exchange, refusal) ||
                !parse_form(exchange->arena, request->query, &exchange->query, refusal))) {
        return false;
    }
    return dialect->decode(exchange, refusal);
}

void dialect_respond(const struct dialect_exchange *exchange, enum outcome outcome,
                     struct http_response *response)
{
    const struct dialect *dialect = exchange->mount->realm->dialect;

    if (outcome_is_grant(outcome)) {
        dialect->encode(exchange, outcome, response);
    } else {
        dialect->refuse(exchange, outcome, response);
    }
    if (response->failed) {
        dialect->refuse(exchange, OUTCOME_FAULT, response);
    }
}
