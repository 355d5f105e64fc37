/* SPDX-License-Identifier: ISC */
/* test_preview.c: a preview is what the operation would say, and changes nothing. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "operation/preview.h"
#include "operation/world.h"

static void test_judge_changes_nothing(void **state)
{
    struct world *w = *state;
    struct text token = world_session(w, "", NULL);
    struct preview preview;
    struct answer answer;

    assert_int_equal(
        preview_token(&w->issuer, &w->mount, token, true, w->arena, &preview, &w->fault),
        OUTCOME_ROTATED);
    assert_int_equal(preview.grant.session.generation, 0);
    assert_int_equal(world_present(w, &w->mount, token, &answer), OUTCOME_ROTATED);
    w->now_ms += 12 * CLOCK_SECOND;
    assert_int_equal(
        preview_token(&w->issuer, &w->mount, token, true, w->arena, &preview, &w->fault),
        OUTCOME_REPLAYED);
    assert_int_equal(preview.window_left_ms, 48 * CLOCK_SECOND);
    w->now_ms += CLOCK_HOUR;
    assert_int_equal(
        preview_token(&w->issuer, &w->mount, token, true, w->arena, &preview, &w->fault),
        OUTCOME_TOKEN_REUSED);
    assert_int_equal(world_record(w, answer.session).end, SESSION_LIVE);
}

/* Where requests carry no proof, a session that began with one is refused. */
static void test_proof_that_no_request_here_carries(void **state)
{
    struct world *w = *state;
    struct client web = {.enabled = true, .id = "web", .secrets = {{.hash = "a hash"}}};
    struct issue_ask began = {.account = &w->ada, .client = TEXT("web"), .client_proved = true};
    struct preview preview;
    struct answer first;

    assert_int_equal(store_client_add(w->store, &web, &w->fault), STORE_OK);
    assert_int_equal(world_issue(w, &began, &first), OUTCOME_ROTATED);
    assert_int_equal(preview_token(&w->issuer, &w->mount, first.refresh_token, false, w->arena,
                                   &preview, &w->fault),
                     OUTCOME_CLIENT_AUTH_FAILED);
    assert_int_equal(preview_token(&w->issuer, &w->mount, first.refresh_token, true, w->arena,
                                   &preview, &w->fault),
                     OUTCOME_ROTATED);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(test_judge_changes_nothing),
        CASE(test_proof_that_no_request_here_carries),
    };
    return cmocka_run_group_tests_name("operation/preview", tests, NULL, NULL);
}
