/* SPDX-License-Identifier: ISC */
/* hook_cache.c: see hook_cache.h. A table of sets: what an answer pushes out is the oldest of its
 * set, and where bytes are short, what a hand that goes round comes to. */
#include "operation/hook_cache.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/secret.h"

enum { WAYS = 8, SETS = HOOK_CACHE_ANSWERS / WAYS };

/* By so much an answer may be later than the request that looks. */
enum { EARLIER_MS = 2 * CLOCK_MINUTE };

struct entry {
    struct hook_key key;
    int64_t given_ms;
    char *text; /* NULL: free */
    size_t size;
};

struct hook_cache {
    struct crypto_mac *mac;
    pthread_mutex_t lock; /* over the rest */
    size_t bytes;         /* of all texts */
    size_t hand;
    struct entry entries[HOOK_CACHE_ANSWERS];
};

static struct entry *look(struct hook_cache *cache, const struct hook_key *key);
static bool copy(const struct entry *entry, int64_t now_ms, int64_t age_ms, struct arena *arena,
                 struct text *answer);
static void put(struct hook_cache *cache, const struct hook_key *key, int64_t now_ms,
                struct text answer);
static struct entry *place_for(struct hook_cache *cache, const struct hook_key *key);
static void forget(struct hook_cache *cache, struct entry *entry);

struct hook_cache *hook_cache_open(const struct randomness *randomness)
{
    struct hook_cache *cache = calloc(1, sizeof *cache);
    uint8_t key[CRYPTO_KEY_SIZE];

    if (cache == NULL) {
        return NULL;
    } else if (randomness_fill(randomness, key, sizeof key)) {
        cache->mac = crypto_mac_open(key, sizeof key);
    }
    secret_wipe(key, sizeof key);
    if (cache->mac == NULL) {
        free(cache);
        return NULL;
    }
    pthread_mutex_init(&cache->lock, NULL);
    return cache;
}

void hook_cache_close(struct hook_cache *cache)
{
    if (cache != NULL) {
        for (size_t i = 0; i < HOOK_CACHE_ANSWERS; i++) {
            forget(cache, &cache->entries[i]);
        }
        pthread_mutex_destroy(&cache->lock);
        crypto_mac_close(cache->mac);
        free(cache);
    }
}

bool hook_cache_key(const struct hook_cache *cache, struct text asked, struct hook_key *key)
{
    return crypto_mac_compute(cache->mac, asked.data, asked.size, key->mac);
}

bool hook_cache_find(struct hook_cache *cache, const struct hook_key *key, int64_t now_ms,
                     int64_t age_ms, struct arena *arena, struct text *answer, int64_t *given_ms)
{
    const struct entry *entry;
    bool found;

    pthread_mutex_lock(&cache->lock);
    entry = look(cache, key);
    found = entry != NULL && copy(entry, now_ms, age_ms, arena, answer);
    if (found) {
        *given_ms = entry->given_ms;
    }
    pthread_mutex_unlock(&cache->lock);
    return found;
}

void hook_cache_put(struct hook_cache *cache, const struct hook_key *key, int64_t now_ms,
                    struct text answer)
{
    pthread_mutex_lock(&cache->lock);
    put(cache, key, now_ms, answer);
    pthread_mutex_unlock(&cache->lock);
}

void hook_cache_agree(struct hook_cache *cache, const struct hook_key *key, int64_t now_ms,
                      int64_t age_ms, struct arena *arena, struct text *answer)
{
    const struct entry *entry;

    pthread_mutex_lock(&cache->lock);
    entry = look(cache, key);
    if (entry == NULL || !copy(entry, now_ms, age_ms, arena, answer)) {
        put(cache, key, now_ms, *answer);
    }
    pthread_mutex_unlock(&cache->lock);
}

/* ---- under the lock ---- */

static struct entry *set_of(struct hook_cache *cache, const struct hook_key *key)
{
    return &cache->entries[(key->mac[0] | (size_t)key->mac[1] << 8) % SETS * WAYS];
}

static struct entry *look(struct hook_cache *cache, const struct hook_key *key)
{
    struct entry *set = set_of(cache, key), *found = NULL;

    for (size_t i = 0; i < WAYS; i++) {
        if (set[i].text != NULL && secret_equal(&set[i].key, key, sizeof *key)) {
            found = &set[i];
        }
    }
    return found;
}

/* A request that waited may find what a later one has put. One that a clock far ahead has dated is
 * as good as too old. */
static bool copy(const struct entry *entry, int64_t now_ms, int64_t age_ms, struct arena *arena,
                 struct text *answer)
{
    int64_t age = now_ms - entry->given_ms;

    return age >= -EARLIER_MS && age <= age_ms &&
           arena_copy(arena, (struct text){entry->text, entry->size}, answer);
}

static void put(struct hook_cache *cache, const struct hook_key *key, int64_t now_ms,
                struct text answer)
{
    struct entry *entry = place_for(cache, key);
    char *text;

    forget(cache, entry);
    while (cache->bytes + answer.size > HOOK_CACHE_BYTES) {
        forget(cache, &cache->entries[cache->hand]);
        cache->hand = (cache->hand + 1) % HOOK_CACHE_ANSWERS;
    }
    text = malloc(answer.size + 1);
    if (text == NULL) {
        return;
    }
    memcpy(text, answer.data, answer.size);
    *entry = (struct entry){*key, now_ms, text, answer.size};
    cache->bytes += answer.size;
}

/* That of the key, else a free one, else the oldest. */
static struct entry *place_for(struct hook_cache *cache, const struct hook_key *key)
{
    struct entry *set = set_of(cache, key);
    struct entry *place = look(cache, key);

    for (size_t i = 0; i < WAYS && place == NULL; i++) {
        place = set[i].text == NULL ? &set[i] : NULL;
    }
    if (place == NULL) {
        place = set;
        for (size_t i = 1; i < WAYS; i++) {
            place = set[i].given_ms < place->given_ms ? &set[i] : place;
        }
    }
    return place;
}

static void forget(struct hook_cache *cache, struct entry *entry)
{
    if (entry->text != NULL) {
        cache->bytes -= entry->size;
        secret_wipe(entry->text, entry->size);
        free(entry->text);
        *entry = (struct entry){.text = NULL};
    }
}
