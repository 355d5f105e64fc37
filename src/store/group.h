/* group.h: group commit. Threads of one process queue what they want changed; one of them, the
 * leader, applies all that wait in one write transaction, commits once and wakes them. A lone
 * caller is its own leader at once. Knows transactions and batches; does not know what is changed.
 */
#ifndef RETOKEN_STORE_GROUP_H
#define RETOKEN_STORE_GROUP_H

#include <semaphore.h>

#include "store/rows.h"
#include "store/sweep.h"

/* One thread's change, on its stack. apply may run more than once and in another thread: it reads
 * and writes only *what, which its caller does not touch meanwhile. Returning anything but STORE_OK
 * it has written nothing, or the transaction is thrown away. */
struct group_change {
    enum store_result (*apply)(struct rows *rows, void *what, struct fault *fault);
    void *what;
    int64_t now_ms; /* for sweeping; 0 = this change tells no time */
    struct fault *fault;

    /* group.c's own */
    enum store_result result;
    bool leads; /* else its result is there, once it is woken */
    sem_t wake; /* posted once */
    struct group_change *next;
};

struct group;

/* All three outlive the group. NULL: out of memory. */
struct group *group_open(struct engine *engine, const struct crypto_mac *mac,
                         const struct sweep *sweep);
/* NULL is harmless. */
void group_close(struct group *group);
/* Applies the change durably; its result. */
enum store_result group_commit(struct group *group, struct group_change *change);
/* How many wait for the leader of now. */
size_t group_waiting(struct group *group);

#endif
