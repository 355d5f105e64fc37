/* SPDX-License-Identifier: ISC */
/* clock.h: the time, handed in so that a test can set it. In the whole tree a time is milliseconds
 * since 1970 UTC in an int64_t named ..._ms, unless its name says otherwise; so is a duration. */
#ifndef RETOKEN_BASE_CLOCK_H
#define RETOKEN_BASE_CLOCK_H

#include <stdint.h>

/* A point in time by two clocks: the wall clock, which can be wrong and can jump, and the time
 * since boot, which cannot, but means nothing to another boot. */
struct clock_moment {
    int64_t wall_ms;
    int64_t boot_ms; /* CLOCK_BOOTTIME; holds where boot is not 0 */
    uint64_t boot;   /* which boot of which machine; 0 = not known */
};

struct clock {
    int64_t (*now_ms)(void *self);
    void *self;
    /* boot_ms and boot of a moment; NULL = not known. */
    void (*boot)(void *self, struct clock_moment *moment);
};

struct clock clock_system(void);
int64_t clock_now_ms(const struct clock *clock);
struct clock_moment clock_moment(const struct clock *clock);

/* Microseconds on a clock that is never set and never handed in: for how long something takes, not
 * for when it happens. */
int64_t clock_stopwatch_us(void);

enum {
    CLOCK_SECOND = 1000,
    CLOCK_MINUTE = 60 * CLOCK_SECOND,
    CLOCK_HOUR = 60 * CLOCK_MINUTE,
    CLOCK_DAY = 24 * CLOCK_HOUR
};

#endif
