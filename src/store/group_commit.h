/* group_commit.h: group commit. What threads of one process want changed is queued; whoever leads
 * applies all that waits in one write transaction, commits once, and tells those who asked. A lone
 * caller leads at once. Knows transactions and batches; does not know what is changed. */
#ifndef RETOKEN_STORE_GROUP_COMMIT_H
#define RETOKEN_STORE_GROUP_COMMIT_H

#include "store/rows.h"
#include "store/store.h"
#include "store/sweep.h"

struct group_commit;

/* All three outlive the group. NULL: out of memory. */
struct group_commit *group_commit_open(struct engine *engine, const struct crypto_mac *mac,
                                       const struct sweep *sweep);
/* NULL is harmless. */
void group_commit_close(struct group_commit *group);

/* Applies the change durably, waiting for it; its result. Sets change->done and ->self. */
enum store_result group_commit_write(struct group_commit *group, struct store_change *change);

/* Queues the change, which lives until change->done is called with its result: by a later
 * group_commit_flush or group_commit of any thread. Whoever submits sees to it that one follows. */
void group_commit_submit(struct group_commit *group, struct store_change *change);
/* Leads until nothing waits or somebody else leads. Calls the `done` of all it has committed; these
 * may submit again, and must not commit. */
void group_commit_flush(struct group_commit *group);
/* STORE_NOTHING: nothing waits, or somebody leads and will take it. STORE_WAITING: something does,
 * and may gather while there is other work. STORE_DUE: it is many by now, or the first has waited
 * long beside what a commit takes. */
enum store_pending group_commit_pending(struct group_commit *group);
/* How many wait for the leader of now. */
size_t group_commit_waiting(struct group_commit *group);

#endif
