/* clock.h: the time, handed in so that a test can set it.
 * Everywhere in the tree a time is milliseconds since 1970 UTC in an int64_t (`..._ms`), unless its
 * name says otherwise; durations likewise. */
#ifndef RETOKEN_BASE_CLOCK_H
#define RETOKEN_BASE_CLOCK_H

#include <stdint.h>

struct clock {
    int64_t (*now_ms)(void *self);
    void *self;
};

struct clock clock_system(void);
int64_t clock_now_ms(const struct clock *clock);

/* Microseconds on a clock that nobody sets and no test hands in: for how long something takes,
 * never for when it was. */
int64_t clock_stopwatch_us(void);

enum {
    CLOCK_SECOND = 1000,
    CLOCK_MINUTE = 60 * CLOCK_SECOND,
    CLOCK_HOUR = 60 * CLOCK_MINUTE,
    CLOCK_DAY = 24 * CLOCK_HOUR
};

#endif
