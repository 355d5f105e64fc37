/* SPDX-License-Identifier: ISC */
/* txn.h: ordered tables of bytes, read and written in transactions, as each kind of store keeps
 * them in its own way. Knows keys and values as bytes; does not know records, nor who keeps them.
 */
#ifndef RETOKEN_STORE_RECORDS_TXN_H
#define RETOKEN_STORE_RECORDS_TXN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/fault.h"

/* The tables; a table's number is part of the record MACs and never changes. */
#define TABLE_ROWS                                                                                 \
    TABLE(META, "meta")             /* "format", "counters", … */                                \
    TABLE(SESSIONS, "sessions")     /* session id -> session */                                    \
    TABLE(ALIASES, "aliases")       /* hash of a token -> session id, generation */                \
    TABLE(ACCOUNTS, "accounts")     /* number -> account */                                        \
    TABLE(NAMES, "names")           /* account name -> number */                                   \
    TABLE(CLIENTS, "clients")       /* client id -> client */                                      \
    TABLE(KEYS, "keys")             /* number -> signing key */                                    \
    TABLE(OWNERS, "owners")         /* account number, session id -> nothing */                    \
    TABLE(ENDS, "ends")             /* time to look, session id -> nothing */                      \
    TABLE(EVENTS, "events")         /* number -> event */                                          \
    TABLE(MARKS, "marks")           /* kind, hash -> mark */                                       \
    TABLE(MARK_ENDS, "mark_ends")   /* kind, time when it is over, hash -> nothing */              \
    TABLE(REPEATS, "repeats")       /* session id, generation, kind, event number -> nothing */    \
    TABLE(OUTBOX, "outbox")         /* subscription -> counts; and number -> row */                \
    TABLE(DELIVERIES, "deliveries") /* subscription, the order in which rows are taken -> nothing  \
                                     */

enum table {
#define TABLE(name, word) TABLE_##name,
    TABLE_ROWS
#undef TABLE
};
enum { TABLES = TABLE_DELIVERIES + 1, TABLE_KEY_MAX = 128 };

const char *table_name(enum table table);

enum txn_result {
    TXN_OK,
    TXN_ABSENT, /* no such key, or nothing further in that direction */
    TXN_FULL,   /* no room: abort, `env_grow`, and do the whole transaction again */
    TXN_FAULT   /* *fault says what; abort */
};

struct txn_bytes {
    const void *data;
    size_t size;
};

enum txn_seek {
    TXN_FROM,  /* the first key that is not below the given one */
    TXN_AFTER, /* the first key above it */
    TXN_BEFORE /* the last key below it */
};

struct txn_kind;

/* On the stack of its caller; a kind's own, which begins and ends it. */
struct txn {
    const struct txn_kind *kind;
    void *owner, *handle;
    bool gives_turn; /* at its end */
};

/* What `value` and `found` point to stays until the next put or remove, or the end. */
struct txn_kind {
    enum txn_result (*get)(struct txn *txn, enum table table, struct txn_bytes key,
                           struct txn_bytes *value, struct fault *fault);
    enum txn_result (*seek)(struct txn *txn, enum table table, enum txn_seek seek,
                            struct txn_bytes key, struct txn_bytes *found, struct fault *fault);
    /* This key will be asked for next: a kind that waits for each get may get several at once.
     * NULL: it does not care. */
    void (*want)(struct txn *txn, enum table table, struct txn_bytes key);
    /* Adds or overwrites. */
    enum txn_result (*put)(struct txn *txn, enum table table, struct txn_bytes key,
                           struct txn_bytes value, struct fault *fault);
    enum txn_result (*remove)(struct txn *txn, enum table table, struct txn_bytes key,
                              struct fault *fault);
    enum txn_result (*count)(struct txn *txn, enum table table, uint64_t *entries,
                             struct fault *fault);
    /* Is it so full that what is left should be kept for rotating and ending sessions? */
    bool (*nearly_full)(struct txn *txn);
    /* Of one that only reads. */
    void (*read_end)(struct txn *txn);
};

#endif
