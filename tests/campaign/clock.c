/* SPDX-License-Identifier: ISC */
/* clock.c: to be preloaded. Adds to the wall clock as many seconds as the file CLOCK_SHIFT holds at
 * the moment (eight bytes, the machine's own order), in every process at once. The clocks that
 * cannot jump are left alone. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#define REAL(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))

static time_t shift(void)
{
    static _Atomic(int64_t) *volatile seconds;

    if (seconds == NULL) {
        const char *path = getenv("CLOCK_SHIFT");
        int file = path == NULL ? -1 : open(path, O_RDONLY | O_CLOEXEC);
        void *map = mmap(NULL, sizeof(int64_t), PROT_READ, MAP_SHARED, file, 0);

        if (map == MAP_FAILED) {
            abort(); /* a clock that is right proves nothing */
        }
        close(file);
        seconds = map;
    }
    return (time_t)*seconds;
}

int clock_gettime(clockid_t clock, struct timespec *now)
{
    int result = REAL(clock_gettime)(clock, now);

    if (result == 0 && (clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE)) {
        now->tv_sec += shift();
    }
    return result;
}

int timespec_get(struct timespec *now, int base)
{
    int result = REAL(timespec_get)(now, base);

    if (result == TIME_UTC) {
        now->tv_sec += shift();
    }
    return result;
}

int gettimeofday(struct timeval *restrict now, void *restrict zone)
{
    int result = REAL(gettimeofday)(now, zone);

    now->tv_sec += shift();
    return result;
}

time_t time(time_t *where)
{
    time_t now = REAL(time)(NULL) + shift();

    if (where != NULL) {
        *where = now;
    }
    return now;
}
