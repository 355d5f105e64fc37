/* SPDX-License-Identifier: ISC */
/* failover.h: a store that fails over to its standby, as one session sees it: what is answered, and
 * what is forgotten. Knows when a write waits for the standby; does not know what is decided. */
#ifndef RETOKEN_TESTS_DECISION_FAILOVER_H
#define RETOKEN_TESTS_DECISION_FAILOVER_H

#include "model/outcome.h"
#include "model/session.h"

/* One at a random moment of each every_ms. What was written in the last lag_ms before it did not
 * reach the standby. Then no request is answered for down_ms. */
struct failovers {
    int64_t every_ms; /* more than the other two together; 0 = none */
    int64_t lag_ms, down_ms;
    bool local; /* a rotation does not wait for the standby; the end of a session always does */
};

struct failover {
    const struct failovers *plan;
    uint64_t seed;
    int64_t number, at_ms; /* the latest that was looked at */
    bool holds;            /* the standby is behind: */
    struct session standby;
    int64_t unanswered, forgotten; /* requests; rotations that were answered */
};

/* All sessions of a world see the same failovers. */
void failover_begin(struct failover *failover, const struct failovers *plan, uint64_t seed);

/* There is one at `at_ms`, and the standby has the session as it is in `standby`. */
void failover_expect(struct failover *failover, int64_t at_ms, const struct session *standby);

/* To be called before each request: the session becomes what the store has of it at now_ms. */
void failover_arrive(struct failover *failover, struct session *session, int64_t now_ms);

/* Is a request at now_ms answered that comes to this outcome? If not, it changes nothing. */
bool failover_answers(struct failover *failover, enum outcome outcome, int64_t now_ms);

/* The session has begun just now, and the standby has it. */
void failover_note_login(struct failover *failover, const struct session *session);

#endif
