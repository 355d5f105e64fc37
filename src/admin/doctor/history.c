/* SPDX-License-Identifier: ISC */
/* history.c: what the events of a week and the times in the store say: lost history, guesses, a
 * wrong clock. Knows kinds of events; does not know whom they are about. */
#include "admin/doctor/doctor.h"

#include <string.h>

#include "base/codec.h"
#include "model/client_refusal.h"

static bool wants_certificate(const struct event *event);
static bool newest_record(struct call *call, int64_t *at_ms, struct fault *fault);

void doctor_remarks_examine(struct examination *e)
{
    struct store_remark remarks[STORE_REMARKS_MAX];
    struct fault fault = {0};
    size_t count = 0;

    if (store_remarks(e->call->service.store, remarks, &count, &fault) != STORE_OK) {
        doctor_report(e, "store", HEALTH_FAIL, "%s", fault.text);
    }
    for (size_t i = 0; i < count; i++) {
        doctor_report(e, remarks[i].subject, remarks[i].warn ? HEALTH_WARN : HEALTH_OK, "%s",
                      remarks[i].text);
    }
}

/* Tokens newer than their sessions, which only a store that has lost history sees. */
void doctor_history_examine(struct examination *e)
{
    enum { EVENTS = 1000 };
    struct call *call = e->call;
    struct event *rows = arena_alloc(call->arena, EVENTS * sizeof *rows);
    int64_t since_ms = call->now_ms - 7 * (int64_t)CLOCK_DAY;
    struct fault fault = {"out of memory"};
    size_t count = 0;
    size_t rolled = 0, restored = 0, guessed = 0, untold = 0;

    if (rows == NULL ||
        store_event_list(call->service.store, NULL, 0, rows, EVENTS, &count, &fault) != STORE_OK) {
        doctor_report(e, "history", HEALTH_FAIL, "%s", fault.text);
        return;
    }
    for (size_t i = 0; i < count; i++) {
        rolled += rows[i].kind == EVENT_ROLLED_FORWARD && rows[i].at_ms >= since_ms;
        restored += rows[i].kind == EVENT_RESTORED && rows[i].at_ms >= since_ms;
        if ((rows[i].kind == EVENT_GUESSED || rows[i].kind == EVENT_LOCKED) &&
            (rows[i].at_ms >= since_ms || rows[i].last_ms >= since_ms)) {
            guessed += 1 + rows[i].repeats;
        }
        if (rows[i].kind == EVENT_CLIENT_REFUSED && wants_certificate(&rows[i]) &&
            (rows[i].at_ms >= since_ms || rows[i].last_ms >= since_ms)) {
            untold += 1 + rows[i].repeats;
        }
    }
    if (untold > 0) {
        doctor_report(e, "certificates", HEALTH_WARN,
                      "%zu times in the last 7 days a client was refused because no certificate of "
                      "its connection came, or none that can be read (`retoken events`): does the "
                      "web server ask for one, and pass SSL_CLIENT_CERT?",
                      untold);
    }
    if (guessed > 0) {
        doctor_report(
            e, "guesses", HEALTH_WARN,
            "passwords or secrets were guessed at: %zu times five wrong ones in a row, or a "
            "hundred in a day, in the last 7 days (`retoken events`); `retoken account unlock` "
            "and `retoken client unlock` let the next try pass",
            guessed);
    }
    if (rolled > 0) {
        doctor_report(
            e, "history", HEALTH_WARN,
            "the store had lost renewals: %zu sessions were rolled forward in the last 7 days "
            "(`retoken events`)%s",
            rolled,
            restored > 0 ? ", after an older copy was put back"
                         : "; was a backup restored, or does the disk lose what it has "
                           "confirmed?");
    } else if (restored > 0) {
        doctor_report(e, "history", HEALTH_OK, "an older copy was put back in the last 7 days");
    } else {
        doctor_report(e, "history", HEALTH_OK, "no session was rolled forward in the last 7 days");
    }
}

static bool wants_certificate(const struct event *event)
{
    return strcmp(event->cause, client_refusal_word(CLIENT_REFUSED_NO_CERTIFICATE)) == 0 ||
           strcmp(event->cause, client_refusal_word(CLIENT_REFUSED_CERTIFICATE_MALFORMED)) == 0;
}

void doctor_clock_examine(struct examination *e, bool has_store)
{
    struct call *call = e->call;
    struct fault fault = {0};
    int64_t newest = 0;
    char now[OUTPUT_TIME_SIZE];
    char then[OUTPUT_TIME_SIZE];

    output_time(call->now_ms, now);
    if (has_store && !newest_record(call, &newest, &fault)) {
        doctor_report(e, "clock", HEALTH_FAIL, "%s", fault.text);
        return;
    }
    output_time(newest, then);
    if (call->now_ms < SERVICE_WRITTEN_MS) {
        doctor_report(e, "clock", HEALTH_FAIL,
                      "%s is before this program was written: set the clock", now);
    } else if (newest > call->now_ms + CLOCK_MINUTE) {
        doctor_report(e, "clock", HEALTH_FAIL,
                      "%s, but the store has a record of %s: set the clock", now, then);
    } else {
        doctor_report(e, "clock", HEALTH_OK, "%s", now);
    }
}

/* The newest time the store has seen, as far as two cheap looks tell. */
static bool newest_record(struct call *call, int64_t *at_ms, struct fault *fault)
{
    struct event event;
    struct session session;
    uint8_t now_id[SESSION_ID_SIZE];
    uint8_t ms[8];
    size_t count = 0;

    *at_ms = 0;
    if (store_event_list(call->service.store, NULL, 0, &event, 1, &count, fault) != STORE_OK) {
        return false;
    }
    if (count == 1) {
        *at_ms = event.at_ms;
    }
    /* ids begin with their time, so a session after the id of now comes from the future */
    codec_put_u64(ms, (uint64_t)call->now_ms + CLOCK_MINUTE);
    memset(now_id, 0xff, sizeof now_id);
    memcpy(now_id, ms + 2, 6);
    if (store_session_list(call->service.store, 0, now_id, &session, 1, &count, fault) !=
        STORE_OK) {
        return false;
    }
    if (count == 1 && session.created_ms > *at_ms) {
        *at_ms = session.created_ms;
    }
    return true;
}
