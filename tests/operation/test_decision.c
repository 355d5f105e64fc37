/* SPDX-License-Identifier: ISC */
/* test_decision.c: the rows of the decision table that are easier to read than to enumerate, and
 * lifetimes. Every row at every edge: tests/decision/. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "operation/decision.h"

enum { T = 1000000, WINDOW = 60000, BOOT = 5 };

static const struct policy usual = {.rotate = true,
                                    .concurrency_window_ms = WINDOW,
                                    .recovery_window_ms = 300000,
                                    .recovery_generations = 1};

/* A session at generation n, each generation spent a second after its parent and n - 1 at T. */
static struct session_view grant_at(uint32_t n)
{
    struct session_view grant = {0};

    grant.session.generation = n;
    grant.session.created_ms = T;
    grant.session.rotated_ms = T;
    grant.session.used_ms = T;
    for (uint32_t k = 0; k < SESSION_SPENT_KEPT && k < n; k++) {
        grant.session.spent[k].wall_ms = T - (int64_t)k * 1000;
    }
    grant.has_account = true;
    grant.account.enabled = true;
    return grant;
}

static enum outcome decide(const struct session_view *grant, uint32_t c, int64_t age_ms)
{
    struct clock_moment now = {.wall_ms = T + age_ms};

    return decision_make(&usual, grant, c, DECISION_NO_EVIDENCE, &now);
}

/* The window of each generation runs from its own spending. */
static void test_ancestors(void **state)
{
    struct session_view grant = grant_at(20);

    (void)state;
    assert_int_equal(decide(&grant, 20, 0), OUTCOME_ROTATED);
    for (uint32_t k = 1; k <= SESSION_SPENT_KEPT; k++) {
        int64_t last_ms = WINDOW - ((int64_t)k - 1) * 1000;

        assert_int_equal(decide(&grant, 20 - k, last_ms), OUTCOME_REPLAYED);
        assert_int_equal(decide(&grant, 20 - k, last_ms + 1), OUTCOME_TOKEN_REUSED);
    }
    /* the oldest spending on record bounds those before it */
    assert_int_equal(decide(&grant, 11, 0), OUTCOME_TOKEN_SPENT);
    assert_int_equal(decide(&grant, 0, WINDOW - 7000), OUTCOME_TOKEN_SPENT);
    grant.session.outdated = 1; /* the record says that this one is */
    assert_int_equal(decide(&grant, 0, 0), OUTCOME_TOKEN_REUSED);
    assert_int_equal(decide(&grant, 1, 0), OUTCOME_TOKEN_SPENT);
    grant.session.outdated = 0;
    assert_int_equal(decide(&grant, 0, WINDOW - 7000 + 1), OUTCOME_TOKEN_REUSED);
}

/* One that has not begun has no refresh token, so none is taken, whatever generation it names. */
static void test_pending(void **state)
{
    struct session_view grant = grant_at(0);

    (void)state;
    grant.session.pending = SESSION_PENDING_CODE;
    assert_int_equal(decide(&grant, 0, 0), OUTCOME_TOKEN_UNKNOWN);
    assert_int_equal(decide(&grant, 1, 0), OUTCOME_TOKEN_UNKNOWN);
    grant.session.pending = SESSION_PENDING_DEVICE;
    assert_int_equal(decide(&grant, 0, 0), OUTCOME_TOKEN_UNKNOWN);
    grant.session.pending = SESSION_BEGUN;
    assert_int_equal(decide(&grant, 0, 0), OUTCOME_ROTATED);
}

/* The wall clock jumps; the time since boot does not. */
static void test_steps_of_the_clock(void **state)
{
    static const struct row {
        int64_t wall_age_ms, boot_age_ms;
        uint64_t boot;
        enum outcome outcome;
    } rows[] = {
        {61000, 1000, BOOT, OUTCOME_REPLAYED}, /* set forward */
        {61000, 1000, BOOT + 1, OUTCOME_TOKEN_REUSED},
        {61000, 1000, 0, OUTCOME_TOKEN_REUSED},
        {61000, -5, BOOT, OUTCOME_REPLAYED}, /* spent while this request waited */
        {61000, 61000, BOOT, OUTCOME_TOKEN_REUSED},
        {-5000, 0, 0, OUTCOME_REPLAYED}, /* set back a little */
        {-WINDOW, 0, 0, OUTCOME_REPLAYED},
        {-WINDOW - 1, 0, 0, OUTCOME_REPLAYED}, /* … and far: nothing tells that it is too late */
        {-86400000, 1000, BOOT, OUTCOME_REPLAYED},
        {-86400000, 61000, BOOT, OUTCOME_TOKEN_SPENT}, /* this does, but nobody is punished */
        {-86400000, 61000, BOOT + 1, OUTCOME_REPLAYED},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct session_view grant = grant_at(3);
        struct clock_moment now = {.wall_ms = T + rows[i].wall_age_ms,
                                   .boot = rows[i].boot,
                                   .boot_ms = 500000 + rows[i].boot_age_ms};

        grant.session.boot = BOOT;
        grant.session.spent[0].boot_ms = 500000;
        print_message("row %zu\n", i);
        assert_int_equal(decision_make(&usual, &grant, 2, DECISION_NO_EVIDENCE, &now),
                         rows[i].outcome);
    }
}

/* After a roll forward the record knows when the last generations were spent, but not the ones that
 * it has never seen. */
static void test_lost_history(void **state)
{
    struct session_view grant = grant_at(20);

    (void)state;
    assert_int_equal(decide(&grant, 21, 0), OUTCOME_ROLLED_FORWARD);
    assert_int_equal(decide(&grant, UINT32_MAX, 0), OUTCOME_ROLLED_FORWARD);
    memset(&grant.session.spent[2], 0, 6 * sizeof grant.session.spent[0]);
    assert_int_equal(decide(&grant, 18, 0), OUTCOME_REPLAYED);
    assert_int_equal(decide(&grant, 17, 0), OUTCOME_TOKEN_SPENT);
    assert_int_equal(decide(&grant, 17, WINDOW - 1000), OUTCOME_TOKEN_SPENT);
    /* spent before generation 18, and that is too long ago */
    assert_int_equal(decide(&grant, 17, WINDOW - 999), OUTCOME_TOKEN_REUSED);
    assert_int_equal(decide(&grant, 3, WINDOW - 1000), OUTCOME_TOKEN_SPENT);
    assert_int_equal(decide(&grant, 3, WINDOW - 999), OUTCOME_TOKEN_REUSED);
}

/* What ends a session comes before what its generations say: a dead session's old token is no new
 * reuse, and an expired one is not renewed. */
static void test_precedence(void **state)
{
    struct session_view grant = grant_at(5);

    (void)state;
    grant.session.expires_ms = T + 1000;
    assert_int_equal(decide(&grant, 5, 999), OUTCOME_ROTATED);
    assert_int_equal(decide(&grant, 5, 1000), OUTCOME_TOKEN_EXPIRED);
    assert_int_equal(decide(&grant, 6, 1000), OUTCOME_TOKEN_EXPIRED);
    assert_int_equal(decide(&grant, 1, WINDOW), OUTCOME_TOKEN_EXPIRED);
    grant.session.end = SESSION_ENDED_ADMIN;
    assert_int_equal(decide(&grant, 5, 1000), OUTCOME_TOKEN_REVOKED);
    grant = grant_at(5);
    grant.account.epoch = 1;
    assert_int_equal(decide(&grant, 5, 0), OUTCOME_TOKEN_REVOKED);
    assert_int_equal(decide(&grant, 6, 0), OUTCOME_TOKEN_REVOKED);
    grant.session.epoch = 1;
    assert_int_equal(decide(&grant, 5, 0), OUTCOME_ROTATED);
    grant.account.enabled = false;
    assert_int_equal(decide(&grant, 5, 0), OUTCOME_ACCOUNT_DISABLED);
    assert_int_equal(decide(&grant, 1, WINDOW), OUTCOME_ACCOUNT_DISABLED);
    grant.has_account = false;
    assert_int_equal(decide(&grant, 5, 0), OUTCOME_ACCOUNT_GONE);
}

static void test_grants(void **state)
{
    struct session_view grant = grant_at(5);

    (void)state;
    grant.client.grants = GRANT_PASSWORD;
    assert_int_equal(decide(&grant, 5, 0), OUTCOME_ROTATED); /* another client's, or nobody's */
    grant.has_client = true;
    grant.client.enabled = true;
    assert_int_equal(decide(&grant, 5, 0), OUTCOME_CLIENT_UNAUTHORIZED);
    assert_int_equal(decide(&grant, 1, WINDOW), OUTCOME_CLIENT_UNAUTHORIZED);
    grant.client.grants = GRANT_PASSWORD | GRANT_REFRESH;
    assert_int_equal(decide(&grant, 5, 0), OUTCOME_ROTATED);
}

/* It is the session's own client that gives it. */
static void test_evidence(void **state)
{
    struct policy policy = usual;
    struct session_view grant = grant_at(5);
    const struct clock_moment now = {.wall_ms = T + WINDOW + 1};

    (void)state;
    policy.recovery_evidence = RECOVERY_EVIDENCE_CLIENT;
    assert_int_equal(decision_make(&policy, &grant, 4, DECISION_CLIENT_PROVED, &now),
                     OUTCOME_TOKEN_REUSED);
    strcpy(grant.session.client, "web");
    assert_int_equal(decision_make(&policy, &grant, 4, DECISION_CLIENT_PROVED, &now),
                     OUTCOME_RECOVERED);
    assert_int_equal(decision_make(&policy, &grant, 4, DECISION_NO_EVIDENCE, &now),
                     OUTCOME_TOKEN_REUSED);
}

static void test_window_left(void **state)
{
    struct session_view grant = grant_at(5);
    struct clock_moment now = {.wall_ms = T + 50000, .boot = BOOT, .boot_ms = 520000};
    const struct session *session = &grant.session;

    (void)state;
    assert_int_equal(decision_window_left_ms(&usual, session, 4, OUTCOME_REPLAYED, &now), 10000);
    assert_int_equal(decision_window_left_ms(&usual, session, 2, OUTCOME_REPLAYED, &now), 8000);
    assert_int_equal(decision_window_left_ms(&usual, session, 4, OUTCOME_RECOVERED, &now), 250000);
    grant.session.boot = BOOT;
    grant.session.spent[0].boot_ms = 500000;
    assert_int_equal(decision_window_left_ms(&usual, session, 4, OUTCOME_REPLAYED, &now), 40000);
    now.wall_ms = T + 10000;
    assert_int_equal(decision_window_left_ms(&usual, session, 4, OUTCOME_REPLAYED, &now), 50000);
    now.wall_ms = T - WINDOW - 1; /* the wall clock cannot tell */
    assert_int_equal(decision_window_left_ms(&usual, session, 4, OUTCOME_REPLAYED, &now), 40000);
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

/* A renewal while the clock is behind brings the end no nearer. */
static void test_last_use_never_goes_back(void **state)
{
    struct session session = grant_at(0).session;

    (void)state;
    assert_int_equal(decision_last_use_ms(&session, T + 7), T + 7);
    assert_int_equal(decision_last_use_ms(&session, T - 7), T);
    session.used_ms = T + 10;
    assert_int_equal(decision_last_use_ms(&session, T - 7), T + 10);
    session.rotated_ms = T + 20;
    assert_int_equal(decision_last_use_ms(&session, T - 7), T + 20);
    session.created_ms = T + 30;
    assert_int_equal(decision_last_use_ms(&session, T - 7), T + 30);
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
        cmocka_unit_test(test_ancestors),
        cmocka_unit_test(test_pending),
        cmocka_unit_test(test_steps_of_the_clock),
        cmocka_unit_test(test_lost_history),
        cmocka_unit_test(test_precedence),
        cmocka_unit_test(test_grants),
        cmocka_unit_test(test_evidence),
        cmocka_unit_test(test_window_left),
        cmocka_unit_test(test_expiry),
        cmocka_unit_test(test_last_use_never_goes_back),
        cmocka_unit_test(test_touch),
    };
    return cmocka_run_group_tests_name("operation/decision", tests, NULL, NULL);
}
