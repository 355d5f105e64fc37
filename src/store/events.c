/* events.c: the verbs about events. The newest STORE_EVENTS_KEPT are kept, so nobody from outside
 * can grow the store by causing them. */
#include "store/events.h"

#include <string.h>

#include "base/codec.h"
#include "store/prepared.h"

enum store_result events_append(struct rows *rows, const struct event *event, struct fault *fault)
{
    struct record_counters counters;
    uint64_t number;

    if (rows_counters_get(rows, &counters, fault) != STORE_OK) {
        return STORE_FAULT;
    }
    number = counters.next_event++;
    if (rows_event_put(rows, number, event, fault) != STORE_OK ||
        rows_counters_put(rows, &counters, fault) != STORE_OK) {
        return STORE_FAULT;
    }
    /* Numbers follow each other without a gap: one comes, one goes. */
    if (number > STORE_EVENTS_KEPT &&
        rows_event_remove(rows, number - STORE_EVENTS_KEPT, fault) == STORE_FAULT) {
        return STORE_FAULT;
    }
    return STORE_OK;
}

static enum store_result apply_add(struct rows *rows, void *what, struct fault *fault)
{
    const struct store_write *write = what;

    return events_append(rows, &write->of.event, fault);
}

void store_prepare_event(struct store_write *write, const struct event *event)
{
    prepared_start(write, apply_add, event->at_ms);
    write->of.event = *event;
}

enum store_result store_event_add(struct store *store, const struct event *event,
                                  struct fault *fault)
{
    struct store_write write;

    store_prepare_event(&write, event);
    return store_write(store, &write, fault);
}

static enum store_result list(struct rows *rows, const uint8_t *session, struct event *found,
                              size_t room, size_t *count, struct fault *fault)
{
    struct rows_key position = rows_key_last();

    while (*count < room) {
        enum store_result result = rows_next(rows, TABLE_EVENTS, ENGINE_BEFORE, &position, fault);

        if (result != STORE_OK) {
            return result;
        }
        result = rows_event_get(rows, codec_get_u64(position.bytes), &found[*count], fault);
        if (result != STORE_OK) {
            return result;
        }
        if (session == NULL || memcmp(found[*count].session, session, SESSION_ID_SIZE) == 0) {
            (*count)++;
        }
    }
    return STORE_OK;
}

enum store_result store_event_list(struct store *store, const uint8_t *session, struct event *rows,
                                   size_t room, size_t *count, struct fault *fault)
{
    struct rows snapshot;
    enum store_result result = store_private_read_begin(store, &snapshot, fault);

    *count = 0;
    if (result == STORE_OK) {
        result = list(&snapshot, session, rows, room, count, fault);
        store_private_read_end(&snapshot);
    }
    return result == STORE_ABSENT ? STORE_OK : result;
}
