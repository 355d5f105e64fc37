/* SPDX-License-Identifier: ISC */
/* marks.c: see marks.h. Others can cause marks, so their number has bounds: an owner has at most a
 * quarter of all, and what is only counted makes room for what is used once. Does not know what is
 * marked. */
#include "store/verbs/marks.h"

#include <string.h>

#include "store/verbs/verbs.h"

enum { MARKS_MOST = 1000000, OWNER_PART = 4 };

static bool is_over(const struct mark *mark, int64_t now_ms);
static bool may_be_added(struct rows *rows, const struct mark *mark, size_t most);
static void make_room(struct rows *rows, const struct mark *mark, size_t most);
static bool is_crowded(struct rows *rows, size_t most);
static size_t part_of_owner(size_t most);
static bool owns_its_part(struct rows *rows, const struct mark *mark, size_t most);
static bool first_to_go(struct rows *rows, struct rows_key *entry);
static bool first_entry(struct rows *rows, enum mark_kind kind, struct rows_key *entry,
                        int64_t *until_ms);
static void remove_entry(struct rows *rows, const struct rows_key *entry);
static void put(struct rows *rows, const struct mark *mark);
static void remove_mark(struct rows *rows, const struct mark *mark);
static void count_owner(struct rows *rows, const uint8_t owner[MARK_HASH_SIZE], bool one_more);

/* ---- reading ---- */

enum store_result marks_find(struct store *store, enum mark_kind kind,
                             const uint8_t hash[MARK_HASH_SIZE], int64_t now_ms, struct mark *mark,
                             struct fault *fault)
{
    struct rows rows;
    bool found;

    if (!verbs_read_begin(store, &rows, fault)) {
        return STORE_FAULT;
    }
    found = rows_mark_get(&rows, kind, hash, mark) && !is_over(mark, now_ms);
    return verbs_read_end(&rows, found);
}

static bool is_over(const struct mark *mark, int64_t now_ms)
{
    return mark->until_ms <= now_ms;
}

/* ---- what is attached to a write ---- */

enum store_result marks_check(struct rows *rows, const struct store_write *write, size_t most)
{
    for (size_t i = 0; i < write->marks; i++) {
        const struct mark *mark = &write->mark[i].mark;
        struct mark stored;
        bool there = rows_mark_get(rows, mark->kind, mark->hash, &stored);

        if (there && write->mark[i].use == STORE_MARK_ONCE && !is_over(&stored, mark->at_ms)) {
            return STORE_EXISTS;
        } else if (!there && write->mark[i].use != STORE_MARK_CLEAR &&
                   !may_be_added(rows, mark, most)) {
            return STORE_FAULT;
        }
    }
    return rows->failed ? STORE_FAULT : STORE_OK;
}

void marks_apply(struct rows *rows, const struct store_write *write, size_t most)
{
    for (size_t i = 0; i < write->marks; i++) {
        struct mark mark = write->mark[i].mark;
        struct mark stored = {.count = 0};

        if (rows_mark_get(rows, mark.kind, mark.hash, &stored)) {
            remove_mark(rows, &stored);
        } else if (write->mark[i].use != STORE_MARK_CLEAR) {
            make_room(rows, &mark, most);
        }
        if (write->mark[i].use != STORE_MARK_CLEAR) {
            mark.count = is_over(&stored, mark.at_ms) ? 1 : stored.count + 1;
            put(rows, &mark);
        }
    }
}

/* ---- bounds ---- */

/* One that is not there yet. One that is used once belongs to a write that is worth what is left of
 * the store; another takes the place of the failures that would be forgotten first. */
static bool may_be_added(struct rows *rows, const struct mark *mark, size_t most)
{
    struct rows_key first;

    if (mark->kind != MARK_KNOWN && owns_its_part(rows, mark, most)) {
        rows_fail(rows,
                  mark->kind == MARK_DEVICE
                      ? "a client has begun %zu device flows that are not over yet"
                      : "a client has used %zu assertions that are not over yet: they must not be "
                        "made to last so long",
                  part_of_owner(most));
    } else if (is_crowded(rows, most) && !first_to_go(rows, &first)) {
        rows_fail(rows, "store is full: there is no room to remember assertions and failures in");
    }
    return !rows->failed;
}

static void make_room(struct rows *rows, const struct mark *mark, size_t most)
{
    struct rows_key first;
    int64_t until_ms;

    if (mark->kind == MARK_KNOWN && owns_its_part(rows, mark, most) &&
        first_entry(rows, MARK_KNOWN, &first, &until_ms)) {
        remove_entry(rows, &first);
    } else if (is_crowded(rows, most) && first_to_go(rows, &first)) {
        remove_entry(rows, &first);
    }
}

static size_t part_of_owner(size_t most)
{
    return (most != 0 ? most : MARKS_MOST) / OWNER_PART;
}

static bool owns_its_part(struct rows *rows, const struct mark *mark, size_t most)
{
    struct mark owned;

    return rows_mark_get(rows, MARK_OWNER, mark->owner, &owned) &&
           owned.count >= part_of_owner(most);
}

/* What is known goes last: it is what lets its owner in while others are slowed. */
static bool first_to_go(struct rows *rows, struct rows_key *entry)
{
    int64_t until_ms;

    return first_entry(rows, MARK_FAILURE, entry, &until_ms) ||
           first_entry(rows, MARK_KNOWN, entry, &until_ms);
}

static bool is_crowded(struct rows *rows, size_t most)
{
    uint64_t entries = 0;

    if (rows->txn.kind->count(&rows->txn, TABLE_MARK_ENDS, &entries, rows->fault) != TXN_OK) {
        rows->failed = true;
    }
    return entries >= (most != 0 ? most : MARKS_MOST) || rows->txn.kind->nearly_full(&rows->txn);
}

/* ---- in the order of their ends ---- */

void marks_sweep(struct rows *rows, int64_t now_ms, size_t most)
{
    for (enum mark_kind kind = MARK_OWNER + 1; kind < MARK_KINDS; kind++) {
        struct rows_key first;
        int64_t until_ms;

        for (size_t i = 0;
             i < most && first_entry(rows, kind, &first, &until_ms) && until_ms <= now_ms; i++) {
            remove_entry(rows, &first);
        }
    }
}

static bool first_entry(struct rows *rows, enum mark_kind kind, struct rows_key *entry,
                        int64_t *until_ms)
{
    uint8_t hash[MARK_HASH_SIZE] = {0};
    enum mark_kind found;

    *entry = rows_mark_end_key(kind, 0, hash);
    return rows_next(rows, TABLE_MARK_ENDS, TXN_FROM, entry) &&
           rows_mark_end_split(entry, &found, until_ms, hash) && found == kind;
}

/* With its mark. A mark that cannot be read is of no use to anybody, and one that is over at
 * another time has an entry of its own. */
static void remove_entry(struct rows *rows, const struct rows_key *entry)
{
    struct mark mark;
    enum mark_kind kind;
    int64_t until_ms;
    uint8_t hash[MARK_HASH_SIZE];
    bool found;

    rows_mark_end_split(entry, &kind, &until_ms, hash);
    found = rows_mark_get(rows, kind, hash, &mark);
    if (found && mark.until_ms == until_ms) {
        remove_mark(rows, &mark);
        return;
    } else if (!found && rows->failed) {
        rows->failed = false;
        rows_mark_remove(rows, kind, hash);
    }
    rows_index_remove(rows, TABLE_MARK_ENDS, entry);
}

/* ---- one mark ---- */

static void put(struct rows *rows, const struct mark *mark)
{
    struct rows_key end = rows_mark_end_key(mark->kind, mark->until_ms, mark->hash);

    rows_mark_put(rows, mark);
    rows_index_put(rows, TABLE_MARK_ENDS, &end);
    count_owner(rows, mark->owner, true);
}

static void remove_mark(struct rows *rows, const struct mark *mark)
{
    struct rows_key end = rows_mark_end_key(mark->kind, mark->until_ms, mark->hash);

    rows_mark_remove(rows, mark->kind, mark->hash);
    rows_index_remove(rows, TABLE_MARK_ENDS, &end);
    count_owner(rows, mark->owner, false);
}

static void count_owner(struct rows *rows, const uint8_t owner[MARK_HASH_SIZE], bool one_more)
{
    struct mark owned = {.kind = MARK_OWNER};

    if (!mark_has_owner(owner)) {
        return;
    } else if (!rows_mark_get(rows, MARK_OWNER, owner, &owned)) {
        memcpy(owned.hash, owner, sizeof owned.hash);
    }
    if (one_more) {
        owned.count++;
        rows_mark_put(rows, &owned);
    } else if (owned.count > 1) {
        owned.count--;
        rows_mark_put(rows, &owned);
    } else {
        rows_mark_remove(rows, MARK_OWNER, owner);
    }
}
