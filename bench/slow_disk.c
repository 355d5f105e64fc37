/* SPDX-License-Identifier: ISC */
/* slow_disk.c: preloaded into a responder, or linked into a static one, which loads nothing: a disk
 * whose sync takes $SLOW_DISK_MS longer. */
#include <stdlib.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

enum { SLOW_MS = 5 }; /* as of bench/run: a CGI script is not given the variable */

int fdatasync(int file)
{
    const char *ms = getenv("SLOW_DISK_MS");
    struct timespec pause = {.tv_nsec = (ms != NULL ? atol(ms) : SLOW_MS) * 1000000L};

    nanosleep(&pause, NULL);
    return (int)syscall(SYS_fdatasync, file);
}
