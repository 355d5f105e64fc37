/* SPDX-License-Identifier: ISC */
/* decision.c: the decision table of design.md section 4; see decision.h. Knows which generation may
 * do what, and when; does not know how a decision is carried out. tests/decision/ compares it, over
 * a grid of all that it depends on, with the same rules written a second time. */
#include "operation/decision.h"

/* How long ago something was, by the clocks that can tell. */
struct age {
    bool by_wall;
    int64_t wall_ms;
    bool by_boot;
    int64_t boot_ms;
};

static bool may_refresh(const struct policy *policy, const struct session_view *view);
static enum outcome decide_spent(const struct policy *policy, const struct session *session,
                                 uint32_t back, enum decision_evidence proved,
                                 const struct clock_moment *now);
static enum outcome decide_undated(const struct policy *policy, const struct session *session,
                                   uint32_t back, const struct clock_moment *now);
static struct age age_of(const struct policy *policy, const struct session *session, uint32_t index,
                         const struct clock_moment *now);
static bool is_within(struct age age, int64_t window_ms);
static int64_t idle_grain_ms(const struct policy *policy);
static int64_t absolute_end_ms(const struct policy *policy, int64_t created_ms);
static int64_t earlier_ms(int64_t a, int64_t b);
static int64_t later_ms(int64_t a, int64_t b);

enum outcome decision_make(const struct policy *policy, const struct session_view *view,
                           uint32_t presented, enum decision_evidence proved,
                           const struct clock_moment *now)
{
    const struct session *session = &view->session;
    int64_t expires = decision_expires_ms(policy, session);

    if (decision_has_ended(view)) {
        return OUTCOME_TOKEN_REVOKED;
    } else if (expires != 0 && now->wall_ms >= expires) {
        return OUTCOME_TOKEN_EXPIRED;
    } else if (session->pending != SESSION_BEGUN) {
        return OUTCOME_TOKEN_UNKNOWN;
    } else if (!view->has_account && !session_is_clients_own(session)) {
        return OUTCOME_ACCOUNT_GONE;
    } else if (view->has_account && !view->account.enabled) {
        return OUTCOME_ACCOUNT_DISABLED;
    } else if (!may_refresh(policy, view)) {
        return OUTCOME_CLIENT_UNAUTHORIZED;
    } else if (presented > session->generation) {
        return OUTCOME_ROLLED_FORWARD;
    } else if (presented == session->generation) {
        return policy->rotate ? OUTCOME_ROTATED : OUTCOME_RENEWED;
    }
    return decide_spent(policy, session, session->generation - presented, proved, now);
}

bool decision_has_ended(const struct session_view *view)
{
    return view->session.end != SESSION_LIVE ||
           (view->has_account && view->session.epoch < view->account.epoch) ||
           session_client_is_gone(&view->session, view->has_client ? &view->client : NULL);
}

static bool may_refresh(const struct policy *policy, const struct session_view *view)
{
    return (!view->has_client || view->client.enabled) &&
           policy_allows(policy, view->has_client ? &view->client : NULL, GRANT_REFRESH);
}

/* ---- spent tokens ---- */

/* A generation that was spent `back` (1 or more) rotations ago: a lost answer, a second tab, a
 * retry; or a thief. The windows run from its own spending, by whichever clock is more generous.
 * Where the wall clock contradicts the record and the time since boot says nothing, no clock tells
 * that it is too late: then it is answered. So is who holds the session's key: no thief does. Where
 * the time since boot does say so, it is refused, but a session does not end on the word of a clock
 * that is known to have been wrong. */
static enum outcome decide_spent(const struct policy *policy, const struct session *session,
                                 uint32_t back, enum decision_evidence proved,
                                 const struct clock_moment *now)
{
    bool evidence = policy->recovery_evidence == RECOVERY_EVIDENCE_NONE ||
                    (proved != DECISION_NO_EVIDENCE && session->client[0] != '\0');
    bool is_near = back <= policy->recovery_generations;
    bool is_holder = is_near && proved == DECISION_KEY_PROVED;
    struct age age;

    if (is_holder && session->spent[back - 1].wall_ms == 0) {
        return OUTCOME_RECOVERED;
    } else if (back > SESSION_SPENT_KEPT || session->spent[back - 1].wall_ms == 0) {
        return decide_undated(policy, session, back, now);
    }
    age = age_of(policy, session, back - 1, now);
    if (is_within(age, policy->concurrency_window_ms) || (!age.by_wall && !age.by_boot)) {
        return OUTCOME_REPLAYED;
    } else if (is_holder || (is_near && evidence && is_within(age, policy->recovery_window_ms))) {
        return OUTCOME_RECOVERED;
    }
    return age.by_wall ? OUTCOME_TOKEN_REUSED : OUTCOME_TOKEN_SPENT;
}

/* The record does not say when it was spent, but perhaps that it is outdated; and it was before the
 * next newer generation was. If that is longer ago than the window, it has come back too late.
 * Otherwise it may have been a moment ago, and nothing spent a moment ago ends a session. */
static enum outcome decide_undated(const struct policy *policy, const struct session *session,
                                   uint32_t back, const struct clock_moment *now)
{
    uint32_t newer = back <= SESSION_SPENT_KEPT ? back - 1 : SESSION_SPENT_KEPT;
    struct age age;

    if (session->generation - back < session->outdated) {
        return OUTCOME_TOKEN_REUSED;
    }
    while (newer > 0 && session->spent[newer - 1].wall_ms == 0) {
        newer--;
    }
    if (newer == 0) {
        return OUTCOME_TOKEN_SPENT;
    }
    age = age_of(policy, session, newer - 1, now);
    return age.by_wall && !is_within(age, policy->concurrency_window_ms) ? OUTCOME_TOKEN_REUSED
                                                                         : OUTCOME_TOKEN_SPENT;
}

/* The age of spent[index]. A clock for which it lies further ahead than the concurrency window is
 * long was wrong then or is now, and cannot tell. (A little ahead it may lie: a race was lost after
 * `now` was read, a clock was set back, another machine wrote the record.) */
static struct age age_of(const struct policy *policy, const struct session *session, uint32_t index,
                         const struct clock_moment *now)
{
    const struct session_spent *spent = &session->spent[index];
    struct age age = {.wall_ms = now->wall_ms - spent->wall_ms,
                      .boot_ms = now->boot_ms - spent->boot_ms};

    age.by_wall = age.wall_ms >= -policy->concurrency_window_ms;
    age.by_boot = now->boot != 0 && now->boot == session->boot && spent->boot_ms != 0 &&
                  age.boot_ms >= -policy->concurrency_window_ms;
    return age;
}

/* By at least one clock. */
static bool is_within(struct age age, int64_t window_ms)
{
    return (age.by_wall && age.wall_ms <= window_ms) || (age.by_boot && age.boot_ms <= window_ms);
}

int64_t decision_window_left_ms(const struct policy *policy, const struct session *session,
                                uint32_t presented, enum outcome outcome,
                                const struct clock_moment *now)
{
    struct age age = age_of(policy, session, session->generation - presented - 1, now);
    int64_t window =
        outcome == OUTCOME_REPLAYED ? policy->concurrency_window_ms : policy->recovery_window_ms;
    int64_t by_wall = window - age.wall_ms;
    int64_t by_boot = window - age.boot_ms;

    if (outcome == OUTCOME_RECOVERED && session->key_kind != SESSION_KEY_NONE) {
        return 0;
    } else if (!age.by_boot) {
        return by_wall;
    }
    return age.by_wall ? later_ms(by_wall, by_boot) : by_boot;
}

/* It was spent before those that are newer. */
int64_t decision_spent_ago_ms(const struct session *session, uint32_t presented, int64_t now_ms)
{
    uint32_t back = session->generation > presented ? session->generation - presented : 0;
    uint32_t i = back <= SESSION_SPENT_KEPT ? back : SESSION_SPENT_KEPT;

    while (i > 0 && session->spent[i - 1].wall_ms == 0) {
        i--;
    }
    return i > 0 ? later_ms(now_ms - session->spent[i - 1].wall_ms, 0) : 0;
}

/* ---- lifetimes ---- */

int64_t decision_expires_ms(const struct policy *policy, const struct session *session)
{
    int64_t last_use = later_ms(session->used_ms, session->rotated_ms);

    return earlier_ms(session->expires_ms,
                      decision_next_expiry_ms(policy, session->created_ms, last_use));
}

int64_t decision_ends_ms(const struct policy *policy, const struct session *session)
{
    return absolute_end_ms(policy, session->created_ms);
}

int64_t decision_last_use_ms(const struct session *session, int64_t now_ms)
{
    return later_ms(later_ms(session->created_ms, now_ms),
                    later_ms(session->used_ms, session->rotated_ms));
}

int64_t decision_next_expiry_ms(const struct policy *policy, int64_t created_ms,
                                int64_t last_use_ms)
{
    int64_t idle = 0;

    if (policy->idle_lifetime_ms > 0) {
        idle = last_use_ms + policy->idle_lifetime_ms + idle_grain_ms(policy);
    }
    return earlier_ms(absolute_end_ms(policy, created_ms), idle);
}

static int64_t absolute_end_ms(const struct policy *policy, int64_t created_ms)
{
    return policy->absolute_lifetime_ms > 0 ? created_ms + policy->absolute_lifetime_ms : 0;
}

bool decision_touch_due(const struct policy *policy, const struct session *session, int64_t now_ms)
{
    return policy->idle_lifetime_ms > 0 && now_ms - session->used_ms > idle_grain_ms(policy);
}

/* A sixteenth of the idle lifetime: how coarsely the uses of a non-rotating session are noted. */
static int64_t idle_grain_ms(const struct policy *policy)
{
    return policy->rotate ? 0 : policy->idle_lifetime_ms / 16;
}

/* The earlier of two ends, where 0 means never. */
static int64_t earlier_ms(int64_t a, int64_t b)
{
    if (a == 0) {
        return b;
    }
    return b == 0 || a < b ? a : b;
}

static int64_t later_ms(int64_t a, int64_t b)
{
    return a > b ? a : b;
}
