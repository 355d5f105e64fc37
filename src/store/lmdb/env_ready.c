/* SPDX-License-Identifier: ISC */
/* env_ready.c: whether the environment could be written now, found out without writing. Knows the
 * turn to write and the disk; does not know who asks. */
#include <stdlib.h>
#include <sys/statvfs.h>

#include "base/clock.h"
#include "store/lmdb/env_private.h"

static bool turn_is_stuck(struct env *env, size_t commit, int64_t *for_us);
static bool is_out_of_room(struct txn *txn);

enum env_ready env_ready(struct txn *txn, struct fault *fault)
{
    struct env *env = env_of(txn);
    mdb_filehandle_t file;
    struct statvfs system;
    int64_t for_us;

    if (turn_is_stuck(env, mdb_txn_id(txn->handle), &for_us)) {
        env_turn_fault(env, for_us, fault);
        return ENV_READY_STUCK;
    } else if (mdb_env_get_fd(env->mdb, &file) != 0 || fstatvfs(file, &system) != 0 ||
               (system.f_flag & ST_RDONLY) != 0) {
        fault_set(fault, "store %s: its file system is mounted read-only", env->directory);
        return ENV_READY_READ_ONLY;
    } else if (is_out_of_room(txn)) {
        fault_set(fault, "store %s: the last write found no room; make some, or raise the limit",
                  env->directory);
        return ENV_READY_FULL;
    }
    return ENV_READY;
}

void env_turn_note(struct env *env, int64_t since_us)
{
    pid_t holder = process_lock_holder(&env->lock, PROCESS_LOCK_WRITER);

    pthread_mutex_lock(&env->gate);
    env->seen = (struct env_sighting){.holder = holder, .since_us = since_us};
    pthread_mutex_unlock(&env->gate);
}

/* One process has had the turn for longer than a writer waits, as far as was looked, and nothing
 * was committed meanwhile. A process that writes nothing itself finds out when it is asked twice.
 */
static bool turn_is_stuck(struct env *env, size_t commit, int64_t *for_us)
{
    pid_t holder = process_lock_holder(&env->lock, PROCESS_LOCK_WRITER);
    int64_t now_us = clock_stopwatch_us();

    pthread_mutex_lock(&env->gate);
    if (holder != env->seen.holder || (env->seen.commit != 0 && commit != env->seen.commit)) {
        env->seen = (struct env_sighting){.holder = holder, .since_us = now_us};
    }
    env->seen.commit = commit;
    *for_us = now_us - env->seen.since_us;
    pthread_mutex_unlock(&env->gate);
    return holder != 0 && *for_us >= env->wait_us;
}

/* The last write failed for want of room, and that was a moment ago or is still so. (A quota does
 * not tell.) */
static bool is_out_of_room(struct txn *txn)
{
    struct env *env = env_of(txn);
    int64_t failed_us = atomic_load(&env->no_room_us);

    return failed_us != 0 && (clock_stopwatch_us() - failed_us < env->wait_us ||
                              env_disk_is_full(env) || txn->kind->nearly_full(txn));
}
