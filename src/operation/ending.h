/* SPDX-License-Identifier: ISC */
/* ending.h: the writes by which a request ends all sessions of an account or of a client: one that
 * ends them, then those that mark their records, in bounded steps. Knows the order of these writes;
 * does not know who asks. */
#ifndef RETOKEN_OPERATION_ENDING_H
#define RETOKEN_OPERATION_ENDING_H

#include "store/store.h"

/* Zeroed before its first use. */
struct ending {
    struct store_write write; /* the next one; an event may be attached to the first */
    struct store_marking marking;
    enum { ENDING_NOTHING, ENDING_ALL, ENDING_MARKS } stage;
};

/* Prepares the write that ends them. `client` is borrowed until the last write is done. */
void ending_of_account(struct ending *ending, uint64_t account, enum session_end end,
                       int64_t now_ms);
void ending_of_client(struct ending *ending, const char *client, enum session_end end,
                      int64_t now_ms);

/* The write that marks the next records; NULL: there is none. */
struct store_write *ending_next(struct ending *ending);

/* Takes what came of a write. True: it was one that marks, whose result tells nobody anything, as
 * they have ended before. */
bool ending_marked(struct ending *ending, enum store_result result);

#endif
