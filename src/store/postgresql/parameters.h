/* SPDX-License-Identifier: ISC */
/* parameters.h: the parameters of a statement as PostgreSQL takes them in binary. Knows the bytes
 * of its types; does not know libpq or what the statement does. */
#ifndef RETOKEN_STORE_POSTGRESQL_PARAMETERS_H
#define RETOKEN_STORE_POSTGRESQL_PARAMETERS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { PARAMETERS_MAX = 24 };

/* PARAMETERS_TIME: timestamptz, of milliseconds since 1970. */
enum parameters_type {
    PARAMETERS_BYTEA,
    PARAMETERS_UUID,
    PARAMETERS_TEXT,
    PARAMETERS_I64,
    PARAMETERS_TIME
};

/* All zero is empty. Grows, and is used again after parameters_clear. */
struct parameters {
    uint8_t *bytes;
    size_t size, room;
    struct {
        size_t at, size; /* in `bytes` */
        bool null;
    } each[PARAMETERS_MAX];
    size_t count;
    bool in_array; /* the last one is an array, and may get more elements */
    enum parameters_type type;
    bool failed; /* out of memory, or more than PARAMETERS_MAX */
};

/* Empties it and keeps its memory. */
void parameters_clear(struct parameters *parameters);
/* Frees its memory, after which it is empty. */
void parameters_free(struct parameters *parameters);

/* Each adds the next parameter: $1, $2, … The bytes are copied. What fails is remembered, and
 * connection_send tells it. */
void parameters_bytes(struct parameters *parameters, const void *data, size_t size); /* bytea, uuid,
                                                                                        text */
void parameters_i64(struct parameters *parameters, int64_t value);                   /* bigint */
void parameters_time(struct parameters *parameters, int64_t ms); /* timestamptz; beyond what it can
                                                                    hold: infinity */
void parameters_null(struct parameters *parameters);

/* Begins a parameter that is an array of that type, with the elements that are added until the next
 * parameter begins. */
void parameters_array(struct parameters *parameters, enum parameters_type type);
void parameters_add(struct parameters *parameters, const void *data, size_t size); /* data NULL: SQL
                                                                                      null */
void parameters_add_i64(struct parameters *parameters, int64_t value); /* of PARAMETERS_I64 and
                                                                          PARAMETERS_TIME */

/* Milliseconds since 1970 of a timestamptz as the server sends it, rounded down; INT64_MIN and
 * INT64_MAX of the infinities. */
int64_t parameters_time_ms(const uint8_t bytes[8]);

#endif
