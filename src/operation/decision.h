/* SPDX-License-Identifier: ISC */
/* decision.h: the decision table of design.md section 4 as a pure function: what was presented,
 * what the record says, what the policy allows, what time it is -> an outcome. Knows sessions,
 * policies and points in time; reads no clock and no store, changes nothing.
 *
 * Every `policy` here is the one in force for the session's client (policy_effective). */
#ifndef RETOKEN_OPERATION_DECISION_H
#define RETOKEN_OPERATION_DECISION_H

#include "base/clock.h"
#include "model/outcome.h"
#include "model/policy.h"
#include "store/store.h"

/* What was proved in a request beside the token: nothing, who the session's own client is, or the
 * key that the session is bound to. (A stranger that proved to be another is refused before.) */
enum decision_evidence { DECISION_NO_EVIDENCE, DECISION_CLIENT_PROVED, DECISION_KEY_PROVED };

/* What a request that presents generation `presented` of this session gets. `evidence`
 * is what recovery asks for: a client that proved itself has the policy's window for it, and who
 * proved the key is no thief, however late.
 *
 * Granted: OUTCOME_ROTATED or _RENEWED (the current generation, as the policy rotates or not),
 * _REPLAYED (spent inside the concurrency window: the answer of the current one), _RECOVERED (the
 * same inside the recovery window), _ROLLED_FORWARD (newer than the record: the store has lost
 * history, and the record moves to `presented` before it is renewed).
 * Refused: OUTCOME_TOKEN_REVOKED, _TOKEN_EXPIRED, _TOKEN_UNKNOWN (pending), _ACCOUNT_GONE,
 * _ACCOUNT_DISABLED, _CLIENT_UNAUTHORIZED, _TOKEN_REUSED (ends the session), _TOKEN_SPENT (does
 * not: no clock tells that it is too late). Never OUTCOME_FAULT. */
enum outcome decision_make(const struct policy *policy, const struct session_view *view,
                           uint32_t presented, enum decision_evidence evidence,
                           const struct clock_moment *now);

/* Has it ended: by itself, with all others of its account, or with its client? */
bool decision_has_ended(const struct session_view *view);

/* How long a token that was REPLAYED or RECOVERED goes on being so, in ms: what is left of that
 * window by the clock that is more generous; 0 = without end, by the key that its session is bound
 * to. */
int64_t decision_window_left_ms(const struct policy *policy, const struct session *session,
                                uint32_t presented, enum outcome outcome,
                                const struct clock_moment *now);

/* How long before now_ms the generation was spent that was presented, by the wall clock and at
 * least; 0 = that is not known, or it is not spent. For events: nothing is decided by it. */
int64_t decision_spent_ago_ms(const struct session *session, uint32_t presented, int64_t now_ms);

/* When the session ends by itself under this policy: what its record says, or earlier when the
 * policy was tightened since. 0 = never. */
int64_t decision_expires_ms(const struct policy *policy, const struct session *session);

/* When it ends by itself however often it is renewed. 0 = never. */
int64_t decision_ends_ms(const struct policy *policy, const struct session *session);

/* When the session was last in use, as of now_ms: never before what its record says, so that a
 * clock that was set back does not age it. */
int64_t decision_last_use_ms(const struct session *session, int64_t now_ms);

/* The end to write into a record that is renewed: created_ms and last use (decision_last_use_ms;
 * both now for a session that begins). 0 = never. */
int64_t decision_next_expiry_ms(const struct policy *policy, int64_t created_ms,
                                int64_t last_use_ms);

/* Is a non-rotating session's use worth a write? Uses are noted coarsely, so that most renewals
 * write nothing; the idle lifetime is stretched by the same grain, so no one is logged out early.
 */
bool decision_touch_due(const struct policy *policy, const struct session *session, int64_t now_ms);

#endif
