/* SPDX-License-Identifier: ISC */
/* accounts.c: the verbs about accounts. Records stand under numbers, which are never used twice; a
 * table of names leads to them. Does not know what a password or a claim means. */
#include <string.h>

#include "store/lmdb/lmdb_store.h"

/* ---- find ---- */

static bool find(struct rows *rows, const char *name, struct account *account)
{
    uint64_t number;

    return rows_name_get(rows, name, &number) && rows_account_get(rows, number, account);
}

enum store_result accounts_find(struct store *store, const char *name, struct account *account,
                                struct fault *fault)
{
    struct rows rows;

    return lmdb_store_read_begin(store, &rows, fault)
               ? lmdb_store_read_end(&rows, find(&rows, name, account))
               : STORE_FAULT;
}

enum store_result accounts_get(struct store *store, uint64_t number, struct account *account,
                               struct fault *fault)
{
    struct rows rows;

    return lmdb_store_read_begin(store, &rows, fault)
               ? lmdb_store_read_end(&rows, rows_account_get(&rows, number, account))
               : STORE_FAULT;
}

enum store_result accounts_list(struct store *store, const char *after, struct account *rows_out,
                                size_t room, size_t *count, struct fault *fault)
{
    struct rows_key position = after != NULL ? rows_key_text(after) : rows_key_first();
    enum env_seek seek = after != NULL ? ENV_AFTER : ENV_FROM;
    struct rows rows;

    *count = 0;
    if (!lmdb_store_read_begin(store, &rows, fault)) {
        return STORE_FAULT;
    }
    for (; *count < room && rows_next(&rows, TABLE_NAMES, seek, &position); seek = ENV_AFTER) {
        char name[ENV_KEY_MAX + 1];

        rows_key_read_text(&position, name);
        *count += find(&rows, name, &rows_out[*count]) ? 1 : 0;
    }
    return lmdb_store_read_end(&rows, true);
}

/* ---- change ---- */

static void note_change(struct rows *rows, uint64_t account, enum ended_what what);
static void raise_epoch(struct rows *rows, struct account *account,
                        const struct store_write *write);

enum store_result accounts_add(struct rows *rows, struct account *account)
{
    struct record_counters counters;
    uint64_t number;

    if (!rows_have_room(rows) || !rows_counters_get(rows, &counters)) {
        return STORE_FAULT;
    } else if (rows_name_get(rows, account->name, &number)) {
        return STORE_EXISTS;
    }
    account->number = counters.next_account++;
    rows_name_put(rows, account->name, account->number);
    rows_account_put(rows, account);
    rows_counters_put(rows, &counters);
    return STORE_OK;
}

static bool is_same(const struct account *a, const struct account *b)
{
    return a->enabled == b->enabled && a->created_ms == b->created_ms &&
           a->keep_on_password_change == b->keep_on_password_change &&
           a->session_limit == b->session_limit && strcmp(a->name, b->name) == 0 &&
           strcmp(a->subject, b->subject) == 0 && strcmp(a->roles, b->roles) == 0 &&
           strcmp(a->claims, b->claims) == 0 && strcmp(a->password, b->password) == 0;
}

/* Epoch and last login are the store's own: no update takes them back. */
enum store_result accounts_update(struct rows *rows, const struct store_write *write)
{
    const struct account *before = write->of.account_update.before;
    struct account account;
    struct account updated = *write->of.account_update.after;

    if (!rows_account_get(rows, updated.number, &account)) {
        return STORE_ABSENT;
    } else if (before != NULL && !is_same(before, &account)) {
        return STORE_STALE;
    }
    memcpy(updated.name, account.name, sizeof updated.name);
    updated.epoch = account.epoch;
    updated.last_login_ms = account.last_login_ms;
    if (write->of.account_update.end != SESSION_LIVE) {
        raise_epoch(rows, &updated, write);
    }
    rows_account_put(rows, &updated);
    if (updated.enabled != account.enabled) {
        note_change(rows, updated.number,
                    updated.enabled ? ENDED_ACCOUNT_ENABLED : ENDED_ACCOUNT_DISABLED);
    }
    return STORE_OK;
}

/* Its sessions end in the commit of the change. */
static void raise_epoch(struct rows *rows, struct account *account, const struct store_write *write)
{
    const struct ended entry = {.what = ENDED_ACCOUNT,
                                .account = account->number,
                                .epoch = ++account->epoch,
                                .end = write->of.account_update.end,
                                .at_ms = write->of.account_update.now_ms};

    ends_note(rows, &entry);
}

/* An older copy of the data does not undo it. */
static void note_change(struct rows *rows, uint64_t account, enum ended_what what)
{
    const struct ended entry = {.what = what,
                                .account = account,
                                .end = SESSION_ENDED_ACCOUNT,
                                .at_ms = rows->clock != NULL ? clock_now_ms(rows->clock) : 0};

    ends_note(rows, &entry);
}

enum store_result accounts_remove(struct rows *rows, const char *name)
{
    uint64_t number;

    if (!rows_name_get(rows, name, &number)) {
        return STORE_ABSENT;
    }
    rows_account_remove(rows, number);
    rows_name_remove(rows, name);
    note_change(rows, number, ENDED_ACCOUNT_REMOVED);
    return STORE_OK;
}
