/* SPDX-License-Identifier: ISC */
/* clock.c: the system's clocks behind the interface. Knows milliseconds since 1970 and since boot;
 * does not know what they are used for. */
#include "base/clock.h"

#include <fcntl.h>
#include <pthread.h>
#include <time.h>
#include <unistd.h>

static int64_t system_now_ms(void *self);
static void system_boot(void *self, struct clock_moment *moment);
static void read_boot_id(void);

struct clock clock_system(void)
{
    return (struct clock){.now_ms = system_now_ms, .boot = system_boot};
}

int64_t clock_now_ms(const struct clock *clock)
{
    return clock->now_ms(clock->self);
}

struct clock_moment clock_moment(const struct clock *clock)
{
    struct clock_moment moment = {.wall_ms = clock_now_ms(clock)};

    if (clock->boot != NULL) {
        clock->boot(clock->self, &moment);
    }
    return moment;
}

int64_t clock_stopwatch_us(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

/* ---- the system's clocks ---- */

static uint64_t boot_id;
static pthread_once_t boot_id_read = PTHREAD_ONCE_INIT;

static int64_t system_now_ms(void *self)
{
    struct timespec now = {0, 0};

    (void)self;
    timespec_get(&now, TIME_UTC);
    return (int64_t)now.tv_sec * CLOCK_SECOND + now.tv_nsec / 1000000;
}

static void system_boot(void *self, struct clock_moment *moment)
{
    struct timespec since_boot;

    (void)self;
    pthread_once(&boot_id_read, read_boot_id);
    if (boot_id != 0 && clock_gettime(CLOCK_BOOTTIME, &since_boot) == 0) {
        moment->boot = boot_id;
        moment->boot_ms = (int64_t)since_boot.tv_sec * CLOCK_SECOND + since_boot.tv_nsec / 1000000;
    }
}

/* The first 16 hexadecimal digits of the kernel's random boot id (random(4)). 0 where /proc does
 * not show it: then only the wall clock counts. */
static void read_boot_id(void)
{
    char text[64];
    int file = open("/proc/sys/kernel/random/boot_id", O_RDONLY | O_CLOEXEC);
    ssize_t size = file >= 0 ? read(file, text, sizeof text) : 0;
    uint64_t id = 0;
    int digits = 0;

    for (ssize_t i = 0; i < size && digits < 16; i++) {
        char c = text[i];
        int value = c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;

        if (value >= 0) {
            id = id << 4 | (uint64_t)value;
            digits++;
        }
    }
    if (file >= 0) {
        close(file);
    }
    boot_id = digits == 16 ? id : 0;
}
