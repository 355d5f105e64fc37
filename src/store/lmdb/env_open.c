/* SPDX-License-Identifier: ISC */
/* env_open.c: opening and closing the environment, between processes that do the same. Knows the
 * races of LMDB's opening; does not know what is in the tables. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "store/lmdb/env_directory.h"
#include "store/lmdb/env_private.h"

enum { OPEN_TRIES = 5, WAIT_DEFAULT_MS = 5000 };
enum { MAP_SIZE_DEFAULT = 64 * 1024 * 1024, MAP_SIZE_LEAST = 256 * 1024 };

static int open_tables_in(struct env *env, unsigned txn_flags, unsigned dbi_flags)
{
    MDB_txn *txn;
    int code = mdb_txn_begin(env->mdb, NULL, txn_flags, &txn);

    if (code != 0) {
        return code;
    }
    for (size_t i = 0; i < TABLES && code == 0; i++) {
        code = mdb_dbi_open(txn, table_name((enum table)i), dbi_flags, &env->tables[i]);
    }
    if (code != 0) {
        mdb_txn_abort(txn);
        return code;
    }
    return mdb_txn_commit(txn); /* even of a read: it makes the handles everybody's */
}

static size_t first_map_size(const struct env_settings *settings)
{
    size_t size = settings->map_size != 0 ? settings->map_size : MAP_SIZE_DEFAULT;
    size_t page = 4096;

    if (settings->map_limit != 0 && size > settings->map_limit) {
        size = settings->map_limit;
    }
    size = size < MAP_SIZE_LEAST ? MAP_SIZE_LEAST : size;
    return size - size % page;
}

static int open_env(struct env *env, const struct env_settings *settings, bool exists)
{
    unsigned flags = MDB_NOTLS | (settings->read_only ? MDB_RDONLY : 0);
    int code = mdb_env_create(&env->mdb);

    if (code != 0) {
        env->mdb = NULL;
        return code;
    }
    if ((code = mdb_env_set_maxdbs(env->mdb, TABLES)) == 0 &&
        (code = mdb_env_set_maxreaders(env->mdb, ENV_READERS_MAX)) == 0 &&
        /* A store that is there knows its own size. */
        (exists || (code = mdb_env_set_mapsize(env->mdb, first_map_size(settings))) == 0)) {
        code = mdb_env_open(env->mdb, env->directory, flags, 0600);
    }
    return code;
}

/* Opening can fail while another process opens or closes (env.h, "Caveats"). */
static bool is_worth_another_try(int code)
{
    return code == EAGAIN || code == EINVAL || code == MDB_INVALID || code == MDB_VERSION_MISMATCH;
}

static void wait_a_little(int tries)
{
    /* Spread by process, so that those who collided do not meet again. */
    long spread = ((long)getpid() * 2654435761L >> 7) & 0xf;
    struct timespec time = {.tv_nsec = (1 + spread + tries) * 1000000L};

    nanosleep(&time, NULL);
}

/* With its tables, unless the file must be mended first: then *is_short. Waits for no writer. */
static int open_to_read(struct env *env, const struct env_settings *settings, bool exists,
                        bool *is_short)
{
    int code;

    if (!env_slots_take(env, clock_stopwatch_us() + env->wait_us)) {
        return EBUSY;
    }
    if (!exists && settings->create && !settings->read_only) {
        env_directory_drop_stub(env->directory);
    }
    code = open_env(env, settings, exists);
    if (code == 0) {
        mdb_reader_check(env->mdb, NULL);
        *is_short = env_is_short(env);
        code = *is_short ? 0 : open_tables_in(env, MDB_RDONLY, 0);
        code = *is_short || code != 0 ? code : env_map_for_reading(env);
    }
    env_slots_give(env);
    return code;
}

/* What only a writer may do: mend a file that is short, make tables that are absent. */
static enum txn_result finish_in_turn(struct env *env, bool is_short, bool create, int *code,
                                      struct fault *fault)
{
    enum txn_result result = TXN_OK;

    if (!env_turn_take(env, clock_stopwatch_us() + env->wait_us)) {
        env_turn_fault(env, env->wait_us, fault);
        return TXN_FAULT;
    }
    if (is_short) {
        result = env_repair(env, fault);
    }
    if (result == TXN_OK) {
        *code = open_tables_in(env, 0, create ? MDB_CREATE : 0);
    }
    env_turn_give(env);
    return result;
}

static enum txn_result open_once(struct env *env, const struct env_settings *settings, bool exists,
                                 int *code, struct fault *fault)
{
    bool create = settings->create && !settings->read_only;
    bool is_short = false;

    *code = open_to_read(env, settings, exists, &is_short);
    if (*code == EBUSY) {
        env_slots_fault(env, fault);
        return TXN_FAULT;
    } else if (is_short && settings->read_only) {
        fault_set(fault,
                  "store %s: data.mdb may have been cut off; open it for writing once, or restore "
                  "a backup",
                  env->directory);
        return TXN_FAULT;
    } else if (is_short || (*code == MDB_NOTFOUND && create)) {
        return finish_in_turn(env, is_short, create, code, fault);
    }
    return TXN_OK;
}

static enum txn_result open_with_patience(struct env *env, const struct env_settings *settings,
                                          bool exists, struct fault *fault)
{
    int code = 0;

    for (int tries = 0; tries < OPEN_TRIES; tries++) {
        if (open_once(env, settings, exists, &code, fault) != TXN_OK) {
            return TXN_FAULT;
        } else if (code == 0) {
            return TXN_OK;
        }
        mdb_env_close(env->mdb);
        env->mdb = NULL;
        if (!is_worth_another_try(code)) {
            break;
        }
        wait_a_little(tries);
    }
    if (code == MDB_NOTFOUND) {
        fault_set(fault, "there is no store in %s", env->directory);
        return TXN_FAULT;
    } else if (code == MDB_INVALID || code == MDB_VERSION_MISMATCH) {
        fault_set(fault,
                  "store %s: data.mdb is damaged or no LMDB file of this version; restore a "
                  "backup",
                  env->directory);
        return TXN_FAULT;
    }
    return env_fault(env, "opening", code, fault);
}

void env_close(struct env *env)
{
    for (size_t i = 0; i < env->pooled; i++) {
        mdb_txn_abort(env->pool[i]);
    }
    if (env->mdb != NULL) {
        mdb_env_close(env->mdb);
    }
    process_lock_close(&env->lock);
    pthread_mutex_destroy(&env->slots);
    pthread_mutex_destroy(&env->gate);
    pthread_cond_destroy(&env->opened);
    pthread_cond_destroy(&env->left);
    free(env->directory);
    free(env);
}

static struct env *make(const struct env_settings *settings)
{
    struct env *env = calloc(1, sizeof *env);
    size_t size = strlen(settings->directory) + 1;
    pthread_condattr_t steady;

    if (env == NULL) {
        return NULL;
    }
    env->directory = malloc(size);
    if (env->directory == NULL) {
        free(env);
        return NULL;
    }
    memcpy(env->directory, settings->directory, size);
    env->map_limit = settings->map_limit != 0 && settings->map_limit < MAP_SIZE_LEAST
                         ? MAP_SIZE_LEAST
                         : settings->map_limit;
    env->wait_us = (settings->wait_ms != 0 ? settings->wait_ms : WAIT_DEFAULT_MS) * 1000;
    atomic_init(&env->broken, false);
    atomic_init(&env->commits, 0);
    atomic_init(&env->no_room_us, 0);
    env->lock.file = -1;
    pthread_mutex_init(&env->slots, NULL);
    pthread_mutex_init(&env->gate, NULL);
    pthread_cond_init(&env->opened, NULL);
    pthread_condattr_init(&steady);
    pthread_condattr_setclock(&steady, CLOCK_MONOTONIC); /* that of clock_stopwatch_us */
    pthread_cond_init(&env->left, &steady);
    pthread_condattr_destroy(&steady);
    return env;
}

struct env *env_open(const struct env_settings *settings, struct fault *fault)
{
    bool create = settings->create && !settings->read_only;
    struct env *env;
    int directory;
    bool exists;

    if (settings->directory[0] == '\0') {
        fault_set(fault, "store \"lmdb:\" names no directory; right would be lmdb:DIRECTORY");
        return NULL;
    }
    directory = env_directory_open(settings->directory, create, fault);
    if (directory < 0) {
        return NULL;
    }
    exists = env_directory_holds_data(directory);
    env = exists || create ? make(settings) : NULL;
    if (!exists && !create) {
        fault_set(fault,
                  "there is no store in %s, or its data.mdb is cut: put it back, or a backup "
                  "(`retoken store restore`)",
                  settings->directory);
    } else if (env == NULL) {
        fault_set(fault, "out of memory while opening store %s", settings->directory);
    } else if (!process_lock_open(&env->lock, directory) && !settings->read_only) {
        env_fault(env, "process.lock", errno, fault);
        env_close(env);
        env = NULL;
    } else if (open_with_patience(env, settings, exists, fault) != TXN_OK) {
        env_close(env);
        env = NULL;
    } else if (!settings->read_only) {
        process_lock_share(&env->lock);
    }
    close(directory);
    return env;
}
