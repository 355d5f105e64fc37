/* SPDX-License-Identifier: ISC */
/* slow_disk.c: preloaded into a responder: a disk whose sync takes $SLOW_DISK_MS longer. */
#include <dlfcn.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

int fdatasync(int file)
{
    int (*next)(int) = (int (*)(int))dlsym(RTLD_NEXT, "fdatasync");
    const char *ms = getenv("SLOW_DISK_MS");
    struct timespec pause = {.tv_nsec = ms != NULL ? atol(ms) * 1000000L : 0};

    nanosleep(&pause, NULL);
    return next(file);
}
