/* SPDX-License-Identifier: ISC */
/* journal.c: what a transaction has ended goes into the journal (ended_log.h), and is ended again
 * when an older copy of the data has been put back. Knows transactions; does not know why anything
 * ended. */
#include "store/lmdb/journal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "store/lmdb/ended_log.h"
#include "store/verbs/ends.h"
#include "store/verbs/epochs.h"

enum { CATCH_UP_AT_ONCE = 1024 };

/* ---- into the journal ---- */

/* What the data know and the journal does not, because a process was killed after its commit. */
static bool append_kept(struct rows *rows)
{
    struct ended_list kept = {0};
    struct txn_bytes stored;
    bool done = !rows_ended_get(rows, &stored) ||
                (ended_log_unpack(stored.data, stored.size, rows->mac, &kept) &&
                 ended_log_append(env_path(env_of(&rows->txn)), rows->mac, &kept, rows->fault));

    ended_list_free(&kept);
    return done && !rows->failed;
}

void journal_stage(struct rows *rows)
{
    const char *directory = env_path(env_of(&rows->txn));
    struct ended_list *list = rows->ended;
    struct record_counters counters;
    uint8_t *bytes = NULL;
    uint64_t last;
    size_t size;

    if (list->count == 0 || !rows_counters_get(rows, &counters)) {
        return;
    }
    last = ended_log_last(directory, rows->mac);
    if ((last < counters.ended && !append_kept(rows)) ||
        !ended_log_prepare(directory, list->count, rows->fault)) {
        rows->failed = true;
        return;
    }
    last = last > counters.ended ? last : counters.ended;
    for (size_t i = 0; i < list->count; i++) {
        list->entries[i].number = last + 1 + i;
    }
    counters.ended = last + list->count;
    rows_counters_put(rows, &counters);
    if (ended_log_pack(list, rows->mac, &bytes, &size)) {
        rows_ended_put(rows, (struct txn_bytes){bytes, size});
    } else {
        rows_fail(rows, "out of memory while noting what has ended");
    }
    free(bytes);
}

bool journal_log(struct rows *rows, struct fault *fault)
{
    if (rows->ended->count == 0 ||
        ended_log_append(env_path(env_of(&rows->txn)), rows->mac, rows->ended, fault)) {
        return true;
    }
    fault_prefix(fault, "it has ended, but an older copy of the store would bring it back");
    return false;
}

/* ---- out of the journal ---- */

static bool find_client(struct rows *rows, const uint8_t wanted[SESSION_ID_SIZE],
                        struct client *client);

static void change_client_again(struct rows *rows, const struct ended *entry)
{
    struct client client;

    if (!find_client(rows, entry->id, &client)) {
        return;
    } else if (entry->what == ENDED_CLIENT_SESSIONS) {
        ends_renumber(rows, &client);
    } else if (entry->what == ENDED_CLIENT_REMOVED) {
        rows_client_remove(rows, client.id);
    } else if (client.enabled != (entry->what == ENDED_CLIENT_ENABLED)) {
        client.enabled = !client.enabled;
        rows_client_put(rows, &client);
    }
}

static bool find_client(struct rows *rows, const uint8_t wanted[SESSION_ID_SIZE],
                        struct client *client)
{
    struct rows_key position = rows_key_first();
    enum txn_seek seek = TXN_FROM;

    for (; rows_next(rows, TABLE_CLIENTS, seek, &position); seek = TXN_AFTER) {
        char name[TABLE_KEY_MAX + 1];
        uint8_t id[SESSION_ID_SIZE];

        rows_key_read_text(&position, name);
        if (!ended_name_id(name, id)) {
            rows_fail(rows, "libcrypto failed");
        } else if (memcmp(id, wanted, sizeof id) == 0) {
            return rows_client_get(rows, name, client);
        }
    }
    return false;
}

static void set_enabled_again(struct rows *rows, struct account *account, bool enabled)
{
    if (account->enabled != enabled) {
        account->enabled = enabled;
        rows_account_put(rows, account);
    }
}

static void end_again(struct rows *rows, const struct sweep *sweep, const struct ended *entry,
                      int64_t now_ms)
{
    bool of_account = !ended_has_id(entry->what);
    struct record_session stored;
    struct account account;

    if (of_account && !rows_account_get(rows, entry->account, &account)) {
        return;
    }
    switch (entry->what) {
    case ENDED_SESSION:
        if (rows_session_get(rows, entry->id, &stored) && stored.session.end == SESSION_LIVE) {
            session_note_event(&stored.session, EVENT_RESTORED, now_ms);
            ends_one(rows, sweep, &stored, entry->end, entry->at_ms);
        }
        break;
    case ENDED_ACCOUNT:
        if (account.epoch < entry->epoch) {
            account.epoch = entry->epoch;
            rows_account_put(rows, &account);
        }
        break;
    case ENDED_ACCOUNT_DISABLED:
        set_enabled_again(rows, &account, false);
        break;
    case ENDED_ACCOUNT_ENABLED:
        set_enabled_again(rows, &account, true);
        break;
    case ENDED_ACCOUNT_REMOVED:
        rows_account_remove(rows, entry->account);
        rows_name_remove(rows, account.name);
        break;
    case ENDED_CLIENT_REMOVED:
    case ENDED_CLIENT_DISABLED:
    case ENDED_CLIENT_ENABLED:
    case ENDED_CLIENT_SESSIONS:
        change_client_again(rows, entry);
        break;
    case ENDED_REALM:
        epochs_raise(rows, entry->id, entry->epoch, entry->at_ms);
        break;
    }
}

/* Inside one transaction. How many entries; 0: nothing is lacking. */
static size_t catch_up(struct rows *rows, const struct sweep *sweep, int64_t now_ms)
{
    struct ended_list lacking = {0};
    struct record_counters counters;
    size_t count;

    if (rows_counters_get(rows, &counters) &&
        !ended_log_read(env_path(env_of(&rows->txn)), rows->mac, counters.ended, CATCH_UP_AT_ONCE,
                        &lacking, rows->fault)) {
        rows->failed = true;
    }
    count = lacking.count;
    for (size_t i = 0; i < count; i++) {
        const struct ended *entry = &lacking.entries[i];

        end_again(rows, sweep, entry, now_ms != 0 ? now_ms : entry->at_ms);
    }
    if (count > 0 && rows_counters_get(rows, &counters)) { /* as they are by now */
        struct event event = {.at_ms = now_ms != 0 ? now_ms : lacking.entries[count - 1].at_ms,
                              .kind = EVENT_RESTORED};

        snprintf(event.note, sizeof event.note, "%zu ends", count);
        counters.ended = lacking.entries[count - 1].number;
        rows_counters_put(rows, &counters);
        events_append(rows, &event);
    }
    ended_list_free(&lacking);
    return count;
}

static bool catch_up_all(struct lmdb_store *store, int64_t now_ms, struct fault *fault)
{
    size_t count = 1;

    while (count > 0) {
        struct rows rows = {.mac = store->verbs.mac, .fault = fault};
        bool ended;

        if (env_write_begin(store->env, &rows.txn, fault) != TXN_OK) {
            return false;
        }
        count = catch_up(&rows, &store->verbs.sweep, now_ms);
        if (rows.failed || count == 0) {
            env_abort(&rows.txn);
            ended = !rows.failed;
        } else {
            enum txn_result committed = env_commit(&rows.txn, fault);

            ended = committed == TXN_OK;
            rows.full |= committed == TXN_FULL;
            store->ended_again += ended ? count : 0;
        }
        if (!ended) {
            if (!rows.full || env_grow(store->env, fault) != TXN_OK) {
                return false;
            }
            count = 1; /* once more */
        }
    }
    return true;
}

/* Without success the next to open or to end anything tries again. */
static void append_kept_in_turn(struct lmdb_store *store)
{
    struct rows rows = {.mac = store->verbs.mac};

    if (env_write_begin(store->env, &rows.txn, NULL) == TXN_OK) {
        append_kept(&rows);
        env_abort(&rows.txn);
    }
}

bool journal_catch_up(struct lmdb_store *store, int64_t now_ms, struct fault *fault)
{
    struct rows rows = {.mac = store->verbs.mac, .fault = fault};
    uint64_t last = ended_log_last(env_path(store->env), store->verbs.mac);
    struct record_counters counters = {0};
    struct txn_bytes kept;
    bool has_kept;

    if (env_read_begin(store->env, &rows.txn, fault) != TXN_OK) {
        return false;
    }
    has_kept = rows_counters_get(&rows, &counters) && counters.ended > last &&
               rows_ended_get(&rows, &kept);
    env_read_end(&rows.txn);
    if (rows.failed) {
        return false;
    } else if (has_kept) {
        append_kept_in_turn(store);
    }
    return last <= counters.ended || catch_up_all(store, now_ms, fault);
}
