/* SPDX-License-Identifier: ISC */
/* story.c: see story.h. Each kind of event has its sentence. Knows what a record
 * and events say; does not know what would be answered now (explain.c). */
#include "admin/explain/story.h"

#include <inttypes.h>
#include <string.h>

#include "admin/explain/explain.h"
#include "model/client_refusal.h"
#include "operation/decision.h"

enum { EVENTS = 200, SENTENCE_MAX = 640 };

struct story {
    struct call *call;
    const struct session_view *view;
    const struct event *events; /* newest first */
    size_t count;
    bool end_told; /* by an event */
};

static bool read_events(struct story *story, struct fault *fault);
static void tell_beginning(struct story *story, const struct event *began);
static void tell_renewals(struct story *story, bool by_code);
static void tell_event(struct story *story, const struct event *event);
static void tell_returned(struct story *story, struct buffer *b, const struct event *event);
static void tell_refused(struct buffer *b, const struct event *event);
static void tell_end(struct story *story);
static void tell_state(struct story *story, struct buffer *b);
static void add_when(struct buffer *b, const struct event *event, int64_t now_ms);
static void say(struct story *story, struct buffer *b);

enum call_end explain_story(struct call *call, const struct session_view *view)
{
    struct story story = {.call = call, .view = view};
    struct fault fault = {"out of memory"};
    const struct event *began = NULL;
    size_t left;

    if (!read_events(&story, &fault)) {
        return call_fault(call, &fault);
    }
    left = story.count;
    if (left > 0 && (event_begins_session(story.events[left - 1].kind))) {
        began = &story.events[--left];
    }
    if (call->output.json) {
        json_out_key(&call->output.out, "story");
        json_out_array_open(&call->output.out);
    }
    tell_beginning(&story, began);
    tell_renewals(&story, began != NULL && (strcmp(began->cause, "code") == 0 ||
                                            strcmp(began->cause, "device") == 0 ||
                                            strcmp(began->cause, "browser") == 0));
    while (left > 0) {
        tell_event(&story, &story.events[--left]);
    }
    tell_end(&story);
    if (call->output.json) {
        json_out_array_close(&call->output.out);
    }
    return CALL_DONE;
}

static bool read_events(struct story *story, struct fault *fault)
{
    struct call *call = story->call;
    struct event *rows = arena_alloc(call->arena, EVENTS * sizeof *rows);

    story->events = rows;
    return rows != NULL && store_event_list(call->service.store, story->view->session.id, 0, rows,
                                            EVENTS, &story->count, fault) == STORE_OK;
}

static void start(struct story *story, struct buffer *b)
{
    buffer_start(b, story->call->arena, SENTENCE_MAX);
}

/* ---- the beginning, and what went well ---- */

static const char *manner(const char *cause)
{
    static const struct {
        const char *cause, *manner;
    } rows[] = {
        {"password", "with a password"},
        {"code", "with an authorization code"},
        {"device", "on a device that a user approved"},
        {"browser", "with a key of its browser's"},
        {"remote-user", "with the web server's own login"},
        {"client", "by its client for itself"},
        {"adopted", "with a refresh token of another server"},
        {"import", "with a refresh token of another server"},
        {"admin", "by an administrator"},
    };

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        if (strcmp(rows[i].cause, cause) == 0) {
            return rows[i].manner;
        }
    }
    return "";
}

static void tell_beginning(struct story *story, const struct event *began)
{
    const struct session *session = &story->view->session;
    const char *how = began != NULL ? manner(began->cause) : "";
    struct buffer b;

    if (session->pending != SESSION_BEGUN) {
        return;
    }
    start(story, &b);
    buffer_add_c(&b, "It began at ");
    explain_at(&b, session->created_ms, story->call->now_ms);
    if (how[0] != '\0') {
        buffer_addf(&b, ", %s", how);
    }
    if (began != NULL && began->address[0] != '\0') {
        buffer_addf(&b, ", from %s", began->address);
    }
    say(story, &b);
}

/* by_code: its generation 0 was a code. */
static void tell_renewals(struct story *story, bool by_code)
{
    const struct session *session = &story->view->session;
    uint32_t times = session->generation - (by_code && session->generation > 0 ? 1 : 0);
    struct buffer b;

    if (session->pending != SESSION_BEGUN) {
        return;
    }
    start(story, &b);
    if (times == 0 && session->used_ms > session->rotated_ms) {
        buffer_add_c(&b, "It was last in use ");
        explain_ago(&b, session->used_ms, story->call->now_ms);
        buffer_add_c(&b, "; its refresh token has stayed the same");
    } else if (times == 0) {
        buffer_add_c(&b, "It was not refreshed");
    } else {
        buffer_addf(&b, "It was refreshed %" PRIu32 " time%s, last ", times, times == 1 ? "" : "s");
        explain_ago(&b, session->rotated_ms, story->call->now_ms);
    }
    say(story, &b);
}

/* ---- events ---- */

static void tell_event(struct story *story, const struct event *event)
{
    int64_t now_ms = story->call->now_ms;
    struct buffer b;

    start(story, &b);
    switch (event->kind) {
    case EVENT_REUSE:
    case EVENT_REUSE_REPORTED:
    case EVENT_RECOVERED:
    case EVENT_REPLAYED:
        tell_returned(story, &b, event);
        break;
    case EVENT_ROLLED_FORWARD:
    case EVENT_FUTURE:
        buffer_addf(&b,
                    "Generation %" PRIu32 " came, which the store did not know (a restored "
                    "backup?), and the session went on from there",
                    event->generation);
        add_when(&b, event, now_ms);
        break;
    case EVENT_REVOKED:
        story->end_told = true;
        buffer_addf(&b, "%s revoked it",
                    event->cause[0] == '\0' || strcmp(event->cause, "admin") == 0
                        ? "An administrator"
                        : event->cause);
        add_when(&b, event, now_ms);
        break;
    case EVENT_LOGOUT:
        story->end_told = true;
        buffer_add_c(&b, "Its user logged out");
        add_when(&b, event, now_ms);
        break;
    case EVENT_SESSION_LIMIT:
        story->end_told = true;
        buffer_add_c(&b, "It ended because its account began more sessions than it may have "
                         "(sessions-per-account)");
        add_when(&b, event, now_ms);
        break;
    case EVENT_RESTORED:
        buffer_add_c(&b, "An older copy of the store held it as live, and it was ended again");
        add_when(&b, event, now_ms);
        break;
    case EVENT_CLIENT_REFUSED:
        tell_refused(&b, event);
        add_when(&b, event, now_ms);
        break;
    case EVENT_HOOK_REFUSED:
        buffer_addf(&b, "The hook %s refused its account (%s)", event->cause, event->note);
        add_when(&b, event, now_ms);
        break;
    case EVENT_ACCOUNT:
    case EVENT_CLIENT:
    case EVENT_KEY:
    case EVENT_LOGIN:
    case EVENT_GUESSED:
    case EVENT_BEGUN:
    case EVENT_ADOPTED:
    case EVENT_REFRESHED:
    case EVENT_EXPIRED:
    case EVENT_LOGIN_FAILED:
    case EVENT_LOCKED:
    case EVENT_HOOK_FAULT:
        buffer_addf(&b, "Noted: %s", event_meaning(event->kind));
        if (event->note[0] != '\0') {
            buffer_addf(&b, " (%s)", event->note);
        }
        add_when(&b, event, now_ms);
        break;
    }
    say(story, &b);
}

/* "Generation 11 came back 4 min after 12 was issued, from another address (192.0.2.8): …" */
static void tell_returned(struct story *story, struct buffer *b, const struct event *event)
{
    static const char *const networks[EVENT_NETWORKS] = {
        [EVENT_NETWORK_UNKNOWN] = "",
        [EVENT_NETWORK_SAME] = ", from the address that had renewed it last",
        [EVENT_NETWORK_OTHER] = ", from another address than had renewed it last"};
    char span[OUTPUT_TIME_SIZE];

    if (event->note[0] != '\0') {
        buffer_addf(b, "Something spent came back (%s)", event->note);
    } else {
        buffer_addf(b, "Generation %" PRIu32 " came back", event->generation);
    }
    if (event->spent_ago_ms > 0) {
        output_span(event->spent_ago_ms, span);
        buffer_addf(b, " %s after %" PRIu32 " was issued", span, event->generation + 1);
    }
    buffer_add_c(b, networks[event->network]);
    if (event->address[0] != '\0') {
        buffer_addf(b, " (%s)", event->address);
    }
    if (event->kind == EVENT_REUSE) {
        story->end_told = true;
        buffer_add_c(b, ": the session was revoked");
    } else if (event->kind == EVENT_REUSE_REPORTED) {
        buffer_add_c(b, ": refused and reported; without reuse = report it would have ended the "
                        "session");
    } else {
        buffer_add_c(b, ": taken for a lost answer, which was given again");
    }
    add_when(b, event, story->call->now_ms);
    if (event->kind == EVENT_REUSE) {
        buffer_add_c(b, "; its user felt that at the next refresh");
    }
}

static void tell_refused(struct buffer *b, const struct event *event)
{
    buffer_add_c(b, "Its client was not believed");
    for (unsigned i = 0; i < CLIENT_REFUSALS; i++) {
        if (event->cause[0] != '\0' &&
            strcmp(client_refusal_word((enum client_refusal)i), event->cause) == 0) {
            buffer_addf(b, " (%s)", client_refusal_meaning((enum client_refusal)i));
        }
    }
}

/* " at 2026-…, 5 min ago (4 more times, the last 2 min ago)" */
static void add_when(struct buffer *b, const struct event *event, int64_t now_ms)
{
    buffer_add_c(b, " at ");
    explain_at(b, event->at_ms, now_ms);
    if (event->repeats > 0) {
        buffer_addf(b, " (and %" PRIu32 " more time%s, the last ", event->repeats,
                    event->repeats == 1 ? "" : "s");
        explain_ago(b, event->last_ms, now_ms);
        buffer_add_c(b, ")");
    }
}

/* ---- how it stands ---- */

static void tell_end(struct story *story)
{
    const struct session *session = &story->view->session;
    struct buffer b;

    if (session->end != SESSION_LIVE && story->end_told) {
        return;
    }
    start(story, &b);
    if (session->end == SESSION_LIVE) {
        tell_state(story, &b);
    } else {
        buffer_add_c(&b, "It ended at ");
        explain_at(&b, session->ended_ms, story->call->now_ms);
        buffer_addf(&b, ": %s", session_end_meaning(session->end));
    }
    say(story, &b);
}

/* Of one that has not been ended by anyone. */
static void tell_state(struct story *story, struct buffer *b)
{
    const struct session_view *view = story->view;
    const struct session *session = &view->session;
    const struct config *config = &story->call->service.config;
    struct policy policy = {0};
    int64_t expires_ms = session->expires_ms;

    for (size_t i = 0; i < config->realm_count; i++) {
        if (strcmp(config->realms[i].name, session->realm) == 0) {
            policy_effective(&config->realms[i].policy, view->has_client ? &view->client : NULL,
                             &policy);
            expires_ms = decision_expires_ms(&policy, session);
        }
    }
    if (expires_ms != 0 && expires_ms <= story->call->now_ms) {
        buffer_add_c(b, "It expired at ");
        explain_story_expiry(b, session, &policy, expires_ms, story->call->now_ms);
    } else if (session->pending != SESSION_BEGUN) {
        buffer_addf(b, "It is %s", session_pending_meaning(session->pending));
    } else if (!view->has_account && !session_is_clients_own(session)) {
        buffer_add_c(b, "Its account was removed: nothing of it is accepted");
    } else if (view->has_account && !view->account.enabled) {
        buffer_add_c(b, "Its account is disabled: nothing of it is accepted");
    } else if (view->has_client && !view->client.enabled) {
        buffer_add_c(b, "Its client is disabled: nothing of it is accepted");
    } else if (expires_ms == 0) {
        buffer_add_c(b, "It is live, and does not expire");
    } else {
        buffer_add_c(b, "It is live, and unless it is refreshed it expires at ");
        explain_at(b, expires_ms, story->call->now_ms);
    }
}

void explain_story_expiry(struct buffer *b, const struct session *session,
                          const struct policy *policy, int64_t expires_ms, int64_t now_ms)
{
    bool absolute = policy->absolute_lifetime_ms != 0 &&
                    expires_ms >= session->created_ms + policy->absolute_lifetime_ms;
    int64_t span_ms = absolute ? policy->absolute_lifetime_ms : policy->idle_lifetime_ms;
    char span[OUTPUT_TIME_SIZE];

    explain_at(b, expires_ms, now_ms);
    if (span_ms != 0) {
        output_span(span_ms, span);
        buffer_addf(b,
                    absolute ? ": sessions end %s after they began (absolute-lifetime)"
                             : ": it was not renewed for %s (idle-lifetime)",
                    span);
    }
}

static void say(struct story *story, struct buffer *b)
{
    struct output *output = &story->call->output;
    struct text sentence = TEXT("(out of memory)");

    buffer_add_char(b, '.');
    buffer_finish(b, &sentence);
    if (output->json) {
        json_out_text(&output->out, sentence);
    }
    output_say(output, "  %.*s", TEXT_ARGS(sentence));
}
