/* SPDX-License-Identifier: ISC */
/* test_decision.c: every row of the decision table, at its edges. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "operation/decision.h"

enum { T = 1000000 }; /* rotated at, in ms */

static struct session_view grant_at(uint32_t generation)
{
    struct session_view grant = {0};

    grant.session.generation = generation;
    grant.session.created_ms = T;
    grant.session.rotated_ms = T;
    grant.session.used_ms = T;
    grant.session.written_ms = T;
    grant.has_account = true;
    grant.account.enabled = true;
    return grant;
}

static void test_generations(void **state)
{
    static const struct row {
        uint32_t n, c;
        int64_t age_ms;
        bool rotate, proved;
        enum recovery_evidence evidence;
        enum outcome outcome;
    } rows[] = {
        {0, 0, 0, true, false, RECOVERY_EVIDENCE_CLIENT, OUTCOME_ROTATED},
        {7, 7, 1 << 20, true, false, RECOVERY_EVIDENCE_CLIENT, OUTCOME_ROTATED},
        {0, 0, 0, false, false, RECOVERY_EVIDENCE_CLIENT, OUTCOME_RENEWED},
        {1, 0, 0, true, false, RECOVERY_EVIDENCE_CLIENT, OUTCOME_REPLAYED},
        {1, 0, -5000, true, false, RECOVERY_EVIDENCE_CLIENT,
         OUTCOME_REPLAYED}, /* clock set back a little */
        {1, 0, -120001, true, true, RECOVERY_EVIDENCE_NONE, OUTCOME_FAULT}, /* … and far */
        {2, 0, -120001, true, true, RECOVERY_EVIDENCE_NONE, OUTCOME_TOKEN_REUSED},
        {1, 1, -120001, true, true, RECOVERY_EVIDENCE_NONE, OUTCOME_ROTATED},
        {1, 0, 60000, true, false, RECOVERY_EVIDENCE_CLIENT, OUTCOME_REPLAYED},
        {1, 0, 60001, true, false, RECOVERY_EVIDENCE_CLIENT, OUTCOME_TOKEN_REUSED},
        {1, 0, 60001, true, true, RECOVERY_EVIDENCE_CLIENT, OUTCOME_RECOVERED},
        {1, 0, 60001, true, false, RECOVERY_EVIDENCE_NONE, OUTCOME_RECOVERED},
        {1, 0, 300000, true, true, RECOVERY_EVIDENCE_CLIENT, OUTCOME_RECOVERED},
        {1, 0, 300001, true, true, RECOVERY_EVIDENCE_CLIENT, OUTCOME_TOKEN_REUSED},
        {2, 0, 0, true, true, RECOVERY_EVIDENCE_NONE, OUTCOME_TOKEN_REUSED}, /* only the parent */
        {9, 1, 0, true, true, RECOVERY_EVIDENCE_NONE, OUTCOME_TOKEN_REUSED},
        {0, 1, 0, true, true, RECOVERY_EVIDENCE_NONE, OUTCOME_TOKEN_FROM_FUTURE},
        {3, UINT32_MAX, 0, true, true, RECOVERY_EVIDENCE_NONE, OUTCOME_TOKEN_FROM_FUTURE},
        {UINT32_MAX, 0, 0, true, true, RECOVERY_EVIDENCE_NONE, OUTCOME_TOKEN_REUSED},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct session_view grant = grant_at(rows[i].n);
        struct policy policy = {.rotate = rows[i].rotate,
                                .concurrency_window_ms = 60000,
                                .recovery_window_ms = 300000,
                                .recovery_evidence = rows[i].evidence};

        print_message("row %zu\n", i);
        assert_int_equal(
            decision_make(&policy, &grant, rows[i].c, rows[i].proved, T + rows[i].age_ms),
            rows[i].outcome);
    }
}

/* What ends a session comes before what its generations say: a dead session's old token is no new
 * reuse, and an expired one is not renewed. */
static void test_precedence(void **state)
{
    struct policy policy = {.rotate = true, .absolute_lifetime_ms = 1000};
    struct session_view grant = grant_at(5);

    (void)state;
    assert_int_equal(decision_make(&policy, &grant, 5, false, T + 999), OUTCOME_ROTATED);
    assert_int_equal(decision_make(&policy, &grant, 5, false, T + 1000), OUTCOME_TOKEN_EXPIRED);
    assert_int_equal(decision_make(&policy, &grant, 1, false, T + 1000), OUTCOME_TOKEN_EXPIRED);
    grant.session.end = SESSION_ENDED_ADMIN;
    assert_int_equal(decision_make(&policy, &grant, 5, false, T + 1000), OUTCOME_TOKEN_REVOKED);
    grant = grant_at(5);
    grant.account.enabled = false;
    assert_int_equal(decision_make(&policy, &grant, 5, false, T), OUTCOME_ACCOUNT_DISABLED);
    assert_int_equal(decision_make(&policy, &grant, 1, false, T), OUTCOME_ACCOUNT_DISABLED);
    grant.has_account = false;
    assert_int_equal(decision_make(&policy, &grant, 5, false, T), OUTCOME_ACCOUNT_GONE);
}

static void test_expiry(void **state)
{
    struct policy policy = {.rotate = true};
    struct session session = grant_at(0).session;

    (void)state;
    assert_int_equal(decision_expires_ms(&policy, &session), 0);
    assert_int_equal(decision_next_expiry_ms(&policy, T, T), 0);
    policy.idle_lifetime_ms = 500;
    policy.absolute_lifetime_ms = 2000;
    assert_int_equal(decision_next_expiry_ms(&policy, T, T), T + 500);
    assert_int_equal(decision_next_expiry_ms(&policy, T, T + 1800), T + 2000);
    session.expires_ms = T + 400; /* written under a tighter policy */
    assert_int_equal(decision_expires_ms(&policy, &session), T + 400);
    session.expires_ms = T + 90000; /* written under a laxer one: the tighter one holds at once */
    assert_int_equal(decision_expires_ms(&policy, &session), T + 500);
    session.rotated_ms = T + 300;
    assert_int_equal(decision_expires_ms(&policy, &session), T + 800);
}

/* Uses of a session that does not rotate are noted coarsely, and nobody is logged out early by it.
 */
static void test_touch(void **state)
{
    struct policy policy = {.idle_lifetime_ms = 1600};
    struct session session = grant_at(0).session;

    (void)state;
    assert_false(decision_touch_due(&policy, &session, T + 100));
    assert_true(decision_touch_due(&policy, &session, T + 101));
    /* used unnoted at T + 100; the idle lifetime runs from there */
    assert_true(decision_expires_ms(&policy, &session) >= T + 100 + 1600);
    policy.idle_lifetime_ms = 0;
    assert_false(decision_touch_due(&policy, &session, T + (INT64_C(1) << 40)));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_generations),
        cmocka_unit_test(test_precedence),
        cmocka_unit_test(test_expiry),
        cmocka_unit_test(test_touch),
    };
    return cmocka_run_group_tests_name("operation/decision", tests, NULL, NULL);
}
