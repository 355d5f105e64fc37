/* SPDX-License-Identifier: ISC */
/* event.c: the words of the events, from the same list as the enum. Knows neither store nor log. */
#include "model/event.h"

#include <string.h>

static const struct {
    enum event_class of;
    const char *word;
    const char *meaning;
} rows[EVENT_KINDS] = {
#define EVENT(name, of, word, meaning) [EVENT_##name] = {EVENT_CLASS_##of, word, meaning},
    EVENT_ROWS
#undef EVENT
};

static const char *const class_words[] = {
#define CLASS(name, word) [EVENT_CLASS_##name] = word,
    EVENT_CLASS_ROWS
#undef CLASS
};

_Static_assert(EVENT_KINDS <= 64, "a set of kinds is 64 bits");

enum event_class event_class(enum event_kind kind)
{
    return (unsigned)kind < EVENT_KINDS ? rows[kind].of : EVENT_CLASS_ADMINISTRATION;
}

const char *event_word(enum event_kind kind)
{
    return (unsigned)kind < EVENT_KINDS ? rows[kind].word : "unknown-event";
}

const char *event_meaning(enum event_kind kind)
{
    return (unsigned)kind < EVENT_KINDS ? rows[kind].meaning : "an event of a later version";
}

const char *event_class_word(enum event_class of)
{
    return (unsigned)of <= EVENT_CLASS_FLOW ? class_words[of] : "unknown-class";
}

bool event_kinds_of(struct text word, uint64_t *kinds)
{
    bool all = text_is(word, "all");

    *kinds = 0;
    for (unsigned kind = 0; kind < EVENT_KINDS; kind++) {
        if (all || text_is(word, rows[kind].word) || text_is(word, class_words[rows[kind].of])) {
            *kinds |= event_bit((enum event_kind)kind);
        }
    }
    return *kinds != 0;
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

bool event_begins_session(enum event_kind kind)
{
    return kind == EVENT_LOGIN || kind == EVENT_BEGUN || kind == EVENT_ADOPTED;
}

bool event_has_session(const struct event *event)
{
    static const uint8_t none[SESSION_ID_SIZE];

    return memcmp(event->session, none, sizeof none) != 0;
}

void event_set_cause(struct event *event, const char *cause)
{
    (void)text_copy(text_cut(text_of(cause), EVENT_CAUSE_MAX), event->cause, sizeof event->cause);
}
