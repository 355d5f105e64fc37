/* SPDX-License-Identifier: ISC */
/* env_copy.c: a consistent copy of the environment in another directory. Knows files; does not know
 * what is copied. */
#include <stdio.h>
#include <unistd.h>

#include "base/whole_file.h"
#include "store/lmdb/env_directory.h"
#include "store/lmdb/env_private.h"

static int copy_into(struct env *env, int file)
{
    int code = MDB_MAP_RESIZED;

    for (int tries = 0; tries < ENV_ADOPT_TRIES && code == MDB_MAP_RESIZED; tries++) {
        if (tries > 0 && env_adopt(env, NULL) != TXN_OK) {
            return MDB_PANIC;
        }
        env_enter(env, false);
        code = mdb_env_copyfd2(env->mdb, file, 0);
        env_leave(env, NULL);
    }
    return code;
}

/* A copy that was interrupted must not look like a store. */
static enum txn_result copy_to(struct env *env, int directory, const char *path,
                               struct fault *fault)
{
    char data[WHOLE_FILE_PATH_MAX];
    struct whole_file whole;
    enum whole_file_result result;
    int code;

    if (env_directory_holds_data(directory)) {
        fault_set(fault, "%s holds a store already; name a fresh directory", path);
        return TXN_FAULT;
    }
    snprintf(data, sizeof data, "%s/data.mdb", path);
    if (!whole_file_open(&whole, data, 0600, fault)) {
        return TXN_FAULT;
    }
    code = copy_into(env, whole.file);
    if (code != 0) {
        whole_file_drop(&whole);
        fault_set(fault, "backup to %s: %s", path, mdb_strerror(code));
        return TXN_FAULT;
    }
    result = whole_file_finish(&whole, true, fault); /* over one of no bytes, which is no store */
    return result == WHOLE_FILE_DONE ? TXN_OK : TXN_FAULT;
}

enum txn_result env_copy(struct env *env, const char *path, struct fault *fault)
{
    int directory = env_directory_open(path, true, fault);
    enum txn_result result;

    if (directory < 0) {
        return TXN_FAULT;
    }
    result = copy_to(env, directory, path, fault);
    close(directory);
    return result;
}
