/* SPDX-License-Identifier: ISC */
/* env_copy.c: a consistent copy of the environment in another directory. Knows files; does not know
 * what is copied. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "store/lmdb/env_directory.h"
#include "store/lmdb/env_private.h"

static int copy_into(struct env *env, int file)
{
    int code = MDB_MAP_RESIZED;

    for (int tries = 0; tries < ENV_ADOPT_TRIES && code == MDB_MAP_RESIZED; tries++) {
        if (tries > 0 && env_adopt(env, NULL) != ENV_OK) {
            return MDB_PANIC;
        }
        env_enter(env, false);
        code = mdb_env_copyfd2(env->mdb, file, 0);
        env_leave(env, NULL);
    }
    return code;
}

/* Under another name until it is whole and on the disk: a copy that was interrupted must not look
 * like a store. */
static enum env_result copy_to(struct env *env, int directory, const char *path,
                               struct fault *fault)
{
    static const char part[] = "data.mdb.part";
    int file, code;

    if (env_directory_holds_data(directory)) {
        fault_set(fault, "%s holds a store already; name a fresh directory", path);
        return ENV_FAULT;
    }
    unlinkat(directory, part, 0);
    file = openat(directory, part, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (file < 0) {
        fault_set(fault, "backup to %s: %s", path, strerror(errno));
        return ENV_FAULT;
    }
    code = copy_into(env, file);
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
        return ENV_FAULT;
    }
    return ENV_OK;
}

enum env_result env_copy(struct env *env, const char *path, struct fault *fault)
{
    int directory = env_directory_open(path, true, fault);
    enum env_result result;

    if (directory < 0) {
        return ENV_FAULT;
    }
    result = copy_to(env, directory, path, fault);
    close(directory);
    return result;
}
