/* SPDX-License-Identifier: ISC */
/* events.c: appending and reading events. Of each class the newest STORE_EVENTS_KEPT are kept, so
 * that causing events from outside cannot grow the store, nor push out what others must see; those
 * that an intruder would like to be rid of are chained. Does not know what an event means, nor who
 * is told of it. */
#include "store/verbs/events.h"

#include <string.h>

#include "store/verbs/verbs.h"

static bool count_again(struct rows *rows, const struct event *event);
static void list(struct rows *rows, enum event_class of, struct event *event,
                 struct record_counters *counters);
static struct record_chain *chain_of(struct record_chains *chains, enum event_class of);
static void drop_oldest(struct rows *rows, enum event_class of, struct record_chain *chain);

void events_append(struct rows *rows, const struct event *told)
{
    enum event_class of = event_class(told->kind);
    bool wanted = outbox_wants(rows->outbox, told->kind, told->realm);
    struct record_counters counters;
    struct event event = *told;

    if (of == EVENT_CLASS_FLOW ? !wanted : count_again(rows, told)) {
        return;
    } else if (!rows_counters_get(rows, &counters)) {
        return;
    }
    event.number = counters.next_event++;
    if (of != EVENT_CLASS_FLOW) {
        list(rows, of, &event, &counters);
    }
    rows_counters_put(rows, &counters);
    if (wanted) {
        outbox_append(rows, &event);
    }
}

bool events_is_counted(const struct event *event)
{
    return event_has_session(event) || event_class(event->kind) == EVENT_CLASS_STRANGERS;
}

/* False: it is told for the first time, as far as is remembered. */
static bool count_again(struct rows *rows, const struct event *event)
{
    struct rows_key first = rows_repeat_key(event, &(struct rows_key){.size = 8});
    struct rows_key repeat = first, key;
    struct event known;

    if (!events_is_counted(event) || !rows_next(rows, TABLE_REPEATS, TXN_FROM, &repeat) ||
        !rows_repeat_split(&repeat, &key) ||
        memcmp(repeat.bytes, first.bytes, first.size - key.size) != 0 ||
        !rows_event_get(rows, &key, &known)) {
        return false;
    }
    known.repeats += known.repeats < UINT32_MAX;
    known.last_ms = event->at_ms;
    rows_event_put(rows, &key, &known);
    return true;
}

static void list(struct rows *rows, enum event_class of, struct event *event,
                 struct record_counters *counters)
{
    struct rows_key key = rows_event_key(of, event->number), repeat;
    struct record_chains chains;
    struct record_chain *chain = chain_of(&chains, of);

    if (chain != NULL) {
        rows_chains_get(rows, &chains);
        rows_event_link(rows, &key, event, chain->head, event->link);
        memcpy(chain->head, event->link, sizeof chain->head);
    }
    rows_event_put(rows, &key, event);
    if (events_is_counted(event)) {
        repeat = rows_repeat_key(event, &key);
        rows_index_put(rows, TABLE_REPEATS, &repeat);
    }
    if (++counters->events[of] > STORE_EVENTS_KEPT) {
        counters->events[of]--;
        drop_oldest(rows, of, chain);
    }
    if (chain != NULL) {
        rows_chains_put(rows, &chains);
    }
}

/* NULL: events of this class are in no chain, because anybody can cause many of them. */
static struct record_chain *chain_of(struct record_chains *chains, enum event_class of)
{
    switch (of) {
    case EVENT_CLASS_SECURITY:
        return &chains->security;
    case EVENT_CLASS_ADMINISTRATION:
        return &chains->administration;
    case EVENT_CLASS_ROUTINE:
    case EVENT_CLASS_STRANGERS:
    case EVENT_CLASS_FLOW:
        break;
    }
    return NULL;
}

static void drop_oldest(struct rows *rows, enum event_class of, struct record_chain *chain)
{
    struct rows_key key = rows_event_key(of, 0), repeat;
    struct event event;

    if (!rows_next(rows, TABLE_EVENTS, TXN_FROM, &key) || !rows_event_get(rows, &key, &event)) {
        return;
    }
    if (chain != NULL) {
        memcpy(chain->base, event.link, sizeof chain->base);
    }
    repeat = rows_repeat_key(&event, &key);
    rows_index_remove(rows, TABLE_REPEATS, &repeat);
    rows_event_remove(rows, &key);
}

/* ---- listing ---- */

/* A place in each class, going back. */
struct walk {
    struct rows_key at[EVENT_CLASSES];
    uint64_t number[EVENT_CLASSES]; /* 0: there are no more */
};

static void step(struct rows *rows, struct walk *walk, enum event_class of);
static bool next_newest(struct rows *rows, struct walk *walk, struct event *event);

enum store_result events_list(struct store *store, const uint8_t *session, uint64_t before,
                              struct event *rows_out, size_t room, size_t *count,
                              struct fault *fault)
{
    struct walk walk;
    struct rows rows;

    *count = 0;
    if (!verbs_read_begin(store, &rows, fault)) {
        return STORE_FAULT;
    }
    for (unsigned of = 0; of < EVENT_CLASSES; of++) {
        walk.at[of] = before != 0 ? rows_event_key(of, before) : rows_event_key(of + 1, 0);
        step(&rows, &walk, of);
    }
    while (*count < room && next_newest(&rows, &walk, &rows_out[*count])) {
        if (session == NULL || memcmp(rows_out[*count].session, session, SESSION_ID_SIZE) == 0) {
            (*count)++;
        }
    }
    return verbs_read_end(&rows, true);
}

static void step(struct rows *rows, struct walk *walk, enum event_class of)
{
    enum event_class found;

    if (!rows_next(rows, TABLE_EVENTS, TXN_BEFORE, &walk->at[of]) ||
        !rows_event_split(&walk->at[of], &found, &walk->number[of]) || found != of) {
        walk->number[of] = 0;
    }
}

/* Whatever its class: one number counts them all. */
static bool next_newest(struct rows *rows, struct walk *walk, struct event *event)
{
    enum event_class of = EVENT_CLASS_ROUTINE;
    bool found;

    for (unsigned i = 0; i < EVENT_CLASSES; i++) {
        if (walk->number[i] > walk->number[of]) {
            of = i;
        }
    }
    found = walk->number[of] != 0 && rows_event_get(rows, &walk->at[of], event);
    step(rows, walk, of);
    return found;
}

/* ---- the chains ---- */

static bool follow(struct rows *rows, enum event_class of, const struct record_chain *links,
                   struct store_event_chain *chain);
static void note_break(struct store_event_chain *chain, enum event_class of, bool changed,
                       uint64_t number);

enum store_result events_verify(struct store *store, struct store_event_chain *chain,
                                struct fault *fault)
{
    struct record_chains chains;
    struct rows rows;

    memset(chain, 0, sizeof *chain);
    if (!verbs_read_begin(store, &rows, fault)) {
        return STORE_FAULT;
    }
    rows_chains_get(&rows, &chains);
    memcpy(chain->last[0], chains.security.head, EVENT_LINK_SIZE);
    memcpy(chain->last[1], chains.administration.head, EVENT_LINK_SIZE);
    if (!rows.failed && follow(&rows, EVENT_CLASS_SECURITY, &chains.security, chain)) {
        follow(&rows, EVENT_CLASS_ADMINISTRATION, &chains.administration, chain);
    }
    return verbs_read_end(&rows, true);
}

/* From the first line to the first break. False: there is one, or an error. */
static bool follow(struct rows *rows, enum event_class of, const struct record_chain *links,
                   struct store_event_chain *chain)
{
    struct rows_key key = rows_event_key(of, 0);
    uint8_t before[EVENT_LINK_SIZE], link[EVENT_LINK_SIZE];
    enum event_class found;
    uint64_t number, last = 0;

    chain->at_ms = 0;
    memcpy(before, links->base, sizeof before);
    while (rows_next(rows, TABLE_EVENTS, TXN_AFTER, &key) &&
           rows_event_split(&key, &found, &number) && found == of) {
        struct event event;

        if (!rows_event_get(rows, &key, &event)) {
            rows->failed = false; /* told as what it is */
            note_break(chain, of, true, number);
            return false;
        }
        rows_event_link(rows, &key, &event, before, link);
        if (memcmp(link, event.link, sizeof link) != 0) {
            note_break(chain, of, false, last);
            return false;
        }
        memcpy(before, link, sizeof before);
        chain->lines++;
        chain->at_ms = event.at_ms;
        last = number;
    }
    if (memcmp(before, links->head, sizeof before) != 0) {
        note_break(chain, of, false, last);
    }
    return !chain->broken && !rows->failed;
}

static void note_break(struct store_event_chain *chain, enum event_class of, bool changed,
                       uint64_t number)
{
    chain->broken = true;
    chain->how = changed ? STORE_CHAIN_CHANGED : STORE_CHAIN_REMOVED;
    chain->of = of;
    chain->number = number;
}
