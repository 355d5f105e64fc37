/* SPDX-License-Identifier: ISC */
/* layout_names.c: see layout_names.h. */
#include "token/layout_names.h"

static struct template_value text_value(struct text text);
static struct template_value time_value(int64_t at_s, int64_t unit);
static struct template_value hex_value(const char *uuid, struct arena *arena);
static struct template_value claim_value(const json_t *claims, const char *name);

#define CLAIM(name, kind, field)                                                                   \
    {                                                                                              \
        name, FIELD_##kind, offsetof(struct layout_claims, field)                                  \
    }

static const struct template_name rows[] = {
    CLAIM("issuer", TEXT, issuer),
    CLAIM("audience", TEXT, audience),
    CLAIM("subject", TEXT, subject),
    CLAIM("username", TEXT, username),
    CLAIM("user_number", NUMBER, user_number),
    CLAIM("roles", TEXT, roles),
    CLAIM("roles.list", LIST, roles),
    CLAIM("scope", TEXT, scope),
    CLAIM("scope.list", LIST, scope),
    CLAIM("client", TEXT, client),
    CLAIM("session", STRING, session),
    CLAIM("session.hex", HEX, session),
    CLAIM("jti", STRING, jti),
    CLAIM("jti.hex", HEX, jti),
    CLAIM("issued_at", TIME, issued_at_s),
    CLAIM("issued_at.ms", TIME_MS, issued_at_s),
    CLAIM("expires_at", TIME, expires_at_s),
    CLAIM("expires_at.ms", TIME_MS, expires_at_s),
    CLAIM("account.", CLAIMS, account),
    {0},
};

const struct template_names layout_claim_names = {rows, layout_look};

void layout_look(const void *from, const struct template_name *name, const char *detail,
                 struct arena *arena, struct template_value *value)
{
    const void *field = (const char *)from + name->offset;

    switch ((enum template_field)name->kind) {
    case FIELD_TEXT:
        *value = text_value(*(const struct text *)field);
        break;
    case FIELD_LIST:
        *value =
            (struct template_value){.kind = TEMPLATE_WORDS, .text = *(const struct text *)field};
        break;
    case FIELD_STRING:
        *value = text_value(text_of(field));
        break;
    case FIELD_HEX:
        *value = hex_value(field, arena);
        break;
    case FIELD_NUMBER:
        *value =
            (struct template_value){.kind = TEMPLATE_NUMBER, .number = *(const int64_t *)field};
        break;
    case FIELD_TIME:
        *value = time_value(*(const int64_t *)field, 1);
        break;
    case FIELD_TIME_MS:
        *value = time_value(*(const int64_t *)field, 1000);
        break;
    case FIELD_CLAIMS:
        *value = claim_value(*(const json_t *const *)field, detail);
        break;
    case FIELD_KINDS:
        break;
    }
}

static struct template_value text_value(struct text text)
{
    return (struct template_value){.kind = text.size > 0 ? TEMPLATE_TEXT : TEMPLATE_ABSENT,
                                   .text = text};
}

/* What has no end has no time of its end. */
static struct template_value time_value(int64_t at_s, int64_t unit)
{
    return (struct template_value){.kind = at_s != 0 ? TEMPLATE_NUMBER : TEMPLATE_ABSENT,
                                   .number = at_s * unit};
}

static struct template_value hex_value(const char *uuid, struct arena *arena)
{
    struct text hex = {0};
    struct buffer buffer;

    buffer_start(&buffer, arena, 32);
    for (; *uuid != '\0'; uuid++) {
        if (*uuid != '-') {
            buffer_add_char(&buffer, *uuid);
        }
    }
    (void)buffer_finish(&buffer, &hex);
    return text_value(hex);
}

static struct template_value claim_value(const json_t *claims, const char *name)
{
    bool all = text_is(TEXT("*"), name);

    return (struct template_value){.kind = TEMPLATE_PARSED,
                                   .parsed = all ? claims : json_object_get(claims, name)};
}
