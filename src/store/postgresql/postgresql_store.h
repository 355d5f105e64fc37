/* SPDX-License-Identifier: ISC */
/* postgresql_store.h: an open store of the kind "postgresql". Knows what its files share; the verbs
 * are verbs.h's. */
#ifndef RETOKEN_STORE_POSTGRESQL_POSTGRESQL_STORE_H
#define RETOKEN_STORE_POSTGRESQL_POSTGRESQL_STORE_H

#include "store/postgresql/commit.h"
#include "store/postgresql/reads.h"
#include "store/verbs/verbs.h"

struct postgresql_store {
    struct verbs verbs;
    struct writers_server server;
    struct reads *reads;
    struct committer *committer; /* NULL in a read-only store, as is: */
    struct group_commit *group;
    int64_t wait_us; /* for the server */
};

/* The store behind the kind's seam. */
static inline struct postgresql_store *postgresql_store_of(struct store *store)
{
    return (struct postgresql_store *)store;
}

#endif
