/* SPDX-License-Identifier: ISC */
/* tables.h: the tables of records in PostgreSQL, in one transaction: a get that was made once is
 * answered from memory, and what is put or removed gathers until the commit, or until a seek in the
 * same table. So a batch of many writes is few statements. Knows SQL and the schema of schema.h;
 * does not know what is in a record but the columns that an operator can query, nor who tries
 * again.
 *
 * A session that is read in a transaction that writes is locked until its end. */
#ifndef RETOKEN_STORE_POSTGRESQL_TABLES_H
#define RETOKEN_STORE_POSTGRESQL_TABLES_H

#include "base/crypto.h"
#include "store/postgresql/connection.h"
#include "store/records/txn.h"

enum tables_state { TABLES_WANTED, TABLES_PRESENT, TABLES_ABSENT };

/* What a transaction has read and will write, of one key. */
struct tables_entry {
    struct tables_entry *next; /* of those of its table that are to be written */
    enum table table;
    enum tables_state state;
    bool is_read; /* from the server, or written to it: `stored` says what is there */
    bool stored;
    bool asked; /* among those that are read next */
    bool dirty;
    struct txn_bytes value;
    size_t key_size;
    uint8_t key[];
};
struct tables_chunk;

struct reads;

/* One transaction at a time; kept, so that its memory is used again. All zero but mac, and of one
 * that writes connection: as before the first. */
struct tables {
    struct connection *connection; /* of one that reads: NULL until a seek needs a snapshot */
    struct reads *reads;           /* where one that reads gets it, and what it gets */
    const struct crypto_mac *mac;  /* of the records */
    struct parameters parameters;
    int64_t until_us; /* of clock_stopwatch_us: when it gives up */
    bool writes;
    bool begun;                      /* BEGIN was sent */
    enum connection_outcome outcome; /* the first that was not OK, of this transaction */
    uint32_t written;                /* a bit for each table that something was put in or removed
                                        from */
    size_t queued;                   /* statements, since the last wait */
    size_t trips;                    /* waits for the server so far */
    struct tables_entry **asked;     /* to be read next */
    size_t asked_count, asked_room;

    struct tables_entry **slots; /* by hash of table and key */
    size_t room, count;
    struct tables_entry *dirty[TABLES]; /* of each table, to be flushed */
    struct tables_chunk *chunks;        /* of values and entries */
    struct {                            /* keys that a seek has read ahead */
        enum table table;
        const struct tables_entry **entries;
        size_t count, room;
        bool valid, to_end; /* to_end: none is behind the last */
    } ahead;
};

void tables_free(struct tables *tables);

extern const struct txn_kind tables_txn_kind;

/* One that reads: gets go with those of other threads (reads.h); from the first seek on it has a
 * connection of its own, and all it reads is one snapshot. */
void tables_read_begin(struct tables *tables, int64_t until_us, struct txn *txn);
/* Queues the statement that reads keys of one table: the entries, in any order. Of sessions, unless
 * `locks`, no lock is taken. */
void tables_send_get(struct connection *connection, struct parameters *parameters,
                     struct tables_entry *const *entries, size_t count, bool locks);
/* Gives an entry what the server has. False: out of memory. */
bool tables_fill(struct tables *tables, struct tables_entry *entry, struct txn_bytes value);
/* The same for the account and the client of a session, of the row that has come with its record.
 */
bool tables_fill_owners(struct tables *tables, const struct connection *connection,
                        size_t statement, size_t row);
/* The order of entries by table and key, for qsort of pointers. */
int tables_by_key(const void *a, const void *b);
int tables_compare(const struct tables_entry *entry, struct txn_bytes key);

/* One that writes. BEGIN is queued, and goes with the first statement that is waited for. */
void tables_write_begin(struct tables *tables, int64_t until_us, struct txn *txn);
/* Queues a statement in it; which one of this trip it is, for connection_rows after tables_fetch.
 */
size_t tables_send(struct tables *tables, const struct statement *statement,
                   const struct parameters *parameters);
/* Waits for all that is wanted and sent. Not TXN_OK: tables->outcome says what became of the
 * transaction. */
enum txn_result tables_fetch(struct tables *tables, struct fault *fault);
/* Writes what has gathered and commits. */
enum connection_outcome tables_commit(struct tables *tables, struct fault *fault);
/* The connection of a transaction that has sought or counted. */
struct connection *tables_connection(const struct txn *txn);
/* Forgets all of it. */
void tables_abort(struct tables *tables);

#endif
