/* SPDX-License-Identifier: ISC */
/* record_pieces.h: the pieces of a record's value: write or read many, check record->failed once.
 * Integers are big-endian, times are milliseconds since 1970, texts carry their size. Inline,
 * because a refresh takes several records apart. Knows bytes; does not know what they mean. */
#ifndef RETOKEN_STORE_LMDB_RECORD_PIECES_H
#define RETOKEN_STORE_LMDB_RECORD_PIECES_H

#include <string.h>

#include "base/codec.h"
#include "store/lmdb/record.h"

static inline void put_bytes(struct record *record, const void *data, size_t size)
{
    if (record->failed || size > sizeof record->bytes - RECORD_MAC_SIZE - record->size) {
        record->failed = true;
        return;
    }
    memcpy(record->bytes + record->size, data, size);
    record->size += size;
}

static inline void put_u8(struct record *record, unsigned value)
{
    uint8_t byte = (uint8_t)value;

    put_bytes(record, &byte, 1);
}

static inline void put_u16(struct record *record, size_t value)
{
    uint8_t bytes[2] = {(uint8_t)(value >> 8), (uint8_t)value};

    put_bytes(record, bytes, sizeof bytes);
}

static inline void put_u32(struct record *record, uint32_t value)
{
    uint8_t bytes[4];

    codec_put_u32(bytes, value);
    put_bytes(record, bytes, sizeof bytes);
}

static inline void put_u64(struct record *record, uint64_t value)
{
    uint8_t bytes[8];

    codec_put_u64(bytes, value);
    put_bytes(record, bytes, sizeof bytes);
}

static inline void put_time(struct record *record, int64_t ms)
{
    put_u64(record, (uint64_t)ms);
}

/* Milliseconds since 1970 in 48 bits, as sessions have them: until the year 10889, and what is
 * later counts as that. */
static inline void put_time48(struct record *record, int64_t ms)
{
    uint8_t bytes[8];

    record->failed |= ms < 0;
    codec_put_u64(bytes, ms > RECORD_TIME_MAX ? (uint64_t)RECORD_TIME_MAX : (uint64_t)ms);
    put_bytes(record, bytes + 2, 6);
}

/* How long before `latest` something was, in 32 bits: bit 31 says that it was after it (a clock was
 * set), bit 30 that the rest is in seconds and not in milliseconds. All ones: not known, which a
 * time of 0 says too. */
static const uint32_t ago_after = UINT32_C(1) << 31, ago_seconds = UINT32_C(1) << 30;
static const uint32_t ago_most = (UINT32_C(1) << 30) - 2, ago_unknown = UINT32_MAX;

static inline void put_ago(struct record *record, int64_t latest_ms, int64_t ms)
{
    bool after = ms > latest_ms;
    int64_t ago = after ? ms - latest_ms : latest_ms - ms;
    bool seconds = ago / 1000 > ago_most / 1000; /* up to a second more counts as ago_most */

    if (latest_ms == 0 || ms == 0) {
        put_u32(record, ago_unknown);
        return;
    }
    ago = seconds ? ago / 1000 : ago;
    put_u32(record, (after ? ago_after : 0) | (seconds ? ago_seconds : 0) |
                        (ago > ago_most ? ago_most : (uint32_t)ago));
}

/* A field of `room` bytes that must end inside them. */
static inline void put_text(struct record *record, const char *field, size_t room)
{
    size_t size = strnlen(field, room);

    if (size == room) {
        record->failed = true;
        return;
    }
    put_u16(record, size);
    put_bytes(record, field, size);
}

/* The same for fields of at most 255 bytes. */
static inline void put_short_text(struct record *record, const char *field, size_t room)
{
    size_t size = strnlen(field, room);

    if (size == room || size > UINT8_MAX) {
        record->failed = true;
        return;
    }
    put_u8(record, (unsigned)size);
    put_bytes(record, field, size);
}

static inline const uint8_t *get_bytes(struct record *record, size_t size)
{
    static const uint8_t nothing[SESSION_KEY_SIZE];
    const uint8_t *at = record->bytes + record->at;

    if (record->failed || size > record->size - record->at) {
        record->failed = true;
        return nothing;
    }
    record->at += size;
    return at;
}

static inline unsigned get_u8(struct record *record)
{
    return get_bytes(record, 1)[0];
}

static inline size_t get_u16(struct record *record)
{
    const uint8_t *at = get_bytes(record, 2);

    return (size_t)at[0] << 8 | at[1];
}

static inline uint32_t get_u32(struct record *record)
{
    return codec_get_u32(get_bytes(record, 4));
}

static inline uint64_t get_u64(struct record *record)
{
    return codec_get_u64(get_bytes(record, 8));
}

static inline int64_t get_time(struct record *record)
{
    return (int64_t)get_u64(record);
}

static inline int64_t get_time48(struct record *record)
{
    const uint8_t *at = get_bytes(record, 6);

    return (int64_t)((uint64_t)at[0] << 40 | (uint64_t)at[1] << 32 | codec_get_u32(at + 2));
}

/* 0 = not known. */
static inline int64_t get_ago(struct record *record, int64_t latest_ms)
{
    uint32_t value = get_u32(record);
    int64_t units = value & (ago_seconds - 1);
    int64_t ago = (value & ago_seconds) != 0 ? units * 1000 : units;
    int64_t ms = (value & ago_after) != 0 ? latest_ms + ago : latest_ms - ago;

    if (value == ago_unknown) {
        return 0;
    }
    /* each time has one spelling */
    record->failed |= latest_ms == 0 || ms <= 0 || units > ago_most ||
                      ((value & ago_after) != 0 && ago == 0) ||
                      ((value & ago_seconds) != 0 && ago <= ago_most);
    return ms;
}

static inline void get_into(struct record *record, uint8_t *field, size_t size)
{
    memcpy(field, get_bytes(record, size), size);
}

static inline void get_text_of(struct record *record, size_t size, char *field, size_t room)
{
    field[0] = '\0';
    if (size >= room || size > record->size - record->at) {
        record->failed = true;
    } else if (!record->failed) {
        memcpy(field, get_bytes(record, size), size);
        field[size] = '\0';
        record->failed = memchr(field, '\0', size) != NULL; /* put_text never writes one */
    }
}

static inline void get_text(struct record *record, char *field, size_t room)
{
    size_t size = get_u16(record);

    get_text_of(record, size, field, room);
}

static inline void get_short_text(struct record *record, char *field, size_t room)
{
    size_t size = get_u8(record);

    get_text_of(record, size, field, room);
}

/* An enumerator from 0 to `last`. */
static inline unsigned get_choice(struct record *record, unsigned last)
{
    unsigned value = get_u8(record);

    if (value > last) {
        record->failed = true;
        return 0;
    }
    return value;
}

static inline void put_version(struct record *record)
{
    put_u8(record, 1);
}

static inline void get_version(struct record *record)
{
    if (get_u8(record) != 1) {
        record->failed = true;
    }
}

/* Read to the last byte and nothing was wrong on the way. */
static inline bool ended(const struct record *record)
{
    return !record->failed && record->at == record->size;
}

#endif
