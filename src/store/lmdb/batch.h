/* SPDX-License-Identifier: ISC */
/* batch.h: writes applied in one transaction and committed once. A batch whose commit took long is
 * stamped with the time at which it was durable. Knows transactions; does not know what is written,
 * nor who waits for it. */
#ifndef RETOKEN_STORE_LMDB_BATCH_H
#define RETOKEN_STORE_LMDB_BATCH_H

#include "store/lmdb/rows.h"
#include "store/lmdb/sweep.h"
#include "store/store.h"

/* Applies a write inside a transaction; may be called more than once for one write, and in another
 * thread. After anything but STORE_OK without rows->failed it has written nothing. */
typedef enum store_result batch_apply(void *self, struct rows *rows, struct store_write *write);

/* Writes the present time once more into what an applied write says about when it was written.
 * Writes nothing where it says nothing of the kind. */
typedef void batch_stamp(void *self, struct rows *rows, const struct store_write *write);

struct batch_settings {
    struct env *env;
    const struct crypto_mac *mac;
    const struct sweep *sweep;
    const struct outbox *outbox;
    struct clock clock; /* all zero: as the writes say */
    struct metrics *metrics;
    batch_apply *apply;
    batch_stamp *stamp;
    void *self; /* of these two */
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
/* The same result and fault for all. */
void batch_answer(struct store_write *batch, enum store_result result, const struct fault *fault);

#endif
