/* SPDX-License-Identifier: ISC */
/* keys.c: the verbs about signing keys. They are few, so a kid is found by reading them all. Does
 * not know what is sealed in them. */
#include <string.h>

#include "base/codec.h"
#include "store/verbs/verbs.h"

/* The key after *position, in order of number. */
static bool next_key(struct rows *rows, struct rows_key *position, struct signing_row *row)
{
    return rows_next(rows, TABLE_KEYS, TXN_AFTER, position) &&
           rows_signing_get(rows, codec_get_u32(position->bytes), row);
}

static bool find_kid(struct rows *rows, const char *kid, struct signing_row *row)
{
    struct rows_key position = rows_key_first();

    while (next_key(rows, &position, row)) {
        if (strcmp(row->kid, kid) == 0) {
            return true;
        }
    }
    return false;
}

enum store_result keys_add(struct rows *rows, struct signing_row *row)
{
    struct signing_row other;
    struct record_counters counters;

    if (!rows_counters_get(rows, &counters)) {
        return STORE_FAULT;
    } else if (find_kid(rows, row->kid, &other)) {
        return STORE_EXISTS;
    }
    row->number = counters.next_key++;
    counters.keyring_version++;
    rows_signing_put(rows, row);
    rows_counters_put(rows, &counters);
    return STORE_OK;
}

enum store_result keys_set_state(struct rows *rows, const char *kid, enum signing_state state)
{
    struct signing_row row;
    struct record_counters counters;

    if (!rows_counters_get(rows, &counters)) {
        return STORE_FAULT;
    } else if (!find_kid(rows, kid, &row)) {
        return STORE_ABSENT;
    } else if (row.state != state) {
        row.state = state;
        counters.keyring_version++;
        rows_signing_put(rows, &row);
        rows_counters_put(rows, &counters);
    }
    return STORE_OK;
}

enum store_result keys_list(struct store *store, bool retired, struct signing_row *rows_out,
                            size_t room, size_t *count, struct fault *fault)
{
    struct rows_key position = rows_key_first();
    struct rows rows;

    *count = 0;
    if (!verbs_read_begin(store, &rows, fault)) {
        return STORE_FAULT;
    }
    while (*count < room && next_key(&rows, &position, &rows_out[*count])) {
        *count += retired || !signing_state_is_retired(rows_out[*count].state) ? 1 : 0;
    }
    return verbs_read_end(&rows, true);
}

enum store_result keys_version(struct store *store, uint64_t *version, struct fault *fault)
{
    struct record_counters counters;
    struct rows rows;

    if (!verbs_read_begin(store, &rows, fault)) {
        return STORE_FAULT;
    }
    if (rows_counters_get(&rows, &counters)) {
        *version = counters.keyring_version;
    }
    return verbs_read_end(&rows, true);
}
