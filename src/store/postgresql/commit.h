/* SPDX-License-Identifier: ISC */
/* commit.h: batches of writes in PostgreSQL. What came of a commit is one of three: applied, not
 * applied, and not known; what is not known is asked for again on a new connection (writers.h),
 * until the time is up. Then the writes fail, and whoever asks again gets what the store decides.
 * Knows transactions; does not know what is written, nor who waits for it. */
#ifndef RETOKEN_STORE_POSTGRESQL_COMMIT_H
#define RETOKEN_STORE_POSTGRESQL_COMMIT_H

#include "store/group_commit.h"
#include "store/postgresql/tables.h"
#include "store/postgresql/writers.h"
#include "store/verbs/verbs.h"

struct commit_settings {
    struct writers_server *server;
    struct verbs *verbs;
    int64_t wait_us;     /* for the server, in all */
    bool rotation_local; /* a rotation does not wait for a standby */
    struct metrics *metrics;
};

struct committer;

/* What the pointers lead to outlives it. NULL: out of memory. */
struct committer *committer_open(const struct commit_settings *settings);
/* NULL is harmless. */
void committer_close(struct committer *committer);

/* For group_commit_open; `self` is the committer. */
extern const struct group_kind commit_group_kind;

#endif
