/* SPDX-License-Identifier: ISC */
/* env_tables.c: the tables of the environment: reading and writing them, and how large they are.
 * Knows keys and values as bytes; does not know records. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "store/lmdb/env_private.h"

enum { RESERVE_LEAST = 128 * 1024 };

/* ---- rows ---- */

static MDB_val val_of(struct txn_bytes bytes)
{
    return (MDB_val){bytes.size, (void *)(uintptr_t)bytes.data};
}

static enum txn_result get(struct txn *txn, enum table table, struct txn_bytes key,
                           struct txn_bytes *value, struct fault *fault)
{
    struct env *env = env_of(txn);
    MDB_val name = val_of(key);
    MDB_val data;
    int code = mdb_get(txn->handle, env->tables[table], &name, &data);

    if (code == MDB_NOTFOUND) {
        return TXN_ABSENT;
    } else if (code != 0) {
        return env_fault(env, "reading", code, fault);
    }
    *value = (struct txn_bytes){data.mv_data, data.mv_size};
    return TXN_OK;
}

/* MDB_SET_RANGE finds the first key not below; the two other directions are a step from there. */
static int seek_with(MDB_cursor *cursor, enum txn_seek seek, const MDB_val *wanted, MDB_val *found)
{
    MDB_val data;
    int code;

    *found = *wanted;
    code = mdb_cursor_get(cursor, found, &data, MDB_SET_RANGE);
    switch (seek) {
    case TXN_FROM:
        return code;
    case TXN_AFTER:
        if (code == 0 && found->mv_size == wanted->mv_size &&
            memcmp(found->mv_data, wanted->mv_data, wanted->mv_size) == 0) {
            code = mdb_cursor_get(cursor, found, &data, MDB_NEXT);
        }
        return code;
    case TXN_BEFORE:
        if (code == 0 || code == MDB_NOTFOUND) {
            code = mdb_cursor_get(cursor, found, &data, code == 0 ? MDB_PREV : MDB_LAST);
        }
        return code;
    }
    return EINVAL;
}

static enum txn_result seek(struct txn *txn, enum table table, enum txn_seek where,
                            struct txn_bytes key, struct txn_bytes *found, struct fault *fault)
{
    struct env *env = env_of(txn);
    MDB_val wanted = val_of(key);
    MDB_val name;
    MDB_cursor *cursor;
    int code = mdb_cursor_open(txn->handle, env->tables[table], &cursor);

    if (code == 0) {
        code = seek_with(cursor, where, &wanted, &name);
        mdb_cursor_close(cursor);
    }
    if (code == MDB_NOTFOUND) {
        return TXN_ABSENT;
    } else if (code != 0) {
        return env_fault(env, "reading", code, fault);
    }
    *found = (struct txn_bytes){name.mv_data, name.mv_size};
    return TXN_OK;
}

static enum txn_result put(struct txn *txn, enum table table, struct txn_bytes key,
                           struct txn_bytes value, struct fault *fault)
{
    struct env *env = env_of(txn);
    MDB_val name = val_of(key);
    MDB_val data = val_of(value);
    int code = mdb_put(txn->handle, env->tables[table], &name, &data, 0);

    return code == 0 ? TXN_OK : env_fault(env, "writing", code, fault);
}

static enum txn_result remove_key(struct txn *txn, enum table table, struct txn_bytes key,
                                  struct fault *fault)
{
    struct env *env = env_of(txn);
    MDB_val name = val_of(key);
    int code = mdb_del(txn->handle, env->tables[table], &name, NULL);

    if (code == MDB_NOTFOUND) {
        return TXN_ABSENT;
    }
    return code == 0 ? TXN_OK : env_fault(env, "removing", code, fault);
}

/* ---- size ---- */

enum { META_PAGES = 2 };

static uint64_t pages_of(const MDB_stat *stat)
{
    return (uint64_t)stat->ms_branch_pages + stat->ms_leaf_pages + stat->ms_overflow_pages;
}

/* Adds up what is in use in this transaction; entries and pages may be NULL. */
static int add_up(struct env *env, MDB_txn *txn, uint64_t *used, struct env_stat *stat)
{
    MDB_stat table = {.ms_psize = 0};
    uint64_t pages = META_PAGES;
    int code = mdb_stat(txn, ENV_FREE_TABLE, &table);

    pages += pages_of(&table);
    if (code == 0) {
        code = mdb_stat(txn, ENV_MAIN_TABLE, &table);
        pages += pages_of(&table);
    }
    for (size_t i = 0; i < TABLES && code == 0; i++) {
        code = mdb_stat(txn, env->tables[i], &table);
        pages += pages_of(&table);
        if (stat != NULL) {
            stat->entries[i] = table.ms_entries;
            stat->pages[i] = pages_of(&table);
        }
    }
    *used = pages * table.ms_psize;
    return code;
}

enum txn_result env_stat(struct txn *txn, struct env_stat *stat, struct fault *fault)
{
    struct env *env = env_of(txn);
    MDB_envinfo info = {.me_mapsize = 0};
    mdb_filehandle_t file;
    struct stat size = {.st_size = 0};
    int code;

    *stat = (struct env_stat){.commits = atomic_load(&env->commits)};
    code = add_up(env, txn->handle, &stat->used_bytes, stat);
    if (code == 0) {
        code = mdb_env_info(env->mdb, &info);
    }
    if (code == 0) {
        code = mdb_env_get_fd(env->mdb, &file);
    }
    if (code == 0) {
        code = fstat(file, &size) == 0 ? 0 : errno;
    }
    if (code != 0) {
        return env_fault(env, "measuring", code, fault);
    }
    stat->map_size = info.me_mapsize;
    stat->file_bytes = (uint64_t)size.st_size;
    stat->readers = info.me_numreaders;
    stat->readers_max = info.me_maxreaders;
    snprintf(stat->name, sizeof stat->name, "%s", mdb_version(NULL, NULL, NULL));
    stat->name[strcspn(stat->name, ":")] = '\0'; /* "LMDB 0.9.24: (July 24, 2019)" */
    return TXN_OK;
}

static enum txn_result count(struct txn *txn, enum table table, uint64_t *entries,
                             struct fault *fault)
{
    MDB_stat stat;
    int code = mdb_stat(txn->handle, env_of(txn)->tables[table], &stat);

    if (code != 0) {
        return env_fault(env_of(txn), "measuring", code, fault);
    }
    *entries = stat.ms_entries;
    return TXN_OK;
}

/* A fifth of a limit that was set, and no less than a few commits need: rewriting and removing take
 * fresh pages too, and give the old ones back two commits later. */
static bool nearly_full(struct txn *txn)
{
    struct env *env = env_of(txn);
    size_t reserve = env->map_limit / 5 > RESERVE_LEAST ? env->map_limit / 5 : RESERVE_LEAST;
    uint64_t used;

    return env->map_limit != 0 && add_up(env, txn->handle, &used, NULL) == 0 &&
           used > env->map_limit - reserve;
}

const struct txn_kind env_txn_kind = {.get = get,
                                      .seek = seek,
                                      .put = put,
                                      .remove = remove_key,
                                      .count = count,
                                      .nearly_full = nearly_full,
                                      .read_end = env_read_end};
