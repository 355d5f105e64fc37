/* store_private.h: what the verbs share: the open store, and the two ways into it. Knows everything
 * a verb may use; does not know any verb. */
#ifndef RETOKEN_STORE_PRIVATE_H
#define RETOKEN_STORE_PRIVATE_H

#include <sys/types.h>

#include "store/group_commit.h"
#include "store/rows.h"
#include "store/store.h"
#include "store/sweep.h"

struct store {
    struct engine *engine;
    struct crypto_mac *mac;
    struct group_commit *group; /* NULL in a read-only store */
    struct sweep sweep;
    pid_t process; /* that opened it: a store does not survive a fork */
    uint32_t format_version;
};

/* False with *fault set after a fork: LMDB's locks and our mutexes did not come along. */
bool store_private_is_ours(const struct store *store, struct fault *fault);

/* A snapshot; end it when STORE_OK was the answer. */
enum store_result store_private_read_begin(struct store *store, struct rows *rows,
                                           struct fault *fault);
void store_private_read_end(struct rows *rows);

/* False with *fault set: not after a fork, not in a store that was opened for reading only. */
bool store_private_may_write(const struct store *store, struct fault *fault);
/* Applies one change durably, together with those of other threads. */
enum store_result store_private_write(struct store *store,
                                      enum store_result (*apply)(struct rows *rows, void *what,
                                                                 struct fault *fault),
                                      void *what, int64_t now_ms, struct fault *fault);

#endif
