/* SPDX-License-Identifier: ISC */
/* sweep_time.c: see sweep_time.h. */
#include "store/verbs/sweep_time.h"

enum { MOST_AHEAD_MS = CLOCK_DAY, CATCH_UP_MS = CLOCK_DAY, STEP_MOST_MS = CLOCK_DAY };

static int64_t passed_ms(const struct record_time *stored, const struct clock_moment *now);
static int64_t lesser(int64_t a, int64_t b);
static int64_t greater(int64_t a, int64_t b);

struct record_time sweep_time_at(const struct record_time *stored, const struct clock_moment *now)
{
    struct record_time time = *stored;
    int64_t wall_ms = greater(now->wall_ms, 0);
    int64_t passed = passed_ms(stored, now);
    int64_t more;

    if (stored->trusted_ms == 0) {
        return sweep_time_set(now);
    } else if (stored->boot != 0 && now->boot != 0 && stored->boot != now->boot) {
        time.catch_up_ms = greater(wall_ms - time.trusted_ms, CATCH_UP_MS);
    }
    more = lesser(lesser(passed, time.catch_up_ms), wall_ms - time.trusted_ms - passed);
    more = now->boot != 0 ? greater(more, 0) : 0;
    time.catch_up_ms -= more;
    time.trusted_ms = lesser(time.trusted_ms + passed + more, RECORD_TIME_MAX);
    time.wall_ms = lesser(wall_ms, RECORD_TIME_MAX);
    time.boot = now->boot;
    time.boot_ms = now->boot != 0 ? greater(now->boot_ms, 0) : 0;
    time.ahead = sweep_time_ahead_ms(&time, wall_ms) > 0;
    return time;
}

/* Since the stored time, as far as it can be told. */
static int64_t passed_ms(const struct record_time *stored, const struct clock_moment *now)
{
    if (stored->boot == 0 || now->boot == 0) {
        return greater(lesser(now->wall_ms - stored->wall_ms, STEP_MOST_MS), 0);
    }
    return stored->boot == now->boot ? greater(now->boot_ms - stored->boot_ms, 0) : 0;
}

struct record_time sweep_time_set(const struct clock_moment *now)
{
    int64_t wall_ms = lesser(greater(now->wall_ms, 1), RECORD_TIME_MAX);

    return (struct record_time){.trusted_ms = wall_ms,
                                .wall_ms = wall_ms,
                                .boot = now->boot,
                                .boot_ms = now->boot != 0 ? greater(now->boot_ms, 0) : 0,
                                .catch_up_ms = CATCH_UP_MS};
}

int64_t sweep_time_limit_ms(const struct record_time *time, int64_t wall_ms)
{
    return lesser(wall_ms, time->trusted_ms + MOST_AHEAD_MS);
}

int64_t sweep_time_ahead_ms(const struct record_time *time, int64_t wall_ms)
{
    int64_t ahead = wall_ms - time->trusted_ms;

    return ahead > MOST_AHEAD_MS ? ahead : 0;
}

int64_t sweep_time_behind_ms(const struct record_time *time, int64_t wall_ms)
{
    int64_t behind = time->trusted_ms - wall_ms;

    return behind > CLOCK_MINUTE ? behind : 0;
}

bool sweep_time_worth_storing(const struct record_time *stored, const struct record_time *now)
{
    return stored->trusted_ms == 0 || stored->boot != now->boot || stored->ahead != now->ahead ||
           now->trusted_ms - stored->trusted_ms >= CLOCK_MINUTE;
}

static int64_t lesser(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

static int64_t greater(int64_t a, int64_t b)
{
    return a > b ? a : b;
}
