/* SPDX-License-Identifier: ISC */
/* journal.h: what a transaction has ended goes into the journal. Does not know why it ended. */
#ifndef RETOKEN_STORE_LMDB_JOURNAL_H
#define RETOKEN_STORE_LMDB_JOURNAL_H

#include "store/lmdb/lmdb_store.h"

/* Before the commit: numbers what has ended in this transaction and keeps it in the data, so that a
 * process killed between commit and journal loses nothing; makes room in the journal. */
void journal_stage(struct rows *rows);
/* After the commit, in the same turn to write: puts it into the journal. False with *fault set: it
 * has ended, and the journal does not say so yet; the next that ends anything tries again. */
bool journal_log(struct rows *rows, struct fault *fault);
/* Ends again what ended after this copy of the data was made, and notes now_ms as the time of that
 * (0 = not told); and gives the journal what a killed process left out. False with *fault set. */
bool journal_catch_up(struct lmdb_store *store, int64_t now_ms, struct fault *fault);

#endif
