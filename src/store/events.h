/* events.h: writing an event inside another verb's transaction. */
#ifndef RETOKEN_STORE_EVENTS_H
#define RETOKEN_STORE_EVENTS_H

#include "store/rows.h"
#include "store/store.h"

/* Appends it and drops the oldest beyond STORE_EVENTS_KEPT. */
enum store_result events_append(struct rows *rows, const struct event *event, struct fault *fault);

#endif
