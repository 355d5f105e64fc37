/* SPDX-License-Identifier: ISC */
/* verbs.c: which function applies which write, and what all verbs share. Knows no record. */
#include "store/verbs/verbs.h"

#include <stdlib.h>

#include "store/verbs/marks.h"

bool verbs_open(const struct store_settings *settings, const struct store_kind *kind,
                struct verbs *verbs, struct fault *fault)
{
    verbs->store.kind = kind;
    verbs->apply = verbs_apply;
    verbs->sweep = (struct sweep){.keep_ended_ms = settings->keep_ended_ms,
                                  .session_limit = settings->session_limit,
                                  .derived_alias = settings->derived_alias,
                                  .self = settings->derived_alias_self};
    verbs->clock = settings->clock;
    verbs->marks_most = settings->marks_most;
    if (!outbox_copy(settings, &verbs->outbox)) {
        fault_set(fault, "out of memory while opening the store");
        return false;
    }
    return true;
}

void verbs_close(struct verbs *verbs)
{
    crypto_mac_close(verbs->mac);
    outbox_free(&verbs->outbox);
}

/* ---- reading ---- */

bool verbs_read_begin(struct store *store, struct rows *rows, struct fault *fault)
{
    struct verbs *verbs = verbs_of(store);

    *rows = (struct rows){.mac = verbs->mac, .fault = fault};
    return verbs->read_begin(store, &rows->txn, fault);
}

enum store_result verbs_read_end(struct rows *rows, bool found)
{
    rows->txn.kind->read_end(&rows->txn);
    if (rows->failed) {
        return STORE_FAULT;
    }
    return found ? STORE_OK : STORE_ABSENT;
}

/* ---- writing ---- */

bool verbs_settle(const struct verbs *verbs, struct rows *rows, struct store_write *write)
{
    size_t before = rows->changes, ended = rows->ended->count;
    enum store_result result;
    bool failed;

    rows->fault = write->fault;
    result = verbs->apply(verbs, rows, write);
    bool was_done = result == STORE_STALE && write->unsure && write->kind == STORE_WRITE_ROTATE &&
                    sessions_was_rotated(rows, &write->of.rotate);
    for (size_t i = 0; result == STORE_OK && i < write->events; i++) {
        events_append(rows, &write->event[i]);
    }
    failed = rows->failed;
    rows->failed = false; /* for the next */
    write->ends = rows->ended->count > ended;
    write->result = failed ? STORE_FAULT : was_done ? STORE_OK : result;
    return write->result == STORE_OK || (rows->changes == before && !rows->full);
}

static enum store_result apply_verb(const struct sweep *sweep, struct rows *rows,
                                    struct store_write *write);

enum store_result verbs_apply(const struct verbs *verbs, struct rows *rows,
                              struct store_write *write)
{
    enum store_result result = marks_check(rows, write, verbs->marks_most);

    if (result == STORE_OK) {
        result = apply_verb(&verbs->sweep, rows, write);
    }
    if (result == STORE_OK) {
        marks_apply(rows, write, verbs->marks_most);
    }
    for (size_t i = 0; write->kind == STORE_WRITE_ACCOUNT_ADD && i < write->events; i++) {
        write->event[i].account = write->of.account_add->number;
    }
    return result;
}

static enum store_result apply_verb(const struct sweep *sweep, struct rows *rows,
                                    struct store_write *write)
{
    switch (write->kind) {
    case STORE_WRITE_CREATE:
        return sessions_create(rows, sweep, write);
    case STORE_WRITE_ROTATE:
        return sessions_rotate(rows, sweep, &write->of.rotate);
    case STORE_WRITE_TOUCH:
        return sessions_touch(rows, sweep, &write->of.touch);
    case STORE_WRITE_APPROVE:
        return sessions_approve(rows, sweep, write);
    case STORE_WRITE_END:
        return ends_session(rows, sweep, write);
    case STORE_WRITE_END_ACCOUNT:
        return ends_account(rows, write);
    case STORE_WRITE_END_CLIENT:
        return ends_client(rows, write);
    case STORE_WRITE_END_REALM:
        return ends_realm(rows, write);
    case STORE_WRITE_MARK_ENDED:
        return ends_mark(rows, sweep, write->of.mark_ended);
    case STORE_WRITE_ATTACHED:
        return STORE_OK;
    case STORE_WRITE_ACCOUNT_ADD:
        return accounts_add(rows, write->of.account_add);
    case STORE_WRITE_ACCOUNT_UPDATE:
        return accounts_update(rows, write);
    case STORE_WRITE_ACCOUNT_REHASH:
        return accounts_rehash(rows, write);
    case STORE_WRITE_ACCOUNT_REMOVE:
        return accounts_remove(rows, write->of.account_remove);
    case STORE_WRITE_CLIENT_ADD:
        return clients_add(rows, write->of.client_add);
    case STORE_WRITE_CLIENT_UPDATE:
        return clients_update(rows, write->of.client_update.before, write->of.client_update.after);
    case STORE_WRITE_CLIENT_REMOVE:
        return clients_remove(rows, write->of.client_remove);
    case STORE_WRITE_CLIENT_USE:
        return clients_use(rows, write);
    case STORE_WRITE_KEY_ADD:
        return keys_add(rows, write->of.key_add);
    case STORE_WRITE_KEY_STATE:
        return keys_set_state(rows, write);
    case STORE_WRITE_KEY_ROTATE:
        return keys_rotate(rows, write);
    case STORE_WRITE_PRUNE:
        return sweep_prune(rows, sweep, write->of.prune);
    case STORE_WRITE_LEASE:
        return outbox_lease(rows, write->of.lease);
    case STORE_WRITE_DELIVERED:
        return outbox_done(rows, write);
    case STORE_WRITE_UNDELIVERED:
        return outbox_failed(rows, write);
    case STORE_WRITE_RETRY:
        return outbox_retry(rows, write->of.retry);
    case STORE_WRITE_COPY:
        return copy_some(rows, write->of.copy);
    }
    rows_fail(rows, "a write of no known kind");
    return STORE_FAULT;
}

void verbs_stamp(struct rows *rows, const struct store_write *write)
{
    if (write->kind == STORE_WRITE_ROTATE) {
        sessions_stamp(rows, &write->of.rotate);
    }
}
