/* SPDX-License-Identifier: ISC */
/* ends.h: what a transaction has ended goes into the journal. Does not know why it ended. */
#ifndef RETOKEN_STORE_LMDB_ENDS_H
#define RETOKEN_STORE_LMDB_ENDS_H

#include "store/lmdb/rows.h"
#include "store/lmdb/sweep.h"

/* Remembers in this transaction what it ends, for the journal. */
void ends_note(struct rows *rows, const struct ended *entry);
/* Before the account's next session begins at now_ms: when it has as many as it may have, one makes
 * room, an ended one if there is one among the oldest, else the one of them that was not used for
 * longest. */
void ends_make_room(struct rows *rows, const struct sweep *sweep, const struct account *account,
                    int64_t now_ms);
/* Before the commit: numbers what has ended in this transaction and keeps it in the data, so that a
 * process killed between commit and journal loses nothing; makes room in the journal. */
void ends_stage(struct rows *rows);
/* After the commit, in the same turn to write: puts it into the journal. False with *fault set: it
 * has ended, and the journal does not say so yet; the next that ends anything tries again. */
bool ends_log(struct rows *rows, struct fault *fault);

#endif
