/* SPDX-License-Identifier: ISC */
/* batch.h: writes applied in one transaction and committed once. A batch whose commit took long is
 * stamped with the time at which it was durable. Knows transactions; does not know what is written,
 * nor who waits for it. */
#ifndef RETOKEN_STORE_LMDB_BATCH_H
#define RETOKEN_STORE_LMDB_BATCH_H

#include "store/group_commit.h"
#include "store/lmdb/env.h"
#include "store/lmdb/shared_queue.h"
#include "store/verbs/verbs.h"

struct batch_settings {
    struct env *env;
    const struct verbs *verbs;
    struct shared_queue *queue; /* writes of other processes, which are taken along; NULL: none */
    struct metrics *metrics;
};

struct batch_writer;

/* What the pointers lead to outlives the writer. NULL: out of memory. */
struct batch_writer *batch_writer_open(const struct batch_settings *settings);
/* NULL is harmless. */
void batch_writer_close(struct batch_writer *writer);

/* Makes a list of writes durable, or sets their faults: afterwards each has its result. Of one
 * thread at a time, which has the turn to write (env_turn_take). *notice says something that the
 * operator should know and that has failed no write; untouched: nothing. */
void batch_write(struct batch_writer *writer, struct store_write *batch, struct fault *notice);
/* For group_commit_open; `self` is the writer. */
extern const struct group_kind batch_group_kind;

#endif
