/* SPDX-License-Identifier: ISC */
/* env_map.c: puts a mapping of a descriptor that can only read in the place of LMDB's own. LMDB
 * maps the file by the descriptor that it writes with, and before a page goes to the disk the
 * kernel looks at it in every process with such a mapping, because it could be made writable: with
 * a hundred processes that was a tenth of all their time. Knows where LMDB keeps a page's number;
 * does not know transactions. */
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/whole_file.h"
#include "store/lmdb/env_private.h"

/* Of each page (struct MDB_page); of the first and the second (struct MDB_meta). */
enum { PAGE_NUMBER = 0, PAGE_HEADER = 16 };
static const uint32_t meta_magic = 0xBEEFC0DE;

static int open_same_file(const struct env *env);
static char *find_map(const struct env *env, size_t page_size);
static bool is_map(char *map, size_t page_size);

int env_map_for_reading(struct env *env)
{
    size_t page_size = (size_t)sysconf(_SC_PAGESIZE);
    unsigned flags = MDB_RDONLY; /* then LMDB's own is such a one */
    MDB_envinfo info;
    char *map = mdb_env_get_flags(env->mdb, &flags) == 0 && (flags & MDB_RDONLY) == 0
                    ? find_map(env, page_size)
                    : NULL;
    int file = map != NULL && mdb_env_info(env->mdb, &info) == 0 ? open_same_file(env) : -1;
    int code = 0;

    if (file >= 0) {
        void *mapped = mmap(map, info.me_mapsize, PROT_READ, MAP_SHARED | MAP_FIXED, file, 0);

        code = mapped == MAP_FAILED ? errno : 0;
        close(file);
    }
    return code;
}

/* -1: it cannot be opened, or is another one by now. LMDB's locks are on lock.mdb, so that closing
 * this descriptor drops none. */
static int open_same_file(const struct env *env)
{
    char path[WHOLE_FILE_PATH_MAX];
    struct stat theirs, ours;
    mdb_filehandle_t writing;
    int length = snprintf(path, sizeof path, "%s/data.mdb", env->directory);
    int file = length > 0 && (size_t)length < sizeof path
                   ? open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW)
                   : -1;

    if (file >= 0 &&
        (mdb_env_get_fd(env->mdb, &writing) != 0 || fstat(writing, &theirs) != 0 ||
         fstat(file, &ours) != 0 || theirs.st_dev != ours.st_dev || theirs.st_ino != ours.st_ino)) {
        close(file);
        file = -1;
    }
    return file;
}

/* From a key in it: LMDB does not tell. NULL: not found. */
static char *find_map(const struct env *env, size_t page_size)
{
    char *map = NULL;
    MDB_cursor *cursor;
    MDB_stat about;
    MDB_val key, value;
    MDB_txn *txn;

    if (mdb_env_stat(env->mdb, &about) != 0 || about.ms_psize != page_size ||
        mdb_txn_begin(env->mdb, NULL, MDB_RDONLY, &txn) != 0) {
        return NULL;
    }
    if (mdb_cursor_open(txn, ENV_MAIN_TABLE, &cursor) == 0) {
        if (mdb_cursor_get(cursor, &key, &value, MDB_FIRST) == 0) {
            char *page = (char *)((uintptr_t)key.mv_data & ~(uintptr_t)(page_size - 1));
            uint64_t number;

            memcpy(&number, page + PAGE_NUMBER, sizeof number);
            map = (char *)((uintptr_t)page - (uintptr_t)number * page_size);
        }
        mdb_cursor_close(cursor);
    }
    mdb_txn_abort(txn);
    return map != NULL && is_map(map, page_size) ? map : NULL;
}

/* Its first two pages say what they are. */
static bool is_map(char *map, size_t page_size)
{
    unsigned char resident[2];

    if (mincore(map, 2 * page_size, resident) != 0) {
        return false;
    }
    for (uint64_t page = 0; page < 2; page++) {
        const char *at = map + page * page_size;

        if (memcmp(at + PAGE_NUMBER, &page, sizeof page) != 0 ||
            memcmp(at + PAGE_HEADER, &meta_magic, sizeof meta_magic) != 0) {
            return false;
        }
    }
    return true;
}
