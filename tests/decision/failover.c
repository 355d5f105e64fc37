/* SPDX-License-Identifier: ISC */
/* failover.c: see failover.h. A record that is not yet on the standby is seen by no one until it
 * is, so a write that waits in vain has never happened. */
#include "decision/failover.h"

#include "decision/chance.h"

static void look_at(struct failover *failover, int64_t number);
static void take_over(struct failover *failover, struct session *session);
static bool lags(const struct failover *failover, int64_t now_ms);
static bool is_down(const struct failover *failover, int64_t now_ms);
static bool is_rotation(enum outcome outcome);

void failover_begin(struct failover *failover, const struct failovers *plan, uint64_t seed)
{
    *failover = (struct failover){.plan = plan, .seed = seed, .at_ms = INT64_MAX};
    if (plan->every_ms > 0) {
        look_at(failover, 0);
    }
}

static void look_at(struct failover *failover, int64_t number)
{
    const struct failovers *plan = failover->plan;
    struct chance chance = chance_of(failover->seed, ~(uint64_t)number);
    int64_t room_ms = plan->every_ms - plan->lag_ms - plan->down_ms;

    failover->number = number;
    failover->at_ms = number * plan->every_ms + plan->lag_ms + chance_below_ms(&chance, room_ms);
}

void failover_expect(struct failover *failover, int64_t at_ms, const struct session *standby)
{
    failover->at_ms = at_ms;
    failover->standby = *standby;
    failover->holds = true;
}

void failover_arrive(struct failover *failover, struct session *session, int64_t now_ms)
{
    const struct failovers *plan = failover->plan;

    if (failover->holds && now_ms >= failover->at_ms) {
        take_over(failover, session);
    }
    if (plan->every_ms > 0 && now_ms / plan->every_ms > failover->number) {
        look_at(failover, now_ms / plan->every_ms);
    }
    if (lags(failover, now_ms) && !failover->holds) {
        failover->standby = *session;
        failover->holds = true;
    }
}

static void take_over(struct failover *failover, struct session *session)
{
    failover->forgotten += session->generation - failover->standby.generation;
    *session = failover->standby;
    failover->holds = false;
}

bool failover_answers(struct failover *failover, enum outcome outcome, int64_t now_ms)
{
    bool waits =
        (is_rotation(outcome) && !failover->plan->local) || outcome == OUTCOME_TOKEN_REUSED;
    bool answers = !is_down(failover, now_ms) && !(waits && lags(failover, now_ms));

    failover->unanswered += !answers;
    return answers;
}

void failover_note_login(struct failover *failover, const struct session *session)
{
    failover->standby = *session;
}

static bool lags(const struct failover *failover, int64_t now_ms)
{
    return now_ms < failover->at_ms && failover->at_ms - now_ms <= failover->plan->lag_ms;
}

static bool is_down(const struct failover *failover, int64_t now_ms)
{
    return now_ms >= failover->at_ms && now_ms - failover->at_ms < failover->plan->down_ms;
}

static bool is_rotation(enum outcome outcome)
{
    return outcome == OUTCOME_ROTATED || outcome == OUTCOME_ROLLED_FORWARD;
}
