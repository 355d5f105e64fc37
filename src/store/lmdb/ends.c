/* SPDX-License-Identifier: ISC */
/* ends.c: ending sessions, one or all of an account, and ending them again when an older copy of
 * the data has been put back. Knows epochs and the journal (ended.h); does not know who asked. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "store/lmdb/lmdb_store.h"

/* Of one transaction: other writers get their turn after this many. */
enum { MARK_AT_ONCE = 256, LOOK_AT_ONCE = 4096, CATCH_UP_AT_ONCE = 1024 };

static enum store_result mark_of_client(struct rows *rows, const struct sweep *sweep,
                                        struct store_marking *marking);
static enum store_result mark_of_account(struct rows *rows, const struct sweep *sweep,
                                         struct store_marking *marking);

/* ---- one session ---- */

static void end_one(struct rows *rows, const struct sweep *sweep, struct record_session *stored,
                    enum session_end end, int64_t now_ms)
{
    stored->session.end = end;
    stored->session.ended_ms = now_ms;
    sweep_enter(rows, sweep, stored);
    rows_session_put(rows, stored);
}

void ends_note(struct rows *rows, const struct ended *entry)
{
    if (!rows->failed && !ended_list_add(rows->ended, entry)) {
        rows_fail(rows, "out of memory while noting what has ended");
    }
}

/* A spent token may be judged while the process that spent it corrects the time of that: then it is
 * judged again. */
static bool is_as_read(const struct session *session, const struct session *as_read)
{
    return as_read == NULL ||
           (session->generation == as_read->generation && session->account == as_read->account &&
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
        ends_note(rows, &entry);
    }
    return STORE_OK;
}

/* ---- one that makes room ---- */

/* So many of the oldest are looked at. */
enum { ROOM_LOOKED_AT = 64 };

static uint64_t count_owned(struct rows *rows, uint64_t account, uint64_t most);
static void tell_limit(struct rows *rows, const struct session *session, int64_t now_ms);

void ends_make_room(struct rows *rows, const struct sweep *sweep, const struct account *account,
                    int64_t now_ms)
{
    static const uint8_t start[SESSION_ID_SIZE];
    uint32_t limit = account->session_limit != 0 ? account->session_limit : sweep->session_limit;
    struct rows_key position = rows_owner_key(account->number, start);
    struct ended entry = {.what = ENDED_SESSION, .end = SESSION_ENDED_LIMIT, .at_ms = now_ms};
    struct record_session stored, idle;
    bool has_idle = false;
    uint64_t owned =
        limit != 0 ? count_owned(rows, account->number, (uint64_t)limit + ROOM_LOOKED_AT) : 0;

    if (limit == 0 || owned < limit) {
        return;
    }
    for (int i = 0;
         i < ROOM_LOOKED_AT && ends_next_owned(rows, account->number, &position, &stored); i++) {
        const struct session *session = &stored.session;
        bool over = session->end != SESSION_LIVE || session->epoch < account->epoch ||
                    (session->expires_ms != 0 && session->expires_ms <= now_ms);

        if (over && sweep_remove(rows, sweep, &stored)) {
            if (--owned < limit) {
                return;
            }
        } else if (!over && (!has_idle || session->used_ms < idle.session.used_ms)) {
            idle = stored;
            has_idle = true;
        }
    }
    if (has_idle) {
        memcpy(entry.id, idle.session.id, SESSION_ID_SIZE);
        entry.until_ms = idle.session.expires_ms;
        end_one(rows, sweep, &idle, SESSION_ENDED_LIMIT, now_ms);
        ends_note(rows, &entry);
        tell_limit(rows, &idle.session, now_ms);
    }
}

static void tell_limit(struct rows *rows, const struct session *session, int64_t now_ms)
{
    struct event event;

    event_of_session(&event, EVENT_SESSION_LIMIT, session, session->generation, now_ms);
    event_set_cause(&event, "limit");
    events_append(rows, &event);
}

/* Those that ended and are kept to be explained count, too. At most `most`. */
static uint64_t count_owned(struct rows *rows, uint64_t account, uint64_t most)
{
    static const uint8_t start[SESSION_ID_SIZE];
    struct rows_key position = rows_owner_key(account, start);
    uint8_t id[SESSION_ID_SIZE];
    uint64_t owner, count = 0;

    while (count < most && rows_next(rows, TABLE_OWNERS, ENV_AFTER, &position) &&
           rows_owner_split(&position, &owner, id) && owner == account) {
        count++;
    }
    return count;
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
        ends_note(rows, &entry);
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
 * one without its account or client. */
enum store_result ends_mark(struct rows *rows, const struct sweep *sweep,
                            struct store_marking *marking)
{
    return marking->client != NULL ? mark_of_client(rows, sweep, marking)
                                   : mark_of_account(rows, sweep, marking);
}

/* No index leads from a client to its sessions, so all are looked at. */
static enum store_result mark_of_client(struct rows *rows, const struct sweep *sweep,
                                        struct store_marking *marking)
{
    struct rows_key position = {.size = SESSION_ID_SIZE};
    struct record_session stored;
    struct client client;
    bool there = rows_client_get(rows, marking->client, &client);
    size_t seen = 0;

    memcpy(position.bytes, marking->after, SESSION_ID_SIZE);
    marking->marked = 0;
    while (seen < LOOK_AT_ONCE && marking->marked < MARK_AT_ONCE &&
           rows_next(rows, TABLE_SESSIONS, ENV_AFTER, &position)) {
        seen++;
        memcpy(marking->reached, position.bytes, SESSION_ID_SIZE);
        if (rows_session_get(rows, position.bytes, &stored) && stored.session.end == SESSION_LIVE &&
            strcmp(stored.session.client, marking->client) == 0 &&
            session_client_is_gone(&stored.session, there ? &client : NULL)) {
            end_one(rows, sweep, &stored, marking->end, marking->now_ms);
            marking->marked++;
        }
    }
    marking->more = seen == LOOK_AT_ONCE || marking->marked == MARK_AT_ONCE;
    return STORE_OK;
}

static enum store_result mark_of_account(struct rows *rows, const struct sweep *sweep,
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

/* ---- into the journal ---- */

/* What the data know and the journal does not, because a process was killed after its commit. */
static bool append_kept(struct rows *rows)
{
    struct ended_list kept = {0};
    struct env_bytes stored;
    bool done = !rows_ended_get(rows, &stored) ||
                (ended_unpack(stored.data, stored.size, rows->mac, &kept) &&
                 ended_append(env_path(rows->txn.env), rows->mac, &kept, rows->fault));

    ended_list_free(&kept);
    return done && !rows->failed;
}

void ends_stage(struct rows *rows)
{
    const char *directory = env_path(rows->txn.env);
    struct ended_list *list = rows->ended;
    struct record_counters counters;
    uint8_t *bytes = NULL;
    uint64_t last;
    size_t size;

    if (list->count == 0 || !rows_counters_get(rows, &counters)) {
        return;
    }
    last = ended_last(directory, rows->mac);
    if ((last < counters.ended && !append_kept(rows)) ||
        !ended_prepare(directory, list->count, rows->fault)) {
        rows->failed = true;
        return;
    }
    last = last > counters.ended ? last : counters.ended;
    for (size_t i = 0; i < list->count; i++) {
        list->entries[i].number = last + 1 + i;
    }
    counters.ended = last + list->count;
    rows_counters_put(rows, &counters);
    if (ended_pack(list, rows->mac, &bytes, &size)) {
        rows_ended_put(rows, (struct env_bytes){bytes, size});
    } else {
        rows_fail(rows, "out of memory while noting what has ended");
    }
    free(bytes);
}

bool ends_log(struct rows *rows, struct fault *fault)
{
    if (rows->ended->count == 0 ||
        ended_append(env_path(rows->txn.env), rows->mac, rows->ended, fault)) {
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
    enum env_seek seek = ENV_FROM;

    for (; rows_next(rows, TABLE_CLIENTS, seek, &position); seek = ENV_AFTER) {
        char name[ENV_KEY_MAX + 1];
        uint8_t id[SESSION_ID_SIZE];

        rows_key_read_text(&position, name);
        if (!ended_client_id(name, id)) {
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
            end_one(rows, sweep, &stored, entry->end, entry->at_ms);
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
        change_client_again(rows, entry);
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
        !ended_read(env_path(rows->txn.env), rows->mac, counters.ended, CATCH_UP_AT_ONCE, &lacking,
                    rows->fault)) {
        rows->failed = true;
    }
    count = lacking.count;
    for (size_t i = 0; i < count; i++) {
        const struct ended *entry = &lacking.entries[i];

        end_again(rows, sweep, entry, now_ms != 0 ? now_ms : entry->at_ms);
    }
    if (count > 0) {
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
        struct rows rows = {.mac = store->mac, .fault = fault};
        bool ended;

        if (env_write_begin(store->env, &rows.txn, fault) != ENV_OK) {
            return false;
        }
        count = catch_up(&rows, &store->sweep, now_ms);
        if (rows.failed || count == 0) {
            env_abort(&rows.txn);
            ended = !rows.failed;
        } else {
            enum env_result committed = env_commit(&rows.txn, fault);

            ended = committed == ENV_OK;
            rows.full |= committed == ENV_FULL;
            store->ended_again += ended ? count : 0;
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

/* Without success the next to open or to end anything tries again. */
static void append_kept_in_turn(struct lmdb_store *store)
{
    struct rows rows = {.mac = store->mac};

    if (env_write_begin(store->env, &rows.txn, NULL) == ENV_OK) {
        append_kept(&rows);
        env_abort(&rows.txn);
    }
}

bool ends_catch_up(struct lmdb_store *store, int64_t now_ms, struct fault *fault)
{
    struct rows rows = {.mac = store->mac, .fault = fault};
    uint64_t last = ended_last(env_path(store->env), store->mac);
    struct record_counters counters = {0};
    struct env_bytes kept;
    bool has_kept;

    if (env_read_begin(store->env, &rows.txn, fault) != ENV_OK) {
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
