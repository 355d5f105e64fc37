/* SPDX-License-Identifier: ISC */
/* env.h: one LMDB environment, DIRECTORY/data.mdb and lock.mdb: ordered tables of bytes with
 * transactions. Knows keys and values as bytes; does not know records, sessions or time. */
#ifndef RETOKEN_STORE_LMDB_ENV_H
#define RETOKEN_STORE_LMDB_ENV_H

#include <sys/types.h>

#include "store/records/txn.h"

struct env_settings {
    const char *directory;
    size_t map_size;  /* first size; 0 = 64 MiB */
    size_t map_limit; /* 0 = none */
    int64_t wait_ms;  /* for other processes, at most; 0 = 5 s */
    bool create;
    bool read_only;
};

struct env;

extern const struct txn_kind env_txn_kind;
/* Of a transaction of this kind. */
static inline struct env *env_of(const struct txn *txn)
{
    return txn->owner;
}

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

/* A snapshot: what is read in it does not change. Never waits for a writer; waits, at most as long
 * as settings.wait_ms, for a process that begins to read at the same moment. */
enum txn_result env_read_begin(struct env *env, struct txn *txn, struct fault *fault);
void env_read_end(struct txn *txn);

/* The turn to write, among processes. Waits until that time of clock_stopwatch_us; false: another
 * process kept it. */
bool env_turn_take(struct env *env, int64_t until_us);
void env_turn_give(struct env *env);
/* A page that all processes share and that outlives them (process_lock_share), for who has the
 * turn. NULL: there is none. */
void *env_turn_page(struct env *env);
/* The n-th seat among processes, which this one keeps until it ends. False: another has it. */
bool env_seat_take(struct env *env, unsigned n);
/* The other process that has it; 0: none has. */
pid_t env_seat_holder(const struct env *env, unsigned n);
/* Says that the turn could not be had for so long, who has it, and what to do about it. */
void env_turn_fault(struct env *env, int64_t waited_us, struct fault *fault);
/* A write has waited for the turn since then, in vain: env_ready remembers. */
void env_turn_note(struct env *env, int64_t since_us);
/* settings.wait_ms */
int64_t env_wait_us(const struct env *env);

/* One write transaction at a time per process (group_commit.h sees to it), by the thread that has
 * the turn. When none has, it takes it, waiting as long as settings.wait_ms, and the end of the
 * transaction gives it back. A failed commit has aborted: TXN_FULL may be tried again after
 * `env_grow`. */
enum txn_result env_write_begin(struct env *env, struct txn *txn, struct fault *fault);
enum txn_result env_commit(struct txn *txn, struct fault *fault);
void env_abort(struct txn *txn);

struct env_stat {
    uint64_t entries[TABLES];
    uint64_t pages[TABLES];
    uint64_t map_size, used_bytes, file_bytes;
    uint64_t commits; /* by this process */
    uint32_t readers, readers_max;
    char name[64]; /* "LMDB 0.9.24" */
};
enum txn_result env_stat(struct txn *txn, struct env_stat *stat, struct fault *fault);
/* Could a write be made now? Unless ENV_READY, *fault says why not. */
enum env_ready {
    ENV_READY,
    ENV_READY_STUCK, /* another process has had the turn for too long */
    ENV_READY_FULL,
    ENV_READY_READ_ONLY
};
enum env_ready env_ready(struct txn *txn, struct fault *fault);

/* Outside any transaction of the calling thread. TXN_OK: worth trying again. */
enum txn_result env_grow(struct env *env, struct fault *fault);
/* Clears what dead processes left behind. */
void env_tidy(struct env *env);
/* A consistent copy into `directory`, made if need be, which must not hold one. */
enum txn_result env_copy(struct env *env, const char *directory, struct fault *fault);

#endif
