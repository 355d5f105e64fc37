/* prepared.h: what the verbs that can be prepared have in common. Knows who makes a change durable;
 * does not know what changes. */
#ifndef RETOKEN_STORE_PREPARED_H
#define RETOKEN_STORE_PREPARED_H

#include "store/store_private.h"

/* A store_write's own part; the caller fills write->of. `apply` gets the write itself, with
 * write->store set. */
void prepared_start(struct store_write *write,
                    enum store_result (*apply)(struct rows *rows, void *what, struct fault *fault),
                    int64_t now_ms);

#endif
