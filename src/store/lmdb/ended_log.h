/* SPDX-License-Identifier: ISC */
/* ended_log.h: the journal of what has ended, DIRECTORY/ended.log, beside the data and not inside
 * it: a copy of the data that is put back brings ended sessions to life again, and the journal ends
 * them once more. Knows a file of entries with MACs; does not know records or transactions.
 *
 * Entries are numbered. The data remember up to which number they know what has ended
 * (record_counters.ended), so a look at the last entry tells whether they are an older copy. An
 * entry is written after the commit that it belongs to and before anybody is told, so it never
 * names what a failed commit would have ended. The data keep the entries of their last commit that
 * ended anything (ended_log_pack): where a process was killed between the two, the next one appends
 * them.
 *
 * The journal is bounded. An entry of a session is dropped once that session would have expired: a
 * copy of the data old enough to hold it as live holds an earlier expiry. What never expires, and
 * what concerns accounts and clients, stays until there are ENDED_MOST entries; then the oldest
 * go. */
#ifndef RETOKEN_STORE_LMDB_ENDED_LOG_H
#define RETOKEN_STORE_LMDB_ENDED_LOG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/fault.h"
#include "store/records/ended.h"

enum {
    ENDED_ENTRY_SIZE = 64,
    ENDED_COMPACT_EVERY = 16384, /* appended entries between two looks at what is still needed */
    ENDED_MOST = 1024 * 1024     /* entries; the oldest go */
};

/* The entries as bytes, each with its MAC, and back. The caller frees *bytes. False: out of memory,
 * or libcrypto failed. */
bool ended_log_pack(const struct ended_list *list, const struct crypto_mac *mac, uint8_t **bytes,
                    size_t *size);
bool ended_log_unpack(const uint8_t *bytes, size_t size, const struct crypto_mac *mac,
                      struct ended_list *list);

/* The number of the last entry in `directory` (a path); 0 = none. */
uint64_t ended_log_last(const char *directory, const struct crypto_mac *mac);
/* Makes room for so many entries, so that appending them will hardly fail. Makes the journal when
 * it is absent. False with *fault set. The caller has the turn to write. */
bool ended_log_prepare(const char *directory, size_t count, struct fault *fault);
/* Appends those of the list that have a number above the last in the journal, and syncs it. The
 * caller has the turn to write. False with *fault set. */
bool ended_log_append(const char *directory, const struct crypto_mac *mac,
                      const struct ended_list *list, struct fault *fault);
/* Adds entries with numbers above `after`, oldest first and at most `most`, to the list. An entry
 * whose MAC is wrong is passed over. False with *fault set. */
bool ended_log_read(const char *directory, const struct crypto_mac *mac, uint64_t after,
                    size_t most, struct ended_list *list, struct fault *fault);

/* What the journal looks like. */
struct ended_log_state {
    bool exists;
    size_t entries; /* sound ones */
    size_t damaged; /* with a wrong MAC: changed by hand, or another store's */
    bool torn;      /* its end was cut off, as by a power cut: the next entry mends that */
    uint64_t last;  /* number; 0 = none */
    size_t newer;   /* of the entries: those with numbers above `known` */
};
void ended_log_look(const char *directory, const struct crypto_mac *mac, uint64_t known,
                    struct ended_log_state *state);

#endif
