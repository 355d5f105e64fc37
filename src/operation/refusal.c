/* SPDX-License-Identifier: ISC */
/* refusal.c: see refusal.h. */
#include "operation/refusal.h"

#include "operation/request_event.h"

static bool refuses_client(enum outcome outcome);
static const char *cause_of_login(const struct request *request, enum outcome outcome);

bool refusal_event(const struct request *request, enum outcome outcome, struct event *event)
{
    enum client_refusal refusal = request->answer.refusal;
    int64_t now_ms = clock_now_ms(&request->issuer->clock);
    const char *cause;

    if (refusal != CLIENT_NOT_REFUSED && refuses_client(outcome)) {
        request_event(event, EVENT_CLIENT_REFUSED, request, now_ms);
        event_set_cause(event, client_refusal_word(refusal));
        if (refusal == CLIENT_REFUSED_UNKNOWN) {
            event->client[0] = '\0'; /* or each invented name would be a line of its own */
        }
        return true;
    }
    cause = cause_of_login(request, outcome);
    if (cause == NULL) {
        return false;
    }
    request_event(event, EVENT_LOGIN_FAILED, request, now_ms);
    event_set_cause(event, cause);
    event->account = request->guess.account;
    return true;
}

static bool refuses_client(enum outcome outcome)
{
    return outcome == OUTCOME_CLIENT_AUTH_FAILED || outcome == OUTCOME_CLIENT_UNAUTHORIZED;
}

/* NULL: it is not about a password. */
static const char *cause_of_login(const struct request *request, enum outcome outcome)
{
    if (request->guess.made == GUESS_NONE) {
        return NULL;
    } else if (outcome == OUTCOME_CREDENTIALS_WRONG) {
        return request->guess.account != 0 ? "password" : "unknown-account";
    }
    return outcome == OUTCOME_ACCOUNT_DISABLED ? "disabled" : NULL;
}

bool refusal_is_due(struct issuer *issuer, const struct event *event)
{
    uint32_t now_s = (uint32_t)(event->at_ms / CLOCK_SECOND);
    uint32_t hash = 2166136261U; /* FNV-1a */

    for (const char *c = event->client; *c != '\0'; c++) {
        hash = (hash ^ (uint8_t)*c) * 16777619U;
    }
    for (const char *c = event->cause; *c != '\0'; c++) {
        hash = (hash ^ (uint8_t)*c) * 16777619U;
    }
    return atomic_exchange(&issuer->refused_s[hash % ISSUER_REFUSALS], now_s) != now_s;
}
