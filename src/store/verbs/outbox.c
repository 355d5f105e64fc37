/* SPDX-License-Identifier: ISC */
/* outbox.c: see outbox.h. Knows rows and their order; does not know what an event means. */
#include "store/verbs/outbox.h"

#include <stdlib.h>
#include <string.h>

#include "base/codec.h"
#include "store/verbs/verbs.h"

/* A next time that is further away than any subscriber waits was set by a clock that has been set
 * back since. */
enum { OUTBOX_MOST = 100000, LEASED_AT_ONCE = 500, RETRIED_AT_ONCE = 500 };
#define FURTHEST_MS (7 * (int64_t)CLOCK_DAY)

/* ---- who subscribes ---- */

static bool copy_realms(const struct store_subscription *from, struct store_subscription *to);
static bool subscribes(const struct store_subscription *subscription, enum event_kind kind,
                       const char *realm);

bool outbox_copy(const struct store_settings *settings, struct outbox *outbox)
{
    *outbox =
        (struct outbox){.most = settings->outbox_most != 0 ? settings->outbox_most : OUTBOX_MOST};
    if (settings->subscription_count == 0) {
        return true;
    }
    outbox->subscriptions = calloc(settings->subscription_count, sizeof *outbox->subscriptions);
    if (outbox->subscriptions == NULL) {
        return false;
    }
    for (size_t i = 0; i < settings->subscription_count; i++) {
        outbox->count = i + 1;
        outbox->kinds |= settings->subscriptions[i].kinds;
        if (!copy_realms(&settings->subscriptions[i], &outbox->subscriptions[i])) {
            outbox_free(outbox);
            return false;
        }
    }
    return true;
}

static bool copy_realms(const struct store_subscription *from, struct store_subscription *to)
{
    char **realms = calloc(from->realm_count + 1, sizeof *realms);
    bool done = realms != NULL;

    *to = *from;
    to->realms = (const char *const *)realms;
    to->realm_count = 0;
    for (size_t i = 0; done && i < from->realm_count; i++) {
        realms[i] = strdup(from->realms[i]);
        done = realms[i] != NULL;
        to->realm_count += done ? 1 : 0;
    }
    return done;
}

void outbox_free(struct outbox *outbox)
{
    for (size_t i = 0; i < outbox->count; i++) {
        struct store_subscription *subscription = &outbox->subscriptions[i];

        for (size_t n = 0; n < subscription->realm_count; n++) {
            free((void *)(uintptr_t)subscription->realms[n]);
        }
        free((void *)(uintptr_t)subscription->realms);
    }
    free(outbox->subscriptions);
    *outbox = (struct outbox){0};
}

bool outbox_wants(const struct outbox *outbox, enum event_kind kind, const char *realm)
{
    if (outbox == NULL || (outbox->kinds & event_bit(kind)) == 0) {
        return false;
    }
    for (size_t i = 0; i < outbox->count; i++) {
        if (subscribes(&outbox->subscriptions[i], kind, realm)) {
            return true;
        }
    }
    return false;
}

/* What belongs to no realm is everyone's. */
static bool subscribes(const struct store_subscription *subscription, enum event_kind kind,
                       const char *realm)
{
    bool in_realm = subscription->realm_count == 0 || realm[0] == '\0';

    for (size_t i = 0; i < subscription->realm_count && !in_realm; i++) {
        in_realm = strcmp(subscription->realms[i], realm) == 0;
    }
    return in_realm && (subscription->kinds & event_bit(kind)) != 0;
}

/* ---- appending ---- */

static void append_for(struct rows *rows, const char *subscription, const struct event *event);
static bool may_repeat(const struct event *event);
static bool count_again(struct rows *rows, const char *subscription, const struct event *event);
static bool make_room(struct rows *rows, const char *subscription, struct record_outbox *counts,
                      enum event_class of);
static bool first_of_class(struct rows *rows, const char *subscription, enum event_class of,
                           struct record_delivery *row);
static bool first_of_part(struct rows *rows, const char *subscription, enum rows_delivery_part part,
                          enum event_class of, struct record_delivery *row);
static void put_in(struct rows *rows, const char *subscription, struct record_outbox *counts,
                   struct record_delivery *row, enum delivery_state state);
static void take_out(struct rows *rows, const char *subscription, struct record_outbox *counts,
                     const struct record_delivery *row);
static void promote_next(struct rows *rows, const char *subscription, struct record_outbox *counts,
                         const struct record_delivery *gone);

void outbox_append(struct rows *rows, const struct event *event)
{
    for (size_t i = 0; i < rows->outbox->count; i++) {
        if (subscribes(&rows->outbox->subscriptions[i], event->kind, event->realm)) {
            append_for(rows, rows->outbox->subscriptions[i].name, event);
        }
    }
}

static void append_for(struct rows *rows, const char *subscription, const struct event *event)
{
    struct record_delivery row = {.event = *event, .first_ms = event->at_ms};
    struct record_outbox counts;

    if (may_repeat(event) && count_again(rows, subscription, event)) {
        return;
    }
    rows_outbox_get(rows, subscription, &counts);
    if (make_room(rows, subscription, &counts, event_class(event->kind))) {
        put_in(rows, subscription, &counts, &row, DELIVERY_NEW);
    } else {
        counts.dropped++;
    }
    rows_outbox_put(rows, subscription, &counts);
}

/* All others of the flow happen once to a generation; what is listed was counted there. */
static bool may_repeat(const struct event *event)
{
    return event->kind == EVENT_REPLAYED && event_has_session(event);
}

/* Does a row that waits tell it already? Then it is counted there, so that a client which asks for
 * one answer again and again has one row. */
static bool count_again(struct rows *rows, const char *subscription, const struct event *event)
{
    struct rows_key last = rows_again_key(subscription, event, UINT64_MAX);
    struct record_delivery row;
    struct rows_waiting found;

    if (!rows_next(rows, TABLE_DELIVERIES, TXN_BEFORE, &last) ||
        !rows_again_split(&last, subscription, event, &found) ||
        !rows_delivery_get_waiting(rows, subscription, &found, &row)) {
        return false;
    }
    row.event.repeats += row.event.repeats < UINT32_MAX;
    row.event.last_ms = event->at_ms;
    rows_delivery_put(rows, subscription, &row);
    return true;
}

/* From what may go first to what must not. */
static const enum event_class by_worth[] = {EVENT_CLASS_FLOW, EVENT_CLASS_ROUTINE,
                                            EVENT_CLASS_STRANGERS, EVENT_CLASS_ADMINISTRATION,
                                            EVENT_CLASS_SECURITY};
enum { CLASSES = sizeof by_worth / sizeof by_worth[0] };

/* For one more of this class: the oldest of what is worth no more makes it. False: all is worth
 * more. */
static bool make_room(struct rows *rows, const char *subscription, struct record_outbox *counts,
                      enum event_class of)
{
    struct record_delivery row;
    uint64_t all = 0;

    for (size_t i = 0; i < DELIVERY_STATES; i++) {
        all += counts->rows[i];
    }
    if (all < rows->outbox->most) {
        return true;
    }
    for (size_t i = 0; i < CLASSES; i++) {
        if (first_of_class(rows, subscription, by_worth[i], &row)) {
            take_out(rows, subscription, counts, &row);
            promote_next(rows, subscription, counts, &row);
            counts->dropped++;
            return true;
        } else if (by_worth[i] == of) {
            return false;
        }
    }
    return false;
}

/* The oldest: dead ones first, and what was taken up is older than what is new. */
static bool first_of_class(struct rows *rows, const char *subscription, enum event_class of,
                           struct record_delivery *row)
{
    return first_of_part(rows, subscription, DELIVERY_PART_DEAD, of, row) ||
           first_of_part(rows, subscription, DELIVERY_PART_TAKEN, of, row) ||
           first_of_part(rows, subscription, DELIVERY_PART_NEW, of, row);
}

static bool first_of_part(struct rows *rows, const char *subscription, enum rows_delivery_part part,
                          enum event_class of, struct record_delivery *row)
{
    struct rows_key key = rows_delivery_key(subscription, part, of, 0);
    struct rows_delivery_place place;

    return rows_next(rows, TABLE_OUTBOX, TXN_FROM, &key) &&
           rows_delivery_split(&key, subscription, &place) && place.part == part &&
           place.of == of && rows_delivery_get(rows, subscription, part, of, place.number, row);
}

/* ---- states ---- */

/* Is one of its session taken up? */
static bool session_waits(struct rows *rows, const char *subscription, const struct event *event,
                          struct rows_key *first)
{
    struct rows_waiting found;

    if (!event_has_session(event)) {
        return false;
    }
    *first = rows_waiting_key(subscription, event->session, 0);
    return rows_next(rows, TABLE_DELIVERIES, TXN_FROM, first) &&
           rows_waiting_split(first, subscription, event->session, &found);
}

/* Puts the row, and whatever entries it has in this state. A new one has none (but of what may
 * repeat): a refresh writes one row, behind the last, and the rest is the lease's work. */
static void put_in(struct rows *rows, const char *subscription, struct record_outbox *counts,
                   struct record_delivery *row, enum delivery_state state)
{
    struct rows_key entries[OUTBOX_ENTRIES_MOST];
    size_t count;

    row->state = state;
    counts->rows[state]++;
    rows_delivery_put(rows, subscription, row);
    count = outbox_entries(subscription, row, entries);
    for (size_t i = 0; i < count; i++) {
        rows_index_put(rows, TABLE_DELIVERIES, &entries[i]);
    }
}

static void take_out(struct rows *rows, const char *subscription, struct record_outbox *counts,
                     const struct record_delivery *row)
{
    struct rows_key key = rows_delivery_key_of(subscription, row), entries[OUTBOX_ENTRIES_MOST];
    size_t count = outbox_entries(subscription, row, entries);

    counts->rows[row->state] -= counts->rows[row->state] > 0;
    rows_delivery_remove(rows, &key);
    for (size_t i = 0; i < count; i++) {
        rows_index_remove(rows, TABLE_DELIVERIES, &entries[i]);
    }
}

size_t outbox_entries(const char *subscription, const struct record_delivery *row,
                      struct rows_key entries[OUTBOX_ENTRIES_MOST])
{
    uint64_t order = rows_delivery_order(&row->event);
    bool waits = row->state != DELIVERY_DEAD;
    size_t count = 0;

    if (row->state == DELIVERY_READY) {
        entries[count++] = rows_ready_key(subscription, order);
    } else if (row->state == DELIVERY_LEASED || row->state == DELIVERY_DELAYED) {
        entries[count++] = rows_due_key(subscription, row->next_ms, order);
    }
    if (waits && row->state != DELIVERY_NEW && event_has_session(&row->event)) {
        entries[count++] = rows_waiting_key(subscription, row->event.session, order);
    }
    if (waits && may_repeat(&row->event)) {
        entries[count++] = rows_again_key(subscription, &row->event, order);
    }
    return count;
}

/* After the one of its session that was not held. */
static void promote_next(struct rows *rows, const char *subscription, struct record_outbox *counts,
                         const struct record_delivery *gone)
{
    struct record_delivery row;
    struct rows_waiting found;
    struct rows_key first;

    if (gone->state == DELIVERY_NEW || gone->state == DELIVERY_HELD ||
        gone->state == DELIVERY_DEAD || !session_waits(rows, subscription, &gone->event, &first) ||
        !rows_waiting_split(&first, subscription, gone->event.session, &found) ||
        !rows_delivery_get(rows, subscription, DELIVERY_PART_TAKEN, found.of, found.number, &row)) {
        return;
    }
    take_out(rows, subscription, counts, &row);
    put_in(rows, subscription, counts, &row, DELIVERY_READY);
}

/* ---- leases ---- */

static bool next_due(struct rows *rows, const struct store_leasing *leasing,
                     struct record_delivery *row);
static bool next_ready(struct rows *rows, const struct store_leasing *leasing,
                       struct record_delivery *row);
static bool next_new(struct rows *rows, const struct store_leasing *leasing,
                     struct record_delivery *row);
static void show(const struct rows *rows, const char *subscription,
                 const struct record_delivery *row, struct store_delivery *delivery);

/* What was leased or put off and is due again comes first, then those that are ready, and then the
 * oldest of the new ones; where another of their session is taken up, they are held behind it. */
enum store_result outbox_lease(struct rows *rows, struct store_leasing *leasing)
{
    size_t room = leasing->room < LEASED_AT_ONCE ? leasing->room : LEASED_AT_ONCE;
    struct record_outbox counts;
    struct record_delivery row;
    struct rows_key first;
    size_t looked = 0;

    leasing->count = 0;
    rows_outbox_get(rows, leasing->subscription, &counts);
    for (; leasing->count < room && looked < LEASED_AT_ONCE &&
           (next_due(rows, leasing, &row) || next_ready(rows, leasing, &row) ||
            next_new(rows, leasing, &row));
         looked++) {
        take_out(rows, leasing->subscription, &counts, &row);
        if (row.state == DELIVERY_NEW &&
            session_waits(rows, leasing->subscription, &row.event, &first)) {
            put_in(rows, leasing->subscription, &counts, &row, DELIVERY_HELD);
            continue;
        }
        row.tries += row.tries < UINT32_MAX;
        row.next_ms = leasing->now_ms + (leasing->lease_ms > 0 ? leasing->lease_ms : 1);
        put_in(rows, leasing->subscription, &counts, &row, DELIVERY_LEASED);
        show(rows, leasing->subscription, &row, &leasing->rows[leasing->count++]);
    }
    if (looked > 0) {
        rows_outbox_put(rows, leasing->subscription, &counts);
    }
    leasing->more = looked == LEASED_AT_ONCE;
    return STORE_OK;
}

static bool next_due(struct rows *rows, const struct store_leasing *leasing,
                     struct record_delivery *row)
{
    const char *subscription = leasing->subscription;
    struct rows_key first = rows_due_key(subscription, 0, 0);
    struct rows_key last = rows_due_key(subscription, INT64_MAX, UINT64_MAX);
    struct rows_waiting found;
    int64_t next_ms;

    if (rows_next(rows, TABLE_DELIVERIES, TXN_FROM, &first) &&
        rows_due_split(&first, subscription, &next_ms, &found) && next_ms <= leasing->now_ms) {
        return rows_delivery_get(rows, subscription, DELIVERY_PART_TAKEN, found.of, found.number,
                                 row);
    }
    return rows_next(rows, TABLE_DELIVERIES, TXN_BEFORE, &last) &&
           rows_due_split(&last, subscription, &next_ms, &found) &&
           next_ms - leasing->now_ms > FURTHEST_MS &&
           rows_delivery_get(rows, subscription, DELIVERY_PART_TAKEN, found.of, found.number, row);
}

static bool next_ready(struct rows *rows, const struct store_leasing *leasing,
                       struct record_delivery *row)
{
    struct rows_key first = rows_ready_key(leasing->subscription, 0);
    struct rows_waiting found;

    return rows_next(rows, TABLE_DELIVERIES, TXN_FROM, &first) &&
           rows_ready_split(&first, leasing->subscription, &found) &&
           rows_delivery_get(rows, leasing->subscription, DELIVERY_PART_TAKEN, found.of,
                             found.number, row);
}

/* The oldest of all classes. */
static bool next_new(struct rows *rows, const struct store_leasing *leasing,
                     struct record_delivery *row)
{
    struct rows_delivery_place first = {.number = UINT64_MAX}, place;

    for (unsigned of = 0; of <= EVENT_CLASS_FLOW; of = place.of + 1U) {
        struct rows_key key =
            rows_delivery_key(leasing->subscription, DELIVERY_PART_NEW, (enum event_class)of, 0);

        if (!rows_next(rows, TABLE_OUTBOX, TXN_FROM, &key) ||
            !rows_delivery_split(&key, leasing->subscription, &place) ||
            place.part != DELIVERY_PART_NEW) {
            break;
        } else if (place.number < first.number) {
            first = place;
        }
    }
    return first.number != UINT64_MAX &&
           rows_delivery_get(rows, leasing->subscription, DELIVERY_PART_NEW, first.of, first.number,
                             row);
}

static void show(const struct rows *rows, const char *subscription,
                 const struct record_delivery *row, struct store_delivery *delivery)
{
    memset(delivery, 0, sizeof *delivery);
    delivery->number = row->event.number;
    record_event_id(rows->mac, &row->event, delivery->id);
    memcpy(delivery->subscription, subscription,
           strnlen(subscription, sizeof delivery->subscription - 1));
    delivery->event = row->event;
    delivery->tries = row->tries;
    delivery->first_ms = row->first_ms;
    delivery->next_ms = row->next_ms;
    memcpy(delivery->why, row->why, sizeof delivery->why);
}

/* ---- what came of it ---- */

static bool find(struct rows *rows, const char *subscription, enum rows_delivery_part part,
                 uint64_t number, struct record_delivery *row);

enum store_result outbox_done(struct rows *rows, const struct store_write *write)
{
    const char *subscription = write->of.delivered.subscription;
    struct record_outbox counts;
    struct record_delivery row;

    rows_outbox_get(rows, subscription, &counts);
    for (size_t i = 0; i < write->of.delivered.count; i++) {
        if (find(rows, subscription, DELIVERY_PART_TAKEN, write->of.delivered.numbers[i], &row)) {
            take_out(rows, subscription, &counts, &row);
            promote_next(rows, subscription, &counts, &row);
            counts.delivered++;
        }
    }
    rows_outbox_put(rows, subscription, &counts);
    return STORE_OK;
}

enum store_result outbox_failed(struct rows *rows, const struct store_write *write)
{
    const char *subscription = write->of.undelivered.subscription;
    struct record_outbox counts;
    struct record_delivery row;

    if (!find(rows, subscription, DELIVERY_PART_TAKEN, write->of.undelivered.number, &row)) {
        return STORE_ABSENT;
    }
    rows_outbox_get(rows, subscription, &counts);
    take_out(rows, subscription, &counts, &row);
    if (write->of.undelivered.dead) {
        promote_next(rows, subscription, &counts, &row);
    }
    row.next_ms = write->of.undelivered.next_ms;
    memcpy(row.why, write->of.undelivered.why, sizeof row.why);
    put_in(rows, subscription, &counts, &row,
           write->of.undelivered.dead ? DELIVERY_DEAD : DELIVERY_DELAYED);
    rows_outbox_put(rows, subscription, &counts);
    return STORE_OK;
}

static bool find(struct rows *rows, const char *subscription, enum rows_delivery_part part,
                 uint64_t number, struct record_delivery *row)
{
    for (size_t i = 0; i < CLASSES; i++) {
        if (rows_delivery_get(rows, subscription, part, by_worth[i], number, row)) {
            return true;
        }
    }
    return false;
}

/* ---- dead letters ---- */

static bool next_dead(struct rows *rows, const char *subscription, uint64_t number,
                      struct record_delivery *row);

/* Each goes ahead of what its session has told since, but for what is under way. */
enum store_result outbox_retry(struct rows *rows, struct store_retrying *retrying)
{
    const char *subscription = retrying->subscription;
    struct record_outbox counts;
    struct record_delivery row;
    struct rows_key first;

    retrying->count = 0;
    rows_outbox_get(rows, subscription, &counts);
    while (retrying->count < (retrying->number != 0 ? 1 : RETRIED_AT_ONCE) &&
           next_dead(rows, subscription, retrying->number, &row)) {
        take_out(rows, subscription, &counts, &row);
        row.tries = 0;
        row.first_ms = retrying->now_ms;
        row.next_ms = 0;
        memset(row.why, 0, sizeof row.why);
        put_in(rows, subscription, &counts, &row,
               session_waits(rows, subscription, &row.event, &first) ? DELIVERY_HELD
                                                                     : DELIVERY_READY);
        retrying->count++;
    }
    if (retrying->count > 0) {
        rows_outbox_put(rows, subscription, &counts);
    }
    retrying->more = retrying->number == 0 && retrying->count == RETRIED_AT_ONCE;
    return retrying->count > 0 || retrying->number == 0 ? STORE_OK : STORE_ABSENT;
}

static bool next_dead(struct rows *rows, const char *subscription, uint64_t number,
                      struct record_delivery *row)
{
    struct rows_key key = rows_delivery_key(subscription, DELIVERY_PART_DEAD, 0, 0);
    struct rows_delivery_place place;

    if (number != 0) {
        return find(rows, subscription, DELIVERY_PART_DEAD, number, row);
    }
    return rows_next(rows, TABLE_OUTBOX, TXN_FROM, &key) &&
           rows_delivery_split(&key, subscription, &place) && place.part == DELIVERY_PART_DEAD &&
           rows_delivery_get(rows, subscription, DELIVERY_PART_DEAD, place.of, place.number, row);
}

/* ---- reading ---- */

enum store_result outbox_dead(struct store *store, const char *subscription,
                              const struct store_delivery *after, struct store_delivery *rows_out,
                              size_t room, size_t *count, struct fault *fault)
{
    struct rows_key key = rows_delivery_key(subscription, DELIVERY_PART_DEAD, 0, 0);
    struct rows_delivery_place place;
    struct record_delivery row;
    struct rows rows;

    *count = 0;
    if (!verbs_read_begin(store, &rows, fault)) {
        return STORE_FAULT;
    }
    if (after != NULL) {
        key = rows_delivery_key(subscription, DELIVERY_PART_DEAD, event_class(after->event.kind),
                                after->number);
    }
    while (
        *count < room && rows_next(&rows, TABLE_OUTBOX, TXN_AFTER, &key) &&
        rows_delivery_split(&key, subscription, &place) && place.part == DELIVERY_PART_DEAD &&
        rows_delivery_get(&rows, subscription, DELIVERY_PART_DEAD, place.of, place.number, &row)) {
        show(&rows, subscription, &row, &rows_out[(*count)++]);
    }
    return verbs_read_end(&rows, true);
}

enum store_result outbox_stat(struct store *store, const char *subscription,
                              struct store_delivery_stat *stat, struct fault *fault)
{
    struct record_outbox counts;
    struct rows rows;

    memset(stat, 0, sizeof *stat);
    if (!verbs_read_begin(store, &rows, fault)) {
        return STORE_FAULT;
    }
    rows_outbox_get(&rows, subscription, &counts);
    stat->waiting = (uint64_t)counts.rows[DELIVERY_NEW] + counts.rows[DELIVERY_READY] +
                    counts.rows[DELIVERY_HELD];
    stat->leased = counts.rows[DELIVERY_LEASED];
    stat->delayed = counts.rows[DELIVERY_DELAYED];
    stat->dead = counts.rows[DELIVERY_DEAD];
    stat->delivered = counts.delivered;
    stat->dropped = counts.dropped;
    stat->most = verbs_of(store)->outbox.most;
    for (size_t i = 0; i < CLASSES; i++) {
        struct record_delivery row;

        if ((first_of_part(&rows, subscription, DELIVERY_PART_TAKEN, by_worth[i], &row) ||
             first_of_part(&rows, subscription, DELIVERY_PART_NEW, by_worth[i], &row)) &&
            (stat->oldest_ms == 0 || row.event.at_ms < stat->oldest_ms)) {
            stat->oldest_ms = row.event.at_ms;
        }
    }
    return verbs_read_end(&rows, true);
}

/* ---- subscriptions that are gone ---- */

static bool is_configured(const struct outbox *outbox, const char *subscription);
static bool remove_some(struct rows *rows, enum table table, const char *subscription,
                        size_t *most);

bool outbox_prune(struct rows *rows, size_t most)
{
    struct rows_key key = rows_key_first();
    char subscription[TABLE_KEY_MAX + 1];

    while (rows_next(rows, TABLE_OUTBOX, TXN_FROM, &key)) {
        rows_key_read_text(&key, subscription);
        if (!is_configured(rows->outbox, subscription) &&
            (!remove_some(rows, TABLE_DELIVERIES, subscription, &most) ||
             !remove_some(rows, TABLE_OUTBOX, subscription, &most))) {
            return true;
        }
        key = rows_outbox_end_key(subscription);
    }
    return false;
}

static bool is_configured(const struct outbox *outbox, const char *subscription)
{
    for (size_t i = 0; outbox != NULL && i < outbox->count; i++) {
        if (strcmp(outbox->subscriptions[i].name, subscription) == 0) {
            return true;
        }
    }
    return false;
}

/* False: there are more than *most, which counts down. */
static bool remove_some(struct rows *rows, enum table table, const char *subscription, size_t *most)
{
    for (;;) {
        struct rows_key key = rows_outbox_key(subscription);
        size_t size = key.size;

        if (!rows_next(rows, table, TXN_FROM, &key) || key.size < size ||
            memcmp(key.bytes, rows_outbox_key(subscription).bytes, size) != 0) {
            return true;
        } else if (*most == 0) {
            return false;
        }
        --*most;
        rows_index_remove(rows, table, &key);
    }
}
