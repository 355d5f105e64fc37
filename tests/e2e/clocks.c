/* SPDX-License-Identifier: ISC */
/* clocks.c: loaded into a program (LD_PRELOAD), gives it clocks that a test sets, and a disk that
 * stalls until the test says otherwise. Knows files in the folder $CLOCKS:
 *
 *   shift      "WALL BOOT": milliseconds ahead of the real wall clock and of the real time since
 * boot stall      "N": the next N calls of fdatasync wait, all programs counted together; the n-th
 *   stalled.n  is made when it waits, and it waits until
 *   go.n       is there */
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

static bool path_of(char path[4096], const char *name)
{
    const char *folder = getenv("CLOCKS");

    return folder != NULL && snprintf(path, 4096, "%s/%s", folder, name) < 4096;
}

static void read_numbers(const char *name, long long numbers[2])
{
    char path[4096], text[64];
    int file = path_of(path, name) ? open(path, O_RDONLY | O_CLOEXEC) : -1;
    ssize_t size = file >= 0 ? read(file, text, sizeof text - 1) : 0;

    numbers[0] = numbers[1] = 0;
    text[size > 0 ? size : 0] = '\0';
    sscanf(text, "%lld %lld", &numbers[0], &numbers[1]);
    if (file >= 0) {
        close(file);
    }
}

/* ---- clocks ---- */

int clock_gettime(clockid_t clock, struct timespec *now)
{
    int result = (int)syscall(SYS_clock_gettime, clock, now);
    long long shift[2], ms;

    if (result == 0 && (clock == CLOCK_REALTIME || clock == CLOCK_BOOTTIME)) {
        read_numbers("shift", shift);
        ms = now->tv_sec * 1000LL + now->tv_nsec / 1000000 + shift[clock == CLOCK_BOOTTIME];
        now->tv_sec = ms / 1000;
        now->tv_nsec = ms % 1000 * 1000000 + now->tv_nsec % 1000000;
    }
    return result;
}

int timespec_get(struct timespec *now, int base)
{
    return base == TIME_UTC && clock_gettime(CLOCK_REALTIME, now) == 0 ? base : 0;
}

time_t time(time_t *out)
{
    struct timespec now;

    clock_gettime(CLOCK_REALTIME, &now);
    if (out != NULL) {
        *out = now.tv_sec;
    }
    return now.tv_sec;
}

/* ---- the disk ---- */

/* Which of the stalls this call is; 0: none. */
static int take_stall(void)
{
    long long most[2];
    char path[4096], name[32];

    read_numbers("stall", most);
    for (int n = 1; n <= most[0]; n++) {
        int file;

        snprintf(name, sizeof name, "stalled.%d", n);
        file = path_of(path, name) ? open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600) : -1;
        if (file >= 0) {
            close(file);
            return n;
        }
    }
    return 0;
}

int fdatasync(int file)
{
    const struct timespec moment = {.tv_nsec = 2000000};
    int stall = take_stall();
    char path[4096], name[32];

    snprintf(name, sizeof name, "go.%d", stall);
    while (stall != 0 && path_of(path, name) && access(path, F_OK) != 0) {
        nanosleep(&moment, NULL);
    }
    return (int)syscall(SYS_fdatasync, file);
}
