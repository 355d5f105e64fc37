/* SPDX-License-Identifier: ISC */
/* rows_key.h: the keys of the tables, made so that their order is the order wanted: numbers are
 * big-endian. Knows which key a table has; does not know records. */
#ifndef RETOKEN_STORE_LMDB_ROWS_KEY_H
#define RETOKEN_STORE_LMDB_ROWS_KEY_H

#include "model/event.h"
#include "model/mark.h"
#include "store/lmdb/env.h"

/* A key on its way through a table. */
struct rows_key {
    size_t size;
    uint8_t bytes[ENV_KEY_MAX];
};
struct rows_key rows_key_bytes(const void *data, size_t size); /* size <= ENV_KEY_MAX */
struct rows_key rows_key_u64(uint64_t number);
struct rows_key rows_key_u32(uint32_t number);
/* size 0 when the name is empty or longer than `most`: no record can have it. */
struct rows_key rows_key_name(const char *name, size_t most);
/* Before all keys; after all keys; a text's bytes, cut at the longest key. */
struct rows_key rows_key_first(void);
struct rows_key rows_key_last(void);
struct rows_key rows_key_text(const char *text);
/* The key as a text, ended by a zero byte: key->size + 1 bytes. */
void rows_key_read_text(const struct rows_key *key, char *text);
/* Of marks and of their index. */
struct rows_key rows_mark_key(enum mark_kind kind, const uint8_t hash[MARK_HASH_SIZE]);
struct rows_key rows_mark_end_key(enum mark_kind kind, int64_t until_ms,
                                  const uint8_t hash[MARK_HASH_SIZE]);
bool rows_mark_split(const struct rows_key *key, enum mark_kind *kind,
                     uint8_t hash[MARK_HASH_SIZE]);
bool rows_mark_end_split(const struct rows_key *key, enum mark_kind *kind, int64_t *until_ms,
                         uint8_t hash[MARK_HASH_SIZE]);
/* Of the two indices of sessions. */
struct rows_key rows_owner_key(uint64_t account, const uint8_t id[SESSION_ID_SIZE]);
struct rows_key rows_end_key(int64_t at_ms, const uint8_t id[SESSION_ID_SIZE]);
/* Of an event, by the order of their numbers within their class, and of its entry in repeats. */
struct rows_key rows_event_key(enum event_class of, uint64_t number);
struct rows_key rows_repeat_key(const struct event *event, const struct rows_key *event_key);
/* False: no key of that table. */
bool rows_event_split(const struct rows_key *key, enum event_class *of, uint64_t *number);
bool rows_repeat_split(const struct rows_key *key, struct rows_key *event_key);
bool rows_owner_split(const struct rows_key *key, uint64_t *account, uint8_t id[SESSION_ID_SIZE]);
bool rows_end_split(const struct rows_key *key, int64_t *at_ms, uint8_t id[SESSION_ID_SIZE]);

#endif
