/* SPDX-License-Identifier: ISC */
/* accounts.c: the verbs about accounts. Records stand under numbers, which are never used twice; a
 * table of names leads to them. Does not know what a password or a claim means. */
#include <string.h>

#include "base/codec.h"
#include "store/verbs/verbs.h"

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

    return verbs_read_begin(store, &rows, fault) ? verbs_read_end(&rows, find(&rows, name, account))
                                                 : STORE_FAULT;
}

enum store_result accounts_get(struct store *store, uint64_t number, struct account *account,
                               struct fault *fault)
{
    struct rows rows;

    return verbs_read_begin(store, &rows, fault)
               ? verbs_read_end(&rows, rows_account_get(&rows, number, account))
               : STORE_FAULT;
}

enum { DRAW_STEPS = 64 };

/* From the drawn number on, and from the first one after the last. */
enum store_result accounts_draw(struct store *store, uint64_t draw, struct account *account,
                                struct fault *fault)
{
    struct record_counters counters;
    struct rows_key position;
    enum txn_seek seek = TXN_FROM;
    struct rows rows;
    bool found = false;

    if (!verbs_read_begin(store, &rows, fault)) {
        return STORE_FAULT;
    } else if (rows_counters_get(&rows, &counters) && counters.next_account > 0) {
        position = rows_key_u64(draw % counters.next_account);
        for (int i = 0; i < DRAW_STEPS && !found && !rows.failed; i++, seek = TXN_AFTER) {
            if (rows_next(&rows, TABLE_ACCOUNTS, seek, &position)) {
                found = rows_account_get(&rows, codec_get_u64(position.bytes), account) &&
                        account->password[0] != '\0';
            } else {
                position = rows_key_u64(0);
            }
        }
    }
    return verbs_read_end(&rows, found);
}

enum store_result accounts_list(struct store *store, const char *after, struct account *rows_out,
                                size_t room, size_t *count, struct fault *fault)
{
    struct rows_key position = after != NULL ? rows_key_text(after) : rows_key_first();
    enum txn_seek seek = after != NULL ? TXN_AFTER : TXN_FROM;
    struct rows rows;

    *count = 0;
    if (!verbs_read_begin(store, &rows, fault)) {
        return STORE_FAULT;
    }
    for (; *count < room && rows_next(&rows, TABLE_NAMES, seek, &position); seek = TXN_AFTER) {
        char name[TABLE_KEY_MAX + 1];

        rows_key_read_text(&position, name);
        *count += find(&rows, name, &rows_out[*count]) ? 1 : 0;
    }
    return verbs_read_end(&rows, true);
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

/* Epoch and last login are the store's own: no update takes them back. */
enum store_result accounts_update(struct rows *rows, const struct store_write *write)
{
    const struct account *before = write->of.account_update.before;
    struct account account;
    struct account updated = *write->of.account_update.after;

    if (!rows_account_get(rows, updated.number, &account)) {
        return STORE_ABSENT;
    } else if (before != NULL && !account_is_same(before, &account)) {
        return STORE_STALE;
    }
    memcpy(updated.name, account.name, sizeof updated.name);
    updated.epoch = account.epoch;
    if (strcmp(updated.password, account.password) == 0) {
        memcpy(updated.rehashed, account.rehashed, sizeof updated.rehashed);
    } else {
        memset(updated.rehashed, 0, sizeof updated.rehashed);
    }
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

/* What the first hash was is kept, so that an import knows it again. */
enum store_result accounts_rehash(struct rows *rows, const struct store_write *write)
{
    const char *from = write->of.account_rehash.from;
    struct account account;

    if (!rows_account_get(rows, write->of.account_rehash.account, &account)) {
        return STORE_ABSENT;
    } else if (strcmp(account.password, from) != 0 ||
               !text_copy(text_of(write->of.account_rehash.to), account.password,
                          sizeof account.password)) {
        return STORE_STALE;
    } else if (!account_is_rehashed(&account) &&
               !crypto_sha256(from, strlen(from), account.rehashed)) {
        rows_fail(rows, "SHA-256 failed");
        return STORE_FAULT;
    }
    rows_account_put(rows, &account);
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
