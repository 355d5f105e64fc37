/* SPDX-License-Identifier: ISC */
/* parameters.c: see parameters.h. The binary forms: src/backend/utils/adt of PostgreSQL, array_recv
 * and timestamptz_recv; they have not changed since version 8.4. */
#include "store/postgresql/parameters.h"

#include <stdlib.h>
#include <string.h>

#include "base/codec.h"

enum {
    ROOM_FIRST = 1024,
    /* of an array: dimensions, has nulls, type, size, lower bound */
    ARRAY_NULLS = 4,
    ARRAY_SIZE = 12,
    ARRAY_HEAD = 20
};

#define EPOCH_MS INT64_C(946684800000) /* 2000-01-01 */
/* The first microsecond that timestamptz cannot hold: the year 294277. */
#define TIME_END_US INT64_C(9223371331200000000)

static bool begin(struct parameters *parameters);
static uint8_t *extend(struct parameters *parameters, size_t size);
static int64_t microseconds(int64_t ms);

void parameters_clear(struct parameters *parameters)
{
    parameters->size = parameters->count = 0;
    parameters->in_array = parameters->failed = false;
}

void parameters_free(struct parameters *parameters)
{
    free(parameters->bytes);
    *parameters = (struct parameters){0};
}

void parameters_bytes(struct parameters *parameters, const void *data, size_t size)
{
    uint8_t *bytes = begin(parameters) ? extend(parameters, size) : NULL;

    if (bytes != NULL && size > 0) {
        memcpy(bytes, data, size);
    }
}

void parameters_i64(struct parameters *parameters, int64_t value)
{
    uint8_t bytes[8];

    codec_put_u64(bytes, (uint64_t)value);
    parameters_bytes(parameters, bytes, sizeof bytes);
}

void parameters_time(struct parameters *parameters, int64_t ms)
{
    parameters_i64(parameters, microseconds(ms));
}

void parameters_null(struct parameters *parameters)
{
    if (begin(parameters)) {
        parameters->each[parameters->count - 1].null = true;
    }
}

void parameters_array(struct parameters *parameters, enum parameters_type type)
{
    static const uint32_t types[] = {[PARAMETERS_BYTEA] = 17,
                                     [PARAMETERS_UUID] = 2950,
                                     [PARAMETERS_TEXT] = 25,
                                     [PARAMETERS_I64] = 20,
                                     [PARAMETERS_TIME] = 1184};
    uint8_t *head = begin(parameters) ? extend(parameters, ARRAY_HEAD) : NULL;

    if (head != NULL) {
        codec_put_u32(head, 1);
        codec_put_u32(head + ARRAY_NULLS, 0);
        codec_put_u32(head + 8, types[type]);
        codec_put_u32(head + ARRAY_SIZE, 0);
        codec_put_u32(head + 16, 1);
        parameters->in_array = true;
        parameters->type = type;
    }
}

void parameters_add(struct parameters *parameters, const void *data, size_t size)
{
    parameters->failed = parameters->failed || !parameters->in_array;
    uint8_t *bytes = parameters->failed ? NULL : extend(parameters, 4 + (data != NULL ? size : 0));

    if (bytes != NULL) {
        uint8_t *head = parameters->bytes + parameters->each[parameters->count - 1].at;

        codec_put_u32(head + ARRAY_SIZE, codec_get_u32(head + ARRAY_SIZE) + 1);
        codec_put_u32(bytes, data != NULL ? (uint32_t)size : UINT32_MAX);
        if (data == NULL) {
            codec_put_u32(head + ARRAY_NULLS, 1);
        } else if (size > 0) {
            memcpy(bytes + 4, data, size);
        }
    }
}

void parameters_add_i64(struct parameters *parameters, int64_t value)
{
    uint8_t bytes[8];

    codec_put_u64(bytes,
                  (uint64_t)(parameters->type == PARAMETERS_TIME ? microseconds(value) : value));
    parameters_add(parameters, bytes, sizeof bytes);
}

int64_t parameters_time_ms(const uint8_t bytes[8])
{
    int64_t us = (int64_t)codec_get_u64(bytes);

    if (us == INT64_MIN || us == INT64_MAX) {
        return us;
    }
    return us / 1000 - (us % 1000 < 0) + EPOCH_MS;
}

/* ---- */

/* A parameter of no bytes yet. */
static bool begin(struct parameters *parameters)
{
    parameters->in_array = false;
    parameters->failed = parameters->failed || parameters->count == PARAMETERS_MAX;
    if (!parameters->failed) {
        parameters->each[parameters->count].at = parameters->size;
        parameters->each[parameters->count].size = 0;
        parameters->each[parameters->count].null = false;
        parameters->count++;
    }
    return !parameters->failed;
}

/* Lengthens the last parameter: where its new bytes go. NULL: out of memory. */
static uint8_t *extend(struct parameters *parameters, size_t size)
{
    size_t room = parameters->room > 0 ? parameters->room : ROOM_FIRST;

    while (room - parameters->size < size && room <= SIZE_MAX / 2) {
        room *= 2;
    }
    if (room != parameters->room) {
        uint8_t *bytes = room - parameters->size < size ? NULL : realloc(parameters->bytes, room);

        if (bytes == NULL) {
            parameters->failed = true;
            return NULL;
        }
        parameters->bytes = bytes;
        parameters->room = room;
    }
    parameters->size += size;
    parameters->each[parameters->count - 1].size += size;
    return parameters->bytes + parameters->size - size;
}

static int64_t microseconds(int64_t ms)
{
    if (ms >= TIME_END_US / 1000 + EPOCH_MS) {
        return INT64_MAX;
    }
    /* 4714 BC is as early as timestamptz goes; no time here is before 1970 */
    return ((ms > 0 ? ms : 0) - EPOCH_MS) * 1000;
}
