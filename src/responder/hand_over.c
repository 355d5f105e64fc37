/* SPDX-License-Identifier: ISC */
/* hand_over.c: see hand_over.h. */
#include "responder/hand_over.h"

#include <limits.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define OWN_PATH "/proc/self/exe"

static const char other[] = "retoken.fcgi";

/* The package of static programs has one file under both names: it would become itself for ever. */
void hand_over(void)
{
    char path[PATH_MAX + sizeof other];
    struct stat own, there;
    ssize_t size = readlink(OWN_PATH, path, PATH_MAX);
    char *slash = size > 0 && size < PATH_MAX ? memrchr(path, '/', (size_t)size) : NULL;

    if (slash == NULL) {
        return;
    }
    memcpy(slash + 1, other, sizeof other);
    if (stat(OWN_PATH, &own) == 0 && stat(path, &there) == 0 &&
        (own.st_dev != there.st_dev || own.st_ino != there.st_ino)) {
        execl(path, other, (char *)NULL);
    }
}
