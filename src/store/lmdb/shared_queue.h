/* SPDX-License-Identifier: ISC */
/* shared_queue.h: writes of other processes. A process that does not have the turn to write leaves
 * its write in a seat of a file that all processes map; whoever has the turn takes all of them
 * along in its own transaction and answers them. No process serves the others, and any may die:
 * a seat counts as long as its process lives, and a write that was taken by one that died is taken
 * again as unsure (struct store_write). Knows seats and whose they are; does not know transactions.
 *
 * Every call is for the one thread of a process that leads (group_commit.h). */
#ifndef RETOKEN_STORE_LMDB_SHARED_QUEUE_H
#define RETOKEN_STORE_LMDB_SHARED_QUEUE_H

#include "base/crypto.h"
#include "store/lmdb/env.h"
#include "store/store.h"

struct shared_queue;

/* Maps DIRECTORY/commit.queue of the environment, and makes the file where it is absent, damaged,
 * of another version or another record key. `mac`, of that key, and `env` outlive the queue. NULL:
 * it cannot be had, and each process commits by itself. */
struct shared_queue *shared_queue_open(struct env *env, const struct crypto_mac *mac);
/* NULL is harmless, here and below. */
void shared_queue_close(struct shared_queue *queue);

enum shared_queue_result {
    SHARED_QUEUE_NOT,  /* it cannot be left here: no seat, or it points into its own process */
    SHARED_QUEUE_TURN, /* the caller has the turn now, and the write is its own again */
    SHARED_QUEUE_DONE, /* write->result, and write->fault */
    SHARED_QUEUE_LATE, /* nobody has taken it in time: it was not done, and never will be */
    SHARED_QUEUE_LOST  /* who took it has not answered in time: what became of it is not known */
};
/* Leaves the write and waits, until that time of clock_stopwatch_us, for its result or the turn. */
enum shared_queue_result shared_queue_leave(struct shared_queue *queue, struct store_write *write,
                                            int64_t until_us);

/* For who has the turn: the writes that wait, in a list that the queue keeps until they are
 * answered. NULL: none. */
struct store_write *shared_queue_take(struct shared_queue *queue);
/* Each has its result by now. Before the turn is given. */
void shared_queue_answer(struct shared_queue *queue);
/* When the turn has been given: wakes whom there is an answer for, and who has the turn next. */
void shared_queue_wake(struct shared_queue *queue);

#endif
