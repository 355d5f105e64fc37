/* SPDX-License-Identifier: ISC */
/* lmdb_store.h: an open store of the kind "lmdb". Knows what its files share; the verbs are
 * verbs.h's. */
#ifndef RETOKEN_STORE_LMDB_LMDB_STORE_H
#define RETOKEN_STORE_LMDB_LMDB_STORE_H

#include "store/group_commit.h"
#include "store/lmdb/batch.h"
#include "store/lmdb/env.h"
#include "store/verbs/verbs.h"

struct lmdb_store {
    struct verbs verbs;
    struct env *env;
    struct batch_writer *writer; /* NULL in a read-only store, as is: */
    struct group_commit *group;
    struct shared_queue *queue; /* NULL, too, where it cannot be had */
    char *ours; /* one page, set to 1; the kernel clears it in a child: a store does not survive a
                   fork */
    size_t ended_again; /* entries of the journal that were lacking when it was opened */
};

/* The store behind the kind's seam. */
static inline struct lmdb_store *lmdb_store_of(struct store *store)
{
    return (struct lmdb_store *)store;
}

/* False with *fault set after a fork: LMDB's locks and our mutexes did not come along. */
bool lmdb_store_is_ours(const struct lmdb_store *store, struct fault *fault);

enum store_result facts_list(struct store *store, struct store_fact facts[STORE_FACTS_MAX],
                             size_t *count, struct fault *fault);
enum store_result facts_remarks(struct store *store, struct store_remark remarks[STORE_REMARKS_MAX],
                                size_t *count, struct fault *fault);

#endif
