/* SPDX-License-Identifier: ISC */
/* decide.c: reads points from standard input, one a line, as test_reference.py writes them, and
 * prints the word of what decision.c decides of each. Knows the order of a point's numbers; does
 * not know what is right. */
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

static void take_policy(struct policy *policy, bool *client_proved)
{
    policy->concurrency_window_ms = take();
    policy->recovery_window_ms = take();
    policy->recovery_generations = (uint32_t)take();
    policy->recovery_evidence = take() != 0 ? RECOVERY_EVIDENCE_CLIENT : RECOVERY_EVIDENCE_NONE;
    *client_proved = take() != 0;
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
    session->generation = (uint32_t)take();
}

int main(void)
{
    static struct session_view view;
    int64_t rotate;

    while (next(&rotate)) {
        struct policy policy = {.rotate = rotate != 0};
        struct clock_moment now = {0};
        bool client_proved;
        uint32_t presented;

        take_policy(&policy, &client_proved);
        take_view(&view, &policy);
        presented = (uint32_t)take();
        view.session.boot = (uint64_t)take();
        now.boot = (uint64_t)take();
        now.wall_ms = take();
        now.boot_ms = take();
        for (int i = 0; i < SESSION_SPENT_KEPT; i++) {
            view.session.spent[i].wall_ms = take();
            view.session.spent[i].boot_ms = take();
        }
        puts(outcome_word(decision_make(&policy, &view, presented, client_proved, &now)));
    }
    return 0;
}
