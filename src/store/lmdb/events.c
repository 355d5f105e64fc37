/* SPDX-License-Identifier: ISC */
/* events.c: appending and reading events. Of each class the newest STORE_EVENTS_KEPT are kept, so
 * that causing events from outside cannot grow the store, nor push out what others must see. Does
 * not know what an event means. */
#include "store/lmdb/events.h"

#include <string.h>

#include "store/lmdb/lmdb_store.h"

static bool count_again(struct rows *rows, const struct event *event);
static void drop_oldest(struct rows *rows, enum event_class of);

void events_append(struct rows *rows, const struct event *event)
{
    enum event_class of = event_class(event->kind);
    struct record_counters counters;
    struct rows_key key, repeat;

    if (of == EVENT_CLASS_FLOW || count_again(rows, event) || !rows_counters_get(rows, &counters)) {
        return;
    }
    key = rows_event_key(of, counters.next_event++);
    rows_event_put(rows, &key, event);
    if (events_is_counted(event)) {
        repeat = rows_repeat_key(event, &key);
        rows_index_put(rows, TABLE_REPEATS, &repeat);
    }
    if (++counters.events[of] > STORE_EVENTS_KEPT) {
        counters.events[of]--;
        drop_oldest(rows, of);
    }
    rows_counters_put(rows, &counters);
}

bool events_is_counted(const struct event *event)
{
    static const uint8_t none[SESSION_ID_SIZE];

    return memcmp(event->session, none, sizeof none) != 0;
}

/* False: it is told for the first time, as far as is remembered. */
static bool count_again(struct rows *rows, const struct event *event)
{
    struct rows_key first = rows_repeat_key(event, &(struct rows_key){.size = 8});
    struct rows_key repeat = first, key;
    struct event known;

    if (!events_is_counted(event) || !rows_next(rows, TABLE_REPEATS, ENV_FROM, &repeat) ||
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

static void drop_oldest(struct rows *rows, enum event_class of)
{
    struct rows_key key = rows_event_key(of, 0), repeat;
    struct event event;

    if (!rows_next(rows, TABLE_EVENTS, ENV_FROM, &key) || !rows_event_get(rows, &key, &event)) {
        return;
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

enum store_result events_list(struct store *store, const uint8_t *session, struct event *rows_out,
                              size_t room, size_t *count, struct fault *fault)
{
    struct walk walk;
    struct rows rows;

    *count = 0;
    if (!lmdb_store_read_begin(store, &rows, fault)) {
        return STORE_FAULT;
    }
    for (unsigned of = 0; of < EVENT_CLASSES; of++) {
        walk.at[of] = rows_event_key(of + 1, 0);
        step(&rows, &walk, of);
    }
    while (*count < room && next_newest(&rows, &walk, &rows_out[*count])) {
        if (session == NULL || memcmp(rows_out[*count].session, session, SESSION_ID_SIZE) == 0) {
            (*count)++;
        }
    }
    return lmdb_store_read_end(&rows, true);
}

static void step(struct rows *rows, struct walk *walk, enum event_class of)
{
    enum event_class found;

    if (!rows_next(rows, TABLE_EVENTS, ENV_BEFORE, &walk->at[of]) ||
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
