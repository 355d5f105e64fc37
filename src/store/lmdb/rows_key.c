/* SPDX-License-Identifier: ISC */
/* rows_key.c: see rows_key.h. Knows bytes. */
#include "store/lmdb/rows_key.h"

#include <string.h>

#include "base/codec.h"

struct rows_key rows_key_first(void)
{
    return (struct rows_key){.size = 1};
}

struct rows_key rows_key_last(void)
{
    struct rows_key key = {.size = ENV_KEY_MAX};

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
    return rows_key_bytes(text, strnlen(text, ENV_KEY_MAX));
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

struct rows_key rows_repeat_key(const struct event *event, const struct rows_key *event_key)
{
    struct rows_key key;

    key.size = REPEAT_SIZE;
    memcpy(key.bytes, event->session, SESSION_ID_SIZE);
    codec_put_u32(key.bytes + REPEAT_GENERATION, event->generation);
    key.bytes[REPEAT_KIND] = (uint8_t)event->kind;
    memcpy(key.bytes + REPEAT_EVENT, event_key->bytes, 8);
    return key;
}

bool rows_repeat_split(const struct rows_key *key, struct rows_key *event_key)
{
    *event_key = rows_key_bytes(key->bytes + REPEAT_EVENT, 8);
    return key->size == REPEAT_SIZE;
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
