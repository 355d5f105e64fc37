/* SPDX-License-Identifier: ISC */
/* ended.c: sessions that one write ended with many others, while their records do not say so
 * yet. Knows what that means to an operator; does not know how it is kept (store/verbs/epochs.h).
 */
#include "admin/doctor/doctor.h"

#include <inttypes.h>

struct unmarked {
    uint64_t sessions[SESSION_ENDS]; /* by enum session_end */
    uint64_t kept[SESSION_ENDS];     /* of these: never to be swept, because they do not expire */
};

static void count_one(void *self, const struct session *session);

void doctor_ended_examine(struct examination *e)
{
    struct unmarked unmarked = {{0}, {0}};
    struct fault fault;

    if (!call_each_session(e->call, count_one, &unmarked, &fault)) {
        doctor_report(e, "ended", HEALTH_FAIL, "%s", fault.text);
        return;
    }
    for (size_t end = 0; end < SESSION_ENDS; end++) {
        if (unmarked.sessions[end] > 0) {
            doctor_report(e, "ended", unmarked.kept[end] > 0 ? HEALTH_WARN : HEALTH_OK,
                          "%" PRIu64
                          " ended at once (%s), and what was to note it in their records "
                          "was interrupted: none is accepted, and %" PRIu64
                          " never expire, so their records stay",
                          unmarked.sessions[end], session_end_meaning((enum session_end)end),
                          unmarked.kept[end]);
        }
    }
}

static void count_one(void *self, const struct session *session)
{
    struct unmarked *unmarked = self;

    if (session->ended_unmarked) {
        unmarked->sessions[session->end]++;
        unmarked->kept[session->end] += session->expires_ms == 0 ? 1 : 0;
    }
}
