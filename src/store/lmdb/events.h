/* SPDX-License-Identifier: ISC */
/* events.h: appending an event inside a write's transaction. Does not know what an event means. */
#ifndef RETOKEN_STORE_LMDB_EVENTS_H
#define RETOKEN_STORE_LMDB_EVENTS_H

#include "store/lmdb/rows.h"

/* Appends it and drops the oldest beyond STORE_EVENTS_KEPT. */
void events_append(struct rows *rows, const struct event *event);

#endif
