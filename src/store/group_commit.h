/* SPDX-License-Identifier: ISC */
/* group_commit.h: group commit. Writes of the threads of one process are queued; a leader takes all
 * that wait, has them written as one batch (group_kind.write), and reports to their owners. A lone
 * caller leads at once, or leaves its write to another process that is writing (group_kind.leave).
 * Knows threads and their turns; does not know what is written. */
#ifndef RETOKEN_STORE_GROUP_COMMIT_H
#define RETOKEN_STORE_GROUP_COMMIT_H

#include "store/store.h"

struct group_commit;

/* What came of a write that was left to another process. */
enum group_left {
    GROUP_LEFT_NOT,  /* it cannot be */
    GROUP_LEFT_TURN, /* the turn was had instead, and the write is still to be made */
    GROUP_LEFT_DONE, /* it has its result */
    GROUP_LEFT_LATE  /* nothing was done with it in time */
};

/* How a kind of store writes. */
struct group_kind {
    /* The turn among processes, at most until that time of clock_stopwatch_us; false: not had. */
    bool (*turn_take)(void *self, int64_t until_us);
    void (*turn_give)(void *self);
    /* Leaves a write to whoever has the turn, and waits for what comes of it until that time. NULL:
     * there is no one to leave it to. */
    enum group_left (*leave)(void *self, struct store_write *write, int64_t until_us);
    /* A write has waited for the turn since then, in vain. */
    void (*turn_note)(void *self, int64_t since_us);
    /* Makes a list of writes durable, or sets their faults: afterwards each has its result. Of one
     * thread at a time, which has the turn. *notice says something that the operator should know
     * and that has failed no write; untouched: nothing. */
    void (*write)(void *self, struct store_write *batch, struct fault *notice);
    /* Nothing waits to be written any more; of the thread that led last. NULL: nothing is to do. */
    void (*rest)(void *self);
    /* Why a write has waited so long: a commit has taken commit_us so far; 0: it waits for the
     * turn. */
    void (*say_why)(void *self, int64_t commit_us, int64_t waited_us, struct fault *fault);
};

/* `self` outlives the group, and what waits for longer than wait_us is answered. NULL: out of
 * memory. */
struct group_commit *group_commit_open(const struct group_kind *kind, void *self, int64_t wait_us,
                                       struct metrics *metrics);
/* NULL is harmless. */
void group_commit_close(struct group_commit *group);

/* Makes the write durable, waiting for it; its result. Sets write->done and ->self. */
enum store_result group_commit_write(struct group_commit *group, struct store_write *write);

/* Queues the write, which lives until write->done is called with its result: by a later
 * group_commit_flush or group_commit_write of any thread. The caller sees to it that one follows.
 */
void group_commit_submit(struct group_commit *group, struct store_write *write);
/* Leads until nothing waits or another thread leads. Calls the `done` of all it has committed;
 * these may submit again, and must not wait for a write. */
void group_commit_flush(struct group_commit *group);
/* STORE_NOTHING: nothing waits, or a leader will take it. STORE_WAITING: something does, and may
 * gather while there is other work. STORE_DUE: it is many by now, or the first has waited long
 * beside what a commit takes. */
enum store_pending group_commit_pending(struct group_commit *group);
/* Answers with a fault what has waited to be written for longer than wait_us: nothing of it has
 * been done. Returns in how many microseconds the next can be due. What a leader has begun to write
 * cannot be answered: its outcome is not known. */
int64_t group_commit_expire(struct group_commit *group);
/* Something that the operator should know and that has failed no write: true, once. */
bool group_commit_notice(struct group_commit *group, struct fault *notice);
/* Has a write waited, or the commit under way taken, longer than that? *fault says why. */
bool group_commit_hangs(struct group_commit *group, struct fault *fault);
/* How many wait for the present leader. */
size_t group_commit_waiting(struct group_commit *group);

#endif
