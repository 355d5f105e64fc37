/* SPDX-License-Identifier: ISC */
/* ended.h: the journal of what has ended, DIRECTORY/ended.log, beside the data and not inside it: a
 * copy of the data that is put back brings ended sessions to life again, and the journal ends them
 * once more. Knows a file of entries with MACs; does not know records or transactions.
 *
 * Entries are numbered. The data remembers up to which number it knows what has ended
 * (record_counters.ended), so a look at the last entry tells whether it is an older copy. An entry
 * is on the disk before the commit that it belongs to; one whose commit failed names an end that
 * was asked for, and takes effect when the store is next opened for writing. */
#ifndef RETOKEN_STORE_LMDB_ENDED_H
#define RETOKEN_STORE_LMDB_ENDED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/crypto.h"
#include "base/fault.h"
#include "model/session.h"

enum ended_what { ENDED_SESSION = 1, ENDED_ACCOUNT = 2 };

struct ended {
    uint64_t number;
    enum ended_what what;
    uint8_t id[SESSION_ID_SIZE]; /* of a session */
    uint64_t account;            /* of an account: all its sessions of an epoch before `epoch` */
    uint32_t epoch;
    enum session_end end;
    int64_t at_ms;
    int64_t until_ms; /* not needed from then on: the session would have expired; 0 = for ever */
};

/* Entries of one transaction; grows. All zero = empty. */
struct ended_list {
    struct ended *entries;
    size_t count, room;
};
/* False: out of memory. */
bool ended_list_add(struct ended_list *list, const struct ended *entry);
void ended_list_free(struct ended_list *list);

enum {
    ENDED_ENTRY_SIZE = 64,
    ENDED_COMPACT_EVERY = 16384, /* appended entries between two looks at what is still needed */
    ENDED_MOST = 1024 * 1024     /* entries; the oldest go */
};

/* The number of the last entry in `directory` (a path); 0 = none. */
uint64_t ended_last(const char *directory, const struct crypto_mac *mac);
/* Appends the list, numbered on from first, and syncs it. The caller excludes other processes and
 * threads (it holds the writer's lock). False with *fault set. */
bool ended_append(const char *directory, const struct crypto_mac *mac,
                  const struct ended_list *list, uint64_t first, struct fault *fault);
/* Adds entries with numbers above `after`, oldest first and at most `most`, to the list. An entry
 * whose MAC is wrong is passed over. False with *fault set. */
bool ended_read(const char *directory, const struct crypto_mac *mac, uint64_t after, size_t most,
                struct ended_list *list, struct fault *fault);
/* How many entries are damaged. */
size_t ended_damaged(const char *directory, const struct crypto_mac *mac);

#endif
