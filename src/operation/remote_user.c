/* SPDX-License-Identifier: ISC */
/* remote_user.c: see remote_user.h. */
#include "operation/remote_user.h"

#include <stdio.h>
#include <string.h>

#include "operation/request_event.h"

static enum outcome read_account(struct request *request, struct remote_user *user);
static enum outcome add_account(struct request *request, int64_t now_ms, struct remote_user *user);

enum outcome remote_user_find(struct request *request, int64_t now_ms, struct remote_user *user)
{
    struct text name = request->remote_user;
    enum outcome outcome;

    memset(user, 0, sizeof *user);
    if (name.size == 0 || !text_is_utf8(name) || text_has_control(name) ||
        !text_copy(name, user->account.name, sizeof user->account.name)) {
        return OUTCOME_REMOTE_USER_UNKNOWN;
    }
    outcome = read_account(request, user);
    return outcome == OUTCOME_REMOTE_USER_UNKNOWN && request->realm->remote_user == REMOTE_USER_ANY
               ? add_account(request, now_ms, user)
               : outcome;
}

static enum outcome read_account(struct request *request, struct remote_user *user)
{
    char name[ACCOUNT_NAME_MAX + 1];

    memcpy(name, user->account.name, sizeof name);
    switch (store_account_find(request->issuer->store, name, &user->account, &request->fault)) {
    case STORE_OK:
        return user->account.enabled ? OUTCOME_ROTATED : OUTCOME_ACCOUNT_DISABLED;
    case STORE_ABSENT:
        return OUTCOME_REMOTE_USER_UNKNOWN;
    case STORE_EXISTS:
    case STORE_STALE:
    case STORE_FAULT:
        break;
    }
    return OUTCOME_FAULT;
}

/* Without a password no password is right, so it is a login of the web server's only. */
static enum outcome add_account(struct request *request, int64_t now_ms, struct remote_user *user)
{
    struct account account = {.enabled = true, .created_ms = now_ms};
    struct text shown = text_cut(request->remote_user, 64);
    struct event event;

    while (!text_is_utf8(shown)) {
        shown.size--;
    }
    (void)text_copy(request->remote_user, account.name, sizeof account.name);
    user->account = account;
    request_event(&event, EVENT_ACCOUNT, request, now_ms);
    event_set_cause(&event, "remote-user");
    (void)snprintf(event.note, sizeof event.note, "%.*s was added at a login of the web server's",
                   TEXT_ARGS(shown));
    store_prepare_account_add(&user->write, &user->account);
    store_attach_event(&user->write, &event);
    user->adds = true;
    return OUTCOME_ROTATED;
}

enum outcome remote_user_added(struct request *request, enum store_result result,
                               struct remote_user *user)
{
    user->adds = false;
    switch (result) {
    case STORE_OK:
        return OUTCOME_ROTATED;
    case STORE_EXISTS: /* another request was faster */
        return read_account(request, user);
    case STORE_ABSENT:
    case STORE_STALE:
    case STORE_FAULT:
        break;
    }
    return OUTCOME_FAULT;
}
