/* SPDX-License-Identifier: ISC */
/* env.c: transactions of the environment, and when its map may be replaced; see env.h. Knows maps,
 * readers and LMDB's return codes; does not know tables or records.
 *
 * Rules that keep LMDB 0.9 sound: commits are fully synced (no NOSYNC, NOMETASYNC, MAPASYNC,
 * WRITEMAP); no sorted duplicates and no nested transactions; opened after the last fork, once per
 * process; only this user may reach the directory, because LMDB trusts the bytes in it. */
#include "store/lmdb/env.h"

#include <errno.h>
#include <sys/mman.h>
#include <sys/statvfs.h>

#include "base/clock.h"
#include "store/lmdb/env_private.h"

/* ---- LMDB's codes, translated where they arrive ---- */

/* For env_ready. */
static void note_no_room(struct env *env)
{
    atomic_store(&env->no_room_us, clock_stopwatch_us());
}

enum txn_result env_fault(struct env *env, const char *what, int code, struct fault *fault)
{
    if (code == MDB_MAP_FULL) {
        fault_set(fault, "store is full: %s", env->directory);
        return TXN_FULL;
    } else if (code == MDB_PANIC) {
        atomic_store(&env->broken, true); /* a new process reads what is on the disk */
        fault_set(fault, "store %s: an earlier commit failed; restart the program", env->directory);
    } else if (code == ENOSPC || code == EDQUOT || code == EFBIG) {
        note_no_room(env);
        fault_set(fault,
                  "store %s: %s: no space left on its disk, or over a quota or limit; make room",
                  env->directory, what);
    } else if (code == MDB_CORRUPTED || code == MDB_PAGE_NOTFOUND) {
        fault_set(fault, "store %s: %s: data.mdb is damaged (%s); restore a backup", env->directory,
                  what, mdb_strerror(code));
    } else if (code == MDB_READERS_FULL) {
        fault_set(fault, "store %s: %s: more than %d readers at once; run fewer processes",
                  env->directory, what, ENV_READERS_MAX);
    } else if (code == EACCES || code == EROFS) {
        fault_set(fault,
                  "store %s: %s: %s; this user must be able to write the directory and "
                  "what is in it",
                  env->directory, what, mdb_strerror(code));
    } else if (code == ENOMEM) {
        fault_set(fault,
                  "store %s: %s: out of memory or address space; raise the limit (ulimit -v) or "
                  "lower the map size",
                  env->directory, what);
    } else {
        fault_set(fault, "store %s: %s: %s", env->directory, what, mdb_strerror(code));
    }
    return TXN_FAULT;
}

/* ---- the gate ---- */

/* With a reader of the pool, or NULL. */
MDB_txn *env_enter(struct env *env, bool to_read)
{
    MDB_txn *txn = NULL;

    pthread_mutex_lock(&env->gate);
    while (env->remapping) {
        pthread_cond_wait(&env->opened, &env->gate);
    }
    env->inside++;
    if (to_read && env->pooled > 0) {
        txn = env->pool[--env->pooled];
    }
    pthread_mutex_unlock(&env->gate);
    return txn;
}

/* `reader`, if any, goes back to the pool. */
void env_leave(struct env *env, MDB_txn *reader)
{
    pthread_mutex_lock(&env->gate);
    if (reader != NULL && env->pooled < ENV_POOL_MAX) {
        env->pool[env->pooled++] = reader;
        reader = NULL;
    }
    env->inside--;
    if (env->remapping && env->inside == 0) {
        pthread_cond_signal(&env->left);
    }
    pthread_mutex_unlock(&env->gate);
    mdb_txn_abort(reader); /* NULL is harmless */
}

enum gate {
    GATE_CLOSED,
    GATE_PASSED, /* another thread has just replaced the map */
    GATE_HELD    /* a transaction of this process lasts too long: open as before */
};

/* Under the lock. False: a transaction was open all the time. */
static bool wait_until_left(struct env *env)
{
    int64_t until_us = clock_stopwatch_us() + env->wait_us;
    struct timespec until = {until_us / 1000000, until_us % 1000000 * 1000};
    int code = 0;

    while (env->inside > 0 && code != ETIMEDOUT) {
        code = pthread_cond_timedwait(&env->left, &env->gate, &until);
    }
    return env->inside == 0;
}

/* Waits until no transaction is open. */
static enum gate close_gate(struct env *env)
{
    enum gate gate = GATE_PASSED;

    pthread_mutex_lock(&env->gate);
    if (env->remapping) {
        while (env->remapping) {
            pthread_cond_wait(&env->opened, &env->gate);
        }
    } else {
        env->remapping = true;
        gate = GATE_CLOSED;
        if (!wait_until_left(env)) {
            env->remapping = false;
            pthread_cond_broadcast(&env->opened);
            gate = GATE_HELD;
        }
    }
    pthread_mutex_unlock(&env->gate);
    return gate;
}

static void open_gate(struct env *env)
{
    pthread_mutex_lock(&env->gate);
    env->remapping = false;
    pthread_cond_broadcast(&env->opened);
    pthread_mutex_unlock(&env->gate);
}

static size_t map_size_now(struct env *env)
{
    MDB_envinfo info = {.me_mapsize = 0};

    mdb_env_info(env->mdb, &info);
    return info.me_mapsize;
}

/* LMDB unmaps before it maps: were there no address space then, the environment would be left
 * without a map and the next access would crash. So ask first. */
static bool have_address_space(size_t more)
{
    void *probe = mmap(NULL, more, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

    if (probe == MAP_FAILED) {
        return false;
    }
    munmap(probe, more);
    return true;
}

/* The gate is closed, so that no read of this process goes on: who holds the table of readers may
 * have been stopped, and then LMDB's own mapping, which is slower, has to do. size 0: what another
 * process has made it. */
static enum txn_result remap(struct env *env, size_t size, struct fault *fault)
{
    enum { PATIENCE_US = 10 * 1000 };
    int code = mdb_env_set_mapsize(env->mdb, size);

    if (code == 0 && env_slots_take(env, clock_stopwatch_us() + PATIENCE_US)) {
        code = env_map_for_reading(env);
        env_slots_give(env);
    }
    if (code != 0) {
        atomic_store(&env->broken, true); /* there is no map now */
        return env_fault(env, "replacing the map", code, fault);
    }
    return TXN_OK;
}

/* Where `replace` is what replaces the map. */
static enum txn_result pass_gate(struct env *env,
                                 enum txn_result (*replace)(struct env *env, struct fault *fault),
                                 struct fault *fault)
{
    enum txn_result result = TXN_OK;

    switch (close_gate(env)) {
    case GATE_CLOSED:
        result = replace(env, fault);
        open_gate(env);
        break;
    case GATE_PASSED:
        break;
    case GATE_HELD:
        fault_set(fault,
                  "store %s: replacing the map: a transaction of this process (%d) has not ended "
                  "in %g s; its disk may hang",
                  env->directory, (int)env->lock.owner, (double)env->wait_us / 1e6);
        result = TXN_FAULT;
        break;
    }
    return result;
}

static enum txn_result adopt_map(struct env *env, struct fault *fault)
{
    return remap(env, 0, fault);
}

enum txn_result env_adopt(struct env *env, struct fault *fault)
{
    return pass_gate(env, adopt_map, fault);
}

/* ---- transactions ---- */

static enum txn_result refuse_broken(struct env *env, struct fault *fault)
{
    fault_set(fault, "store %s: an earlier commit failed; restart the program", env->directory);
    return TXN_FAULT;
}

static enum txn_result cannot_begin(struct env *env, const char *what, int code,
                                    struct fault *fault)
{
    if (code == EINVAL) {
        /* LMDB 0.9.26 to 0.9.31: another process destroyed a shared mutex as it closed. Only
         * opening it again helps, and only a new process may do that. */
        atomic_store(&env->broken, true);
    }
    return env_fault(env, what, code, fault);
}

bool env_slots_take(struct env *env, int64_t until_us)
{
    bool taken;

    pthread_mutex_lock(&env->slots);
    taken = process_lock_take(&env->lock, PROCESS_LOCK_READERS, until_us);
    if (!taken) {
        pthread_mutex_unlock(&env->slots);
    }
    return taken;
}

void env_slots_give(struct env *env)
{
    process_lock_give(&env->lock, PROCESS_LOCK_READERS);
    pthread_mutex_unlock(&env->slots);
}

void env_slots_fault(struct env *env, struct fault *fault)
{
    fault_set(fault,
              "store %s: process %d has held its table of readers for %g s; if it is stopped, let "
              "it go on (kill -CONT) or end it (kill -KILL, which loses nothing)",
              env->directory, (int)process_lock_holder(&env->lock, PROCESS_LOCK_READERS),
              (double)env->wait_us / 1e6);
}

/* Clears the slots of dead processes; how many. Not while another process is at the table: it is
 * there for microseconds, or is stopped. */
static int clear_dead_readers(struct env *env)
{
    int dead = 0;

    if (!env_slots_take(env, 0)) {
        return 0;
    }
    if (mdb_reader_check(env->mdb, &dead) != 0) {
        dead = 0;
    }
    env_slots_give(env);
    return dead;
}

static int begin_reader(struct env *env, MDB_txn **txn)
{
    int code;

    if (!env_slots_take(env, clock_stopwatch_us() + env->wait_us)) {
        return EBUSY;
    }
    code = mdb_txn_begin(env->mdb, NULL, MDB_RDONLY, txn);
    env_slots_give(env);
    return code;
}

static int renew_or_begin(struct env *env, MDB_txn **txn)
{
    int code;

    if (*txn != NULL) {
        code = mdb_txn_renew(*txn);
        if (code != 0) {
            mdb_txn_abort(*txn);
            *txn = NULL;
        }
        return code;
    }
    code = begin_reader(env, txn);
    if (code == MDB_READERS_FULL) {
        clear_dead_readers(env);
        code = begin_reader(env, txn);
    }
    return code;
}

enum txn_result env_read_begin(struct env *env, struct txn *txn, struct fault *fault)
{
    int code = MDB_MAP_RESIZED;

    for (int tries = 0; tries < ENV_ADOPT_TRIES && code == MDB_MAP_RESIZED; tries++) {
        MDB_txn *reader;

        if (tries > 0 && env_adopt(env, fault) != TXN_OK) {
            return TXN_FAULT;
        }
        reader = env_enter(env, true);
        if (atomic_load(&env->broken)) {
            env_leave(env, reader);
            return refuse_broken(env, fault);
        }
        code = renew_or_begin(env, &reader);
        if (code == 0) {
            *txn = (struct txn){.kind = &env_txn_kind, .owner = env, .handle = reader};
            return TXN_OK;
        }
        env_leave(env, NULL);
    }
    if (code == EBUSY) {
        env_slots_fault(env, fault);
        return TXN_FAULT;
    }
    return cannot_begin(env, "beginning to read", code, fault);
}

void env_read_end(struct txn *txn)
{
    mdb_txn_reset(txn->handle);
    env_leave(env_of(txn), txn->handle);
}

/* A turn that the transaction took. */
static void end_turn(struct txn *txn)
{
    if (txn->gives_turn) {
        env_turn_give(env_of(txn));
    }
}

static enum txn_result begin_to_write(struct env *env, struct txn *txn, struct fault *fault)
{
    int code = MDB_MAP_RESIZED;

    for (int tries = 0; tries < ENV_ADOPT_TRIES && code == MDB_MAP_RESIZED; tries++) {
        MDB_txn *writer;

        if (tries > 0 && env_adopt(env, fault) != TXN_OK) {
            return TXN_FAULT;
        }
        env_enter(env, false);
        if (atomic_load(&env->broken)) {
            env_leave(env, NULL);
            return refuse_broken(env, fault);
        }
        code = mdb_txn_begin(env->mdb, NULL, 0, &writer);
        if (code == 0) {
            txn->handle = writer;
            return TXN_OK;
        }
        env_leave(env, NULL);
    }
    return cannot_begin(env, "beginning to write", code, fault);
}

bool env_turn_take(struct env *env, int64_t until_us)
{
    env->has_turn = process_lock_take(&env->lock, PROCESS_LOCK_WRITER, until_us);
    return env->has_turn;
}

void env_turn_give(struct env *env)
{
    env->has_turn = false;
    process_lock_give(&env->lock, PROCESS_LOCK_WRITER);
}

void *env_turn_page(struct env *env)
{
    return env->lock.page;
}

bool env_seat_take(struct env *env, unsigned n)
{
    return process_lock_try(&env->lock, (enum process_lock_of)(PROCESS_LOCK_SEATS + n));
}

pid_t env_seat_holder(const struct env *env, unsigned n)
{
    return process_lock_holder(&env->lock, (enum process_lock_of)(PROCESS_LOCK_SEATS + n));
}

int64_t env_wait_us(const struct env *env)
{
    return env->wait_us;
}

void env_turn_fault(struct env *env, int64_t waited_us, struct fault *fault)
{
    pid_t holder = process_lock_holder(&env->lock, PROCESS_LOCK_WRITER);
    double seconds = (double)(waited_us / 100000) / 10;

    if (holder == 0) {
        fault_set(fault, "store %s: waited %g s behind other writers", env->directory, seconds);
        return;
    }
    fault_set(fault,
              "store %s: waited %g s to write behind process %d; if it is stopped, let it go on "
              "(kill -CONT %d) or end it (kill -KILL %d, which loses nothing)",
              env->directory, seconds, (int)holder, (int)holder, (int)holder);
}

enum txn_result env_write_begin(struct env *env, struct txn *txn, struct fault *fault)
{
    bool take = !env->has_turn;
    enum txn_result result;

    if (take && !env_turn_take(env, clock_stopwatch_us() + env->wait_us)) {
        env_turn_fault(env, env->wait_us, fault);
        return TXN_FAULT;
    }
    *txn = (struct txn){.kind = &env_txn_kind, .owner = env, .gives_turn = take};
    result = begin_to_write(env, txn, fault);
    if (result != TXN_OK) {
        end_turn(txn);
    }
    return result;
}

static bool can_read(struct env *env)
{
    struct fault ignored;
    struct txn txn;
    bool can = env_read_begin(env, &txn, &ignored) == TXN_OK;

    if (can) {
        env_read_end(&txn);
    }
    return can;
}

/* After these LMDB has undone everything and goes on, unless it failed at a meta page: then it
 * takes part in no transaction any more. After others it may not know what is on the disk. */
static bool is_harmless(struct env *env, int code)
{
    return (code == ENOSPC || code == EDQUOT || code == EFBIG || code == ENOMEM ||
            code == MDB_MAP_FULL || code == MDB_TXN_FULL) &&
           can_read(env);
}

static bool look_at_disk(struct env *env, struct statvfs *system);

/* LMDB calls a page that was written in part an I/O error, which is what a disk that fills up in
 * the middle of it leaves. */
bool env_disk_is_full(struct env *env)
{
    struct statvfs system;

    return look_at_disk(env, &system) && system.f_bavail == 0;
}

uint64_t env_disk_free(struct env *env)
{
    struct statvfs system;

    return look_at_disk(env, &system) ? (uint64_t)system.f_bavail * system.f_frsize : 0;
}

static bool look_at_disk(struct env *env, struct statvfs *system)
{
    mdb_filehandle_t file;

    return mdb_env_get_fd(env->mdb, &file) == 0 && fstatvfs(file, system) == 0;
}

enum txn_result env_commit(struct txn *txn, struct fault *fault)
{
    struct env *env = env_of(txn);
    int code = mdb_txn_commit(txn->handle);

    if (code == EIO && env_disk_is_full(env)) {
        code = ENOSPC;
    }
    end_turn(txn);
    env_leave(env, NULL);
    if (code == 0) {
        atomic_fetch_add(&env->commits, 1);
        atomic_store(&env->no_room_us, 0);
        return TXN_OK;
    } else if (!is_harmless(env, code)) {
        atomic_store(&env->broken, true);
    }
    return env_fault(env, "committing", code, fault);
}

void env_abort(struct txn *txn)
{
    struct env *env = env_of(txn);

    mdb_txn_abort(txn->handle);
    end_turn(txn);
    env_leave(env, NULL);
}

/* ---- growing ---- */

/* The gate is closed. */
static enum txn_result grow_map(struct env *env, struct fault *fault)
{
    size_t before = map_size_now(env);
    size_t wanted;

    if (remap(env, 0, fault) != TXN_OK) {
        return TXN_FAULT;
    }
    if (map_size_now(env) > before) {
        return TXN_OK; /* another process has grown it already */
    }
    wanted = before > SIZE_MAX / 2 ? before : before * 2;
    if (env->map_limit != 0 && wanted > env->map_limit) {
        wanted = env->map_limit;
    }
    if (wanted <= before) {
        fault_set(fault,
                  "store is full: %s has used up its map limit of %zu bytes; raise the limit, or "
                  "remove sessions with `retoken store prune`",
                  env->directory, env->map_limit);
        return TXN_FAULT;
    } else if (!have_address_space(wanted - before)) {
        fault_set(fault,
                  "store is full: %s cannot grow from %zu to %zu bytes of address space; raise the "
                  "limit (ulimit -v)",
                  env->directory, before, wanted);
        return TXN_FAULT;
    }
    return remap(env, wanted, fault);
}

enum txn_result env_grow(struct env *env, struct fault *fault)
{
    /* A process that died while reading keeps pages from being used again: that first. */
    if (clear_dead_readers(env) > 0) {
        return TXN_OK;
    }
    if (pass_gate(env, grow_map, fault) != TXN_OK) {
        note_no_room(env);
        return TXN_FAULT;
    }
    return TXN_OK;
}

void env_tidy(struct env *env)
{
    clear_dead_readers(env);
}

const char *env_path(const struct env *env)
{
    return env->directory;
}

size_t env_map_limit(const struct env *env)
{
    return env->map_limit;
}

bool env_is_broken(const struct env *env)
{
    return atomic_load(&env->broken);
}
