/* SPDX-License-Identifier: ISC */
/* unstamped.h: which rotations are being committed and have no certain time yet, kept where a
 * process that dies leaves them to the next one. A commit may stall, and who is killed meanwhile
 * never stamps what it has made durable: its clients would come back when their windows, counted
 * from before the stall, are over. Knows a page of memory; does not know transactions. */
#ifndef RETOKEN_STORE_VERBS_UNSTAMPED_H
#define RETOKEN_STORE_VERBS_UNSTAMPED_H

#include "store/store.h"

/* More in one batch than this are not noted. */
enum { UNSTAMPED_MAX = 200, UNSTAMPED_PAGE = 4096 };

/* UNSTAMPED_PAGE bytes, zero at first: a page that all processes share that have the store open
 * (process_lock_page), or one process's own. NULL: there is none, and nothing is ever noted. Every
 * call is for the one thread that writes. */
struct unstamped;

/* The rotations of the batch that went well, before they are committed. */
void unstamped_note(struct unstamped *page, const struct store_write *batch);
void unstamped_forget(struct unstamped *page);
/* The rotation in place `at`, from 0 on, of those that were noted and not forgotten: a write of
 * which only kind, id, from and to are known. False: there are no more. The page may hold anything.
 */
bool unstamped_get(const struct unstamped *page, size_t at, struct store_write *write);

#endif
