/* SPDX-License-Identifier: ISC */
/* program.c: see program.h. The kernel tells the file. */
#include "process/program.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define OWN_PATH "/proc/self/exe"

bool program_beside(const char *name, char path[PATH_MAX])
{
    ssize_t size = readlink(OWN_PATH, path, PATH_MAX - 1);
    char *slash = size > 0 ? memrchr(path, '/', (size_t)size) : NULL;

    if (slash == NULL) {
        return false;
    }
    size_t room = PATH_MAX - (size_t)(slash + 1 - path);
    return (size_t)snprintf(slash + 1, room, "%s", name) < room && access(path, F_OK) == 0;
}

bool program_is(const char *path)
{
    struct stat own, there;

    return stat(OWN_PATH, &own) == 0 && stat(path, &there) == 0 && own.st_dev == there.st_dev &&
           own.st_ino == there.st_ino;
}
