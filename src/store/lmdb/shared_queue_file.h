/* SPDX-License-Identifier: ISC */
/* shared_queue_file.h: the file of the shared queue: its first page says what it is, then one word
 * for each seat, then what lies there. Knows sizes and the MAC of the first page; does not know who
 * sits where. */
#ifndef RETOKEN_STORE_LMDB_SHARED_QUEUE_FILE_H
#define RETOKEN_STORE_LMDB_SHARED_QUEUE_FILE_H

#include <stdatomic.h>

#include "base/crypto.h"
#include "store/store.h"

enum { SHARED_SEATS = 128 };

/* What of a write is data, with room for all its marks and events: only as many bytes are written
 * as there are. */
struct shared_head {
    uint32_t seat, word; /* where it was left, and when (struct shared_word) */
    uint32_t owner;      /* the process */
    uint32_t kind, marks, events;
    int64_t now_ms;
    struct store_rotation rotation;
};
enum {
    SHARED_MARK = sizeof(((struct store_write *)NULL)->mark[0]),
    SHARED_EVENT = sizeof(struct event),
    SHARED_BYTES =
        sizeof(struct shared_head) + STORE_MARKS_MAX * SHARED_MARK + STORE_EVENTS_MAX * SHARED_EVENT
};
struct shared_seat {
    uint8_t mac[CRYPTO_HASH_SIZE]; /* of the bytes */
    uint32_t size;
    uint32_t result; /* enum store_result, with: */
    struct fault fault;
    uint8_t bytes[SHARED_BYTES];
};

/* How far a write has come, in the low bits, and a number that counts writes in the others. In a
 * cache line of its own, because its process sleeps on it. */
enum shared_stage {
    SHARED_FREE,
    SHARED_WAITS,
    SHARED_CALLED, /* the same, and its process shall look for the turn */
    SHARED_TAKEN,
    SHARED_ANSWERED
};
enum { SHARED_STAGES = 8 };
struct shared_word {
    _Alignas(64) atomic_uint_least32_t now;
};

/* What a file says that this program may read with this record key. */
struct shared_identity {
    char says[64]; /* version and sizes */
    uint8_t mac[CRYPTO_HASH_SIZE];
    uint8_t unused[32]; /* zero */
};

struct shared_file {
    struct shared_identity identity;
    _Alignas(64) atomic_uint_least32_t seats; /* that have been used, from the first on */
    struct shared_word words[SHARED_SEATS];
    struct shared_seat places[SHARED_SEATS];
};

/* Maps DIRECTORY/commit.queue; see shared_queue_open. NULL: it cannot be had. */
struct shared_file *shared_file_map(const char *directory, const struct crypto_mac *mac);
void shared_file_unmap(struct shared_file *file);

#endif
