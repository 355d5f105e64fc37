/* SPDX-License-Identifier: ISC */
/* events.c: appending and reading events. The newest STORE_EVENTS_KEPT are kept, so that causing
 * events from outside cannot grow the store. Does not know what an event means. */
#include <string.h>

#include "base/codec.h"
#include "store/lmdb/lmdb_store.h"

void events_append(struct rows *rows, const struct event *event)
{
    struct record_counters counters;
    uint64_t number;

    if (!rows_counters_get(rows, &counters)) {
        return;
    }
    number = counters.next_event++;
    rows_event_put(rows, number, event);
    rows_counters_put(rows, &counters);
    /* Numbers follow each other without a gap: one comes, one goes. */
    if (number > STORE_EVENTS_KEPT) {
        rows_event_remove(rows, number - STORE_EVENTS_KEPT);
    }
}

enum store_result events_list(struct store *store, const uint8_t *session, struct event *rows_out,
                              size_t room, size_t *count, struct fault *fault)
{
    struct rows_key position = rows_key_last();
    struct rows rows;

    *count = 0;
    if (!lmdb_store_read_begin(store, &rows, fault)) {
        return STORE_FAULT;
    }
    while (*count < room && rows_next(&rows, TABLE_EVENTS, ENV_BEFORE, &position)) {
        struct event *event = &rows_out[*count];

        if (rows_event_get(&rows, codec_get_u64(position.bytes), event) &&
            (session == NULL || memcmp(event->session, session, SESSION_ID_SIZE) == 0)) {
            (*count)++;
        }
    }
    return lmdb_store_read_end(&rows, true);
}
