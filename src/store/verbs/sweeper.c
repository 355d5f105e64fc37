/* SPDX-License-Identifier: ISC */
/* sweeper.c: see sweeper.h. */
#include "store/verbs/sweeper.h"

#include <inttypes.h>

#include "store/verbs/sweep_time.h"
#include "store/verbs/verbs.h"

enum { SWEEP_ENTRIES = 4, SWEEP_ALIASES = 32 };

static int64_t tell_time(struct sweeper *sweeper, struct rows *rows, int64_t now_ms);

void sweeper_begin(struct sweeper *sweeper)
{
    sweeper->told = sweeper->time;
    sweeper->doubted = sweeper->believed = false;
}

int64_t sweeper_behind_ms(struct sweeper *sweeper, struct rows *rows,
                          const struct clock_moment *begun)
{
    struct record_time time;

    if (rows->clock == NULL) {
        return 0;
    } else if (sweeper->time.trusted_ms == 0) { /* the first of this process */
        rows_time_get(rows, &sweeper->time);
        sweeper->told = sweeper->time;
        rows->failed = false; /* then nothing is swept */
    }
    time = sweep_time_at(&sweeper->time, begun);
    return sweep_time_behind_ms(&time, begun->wall_ms);
}

bool sweeper_run(struct sweeper *sweeper, struct rows *rows, const struct sweep *sweep,
                 int64_t now_ms)
{
    struct sweep_budget budget = {SWEEP_ENTRIES, SWEEP_ENTRIES, SWEEP_ALIASES};
    size_t removed = 0;
    bool more;

    rows->fault = NULL;
    now_ms = tell_time(sweeper, rows, now_ms);
    sweep_run(rows, sweep, now_ms, &budget, &removed, &more);
    return !rows->failed;
}

/* The time up to which what is due may be removed. Now and then it is stored, so that it goes on
 * from there in every process. */
static int64_t tell_time(struct sweeper *sweeper, struct rows *rows, int64_t now_ms)
{
    struct clock_moment now = rows_moment(rows, now_ms);
    struct record_time time = sweep_time_at(&sweeper->time, &now);
    struct record_time stored;

    if (sweep_time_worth_storing(&sweeper->time, &time)) {
        rows_time_get(rows, &stored);
        time = sweep_time_at(&stored, &now); /* another process may have told it meanwhile */
        sweeper->told = stored;
        if (sweep_time_worth_storing(&stored, &time)) {
            rows_time_put(rows, &time);
            keys_settle(rows, time.trusted_ms);
            sweeper->told = time;
        }
        sweeper->doubted = time.ahead && !sweeper->time.ahead;
        sweeper->believed = sweeper->time.ahead && !time.ahead;
    }
    return sweep_time_limit_ms(&time, now_ms);
}

void sweeper_committed(struct sweeper *sweeper, struct fault *notice)
{
    const struct record_time *time = &sweeper->told;

    sweeper->time = *time;
    if (sweeper->doubted) {
        fault_set(notice,
                  "the clock is %" PRId64
                  " days ahead of the time that has passed: until it is set "
                  "right, ended sessions stay in the store; if it is right, `retoken store prune`",
                  (time->wall_ms - time->trusted_ms + CLOCK_DAY / 2) / CLOCK_DAY);
    } else if (sweeper->believed) {
        fault_set(notice, "the clock agrees with the time that has passed again");
    }
}
