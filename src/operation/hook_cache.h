/* SPDX-License-Identifier: ISC */
/* hook_cache.h: what hooks have answered, in the memory of one process. Bounded, and wiped. Knows
 * times and bytes; does not know what a question or an answer says. */
#ifndef RETOKEN_OPERATION_HOOK_CACHE_H
#define RETOKEN_OPERATION_HOOK_CACHE_H

#include "base/arena.h"
#include "base/crypto.h"

/* At most so many answers, of so many bytes together. */
enum { HOOK_CACHE_ANSWERS = 8192, HOOK_CACHE_BYTES = 16 * 1024 * 1024 };

struct hook_cache;
struct hook_cache *hook_cache_open(const struct randomness *randomness); /* NULL: no memory */
void hook_cache_close(struct hook_cache *cache);                         /* NULL is harmless */

/* The name of an answer: an HMAC of what was asked, under a key of this cache. False: libcrypto. */
struct hook_key {
    uint8_t mac[CRYPTO_HASH_SIZE];
};
bool hook_cache_key(const struct hook_cache *cache, struct text asked, struct hook_key *key);

/* The answer, copied into the arena, and when it was given; at most `age_ms` ago. False: there is
 * none, or no room in the arena. */
bool hook_cache_find(struct hook_cache *cache, const struct hook_key *key, int64_t now_ms,
                     int64_t age_ms, struct arena *arena, struct text *answer, int64_t *given_ms);
/* Remembers it. Without memory it is asked for again. */
void hook_cache_put(struct hook_cache *cache, const struct hook_key *key, int64_t now_ms,
                    struct text answer);
/* Whoever puts one first within `age_ms`, all say the same: *answer becomes that one. */
void hook_cache_agree(struct hook_cache *cache, const struct hook_key *key, int64_t now_ms,
                      int64_t age_ms, struct arena *arena, struct text *answer);

#endif
