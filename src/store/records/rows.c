/* SPDX-License-Identifier: ISC */
/* rows.c: typed get, put and remove over the environment's bytes; see rows.h. Each get checks the
 * record's MAC and makes its failure an error; nothing of a damaged record reaches a verb. Knows
 * keys; does not know why a row is wanted. */
#include "store/records/rows.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/codec.h"

static struct txn_bytes bytes_of(const struct rows_key *key)
{
    return (struct txn_bytes){key->bytes, key->size};
}

/* Among what a session depends on. */
static const struct rows_key epochs_key = {.size = 6, .bytes = "epochs"};

/* ---- errors ---- */

void rows_fail(struct rows *rows, const char *format, ...)
{
    struct fault words;
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(words.text, sizeof words.text, format, arguments);
    va_end(arguments);
    if (!rows->failed && rows->fault != NULL) {
        *rows->fault = words;
    }
    rows->failed = true;
}

/* What an operator would call the record: names as they are, ids as UUIDs, all else in hex. */
static void describe(enum table table, const struct rows_key *key, char out[TABLE_KEY_MAX * 2])
{
    bool is_name = table == TABLE_META || table == TABLE_NAMES || table == TABLE_CLIENTS;

    if (is_name) {
        snprintf(out, TABLE_KEY_MAX * 2, "%.*s", (int)key->size, (const char *)key->bytes);
    } else if (table == TABLE_SESSIONS && key->size == SESSION_ID_SIZE) {
        codec_uuid_format(key->bytes, out);
    } else {
        codec_hex_encode(key->bytes, key->size < 16 ? key->size : 16, out);
    }
}

static bool damaged(struct rows *rows, enum table table, const struct rows_key *key)
{
    char name[TABLE_KEY_MAX * 2];

    describe(table, key, name);
    rows_fail(rows, "record %s in %s is damaged or was changed by hand; run `retoken store check`",
              name, table_name(table));
    return false;
}

/* True: done. */
static bool is_done(struct rows *rows, enum txn_result result)
{
    rows->full |= result == TXN_FULL;
    rows->failed |= result == TXN_FULL || result == TXN_FAULT;
    return result == TXN_OK;
}

/* ---- the accesses ---- */

static bool get(struct rows *rows, enum table table, const struct rows_key *key,
                struct record *record)
{
    struct txn_bytes stored;

    if (rows->failed || key->size == 0 ||
        !is_done(rows,
                 rows->txn.kind->get(&rows->txn, table, bytes_of(key), &stored, rows->fault))) {
        return false;
    }
    record_start(record, table, bytes_of(key));
    return record_open(record, rows->mac, stored) || damaged(rows, table, key);
}

static void put(struct rows *rows, enum table table, const struct rows_key *key,
                struct txn_bytes stored)
{
    if (!rows->failed) {
        rows->changes++;
        is_done(rows, rows->txn.kind->put(&rows->txn, table, bytes_of(key), stored, rows->fault));
    }
}

static void put_record(struct rows *rows, enum table table, const struct rows_key *key,
                       struct record *record)
{
    struct txn_bytes stored;

    if (key->size == 0 || !record_seal(record, rows->mac, &stored)) {
        /* a bug of a caller, caught before it is on the disk */
        rows_fail(rows,
                  "a record for %s could not be made: a value is too long, or libcrypto "
                  "failed",
                  table_name(table));
        return;
    }
    put(rows, table, key, stored);
}

static bool remove_row(struct rows *rows, enum table table, const struct rows_key *key)
{
    if (rows->failed || key->size == 0) {
        return false;
    }
    rows->changes++;
    return is_done(rows, rows->txn.kind->remove(&rows->txn, table, bytes_of(key), rows->fault));
}

/* A page whose keys were changed on the disk can lead a walk in a circle: each step must lead on.
 */
static bool leads_on(enum txn_seek seek, const struct rows_key *from, const struct txn_bytes *found)
{
    int order = text_compare((struct text){found->data, found->size},
                             (struct text){(const char *)from->bytes, from->size});

    switch (seek) {
    case TXN_FROM:
        return order >= 0;
    case TXN_AFTER:
        return order > 0;
    case TXN_BEFORE:
        return order < 0;
    }
    return false;
}

bool rows_next(struct rows *rows, enum table table, enum txn_seek seek, struct rows_key *key)
{
    struct txn_bytes found;

    if (rows->failed || !is_done(rows, rows->txn.kind->seek(&rows->txn, table, seek, bytes_of(key),
                                                            &found, rows->fault))) {
        return false;
    } else if (found.size > TABLE_KEY_MAX) {
        rows_fail(rows, "a key in %s is longer than any of ours; run `retoken store check`",
                  table_name(table));
    } else if (!leads_on(seek, key, &found)) {
        rows_fail(rows, "keys in %s are out of order: data.mdb is damaged; restore a backup",
                  table_name(table));
    } else {
        *key = rows_key_bytes(found.data, found.size);
    }
    return !rows->failed;
}

static void want(struct rows *rows, enum table table, const struct rows_key *key)
{
    if (rows->txn.kind->want != NULL && !rows->failed && key->size > 0) {
        rows->txn.kind->want(&rows->txn, table, bytes_of(key));
    }
}

bool rows_have_room(struct rows *rows)
{
    if (rows->txn.kind->nearly_full(&rows->txn)) {
        rows->pressed = true;
        rows_fail(rows, "store is full: what is left is kept for refreshing and ending sessions; "
                        "raise the map limit, or remove sessions with `retoken store prune`");
    }
    return !rows->failed;
}

/* ---- sessions and aliases ---- */

void rows_session_want(struct rows *rows, const uint8_t id[SESSION_ID_SIZE])
{
    struct rows_key key = rows_key_bytes(id, SESSION_ID_SIZE);

    want(rows, TABLE_SESSIONS, &key);
}

void rows_owners_want(struct rows *rows, const struct session *session)
{
    struct rows_key account = rows_key_u64(session->account);
    struct rows_key client = rows_key_name(session->client, CLIENT_ID_MAX);

    want(rows, TABLE_META, &epochs_key);
    want(rows, TABLE_ACCOUNTS, &account);
    want(rows, TABLE_CLIENTS, &client);
}

bool rows_session_get(struct rows *rows, const uint8_t id[SESSION_ID_SIZE],
                      struct record_session *session)
{
    struct rows_key key = rows_key_bytes(id, SESSION_ID_SIZE);
    RECORD(record, RECORD_SESSION_MAX);

    if (!get(rows, TABLE_SESSIONS, &key, &record)) {
        return false;
    } else if (!record_get_session(&record, session)) {
        return damaged(rows, TABLE_SESSIONS, &key);
    }
    memcpy(session->session.id, id, SESSION_ID_SIZE);
    return true;
}

void rows_session_put(struct rows *rows, const struct record_session *session)
{
    struct rows_key key = rows_key_bytes(session->session.id, SESSION_ID_SIZE);
    RECORD(record, RECORD_SESSION_MAX);

    record_start(&record, TABLE_SESSIONS, bytes_of(&key));
    record_put_session(&record, session);
    put_record(rows, TABLE_SESSIONS, &key, &record);
}

bool rows_session_remove(struct rows *rows, const uint8_t id[SESSION_ID_SIZE])
{
    struct rows_key key = rows_key_bytes(id, SESSION_ID_SIZE);

    return remove_row(rows, TABLE_SESSIONS, &key);
}

bool rows_alias_get(struct rows *rows, const uint8_t hash[SESSION_HASH_SIZE],
                    struct record_alias *alias)
{
    struct rows_key key = rows_key_bytes(hash, SESSION_HASH_SIZE);
    RECORD(record, RECORD_SMALL_MAX);

    return get(rows, TABLE_ALIASES, &key, &record) &&
           (record_get_alias(&record, alias) || damaged(rows, TABLE_ALIASES, &key));
}

void rows_alias_put(struct rows *rows, const uint8_t hash[SESSION_HASH_SIZE],
                    const struct record_alias *alias)
{
    struct rows_key key = rows_key_bytes(hash, SESSION_HASH_SIZE);
    RECORD(record, RECORD_SMALL_MAX);

    record_start(&record, TABLE_ALIASES, bytes_of(&key));
    record_put_alias(&record, alias);
    put_record(rows, TABLE_ALIASES, &key, &record);
}

bool rows_alias_remove(struct rows *rows, const uint8_t hash[SESSION_HASH_SIZE])
{
    struct rows_key key = rows_key_bytes(hash, SESSION_HASH_SIZE);

    return remove_row(rows, TABLE_ALIASES, &key);
}

/* ---- accounts and their names ---- */

bool rows_account_get(struct rows *rows, uint64_t number, struct account *account)
{
    struct rows_key key = rows_key_u64(number);
    RECORD(record, RECORD_ACCOUNT_MAX);

    if (!get(rows, TABLE_ACCOUNTS, &key, &record)) {
        return false;
    } else if (!record_get_account(&record, account)) {
        return damaged(rows, TABLE_ACCOUNTS, &key);
    }
    account->number = number;
    return true;
}

void rows_account_put(struct rows *rows, const struct account *account)
{
    struct rows_key key = rows_key_u64(account->number);
    RECORD(record, RECORD_ACCOUNT_MAX);

    record_start(&record, TABLE_ACCOUNTS, bytes_of(&key));
    record_put_account(&record, account);
    put_record(rows, TABLE_ACCOUNTS, &key, &record);
}

bool rows_account_remove(struct rows *rows, uint64_t number)
{
    struct rows_key key = rows_key_u64(number);

    return remove_row(rows, TABLE_ACCOUNTS, &key);
}

bool rows_name_get(struct rows *rows, const char *name, uint64_t *number)
{
    struct rows_key key = rows_key_name(name, ACCOUNT_NAME_MAX);
    RECORD(record, RECORD_SMALL_MAX);

    return get(rows, TABLE_NAMES, &key, &record) &&
           (record_get_number(&record, number) || damaged(rows, TABLE_NAMES, &key));
}

void rows_name_put(struct rows *rows, const char *name, uint64_t number)
{
    struct rows_key key = rows_key_name(name, ACCOUNT_NAME_MAX);
    RECORD(record, RECORD_SMALL_MAX);

    record_start(&record, TABLE_NAMES, bytes_of(&key));
    record_put_number(&record, number);
    put_record(rows, TABLE_NAMES, &key, &record);
}

bool rows_name_remove(struct rows *rows, const char *name)
{
    struct rows_key key = rows_key_name(name, ACCOUNT_NAME_MAX);

    return remove_row(rows, TABLE_NAMES, &key);
}

/* ---- clients ---- */

static bool get_client(struct rows *rows, const struct rows_key *key, struct client *client);

bool rows_client_get(struct rows *rows, const char *id, struct client *client)
{
    struct rows_key key = rows_key_name(id, CLIENT_ID_MAX);

    return key.size > 0 && get_client(rows, &key, client);
}

/* By itself, because its record is large, and most sessions have none. */
static __attribute__((noinline)) bool get_client(struct rows *rows, const struct rows_key *key,
                                                 struct client *client)
{
    RECORD(record, RECORD_SIZE_MAX);

    if (!get(rows, TABLE_CLIENTS, key, &record)) {
        return false;
    } else if (!record_get_client(&record, client)) {
        return damaged(rows, TABLE_CLIENTS, key);
    }
    rows_key_read_text(key, client->id);
    return true;
}

void rows_client_put(struct rows *rows, const struct client *client)
{
    struct rows_key key = rows_key_name(client->id, CLIENT_ID_MAX);
    RECORD(record, RECORD_SIZE_MAX);

    record_start(&record, TABLE_CLIENTS, bytes_of(&key));
    record_put_client(&record, client);
    put_record(rows, TABLE_CLIENTS, &key, &record);
}

bool rows_client_remove(struct rows *rows, const char *id)
{
    struct rows_key key = rows_key_name(id, CLIENT_ID_MAX);

    return remove_row(rows, TABLE_CLIENTS, &key);
}

/* ---- signing keys ---- */

bool rows_signing_get(struct rows *rows, uint32_t number, struct signing_row *row)
{
    struct rows_key key = rows_key_u32(number);
    RECORD(record, RECORD_SIZE_MAX);

    if (!get(rows, TABLE_KEYS, &key, &record)) {
        return false;
    } else if (!record_get_key(&record, row)) {
        return damaged(rows, TABLE_KEYS, &key);
    }
    row->number = number;
    return true;
}

void rows_signing_put(struct rows *rows, const struct signing_row *row)
{
    struct rows_key key = rows_key_u32(row->number);
    RECORD(record, RECORD_SIZE_MAX);

    record_start(&record, TABLE_KEYS, bytes_of(&key));
    record_put_key(&record, row);
    put_record(rows, TABLE_KEYS, &key, &record);
}

/* ---- time ---- */

struct clock_moment rows_moment(const struct rows *rows, int64_t wall_ms)
{
    return rows->clock != NULL ? clock_moment(rows->clock)
                               : (struct clock_moment){.wall_ms = wall_ms};
}

/* ---- events ---- */

bool rows_event_get(struct rows *rows, const struct rows_key *key, struct event *event)
{
    RECORD(record, RECORD_SIZE_MAX);

    enum event_class of;

    if (!get(rows, TABLE_EVENTS, key, &record)) {
        return false;
    } else if (!record_get_event(&record, event)) {
        return damaged(rows, TABLE_EVENTS, key);
    }
    return rows_event_split(key, &of, &event->number) || damaged(rows, TABLE_EVENTS, key);
}

void rows_event_put(struct rows *rows, const struct rows_key *key, const struct event *event)
{
    RECORD(record, RECORD_SIZE_MAX);

    record_start(&record, TABLE_EVENTS, bytes_of(key));
    record_put_event(&record, event);
    put_record(rows, TABLE_EVENTS, key, &record);
}

bool rows_event_remove(struct rows *rows, const struct rows_key *key)
{
    return remove_row(rows, TABLE_EVENTS, key);
}

void rows_event_link(struct rows *rows, const struct rows_key *key, const struct event *event,
                     const uint8_t before[EVENT_LINK_SIZE], uint8_t link[EVENT_LINK_SIZE])
{
    RECORD(record, RECORD_SIZE_MAX);

    record_start(&record, TABLE_EVENTS, bytes_of(key));
    if (!record_event_link(&record, rows->mac, event, before, link)) {
        rows_fail(rows, "libcrypto failed");
    }
}

/* ---- the outbox ---- */

static enum rows_delivery_part part_of(enum delivery_state state)
{
    switch (state) {
    case DELIVERY_NEW:
        return DELIVERY_PART_NEW;
    case DELIVERY_DEAD:
        return DELIVERY_PART_DEAD;
    case DELIVERY_READY:
    case DELIVERY_HELD:
    case DELIVERY_LEASED:
    case DELIVERY_DELAYED:
        break;
    }
    return DELIVERY_PART_TAKEN;
}

struct rows_key rows_delivery_key_of(const char *subscription, const struct record_delivery *row)
{
    return rows_delivery_key(subscription, part_of(row->state), event_class(row->event.kind),
                             row->event.number);
}

bool rows_delivery_get(struct rows *rows, const char *subscription, enum rows_delivery_part part,
                       enum event_class of, uint64_t number, struct record_delivery *row)
{
    struct rows_key key = rows_delivery_key(subscription, part, of, number);
    RECORD(record, RECORD_SIZE_MAX);

    if (!get(rows, TABLE_OUTBOX, &key, &record)) {
        return false;
    } else if (!record_get_delivery(&record, row) || part_of(row->state) != part) {
        return damaged(rows, TABLE_OUTBOX, &key);
    }
    row->event.number = number;
    return true;
}

bool rows_delivery_get_waiting(struct rows *rows, const char *subscription,
                               const struct rows_waiting *place, struct record_delivery *row)
{
    return rows_delivery_get(rows, subscription, DELIVERY_PART_NEW, place->of, place->number,
                             row) ||
           rows_delivery_get(rows, subscription, DELIVERY_PART_TAKEN, place->of, place->number,
                             row);
}

void rows_delivery_put(struct rows *rows, const char *subscription,
                       const struct record_delivery *row)
{
    struct rows_key key = rows_delivery_key_of(subscription, row);
    RECORD(record, RECORD_SIZE_MAX);

    record_start(&record, TABLE_OUTBOX, bytes_of(&key));
    record_put_delivery(&record, row);
    put_record(rows, TABLE_OUTBOX, &key, &record);
}

bool rows_delivery_remove(struct rows *rows, const struct rows_key *key)
{
    return remove_row(rows, TABLE_OUTBOX, key);
}

void rows_outbox_get(struct rows *rows, const char *subscription, struct record_outbox *counts)
{
    struct rows_key key = rows_outbox_key(subscription);
    RECORD(record, RECORD_SIZE_MAX);

    memset(counts, 0, sizeof *counts);
    if (get(rows, TABLE_OUTBOX, &key, &record) && !record_get_outbox(&record, counts)) {
        damaged(rows, TABLE_OUTBOX, &key);
    }
}

void rows_outbox_put(struct rows *rows, const char *subscription,
                     const struct record_outbox *counts)
{
    struct rows_key key = rows_outbox_key(subscription);
    RECORD(record, RECORD_SIZE_MAX);

    record_start(&record, TABLE_OUTBOX, bytes_of(&key));
    record_put_outbox(&record, counts);
    put_record(rows, TABLE_OUTBOX, &key, &record);
}

/* ---- marks ---- */

bool rows_mark_get(struct rows *rows, enum mark_kind kind, const uint8_t hash[MARK_HASH_SIZE],
                   struct mark *mark)
{
    struct rows_key key = rows_mark_key(kind, hash);
    RECORD(record, RECORD_SMALL_MAX);

    if (!get(rows, TABLE_MARKS, &key, &record)) {
        return false;
    } else if (!record_get_mark(&record, mark)) {
        return damaged(rows, TABLE_MARKS, &key);
    }
    mark->kind = kind;
    memcpy(mark->hash, hash, sizeof mark->hash);
    return true;
}

void rows_mark_put(struct rows *rows, const struct mark *mark)
{
    struct rows_key key = rows_mark_key(mark->kind, mark->hash);
    RECORD(record, RECORD_SMALL_MAX);

    record_start(&record, TABLE_MARKS, bytes_of(&key));
    record_put_mark(&record, mark);
    put_record(rows, TABLE_MARKS, &key, &record);
}

bool rows_mark_remove(struct rows *rows, enum mark_kind kind, const uint8_t hash[MARK_HASH_SIZE])
{
    struct rows_key key = rows_mark_key(kind, hash);

    return remove_row(rows, TABLE_MARKS, &key);
}

/* ---- as they are ---- */

bool rows_raw_get(struct rows *rows, enum table table, const struct rows_key *key,
                  struct txn_bytes *stored)
{
    return !rows->failed && is_done(rows, rows->txn.kind->get(&rows->txn, table, bytes_of(key),
                                                              stored, rows->fault));
}

void rows_raw_put(struct rows *rows, enum table table, const struct rows_key *key,
                  struct txn_bytes stored)
{
    put(rows, table, key, stored);
}

/* ---- indices ---- */

bool rows_index_get(struct rows *rows, enum table table, const struct rows_key *key)
{
    struct txn_bytes nothing;

    return !rows->failed && is_done(rows, rows->txn.kind->get(&rows->txn, table, bytes_of(key),
                                                              &nothing, rows->fault));
}

void rows_index_put(struct rows *rows, enum table table, const struct rows_key *key)
{
    put(rows, table, key, (struct txn_bytes){"", 0});
}

bool rows_index_remove(struct rows *rows, enum table table, const struct rows_key *key)
{
    return remove_row(rows, table, key);
}

/* ---- meta ---- */

static const struct rows_key counters_key = {.size = 8, .bytes = "counters"};
static const struct rows_key chains_key = {.size = 6, .bytes = "chains"};
static const struct rows_key time_key = {.size = 4, .bytes = "time"};
static const struct rows_key format_key = {.size = 6, .bytes = "format"};
static const struct rows_key ended_key = {.size = 5, .bytes = "ended"};

void rows_counters_want(struct rows *rows)
{
    want(rows, TABLE_META, &counters_key);
}

bool rows_counters_get(struct rows *rows, struct record_counters *counters)
{
    RECORD(record, RECORD_SMALL_MAX);

    /* without them the numbers they count would come again */
    return !rows->failed && ((get(rows, TABLE_META, &counters_key, &record) &&
                              record_get_counters(&record, counters)) ||
                             damaged(rows, TABLE_META, &counters_key));
}

void rows_counters_put(struct rows *rows, const struct record_counters *counters)
{
    RECORD(record, RECORD_SMALL_MAX);

    record_start(&record, TABLE_META, bytes_of(&counters_key));
    record_put_counters(&record, counters);
    put_record(rows, TABLE_META, &counters_key, &record);
}

void rows_chains_get(struct rows *rows, struct record_chains *chains)
{
    RECORD(record, RECORD_SIZE_MAX);

    memset(chains, 0, sizeof *chains);
    if (get(rows, TABLE_META, &chains_key, &record) && !record_get_chains(&record, chains)) {
        damaged(rows, TABLE_META, &chains_key);
    }
}

void rows_chains_put(struct rows *rows, const struct record_chains *chains)
{
    RECORD(record, RECORD_SIZE_MAX);

    record_start(&record, TABLE_META, bytes_of(&chains_key));
    record_put_chains(&record, chains);
    put_record(rows, TABLE_META, &chains_key, &record);
}

bool rows_epochs_there(struct rows *rows)
{
    return rows_index_get(rows, TABLE_META, &epochs_key);
}

void rows_epochs_get(struct rows *rows, struct record_epochs *epochs)
{
    RECORD(record, RECORD_EPOCHS_SIZE_MAX);

    epochs->count = 0;
    if (get(rows, TABLE_META, &epochs_key, &record) && !record_get_epochs(&record, epochs)) {
        epochs->count = 0;
        damaged(rows, TABLE_META, &epochs_key);
    }
}

void rows_epochs_put(struct rows *rows, const struct record_epochs *epochs)
{
    RECORD(record, RECORD_EPOCHS_SIZE_MAX);

    record_start(&record, TABLE_META, bytes_of(&epochs_key));
    record_put_epochs(&record, epochs);
    put_record(rows, TABLE_META, &epochs_key, &record);
}

bool rows_time_get(struct rows *rows, struct record_time *time)
{
    RECORD(record, RECORD_SMALL_MAX);

    memset(time, 0, sizeof *time);
    return get(rows, TABLE_META, &time_key, &record) &&
           (record_get_time(&record, time) || damaged(rows, TABLE_META, &time_key));
}

void rows_time_put(struct rows *rows, const struct record_time *time)
{
    RECORD(record, RECORD_SMALL_MAX);

    record_start(&record, TABLE_META, bytes_of(&time_key));
    record_put_time(&record, time);
    put_record(rows, TABLE_META, &time_key, &record);
}

bool rows_ended_get(struct rows *rows, struct txn_bytes *packed)
{
    return !rows->failed &&
           is_done(rows, rows->txn.kind->get(&rows->txn, TABLE_META, bytes_of(&ended_key), packed,
                                             rows->fault));
}

void rows_ended_put(struct rows *rows, struct txn_bytes packed)
{
    put(rows, TABLE_META, &ended_key, packed);
}

bool rows_format_get(struct rows *rows, struct record_format *format)
{
    struct txn_bytes stored;

    return !rows->failed &&
           is_done(rows, rows->txn.kind->get(&rows->txn, TABLE_META, bytes_of(&format_key), &stored,
                                             rows->fault)) &&
           (record_format_decode(stored, format) || damaged(rows, TABLE_META, &format_key));
}

void rows_format_put(struct rows *rows, const struct record_format *format)
{
    uint8_t bytes[RECORD_FORMAT_SIZE];

    record_format_encode(format, bytes);
    put(rows, TABLE_META, &format_key, (struct txn_bytes){bytes, sizeof bytes});
}
