/* SPDX-License-Identifier: ISC */
/* ends.h: what a transaction has ended goes into the journal. Does not know why it ended. */
#ifndef RETOKEN_STORE_LMDB_ENDS_H
#define RETOKEN_STORE_LMDB_ENDS_H

#include "store/lmdb/rows.h"

/* Numbers what has ended in this transaction and puts it into the journal. Before the commit. */
void ends_journal(struct rows *rows);

#endif
