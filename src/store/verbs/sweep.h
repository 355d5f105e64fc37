/* SPDX-License-Identifier: ISC */
/* sweep.h: how ended and expired sessions leave. The ends table holds at most one entry per
 * session, keyed by the time at which it is worth looking; an entry stays where it was first put
 * while the session is renewed, and is moved when its time comes. So a rotation writes one record
 * and nothing else. Always true: an entry's time is not later than the time its session is due. */
#ifndef RETOKEN_STORE_VERBS_SWEEP_H
#define RETOKEN_STORE_VERBS_SWEEP_H

#include "store/records/rows.h"

struct sweep {
    int64_t keep_ended_ms;
    uint32_t session_limit; /* of an account that has none of its own; 0 = none */
    bool (*derived_alias)(void *self, uint8_t secret, const uint8_t session[SESSION_ID_SIZE],
                          uint32_t generation, uint8_t alias[SESSION_HASH_SIZE]);
    void *self;
};

/* After a change of the session and before the record is put: puts or moves its entry if it has
 * none or one too late. */
void sweep_enter(struct rows *rows, const struct sweep *sweep, struct record_session *session);

/* How much one transaction may do; counted down. */
struct sweep_budget {
    size_t sessions; /* to remove */
    size_t entries;  /* to look at */
    size_t aliases;  /* derived, to compute and remove */
};
/* Looks at due entries in order of time, and at as many marks of each kind. *removed counts up;
 * *more: entries are still due. */
void sweep_run(struct rows *rows, const struct sweep *sweep, int64_t now_ms,
               struct sweep_budget *budget, size_t *removed, bool *more);

/* Removes a session before its time. False: it has more aliases than can be removed at once, or
 * they cannot be computed here; it stays. */
bool sweep_remove(struct rows *rows, const struct sweep *sweep, struct record_session *session);

/* Of the derived aliases only those of the newest SWEEP_ALIASES_KEPT generations stay: removes a
 * few older ones. The record is put by the caller. */
enum { SWEEP_ALIASES_KEPT = 1000 };
void sweep_old_aliases(struct rows *rows, const struct sweep *sweep,
                       struct record_session *session);

/* A step of pruning on request: a batch that lets other writers through. */
enum store_result sweep_prune(struct rows *rows, const struct sweep *sweep,
                              struct store_pruning *pruning);

#endif
