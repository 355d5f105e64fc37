/* SPDX-License-Identifier: ISC */
/* rows_key.h: the keys of the tables, made so that their order is the order wanted: numbers are
 * big-endian. Knows which key a table has; does not know records. */
#ifndef RETOKEN_STORE_RECORDS_ROWS_KEY_H
#define RETOKEN_STORE_RECORDS_ROWS_KEY_H

#include "model/event.h"
#include "model/mark.h"
#include "store/records/txn.h"

/* A key on its way through a table. */
struct rows_key {
    size_t size;
    uint8_t bytes[TABLE_KEY_MAX];
};
struct rows_key rows_key_bytes(const void *data, size_t size); /* size <= TABLE_KEY_MAX */
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
/* Of a subscription's counts, before all its other keys; and after all of them. */
struct rows_key rows_outbox_key(const char *subscription);
struct rows_key rows_outbox_end_key(const char *subscription);
/* Of its rows: those nobody has looked at, those that somebody has, and those that are dead; in
 * each part by class and number. */
enum rows_delivery_part { DELIVERY_PART_NEW, DELIVERY_PART_TAKEN, DELIVERY_PART_DEAD };
struct rows_key rows_delivery_key(const char *subscription, enum rows_delivery_part part,
                                  enum event_class of, uint64_t number);
struct rows_delivery_place {
    enum rows_delivery_part part;
    enum event_class of;
    uint64_t number;
};
/* False: the key is none of this subscription's rows. */
bool rows_delivery_split(const struct rows_key *key, const char *subscription,
                         struct rows_delivery_place *place);
/* In deliveries: by age; by the time at which it is due; by session and age; by session, generation
 * and age, of what may be told again. `order` is rows_delivery_order's. Each split: false where the
 * key is another subscription's, or session's, or another kind of entry. */
uint64_t rows_delivery_order(const struct event *event);
struct rows_key rows_ready_key(const char *subscription, uint64_t order);
struct rows_key rows_due_key(const char *subscription, int64_t next_ms, uint64_t order);
struct rows_key rows_waiting_key(const char *subscription, const uint8_t session[SESSION_ID_SIZE],
                                 uint64_t order);
struct rows_key rows_again_key(const char *subscription, const struct event *event, uint64_t order);
struct rows_waiting {
    enum event_class of;
    uint64_t number;
};
bool rows_ready_split(const struct rows_key *key, const char *subscription,
                      struct rows_waiting *place);
bool rows_due_split(const struct rows_key *key, const char *subscription, int64_t *next_ms,
                    struct rows_waiting *place);
bool rows_waiting_split(const struct rows_key *key, const char *subscription,
                        const uint8_t session[SESSION_ID_SIZE], struct rows_waiting *place);
bool rows_again_split(const struct rows_key *key, const char *subscription,
                      const struct event *event, struct rows_waiting *place);
/* Whatever kind of entry it is. */
bool rows_entry_split(const struct rows_key *key, const char *subscription,
                      struct rows_waiting *place);
bool rows_owner_split(const struct rows_key *key, uint64_t *account, uint8_t id[SESSION_ID_SIZE]);
bool rows_end_split(const struct rows_key *key, int64_t *at_ms, uint8_t id[SESSION_ID_SIZE]);

#endif
