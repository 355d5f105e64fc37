/* SPDX-License-Identifier: ISC */
/* decision.c: the decision table of design.md section 4. */
#include "operation/decision.h"

#include "base/clock.h"

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

int64_t decision_next_expiry_ms(const struct policy *policy, int64_t created_ms, int64_t now_ms)
{
    int64_t absolute = 0;
    int64_t idle = 0;

    if (policy->absolute_lifetime_ms > 0) {
        absolute = created_ms + policy->absolute_lifetime_ms;
    }
    if (policy->idle_lifetime_ms > 0) {
        idle = now_ms + policy->idle_lifetime_ms + idle_grain_ms(policy);
    }
    return earlier_ms(absolute, idle);
}

int64_t decision_expires_ms(const struct policy *policy, const struct session *session)
{
    int64_t last_use =
        session->used_ms > session->rotated_ms ? session->used_ms : session->rotated_ms;

    return earlier_ms(session->expires_ms,
                      decision_next_expiry_ms(policy, session->created_ms, last_use));
}

bool decision_touch_due(const struct policy *policy, const struct session *session, int64_t now_ms)
{
    return policy->idle_lifetime_ms > 0 && now_ms - session->used_ms > idle_grain_ms(policy);
}

/* c = n - 1: a lost answer, a second tab, a retry; or a thief. A rotation further in the future
 * than the window is long is a clock that was wrong then or is now: nobody can tell, so nothing is
 * decided (design.md: never answer "invalid" for a fault). */
static enum outcome decide_parent(const struct policy *policy, const struct session *session,
                                  bool client_proved, int64_t now_ms)
{
    int64_t age = now_ms - session->written_ms;
    bool evidence = policy->recovery_evidence == RECOVERY_EVIDENCE_NONE || client_proved;

    if (age < -policy->concurrency_window_ms - CLOCK_MINUTE) {
        return OUTCOME_FAULT;
    } else if (age <= policy->concurrency_window_ms) {
        return OUTCOME_REPLAYED;
    }
    return age <= policy->recovery_window_ms && evidence ? OUTCOME_RECOVERED : OUTCOME_TOKEN_REUSED;
}

enum outcome decision_make(const struct policy *policy, const struct session_view *grant,
                           uint32_t presented, bool client_proved, int64_t now_ms)
{
    const struct session *session = &grant->session;
    int64_t expires = decision_expires_ms(policy, session);

    if (session->end != SESSION_LIVE) {
        return OUTCOME_TOKEN_REVOKED;
    } else if (expires != 0 && now_ms >= expires) {
        return OUTCOME_TOKEN_EXPIRED;
    } else if (!grant->has_account) {
        return OUTCOME_ACCOUNT_GONE;
    } else if (!grant->account.enabled) {
        return OUTCOME_ACCOUNT_DISABLED;
    } else if (presented > session->generation) {
        return OUTCOME_TOKEN_FROM_FUTURE;
    } else if (presented == session->generation) {
        return policy->rotate ? OUTCOME_ROTATED : OUTCOME_RENEWED;
    } else if (presented == session->generation - 1) {
        return decide_parent(policy, session, client_proved, now_ms);
    }
    return OUTCOME_TOKEN_REUSED;
}
