/* SPDX-License-Identifier: ISC */
/* decision.h: the decision table of design.md section 4 as a pure function: what was presented,
 * what the record says, what the mount allows, what time it is -> an outcome. Reads nothing,
 * changes nothing. */
#ifndef RETOKEN_OPERATION_DECISION_H
#define RETOKEN_OPERATION_DECISION_H

#include "model/mount.h"
#include "model/outcome.h"
#include "store/store.h"

/* OUTCOME_ROTATED (c = n on a rotating mount), _RENEWED (c = n, no rotation), _REPLAYED,
 * _RECOVERED, a refusal, or OUTCOME_FAULT when the clock contradicts the record. `client_proved`:
 * the client authenticated itself in this request. */
enum outcome decision_make(const struct policy *policy, const struct session_view *grant,
                           uint32_t presented, bool client_proved, int64_t now_ms);

/* When the session ends by itself under this policy: what its record says, or earlier when the
 * policy was tightened since. 0 = never. */
int64_t decision_expires_ms(const struct policy *policy, const struct session *session);

/* The end to write into the record at a renewal (or at the start, with created = now). */
int64_t decision_next_expiry_ms(const struct policy *policy, int64_t created_ms, int64_t now_ms);

/* Is a non-rotating session's use worth a write? Uses are noted coarsely, so that most renewals
 * write nothing; the idle lifetime is stretched by the same grain, so nobody is logged out early.
 */
bool decision_touch_due(const struct policy *policy, const struct session *session, int64_t now_ms);

#endif
