/* SPDX-License-Identifier: ISC */
/* outbox.h: events that wait to be delivered to subscribers. Knows who subscribes to what, and in
 * which order a subscriber gets it; does not know who delivers, nor where to.
 *
 * Each row waits in exactly one state. A commit only adds a row that is new; the first lease that
 * comes to it takes it up. Of those of a session that are taken up at most one is not held: so its
 * events are delivered one after the other. */
#ifndef RETOKEN_STORE_VERBS_OUTBOX_H
#define RETOKEN_STORE_VERBS_OUTBOX_H

#include "store/records/rows.h"

/* Who subscribes; a copy of what the settings say. */
struct outbox {
    struct store_subscription *subscriptions; /* their realms are copies, too */
    size_t count;
    uint64_t kinds; /* that any of them wants */
    uint32_t most;  /* rows of each; 0 = 100,000 */
};
/* False: out of memory. outbox_free is harmless before and after. */
bool outbox_copy(const struct store_settings *settings, struct outbox *outbox);
void outbox_free(struct outbox *outbox);

/* Is anyone to be told of such an event? NULL: nobody. */
bool outbox_wants(const struct outbox *outbox, enum event_kind kind, const char *realm);
/* A row for each who is; event->number is set. */
void outbox_append(struct rows *rows, const struct event *event);

/* The verbs, inside a write's transaction. */
enum store_result outbox_lease(struct rows *rows, struct store_leasing *leasing);
enum store_result outbox_done(struct rows *rows, const struct store_write *write);
enum store_result outbox_failed(struct rows *rows, const struct store_write *write);
enum store_result outbox_retry(struct rows *rows, struct store_retrying *retrying);
/* What a row in its state has in deliveries; returns how many. */
enum { OUTBOX_ENTRIES_MOST = 3 };
size_t outbox_entries(const char *subscription, const struct record_delivery *row,
                      struct rows_key entries[OUTBOX_ENTRIES_MOST]);
/* Removes up to `most` rows of subscriptions that are not in rows->outbox. True: there are more. */
bool outbox_prune(struct rows *rows, size_t most);

#endif
