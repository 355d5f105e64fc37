/* SPDX-License-Identifier: ISC */
/* mark.h: something to be remembered until a time: that it was used once, or how often it failed.
 * Knows values; does not know what is hashed or how it is stored. */
#ifndef RETOKEN_MODEL_MARK_H
#define RETOKEN_MODEL_MARK_H

#include <stdbool.h>
#include <stdint.h>

/* Stored: numbers never change. */
enum mark_kind {
    MARK_OWNER,     /* the store's own: how many marks one owner has */
    MARK_ASSERTION, /* an assertion that was used */
    MARK_FAILURE,   /* failed attempts */
    MARK_KNOWN,     /* that something was right before */
    MARK_DEVICE,    /* that a device waits for its user, and how many of a network do */
    MARK_KINDS
};

enum { MARK_HASH_SIZE = 32 };

struct mark {
    enum mark_kind kind;
    /* Keyed hashes: what is marked, whose it is (all zero = not counted), and what it was used
     * with. The store never sees what they stand for. */
    uint8_t hash[MARK_HASH_SIZE];
    uint8_t owner[MARK_HASH_SIZE];
    uint8_t note[MARK_HASH_SIZE];
    int64_t at_ms;    /* when it was made, or last counted */
    int64_t until_ms; /* from then on it is as if it were not there */
    uint32_t count;
};

/* False: all zero. */
static inline bool mark_has_owner(const uint8_t owner[MARK_HASH_SIZE])
{
    uint8_t all = 0;

    for (int i = 0; i < MARK_HASH_SIZE; i++) {
        all |= owner[i];
    }
    return all != 0;
}

#endif
