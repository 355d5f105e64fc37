/* SPDX-License-Identifier: ISC */
/* validate.c: the operation that tells whose an access token is, and changes nothing. A token that
 * names its session is as good as that; of one whose layout cannot, its account is asked for. Does
 * not know how a token is sent. */
#include <stddef.h>

#include "operation/operation.h"
#include "operation/standing.h"

static bool begin(struct request *request);
static struct store_write *step(struct request *request, enum outcome *outcome);
static enum outcome find_account(struct request *request);
static enum outcome add_claims(struct request *request, const struct account *account);

const struct operation operation_validate = {
    .word = "validate", .routine = true, .begin = begin, .step = step};

static bool begin(struct request *request)
{
    return operation_state(request, sizeof(struct standing), offsetof(struct standing, view)) !=
           NULL;
}

static struct store_write *step(struct request *request, enum outcome *outcome)
{
    struct clock_moment now = clock_moment(&request->issuer->clock);

    request->answer.now_ms = now.wall_ms;
    *outcome = standing_of_user(request, request->input.refresh.refresh_token, now, request->state);
    if (*outcome == OUTCOME_TOKEN_ALONE &&
        request->realm->policy.layout->session_claim == NULL) { /* else it is a client's own */
        *outcome = find_account(request);
    } else if (*outcome == OUTCOME_SERVED) {
        *outcome = add_claims(request, &((struct standing *)request->state)->view.account);
    }
    return NULL;
}

/* What answers may tell of the account. */
static enum outcome add_claims(struct request *request, const struct account *account)
{
    if (account->claims[0] != '\0') {
        request->answer.claims =
            json_in_object(request->arena, text_of(account->claims), &request->fault);
    }
    if (account->claims[0] != '\0' && request->answer.claims == NULL) {
        fault_prefix(&request->fault, "claims of account %s", account->name);
        return OUTCOME_FAULT;
    }
    return OUTCOME_SERVED;
}

/* Layouts without a session have its name in `sub`. */
static enum outcome find_account(struct request *request)
{
    const char *name = json_string_value(json_object_get(request->answer.payload, "sub"));
    struct account account;

    if (name == NULL) {
        return OUTCOME_TOKEN_ALONE;
    }
    switch (store_account_find(request->issuer->store, name, &account, &request->fault)) {
    case STORE_OK:
        break;
    case STORE_ABSENT:
    case STORE_EXISTS:
    case STORE_STALE:
        return OUTCOME_ACCOUNT_GONE;
    case STORE_FAULT:
        return OUTCOME_FAULT;
    }
    if (!account.enabled) {
        return OUTCOME_ACCOUNT_DISABLED;
    } else if (!arena_copy(request->arena, text_of(account.name), &request->answer.username)) {
        fault_set(&request->fault, "the request's memory is used up");
        return OUTCOME_FAULT;
    }
    return OUTCOME_SERVED;
}
