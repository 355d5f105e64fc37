/* SPDX-License-Identifier: ISC */
/* env_repair.c: tells a data file that was cut off from one that LMDB left shorter than it says.
 * Knows LMDB's list of free pages; does not know who opens. */
#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "store/lmdb/env_private.h"

/* A file shorter than its meta page says is either cut off, and reading it would be SIGBUS; or the
 * last pages were given back in the transaction that took them, so LMDB never wrote them. In the
 * second case all that is missing is in LMDB's list of free pages: a table of its own whose values
 * are page numbers behind their count. */
static int count_free_in(MDB_txn *txn, size_t first, size_t *count)
{
    MDB_cursor *cursor;
    MDB_val key, list;
    int code = mdb_cursor_open(txn, ENV_FREE_TABLE, &cursor);

    *count = 0;
    if (code != 0) {
        return code;
    }
    while ((code = mdb_cursor_get(cursor, &key, &list, MDB_NEXT)) == 0) {
        for (size_t at = sizeof(size_t); at + sizeof(size_t) <= list.mv_size;
             at += sizeof(size_t)) {
            size_t entries, page;

            memcpy(&entries, list.mv_data, sizeof entries);
            memcpy(&page, (const char *)list.mv_data + at, sizeof page);
            *count += at / sizeof(size_t) <= entries && page >= first ? 1 : 0;
        }
    }
    mdb_cursor_close(cursor);
    return code == MDB_NOTFOUND ? 0 : code;
}

/* LMDB lets only read transactions look at its own table. */
static int count_free_from(struct env *env, size_t first, size_t *count)
{
    MDB_txn *txn;
    int code;

    if (!env_slots_take(env, clock_stopwatch_us() + env->wait_us)) {
        return EBUSY;
    }
    code = mdb_txn_begin(env->mdb, NULL, MDB_RDONLY, &txn);
    env_slots_give(env);
    if (code == 0) {
        code = count_free_in(txn, first, count);
        mdb_txn_abort(txn);
    }
    return code;
}

/* The caller is in a write transaction, so no other process writes the file. */
static enum txn_result fill_up(struct env *env, struct fault *fault)
{
    MDB_envinfo info = {.me_last_pgno = 0};
    MDB_stat stat = {.ms_psize = 0};
    mdb_filehandle_t file;
    struct stat about;
    size_t have, need, missing_and_free = 0;
    int code;

    mdb_env_info(env->mdb, &info);
    mdb_env_stat(env->mdb, &stat);
    if (mdb_env_get_fd(env->mdb, &file) != 0 || fstat(file, &about) != 0) {
        return env_fault(env, "measuring data.mdb", errno, fault);
    }
    have = (size_t)about.st_size / stat.ms_psize;
    need = info.me_last_pgno + 1;
    if (have >= need) {
        return TXN_OK;
    }
    if (ftruncate(file, (off_t)(need * stat.ms_psize)) != 0) {
        return env_fault(env, "filling up data.mdb", errno, fault);
    }
    code = count_free_from(env, have, &missing_and_free);
    if (code != 0 || missing_and_free < need - have) {
        int cut_again = ftruncate(file, about.st_size); /* or the next open would not notice */

        (void)cut_again;
        if (code == EBUSY) {
            env_slots_fault(env, fault);
            return TXN_FAULT;
        }
        fault_set(fault,
                  "store %s: data.mdb was cut off (%zu pages of %zu are there); restore a backup",
                  env->directory, have, need);
        return TXN_FAULT;
    }
    return TXN_OK;
}

bool env_is_short(struct env *env)
{
    MDB_envinfo info = {.me_last_pgno = 0};
    MDB_stat stat = {.ms_psize = 0};
    mdb_filehandle_t file;
    struct stat about;

    mdb_env_info(env->mdb, &info);
    mdb_env_stat(env->mdb, &stat);
    return mdb_env_get_fd(env->mdb, &file) == 0 && fstat(file, &about) == 0 &&
           (size_t)about.st_size / stat.ms_psize < info.me_last_pgno + 1;
}

enum txn_result env_repair(struct env *env, struct fault *fault)
{
    enum txn_result result;
    MDB_txn *txn;
    int code = mdb_txn_begin(env->mdb, NULL, 0, &txn);

    if (code != 0) {
        return env_fault(env, "opening", code, fault);
    }
    result = fill_up(env, fault);
    mdb_txn_abort(txn);
    return result;
}
