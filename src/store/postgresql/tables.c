/* SPDX-License-Identifier: ISC */
/* tables.c: see tables.h. Knows which statements a table has. */
#include "store/postgresql/tables.h"

#include <stdlib.h>
#include <string.h>

#include "store/postgresql/columns.h"
#include "store/postgresql/reads.h"

enum {
    CHUNK_SIZE = 64 * 1024,
    AHEAD_MOST = 128,        /* keys read ahead of a walk */
    REMEMBERED_MOST = 10000, /* records that a walk keeps in memory */
    FIRST_ROOM = 512         /* of the hash, a power of two */
};

/* ---- statements ---- */

enum tables_statement { GET, COUNT, PUT, REMOVE, FROM, AFTER, BEFORE, STATEMENTS };

#define KEY_VALUE(word)                                                                            \
    {                                                                                              \
        [GET] = {"get_" word, "SELECT key, value FROM " word " WHERE key = ANY($1::bytea[])"},     \
        [COUNT] = {"count_" word, "SELECT count(*) FROM " word},                                   \
        [PUT] = {"put_" word, "INSERT INTO " word " (key, value)"                                  \
                              " SELECT * FROM unnest($1::bytea[], $2::bytea[])"                    \
                              " ON CONFLICT (key) DO UPDATE SET value = excluded.value"},          \
        [REMOVE] = {"remove_" word, "DELETE FROM " word " WHERE key = ANY($1::bytea[])"},          \
        [FROM] = {"from_" word, "SELECT key, value FROM " word                                     \
                                " WHERE key >= $1::bytea ORDER BY key LIMIT $2::bigint"},          \
        [AFTER] = {"after_" word, "SELECT key, value FROM " word                                   \
                                  " WHERE key > $1::bytea ORDER BY key LIMIT $2::bigint"},         \
        [BEFORE] = {"before_" word, "SELECT key, value FROM " word                                 \
                                    " WHERE key < $1::bytea ORDER BY key DESC LIMIT $2::bigint"},  \
    }

/* With whoever a session belongs to, who is asked for next. The columns only tell where to look. */
#define SESSIONS_AND_OWNERS                                                                        \
    "SELECT s.id, s.record, a.key, a.value, c.key, c.value FROM sessions s"                        \
    " LEFT JOIN accounts a ON a.key = int8send(s.account)"                                         \
    " LEFT JOIN clients c ON c.key = convert_to(s.client, 'UTF8') WHERE s.id = ANY($1::uuid[])"

static const struct statement statements[TABLES][STATEMENTS] = {
    [TABLE_META] = KEY_VALUE("meta"),
    [TABLE_SESSIONS] =
        {
            [GET] = {"get_sessions", SESSIONS_AND_OWNERS},
            [COUNT] = {"count_sessions", "SELECT count(*) FROM sessions"},
            [PUT] = {"put_sessions",
                     "INSERT INTO sessions"
                     " (id, record, account, client, realm, created, expires, ended)"
                     " SELECT * FROM unnest($1::uuid[], $2::bytea[], $3::bigint[], $4::text[],"
                     " $5::text[], $6::timestamptz[], $7::timestamptz[], $8::text[])"
                     " ON CONFLICT (id) DO UPDATE SET record = excluded.record,"
                     " account = excluded.account, expires = excluded.expires,"
                     " ended = excluded.ended"},
            [REMOVE] = {"remove_sessions", "DELETE FROM sessions WHERE id = ANY($1::uuid[])"},
            [FROM] = {"from_sessions", "SELECT id, record FROM sessions"
                                       " WHERE id >= $1::uuid ORDER BY id LIMIT $2::bigint"},
            [AFTER] = {"after_sessions", "SELECT id, record FROM sessions"
                                         " WHERE id > $1::uuid ORDER BY id LIMIT $2::bigint"},
            [BEFORE] = {"before_sessions",
                        "SELECT id, record FROM sessions"
                        " WHERE id < $1::uuid ORDER BY id DESC LIMIT $2::bigint"},
        },
    [TABLE_ALIASES] = KEY_VALUE("aliases"),
    [TABLE_ACCOUNTS] = KEY_VALUE("accounts"),
    [TABLE_NAMES] = KEY_VALUE("names"),
    [TABLE_CLIENTS] = KEY_VALUE("clients"),
    [TABLE_KEYS] = KEY_VALUE("keys"),
    [TABLE_OWNERS] = KEY_VALUE("owners"),
    [TABLE_ENDS] = KEY_VALUE("ends"),
    [TABLE_EVENTS] = KEY_VALUE("events"),
    [TABLE_MARKS] = KEY_VALUE("marks"),
    [TABLE_MARK_ENDS] = KEY_VALUE("mark_ends"),
    [TABLE_REPEATS] = KEY_VALUE("repeats"),
    [TABLE_OUTBOX] = KEY_VALUE("outbox"),
    [TABLE_DELIVERIES] = KEY_VALUE("deliveries"),
};

/* Locks in one order, so that two batches never wait for each other. */
static const struct statement lock_sessions = {"lock_sessions", SESSIONS_AND_OWNERS
                                               " ORDER BY s.id FOR UPDATE OF s"};
/* What a rotation changes, none of it in an index. */
static const struct statement renew_sessions = {
    "renew_sessions",
    "UPDATE sessions s SET record = w.record, account = w.account, expires = w.expires,"
    " ended = w.ended FROM unnest($1::uuid[], $2::bytea[], $3::bigint[], $4::timestamptz[],"
    " $5::text[]) AS w (id, record, account, expires, ended) WHERE s.id = w.id"};
static const struct statement begin_snapshot = {"begin_snapshot",
                                                "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"};

/* ---- memory ---- */

struct tables_chunk {
    struct tables_chunk *before;
    size_t size, room;
    uint8_t bytes[];
};

static void *take(struct tables *tables, size_t size)
{
    struct tables_chunk *chunk = tables->chunks;
    void *taken;

    size = (size + 15) / 16 * 16;
    if (chunk == NULL || chunk->room - chunk->size < size) {
        size_t room = size > CHUNK_SIZE ? size : CHUNK_SIZE;

        chunk = malloc(sizeof *chunk + room);
        if (chunk == NULL) {
            return NULL;
        }
        *chunk = (struct tables_chunk){.before = tables->chunks, .room = room};
        tables->chunks = chunk;
    }
    taken = chunk->bytes + chunk->size;
    chunk->size += size;
    return taken;
}

/* Keeps one chunk for the next time. */
static void forget(struct tables *tables)
{
    struct tables_chunk *chunk = tables->chunks;

    while (chunk != NULL && chunk->before != NULL) {
        struct tables_chunk *before = chunk->before;

        free(chunk);
        chunk = before;
    }
    if (chunk != NULL) {
        chunk->size = 0;
    }
    tables->chunks = chunk;
    if (tables->count > 0) {
        memset(tables->slots, 0, tables->room * sizeof *tables->slots);
    }
    tables->count = tables->asked_count = 0;
    tables->ahead.count = 0;
    tables->ahead.valid = false;
}

void tables_free(struct tables *tables)
{
    forget(tables);
    free(tables->chunks);
    free(tables->slots);
    free(tables->asked);
    free(tables->ahead.entries);
    parameters_free(&tables->parameters);
    *tables = (struct tables){.connection = tables->connection, .mac = tables->mac};
}

static size_t hash_of(enum table table, struct txn_bytes key)
{
    const uint8_t *bytes = key.data;
    uint64_t hash = 14695981039346656037U ^ (uint64_t)table; /* FNV-1a; keys are made by us */

    for (size_t i = 0; i < key.size; i++) {
        hash = (hash ^ bytes[i]) * 1099511628211U;
    }
    return (size_t)(hash ^ hash >> 32);
}

static bool is_of(const struct tables_entry *entry, enum table table, struct txn_bytes key)
{
    return entry->table == table && entry->key_size == key.size &&
           memcmp(entry->key, key.data, key.size) == 0;
}

static struct tables_entry **slot_of(const struct tables *tables, enum table table,
                                     struct txn_bytes key)
{
    size_t at = hash_of(table, key) & (tables->room - 1);

    while (tables->slots[at] != NULL && !is_of(tables->slots[at], table, key)) {
        at = (at + 1) & (tables->room - 1);
    }
    return &tables->slots[at];
}

static bool have_slots(struct tables *tables)
{
    struct tables_entry **old = tables->slots;
    size_t room = tables->room == 0 ? FIRST_ROOM : tables->room * 2, before = tables->room;

    if (tables->count * 2 < tables->room) {
        return true;
    }
    tables->slots = calloc(room, sizeof *tables->slots);
    if (tables->slots == NULL) {
        tables->slots = old;
        return false;
    }
    tables->room = room;
    for (size_t i = 0; i < before; i++) {
        if (old[i] != NULL) {
            *slot_of(tables, old[i]->table, (struct txn_bytes){old[i]->key, old[i]->key_size}) =
                old[i];
        }
    }
    free(old);
    return true;
}

/* The entry of that key, made if need be: then it is wanted. NULL: out of memory. */
static struct tables_entry *entry_of(struct tables *tables, enum table table, struct txn_bytes key)
{
    struct tables_entry **slot, *entry;

    if (!have_slots(tables)) {
        return NULL;
    }
    slot = slot_of(tables, table, key);
    if (*slot == NULL) {
        entry = take(tables, sizeof *entry + key.size);
        if (entry == NULL) {
            return NULL;
        }
        *entry = (struct tables_entry){.table = table, .key_size = key.size};
        memcpy(entry->key, key.data, key.size);
        *slot = entry;
        tables->count++;
    }
    return *slot;
}

static bool keep_value(struct tables *tables, struct tables_entry *entry, struct txn_bytes value)
{
    void *copy = take(tables, value.size + 1);

    if (copy == NULL) {
        return false;
    }
    memcpy(copy, value.data, value.size);
    entry->value = (struct txn_bytes){copy, value.size};
    return true;
}

static enum txn_result no_memory(struct fault *fault)
{
    fault_set(fault, "out of memory in a transaction");
    return TXN_FAULT;
}

/* ---- going to the server ---- */

static enum txn_result flush(struct tables *tables, enum table table, struct fault *fault);
static struct txn_bytes session_key(struct txn_bytes key, uint8_t id[16]);

void tables_read_begin(struct tables *tables, int64_t until_us, struct txn *txn)
{
    forget(tables);
    tables->until_us = until_us;
    tables->queued = 0;
    tables->writes = tables->begun = false;
    tables->outcome = CONNECTION_OK;
    *txn = (struct txn){.kind = &tables_txn_kind, .owner = tables};
}

void tables_write_begin(struct tables *tables, int64_t until_us, struct txn *txn)
{
    tables_read_begin(tables, until_us, txn);
    tables->writes = tables->begun = true;
    tables->queued = 0;
    memset(tables->dirty, 0, sizeof tables->dirty);
    tables->written = 0;
    tables_send(tables, &statement_begin, NULL);
}

size_t tables_send(struct tables *tables, const struct statement *statement,
                   const struct parameters *parameters)
{
    connection_send(tables->connection, statement, parameters);
    return tables->queued++;
}

static enum txn_result wait_for(struct tables *tables, struct fault *fault)
{
    enum connection_outcome outcome =
        tables->outcome != CONNECTION_OK
            ? tables->outcome
            : connection_wait(tables->connection, tables->until_us, fault);

    tables->trips++;
    tables->queued = 0;
    tables->outcome = outcome;
    return outcome == CONNECTION_OK ? TXN_OK : TXN_FAULT;
}

static void add_key(struct parameters *parameters, const struct tables_entry *entry)
{
    uint8_t id[16];
    struct txn_bytes key = {entry->key, entry->key_size};

    if (entry->table == TABLE_SESSIONS) {
        key = session_key(key, id);
    }
    parameters_add(parameters, key.data, key.size);
}

static void send_keys(struct parameters *parameters, struct tables_entry *const *entries,
                      size_t count)
{
    parameters_clear(parameters);
    parameters_array(parameters,
                     entries[0]->table == TABLE_SESSIONS ? PARAMETERS_UUID : PARAMETERS_BYTEA);
    for (size_t i = 0; i < count; i++) {
        add_key(parameters, entries[i]);
    }
}

void tables_send_get(struct connection *connection, struct parameters *parameters,
                     struct tables_entry *const *entries, size_t count, bool locks)
{
    enum table table = entries[0]->table;

    send_keys(parameters, entries, count);
    connection_send(connection,
                    table == TABLE_SESSIONS && locks ? &lock_sessions : &statements[table][GET],
                    parameters);
}

static void want(struct txn *txn, enum table table, struct txn_bytes key)
{
    struct tables *tables = txn->owner;
    struct tables_entry *entry = entry_of(tables, table, key);

    if (entry == NULL || entry->state != TABLES_WANTED || entry->asked) {
        return;
    }
    if (tables->asked_count == tables->asked_room) {
        size_t room = tables->asked_room == 0 ? 16 : tables->asked_room * 2;
        struct tables_entry **asked = realloc(tables->asked, room * sizeof *asked);

        if (asked == NULL) {
            return; /* then its get fails */
        }
        tables->asked = asked;
        tables->asked_room = room;
    }
    entry->asked = true;
    tables->asked[tables->asked_count++] = entry;
}

bool tables_fill(struct tables *tables, struct tables_entry *entry, struct txn_bytes value)
{
    if (entry->state != TABLES_WANTED) {
        return true;
    } else if (!keep_value(tables, entry, value)) {
        return false;
    }
    entry->state = TABLES_PRESENT;
    entry->is_read = entry->stored = true;
    return true;
}

bool tables_fill_owners(struct tables *tables, const struct connection *connection,
                        size_t statement, size_t row)
{
    static const enum table owners[] = {TABLE_ACCOUNTS, TABLE_CLIENTS};
    struct txn_bytes key, value;
    bool filled = true;

    for (size_t i = 0; filled && i < 2; i++) {
        size_t column = 2 + 2 * i;

        if (connection_bytes(connection, statement, row, column, &key.data, &key.size) &&
            connection_bytes(connection, statement, row, column + 1, &value.data, &value.size)) {
            struct tables_entry *entry = entry_of(tables, owners[i], key);

            filled = entry != NULL && tables_fill(tables, entry, value);
        }
    }
    return filled;
}

/* What the server has of a row that it returned. NULL: out of memory. */
static struct tables_entry *keep_row(struct tables *tables, enum table table, size_t statement,
                                     size_t row)
{
    struct txn_bytes key, value;
    struct tables_entry *entry = NULL;

    if (connection_bytes(tables->connection, statement, row, 0, &key.data, &key.size) &&
        connection_bytes(tables->connection, statement, row, 1, &value.data, &value.size)) {
        entry = entry_of(tables, table, key);
    }
    return entry != NULL && tables_fill(tables, entry, value) ? entry : NULL;
}

/* On this transaction's own connection: a statement for each table. */
static enum txn_result fetch_here(struct tables *tables, struct fault *fault)
{
    struct {
        enum table table;
        size_t statement;
    } sent[TABLES];
    size_t count = 0;

    if (tables->asked_count > 1) { /* none are asked for where a statement was sent only */
        qsort(tables->asked, tables->asked_count, sizeof *tables->asked, tables_by_key);
    }
    for (size_t i = 0, end; i < tables->asked_count; i = end) {
        enum table table = tables->asked[i]->table;

        for (end = i; end < tables->asked_count && tables->asked[end]->table == table;) {
            end++;
        }
        tables_send_get(tables->connection, &tables->parameters, tables->asked + i, end - i,
                        tables->writes);
        sent[count].table = table;
        sent[count++].statement = tables->queued++;
    }
    if (wait_for(tables, fault) != TXN_OK) {
        return TXN_FAULT;
    }
    for (size_t i = 0; i < count; i++) {
        size_t rows = connection_rows(tables->connection, sent[i].statement);

        for (size_t row = 0; row < rows; row++) {
            if (keep_row(tables, sent[i].table, sent[i].statement, row) == NULL ||
                (sent[i].table == TABLE_SESSIONS &&
                 !tables_fill_owners(tables, tables->connection, sent[i].statement, row))) {
                return no_memory(fault);
            }
        }
    }
    return TXN_OK;
}

enum txn_result tables_fetch(struct tables *tables, struct fault *fault)
{
    enum txn_result result = tables->outcome == CONNECTION_OK ? TXN_OK : TXN_FAULT;

    if (result == TXN_OK && tables->connection != NULL &&
        tables->asked_count + tables->queued > 0) {
        result = fetch_here(tables, fault);
    } else if (result == TXN_OK && tables->asked_count > 0) {
        tables->outcome = reads_fill(tables->reads, tables, tables->until_us, fault);
        result = tables->outcome == CONNECTION_OK ? TXN_OK : TXN_FAULT;
    }
    for (size_t i = 0; result == TXN_OK && i < tables->asked_count; i++) {
        if (tables->asked[i]->state == TABLES_WANTED) {
            tables->asked[i]->state = TABLES_ABSENT;
            tables->asked[i]->is_read = true;
        }
        tables->asked[i]->asked = false;
    }
    tables->asked_count = 0;
    return result;
}

/* ---- as a kind of transaction ---- */

static struct tables *tables_of(const struct txn *txn)
{
    return txn->owner;
}

static enum txn_result get(struct txn *txn, enum table table, struct txn_bytes key,
                           struct txn_bytes *value, struct fault *fault)
{
    struct tables *tables = tables_of(txn);
    struct tables_entry *entry = entry_of(tables, table, key);

    if (entry == NULL) {
        return no_memory(fault);
    } else if (entry->state == TABLES_WANTED) {
        want(txn, table, key);
        if (!entry->asked) {
            return no_memory(fault);
        } else if (tables_fetch(tables, fault) != TXN_OK) {
            return TXN_FAULT;
        }
    }
    *value = entry->value;
    return entry->state == TABLES_PRESENT ? TXN_OK : TXN_ABSENT;
}

static void mark_dirty(struct tables *tables, struct tables_entry *entry)
{
    tables->written |= 1U << entry->table;
    if (!entry->dirty) {
        entry->dirty = true;
        entry->next = tables->dirty[entry->table];
        tables->dirty[entry->table] = entry;
    }
}

static enum txn_result put(struct txn *txn, enum table table, struct txn_bytes key,
                           struct txn_bytes value, struct fault *fault)
{
    struct tables *tables = tables_of(txn);
    struct tables_entry *entry = entry_of(tables, table, key);

    if (entry == NULL || !keep_value(tables, entry, value)) {
        return no_memory(fault);
    }
    if (!entry->is_read || !entry->stored) {
        tables->ahead.valid = tables->ahead.valid && tables->ahead.table != table;
    }
    entry->state = TABLES_PRESENT;
    mark_dirty(tables, entry);
    return TXN_OK;
}

static enum txn_result remove_key(struct txn *txn, enum table table, struct txn_bytes key,
                                  struct fault *fault)
{
    struct tables *tables = tables_of(txn);
    struct txn_bytes value;
    enum txn_result there = get(txn, table, key, &value, fault);

    if (there == TXN_OK) {
        struct tables_entry *entry = entry_of(tables, table, key);

        entry->state = TABLES_ABSENT;
        mark_dirty(tables, entry);
    }
    return there;
}

/* A transaction that reads gets a connection of its own, and a snapshot. */
static enum txn_result have_connection(struct tables *tables, struct fault *fault)
{
    if (tables->connection == NULL) {
        tables->outcome = reads_take(tables->reads, tables->until_us, &tables->connection, fault);
    }
    if (tables->outcome != CONNECTION_OK) {
        return TXN_FAULT;
    } else if (!tables->begun) {
        tables_send(tables, &begin_snapshot, NULL);
        tables->begun = true;
    }
    return TXN_OK;
}

static enum txn_result count(struct txn *txn, enum table table, uint64_t *entries,
                             struct fault *fault)
{
    struct tables *tables = tables_of(txn);
    size_t statement;

    if (have_connection(tables, fault) != TXN_OK || flush(tables, table, fault) != TXN_OK) {
        return TXN_FAULT;
    }
    statement = tables_send(tables, &statements[table][COUNT], NULL);
    if (wait_for(tables, fault) != TXN_OK) {
        return TXN_FAULT;
    }
    *entries = (uint64_t)connection_i64(tables->connection, statement, 0, 0);
    return TXN_OK;
}

struct connection *tables_connection(const struct txn *txn)
{
    return tables_of(txn)->connection;
}

/* A database that runs out of space says so itself. */
static bool nearly_full(struct txn *txn)
{
    (void)txn;
    return false;
}

static void read_end(struct txn *txn)
{
    struct tables *tables = tables_of(txn);

    if (tables->begun && tables->outcome == CONNECTION_OK) {
        tables_send(tables, &statement_commit, NULL);
        wait_for(tables, NULL);
    }
    reads_give(tables->reads, tables);
}

/* ---- seeking ---- */

int tables_compare(const struct tables_entry *entry, struct txn_bytes key)
{
    size_t size = entry->key_size < key.size ? entry->key_size : key.size;
    int order = memcmp(entry->key, key.data, size);

    return order != 0 ? order : (entry->key_size > key.size) - (entry->key_size < key.size);
}

/* Among what was read ahead of a walk. False: it does not say. */
static bool find_ahead(const struct tables *tables, enum table table, enum txn_seek where,
                       struct txn_bytes key, const struct tables_entry **found)
{
    size_t low = 0, high = tables->ahead.count;

    *found = NULL;
    if (!tables->ahead.valid || tables->ahead.table != table || where == TXN_BEFORE || high == 0 ||
        tables_compare(tables->ahead.entries[0], key) > 0) {
        return false;
    }
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        int order = tables_compare(tables->ahead.entries[middle], key);

        if (order < 0 || (order == 0 && where == TXN_AFTER)) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    while (low < tables->ahead.count && tables->ahead.entries[low]->state == TABLES_ABSENT) {
        low++;
    }
    if (low < tables->ahead.count) {
        *found = tables->ahead.entries[low];
    }
    return *found != NULL || tables->ahead.to_end;
}

static enum txn_result read_ahead(struct tables *tables, enum table table, enum txn_seek where,
                                  struct txn_bytes key, struct fault *fault);

static enum txn_result seek(struct txn *txn, enum table table, enum txn_seek where,
                            struct txn_bytes key, struct txn_bytes *found, struct fault *fault)
{
    struct tables *tables = tables_of(txn);
    const struct tables_entry *entry;

    if (!find_ahead(tables, table, where, key, &entry)) {
        if (read_ahead(tables, table, where, key, fault) != TXN_OK) {
            return TXN_FAULT;
        }
        entry = tables->ahead.count > 0 ? tables->ahead.entries[0] : NULL;
    }
    if (entry == NULL) {
        return TXN_ABSENT;
    }
    *found = (struct txn_bytes){entry->key, entry->key_size};
    return TXN_OK;
}

/* A row that a seek has found. In a transaction that writes a session is locked before its record
 * is believed. */
static struct tables_entry *keep_sought(struct tables *tables, enum table table, size_t statement,
                                        size_t row)
{
    struct txn_bytes key;

    if (table != TABLE_SESSIONS || !tables->writes) {
        return keep_row(tables, table, statement, row);
    }
    return connection_bytes(tables->connection, statement, row, 0, &key.data, &key.size)
               ? entry_of(tables, table, key)
               : NULL;
}

/* One key; when the last seek went on from the key that it had found, many. */
static enum txn_result read_ahead(struct tables *tables, enum table table, enum txn_seek where,
                                  struct txn_bytes key, struct fault *fault)
{
    static const enum tables_statement seeks[] = {
        [TXN_FROM] = FROM, [TXN_AFTER] = AFTER, [TXN_BEFORE] = BEFORE};
    bool walks = tables->ahead.valid && tables->ahead.table == table && tables->ahead.count > 0 &&
                 tables_compare(tables->ahead.entries[tables->ahead.count - 1], key) == 0;
    int64_t most = walks && where != TXN_BEFORE ? AHEAD_MOST : 1;
    uint8_t id[16], copy[TABLE_KEY_MAX];
    size_t statement, rows;

    if (key.size > sizeof copy || have_connection(tables, fault) != TXN_OK ||
        flush(tables, table, fault) != TXN_OK) {
        return TXN_FAULT;
    }
    memcpy(copy, key.data, key.size);
    key.data = copy;
    if (!tables->writes && tables->count > REMEMBERED_MOST) {
        forget(tables);
    }
    parameters_clear(&tables->parameters);
    if (table == TABLE_SESSIONS) {
        key = session_key(key, id);
    }
    parameters_bytes(&tables->parameters, key.data, key.size);
    parameters_i64(&tables->parameters, most);
    statement = tables_send(tables, &statements[table][seeks[where]], &tables->parameters);
    if (wait_for(tables, fault) != TXN_OK) {
        return TXN_FAULT;
    }
    rows = connection_rows(tables->connection, statement);
    tables->ahead.count = 0;
    if (tables->ahead.room < AHEAD_MOST) {
        tables->ahead.entries =
            realloc(tables->ahead.entries, AHEAD_MOST * sizeof(const struct tables_entry *));
        tables->ahead.room = tables->ahead.entries != NULL ? AHEAD_MOST : 0;
    }
    for (size_t row = 0; row < rows; row++) {
        struct tables_entry *entry =
            tables->ahead.room == 0 ? NULL : keep_sought(tables, table, statement, row);

        if (entry == NULL) {
            return no_memory(fault);
        }
        tables->ahead.entries[tables->ahead.count++] = entry;
    }
    tables->ahead.table = table;
    tables->ahead.valid = true;
    tables->ahead.to_end = rows < (size_t)most && where != TXN_BEFORE;
    return TXN_OK;
}

/* A session's key is an id; what a walk begins with is made one that is not above it. */
static struct txn_bytes session_key(struct txn_bytes key, uint8_t id[16])
{
    memset(id, 0, 16);
    memcpy(id, key.data, key.size < 16 ? key.size : 16);
    return (struct txn_bytes){id, 16};
}

/* ---- writing ---- */

static void send_values(struct tables *tables, enum table table, struct tables_entry **entries,
                        size_t count);
static void send_sessions(struct tables *tables, const struct statement *statement,
                          struct tables_entry **entries, size_t count);
static void send_removals(struct tables *tables, enum table table, struct tables_entry **entries,
                          size_t count);

/* Moves those of a kind to the front; how many there are. */
static size_t part(struct tables_entry **entries, size_t count,
                   bool (*is_wanted)(const struct tables_entry *))
{
    size_t found = 0;

    for (size_t i = 0; i < count; i++) {
        if (is_wanted(entries[i])) {
            struct tables_entry *entry = entries[i];

            entries[i] = entries[found];
            entries[found++] = entry;
        }
    }
    qsort(entries, found, sizeof *entries, tables_by_key);
    return found;
}

static bool is_gone(const struct tables_entry *entry)
{
    return entry->state == TABLES_ABSENT;
}

static bool is_stored(const struct tables_entry *entry)
{
    return entry->is_read && entry->stored;
}

static bool is_new(const struct tables_entry *entry)
{
    return !is_stored(entry);
}

/* Queues what has gathered for a table. */
static enum txn_result send_dirty(struct tables *tables, enum table table, struct fault *fault)
{
    struct tables_entry **entries, **rest;
    size_t count = 0, gone, stored;

    for (struct tables_entry *entry = tables->dirty[table]; entry != NULL; entry = entry->next) {
        count++;
    }
    if (count == 0) {
        return TXN_OK;
    }
    entries = take(tables, count * sizeof *entries);
    if (entries == NULL) {
        return no_memory(fault);
    }
    count = 0;
    for (struct tables_entry *entry = tables->dirty[table]; entry != NULL; entry = entry->next) {
        entries[count++] = entry;
        entry->dirty = false;
    }
    tables->dirty[table] = NULL;
    gone = part(entries, count, is_gone);
    rest = entries + gone;
    count -= gone;
    send_removals(tables, table, entries, gone);
    if (table != TABLE_SESSIONS) {
        qsort(rest, count, sizeof *rest, tables_by_key);
        send_values(tables, table, rest, count);
    } else {
        stored = part(rest, count, is_stored);
        part(rest + stored, count - stored, is_new);
        send_sessions(tables, &renew_sessions, rest, stored);
        send_sessions(tables, &statements[TABLE_SESSIONS][PUT], rest + stored, count - stored);
    }
    for (size_t i = 0; i < gone + count; i++) {
        entries[i]->is_read = true;
        entries[i]->stored = entries[i]->state == TABLES_PRESENT;
    }
    return TXN_OK;
}

int tables_by_key(const void *a, const void *b)
{
    const struct tables_entry *left = *(struct tables_entry *const *)a;
    const struct tables_entry *right = *(struct tables_entry *const *)b;

    return left->table != right->table
               ? (left->table > right->table) - (left->table < right->table)
               : tables_compare(left, (struct txn_bytes){right->key, right->key_size});
}

static void send_removals(struct tables *tables, enum table table, struct tables_entry **entries,
                          size_t count)
{
    if (count == 0) {
        return;
    }
    send_keys(&tables->parameters, entries, count);
    tables_send(tables, &statements[table][REMOVE], &tables->parameters);
}

static void send_values(struct tables *tables, enum table table, struct tables_entry **entries,
                        size_t count)
{
    if (count == 0) {
        return;
    }
    send_keys(&tables->parameters, entries, count);
    parameters_array(&tables->parameters, PARAMETERS_BYTEA);
    for (size_t i = 0; i < count; i++) {
        parameters_add(&tables->parameters, entries[i]->value.data, entries[i]->value.size);
    }
    tables_send(tables, &statements[table][PUT], &tables->parameters);
}

static void add_text(struct parameters *parameters, const char *text)
{
    parameters_add(parameters, text, strlen(text));
}

/* The record, and in columns what an operator may ask for. */
static void send_sessions(struct tables *tables, const struct statement *statement,
                          struct tables_entry **entries, size_t count)
{
    bool is_renewal = statement == &renew_sessions;
    struct parameters *parameters = &tables->parameters;
    struct columns *columns = count > 0 ? take(tables, count * sizeof *columns) : NULL;

    if (count == 0) {
        return;
    }
    send_keys(parameters, entries, count);
    for (size_t i = 0; columns != NULL && i < count; i++) {
        columns_read(tables->mac, (struct txn_bytes){entries[i]->key, entries[i]->key_size},
                     entries[i]->value, &columns[i]);
    }
    parameters->failed |= columns == NULL;
    parameters_array(parameters, PARAMETERS_BYTEA);
    for (size_t i = 0; i < count; i++) {
        parameters_add(parameters, entries[i]->value.data, entries[i]->value.size);
    }
    parameters_array(parameters, PARAMETERS_I64);
    for (size_t i = 0; columns != NULL && i < count; i++) {
        parameters_add_i64(parameters, (int64_t)columns[i].account);
    }
    if (!is_renewal) {
        parameters_array(parameters, PARAMETERS_TEXT);
        for (size_t i = 0; columns != NULL && i < count; i++) {
            add_text(parameters, columns[i].client);
        }
        parameters_array(parameters, PARAMETERS_TEXT);
        for (size_t i = 0; columns != NULL && i < count; i++) {
            add_text(parameters, columns[i].realm);
        }
        parameters_array(parameters, PARAMETERS_TIME);
        for (size_t i = 0; columns != NULL && i < count; i++) {
            parameters_add_i64(parameters, columns[i].created_ms);
        }
    }
    parameters_array(parameters, PARAMETERS_TIME);
    for (size_t i = 0; columns != NULL && i < count; i++) {
        parameters_add_i64(parameters,
                           columns[i].expires_ms != 0 ? columns[i].expires_ms : INT64_MAX);
    }
    parameters_array(parameters, PARAMETERS_TEXT);
    for (size_t i = 0; columns != NULL && i < count; i++) {
        if (columns[i].ended == NULL) {
            parameters_add(parameters, NULL, 0);
        } else {
            add_text(parameters, columns[i].ended);
        }
    }
    tables_send(tables, statement, parameters);
}

/* Before a statement that must see it. */
static enum txn_result flush(struct tables *tables, enum table table, struct fault *fault)
{
    return tables->writes ? send_dirty(tables, table, fault) : TXN_OK;
}

enum connection_outcome tables_commit(struct tables *tables, struct fault *fault)
{
    for (size_t i = 0; i < TABLES; i++) {
        if (send_dirty(tables, (enum table)i, fault) != TXN_OK) {
            tables_abort(tables);
            return CONNECTION_FAULT;
        }
    }
    tables_send(tables, &statement_commit, NULL);
    wait_for(tables, fault);
    tables->begun = false;
    return tables->outcome;
}

void tables_abort(struct tables *tables)
{
    if (tables->begun && tables->outcome == CONNECTION_OK) {
        tables_send(tables, &statement_rollback, NULL);
        wait_for(tables, NULL);
    }
    tables->begun = false;
}

const struct txn_kind tables_txn_kind = {.get = get,
                                         .seek = seek,
                                         .want = want,
                                         .put = put,
                                         .remove = remove_key,
                                         .count = count,
                                         .nearly_full = nearly_full,
                                         .read_end = read_end};
