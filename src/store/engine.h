/* engine.h: ordered tables of bytes with transactions; what the verbs stand on. One engine = one
 * file, one const descriptor, one row in engine.c. Knows keys and values as bytes; does not know
 * records, sessions or time.
 *
 * A new engine gives every function of struct engine_kind and passes tests/store/test_contract.c.
 */
#ifndef RETOKEN_STORE_ENGINE_H
#define RETOKEN_STORE_ENGINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/fault.h"

/* The tables; a table's number stands inside record MACs and never changes. */
#define ENGINE_TABLE_ROWS                                                                          \
    TABLE(META, "meta")         /* "format", "counters" */                                         \
    TABLE(SESSIONS, "sessions") /* session id -> session */                                        \
    TABLE(ALIASES, "aliases")   /* SHA-256 of a token -> session id, generation */                 \
    TABLE(ACCOUNTS, "accounts") /* number -> account */                                            \
    TABLE(NAMES, "names")       /* account name -> number */                                       \
    TABLE(CLIENTS, "clients")   /* client id -> client */                                          \
    TABLE(KEYS, "keys")         /* number -> signing key */                                        \
    TABLE(OWNERS, "owners")     /* account number, session id -> nothing */                        \
    TABLE(ENDS, "ends")         /* time to look, session id -> nothing */                          \
    TABLE(EVENTS, "events")     /* number -> event */

enum engine_table {
#define TABLE(name, word) TABLE_##name,
    ENGINE_TABLE_ROWS
#undef TABLE
};
enum { ENGINE_TABLES = TABLE_EVENTS + 1, ENGINE_KEY_MAX = 128 };

const char *engine_table_name(enum engine_table table);

enum engine_result {
    ENGINE_OK,
    ENGINE_ABSENT, /* no such key, or nothing further in that direction */
    ENGINE_FULL,   /* no room: abort, `grow`, and do the whole transaction again */
    ENGINE_FAULT   /* *fault says what; abort */
};

struct engine_bytes {
    const void *data;
    size_t size;
};

enum engine_seek {
    ENGINE_FROM,  /* the first key that is not below the given one */
    ENGINE_AFTER, /* the first key above it */
    ENGINE_BEFORE /* the last key below it */
};

struct engine_settings {
    const char *place; /* what follows the scheme: a directory, or "" */
    size_t map_size;
    size_t map_limit; /* 0 = none */
    bool create;
    bool read_only;
};

/* First member of what an engine keeps. */
struct engine {
    const struct engine_kind *kind;
};

/* A transaction, on the stack of who runs it. */
struct engine_txn {
    struct engine *engine;
    void *handle; /* the engine's own */
};

struct engine_stat {
    uint64_t entries[ENGINE_TABLES];
    uint64_t pages[ENGINE_TABLES]; /* 0 where an engine has none */
    uint64_t map_size, used_bytes, file_bytes;
    uint64_t commits; /* by this process */
    uint32_t readers, readers_max;
    char name[64];
};

struct engine_kind {
    const char *scheme; /* "lmdb" */

    /* NULL with *fault set. */
    struct engine *(*open)(const struct engine_settings *settings, struct fault *fault);
    void (*close)(struct engine *engine);

    /* A snapshot: what is read in it does not change. Never waits for a writer. */
    enum engine_result (*read_begin)(struct engine *engine, struct engine_txn *txn,
                                     struct fault *fault);
    void (*read_end)(struct engine_txn *txn);

    /* One write transaction at a time per process (group_commit.c sees to it); other processes
     * wait. A failed commit has aborted: ENGINE_FULL may be tried again after `grow`. */
    enum engine_result (*write_begin)(struct engine *engine, struct engine_txn *txn,
                                      struct fault *fault);
    enum engine_result (*commit)(struct engine_txn *txn, struct fault *fault);
    void (*abort)(struct engine_txn *txn);

    /* What `value` and `found` point to stays until the next put or remove, or the end. */
    enum engine_result (*get)(struct engine_txn *txn, enum engine_table table,
                              struct engine_bytes key, struct engine_bytes *value,
                              struct fault *fault);
    enum engine_result (*seek)(struct engine_txn *txn, enum engine_table table,
                               enum engine_seek seek, struct engine_bytes key,
                               struct engine_bytes *found, struct fault *fault);
    /* Adds or overwrites. Same size as before: rewritten in place. */
    enum engine_result (*put)(struct engine_txn *txn, enum engine_table table,
                              struct engine_bytes key, struct engine_bytes value,
                              struct fault *fault);
    enum engine_result (*remove)(struct engine_txn *txn, enum engine_table table,
                                 struct engine_bytes key, struct fault *fault);

    /* Inside a transaction. */
    enum engine_result (*stat)(struct engine_txn *txn, struct engine_stat *stat,
                               struct fault *fault);
    /* Is it so full that what is left should be kept for rotating and ending sessions? */
    bool (*nearly_full)(struct engine_txn *txn);

    /* Outside any transaction of the calling thread. ENGINE_OK: worth trying again. */
    enum engine_result (*grow)(struct engine *engine, struct fault *fault);
    /* Clears what dead processes left behind. */
    void (*tidy)(struct engine *engine);
    enum engine_result (*copy)(struct engine *engine, const char *directory, struct fault *fault);
    /* A commit failed so that nobody knows what is on the disk. */
    bool (*is_broken)(const struct engine *engine);
};

extern const struct engine_kind engine_lmdb;
extern const struct engine_kind engine_memory;

/* Opens "SCHEME:PLACE"; settings->place is filled in from it. NULL with *fault set. */
struct engine *engine_open(const char *url, struct engine_settings settings, struct fault *fault);

#endif
