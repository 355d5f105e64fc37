/* SPDX-License-Identifier: ISC */
/* events.h: appending an event inside a write's transaction. Does not know what an event means. */
#ifndef RETOKEN_STORE_VERBS_EVENTS_H
#define RETOKEN_STORE_VERBS_EVENTS_H

#include "store/records/rows.h"

/* Is it of a session, so that it is counted when it is told again? */
bool events_is_counted(const struct event *event);
/* Appends it and drops the oldest of its class beyond STORE_EVENTS_KEPT; or counts it in the event
 * of the same session, generation and kind. */
void events_append(struct rows *rows, const struct event *event);

#endif
