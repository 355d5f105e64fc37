/* rows.c: typed get, put and remove over the engine's bytes. Each get checks the record's MAC and
 * makes its failure a fault; nothing of a damaged record reaches a verb. */
#include "store/rows.h"

#include <stdio.h>
#include <string.h>

#include "base/codec.h"

/* ---- keys ---- */

struct rows_key rows_key_first(void)
{
    return (struct rows_key){.size = 1};
}

struct rows_key rows_key_last(void)
{
    struct rows_key key = {.size = ENGINE_KEY_MAX};

    memset(key.bytes, 0xff, sizeof(key.bytes));
    return key;
}

static struct engine_bytes bytes_of(const struct rows_key *key)
{
    return (struct engine_bytes){key->bytes, key->size};
}

static struct rows_key key_of(const void *data, size_t size)
{
    struct rows_key key = {.size = size};

    memcpy(key.bytes, data, size);
    return key;
}

static struct rows_key key_of_u64(uint64_t number)
{
    struct rows_key key = {.size = 8};

    codec_put_u64(key.bytes, number);
    return key;
}

static struct rows_key key_of_u32(uint32_t number)
{
    struct rows_key key = {.size = 4};

    codec_put_u32(key.bytes, number);
    return key;
}

/* size 0 when the name is empty or longer than `most`: no record can have it. */
static struct rows_key key_of_name(const char *name, size_t most)
{
    size_t size = strnlen(name, most + 1);

    return size > most ? (struct rows_key){.size = 0} : key_of(name, size);
}

static struct rows_key key_of_u64_and_id(uint64_t number, const uint8_t id[SESSION_ID_SIZE])
{
    struct rows_key key = {.size = 8 + SESSION_ID_SIZE};

    codec_put_u64(key.bytes, number);
    memcpy(key.bytes + 8, id, SESSION_ID_SIZE);
    return key;
}

struct rows_key rows_owner_key(uint64_t account, const uint8_t id[SESSION_ID_SIZE])
{
    return key_of_u64_and_id(account, id);
}

struct rows_key rows_end_key(int64_t at_ms, const uint8_t id[SESSION_ID_SIZE])
{
    return key_of_u64_and_id((uint64_t)at_ms, id);
}

bool rows_owner_split(const struct rows_key *key, uint64_t *account, uint8_t id[SESSION_ID_SIZE])
{
    if (key->size != 8 + SESSION_ID_SIZE) {
        return false;
    }
    *account = codec_get_u64(key->bytes);
    memcpy(id, key->bytes + 8, SESSION_ID_SIZE);
    return true;
}

bool rows_end_split(const struct rows_key *key, int64_t *at_ms, uint8_t id[SESSION_ID_SIZE])
{
    uint64_t at;

    if (!rows_owner_split(key, &at, id) || at > INT64_MAX) {
        return false;
    }
    *at_ms = (int64_t)at;
    return true;
}

/* ---- faults ---- */

/* How an operator would name the record: names as they are, ids as UUIDs, all else in hex. */
static void describe(enum engine_table table, const struct rows_key *key,
                     char out[ENGINE_KEY_MAX * 2])
{
    bool is_name = table == TABLE_META || table == TABLE_NAMES || table == TABLE_CLIENTS;

    if (is_name) {
        snprintf(out, ENGINE_KEY_MAX * 2, "%.*s", (int)key->size, (const char *)key->bytes);
    } else if (table == TABLE_SESSIONS && key->size == SESSION_ID_SIZE) {
        codec_uuid_format(key->bytes, out);
    } else {
        codec_hex_encode(key->bytes, key->size < 16 ? key->size : 16, out);
    }
}

static enum store_result damaged(enum engine_table table, const struct rows_key *key,
                                 struct fault *fault)
{
    char name[ENGINE_KEY_MAX * 2];

    describe(table, key, name);
    fault_set(fault, "record %s in %s is damaged or was changed by hand; run `retoken store check`",
              name, engine_table_name(table));
    return STORE_FAULT;
}

/* A value that no record can hold: a bug above us, caught before it is on the disk. */
static enum store_result unfit(enum engine_table table, struct fault *fault)
{
    fault_set(fault, "a record for %s could not be made: a value is too long, or libcrypto failed",
              engine_table_name(table));
    return STORE_FAULT;
}

static enum store_result result_of(struct rows *rows, enum engine_result result)
{
    switch (result) {
    case ENGINE_OK:
        return STORE_OK;
    case ENGINE_ABSENT:
        return STORE_ABSENT;
    case ENGINE_FULL:
        rows->full = true;
        return STORE_FAULT;
    case ENGINE_FAULT:
        return STORE_FAULT;
    }
    return STORE_FAULT;
}

/* ---- the three accesses ---- */

static enum store_result get(struct rows *rows, enum engine_table table, const struct rows_key *key,
                             struct record *record, struct fault *fault)
{
    struct engine_bytes stored;
    enum store_result result;

    if (key->size == 0) {
        return STORE_ABSENT;
    }
    result = result_of(rows, rows->kind->get(&rows->txn, table, bytes_of(key), &stored, fault));
    if (result == STORE_OK) {
        record_start(record, table, bytes_of(key));
        if (!record_open(record, rows->mac, stored)) {
            return damaged(table, key, fault);
        }
    }
    return result;
}

static enum store_result put(struct rows *rows, enum engine_table table, const struct rows_key *key,
                             struct engine_bytes stored, struct fault *fault)
{
    rows->changes++;
    return result_of(rows, rows->kind->put(&rows->txn, table, bytes_of(key), stored, fault));
}

static enum store_result put_record(struct rows *rows, enum engine_table table,
                                    const struct rows_key *key, struct record *record,
                                    struct fault *fault)
{
    struct engine_bytes stored;

    if (key->size == 0 || !record_seal(record, rows->mac, &stored)) {
        return unfit(table, fault);
    }
    return put(rows, table, key, stored, fault);
}

static enum store_result remove_row(struct rows *rows, enum engine_table table,
                                    const struct rows_key *key, struct fault *fault)
{
    if (key->size == 0) {
        return STORE_ABSENT;
    }
    rows->changes++;
    return result_of(rows, rows->kind->remove(&rows->txn, table, bytes_of(key), fault));
}

/* A page whose keys were changed on the disk can lead a walk in a circle: each step must lead on.
 */
static bool is_on_the_way(enum engine_seek seek, const struct rows_key *from,
                          const struct engine_bytes *found)
{
    int order = text_compare((struct text){found->data, found->size},
                             (struct text){(const char *)from->bytes, from->size});

    switch (seek) {
    case ENGINE_FROM:
        return order >= 0;
    case ENGINE_AFTER:
        return order > 0;
    case ENGINE_BEFORE:
        return order < 0;
    }
    return false;
}

enum store_result rows_next(struct rows *rows, enum engine_table table, enum engine_seek seek,
                            struct rows_key *key, struct fault *fault)
{
    struct engine_bytes found;
    enum store_result result =
        result_of(rows, rows->kind->seek(&rows->txn, table, seek, bytes_of(key), &found, fault));

    if (result == STORE_OK && found.size > ENGINE_KEY_MAX) {
        fault_set(fault, "a key in %s is longer than any of ours; run `retoken store check`",
                  engine_table_name(table));
        return STORE_FAULT;
    } else if (result == STORE_OK && !is_on_the_way(seek, key, &found)) {
        fault_set(fault, "keys in %s are out of order: data.mdb is damaged; restore a backup",
                  engine_table_name(table));
        return STORE_FAULT;
    } else if (result == STORE_OK) {
        *key = key_of(found.data, found.size);
    }
    return result;
}

bool rows_have_room(struct rows *rows, struct fault *fault)
{
    if (!rows->kind->nearly_full(&rows->txn)) {
        return true;
    }
    rows->pressed = true;
    fault_set(fault,
              "store is full: what is left is kept for refreshing and ending sessions; raise "
              "the map limit, or remove sessions with `retoken store prune`");
    return false;
}

/* ---- sessions ---- */

enum store_result rows_session_get(struct rows *rows, const uint8_t id[SESSION_ID_SIZE],
                                   struct record_session *session, struct fault *fault)
{
    struct rows_key key = key_of(id, SESSION_ID_SIZE);
    struct record record;
    enum store_result result = get(rows, TABLE_SESSIONS, &key, &record, fault);

    if (result == STORE_OK && !record_get_session(&record, session)) {
        return damaged(TABLE_SESSIONS, &key, fault);
    } else if (result == STORE_OK) {
        memcpy(session->session.id, id, SESSION_ID_SIZE);
    }
    return result;
}

enum store_result rows_session_put(struct rows *rows, const struct record_session *session,
                                   struct fault *fault)
{
    struct rows_key key = key_of(session->session.id, SESSION_ID_SIZE);
    struct record record;

    record_start(&record, TABLE_SESSIONS, bytes_of(&key));
    record_put_session(&record, session);
    return put_record(rows, TABLE_SESSIONS, &key, &record, fault);
}

enum store_result rows_session_remove(struct rows *rows, const uint8_t id[SESSION_ID_SIZE],
                                      struct fault *fault)
{
    struct rows_key key = key_of(id, SESSION_ID_SIZE);

    return remove_row(rows, TABLE_SESSIONS, &key, fault);
}

/* ---- aliases ---- */

enum store_result rows_alias_get(struct rows *rows, const uint8_t hash[SESSION_HASH_SIZE],
                                 struct record_alias *alias, struct fault *fault)
{
    struct rows_key key = key_of(hash, SESSION_HASH_SIZE);
    struct record record;
    enum store_result result = get(rows, TABLE_ALIASES, &key, &record, fault);

    if (result == STORE_OK && !record_get_alias(&record, alias)) {
        return damaged(TABLE_ALIASES, &key, fault);
    }
    return result;
}

enum store_result rows_alias_put(struct rows *rows, const uint8_t hash[SESSION_HASH_SIZE],
                                 const struct record_alias *alias, struct fault *fault)
{
    struct rows_key key = key_of(hash, SESSION_HASH_SIZE);
    struct record record;

    record_start(&record, TABLE_ALIASES, bytes_of(&key));
    record_put_alias(&record, alias);
    return put_record(rows, TABLE_ALIASES, &key, &record, fault);
}

enum store_result rows_alias_remove(struct rows *rows, const uint8_t hash[SESSION_HASH_SIZE],
                                    struct fault *fault)
{
    struct rows_key key = key_of(hash, SESSION_HASH_SIZE);

    return remove_row(rows, TABLE_ALIASES, &key, fault);
}

/* ---- accounts ---- */

enum store_result rows_account_get(struct rows *rows, uint64_t number, struct account *account,
                                   struct fault *fault)
{
    struct rows_key key = key_of_u64(number);
    struct record record;
    enum store_result result = get(rows, TABLE_ACCOUNTS, &key, &record, fault);

    if (result == STORE_OK && !record_get_account(&record, account)) {
        return damaged(TABLE_ACCOUNTS, &key, fault);
    } else if (result == STORE_OK) {
        account->number = number;
    }
    return result;
}

enum store_result rows_account_put(struct rows *rows, const struct account *account,
                                   struct fault *fault)
{
    struct rows_key key = key_of_u64(account->number);
    struct record record;

    record_start(&record, TABLE_ACCOUNTS, bytes_of(&key));
    record_put_account(&record, account);
    return put_record(rows, TABLE_ACCOUNTS, &key, &record, fault);
}

enum store_result rows_account_remove(struct rows *rows, uint64_t number, struct fault *fault)
{
    struct rows_key key = key_of_u64(number);

    return remove_row(rows, TABLE_ACCOUNTS, &key, fault);
}

enum store_result rows_name_get(struct rows *rows, const char *name, uint64_t *number,
                                struct fault *fault)
{
    struct rows_key key = key_of_name(name, ACCOUNT_NAME_MAX);
    struct record record;
    enum store_result result = get(rows, TABLE_NAMES, &key, &record, fault);

    if (result == STORE_OK && !record_get_number(&record, number)) {
        return damaged(TABLE_NAMES, &key, fault);
    }
    return result;
}

enum store_result rows_name_put(struct rows *rows, const char *name, uint64_t number,
                                struct fault *fault)
{
    struct rows_key key = key_of_name(name, ACCOUNT_NAME_MAX);
    struct record record;

    record_start(&record, TABLE_NAMES, bytes_of(&key));
    record_put_number(&record, number);
    return put_record(rows, TABLE_NAMES, &key, &record, fault);
}

enum store_result rows_name_remove(struct rows *rows, const char *name, struct fault *fault)
{
    struct rows_key key = key_of_name(name, ACCOUNT_NAME_MAX);

    return remove_row(rows, TABLE_NAMES, &key, fault);
}

/* ---- clients ---- */

enum store_result rows_client_get(struct rows *rows, const char *id, struct client *client,
                                  struct fault *fault)
{
    struct rows_key key = key_of_name(id, CLIENT_ID_MAX);
    struct record record;
    enum store_result result = get(rows, TABLE_CLIENTS, &key, &record, fault);

    if (result == STORE_OK && !record_get_client(&record, client)) {
        return damaged(TABLE_CLIENTS, &key, fault);
    } else if (result == STORE_OK) {
        memcpy(client->id, key.bytes, key.size);
        client->id[key.size] = '\0';
    }
    return result;
}

enum store_result rows_client_put(struct rows *rows, const struct client *client,
                                  struct fault *fault)
{
    struct rows_key key = key_of_name(client->id, CLIENT_ID_MAX);
    struct record record;

    record_start(&record, TABLE_CLIENTS, bytes_of(&key));
    record_put_client(&record, client);
    return put_record(rows, TABLE_CLIENTS, &key, &record, fault);
}

enum store_result rows_client_remove(struct rows *rows, const char *id, struct fault *fault)
{
    struct rows_key key = key_of_name(id, CLIENT_ID_MAX);

    return remove_row(rows, TABLE_CLIENTS, &key, fault);
}

/* ---- signing keys ---- */

enum store_result rows_key_get(struct rows *rows, uint32_t number, struct signing_row *row,
                               struct fault *fault)
{
    struct rows_key key = key_of_u32(number);
    struct record record;
    enum store_result result = get(rows, TABLE_KEYS, &key, &record, fault);

    if (result == STORE_OK && !record_get_key(&record, row)) {
        return damaged(TABLE_KEYS, &key, fault);
    } else if (result == STORE_OK) {
        row->number = number;
    }
    return result;
}

enum store_result rows_key_put(struct rows *rows, const struct signing_row *row,
                               struct fault *fault)
{
    struct rows_key key = key_of_u32(row->number);
    struct record record;

    record_start(&record, TABLE_KEYS, bytes_of(&key));
    record_put_key(&record, row);
    return put_record(rows, TABLE_KEYS, &key, &record, fault);
}

/* ---- events ---- */

enum store_result rows_event_get(struct rows *rows, uint64_t number, struct event *event,
                                 struct fault *fault)
{
    struct rows_key key = key_of_u64(number);
    struct record record;
    enum store_result result = get(rows, TABLE_EVENTS, &key, &record, fault);

    if (result == STORE_OK && !record_get_event(&record, event)) {
        return damaged(TABLE_EVENTS, &key, fault);
    }
    return result;
}

enum store_result rows_event_put(struct rows *rows, uint64_t number, const struct event *event,
                                 struct fault *fault)
{
    struct rows_key key = key_of_u64(number);
    struct record record;

    record_start(&record, TABLE_EVENTS, bytes_of(&key));
    record_put_event(&record, event);
    return put_record(rows, TABLE_EVENTS, &key, &record, fault);
}

enum store_result rows_event_remove(struct rows *rows, uint64_t number, struct fault *fault)
{
    struct rows_key key = key_of_u64(number);

    return remove_row(rows, TABLE_EVENTS, &key, fault);
}

/* ---- indices ---- */

enum store_result rows_index_get(struct rows *rows, enum engine_table table,
                                 const struct rows_key *key, struct fault *fault)
{
    struct engine_bytes nothing;

    return result_of(rows, rows->kind->get(&rows->txn, table, bytes_of(key), &nothing, fault));
}

enum store_result rows_index_put(struct rows *rows, enum engine_table table,
                                 const struct rows_key *key, struct fault *fault)
{
    return put(rows, table, key, (struct engine_bytes){"", 0}, fault);
}

enum store_result rows_index_remove(struct rows *rows, enum engine_table table,
                                    const struct rows_key *key, struct fault *fault)
{
    return remove_row(rows, table, key, fault);
}

/* ---- meta ---- */

static const struct rows_key *counters_key(void)
{
    static const struct rows_key key = {.size = 8, .bytes = "counters"};

    return &key;
}

static const struct rows_key *format_key(void)
{
    static const struct rows_key key = {.size = 6, .bytes = "format"};

    return &key;
}

enum store_result rows_counters_get(struct rows *rows, struct record_counters *counters,
                                    struct fault *fault)
{
    struct record record;
    enum store_result result = get(rows, TABLE_META, counters_key(), &record, fault);

    /* Written together with the format; without it the numbers it counts would come again. */
    if (result == STORE_ABSENT || (result == STORE_OK && !record_get_counters(&record, counters))) {
        return damaged(TABLE_META, counters_key(), fault);
    }
    return result;
}

enum store_result rows_counters_put(struct rows *rows, const struct record_counters *counters,
                                    struct fault *fault)
{
    struct record record;

    record_start(&record, TABLE_META, bytes_of(counters_key()));
    record_put_counters(&record, counters);
    return put_record(rows, TABLE_META, counters_key(), &record, fault);
}

enum store_result rows_format_get(struct rows *rows, struct record_format *format,
                                  struct fault *fault)
{
    struct engine_bytes stored;
    enum store_result result = result_of(
        rows, rows->kind->get(&rows->txn, TABLE_META, bytes_of(format_key()), &stored, fault));

    if (result == STORE_OK && !record_format_decode(stored, format)) {
        return damaged(TABLE_META, format_key(), fault);
    }
    return result;
}

enum store_result rows_format_put(struct rows *rows, const struct record_format *format,
                                  struct fault *fault)
{
    uint8_t bytes[RECORD_FORMAT_SIZE];

    record_format_encode(format, bytes);
    return put(rows, TABLE_META, format_key(), (struct engine_bytes){bytes, sizeof(bytes)}, fault);
}
