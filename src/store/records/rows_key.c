/* SPDX-License-Identifier: ISC */
/* rows_key.c: see rows_key.h. Knows bytes. */
#include "store/records/rows_key.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/codec.h"
#include "base/crypto.h"
#include "store/store.h"

struct rows_key rows_key_first(void)
{
    return (struct rows_key){.size = 1};
}

struct rows_key rows_key_last(void)
{
    struct rows_key key = {.size = TABLE_KEY_MAX};

    memset(key.bytes, 0xff, sizeof key.bytes);
    return key;
}

struct rows_key rows_key_bytes(const void *data, size_t size)
{
    struct rows_key key;

    key.size = size;
    memcpy(key.bytes, data, size);
    return key;
}

struct rows_key rows_key_text(const char *text)
{
    return rows_key_bytes(text, strnlen(text, TABLE_KEY_MAX));
}

void rows_key_read_text(const struct rows_key *key, char *text)
{
    memcpy(text, key->bytes, key->size);
    text[key->size] = '\0';
}

struct rows_key rows_key_u64(uint64_t number)
{
    struct rows_key key;

    key.size = 8;
    codec_put_u64(key.bytes, number);
    return key;
}

struct rows_key rows_key_u32(uint32_t number)
{
    struct rows_key key;

    key.size = 4;
    codec_put_u32(key.bytes, number);
    return key;
}

/* size 0 when the name is empty or longer than `most`: no record can have it. */
struct rows_key rows_key_name(const char *name, size_t most)
{
    size_t size = strnlen(name, most + 1);

    return rows_key_bytes(name, size > most ? 0 : size);
}

/* ---- events ---- */

enum {
    REPEAT_GENERATION = SESSION_ID_SIZE,
    REPEAT_KIND = REPEAT_GENERATION + 4,
    REPEAT_EVENT = REPEAT_KIND + 1,
    REPEAT_SIZE = REPEAT_EVENT + 8
};

struct rows_key rows_event_key(enum event_class of, uint64_t number)
{
    struct rows_key key = rows_key_u64(number);

    key.bytes[0] = (uint8_t)of;
    return key;
}

bool rows_event_split(const struct rows_key *key, enum event_class *of, uint64_t *number)
{
    uint64_t whole = codec_get_u64(key->bytes);

    *of = (enum event_class)key->bytes[0];
    *number = whole & UINT64_MAX >> 8;
    return key->size == 8 && key->bytes[0] < EVENT_CLASSES;
}

static void tell_subject(const struct event *event, uint8_t subject[SESSION_ID_SIZE]);

struct rows_key rows_repeat_key(const struct event *event, const struct rows_key *event_key)
{
    struct rows_key key;

    key.size = REPEAT_SIZE;
    tell_subject(event, key.bytes);
    codec_put_u32(key.bytes + REPEAT_GENERATION, event->generation);
    key.bytes[REPEAT_KIND] = (uint8_t)event->kind;
    memcpy(key.bytes + REPEAT_EVENT, event_key->bytes, 8);
    return key;
}

/* The session; or what strangers who prove nothing are counted by. */
static void tell_subject(const struct event *event, uint8_t subject[SESSION_ID_SIZE])
{
    uint8_t hash[CRYPTO_HASH_SIZE];
    char text[sizeof event->realm + sizeof event->client + sizeof event->cause + 24];
    int size;

    memcpy(subject, event->session, SESSION_ID_SIZE);
    if (event_has_session(event) || event_class(event->kind) != EVENT_CLASS_STRANGERS) {
        return;
    }
    size = snprintf(text, sizeof text, "%s\n%s\n%s\n%" PRIu64, event->realm, event->client,
                    event->cause, event->account);
    if (crypto_sha256(text, (size_t)size, hash)) {
        memcpy(subject, hash, SESSION_ID_SIZE);
    }
}

bool rows_repeat_split(const struct rows_key *key, struct rows_key *event_key)
{
    *event_key = rows_key_bytes(key->bytes + REPEAT_EVENT, 8);
    return key->size == REPEAT_SIZE;
}

/* ---- the outbox ---- */

/* A subscription's name and a zero byte, then what kind of key it is. */
static const uint8_t part_bytes[] = {
    [DELIVERY_PART_NEW] = 'n', [DELIVERY_PART_TAKEN] = 't', [DELIVERY_PART_DEAD] = 'd'};
enum { PARTS = sizeof part_bytes };
enum {
    DELIVERY_BY_AGE = 'a',
    DELIVERY_BY_TIME = 'd',
    DELIVERY_BY_GENERATION = 'g',
    DELIVERY_BY_SESSION = 's'
};

static void add_byte(struct rows_key *key, unsigned byte)
{
    key->bytes[key->size++] = (uint8_t)byte;
}

static void add_u64(struct rows_key *key, uint64_t number)
{
    codec_put_u64(key->bytes + key->size, number);
    key->size += 8;
}

/* True: `key` is `start` and as many bytes more. */
static bool is_longer(const struct rows_key *key, const struct rows_key *start, size_t by)
{
    return key->size == start->size + by && memcmp(key->bytes, start->bytes, start->size) == 0;
}

struct rows_key rows_outbox_key(const char *subscription)
{
    struct rows_key key =
        rows_key_bytes(subscription, strnlen(subscription, STORE_SUBSCRIPTION_MAX));

    add_byte(&key, 0);
    return key;
}

struct rows_key rows_outbox_end_key(const char *subscription)
{
    struct rows_key key = rows_outbox_key(subscription);

    key.bytes[key.size - 1] = 1;
    return key;
}

struct rows_key rows_delivery_key(const char *subscription, enum rows_delivery_part part,
                                  enum event_class of, uint64_t number)
{
    struct rows_key key = rows_outbox_key(subscription);

    add_byte(&key, part_bytes[part]);
    add_u64(&key, (uint64_t)of << 56 | number);
    return key;
}

bool rows_delivery_split(const struct rows_key *key, const char *subscription,
                         struct rows_delivery_place *place)
{
    struct rows_key start = rows_outbox_key(subscription);
    const uint8_t *rest = key->bytes + start.size;
    const uint8_t *part;

    if (!is_longer(key, &start, 1 + 8) || rest[1] > EVENT_CLASS_FLOW) {
        return false;
    }
    part = memchr(part_bytes, rest[0], PARTS);
    if (part == NULL) {
        return false;
    }
    place->part = (enum rows_delivery_part)(part - part_bytes);
    place->of = (enum event_class)rest[1];
    place->number = codec_get_u64(rest + 1) & UINT64_MAX >> 8;
    return true;
}

uint64_t rows_delivery_order(const struct event *event)
{
    return event->number << 8 | event_class(event->kind);
}

static bool split_order(uint64_t order, struct rows_waiting *place)
{
    place->of = (enum event_class)(order & UINT8_MAX);
    place->number = order >> 8;
    return (order & UINT8_MAX) <= EVENT_CLASS_FLOW;
}

static struct rows_key start_of_ready(const char *subscription)
{
    struct rows_key key = rows_outbox_key(subscription);

    add_byte(&key, DELIVERY_BY_AGE);
    return key;
}

struct rows_key rows_ready_key(const char *subscription, uint64_t order)
{
    struct rows_key key = start_of_ready(subscription);

    add_u64(&key, order);
    return key;
}

bool rows_ready_split(const struct rows_key *key, const char *subscription,
                      struct rows_waiting *place)
{
    struct rows_key start = start_of_ready(subscription);

    return is_longer(key, &start, 8) && split_order(codec_get_u64(key->bytes + start.size), place);
}

static struct rows_key start_of_due(const char *subscription)
{
    struct rows_key key = rows_outbox_key(subscription);

    add_byte(&key, DELIVERY_BY_TIME);
    return key;
}

struct rows_key rows_due_key(const char *subscription, int64_t next_ms, uint64_t order)
{
    struct rows_key key = start_of_due(subscription);

    add_u64(&key, (uint64_t)next_ms);
    add_u64(&key, order);
    return key;
}

bool rows_due_split(const struct rows_key *key, const char *subscription, int64_t *next_ms,
                    struct rows_waiting *place)
{
    struct rows_key start = start_of_due(subscription);
    uint64_t next;

    if (!is_longer(key, &start, 8 + 8)) {
        return false;
    }
    next = codec_get_u64(key->bytes + start.size);
    *next_ms = (int64_t)next;
    return next <= INT64_MAX && split_order(codec_get_u64(key->bytes + start.size + 8), place);
}

static struct rows_key start_of_waiting(const char *subscription,
                                        const uint8_t session[SESSION_ID_SIZE])
{
    struct rows_key key = rows_outbox_key(subscription);

    add_byte(&key, DELIVERY_BY_SESSION);
    memcpy(key.bytes + key.size, session, SESSION_ID_SIZE);
    key.size += SESSION_ID_SIZE;
    return key;
}

struct rows_key rows_waiting_key(const char *subscription, const uint8_t session[SESSION_ID_SIZE],
                                 uint64_t order)
{
    struct rows_key key = start_of_waiting(subscription, session);

    add_u64(&key, order);
    return key;
}

bool rows_waiting_split(const struct rows_key *key, const char *subscription,
                        const uint8_t session[SESSION_ID_SIZE], struct rows_waiting *place)
{
    struct rows_key start = start_of_waiting(subscription, session);

    return is_longer(key, &start, 8) && split_order(codec_get_u64(key->bytes + start.size), place);
}

static struct rows_key start_of_again(const char *subscription, const struct event *event)
{
    struct rows_key key = rows_outbox_key(subscription);

    add_byte(&key, DELIVERY_BY_GENERATION);
    memcpy(key.bytes + key.size, event->session, SESSION_ID_SIZE);
    key.size += SESSION_ID_SIZE;
    codec_put_u32(key.bytes + key.size, event->generation);
    key.size += 4;
    return key;
}

struct rows_key rows_again_key(const char *subscription, const struct event *event, uint64_t order)
{
    struct rows_key key = start_of_again(subscription, event);

    add_u64(&key, order);
    return key;
}

bool rows_again_split(const struct rows_key *key, const char *subscription,
                      const struct event *event, struct rows_waiting *place)
{
    struct rows_key start = start_of_again(subscription, event);

    return is_longer(key, &start, 8) && split_order(codec_get_u64(key->bytes + start.size), place);
}

bool rows_entry_split(const struct rows_key *key, const char *subscription,
                      struct rows_waiting *place)
{
    struct rows_key start = rows_outbox_key(subscription);

    return key->size >= start.size + 1 + 8 && memcmp(key->bytes, start.bytes, start.size) == 0 &&
           split_order(codec_get_u64(key->bytes + key->size - 8), place);
}

/* ---- the indices of sessions ---- */

struct rows_key rows_owner_key(uint64_t account, const uint8_t id[SESSION_ID_SIZE])
{
    struct rows_key key;

    key.size = codec_put_varint(key.bytes, account);
    memcpy(key.bytes + key.size, id, SESSION_ID_SIZE);
    key.size += SESSION_ID_SIZE;
    return key;
}

bool rows_owner_split(const struct rows_key *key, uint64_t *account, uint8_t id[SESSION_ID_SIZE])
{
    size_t size = codec_get_varint(key->bytes, key->size, account);

    if (size == 0 || key->size != size + SESSION_ID_SIZE) {
        return false;
    }
    memcpy(id, key->bytes + size, SESSION_ID_SIZE);
    return true;
}

struct rows_key rows_end_key(int64_t at_ms, const uint8_t id[SESSION_ID_SIZE])
{
    struct rows_key key;

    key.size = 8 + SESSION_ID_SIZE;
    codec_put_u64(key.bytes, (uint64_t)at_ms);
    memcpy(key.bytes + 8, id, SESSION_ID_SIZE);
    return key;
}

bool rows_end_split(const struct rows_key *key, int64_t *at_ms, uint8_t id[SESSION_ID_SIZE])
{
    uint64_t at = codec_get_u64(key->bytes);

    if (key->size != 8 + SESSION_ID_SIZE || at > INT64_MAX) {
        return false;
    }
    *at_ms = (int64_t)at;
    memcpy(id, key->bytes + 8, SESSION_ID_SIZE);
    return true;
}

/* ---- marks ---- */

struct rows_key rows_mark_key(enum mark_kind kind, const uint8_t hash[MARK_HASH_SIZE])
{
    struct rows_key key = {.size = 1 + MARK_HASH_SIZE};

    key.bytes[0] = (uint8_t)kind;
    memcpy(key.bytes + 1, hash, MARK_HASH_SIZE);
    return key;
}

bool rows_mark_split(const struct rows_key *key, enum mark_kind *kind, uint8_t hash[MARK_HASH_SIZE])
{
    if (key->size != 1 + MARK_HASH_SIZE || key->bytes[0] >= MARK_KINDS) {
        return false;
    }
    *kind = (enum mark_kind)key->bytes[0];
    memcpy(hash, key->bytes + 1, MARK_HASH_SIZE);
    return true;
}

struct rows_key rows_mark_end_key(enum mark_kind kind, int64_t until_ms,
                                  const uint8_t hash[MARK_HASH_SIZE])
{
    struct rows_key key = {.size = 1 + 8 + MARK_HASH_SIZE};

    key.bytes[0] = (uint8_t)kind;
    codec_put_u64(key.bytes + 1, (uint64_t)until_ms);
    memcpy(key.bytes + 9, hash, MARK_HASH_SIZE);
    return key;
}

bool rows_mark_end_split(const struct rows_key *key, enum mark_kind *kind, int64_t *until_ms,
                         uint8_t hash[MARK_HASH_SIZE])
{
    uint64_t until = codec_get_u64(key->bytes + 1);

    if (key->size != 1 + 8 + MARK_HASH_SIZE || key->bytes[0] >= MARK_KINDS || until > INT64_MAX) {
        return false;
    }
    *kind = (enum mark_kind)key->bytes[0];
    *until_ms = (int64_t)until;
    memcpy(hash, key->bytes + 9, MARK_HASH_SIZE);
    return true;
}
