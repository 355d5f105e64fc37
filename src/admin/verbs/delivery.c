/* SPDX-License-Identifier: ISC */
/* delivery.c: `retoken events dead|retry`: what no webhook took for three days. Knows how it
 * is shown; does not know how anything is sent (notify.c). */
#include "admin/verbs/verbs.h"

#include <inttypes.h>

#include "base/codec.h"

enum { PAGE = 64 };

static const struct column columns[] = {
    {"webhook", "webhook", COLUMN_TEXT, false},
    {"number", "number", COLUMN_NUMBER, false},
    {"id", "id", COLUMN_TEXT, true},
    {"at", "at", COLUMN_TIME, false},
    {"event", "event", COLUMN_TEXT, false},
    {"session", "session", COLUMN_TEXT, false},
    {"tries", "tries", COLUMN_NUMBER, false},
    {"why", "why", COLUMN_TEXT, false},
};
enum { COLUMNS = sizeof columns / sizeof columns[0] };

static enum store_result print_dead(struct call *call, const char *name, struct fault *fault);
static void print_row(struct call *call, const struct store_delivery *row);

enum call_end verbs_delivery_dead(struct call *call)
{
    const struct config *config = &call->service.config;
    enum store_result result = STORE_OK;
    struct fault fault;

    output_table_start(&call->output, columns, COLUMNS);
    for (size_t i = 0; i < config->webhook_count && result == STORE_OK; i++) {
        result = print_dead(call, config->webhooks[i].name, &fault);
    }
    output_table_end(&call->output, "no dead deliveries");
    return result == STORE_OK ? CALL_DONE : call_fault(call, &fault);
}

static enum store_result print_dead(struct call *call, const char *name, struct fault *fault)
{
    static struct store_delivery rows[PAGE];
    struct store_delivery last;
    enum store_result result;
    bool first = true;
    size_t count;

    do {
        result = store_delivery_dead(call->service.store, name, first ? NULL : &last, rows, PAGE,
                                     &count, fault);
        for (size_t i = 0; i < count && result == STORE_OK; i++) {
            print_row(call, &rows[i]);
            last = rows[i];
        }
        first = false;
    } while (result == STORE_OK && count == PAGE);
    return result;
}

static void print_row(struct call *call, const struct store_delivery *row)
{
    char id[37], session[37];

    codec_uuid_format(row->id, id);
    codec_uuid_format(row->event.session, session);
    const struct cell cells[COLUMNS] = {
        CELL_TEXT(text_of(row->subscription)),
        CELL_NUMBER(row->number),
        CELL_TEXT(text_of(id)),
        CELL_NUMBER(row->event.at_ms),
        CELL_TEXT(text_of(event_word(row->event.kind))),
        CELL_TEXT(text_of(event_has_session(&row->event) ? session : "")),
        CELL_NUMBER(row->tries),
        CELL_TEXT(text_of(row->why)),
    };
    output_row(&call->output, cells);
}

enum call_end verbs_delivery_retry(struct call *call)
{
    const struct config *config = &call->service.config;
    const char *spelled = call_argument(call, 0);
    bool all = options_has(&call->options, OPTION_ALL);
    uint64_t number = 0;
    size_t retried = 0;
    struct fault fault;

    if (all == (spelled != NULL)) {
        return call_wrong(call, "write the NUMBER that `retoken events dead` shows, or --all");
    } else if (!all && (!text_to_u64(text_of(spelled), INT64_MAX, &number) || number == 0)) {
        return call_wrong(call, "%.40s is not a number; `retoken events dead` shows them", spelled);
    }
    for (size_t i = 0; i < config->webhook_count; i++) {
        size_t count = 0;
        enum store_result result = store_delivery_retry(
            call->service.store, config->webhooks[i].name, number, call->now_ms, &count, &fault);

        if (result != STORE_OK && result != STORE_ABSENT) {
            return call_fault(call, &fault);
        }
        retried += count;
    }
    if (retried == 0 && !all) {
        return call_refuse(call, "no dead delivery %s; `retoken events dead` shows all", spelled);
    }
    output_say(&call->output, "%zu wait to be sent again\n", retried);
    return CALL_DONE;
}
