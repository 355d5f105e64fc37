/* SPDX-License-Identifier: ISC */
/* event.c: the words of the events, from the same list as the enum. Knows neither store nor log. */
#include "model/event.h"

#include <string.h>

static const struct {
    const char *word;
    const char *meaning;
} rows[EVENT_KINDS] = {
#define EVENT(name, word, meaning) [EVENT_##name] = {word, meaning},
    EVENT_ROWS
#undef EVENT
};

enum event_class event_class(enum event_kind kind)
{
    switch (kind) {
    case EVENT_REUSE_REPORTED:
    case EVENT_FUTURE:
    case EVENT_RECOVERED:
    case EVENT_ROLLED_FORWARD:
    case EVENT_LOGIN:
    case EVENT_ADOPTED:
    case EVENT_GUESSED:
    case EVENT_LOGOUT:
        return EVENT_CLASS_ROUTINE;
    case EVENT_REUSE:
        return EVENT_CLASS_SECURITY;
    case EVENT_REVOKED:
    case EVENT_BEGUN:
    case EVENT_ACCOUNT:
    case EVENT_CLIENT:
    case EVENT_KEY:
    case EVENT_RESTORED:
        break;
    }
    return EVENT_CLASS_ADMINISTRATION;
}

const char *event_word(enum event_kind kind)
{
    return (unsigned)kind < EVENT_KINDS ? rows[kind].word : "unknown-event";
}

const char *event_meaning(enum event_kind kind)
{
    return (unsigned)kind < EVENT_KINDS ? rows[kind].meaning : "an event of a later version";
}

void event_of_session(struct event *event, enum event_kind kind, const struct session *session,
                      uint32_t presented, int64_t now_ms)
{
    memset(event, 0, sizeof *event);
    event->at_ms = now_ms;
    event->kind = kind;
    event->account = session->account;
    event->generation = presented;
    memcpy(event->session, session->id, sizeof event->session);
    memcpy(event->realm, session->realm, sizeof event->realm);
    memcpy(event->client, session->client, sizeof event->client);
}
