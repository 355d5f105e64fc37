/* SPDX-License-Identifier: ISC */
/* device_grant.c: the operation by which a device asks whether its user has approved it, and gets
 * the first tokens of its session once that is so (RFC 8628 section 3.4). A device polls, so a lost
 * answer is asked for again: its code is generation 0 of the session, and a code that comes again
 * is what a spent refresh token is, answered again inside a window, and outside of one the end of
 * the session. Knows sessions and clients; does not know HTTP. */
#include "operation/operation.h"

#include "operation/device_polls.h"
#include "operation/exchange.h"
#include "token/refresh_token.h"

static bool begin(struct request *request);
static struct store_write *step(struct request *request, enum outcome *outcome);
static enum outcome judge(struct request *request, const struct exchange *exchange);

const struct operation operation_device_grant = {
    .word = "device-grant", .begin = begin, .step = step, .written = exchange_written};

static bool begin(struct request *request)
{
    return exchange_begin(request, refresh_token_device_code_open,
                          request->input.device.device_code, OUTCOME_CLIENT_AUTH_FAILED);
}

/* Who loses the race for the code reads that the session has begun. The code is ours, so where
 * there is none it was swept. */
static struct store_write *step(struct request *request, enum outcome *outcome)
{
    struct exchange *exchange = request->state;

    if (!exchange->decided) {
        enum outcome verdict = exchange_find(request, exchange, OUTCOME_DEVICE_EXPIRED);

        if (verdict == OUTCOME_ROTATED && exchange->view.session.pending == SESSION_BEGUN) {
            *outcome = OUTCOME_FAULT;
            return exchange_ask_again(request, exchange, 0)
                       ? request->operation->step(request, outcome)
                       : NULL;
        }
        exchange_decide(request, exchange,
                        verdict == OUTCOME_ROTATED ? judge(request, exchange) : verdict);
    }
    *outcome = exchange->outcome;
    return exchange->writes ? &exchange->write : NULL;
}

/* OUTCOME_ROTATED: the session may begin. */
static enum outcome judge(struct request *request, const struct exchange *exchange)
{
    const struct session_view *view = &exchange->view;
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
