/* SPDX-License-Identifier: ISC */
/* secret.c: are master secrets that sessions need here, and those that none needs gone?
 * Knows how a roll goes (verbs/secret.c); does not know how their file is read. */
#include "admin/doctor/doctor.h"

#include <inttypes.h>
#include <string.h>

#include "admin/secret_need.h"

static void report_missing(struct examination *e, const struct secret_need *need);
static void report_line(struct examination *e, const struct secret_need *need, size_t i);

void doctor_secret_examine(struct examination *e)
{
    struct secret_need *need = arena_alloc(e->call->arena, sizeof *need);
    struct fault fault = {"out of memory"};

    if (need == NULL || !secret_need_read(e->call, need, &fault)) {
        doctor_report(e, "secret", HEALTH_FAIL, "%s", fault.text);
        return;
    }
    report_missing(e, need);
    for (size_t i = 0; i < need->count && need->count > 1; i++) {
        report_line(e, need, i);
    }
}

static void report_missing(struct examination *e, const struct secret_need *need)
{
    for (size_t number = 1; number < SECRET_NUMBERS; number++) {
        if (need->sessions[number] > 0 && !secret_need_has(need, (uint8_t)number)) {
            doctor_report(e, "secret", HEALTH_FAIL,
                          "%" PRIu64 " sessions are under the master secret %02zx, and are "
                          "answered 503 here: copy the file from the machine whose `retoken secret "
                          "list` shows it",
                          need->sessions[number], number);
        }
    }
}

static void report_line(struct examination *e, const struct secret_need *need, size_t i)
{
    const struct call *call = e->call;
    const char *file = call->service.config.secret_file;
    const char *state = secret_need_state(need, i, call->now_ms);
    bool others = store_url_directory(call->service.config.store) == NULL;
    uint8_t id = need->lines[i].name[0];
    uint64_t sessions = need->sessions[secret_need_number(need, i)];
    char from[OUTPUT_TIME_SIZE];

    if (strcmp(state, "published") == 0) {
        output_time(need->lines[i].from_ms, from);
        doctor_report(
            e, "secret", others ? HEALTH_WARN : HEALTH_OK, "%02x makes tokens from %s on%s%s", id,
            from, others ? "; by then every web server must have this " : "", others ? file : "");
    } else if (strcmp(state, "retired") == 0 && sessions > 0) {
        doctor_report(
            e, "secret", HEALTH_WARN,
            "%" PRIu64 " sessions, of a store that was restored perhaps, are under %02x, "
            "which is retired: to accept their tokens, take `retired` from line %zu of %s",
            sessions, id, i + 1, file);
    } else if (strcmp(state, "accepted") == 0 && sessions == 0) {
        doctor_report(e, "secret", HEALTH_WARN,
                      "no session needs %02x any more, and whoever has it can make tokens: "
                      "`retoken secret retire %02x`",
                      id, id);
    } else if (strcmp(state, "accepted") == 0) {
        doctor_report(e, "secret", HEALTH_OK, "%" PRIu64 " sessions still need %02x", sessions, id);
    }
}
