/* clock.c: the system's clock behind the interface. Knows milliseconds since 1970; does not know
 * what anybody does with them. */
#include <time.h>

#include "base/clock.h"

static int64_t system_now_ms(void *self)
{
    struct timespec now = {0, 0};

    (void)self;
    timespec_get(&now, TIME_UTC);
    return (int64_t)now.tv_sec * CLOCK_SECOND + now.tv_nsec / 1000000;
}

struct clock clock_system(void)
{
    return (struct clock){system_now_ms, NULL};
}

int64_t clock_now_ms(const struct clock *clock)
{
    return clock->now_ms(clock->self);
}

int64_t clock_stopwatch_us(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}
