/* SPDX-License-Identifier: ISC */
/* copy.c: all of a store into another one, of the same kind or not. The rows are copied as they
 * are, with their MACs, and so is the first record, from which the key of the MACs comes. Knows
 * tables; does not know what is in them. */
#include <string.h>

#include "store/verbs/verbs.h"

enum { COPIED_AT_ONCE = 1000 };

/* A walk through the tables of another store, in steps. */
struct copying {
    struct rows *from;
    enum table table, reached_table;
    struct rows_key after, reached; /* after: done up to here; size 0 = nothing of the table */
    size_t copied;                  /* by this step */
    bool more;
};

static enum store_result is_empty(struct store *store, struct fault *fault);
static enum store_result copy_step(struct store *to, struct copying *copying, struct fault *fault);
static bool count_all(struct rows *rows, uint64_t *total, struct fault *fault);

enum store_result copy_all(struct store *from, struct store *to,
                           void (*progress)(void *self, uint64_t done, uint64_t total), void *self,
                           struct fault *fault)
{
    struct crypto_mac *mac = verbs_of(to)->mac;
    struct copying copying = {.more = true};
    enum store_result result = is_empty(to, fault);
    uint64_t done = 0, total = 0;
    struct rows rows;

    if (result != STORE_OK) {
        return result;
    } else if (!verbs_read_begin(from, &rows, fault)) {
        return STORE_FAULT;
    }
    copying.from = &rows;
    rows.failed = !count_all(&rows, &total, fault);
    verbs_of(to)->mac = verbs_of(from)->mac; /* what is copied is read with it */
    while (!rows.failed && result == STORE_OK && copying.more) {
        result = copy_step(to, &copying, fault);
        done += copying.copied;
        if (progress != NULL) {
            progress(self, done, total);
        }
    }
    verbs_of(to)->mac = mac;
    if (verbs_read_end(&rows, true) != STORE_OK) {
        return STORE_FAULT;
    }
    return result;
}

static enum store_result is_empty(struct store *store, struct fault *fault)
{
    static const enum table holding[] = {TABLE_SESSIONS, TABLE_ACCOUNTS, TABLE_CLIENTS, TABLE_KEYS,
                                         TABLE_EVENTS};
    struct rows_key key;
    struct rows rows;
    bool empty = true;

    if (!verbs_read_begin(store, &rows, fault)) {
        return STORE_FAULT;
    }
    for (size_t i = 0; i < sizeof holding / sizeof holding[0]; i++) {
        key = rows_key_first();
        empty = empty && !rows_next(&rows, holding[i], TXN_FROM, &key);
    }
    if (verbs_read_end(&rows, true) != STORE_OK) {
        return STORE_FAULT;
    } else if (!empty) {
        fault_set(fault, "the store that shall get the copy is not empty");
    }
    return empty ? STORE_OK : STORE_EXISTS;
}

static bool count_all(struct rows *rows, uint64_t *total, struct fault *fault)
{
    bool counted = true;

    for (int i = 0; i < TABLES && counted; i++) {
        uint64_t entries = 0;

        counted = rows->txn.kind->count(&rows->txn, (enum table)i, &entries, fault) == TXN_OK;
        *total += entries;
    }
    return counted;
}

static enum store_result copy_step(struct store *to, struct copying *copying, struct fault *fault)
{
    struct store_write write = {.kind = STORE_WRITE_COPY, .of.copy = copying};
    enum store_result result = store_write(to, &write, fault);

    if (result == STORE_OK) {
        copying->table = copying->reached_table;
        copying->after = copying->reached;
    }
    return result;
}

/* May be done more than once for one step. */
enum store_result copy_some(struct rows *rows, struct copying *copying)
{
    struct txn_bytes stored;

    copying->copied = 0;
    copying->reached_table = copying->table;
    copying->reached = copying->after;
    while (copying->copied < COPIED_AT_ONCE && (int)copying->reached_table < TABLES) {
        bool begins = copying->reached.size == 0;

        if (begins) {
            copying->reached = rows_key_first();
        }
        if (rows_next(copying->from, copying->reached_table, begins ? TXN_FROM : TXN_AFTER,
                      &copying->reached) &&
            rows_raw_get(copying->from, copying->reached_table, &copying->reached, &stored)) {
            rows_raw_put(rows, copying->reached_table, &copying->reached, stored);
            copying->copied++;
        } else {
            copying->reached_table = (enum table)(copying->reached_table + 1);
            copying->reached.size = 0;
        }
    }
    copying->more = (int)copying->reached_table < TABLES;
    if (copying->from->failed) {
        rows_fail(rows, "the store that is copied cannot be read");
    }
    return STORE_OK;
}
