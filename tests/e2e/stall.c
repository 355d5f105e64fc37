/* SPDX-License-Identifier: ISC */
/* stall.c: preloaded into a responder: its next commit stops in the middle, between the data and
 * the meta page. Where the file $STALL_PROCESS can be removed, the whole process is stopped as by
 * SIGSTOP; where $STALL_THREAD can be, one thread hangs, as at a disk that does not answer, for as
 * long as the file $STALL_WHILE is there. Each file stalls one commit of one process. */
#include <dlfcn.h>
#include <signal.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

static int takes(const char *name)
{
    const char *path = getenv(name);

    return path != NULL && unlink(path) == 0;
}

static void hang(void)
{
    const char *path = getenv("STALL_WHILE");
    struct timespec pause = {0, 1000000};

    while (path != NULL && access(path, F_OK) == 0) {
        nanosleep(&pause, NULL);
    }
}

int fdatasync(int file)
{
    int (*next)(int) = (int (*)(int))dlsym(RTLD_NEXT, "fdatasync");

    if (takes("STALL_PROCESS")) {
        raise(SIGSTOP);
    } else if (takes("STALL_THREAD")) {
        hang();
    }
    return next(file);
}
