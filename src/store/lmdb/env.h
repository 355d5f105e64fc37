/* SPDX-License-Identifier: ISC */
/* env.h: one LMDB environment, DIRECTORY/data.mdb and lock.mdb: ordered tables of bytes with
 * transactions. Knows keys and values as bytes; does not know records, sessions or time. */
#ifndef RETOKEN_STORE_LMDB_ENV_H
#define RETOKEN_STORE_LMDB_ENV_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/fault.h"

/* The tables; a table's number is part of the record MACs and never changes. */
#define ENV_TABLE_ROWS                                                                             \
    TABLE(META, "meta")             /* "format", "counters", "time" */                             \
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

enum env_table {
#define TABLE(name, word) TABLE_##name,
    ENV_TABLE_ROWS
#undef TABLE
};
enum { ENV_TABLES = TABLE_DELIVERIES + 1, ENV_KEY_MAX = 128 };

const char *env_table_name(enum env_table table);

enum env_result {
    ENV_OK,
    ENV_ABSENT, /* no such key, or nothing further in that direction */
    ENV_FULL,   /* no room: abort, `env_grow`, and do the whole transaction again */
    ENV_FAULT   /* *fault says what; abort */
};

struct env_bytes {
    const void *data;
    size_t size;
};

enum env_seek {
    ENV_FROM,  /* the first key that is not below the given one */
    ENV_AFTER, /* the first key above it */
    ENV_BEFORE /* the last key below it */
};

struct env_settings {
    const char *directory;
    size_t map_size;  /* first size; 0 = 64 MiB */
    size_t map_limit; /* 0 = none */
    int64_t wait_ms;  /* for other processes, at most; 0 = 5 s */
    bool create;
    bool read_only;
};

struct env;

/* Call after the last fork, once per directory and process. NULL with *fault set. */
struct env *env_open(const struct env_settings *settings, struct fault *fault);
void env_close(struct env *env);
/* The directory's path, as it was given. */
const char *env_path(const struct env *env);
/* The map grows up to this; 0 = as far as the disk goes. */
size_t env_map_limit(const struct env *env);
/* Bytes that this user may still write on its disk; 0: none, or it cannot be told. */
uint64_t env_disk_free(struct env *env);
/* Only a new process can use it: a commit failed and what is on the disk is not known, the map
 * could not be replaced, or another process took LMDB's mutex away. */
bool env_is_broken(const struct env *env);

/* A transaction, on the stack of its caller. */
struct env_txn {
    struct env *env;
    void *handle;
    bool gives_turn; /* at its end */
};

/* A snapshot: what is read in it does not change. Never waits for a writer; waits, at most as long
 * as settings.wait_ms, for a process that begins to read at the same moment. */
enum env_result env_read_begin(struct env *env, struct env_txn *txn, struct fault *fault);
void env_read_end(struct env_txn *txn);

/* The turn to write, among processes. Waits until that time of clock_stopwatch_us; false: another
 * process kept it. */
bool env_turn_take(struct env *env, int64_t until_us);
void env_turn_give(struct env *env);
/* A page that all processes share and that outlives them (process_lock_share), for who has the
 * turn. NULL: there is none. */
void *env_turn_page(struct env *env);
/* Says that the turn could not be had for so long, who has it, and what to do about it. */
void env_turn_fault(struct env *env, int64_t waited_us, struct fault *fault);
/* A write has waited for the turn since then, in vain: env_ready remembers. */
void env_turn_note(struct env *env, int64_t since_us);
/* settings.wait_ms */
int64_t env_wait_us(const struct env *env);

/* One write transaction at a time per process (group_commit.h sees to it), by the thread that has
 * the turn. When none has, it takes it, waiting as long as settings.wait_ms, and the end of the
 * transaction gives it back. A failed commit has aborted: ENV_FULL may be tried again after
 * `env_grow`. */
enum env_result env_write_begin(struct env *env, struct env_txn *txn, struct fault *fault);
enum env_result env_commit(struct env_txn *txn, struct fault *fault);
void env_abort(struct env_txn *txn);

/* What `value` and `found` point to stays until the next put or remove, or the end. */
enum env_result env_get(struct env_txn *txn, enum env_table table, struct env_bytes key,
                        struct env_bytes *value, struct fault *fault);
enum env_result env_seek(struct env_txn *txn, enum env_table table, enum env_seek seek,
                         struct env_bytes key, struct env_bytes *found, struct fault *fault);
/* Adds or overwrites. Same size as before: rewritten in place. */
enum env_result env_put(struct env_txn *txn, enum env_table table, struct env_bytes key,
                        struct env_bytes value, struct fault *fault);
enum env_result env_remove(struct env_txn *txn, enum env_table table, struct env_bytes key,
                           struct fault *fault);

struct env_stat {
    uint64_t entries[ENV_TABLES];
    uint64_t pages[ENV_TABLES];
    uint64_t map_size, used_bytes, file_bytes;
    uint64_t commits; /* by this process */
    uint32_t readers, readers_max;
    char name[64]; /* "LMDB 0.9.24" */
};
enum env_result env_stat(struct env_txn *txn, struct env_stat *stat, struct fault *fault);
enum env_result env_count(struct env_txn *txn, enum env_table table, uint64_t *entries,
                          struct fault *fault);
/* Is it so full that what is left should be kept for rotating and ending sessions? */
bool env_nearly_full(struct env_txn *txn);

/* Could a write be made now? Unless ENV_READY, *fault says why not. */
enum env_ready {
    ENV_READY,
    ENV_READY_STUCK, /* another process has had the turn for too long */
    ENV_READY_FULL,
    ENV_READY_READ_ONLY
};
enum env_ready env_ready(struct env_txn *txn, struct fault *fault);

/* Outside any transaction of the calling thread. ENV_OK: worth trying again. */
enum env_result env_grow(struct env *env, struct fault *fault);
/* Clears what dead processes left behind. */
void env_tidy(struct env *env);
/* A consistent copy into `directory`, made if need be, which must not hold one. */
enum env_result env_copy(struct env *env, const char *directory, struct fault *fault);

#endif
