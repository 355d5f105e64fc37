/* SPDX-License-Identifier: ISC */
/* ends.c: ending sessions, one or all of an account. Knows epochs; does not know who asked. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "store/verbs/epochs.h"
#include "store/verbs/verbs.h"

/* Of one transaction: other writers get their turn after this many. */
enum { MARK_AT_ONCE = 256, LOOK_AT_ONCE = 4096 };

static enum store_result mark_of_others(struct rows *rows, const struct sweep *sweep,
                                        struct store_marking *marking);
static enum store_result mark_of_account(struct rows *rows, const struct sweep *sweep,
                                         struct store_marking *marking);

/* ---- one session ---- */

void ends_one(struct rows *rows, const struct sweep *sweep, struct record_session *stored,
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
        ends_one(rows, sweep, &stored, entry.end, entry.at_ms);
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
    struct record_epochs epochs;
    bool has_idle = false;
    uint64_t owned =
        limit != 0 ? count_owned(rows, account->number, (uint64_t)limit + ROOM_LOOKED_AT) : 0;

    if (limit == 0 || owned < limit) {
        return;
    }
    rows_epochs_get(rows, &epochs);
    for (int i = 0;
         i < ROOM_LOOKED_AT && ends_next_owned(rows, account->number, &position, &stored); i++) {
        const struct session *session = &stored.session;
        bool over = session->end != SESSION_LIVE ||
                    session->epoch < epochs_of(&epochs, session->realm, account) ||
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
        ends_one(rows, sweep, &idle, SESSION_ENDED_LIMIT, now_ms);
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

    while (count < most && rows_next(rows, TABLE_OWNERS, TXN_AFTER, &position) &&
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

/* ---- all sessions of a client, of a realm, or all there are ---- */

/* Its number is the epoch of its sessions: with another one it has none. */
enum store_result ends_client(struct rows *rows, const struct store_write *write)
{
    struct ended entry = {.what = ENDED_CLIENT_SESSIONS,
                          .end = write->of.end_client.end,
                          .at_ms = write->of.end_client.now_ms};
    struct client client;

    if (!rows_client_get(rows, write->of.end_client.id, &client)) {
        return STORE_ABSENT;
    } else if (entry.end == SESSION_LIVE || !ended_name_id(client.id, entry.id)) {
        rows_fail(rows, "sessions cannot be ended as live, or libcrypto failed");
        return STORE_FAULT;
    }
    ends_renumber(rows, &client);
    ends_note(rows, &entry);
    return STORE_OK;
}

void ends_renumber(struct rows *rows, struct client *client)
{
    struct record_counters counters;

    if (rows_counters_get(rows, &counters)) {
        client->number = counters.next_client++;
        rows_client_put(rows, client);
        rows_counters_put(rows, &counters);
    }
}

enum store_result ends_realm(struct rows *rows, const struct store_write *write)
{
    struct ended entry = {
        .what = ENDED_REALM, .end = write->of.end_realm.end, .at_ms = write->of.end_realm.now_ms};

    if (entry.end == SESSION_LIVE || !epochs_realm_id(write->of.end_realm.realm, entry.id)) {
        rows_fail(rows, "sessions cannot be ended as live, or libcrypto failed");
        return STORE_FAULT;
    }
    entry.epoch = epochs_raise(rows, entry.id, 0, entry.at_ms);
    ends_note(rows, &entry);
    return STORE_OK;
}

/* ---- in their records ---- */

bool ends_next_owned(struct rows *rows, uint64_t account, struct rows_key *position,
                     struct record_session *stored)
{
    uint8_t id[SESSION_ID_SIZE];
    uint64_t owner;

    while (rows_next(rows, TABLE_OWNERS, TXN_AFTER, position) &&
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
    return marking->account != 0 ? mark_of_account(rows, sweep, marking)
                                 : mark_of_others(rows, sweep, marking);
}

/* Has it ended with its client, or with its realm, as the marking asks? */
static bool has_ended_with(struct rows *rows, const struct store_marking *marking,
                           const struct record_epochs *epochs, const struct session *session)
{
    struct client client;
    struct account account;

    if (marking->client != NULL) {
        return strcmp(session->client, marking->client) == 0 &&
               session_client_is_gone(
                   session, rows_client_get(rows, marking->client, &client) ? &client : NULL);
    }
    return (marking->realm == NULL || strcmp(session->realm, marking->realm) == 0) &&
           session->epoch <
               epochs_of(epochs, session->realm,
                         rows_account_get(rows, session->account, &account) ? &account : NULL);
}

/* No index leads from a client or a realm to its sessions, so all are looked at. */
static enum store_result mark_of_others(struct rows *rows, const struct sweep *sweep,
                                        struct store_marking *marking)
{
    struct rows_key position = {.size = SESSION_ID_SIZE};
    struct record_session stored;
    struct record_epochs epochs;
    size_t seen = 0;

    rows_epochs_get(rows, &epochs);
    memcpy(position.bytes, marking->after, SESSION_ID_SIZE);
    marking->marked = 0;
    while (seen < LOOK_AT_ONCE && marking->marked < MARK_AT_ONCE &&
           rows_next(rows, TABLE_SESSIONS, TXN_AFTER, &position)) {
        seen++;
        memcpy(marking->reached, position.bytes, SESSION_ID_SIZE);
        if (rows_session_get(rows, position.bytes, &stored) && stored.session.end == SESSION_LIVE &&
            has_ended_with(rows, marking, &epochs, &stored.session)) {
            ends_one(rows, sweep, &stored, marking->end, marking->now_ms);
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
    struct record_epochs epochs;
    struct account account;
    bool has_account = rows_account_get(rows, marking->account, &account);
    size_t seen = 0;

    rows_epochs_get(rows, &epochs);
    marking->marked = 0;
    while (seen < MARK_AT_ONCE && ends_next_owned(rows, marking->account, &position, &stored)) {
        seen++;
        if (stored.session.end == SESSION_LIVE &&
            (!has_account ||
             stored.session.epoch < epochs_of(&epochs, stored.session.realm, &account))) {
            ends_one(rows, sweep, &stored, marking->end, marking->now_ms);
            marking->marked++;
        }
        memcpy(marking->reached, stored.session.id, SESSION_ID_SIZE);
    }
    marking->more = seen == MARK_AT_ONCE;
    return STORE_OK;
}
