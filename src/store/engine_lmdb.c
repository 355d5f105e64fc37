/* engine_lmdb.c: the engine over one LMDB environment, DIRECTORY/data.mdb and lock.mdb;
 * process_lock.h orders who comes next. The only file that knows lmdb.h. Knows directories, maps,
 * readers and LMDB's return codes; does not know records.
 *
 * Rules that keep LMDB 0.9 sound: commits are fully synced (no NOSYNC, NOMETASYNC, MAPASYNC,
 * WRITEMAP); no sorted duplicates and no nested transactions; opened after the last fork, once per
 * process; only this user may reach the directory, because LMDB trusts the bytes in it. */
#include <errno.h>
#include <fcntl.h>
#include <lmdb.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/vfs.h>
#include <time.h>
#include <unistd.h>

#include "store/engine.h"
#include "store/process_lock.h"

enum {
    OPEN_TRIES = 5,
    ADOPT_TRIES = 5,
    READERS_MAX = 1022, /* 64 KiB of lock file */
    POOL_MAX = 64,      /* read transactions kept for the next read */
    MAP_SIZE_DEFAULT = 64 * 1024 * 1024,
    MAP_SIZE_LEAST = 256 * 1024,
    RESERVE_LEAST = 128 * 1024
};

struct lmdb {
    struct engine engine;
    MDB_env *env;
    MDB_dbi tables[ENGINE_TABLES];
    char *directory;
    struct process_lock lock;
    pthread_mutex_t slots; /* over LMDB's table of readers, among our threads */
    size_t map_limit;      /* 0 = none */
    atomic_bool broken;
    atomic_uint_fast64_t commits;

    /* The map may be replaced only while nobody is in a transaction. */
    pthread_mutex_t gate; /* over the rest */
    pthread_cond_t opened, left;
    size_t inside; /* transactions now */
    bool remapping;
    size_t pooled;
    MDB_txn *pool[POOL_MAX]; /* reset read transactions, each with its reader slot */
};

static struct lmdb *lmdb_of(const struct engine *engine)
{
    return (struct lmdb *)(uintptr_t)engine;
}

/* ---- LMDB's codes, translated at the door ---- */

static enum engine_result fault_of(struct lmdb *lmdb, const char *what, int code,
                                   struct fault *fault)
{
    if (code == MDB_MAP_FULL) {
        fault_set(fault, "store is full: %s", lmdb->directory);
        return ENGINE_FULL;
    } else if (code == MDB_PANIC) {
        atomic_store(&lmdb->broken, true);
        fault_set(fault, "store %s: an earlier commit failed; restart the program",
                  lmdb->directory);
    } else if (code == ENOSPC || code == EDQUOT || code == EFBIG) {
        fault_set(fault,
                  "store %s: %s: no space left on its disk, or over a quota or limit; make room",
                  lmdb->directory, what);
    } else if (code == MDB_CORRUPTED || code == MDB_PAGE_NOTFOUND) {
        fault_set(fault, "store %s: %s: data.mdb is damaged (%s); restore a backup",
                  lmdb->directory, what, mdb_strerror(code));
    } else if (code == MDB_READERS_FULL) {
        fault_set(fault, "store %s: %s: more than %d readers at once; run fewer processes",
                  lmdb->directory, what, READERS_MAX);
    } else if (code == EACCES || code == EROFS) {
        fault_set(fault,
                  "store %s: %s: %s; this user must be able to write the directory and "
                  "what is in it",
                  lmdb->directory, what, mdb_strerror(code));
    } else if (code == ENOMEM) {
        fault_set(fault,
                  "store %s: %s: out of memory or address space; raise the limit (ulimit -v) or "
                  "lower the map size",
                  lmdb->directory, what);
    } else {
        fault_set(fault, "store %s: %s: %s", lmdb->directory, what, mdb_strerror(code));
    }
    return ENGINE_FAULT;
}

/* ---- the gate ---- */

/* With a reader of the pool, or NULL. */
static MDB_txn *enter(struct lmdb *lmdb, bool to_read)
{
    MDB_txn *txn = NULL;

    pthread_mutex_lock(&lmdb->gate);
    while (lmdb->remapping) {
        pthread_cond_wait(&lmdb->opened, &lmdb->gate);
    }
    lmdb->inside++;
    if (to_read && lmdb->pooled > 0) {
        txn = lmdb->pool[--lmdb->pooled];
    }
    pthread_mutex_unlock(&lmdb->gate);
    return txn;
}

/* `reader`, if any, goes back to the pool. */
static void leave(struct lmdb *lmdb, MDB_txn *reader)
{
    pthread_mutex_lock(&lmdb->gate);
    if (reader != NULL && lmdb->pooled < POOL_MAX) {
        lmdb->pool[lmdb->pooled++] = reader;
        reader = NULL;
    }
    lmdb->inside--;
    if (lmdb->remapping && lmdb->inside == 0) {
        pthread_cond_signal(&lmdb->left);
    }
    pthread_mutex_unlock(&lmdb->gate);
    mdb_txn_abort(reader); /* NULL is harmless */
}

/* Waits until nobody is inside. False: somebody else has just replaced the map. */
static bool close_gate(struct lmdb *lmdb)
{
    bool ours;

    pthread_mutex_lock(&lmdb->gate);
    ours = !lmdb->remapping;
    if (ours) {
        lmdb->remapping = true;
        while (lmdb->inside > 0) {
            pthread_cond_wait(&lmdb->left, &lmdb->gate);
        }
    } else {
        while (lmdb->remapping) {
            pthread_cond_wait(&lmdb->opened, &lmdb->gate);
        }
    }
    pthread_mutex_unlock(&lmdb->gate);
    return ours;
}

static void open_gate(struct lmdb *lmdb)
{
    pthread_mutex_lock(&lmdb->gate);
    lmdb->remapping = false;
    pthread_cond_broadcast(&lmdb->opened);
    pthread_mutex_unlock(&lmdb->gate);
}

static size_t map_size_now(struct lmdb *lmdb)
{
    MDB_envinfo info = {.me_mapsize = 0};

    mdb_env_info(lmdb->env, &info);
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

/* The gate is closed. size 0: what another process has made it. */
static enum engine_result remap(struct lmdb *lmdb, size_t size, struct fault *fault)
{
    int code = mdb_env_set_mapsize(lmdb->env, size);

    if (code != 0) {
        atomic_store(&lmdb->broken, true); /* there is no map now */
        return fault_of(lmdb, "replacing the map", code, fault);
    }
    return ENGINE_OK;
}

static enum engine_result adopt(struct lmdb *lmdb, struct fault *fault)
{
    enum engine_result result = ENGINE_OK;

    if (close_gate(lmdb)) {
        result = remap(lmdb, 0, fault);
        open_gate(lmdb);
    }
    return result;
}

/* ---- transactions ---- */

static enum engine_result refuse_broken(struct lmdb *lmdb, struct fault *fault)
{
    fault_set(fault, "store %s: an earlier commit failed; restart the program", lmdb->directory);
    return ENGINE_FAULT;
}

/* LMDB's table of readers: one process and one thread of it at a time (process_lock.h). */
static void take_slots(struct lmdb *lmdb)
{
    pthread_mutex_lock(&lmdb->slots);
    process_lock_take(&lmdb->lock, PROCESS_LOCK_READERS);
}

static void give_slots(struct lmdb *lmdb)
{
    process_lock_give(&lmdb->lock, PROCESS_LOCK_READERS);
    pthread_mutex_unlock(&lmdb->slots);
}

/* Clears the slots of dead processes; how many. */
static int clear_dead_readers(struct lmdb *lmdb)
{
    int dead = 0;

    take_slots(lmdb);
    if (mdb_reader_check(lmdb->env, &dead) != 0) {
        dead = 0;
    }
    give_slots(lmdb);
    return dead;
}

static int begin_reader(struct lmdb *lmdb, MDB_txn **txn)
{
    int code;

    take_slots(lmdb);
    code = mdb_txn_begin(lmdb->env, NULL, MDB_RDONLY, txn);
    give_slots(lmdb);
    return code;
}

static int renew_or_begin(struct lmdb *lmdb, MDB_txn **txn)
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
    code = begin_reader(lmdb, txn);
    if (code == MDB_READERS_FULL) {
        clear_dead_readers(lmdb);
        code = begin_reader(lmdb, txn);
    }
    return code;
}

static enum engine_result lmdb_read_begin(struct engine *engine, struct engine_txn *txn,
                                          struct fault *fault)
{
    struct lmdb *lmdb = lmdb_of(engine);
    int code = MDB_MAP_RESIZED;

    for (int tries = 0; tries < ADOPT_TRIES && code == MDB_MAP_RESIZED; tries++) {
        MDB_txn *reader;

        if (tries > 0 && adopt(lmdb, fault) != ENGINE_OK) {
            return ENGINE_FAULT;
        }
        reader = enter(lmdb, true);
        if (atomic_load(&lmdb->broken)) {
            leave(lmdb, reader);
            return refuse_broken(lmdb, fault);
        }
        code = renew_or_begin(lmdb, &reader);
        if (code == 0) {
            *txn = (struct engine_txn){engine, reader};
            return ENGINE_OK;
        }
        leave(lmdb, NULL);
    }
    return fault_of(lmdb, "beginning to read", code, fault);
}

static void lmdb_read_end(struct engine_txn *txn)
{
    mdb_txn_reset(txn->handle);
    leave(lmdb_of(txn->engine), txn->handle);
}

static enum engine_result begin_to_write(struct lmdb *lmdb, struct engine_txn *txn,
                                         struct fault *fault)
{
    int code = MDB_MAP_RESIZED;

    for (int tries = 0; tries < ADOPT_TRIES && code == MDB_MAP_RESIZED; tries++) {
        MDB_txn *writer;

        if (tries > 0 && adopt(lmdb, fault) != ENGINE_OK) {
            return ENGINE_FAULT;
        }
        enter(lmdb, false);
        if (atomic_load(&lmdb->broken)) {
            leave(lmdb, NULL);
            return refuse_broken(lmdb, fault);
        }
        code = mdb_txn_begin(lmdb->env, NULL, 0, &writer);
        if (code == 0) {
            *txn = (struct engine_txn){&lmdb->engine, writer};
            return ENGINE_OK;
        }
        leave(lmdb, NULL);
    }
    if (code == EINVAL) {
        /* LMDB 0.9.26 to 0.9.31: another process destroyed the shared mutex as it closed. Only
         * opening anew helps, and only a new process may open. */
        atomic_store(&lmdb->broken, true);
    }
    return fault_of(lmdb, "beginning to write", code, fault);
}

/* The turn is given back by commit and abort. */
static enum engine_result lmdb_write_begin(struct engine *engine, struct engine_txn *txn,
                                           struct fault *fault)
{
    struct lmdb *lmdb = lmdb_of(engine);
    enum engine_result result;

    process_lock_take(&lmdb->lock, PROCESS_LOCK_WRITER);
    result = begin_to_write(lmdb, txn, fault);
    if (result != ENGINE_OK) {
        process_lock_give(&lmdb->lock, PROCESS_LOCK_WRITER);
    }
    return result;
}

/* After these LMDB has undone everything and goes on; after others it may not know what is on the
 * disk. */
static bool is_harmless(int code)
{
    return code == ENOSPC || code == EDQUOT || code == EFBIG || code == ENOMEM ||
           code == MDB_MAP_FULL || code == MDB_TXN_FULL;
}

/* LMDB calls a page that was written in part an I/O error, which is what a disk that fills up in
 * the middle of it leaves. */
static bool disk_is_full(struct lmdb *lmdb)
{
    mdb_filehandle_t file;
    struct statvfs system;

    return mdb_env_get_fd(lmdb->env, &file) == 0 && fstatvfs(file, &system) == 0 &&
           system.f_bavail == 0;
}

static enum engine_result lmdb_commit(struct engine_txn *txn, struct fault *fault)
{
    struct lmdb *lmdb = lmdb_of(txn->engine);
    int code = mdb_txn_commit(txn->handle);

    if (code == EIO && disk_is_full(lmdb)) {
        code = ENOSPC;
    }
    process_lock_give(&lmdb->lock, PROCESS_LOCK_WRITER);
    leave(lmdb, NULL);
    if (code == 0) {
        atomic_fetch_add(&lmdb->commits, 1);
        return ENGINE_OK;
    } else if (!is_harmless(code)) {
        atomic_store(&lmdb->broken, true);
    }
    return fault_of(lmdb, "committing", code, fault);
}

static void lmdb_abort(struct engine_txn *txn)
{
    struct lmdb *lmdb = lmdb_of(txn->engine);

    mdb_txn_abort(txn->handle);
    process_lock_give(&lmdb->lock, PROCESS_LOCK_WRITER);
    leave(lmdb, NULL);
}

/* ---- rows ---- */

static MDB_val val_of(struct engine_bytes bytes)
{
    return (MDB_val){bytes.size, (void *)(uintptr_t)bytes.data};
}

static enum engine_result lmdb_get(struct engine_txn *txn, enum engine_table table,
                                   struct engine_bytes key, struct engine_bytes *value,
                                   struct fault *fault)
{
    struct lmdb *lmdb = lmdb_of(txn->engine);
    MDB_val name = val_of(key);
    MDB_val data;
    int code = mdb_get(txn->handle, lmdb->tables[table], &name, &data);

    if (code == MDB_NOTFOUND) {
        return ENGINE_ABSENT;
    } else if (code != 0) {
        return fault_of(lmdb, "reading", code, fault);
    }
    *value = (struct engine_bytes){data.mv_data, data.mv_size};
    return ENGINE_OK;
}

/* MDB_SET_RANGE finds the first key not below; the two other directions are a step from there. */
static int seek_with(MDB_cursor *cursor, enum engine_seek seek, const MDB_val *wanted,
                     MDB_val *found)
{
    MDB_val data;
    int code;

    *found = *wanted;
    code = mdb_cursor_get(cursor, found, &data, MDB_SET_RANGE);
    switch (seek) {
    case ENGINE_FROM:
        return code;
    case ENGINE_AFTER:
        if (code == 0 && found->mv_size == wanted->mv_size &&
            memcmp(found->mv_data, wanted->mv_data, wanted->mv_size) == 0) {
            code = mdb_cursor_get(cursor, found, &data, MDB_NEXT);
        }
        return code;
    case ENGINE_BEFORE:
        if (code == 0 || code == MDB_NOTFOUND) {
            code = mdb_cursor_get(cursor, found, &data, code == 0 ? MDB_PREV : MDB_LAST);
        }
        return code;
    }
    return EINVAL;
}

static enum engine_result lmdb_seek(struct engine_txn *txn, enum engine_table table,
                                    enum engine_seek seek, struct engine_bytes key,
                                    struct engine_bytes *found, struct fault *fault)
{
    struct lmdb *lmdb = lmdb_of(txn->engine);
    MDB_val wanted = val_of(key);
    MDB_val name;
    MDB_cursor *cursor;
    int code = mdb_cursor_open(txn->handle, lmdb->tables[table], &cursor);

    if (code == 0) {
        code = seek_with(cursor, seek, &wanted, &name);
        mdb_cursor_close(cursor);
    }
    if (code == MDB_NOTFOUND) {
        return ENGINE_ABSENT;
    } else if (code != 0) {
        return fault_of(lmdb, "reading", code, fault);
    }
    *found = (struct engine_bytes){name.mv_data, name.mv_size};
    return ENGINE_OK;
}

static enum engine_result lmdb_put(struct engine_txn *txn, enum engine_table table,
                                   struct engine_bytes key, struct engine_bytes value,
                                   struct fault *fault)
{
    struct lmdb *lmdb = lmdb_of(txn->engine);
    MDB_val name = val_of(key);
    MDB_val data = val_of(value);
    int code = mdb_put(txn->handle, lmdb->tables[table], &name, &data, 0);

    return code == 0 ? ENGINE_OK : fault_of(lmdb, "writing", code, fault);
}

static enum engine_result lmdb_remove(struct engine_txn *txn, enum engine_table table,
                                      struct engine_bytes key, struct fault *fault)
{
    struct lmdb *lmdb = lmdb_of(txn->engine);
    MDB_val name = val_of(key);
    int code = mdb_del(txn->handle, lmdb->tables[table], &name, NULL);

    if (code == MDB_NOTFOUND) {
        return ENGINE_ABSENT;
    }
    return code == 0 ? ENGINE_OK : fault_of(lmdb, "removing", code, fault);
}

/* ---- size ---- */

enum { FREE_TABLE = 0, MAIN_TABLE = 1, META_PAGES = 2 }; /* LMDB's own */

static uint64_t pages_of(const MDB_stat *stat)
{
    return (uint64_t)stat->ms_branch_pages + stat->ms_leaf_pages + stat->ms_overflow_pages;
}

/* Adds up what is in use in this transaction; entries and pages may be NULL. */
static int add_up(struct lmdb *lmdb, MDB_txn *txn, uint64_t *used, struct engine_stat *stat)
{
    MDB_stat table = {.ms_psize = 0};
    uint64_t pages = META_PAGES;
    int code = mdb_stat(txn, FREE_TABLE, &table);

    pages += pages_of(&table);
    if (code == 0) {
        code = mdb_stat(txn, MAIN_TABLE, &table);
        pages += pages_of(&table);
    }
    for (size_t i = 0; i < ENGINE_TABLES && code == 0; i++) {
        code = mdb_stat(txn, lmdb->tables[i], &table);
        pages += pages_of(&table);
        if (stat != NULL) {
            stat->entries[i] = table.ms_entries;
            stat->pages[i] = pages_of(&table);
        }
    }
    *used = pages * table.ms_psize;
    return code;
}

static enum engine_result lmdb_stat(struct engine_txn *txn, struct engine_stat *stat,
                                    struct fault *fault)
{
    struct lmdb *lmdb = lmdb_of(txn->engine);
    MDB_envinfo info = {.me_mapsize = 0};
    mdb_filehandle_t file;
    struct stat size = {.st_size = 0};
    int code;

    *stat = (struct engine_stat){.commits = atomic_load(&lmdb->commits)};
    code = add_up(lmdb, txn->handle, &stat->used_bytes, stat);
    if (code == 0) {
        code = mdb_env_info(lmdb->env, &info);
    }
    if (code == 0) {
        code = mdb_env_get_fd(lmdb->env, &file);
    }
    if (code == 0) {
        code = fstat(file, &size) == 0 ? 0 : errno;
    }
    if (code != 0) {
        return fault_of(lmdb, "measuring", code, fault);
    }
    stat->map_size = info.me_mapsize;
    stat->file_bytes = (uint64_t)size.st_size;
    stat->readers = info.me_numreaders;
    stat->readers_max = info.me_maxreaders;
    snprintf(stat->name, sizeof(stat->name), "%s", mdb_version(NULL, NULL, NULL));
    stat->name[strcspn(stat->name, ":")] = '\0'; /* "LMDB 0.9.24: (July 24, 2019)" */
    return ENGINE_OK;
}

/* A fifth of a limit that was set, and no less than a few commits need: rewriting and removing take
 * fresh pages too, and give the old ones back two commits later. */
static bool lmdb_nearly_full(struct engine_txn *txn)
{
    struct lmdb *lmdb = lmdb_of(txn->engine);
    size_t reserve = lmdb->map_limit / 5 > RESERVE_LEAST ? lmdb->map_limit / 5 : RESERVE_LEAST;
    uint64_t used;

    return lmdb->map_limit != 0 && add_up(lmdb, txn->handle, &used, NULL) == 0 &&
           used > lmdb->map_limit - reserve;
}

/* The gate is closed. */
static enum engine_result grow_map(struct lmdb *lmdb, struct fault *fault)
{
    size_t before = map_size_now(lmdb);
    size_t wanted;

    if (remap(lmdb, 0, fault) != ENGINE_OK) {
        return ENGINE_FAULT;
    }
    if (map_size_now(lmdb) > before) {
        return ENGINE_OK; /* another process has grown it already */
    }
    wanted = before > SIZE_MAX / 2 ? before : before * 2;
    if (lmdb->map_limit != 0 && wanted > lmdb->map_limit) {
        wanted = lmdb->map_limit;
    }
    if (wanted <= before) {
        fault_set(fault,
                  "store is full: %s has used up its map limit of %zu bytes; raise the limit, or "
                  "remove sessions with `retoken store prune`",
                  lmdb->directory, lmdb->map_limit);
        return ENGINE_FAULT;
    } else if (!have_address_space(wanted - before)) {
        fault_set(fault,
                  "store is full: %s cannot grow from %zu to %zu bytes of address space; raise the "
                  "limit (ulimit -v)",
                  lmdb->directory, before, wanted);
        return ENGINE_FAULT;
    }
    return remap(lmdb, wanted, fault);
}

static enum engine_result lmdb_grow(struct engine *engine, struct fault *fault)
{
    struct lmdb *lmdb = lmdb_of(engine);
    enum engine_result result = ENGINE_OK;

    /* A process that died while reading keeps pages from being used again: that first. */
    if (clear_dead_readers(lmdb) > 0) {
        return ENGINE_OK;
    }
    if (close_gate(lmdb)) {
        result = grow_map(lmdb, fault);
        open_gate(lmdb);
    }
    return result;
}

static void lmdb_tidy(struct engine *engine)
{
    clear_dead_readers(lmdb_of(engine));
}

/* ---- directories ---- */

/* File systems on which LMDB's shared memory and locks do not work (statfs(2), f_type). */
static const struct {
    unsigned long magic;
    const char *name;
} refused_file_systems[] = {
    {0x6969, "NFS"},      {0xff534d42, "CIFS"},   {0xfe534d42, "SMB2"}, {0x517b, "SMB"},
    {0x65735546, "FUSE"}, {0x01021997, "9p"},     {0x5346414f, "AFS"},  {0x73757245, "Coda"},
    {0x00c36400, "Ceph"}, {0x0bd00bd0, "Lustre"},
};

static bool is_private_and_local(int directory, const char *path, struct fault *fault)
{
    struct stat about;
    struct statfs system;

    if (fstat(directory, &about) != 0 || fstatfs(directory, &system) != 0) {
        fault_set(fault, "store %s: %s", path, strerror(errno));
        return false;
    } else if (about.st_uid != geteuid()) {
        fault_set(fault,
                  "store %s belongs to user %u and this process is user %u; run as its owner", path,
                  (unsigned)about.st_uid, (unsigned)geteuid());
        return false;
    } else if ((about.st_mode & 077) != 0) {
        fault_set(fault, "store %s can be reached by other users (mode %04o); chmod 0700 it", path,
                  (unsigned)(about.st_mode & 07777));
        return false;
    }
    for (size_t i = 0; i < sizeof(refused_file_systems) / sizeof(refused_file_systems[0]); i++) {
        if (((unsigned long)system.f_type & 0xffffffff) == refused_file_systems[i].magic) {
            fault_set(fault, "store %s is on %s, where LMDB does not work; use a local disk", path,
                      refused_file_systems[i].name);
            return false;
        }
    }
    return true;
}

/* A descriptor of the directory, made if need be; -1 with *fault set. */
static int open_directory(const char *path, bool create, struct fault *fault)
{
    int directory;

    if (create && mkdir(path, 0700) != 0 && errno != EEXIST) {
        fault_set(fault, "store %s cannot be made: %s", path, strerror(errno));
        return -1;
    }
    directory = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (directory < 0) {
        fault_set(fault, "store %s: %s%s", path, strerror(errno),
                  errno == ENOENT ? "; `retoken init` makes one" : "");
    } else if (!is_private_and_local(directory, path, fault)) {
        close(directory);
        directory = -1;
    }
    return directory;
}

/* ---- open ---- */

/* A file shorter than its meta page says is either cut off, and reading it would be SIGBUS; or the
 * last pages were given back in the transaction that took them, so LMDB never wrote them. In the
 * second case all that is missing is in LMDB's list of free pages: a table of its own whose values
 * are page numbers behind their count. */
static int count_free_in(MDB_txn *txn, size_t first, size_t *count)
{
    MDB_cursor *cursor;
    MDB_val key, list;
    int code = mdb_cursor_open(txn, FREE_TABLE, &cursor);

    *count = 0;
    if (code != 0) {
        return code;
    }
    while ((code = mdb_cursor_get(cursor, &key, &list, MDB_NEXT)) == 0) {
        for (size_t at = sizeof(size_t); at + sizeof(size_t) <= list.mv_size;
             at += sizeof(size_t)) {
            size_t entries, page;

            memcpy(&entries, list.mv_data, sizeof(entries));
            memcpy(&page, (const char *)list.mv_data + at, sizeof(page));
            *count += at / sizeof(size_t) <= entries && page >= first ? 1 : 0;
        }
    }
    mdb_cursor_close(cursor);
    return code == MDB_NOTFOUND ? 0 : code;
}

/* LMDB lets only read transactions look at its own table. */
static int count_free_from(struct lmdb *lmdb, size_t first, size_t *count)
{
    MDB_txn *txn;
    int code = mdb_txn_begin(lmdb->env, NULL, MDB_RDONLY, &txn);

    if (code == 0) {
        code = count_free_in(txn, first, count);
        mdb_txn_abort(txn);
    }
    return code;
}

/* The caller is in a write transaction, so nobody else writes the file. */
static enum engine_result fill_up(struct lmdb *lmdb, struct fault *fault)
{
    MDB_envinfo info = {.me_last_pgno = 0};
    MDB_stat stat = {.ms_psize = 0};
    mdb_filehandle_t file;
    struct stat about;
    size_t have, need, missing_and_free = 0;
    int code;

    mdb_env_info(lmdb->env, &info);
    mdb_env_stat(lmdb->env, &stat);
    if (mdb_env_get_fd(lmdb->env, &file) != 0 || fstat(file, &about) != 0) {
        return fault_of(lmdb, "measuring data.mdb", errno, fault);
    }
    have = (size_t)about.st_size / stat.ms_psize;
    need = info.me_last_pgno + 1;
    if (have >= need) {
        return ENGINE_OK;
    }
    if (ftruncate(file, (off_t)(need * stat.ms_psize)) != 0) {
        return fault_of(lmdb, "filling up data.mdb", errno, fault);
    }
    code = count_free_from(lmdb, have, &missing_and_free);
    if (code != 0 || missing_and_free < need - have) {
        int cut_again = ftruncate(file, about.st_size); /* or the next open would not notice */

        (void)cut_again;
        fault_set(fault,
                  "store %s: data.mdb was cut off (%zu pages of %zu are there); restore a backup",
                  lmdb->directory, have, need);
        return ENGINE_FAULT;
    }
    return ENGINE_OK;
}

static bool is_short(struct lmdb *lmdb)
{
    MDB_envinfo info = {.me_last_pgno = 0};
    MDB_stat stat = {.ms_psize = 0};
    mdb_filehandle_t file;
    struct stat about;

    mdb_env_info(lmdb->env, &info);
    mdb_env_stat(lmdb->env, &stat);
    return mdb_env_get_fd(lmdb->env, &file) == 0 && fstat(file, &about) == 0 &&
           (size_t)about.st_size / stat.ms_psize < info.me_last_pgno + 1;
}

static enum engine_result check_length(struct lmdb *lmdb, bool read_only, struct fault *fault)
{
    enum engine_result result;
    MDB_txn *txn;
    int code;

    if (!is_short(lmdb)) {
        return ENGINE_OK;
    } else if (read_only) {
        fault_set(
            fault,
            "store %s: data.mdb may have been cut off; open it for writing once, or restore a "
            "backup",
            lmdb->directory);
        return ENGINE_FAULT;
    }
    code = mdb_txn_begin(lmdb->env, NULL, 0, &txn);
    if (code != 0) {
        return fault_of(lmdb, "opening", code, fault);
    }
    result = fill_up(lmdb, fault);
    mdb_txn_abort(txn);
    return result;
}

static int open_tables_in(struct lmdb *lmdb, unsigned txn_flags, unsigned dbi_flags)
{
    MDB_txn *txn;
    int code = mdb_txn_begin(lmdb->env, NULL, txn_flags, &txn);

    if (code != 0) {
        return code;
    }
    for (size_t i = 0; i < ENGINE_TABLES && code == 0; i++) {
        code =
            mdb_dbi_open(txn, engine_table_name((enum engine_table)i), dbi_flags, &lmdb->tables[i]);
    }
    if (code != 0) {
        mdb_txn_abort(txn);
        return code;
    }
    return mdb_txn_commit(txn); /* even of a read: it makes the handles everybody's */
}

static int open_tables(struct lmdb *lmdb, const struct engine_settings *settings)
{
    int code = open_tables_in(lmdb, MDB_RDONLY, 0);

    if (code == MDB_NOTFOUND && settings->create && !settings->read_only) {
        code = open_tables_in(lmdb, 0, MDB_CREATE);
    }
    return code;
}

static size_t first_map_size(const struct engine_settings *settings)
{
    size_t size = settings->map_size != 0 ? settings->map_size : MAP_SIZE_DEFAULT;
    size_t page = 4096;

    if (settings->map_limit != 0 && size > settings->map_limit) {
        size = settings->map_limit;
    }
    size = size < MAP_SIZE_LEAST ? MAP_SIZE_LEAST : size;
    return size - size % page;
}

static int open_env(struct lmdb *lmdb, const struct engine_settings *settings, bool exists)
{
    unsigned flags = MDB_NOTLS | (settings->read_only ? MDB_RDONLY : 0);
    int code = mdb_env_create(&lmdb->env);

    if (code != 0) {
        lmdb->env = NULL;
        return code;
    }
    if ((code = mdb_env_set_maxdbs(lmdb->env, ENGINE_TABLES)) == 0 &&
        (code = mdb_env_set_maxreaders(lmdb->env, READERS_MAX)) == 0 &&
        /* A store that is there knows its own size. */
        (exists || (code = mdb_env_set_mapsize(lmdb->env, first_map_size(settings))) == 0)) {
        code = mdb_env_open(lmdb->env, lmdb->directory, flags, 0600);
    }
    return code;
}

/* Opening can fail while another process opens or closes (lmdb.h, "Caveats"). */
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

/* While opening, which makes transactions of both kinds. */
static void take_all_turns(struct lmdb *lmdb)
{
    process_lock_take(&lmdb->lock, PROCESS_LOCK_WRITER);
    take_slots(lmdb);
}

static void give_all_turns(struct lmdb *lmdb)
{
    give_slots(lmdb);
    process_lock_give(&lmdb->lock, PROCESS_LOCK_WRITER);
}

static enum engine_result open_with_patience(struct lmdb *lmdb,
                                             const struct engine_settings *settings, bool exists,
                                             struct fault *fault)
{
    int code = 0;

    for (int tries = 0; tries < OPEN_TRIES; tries++) {
        bool sound;

        take_all_turns(lmdb);
        code = open_env(lmdb, settings, exists);
        if (code == 0) {
            mdb_reader_check(lmdb->env, NULL);
        }
        sound = code != 0 || check_length(lmdb, settings->read_only, fault) == ENGINE_OK;
        if (code == 0 && sound) {
            code = open_tables(lmdb, settings);
        }
        give_all_turns(lmdb);
        if (!sound) {
            return ENGINE_FAULT;
        }
        if (code == 0) {
            return ENGINE_OK;
        }
        mdb_env_close(lmdb->env);
        lmdb->env = NULL;
        if (!is_worth_another_try(code)) {
            break;
        }
        wait_a_little(tries);
    }
    if (code == MDB_NOTFOUND) {
        fault_set(fault, "there is no store in %s; `retoken init` makes one", lmdb->directory);
        return ENGINE_FAULT;
    } else if (code == MDB_INVALID || code == MDB_VERSION_MISMATCH) {
        fault_set(fault,
                  "store %s: data.mdb is damaged or no LMDB file of this version; restore a "
                  "backup",
                  lmdb->directory);
        return ENGINE_FAULT;
    }
    return fault_of(lmdb, "opening", code, fault);
}

static bool holds_data(int directory)
{
    struct stat about;

    return fstatat(directory, "data.mdb", &about, 0) == 0 && about.st_size > 0;
}

static void lmdb_close(struct engine *engine)
{
    struct lmdb *lmdb = lmdb_of(engine);

    for (size_t i = 0; i < lmdb->pooled; i++) {
        mdb_txn_abort(lmdb->pool[i]);
    }
    if (lmdb->env != NULL) {
        mdb_env_close(lmdb->env);
    }
    process_lock_close(&lmdb->lock);
    pthread_mutex_destroy(&lmdb->slots);
    pthread_mutex_destroy(&lmdb->gate);
    pthread_cond_destroy(&lmdb->opened);
    pthread_cond_destroy(&lmdb->left);
    free(lmdb->directory);
    free(lmdb);
}

static struct lmdb *make(const struct engine_settings *settings)
{
    struct lmdb *lmdb = calloc(1, sizeof(*lmdb));
    size_t size = strlen(settings->place) + 1;

    if (lmdb == NULL) {
        return NULL;
    }
    lmdb->directory = malloc(size);
    if (lmdb->directory == NULL) {
        free(lmdb);
        return NULL;
    }
    memcpy(lmdb->directory, settings->place, size);
    lmdb->engine.kind = &engine_lmdb;
    lmdb->map_limit = settings->map_limit != 0 && settings->map_limit < MAP_SIZE_LEAST
                          ? MAP_SIZE_LEAST
                          : settings->map_limit;
    atomic_init(&lmdb->broken, false);
    atomic_init(&lmdb->commits, 0);
    lmdb->lock.file = -1;
    pthread_mutex_init(&lmdb->slots, NULL);
    pthread_mutex_init(&lmdb->gate, NULL);
    pthread_cond_init(&lmdb->opened, NULL);
    pthread_cond_init(&lmdb->left, NULL);
    return lmdb;
}

static struct engine *lmdb_open(const struct engine_settings *settings, struct fault *fault)
{
    bool create = settings->create && !settings->read_only;
    struct lmdb *lmdb;
    int directory;
    bool exists;

    if (settings->place[0] == '\0') {
        fault_set(fault, "store \"lmdb:\" names no directory; right would be lmdb:DIRECTORY");
        return NULL;
    }
    directory = open_directory(settings->place, create, fault);
    if (directory < 0) {
        return NULL;
    }
    exists = holds_data(directory);
    lmdb = exists || create ? make(settings) : NULL;
    if (!exists && !create) {
        fault_set(fault, "there is no store in %s; `retoken init` makes one", settings->place);
    } else if (lmdb == NULL) {
        fault_set(fault, "out of memory while opening store %s", settings->place);
    } else if (!process_lock_open(&lmdb->lock, directory) && !settings->read_only) {
        fault_of(lmdb, "process.lock", errno, fault);
        lmdb_close(&lmdb->engine);
        lmdb = NULL;
    } else if (open_with_patience(lmdb, settings, exists, fault) != ENGINE_OK) {
        lmdb_close(&lmdb->engine);
        lmdb = NULL;
    }
    close(directory);
    return lmdb != NULL ? &lmdb->engine : NULL;
}

/* ---- copy ---- */

static int copy_into(struct lmdb *lmdb, int file)
{
    int code = MDB_MAP_RESIZED;

    for (int tries = 0; tries < ADOPT_TRIES && code == MDB_MAP_RESIZED; tries++) {
        if (tries > 0 && adopt(lmdb, NULL) != ENGINE_OK) {
            return MDB_PANIC;
        }
        enter(lmdb, false);
        code = mdb_env_copyfd2(lmdb->env, file, 0);
        leave(lmdb, NULL);
    }
    return code;
}

/* Under another name until it is whole and on the disk: a copy that was interrupted must not look
 * like a store. */
static enum engine_result copy_to(struct lmdb *lmdb, int directory, const char *path,
                                  struct fault *fault)
{
    static const char part[] = "data.mdb.part";
    int file, code;

    if (holds_data(directory)) {
        fault_set(fault, "%s holds a store already; name a fresh directory", path);
        return ENGINE_FAULT;
    }
    unlinkat(directory, part, 0);
    file = openat(directory, part, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (file < 0) {
        fault_set(fault, "backup to %s: %s", path, strerror(errno));
        return ENGINE_FAULT;
    }
    code = copy_into(lmdb, file);
    if (code == 0 && fsync(file) != 0) {
        code = errno;
    }
    close(file);
    if (code == 0 &&
        (renameat(directory, part, directory, "data.mdb") != 0 || fsync(directory) != 0)) {
        code = errno;
    }
    if (code != 0) {
        unlinkat(directory, part, 0);
        fault_set(fault, "backup to %s: %s", path, mdb_strerror(code));
        return ENGINE_FAULT;
    }
    return ENGINE_OK;
}

static enum engine_result lmdb_copy(struct engine *engine, const char *path, struct fault *fault)
{
    int directory = open_directory(path, true, fault);
    enum engine_result result;

    if (directory < 0) {
        return ENGINE_FAULT;
    }
    result = copy_to(lmdb_of(engine), directory, path, fault);
    close(directory);
    return result;
}

static bool lmdb_is_broken(const struct engine *engine)
{
    return atomic_load(&lmdb_of(engine)->broken);
}

const struct engine_kind engine_lmdb = {
    .scheme = "lmdb",
    .open = lmdb_open,
    .close = lmdb_close,
    .read_begin = lmdb_read_begin,
    .read_end = lmdb_read_end,
    .write_begin = lmdb_write_begin,
    .commit = lmdb_commit,
    .abort = lmdb_abort,
    .get = lmdb_get,
    .seek = lmdb_seek,
    .put = lmdb_put,
    .remove = lmdb_remove,
    .stat = lmdb_stat,
    .nearly_full = lmdb_nearly_full,
    .grow = lmdb_grow,
    .tidy = lmdb_tidy,
    .copy = lmdb_copy,
    .is_broken = lmdb_is_broken,
};
