/* SPDX-License-Identifier: ISC */
/* event.c: the words of the events, from the same list as the enum. Knows neither store nor log. */
#include "model/event.h"

static const struct {
    const char *word;
    const char *meaning;
} rows[EVENT_KINDS] = {
#define EVENT(name, word, meaning) [EVENT_##name] = {word, meaning},
    EVENT_ROWS
#undef EVENT
};

const char *event_word(enum event_kind kind)
{
    return (unsigned)kind < EVENT_KINDS ? rows[kind].word : "unknown-event";
}

const char *event_meaning(enum event_kind kind)
{
    return (unsigned)kind < EVENT_KINDS ? rows[kind].meaning : "an event of a later version";
}
