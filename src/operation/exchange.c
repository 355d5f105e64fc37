/* SPDX-License-Identifier: ISC */
/* exchange.c: see exchange.h. */
#include "operation/exchange.h"

#include <stddef.h>
#include <string.h>

#include "operation/hook.h"
#include "operation/operation.h"
#include "operation/ownership.h"
#include "operation/pending.h"
#include "operation/possession.h"
#include "operation/request_event.h"
#include "operation/target.h"

static void settle(struct exchange *exchange, enum outcome outcome);
static bool key_suffices(struct request *request, struct exchange *exchange);
static bool ask_hook(struct request *request, struct exchange *exchange);

bool exchange_begin(struct request *request, exchange_open *open, struct text code,
                    enum outcome unnamed)
{
    struct exchange *exchange = exchange_open_state(request);
    enum outcome refusal;
    bool ours;

    if (exchange == NULL) {
        return false;
    }
    request->answer.now_ms = clock_now_ms(&request->issuer->clock);
    ours = open(request->issuer->secrets, code, exchange->ref.session);
    if (!client_auth_check(request, ours ? &exchange->ref : NULL, request->answer.now_ms,
                           &exchange->client, &refusal) ||
        !client_auth_is_fresh(request, &exchange->client, request->answer.now_ms, &refusal)) {
        settle(exchange, refusal);
    } else if (!exchange->client.named && unnamed != OUTCOME_ROTATED) {
        settle(exchange, unnamed);
    } else if (!ours) {
        settle(exchange, token_ref_lacks_secret(request->issuer, code, &request->fault)
                             ? OUTCOME_FAULT
                             : OUTCOME_TOKEN_INVALID);
    }
    return true;
}

struct exchange *exchange_open_state(struct request *request)
{
    return operation_state(request, sizeof(struct exchange), offsetof(struct exchange, view));
}

static void settle(struct exchange *exchange, enum outcome outcome)
{
    exchange->outcome = outcome;
    exchange->decided = true;
}

enum outcome exchange_find(struct request *request, struct exchange *exchange, enum outcome absent)
{
    const struct session *session = &exchange->view.session;
    enum outcome found = operation_find_session(request, exchange->ref.session, &exchange->view);
    enum outcome refusal;

    if (found != OUTCOME_SERVED) {
        return found == OUTCOME_FAULT ? OUTCOME_FAULT : absent;
    }
    request->answer.session_known = true;
    memcpy(request->answer.session, session->id, sizeof request->answer.session);
    if (!text_equal(text_of(session->realm), text_of(request->realm->name))) {
        return OUTCOME_WRONG_REALM;
    } else if (!text_equal(text_of(session->client), text_of(exchange->client.id))) {
        return OUTCOME_WRONG_CLIENT;
    }
    return ownership_page_matches(request, &exchange->view, &refusal) ? OUTCOME_ROTATED : refusal;
}

enum outcome exchange_judge_code(const struct request *request, const struct exchange *exchange)
{
    const struct session_view *view = &exchange->view;
    const struct session *session = &view->session;

    if (session->end != SESSION_LIVE) {
        return OUTCOME_TOKEN_REVOKED;
    } else if (session->pending == SESSION_BEGUN) {
        return OUTCOME_TOKEN_REUSED;
    } else if (session->pending != SESSION_PENDING_CODE) {
        return OUTCOME_TOKEN_UNKNOWN;
    } else if (request->answer.now_ms >= session->expires_ms) {
        return OUTCOME_TOKEN_EXPIRED;
    } else if (!view->has_account) {
        return OUTCOME_ACCOUNT_GONE;
    }
    return view->account.enabled ? OUTCOME_ROTATED : OUTCOME_ACCOUNT_DISABLED;
}

/* RFC 6749 section 4.1.2: the code is known to more than one, and so may its tokens be. */
void exchange_punish(struct request *request, struct exchange *exchange)
{
    const struct session *session = &exchange->view.session;
    struct policy policy;
    struct event event;

    policy_effective(&request->realm->policy,
                     exchange->view.has_client ? &exchange->view.client : NULL, &policy);
    request_event_of_session(&event, policy.report_only ? EVENT_REUSE_REPORTED : EVENT_REUSE,
                             request, session, 0, request->answer.now_ms);
    event_set_cause(&event, "code");
    (void)text_copy(TEXT("its authorization code came twice"), event.note, sizeof event.note);
    if (policy.report_only) {
        store_prepare_event(&exchange->write, &event);
    } else {
        store_prepare_end(&exchange->write, session->id, SESSION_ENDED_REUSE,
                          request->answer.now_ms, NULL, &event);
    }
    exchange->writes = true;
}

bool exchange_ask_again(struct request *request, const struct exchange *exchange,
                        uint32_t generation)
{
    struct text token;

    if (!token_ref_mint(request->issuer, REFRESH_FORMAT_NATIVE, exchange->view.session.secret,
                        exchange->ref.session, generation, request->arena, &token,
                        &request->fault)) {
        return false;
    }
    request->operation = &operation_refresh;
    request->input.refresh = (struct refresh_input){.refresh_token = token};
    return operation_refresh.begin(request);
}

void exchange_decide(struct request *request, struct exchange *exchange, enum outcome outcome)
{
    settle(exchange, outcome);
    if (outcome == OUTCOME_ROTATED && key_suffices(request, exchange) &&
        target_choose(request, &exchange->view.session, &exchange->outcome) &&
        ask_hook(request, exchange)) {
        exchange->writes =
            pending_begin(request, &exchange->view, &exchange->client, &exchange->write);
        exchange->outcome = exchange->writes ? OUTCOME_ROTATED : OUTCOME_FAULT;
    }
}

/* One that was named when the code was asked for, or any where one is demanded. False with
 * exchange->outcome. */
static bool key_suffices(struct request *request, struct exchange *exchange)
{
    const struct session_view *view = &exchange->view;
    struct policy policy;

    if (request->possession.browser_proved) {
        return true;
    }
    policy_effective(&request->realm->policy, view->has_client ? &view->client : NULL, &policy);
    return possession_matches(request, &view->session, &exchange->outcome) &&
           possession_suffices(request, &policy, &exchange->outcome);
}

/* Generation 1 is the first that has tokens. False with exchange->outcome. */
static bool ask_hook(struct request *request, struct exchange *exchange)
{
    const struct session_view *view = &exchange->view;
    const struct hook_question question = {.session = &view->session,
                                           .account = view->has_account ? &view->account : NULL,
                                           .scope = text_of(view->session.scope),
                                           .generation = 1};

    return hook_ask(request, &question, &exchange->outcome);
}

/* The next step reads what the winner has done. No race goes on: each is lost to what cannot be
 * undone. */
void exchange_written(struct request *request, enum store_result result)
{
    struct exchange *exchange = request->state;
    enum outcome refusal;

    exchange->writes = false;
    switch (result) {
    case STORE_OK:
        break;
    case STORE_STALE:
    case STORE_ABSENT:
        exchange->decided = false;
        break;
    case STORE_EXISTS: /* another request has used the assertion */
        settle(exchange,
               client_auth_is_fresh(request, &exchange->client, request->answer.now_ms, &refusal)
                   ? OUTCOME_FAULT
                   : refusal);
        break;
    case STORE_FAULT:
        exchange->outcome = OUTCOME_FAULT;
        break;
    }
}
