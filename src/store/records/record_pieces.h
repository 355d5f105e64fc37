/* SPDX-License-Identifier: ISC */
/* record_pieces.h: the pieces of a record's value: write or read many, check record->failed once.
 * Integers are big-endian, times are milliseconds since 1970, texts carry their size. Inline,
 * because a refresh takes several records apart. Knows bytes; does not know what they mean. */
#ifndef RETOKEN_STORE_RECORDS_RECORD_PIECES_H
#define RETOKEN_STORE_RECORDS_RECORD_PIECES_H

#include <string.h>

#include "base/codec.h"
#include "store/records/record.h"

static inline void put_bytes(struct record *record, const void *data, size_t size)
{
    if (size > record->room - RECORD_MAC_SIZE - record->size) {
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

/* For what is small in most records and does not change: 1 to 9 bytes. */
static inline void put_varint(struct record *record, uint64_t value)
{
    uint8_t bytes[CODEC_VARINT_MAX];

    put_bytes(record, bytes, codec_put_varint(bytes, value));
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

/* How long something was before `later_ms`, in 16 bits like a floating-point number: bit 15 says
 * that it was after it (a clock was set back), 5 bits shift what the other 10 say, and the first
 * bit of a shifted value is left out, so that each time has one spelling. Exact for two seconds,
 * to a thousandth for 69 years, and never earlier than it was, so that no window ends too soon. All
 * ones: not known, which a time of 0 says too. */
enum { GAP_BITS = 10, GAP_AFTER = 0x8000, GAP_MOST = 0x7ffe, GAP_UNKNOWN = 0xffff };

static inline void put_gap(struct record *record, int64_t later_ms, int64_t ms)
{
    bool after = ms > later_ms;
    uint64_t gap = (uint64_t)(after ? ms - later_ms : later_ms - ms);
    unsigned bits = 64 - (unsigned)__builtin_clzll(gap | 1);
    unsigned shift = bits > GAP_BITS + 1 ? bits - GAP_BITS - 1 : 0;
    uint64_t up = after ? (UINT64_C(1) << shift) - 1 : 0;
    uint64_t value = ((uint64_t)shift << GAP_BITS) + ((gap + up) >> shift);

    record->failed |= later_ms < 0 || ms < 0;
    value = (value > GAP_MOST ? (uint64_t)GAP_MOST : value) | (after ? (uint64_t)GAP_AFTER : 0);
    put_u16(record, later_ms == 0 || ms == 0 ? (size_t)GAP_UNKNOWN : (size_t)value);
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

/* The same for fields that are empty in most records. */
static inline void put_long_text(struct record *record, const char *field, size_t room)
{
    size_t size = strnlen(field, room);

    record->failed |= size == room;
    put_varint(record, size);
    put_bytes(record, field, size);
}

static inline const uint8_t *get_bytes(struct record *record, size_t size)
{
    static const uint8_t nothing[SESSION_KEY_SIZE];
    const uint8_t *at = record->bytes + record->at;

    if (size > record->size - record->at) {
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

static inline uint64_t get_varint(struct record *record)
{
    uint64_t value = 0;
    size_t size = codec_get_varint(record->bytes + record->at, record->size - record->at, &value);

    record->failed |= size == 0;
    record->at += size;
    return value;
}

static inline uint32_t get_varint32(struct record *record)
{
    uint64_t value = get_varint(record);

    record->failed |= value > UINT32_MAX;
    return (uint32_t)value;
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
static inline int64_t get_gap(struct record *record, int64_t later_ms)
{
    size_t value = get_u16(record);
    bool after = (value & GAP_AFTER) != 0;
    unsigned shift = (unsigned)((value & GAP_MOST) >> GAP_BITS);
    int64_t gap = (int64_t)(value & ((1U << GAP_BITS) - 1));
    int64_t ms;

    if (value == GAP_UNKNOWN) {
        return 0;
    } else if (shift > 0) {
        gap = (gap + (1 << GAP_BITS)) << (shift - 1);
    }
    ms = after ? later_ms + gap : later_ms - gap;
    if (later_ms == 0 || ms <= 0 || value == (GAP_MOST | 1) || (after && gap == 0)) {
        record->failed = true;
    }
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
    } else {
        memcpy(field, get_bytes(record, size), size);
        field[size] = '\0';
        record->failed |= memchr(field, '\0', size) != NULL; /* put_text never writes one */
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

static inline void get_long_text(struct record *record, char *field, size_t room)
{
    size_t size = (size_t)get_varint(record);

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
