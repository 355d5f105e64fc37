/* SPDX-License-Identifier: ISC */
/* keys.c: the verbs about signing keys, and how they change state by their dates. They are few, so
 * a kid is found by reading them all. Does not know what is sealed in them.
 *
 * What is due by the clock has happened for whoever lists the keys, and for nobody else: a clock
 * that is set right takes it back. It is written down by the time that has passed (sweep_time.h),
 * which no setting of a clock moves. */
#include <string.h>

#include "base/codec.h"
#include "store/verbs/verbs.h"

static bool is_followed(struct rows *rows, const struct signing_row *row);
static enum store_result put_changed(struct rows *rows, const struct signing_row *row);

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
    if (row->state == SIGNING_ACTIVE && row->activates_ms == 0) {
        row->activates_ms = row->created_ms;
    }
    counters.keyring_version++;
    rows_signing_put(rows, row);
    rows_counters_put(rows, &counters);
    return STORE_OK;
}

enum store_result keys_set_state(struct rows *rows, const struct store_write *write)
{
    enum signing_state state = write->of.key_state.state;
    struct signing_row row;

    if (!find_kid(rows, write->of.key_state.kid, &row)) {
        return rows->failed ? STORE_FAULT : STORE_ABSENT;
    } else if (row.state == state && row.planned.wall_ms == 0) {
        return STORE_OK;
    } else if (signing_state_is_retired(state)) {
        row.retires_ms = write->now_ms;
    } else if (row.state != state) {
        row.activates_ms = write->now_ms;
        row.retires_ms = 0;
    } else {
        row.retires_ms = 0;
    }
    row.state = state;
    row.planned = (struct clock_moment){0};
    return put_changed(rows, &row);
}

/* A change that every process has to see. */
static enum store_result put_changed(struct rows *rows, const struct signing_row *row)
{
    struct record_counters counters;

    if (!rows_counters_get(rows, &counters)) {
        return STORE_FAULT;
    }
    counters.keyring_version++;
    rows_signing_put(rows, row);
    rows_counters_put(rows, &counters);
    return STORE_OK;
}

/* ---- one takes the place of another ---- */

static bool is_waiting(const struct signing_row *row, const struct clock_moment *now);
static void retire_others(struct rows *rows, const struct signing_row *row, int64_t at_ms,
                          const struct clock_moment *now);

enum store_result keys_rotate(struct rows *rows, const struct store_write *write)
{
    struct signing_row *row = write->of.key_rotate.row;
    int64_t publish_ms = write->of.key_rotate.publish_ms;
    struct clock_moment now = rows_moment(rows, write->now_ms);
    struct rows_key position = rows_key_first();
    struct clock_moment planned = now;
    struct signing_row other;
    enum store_result result;

    while (next_key(rows, &position, &other)) {
        if (signing_is_in_place_of(&other, row) && is_waiting(&other, &now)) {
            return STORE_STALE;
        }
    }
    planned.wall_ms += rows->behind_ms;
    row->state = publish_ms == 0 ? SIGNING_ACTIVE : SIGNING_PUBLISHED;
    row->activates_ms = planned.wall_ms + publish_ms;
    row->planned = publish_ms == 0 ? (struct clock_moment){0} : planned;
    result = keys_add(rows, row);
    if (result == STORE_OK) {
        retire_others(rows, row, row->activates_ms + write->of.key_rotate.keep_ms, &planned);
    }
    return result;
}

/* Will it sign by a date that has not come? */
static bool is_waiting(const struct signing_row *row, const struct clock_moment *now)
{
    return row->state == SIGNING_PUBLISHED && row->planned.wall_ms != 0 && row->activates_ms != 0 &&
           !signing_is_due(&row->planned, row->activates_ms, now);
}

/* Those that sign get a date, counted from *planned; one that has a date keeps it. */
static void retire_others(struct rows *rows, const struct signing_row *row, int64_t at_ms,
                          const struct clock_moment *planned)
{
    struct rows_key position = rows_key_first();
    struct signing_row other;

    while (next_key(rows, &position, &other)) {
        bool signs = other.state == SIGNING_ACTIVE ||
                     (other.state == SIGNING_PUBLISHED && other.planned.wall_ms != 0);

        if (other.number != row->number && signing_is_in_place_of(&other, row) && signs &&
            other.retires_ms == 0) {
            other.state = SIGNING_ACTIVE;
            other.retires_ms = at_ms;
            other.planned = *planned;
            rows_signing_put(rows, &other);
        }
    }
}

void keys_settle(struct rows *rows, int64_t trusted_ms)
{
    const struct clock_moment trusted = {.wall_ms = trusted_ms};
    struct rows_key position = rows_key_first();
    bool failed = rows->failed;
    struct signing_row row;

    while (next_key(rows, &position, &row)) {
        if (row.state == SIGNING_PUBLISHED &&
            signing_is_due(&row.planned, row.activates_ms, &trusted)) {
            row.state = SIGNING_ACTIVE;
        } else if (row.state == SIGNING_ACTIVE &&
                   signing_is_due(&row.planned, row.retires_ms, &trusted) &&
                   is_followed(rows, &row)) {
            row.state = SIGNING_RETIRED;
        } else {
            continue;
        }
        if (row.state == SIGNING_RETIRED || row.retires_ms == 0) {
            row.planned = (struct clock_moment){0};
        }
        put_changed(rows, &row);
    }
    rows->failed = failed || rows->full; /* a damaged one stops nothing: store_check reports it */
}

static bool is_followed(struct rows *rows, const struct signing_row *row)
{
    struct rows_key position = rows_key_first();
    struct signing_row other;

    while (next_key(rows, &position, &other)) {
        if (signing_follows(&other, row)) {
            return true;
        }
    }
    return false;
}

/* ---- reading ---- */

enum store_result keys_list(struct store *store, bool retired, struct signing_row *rows_out,
                            size_t room, size_t *count, struct fault *fault)
{
    const struct clock clock = store_clock(store);
    struct rows_key position = rows_key_first();
    struct rows rows;

    *count = 0;
    if (!verbs_read_begin(store, &rows, fault)) {
        return STORE_FAULT;
    }
    while (*count < room && next_key(&rows, &position, &rows_out[*count])) {
        *count += retired || !signing_state_is_retired(rows_out[*count].state) ? 1 : 0;
    }
    if (clock.now_ms != NULL) {
        const struct clock_moment now = clock_moment(&clock);

        signing_rows_at(rows_out, *count, &now);
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
