/* SPDX-License-Identifier: ISC */
/* marks.h: what is remembered until a time, inside a write's transaction. Each mark has one entry
 * in mark_ends, at the time when it is over; each owner has a record with the number of its marks.
 */
#ifndef RETOKEN_STORE_VERBS_MARKS_H
#define RETOKEN_STORE_VERBS_MARKS_H

#include "store/records/rows.h"

/* Before a write is applied: STORE_OK, or what it gives because of its marks: STORE_EXISTS, or an
 * error in *rows. Changes nothing. `most`: as in store_settings.marks_most. */
enum store_result marks_check(struct rows *rows, const struct store_write *write, size_t most);
/* After it was applied and was STORE_OK. */
void marks_apply(struct rows *rows, const struct store_write *write, size_t most);
/* Removes up to `most` of each kind that are over. */
void marks_sweep(struct rows *rows, int64_t now_ms, size_t most);

#endif
