/* SPDX-License-Identifier: ISC */
/* unlock.c: `retoken account unlock` and `retoken client unlock`: forgets wrong passwords,
 * codes and secrets. A mark does not say whose it is, so every one that could be is looked for, and
 * those of networks, which could be any, are pardoned. Knows what is counted together; does not
 * know how it is counted. */
#include "admin/verbs/verbs.h"

#include <string.h>

#include "operation/guess.h"

enum { PAGE = 64 };

struct unlocking {
    struct call *call;
    struct fault fault;
    size_t unlocked;
};

static bool forget(struct unlocking *unlocking, enum guess_kind kind, struct text whom,
                   uint64_t account);
static bool forget_renewals(struct unlocking *unlocking, const struct account *account);
static bool forget_by_clients(struct unlocking *unlocking, const struct account *account);
static bool forget_by_accounts(struct unlocking *unlocking, const char *client);

enum call_end verbs_account_unlock(struct call *call)
{
    struct account account;
    struct unlocking unlocking = {.call = call};
    enum call_end end = call_account(call, call_argument(call, 0), &account);

    if (end != CALL_DONE) {
        return end;
    } else if (!forget(&unlocking, GUESS_LOGIN, text_of(account.name), 0) ||
               !forget(&unlocking, GUESS_PASSWORD, text_of(account.name), 0) ||
               !forget(&unlocking, GUESS_CODE, text_of(account.name), 0) ||
               !forget_renewals(&unlocking, &account) || !forget_by_clients(&unlocking, &account)) {
        return call_fault(call, &unlocking.fault);
    } else if (unlocking.unlocked == 0) {
        output_say(&call->output, "account %s was not locked", account.name);
        return CALL_DONE;
    }
    output_say(&call->output, "account %s unlocked", account.name);
    return call_event(call, EVENT_ACCOUNT, account.number, NULL, "unlocked");
}

enum call_end verbs_client_unlock(struct call *call)
{
    struct client client;
    struct unlocking unlocking = {.call = call};
    enum call_end end = call_client(call, call_argument(call, 0), &client);

    if (end != CALL_DONE) {
        return end;
    } else if (!forget(&unlocking, GUESS_SECRET, text_of(client.id), 0) ||
               !forget_by_accounts(&unlocking, client.id)) {
        return call_fault(call, &unlocking.fault);
    } else if (unlocking.unlocked == 0) {
        output_say(&call->output, "client %s was not locked", client.id);
        return CALL_DONE;
    }
    output_say(&call->output, "client %s unlocked", client.id);
    return call_event(call, EVENT_CLIENT, 0, client.id, "unlocked");
}

/* One count. Those of networks belong to one of all networks. */
static bool forget(struct unlocking *unlocking, enum guess_kind kind, struct text whom,
                   uint64_t account)
{
    struct call *call = unlocking->call;
    struct store_write write;
    struct mark mark, pardon;

    if (!guess_mark(&call->service.secrets, kind, whom, account, &mark) ||
        !guess_pardon(&call->service.secrets, kind, whom, call->now_ms, &pardon)) {
        fault_set(&unlocking->fault, "HMAC failed");
        return false;
    }
    switch (store_mark_find(call->service.store, MARK_FAILURE, mark.hash, call->now_ms, &mark,
                            &unlocking->fault)) {
    case STORE_OK:
        break;
    case STORE_ABSENT:
        return true;
    case STORE_EXISTS:
    case STORE_STALE:
    case STORE_FAULT:
        return false;
    }
    unlocking->unlocked++;
    store_prepare_attached(&write, call->now_ms);
    store_attach_mark(&write, STORE_MARK_CLEAR, &mark);
    if (guess_is_of_strangers(kind)) {
        store_attach_mark(&write, STORE_MARK_COUNT, &pardon);
    }
    return store_write(call->service.store, &write, &unlocking->fault) == STORE_OK;
}

static bool forget_renewals(struct unlocking *unlocking, const struct account *account)
{
    struct call *call = unlocking->call;
    struct session *rows = arena_alloc(call->arena, PAGE * sizeof *rows);
    uint8_t after[SESSION_ID_SIZE] = {0};
    size_t count = PAGE;

    fault_set(&unlocking->fault, "out of memory");
    while (rows != NULL && count == PAGE) {
        if (store_session_list(call->service.store, account->number, after, rows, PAGE, &count,
                               &unlocking->fault) != STORE_OK) {
            return false;
        }
        for (size_t i = 0; i < count; i++) {
            struct text id = {(const char *)rows[i].id, sizeof rows[i].id};

            if (!forget(unlocking, GUESS_RENEWAL, id, 0)) {
                return false;
            }
            memcpy(after, rows[i].id, sizeof after);
        }
    }
    return rows != NULL;
}

static bool forget_by_clients(struct unlocking *unlocking, const struct account *account)
{
    struct call *call = unlocking->call;
    struct client *rows = arena_alloc(call->arena, PAGE * sizeof *rows);
    char after[CLIENT_ID_MAX + 1] = "";
    size_t count = PAGE;

    fault_set(&unlocking->fault, "out of memory");
    while (rows != NULL && count == PAGE) {
        if (store_client_list(call->service.store, after[0] != '\0' ? after : NULL, rows, PAGE,
                              &count, &unlocking->fault) != STORE_OK) {
            return false;
        }
        for (size_t i = 0; i < count; i++) {
            if (!forget(unlocking, GUESS_CLIENT, text_of(rows[i].id), account->number)) {
                return false;
            }
            memcpy(after, rows[i].id, sizeof after);
        }
    }
    return rows != NULL;
}

static bool forget_by_accounts(struct unlocking *unlocking, const char *client)
{
    struct call *call = unlocking->call;
    struct account *rows = arena_alloc(call->arena, PAGE * sizeof *rows);
    char after[ACCOUNT_NAME_MAX + 1] = "";
    size_t count = PAGE;

    fault_set(&unlocking->fault, "out of memory");
    while (rows != NULL && count == PAGE) {
        if (store_account_list(call->service.store, after[0] != '\0' ? after : NULL, rows, PAGE,
                               &count, &unlocking->fault) != STORE_OK) {
            return false;
        }
        for (size_t i = 0; i < count; i++) {
            if (!forget(unlocking, GUESS_CLIENT, text_of(client), rows[i].number)) {
                return false;
            }
            memcpy(after, rows[i].name, sizeof after);
        }
    }
    return rows != NULL;
}
