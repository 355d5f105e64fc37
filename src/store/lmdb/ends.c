/* SPDX-License-Identifier: ISC */
/* ends.c: ending sessions, one or all of an account, and ending them again when an older copy of
 * the data has been put back. Knows epochs and the journal (ended.h); does not know who asked. */
#include <stdio.h>
#include <string.h>

#include "store/lmdb/lmdb_store.h"

/* Of one transaction: other writers get their turn after this many. */
enum { MARK_AT_ONCE = 256, CATCH_UP_AT_ONCE = 1024 };

/* ---- one session ---- */

static void end_one(struct rows *rows, const struct sweep *sweep, struct record_session *stored,
                    enum session_end end, int64_t now_ms)
{
    stored->session.end = end;
    stored->session.ended_ms = now_ms;
    sweep_enter(rows, sweep, stored);
    rows_session_put(rows, stored);
}

static void note_ended(struct rows *rows, const struct ended *entry)
{
    if (!rows->failed && !ended_list_add(rows->ended, entry)) {
        rows_fail(rows, "out of memory while ending a session");
    }
}

/* A spent token may be judged while the process that spent it corrects the time of that: then it is
 * judged again. */
static bool is_as_read(const struct session *session, const struct session *as_read)
{
    return as_read == NULL || (session->generation == as_read->generation &&
                               memcmp(session->spent, as_read->spent, sizeof session->spent) == 0);
}

enum store_result ends_session(struct rows *rows, const struct sweep *sweep,
                               const struct store_write *write)
{
    struct ended entry = {
        .what = ENDED_SESSION, .end = write->of.end.end, .at_ms = write->of.end.now_ms};
    struct record_session stored;

    if (entry.end == SESSION_LIVE) {
        rows_fail(rows, "a session cannot be ended as live");
    } else if (!rows_session_get(rows, write->of.end.id, &stored)) {
        return STORE_ABSENT;
    } else if (stored.session.end == SESSION_LIVE) {
        if (!is_as_read(&stored.session, write->of.end.as_read)) {
            return STORE_STALE;
        }
        memcpy(entry.id, stored.session.id, SESSION_ID_SIZE);
        entry.until_ms = stored.session.expires_ms;
        end_one(rows, sweep, &stored, entry.end, entry.at_ms);
        note_ended(rows, &entry);
    }
    return STORE_OK;
}

/* ---- all sessions of an account ---- */

/* One write ends them all: their epoch is over. An account that is gone has none that live. */
enum store_result ends_account(struct rows *rows, const struct store_write *write)
{
    struct ended entry = {.what = ENDED_ACCOUNT,
                          .account = write->of.end_account.account,
                          .end = write->of.end_account.end,
                          .at_ms = write->of.end_account.now_ms};
    struct account account;

    if (entry.end == SESSION_LIVE) {
        rows_fail(rows, "sessions cannot be ended as live");
    } else if (rows_account_get(rows, entry.account, &account)) {
        entry.epoch = ++account.epoch;
        rows_account_put(rows, &account);
        note_ended(rows, &entry);
    }
    return STORE_OK;
}

bool ends_next_owned(struct rows *rows, uint64_t account, struct rows_key *position,
                     struct record_session *stored)
{
    uint8_t id[SESSION_ID_SIZE];
    uint64_t owner;

    while (rows_next(rows, TABLE_OWNERS, ENV_AFTER, position) &&
           rows_owner_split(position, &owner, id) && owner == account) {
        if (rows_session_get(rows, id, stored)) {
            return true;
        } /* an entry that leads nowhere is store_check's business */
    }
    return false;
}

/* Every session's own record says so in the end, so that it is swept, and is told apart from a live
 * one without its account. */
enum store_result ends_mark(struct rows *rows, const struct sweep *sweep,
                            struct store_marking *marking)
{
    struct rows_key position = rows_owner_key(marking->account, marking->after);
    struct record_session stored;
    struct account account;
    bool has_account = rows_account_get(rows, marking->account, &account);
    size_t seen = 0;

    marking->marked = 0;
    while (seen < MARK_AT_ONCE && ends_next_owned(rows, marking->account, &position, &stored)) {
        seen++;
        if (stored.session.end == SESSION_LIVE &&
            (!has_account || stored.session.epoch < account.epoch)) {
            end_one(rows, sweep, &stored, marking->end, marking->now_ms);
            marking->marked++;
        }
        memcpy(marking->reached, stored.session.id, SESSION_ID_SIZE);
    }
    marking->more = seen == MARK_AT_ONCE;
    return STORE_OK;
}

/* ---- the journal ---- */

void ends_journal(struct rows *rows)
{
    const char *directory = env_path(rows->txn.env);
    struct record_counters counters;
    uint64_t last;

    if (rows->ended->count == 0 || !rows_counters_get(rows, &counters)) {
        return;
    }
    last = ended_last(directory, rows->mac);
    last = last > counters.ended ? last : counters.ended;
    counters.ended = last + rows->ended->count;
    rows_counters_put(rows, &counters);
    if (!rows->failed && !ended_append(directory, rows->mac, rows->ended, last + 1, rows->fault)) {
        rows->failed = true;
    }
}

static void end_again(struct rows *rows, const struct sweep *sweep, const struct ended *entry)
{
    struct record_session stored;
    struct account account;

    switch (entry->what) {
    case ENDED_SESSION:
        if (rows_session_get(rows, entry->id, &stored) && stored.session.end == SESSION_LIVE) {
            end_one(rows, sweep, &stored, entry->end, entry->at_ms);
        }
        break;
    case ENDED_ACCOUNT:
        if (rows_account_get(rows, entry->account, &account) && account.epoch < entry->epoch) {
            account.epoch = entry->epoch;
            rows_account_put(rows, &account);
        }
        break;
    }
}

/* Inside one transaction. How many entries; 0: nothing is lacking. */
static size_t catch_up(struct rows *rows, const struct sweep *sweep)
{
    struct ended_list lacking = {0};
    struct record_counters counters;
    size_t count;

    if (rows_counters_get(rows, &counters) &&
        !ended_read(env_path(rows->txn.env), rows->mac, counters.ended, CATCH_UP_AT_ONCE, &lacking,
                    rows->fault)) {
        rows->failed = true;
    }
    for (size_t i = 0; i < lacking.count; i++) {
        end_again(rows, sweep, &lacking.entries[i]);
    }
    if (lacking.count > 0) {
        struct event event = {.at_ms = lacking.entries[lacking.count - 1].at_ms,
                              .kind = EVENT_RESTORED};

        snprintf(event.note, sizeof event.note, "%zu ends", lacking.count);
        counters.ended = lacking.entries[lacking.count - 1].number;
        rows_counters_put(rows, &counters);
        events_append(rows, &event);
    }
    count = lacking.count;
    ended_list_free(&lacking);
    return count;
}

bool ends_catch_up(struct lmdb_store *store, struct fault *fault)
{
    size_t count = 1;

    while (count > 0) {
        struct rows rows = {.mac = store->mac, .fault = fault};
        bool ended;

        if (env_write_begin(store->env, &rows.txn, fault) != ENV_OK) {
            return false;
        }
        count = catch_up(&rows, &store->sweep);
        if (rows.failed || count == 0) {
            env_abort(&rows.txn);
            ended = !rows.failed;
        } else {
            enum env_result committed = env_commit(&rows.txn, fault);

            ended = committed == ENV_OK;
            rows.full |= committed == ENV_FULL;
        }
        if (!ended) {
            if (!rows.full || env_grow(store->env, fault) != ENV_OK) {
                return false;
            }
            count = 1; /* once more */
        }
    }
    return true;
}
