/* SPDX-License-Identifier: ISC */
/* described_names.c: what templates of answers can be filled with. Knows fields of a request and
 * what became of it; no refusal can tell anything that was granted. */
#include "dialect/described.h"

#include <stdio.h>
#include <time.h>

#include "base/codec.h"
#include "token/layout_names.h"

/* Further kinds of field. */
enum {
    FIELD_AT = FIELD_KINDS, /* int64_t in ms, told in s, absent when 0 */
    FIELD_AT_MS,            /* … in ms */
    FIELD_AT_ISO,           /* … as 2026-11-26T18:00:00Z */
    FIELD_AT_DATE,          /* … as 2026-11-26 18:00:00 */
    FIELD_AT_ISO_MS,        /* … as 2026-11-26T18:00:00.000Z */
    FIELD_TIME_ISO,         /* of a FIELD_TIME */
    FIELD_TIME_ISO_MS,      /* … as 2026-11-26T18:00:00.000Z */
    FIELD_MS,               /* int64_t in s, told in ms */
    FIELD_SESSION,          /* its id, absent where it is not known */
    FIELD_LEFT,             /* until an int64_t in ms, in s, absent when that is 0 */
    FIELD_NEW_TOKEN,        /* the next refresh token, absent where it is the one that was shown */
    FIELD_QUOTED,           /* struct text of a stranger: absent when long, or not UTF-8 */
    FIELD_ID,               /* a string, absent when it is "" */
    FIELD_COMPLAINTS
};

static void look(const void *from, const struct template_name *name, const char *detail,
                 struct arena *arena, struct template_value *value);
static struct template_value number_value(int64_t number);
static struct template_value date_value(int64_t at_s, const char *between, const char *zone,
                                        struct arena *arena);
static struct template_value session_value(const struct request *request);
static struct template_value new_token_value(const struct described_told *told);
static struct template_value quoted_value(struct text text);
static struct template_value complaints_value(const struct request *request);

#define ANSWER(name, kind, field)                                                                  \
    {                                                                                              \
        name, FIELD_##kind, offsetof(struct request, answer.field)                                 \
    }

static const struct template_name granted[] = {
    ANSWER("access_token", TEXT, access_token),
    ANSWER("refresh_token", TEXT, refresh_token),
    ANSWER("new_refresh_token", NEW_TOKEN, refresh_token),
    ANSWER("expires_in", NUMBER, expires_in_s),
    ANSWER("expires_in.ms", MS, expires_in_s),
    ANSWER("expires_at", TIME, expires_at_s),
    ANSWER("expires_at.ms", TIME_MS, expires_at_s),
    ANSWER("expires_at.iso", TIME_ISO, expires_at_s),
    ANSWER("session", SESSION, session),
    ANSWER("expires_at.iso.ms", TIME_ISO_MS, expires_at_s),
    ANSWER("session_expires_in", LEFT, session_expires_ms),
    ANSWER("session_expires_at", AT, session_expires_ms),
    ANSWER("session_expires_at.ms", AT_MS, session_expires_ms),
    ANSWER("session_expires_at.iso", AT_ISO, session_expires_ms),
    ANSWER("session_expires_at.iso.ms", AT_ISO_MS, session_expires_ms),
    ANSWER("now", AT, now_ms),
    ANSWER("now.ms", AT_MS, now_ms),
    ANSWER("now.iso", AT_ISO, now_ms),
    ANSWER("now.date", AT_DATE, now_ms),
    ANSWER("now.iso.ms", AT_ISO_MS, now_ms),
    ANSWER("scope", TEXT, scope),
    ANSWER("scope.list", LIST, scope),
    ANSWER("username", TEXT, username),
    ANSWER("subject", TEXT, subject),
    ANSWER("roles", TEXT, roles),
    ANSWER("roles.list", LIST, roles),
    ANSWER("account.", CLAIMS, claims),
    ANSWER("token.", CLAIMS, payload),
    ANSWER("last_login", AT, last_login_ms),
    ANSWER("last_login.iso", AT_ISO, last_login_ms),
    ANSWER("last_login.iso.ms", AT_ISO_MS, last_login_ms),
    ANSWER("last_login.date", AT_DATE, last_login_ms),
    {0},
};

static const struct template_name refused[] = {
    ANSWER("now", AT, now_ms),
    ANSWER("now.ms", AT_MS, now_ms),
    ANSWER("now.iso", AT_ISO, now_ms),
    ANSWER("now.date", AT_DATE, now_ms),
    {"request_id", FIELD_ID, offsetof(struct request, id)},
    {"complaints", FIELD_COMPLAINTS, 0},
    {"method", FIELD_QUOTED, offsetof(struct http_request, method_name)},
    {"content_type", FIELD_QUOTED, offsetof(struct http_request, content_type)},
    {0},
};

const struct template_names described_answer_names = {granted, look};
const struct template_names described_refusal_names = {refused, look};

static void look(const void *from, const struct template_name *name, const char *detail,
                 struct arena *arena, struct template_value *value)
{
    const struct described_told *told = from;
    const struct request *request = told->request;
    const void *field = (const char *)request + name->offset;
    int64_t number;
    char zone[16];

    switch (name->kind) {
    case FIELD_AT:
        number = *(const int64_t *)field / CLOCK_SECOND;
        *value = number != 0 ? number_value(number) : *value;
        break;
    case FIELD_AT_MS:
        number = *(const int64_t *)field;
        *value = number != 0 ? number_value(number) : *value;
        break;
    case FIELD_AT_ISO:
        *value = date_value(*(const int64_t *)field / CLOCK_SECOND, "T", "Z", arena);
        break;
    case FIELD_AT_ISO_MS:
        number = *(const int64_t *)field;
        (void)snprintf(zone, sizeof zone, ".%03dZ", (int)(number % CLOCK_SECOND));
        *value = date_value(number / CLOCK_SECOND, "T", zone, arena);
        break;
    case FIELD_TIME_ISO_MS:
        *value = date_value(*(const int64_t *)field, "T", ".000Z", arena);
        break;
    case FIELD_AT_DATE:
        *value = date_value(*(const int64_t *)field / CLOCK_SECOND, " ", "", arena);
        break;
    case FIELD_TIME_ISO:
        *value = date_value(*(const int64_t *)field, "T", "Z", arena);
        break;
    case FIELD_MS:
        *value = number_value(*(const int64_t *)field * 1000);
        break;
    case FIELD_SESSION:
        *value = session_value(request);
        break;
    case FIELD_LEFT:
        number = *(const int64_t *)field;
        *value =
            number != 0 ? number_value((number - request->answer.now_ms) / CLOCK_SECOND) : *value;
        break;
    case FIELD_NEW_TOKEN:
        *value = new_token_value(told);
        break;
    case FIELD_QUOTED:
        field = (const char *)&request->http->request + name->offset;
        *value = quoted_value(*(const struct text *)field);
        break;
    case FIELD_ID:
        *value = (struct template_value){.kind = *(const char *)field != '\0' ? TEMPLATE_TEXT
                                                                              : TEMPLATE_ABSENT,
                                         .text = text_of(field)};
        break;
    case FIELD_COMPLAINTS:
        *value = complaints_value(request);
        break;
    default:
        layout_look(request, name, detail, arena, value);
        break;
    }
}

static struct template_value number_value(int64_t number)
{
    return (struct template_value){.kind = TEMPLATE_NUMBER, .number = number};
}

/* In UTC: the zone of an old server is not known here. */
static struct template_value date_value(int64_t at_s, const char *between, const char *zone,
                                        struct arena *arena)
{
    struct template_value value = {.kind = TEMPLATE_ABSENT};
    time_t at = (time_t)at_s;
    struct buffer buffer;
    struct tm parts;
    char day[16], time[16];

    buffer_start(&buffer, arena, 32);
    if (at_s != 0 && gmtime_r(&at, &parts) != NULL &&
        strftime(day, sizeof day, "%Y-%m-%d", &parts) > 0 &&
        strftime(time, sizeof time, "%H:%M:%S", &parts) > 0) {
        buffer_addf(&buffer, "%s%s%s%s", day, between, time, zone);
        value.kind = buffer_finish(&buffer, &value.text) ? TEMPLATE_TEXT : TEMPLATE_ABSENT;
    }
    return value;
}

static struct template_value session_value(const struct request *request)
{
    struct template_value value = {.kind = TEMPLATE_ABSENT};
    char spelled[37];

    if (request->answer.session_known) {
        codec_uuid_format(request->answer.session, spelled);
        value.kind = arena_copy(request->arena, text_of(spelled), &value.text) ? TEMPLATE_TEXT
                                                                               : TEMPLATE_ABSENT;
    }
    return value;
}

static struct template_value new_token_value(const struct described_told *told)
{
    struct text next = told->request->answer.refresh_token;
    bool login = told->request->operation == &operation_login;
    bool kept = !login && (told->outcome == OUTCOME_RENEWED ||
                           text_equal(next, told->request->input.refresh.refresh_token));

    return (struct template_value){.kind = kept ? TEMPLATE_ABSENT : TEMPLATE_TEXT, .text = next};
}

static struct template_value quoted_value(struct text text)
{
    enum { QUOTED_MAX = 256 };
    bool good = text.size <= QUOTED_MAX && text_is_utf8(text);

    return (struct template_value){.kind = good ? TEMPLATE_TEXT : TEMPLATE_ABSENT, .text = text};
}

static struct template_value complaints_value(const struct request *request)
{
    struct template_value value = {.kind = TEMPLATE_WRITTEN, .text = TEXT("{}")};

    (void)described_complaints(request, &value.text);
    return value;
}
