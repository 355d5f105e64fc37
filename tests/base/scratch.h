/* SPDX-License-Identifier: ISC */
/* scratch.h: a directory of a test's own, in memory where the machine has a place for that ($TMPDIR
 * overrides it). Removed with all that is in it. */
#ifndef RETOKEN_TESTS_BASE_SCRATCH_H
#define RETOKEN_TESTS_BASE_SCRATCH_H

#include <ftw.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { SCRATCH_PATH_MAX = 96 };

static inline bool scratch_make(char path[SCRATCH_PATH_MAX])
{
    const char *parent = getenv("TMPDIR");

    if (parent == NULL) {
        parent = access("/dev/shm", W_OK | X_OK) == 0 ? "/dev/shm" : "/tmp";
    }
    snprintf(path, SCRATCH_PATH_MAX, "%.70s/retoken-XXXXXX", parent);
    return mkdtemp(path) != NULL;
}

static inline int scratch_remove_one(const char *path, const struct stat *about, int kind,
                                     struct FTW *at)
{
    (void)about;
    (void)kind;
    (void)at;
    return remove(path);
}

static inline void scratch_remove(const char *path)
{
    nftw(path, scratch_remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

#endif
