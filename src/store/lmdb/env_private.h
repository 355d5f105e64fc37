/* SPDX-License-Identifier: ISC */
/* env_private.h: what the files of the environment share. The only files that know lmdb.h are those
 * that include this one. */
#ifndef RETOKEN_STORE_LMDB_ENV_PRIVATE_H
#define RETOKEN_STORE_LMDB_ENV_PRIVATE_H

#include <pthread.h>
#include <stdatomic.h>

#include <lmdb.h>

#include "store/lmdb/env.h"
#include "store/lmdb/process_lock.h"

enum {
    ENV_READERS_MAX = 1022, /* 64 KiB of lock file */
    ENV_POOL_MAX = 64,      /* read transactions kept for the next read */
    ENV_ADOPT_TRIES = 5     /* of reading while other processes grow the map */
};

/* LMDB's own tables. */
enum { ENV_FREE_TABLE = 0, ENV_MAIN_TABLE = 1 };

/* Who was seen with the turn to write, from when on, and which commit was then the last. */
struct env_sighting {
    pid_t holder; /* 0: no other process */
    int64_t since_us;
    size_t commit; /* 0: not looked at */
};

struct env {
    MDB_env *mdb;
    MDB_dbi tables[TABLES];
    char *directory;
    struct process_lock lock;
    int64_t wait_us;
    bool has_turn;         /* the writing thread's */
    pthread_mutex_t slots; /* over LMDB's table of readers, among our threads */
    size_t map_limit;      /* 0 = none */
    atomic_bool broken;
    atomic_uint_fast64_t commits;
    atomic_int_fast64_t
        no_room_us; /* when a write last failed for want of it; 0: went well since */

    /* The map may be replaced only while no thread is in a transaction. */
    pthread_mutex_t gate; /* over the rest */
    pthread_cond_t opened, left;
    struct env_sighting seen;
    size_t inside; /* transactions now */
    bool remapping;
    size_t pooled;
    MDB_txn *pool[ENV_POOL_MAX]; /* reset read transactions, each with its reader slot */
};

/* What LMDB's code means while doing `what`. */
enum txn_result env_fault(struct env *env, const char *what, int code, struct fault *fault);

/* Passes the gate; waits while the map is replaced. With a reader of the pool, or NULL. */
MDB_txn *env_enter(struct env *env, bool to_read);
/* `reader`, if any, goes back to the pool. */
void env_leave(struct env *env, MDB_txn *reader);
/* Takes over the map's size that another process has set. */
enum txn_result env_adopt(struct env *env, struct fault *fault);

/* LMDB's table of readers: one process and one thread of it at a time (process_lock.h). False:
 * another process kept it until `until_us` of clock_stopwatch_us. */
bool env_slots_take(struct env *env, int64_t until_us);
void env_slots_give(struct env *env);
/* Says so. */
void env_slots_fault(struct env *env, struct fault *fault);

/* Lets LMDB read through a mapping that costs other processes' commits nothing (env_map.c). While
 * no transaction is open, and with the table of readers. Where LMDB's own cannot be found it stays.
 * An errno: there is no map now. */
int env_map_for_reading(struct env *env);

/* No block is left for it. */
bool env_disk_is_full(struct env *env);

/* Is the data file shorter than it says? Then nothing may be read from it before env_repair. */
bool env_is_short(struct env *env);
/* With the turn to write: refuses a data file that was cut off; fills up one that LMDB left short.
 */
enum txn_result env_repair(struct env *env, struct fault *fault);

#endif
