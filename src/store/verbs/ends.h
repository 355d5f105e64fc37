/* SPDX-License-Identifier: ISC */
/* ends.h: what ending sessions shares with those who begin or change something. Does not know why
 * they end. */
#ifndef RETOKEN_STORE_VERBS_ENDS_H
#define RETOKEN_STORE_VERBS_ENDS_H

#include "store/records/rows.h"
#include "store/verbs/sweep.h"

/* Remembers in this transaction what it ends, for the journal. */
void ends_note(struct rows *rows, const struct ended *entry);
/* Gives the client a number of its own that none had: sessions that it has have ended. */
void ends_renumber(struct rows *rows, struct client *client);
/* Before the account's next session begins at now_ms: when it has as many as it may have, one makes
 * room, an ended one if there is one among the oldest, else the one of them that was not used for
 * longest. */
void ends_make_room(struct rows *rows, const struct sweep *sweep, const struct account *account,
                    int64_t now_ms);
/* Ends this one now. The record is put. */
void ends_one(struct rows *rows, const struct sweep *sweep, struct record_session *stored,
              enum session_end end, int64_t now_ms);

#endif
