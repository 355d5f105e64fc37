/* SPDX-License-Identifier: ISC */
/* sweeper.h: each write sweeps a little, up to a time that cannot jump. Knows one process's view of
 * that time; does not know transactions. */
#ifndef RETOKEN_STORE_VERBS_SWEEPER_H
#define RETOKEN_STORE_VERBS_SWEEPER_H

#include "store/records/rows.h"
#include "store/verbs/sweep.h"

/* All zero before the first. */
struct sweeper {
    struct record_time time; /* as last seen in the store */
    struct record_time told; /* what it becomes when the transaction is committed */
    bool believed, doubted;  /* the clock is from then on */
};

/* With each transaction. */
void sweeper_begin(struct sweeper *sweeper);
/* How far the wall clock is behind, as of when the transaction began. */
int64_t sweeper_behind_ms(struct sweeper *sweeper, struct rows *rows,
                          const struct clock_moment *begun);
/* Removes a little of what is due at now_ms. False: an error. */
bool sweeper_run(struct sweeper *sweeper, struct rows *rows, const struct sweep *sweep,
                 int64_t now_ms);
/* The transaction is committed. *notice (NULL = nowhere) says when the clock is not believed from
 * then on, or is again. */
void sweeper_committed(struct sweeper *sweeper, struct fault *notice);

#endif
