/* SPDX-License-Identifier: ISC */
/* decide.c: reads points from standard input, one a line, as test_reference.py writes them, and
 * prints what decision.c says of each. Knows the order of a point's numbers; does not know what is
 * right. */
#include <inttypes.h>
#include <stdio.h>

#include "operation/decision.h"

/* False at the end of the input. */
static bool next(int64_t *number)
{
    return scanf("%" SCNd64, number) == 1;
}

static int64_t take(void)
{
    int64_t number = 0;

    (void)next(&number);
    return number;
}

static void take_policy(struct policy *policy, enum decision_evidence *evidence)
{
    policy->report_only = take() != 0;
    policy->concurrency_window_ms = take();
    policy->recovery_window_ms = take();
    policy->recovery_generations = (uint32_t)take();
    policy->recovery_evidence = take() != 0 ? RECOVERY_EVIDENCE_CLIENT : RECOVERY_EVIDENCE_NONE;
    *evidence = (enum decision_evidence)take();
    policy->idle_lifetime_ms = take();
    policy->absolute_lifetime_ms = take();
}

static void take_view(struct session_view *view, struct policy *policy)
{
    struct session *session = &view->session;

    session->created_ms = take();
    session->rotated_ms = take();
    session->used_ms = take();
    session->expires_ms = take();
    session->end = (enum session_end)take();
    session->epoch = (uint32_t)take();
    view->account.epoch = (uint32_t)take();
    view->has_account = take() != 0;
    view->account.enabled = take() != 0;
    policy->grants = (uint32_t)take();
    view->has_client = take() != 0;
    view->client.grants = (uint32_t)take();
    view->client.enabled = take() != 0;
    view->client.number = (uint64_t)take();
    session->client_number = (uint64_t)take();
    session->client[0] = session->client_number != 0 ? 'c' : '\0';
    session->account = (uint64_t)take();
    session->pending = (enum session_pending)take();
    session->generation = (uint32_t)take();
}

/* The outcome, how long it stays so, when the session ends, when it ends once it is renewed, its
 * last use, and whether that is worth a write. */
static void print(const struct policy *policy, const struct session_view *view, uint32_t presented,
                  enum decision_evidence evidence, const struct clock_moment *now)
{
    const struct session *session = &view->session;
    enum outcome outcome = decision_make(policy, view, presented, evidence, now);
    int64_t last_use = decision_last_use_ms(session, now->wall_ms);
    int64_t left = 0;

    if (outcome == OUTCOME_REPLAYED || outcome == OUTCOME_RECOVERED) {
        left = decision_window_left_ms(policy, session, presented, outcome, now);
    }
    printf("%s %" PRId64 " %" PRId64 " %" PRId64 " %" PRId64 " %d\n", outcome_word(outcome), left,
           decision_expires_ms(policy, session),
           decision_next_expiry_ms(policy, session->created_ms, last_use), last_use,
           !policy->rotate && decision_touch_due(policy, session, now->wall_ms));
}

int main(void)
{
    static struct session_view view;
    int64_t rotate;

    while (next(&rotate)) {
        struct policy policy = {.rotate = rotate != 0};
        struct clock_moment now = {0};
        enum decision_evidence evidence;
        uint32_t presented;

        take_policy(&policy, &evidence);
        take_view(&view, &policy);
        view.session.key_kind =
            evidence == DECISION_KEY_PROVED ? SESSION_KEY_DPOP : SESSION_KEY_NONE;
        presented = (uint32_t)take();
        view.session.outdated = (uint32_t)take();
        view.session.boot = (uint64_t)take();
        now.boot = (uint64_t)take();
        now.wall_ms = take();
        now.boot_ms = take();
        for (int i = 0; i < SESSION_SPENT_KEPT; i++) {
            view.session.spent[i].wall_ms = take();
            view.session.spent[i].boot_ms = take();
        }
        print(&policy, &view, presented, evidence, &now);
    }
    return 0;
}
