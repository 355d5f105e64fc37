/* SPDX-License-Identifier: ISC */
/* device_grant.c: the operation by which a device asks whether its user has approved it, and gets
 * the first tokens of its session once that is so (RFC 8628 section 3.4). A device polls, so a lost
 * answer is asked for again: its code is generation 0 of the session, and a code that comes again
 * is what a spent refresh token is, answered again inside a window, and outside of one the end of
 * the session. Knows sessions and clients; does not know HTTP. */
#include <stddef.h>
#include <string.h>

#include "operation/device_polls.h"
#include "operation/operation.h"
#include "operation/ownership.h"
#include "operation/pending.h"
#include "token/refresh_token.h"

struct grant {
    bool decided;
    enum outcome outcome;
    bool writes;
    struct store_write write;
    struct client_identity client;
    struct token_ref ref;
    struct session_view view; /* last, because it is large and not zeroed */
};

static bool begin(struct request *request);
static struct store_write *step(struct request *request, enum outcome *outcome);
static void written(struct request *request, enum store_result result);
static void decide(struct grant *grant, enum outcome outcome);
static enum outcome judge(struct request *request, struct grant *grant);
static enum outcome judge_pending(struct request *request, const struct grant *grant);
static bool ask_again(struct request *request, const struct grant *grant);

const struct operation operation_device_grant = {
    .word = "device-grant", .begin = begin, .step = step, .written = written};

static bool begin(struct request *request)
{
    struct grant *grant = operation_state(request, sizeof *grant, offsetof(struct grant, view));
    enum outcome refusal;
    bool ours;

    if (grant == NULL) {
        return false;
    }
    request->answer.now_ms = clock_now_ms(&request->issuer->clock);
    ours = refresh_token_device_code_open(request->issuer->secrets,
                                          request->input.device.device_code, grant->ref.session);
    if (!client_auth_check(request, ours ? &grant->ref : NULL, request->answer.now_ms,
                           &grant->client, &refusal) ||
        !client_auth_is_fresh(request, &grant->client, request->answer.now_ms, &refusal)) {
        decide(grant, refusal);
    } else if (!grant->client.named) {
        decide(grant, OUTCOME_CLIENT_AUTH_FAILED);
    } else if (!ours) {
        decide(grant, OUTCOME_TOKEN_INVALID);
    }
    return true;
}

static void decide(struct grant *grant, enum outcome outcome)
{
    grant->outcome = outcome;
    grant->decided = true;
}

static struct store_write *step(struct request *request, enum outcome *outcome)
{
    struct grant *grant = request->state;

    if (!grant->decided) {
        decide(grant, judge(request, grant));
        if (grant->outcome == OUTCOME_REPLAYED) {
            *outcome = OUTCOME_FAULT;
            return ask_again(request, grant) ? request->operation->step(request, outcome) : NULL;
        } else if (grant->outcome == OUTCOME_ROTATED) {
            grant->writes = pending_begin(request, &grant->view, &grant->client, &grant->write);
            grant->outcome = grant->writes ? OUTCOME_ROTATED : OUTCOME_FAULT;
        }
    }
    *outcome = grant->outcome;
    return grant->writes ? &grant->write : NULL;
}

/* Who loses the race for the code reads that the session has begun. */
static void written(struct request *request, enum store_result result)
{
    struct grant *grant = request->state;
    enum outcome refusal;

    grant->writes = false;
    switch (result) {
    case STORE_OK:
        break;
    case STORE_STALE:
    case STORE_ABSENT:
        grant->decided = false;
        break;
    case STORE_EXISTS: /* another request has used the assertion */
        decide(grant,
               client_auth_is_fresh(request, &grant->client, request->answer.now_ms, &refusal)
                   ? OUTCOME_FAULT
                   : refusal);
        break;
    case STORE_FAULT:
        grant->outcome = OUTCOME_FAULT;
        break;
    }
}

/* OUTCOME_ROTATED: the session may begin. OUTCOME_REPLAYED: it has begun. */
static enum outcome judge(struct request *request, struct grant *grant)
{
    const struct session *session = &grant->view.session;
    enum outcome refusal;

    switch (store_session_view(request->issuer->store, grant->ref.session, &grant->view,
                               &request->fault)) {
    case STORE_OK:
        break;
    case STORE_ABSENT: /* the code is ours, so it was swept */
        return OUTCOME_DEVICE_EXPIRED;
    case STORE_EXISTS:
    case STORE_STALE:
    case STORE_FAULT:
        return OUTCOME_FAULT;
    }
    request->answer.session_known = true;
    memcpy(request->answer.session, session->id, sizeof request->answer.session);
    if (!text_equal(text_of(session->realm), text_of(request->realm->name))) {
        return OUTCOME_WRONG_REALM;
    } else if (!text_equal(text_of(session->client), text_of(grant->client.id))) {
        return OUTCOME_WRONG_CLIENT;
    } else if (!ownership_page_matches(request, &grant->view, &refusal)) {
        return refusal;
    }
    return session->pending == SESSION_BEGUN ? OUTCOME_REPLAYED : judge_pending(request, grant);
}

static enum outcome judge_pending(struct request *request, const struct grant *grant)
{
    const struct session_view *view = &grant->view;
    const struct session *session = &view->session;
    int64_t now_ms = request->answer.now_ms;

    if (session->end == SESSION_ENDED_DENIED) {
        return OUTCOME_DEVICE_DENIED;
    } else if (session->end != SESSION_LIVE) {
        return OUTCOME_TOKEN_REVOKED;
    } else if (now_ms >= session->expires_ms) {
        return OUTCOME_DEVICE_EXPIRED;
    } else if (session->account == 0) {
        return device_polls_too_soon(request->issuer->polls, session->id, now_ms)
                   ? OUTCOME_DEVICE_TOO_SOON
                   : OUTCOME_DEVICE_PENDING;
    } else if (!view->has_account) {
        return OUTCOME_ACCOUNT_GONE;
    }
    return view->account.enabled ? OUTCOME_ROTATED : OUTCOME_ACCOUNT_DISABLED;
}

/* The refresh operation knows what a token of generation 0 gets. False: nothing could be begun. */
static bool ask_again(struct request *request, const struct grant *grant)
{
    struct text token;

    if (!token_ref_mint(request->issuer, REFRESH_FORMAT_NATIVE, grant->ref.session, 0,
                        request->arena, &token, &request->fault)) {
        return false;
    }
    request->operation = &operation_refresh;
    request->input.refresh = (struct refresh_input){.refresh_token = token};
    return operation_refresh.begin(request);
}
