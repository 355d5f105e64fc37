/* keys.c: the verbs about signing keys. They are few, so a kid is found by reading them all. */
#include <string.h>

#include "base/codec.h"
#include "store/store_private.h"

/* The key after *position, in order of number. */
static enum store_result next_key(struct rows *rows, struct rows_key *position,
                                  struct signing_row *row, struct fault *fault)
{
    enum store_result result = rows_next(rows, TABLE_KEYS, ENGINE_AFTER, position, fault);

    return result == STORE_OK ? rows_key_get(rows, codec_get_u32(position->bytes), row, fault)
                              : result;
}

static enum store_result find_kid(struct rows *rows, const char *kid, struct signing_row *row,
                                  struct fault *fault)
{
    struct rows_key position = rows_key_first();
    enum store_result result;

    do {
        result = next_key(rows, &position, row, fault);
    } while (result == STORE_OK && strcmp(row->kid, kid) != 0);
    return result;
}

/* ---- change ---- */

static enum store_result apply_add(struct rows *rows, void *what, struct fault *fault)
{
    struct signing_row *row = what;
    struct signing_row other;
    struct record_counters counters;
    enum store_result result = find_kid(rows, row->kid, &other, fault);

    if (result != STORE_ABSENT) {
        return result == STORE_OK ? STORE_EXISTS : result;
    } else if (rows_counters_get(rows, &counters, fault) != STORE_OK) {
        return STORE_FAULT;
    }
    row->number = counters.next_key++;
    counters.keyring_version++;
    if (rows_key_put(rows, row, fault) != STORE_OK) {
        return STORE_FAULT;
    }
    return rows_counters_put(rows, &counters, fault);
}

enum store_result store_key_add(struct store *store, struct signing_row *row, struct fault *fault)
{
    if (row->kid[0] == '\0') {
        fault_set(fault, "a signing key needs a kid");
        return STORE_FAULT;
    }
    return store_private_write(store, apply_add, row, row->created_ms, fault);
}

struct transition {
    const char *kid;
    enum signing_state state;
};

static enum store_result apply_state(struct rows *rows, void *what, struct fault *fault)
{
    const struct transition *transition = what;
    struct signing_row row;
    struct record_counters counters;
    enum store_result result = find_kid(rows, transition->kid, &row, fault);

    if (result != STORE_OK || row.state == transition->state) {
        return result;
    } else if (rows_counters_get(rows, &counters, fault) != STORE_OK) {
        return STORE_FAULT;
    }
    row.state = transition->state;
    counters.keyring_version++;
    if (rows_key_put(rows, &row, fault) != STORE_OK) {
        return STORE_FAULT;
    }
    return rows_counters_put(rows, &counters, fault);
}

enum store_result store_key_set_state(struct store *store, const char *kid,
                                      enum signing_state state, struct fault *fault)
{
    struct transition transition = {kid, state};

    return store_private_write(store, apply_state, &transition, 0, fault);
}

/* ---- read ---- */

enum store_result store_key_list(struct store *store, bool retired, struct signing_row *rows,
                                 size_t room, size_t *count, struct fault *fault)
{
    struct rows_key position = rows_key_first();
    struct rows snapshot;
    enum store_result result = store_private_read_begin(store, &snapshot, fault);

    *count = 0;
    if (result != STORE_OK) {
        return result;
    }
    while (*count < room && result == STORE_OK) {
        result = next_key(&snapshot, &position, &rows[*count], fault);
        if (result == STORE_OK && (retired || rows[*count].state != SIGNING_RETIRED)) {
            ++*count;
        }
    }
    store_private_read_end(&snapshot);
    return result == STORE_ABSENT ? STORE_OK : result;
}

enum store_result store_keyring_version(struct store *store, uint64_t *version, struct fault *fault)
{
    struct record_counters counters;
    struct rows rows;
    enum store_result result = store_private_read_begin(store, &rows, fault);

    if (result == STORE_OK) {
        result = rows_counters_get(&rows, &counters, fault);
        store_private_read_end(&rows);
    }
    if (result == STORE_OK) {
        *version = counters.keyring_version;
    }
    return result;
}
