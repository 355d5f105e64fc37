/* SPDX-License-Identifier: ISC */
/* test_policy.c: each field of an override counts when its bit is set, and only then. */
#include "base/expect.h"
#include "model/client.h"

static const struct policy realm = {.rotate = true,
                                    .concurrency_window_ms = 1,
                                    .recovery_window_ms = 2,
                                    .recovery_generations = 3,
                                    .recovery_evidence = RECOVERY_EVIDENCE_CLIENT,
                                    .idle_lifetime_ms = 4,
                                    .absolute_lifetime_ms = 5,
                                    .access_lifetime_ms = 6,
                                    .format = REFRESH_FORMAT_UUID,
                                    .scope_rule = SCOPE_SUBSET,
                                    .grants = GRANT_REFRESH};

/* The realm's policy with those fields of the override that `set` names. */
static struct policy expected(unsigned set)
{
    struct policy policy = realm;

    policy.rotate = !(set & POLICY_ROTATION);
    policy.report_only = set & POLICY_REPORT_ONLY;
    policy.concurrency_window_ms = set & POLICY_CONCURRENCY_WINDOW ? 10 : 1;
    policy.recovery_window_ms = set & POLICY_RECOVERY_WINDOW ? 20 : 2;
    policy.recovery_generations = set & POLICY_RECOVERY_GENERATIONS ? 30 : 3;
    policy.recovery_evidence =
        set & POLICY_RECOVERY_EVIDENCE ? RECOVERY_EVIDENCE_NONE : RECOVERY_EVIDENCE_CLIENT;
    policy.idle_lifetime_ms = set & POLICY_IDLE_LIFETIME ? 40 : 4;
    policy.absolute_lifetime_ms = set & POLICY_ABSOLUTE_LIFETIME ? 50 : 5;
    policy.access_lifetime_ms = set & POLICY_ACCESS_LIFETIME ? 60 : 6;
    return policy;
}

static void test_overrides(void **state)
{
    static struct client client = {.override = {.rotate = false,
                                                .report_only = true,
                                                .concurrency_window_ms = 10,
                                                .recovery_window_ms = 20,
                                                .recovery_generations = 30,
                                                .recovery_evidence = RECOVERY_EVIDENCE_NONE,
                                                .idle_lifetime_ms = 40,
                                                .absolute_lifetime_ms = 50,
                                                .access_lifetime_ms = 60}};

    (void)state;
    for (unsigned set = 0; set < 2 * POLICY_ACCESS_LIFETIME; set++) {
        struct policy made, wanted = expected(set);

        client.override.set = set;
        policy_effective(&realm, &client, &made);
        assert_true(made.rotate == wanted.rotate && made.report_only == wanted.report_only);
        assert_int_equal(made.concurrency_window_ms, wanted.concurrency_window_ms);
        assert_int_equal(made.recovery_window_ms, wanted.recovery_window_ms);
        assert_int_equal(made.recovery_generations, wanted.recovery_generations);
        assert_int_equal(made.recovery_evidence, wanted.recovery_evidence);
        assert_int_equal(made.idle_lifetime_ms, wanted.idle_lifetime_ms);
        assert_int_equal(made.absolute_lifetime_ms, wanted.absolute_lifetime_ms);
        assert_int_equal(made.access_lifetime_ms, wanted.access_lifetime_ms);
        assert_int_equal(made.format, REFRESH_FORMAT_UUID);
        assert_int_equal(made.scope_rule, SCOPE_SUBSET);
        assert_int_equal(made.grants, GRANT_REFRESH);
    }
}

static void test_no_client(void **state)
{
    struct policy made;

    (void)state;
    policy_effective(&realm, NULL, &made);
    assert_true(made.rotate);
    assert_int_equal(made.access_lifetime_ms, 6);
}

/* A client's own policy cannot turn on what its realm's tokens cannot do. */
static void test_what_cannot_rotate(void **state)
{
    static const struct client client = {.override = {.set = POLICY_ROTATION, .rotate = true}};
    const struct policy native = {.format = REFRESH_FORMAT_NATIVE};
    const struct policy jwt = {.format = REFRESH_FORMAT_JWT};
    const struct policy kept = {.format = REFRESH_FORMAT_NATIVE, .keeps_token = true};
    struct policy made;

    (void)state;
    policy_effective(&native, &client, &made);
    assert_true(made.rotate);
    policy_effective(&jwt, &client, &made);
    assert_false(made.rotate);
    policy_effective(&kept, &client, &made);
    assert_false(made.rotate);
}

static void test_grants(void **state)
{
    struct policy open = {.grants = 0};
    static struct client client;

    (void)state;
    assert_true(policy_allows(&open, NULL, GRANT_CODE));
    assert_true(policy_allows(&open, &client, GRANT_CODE));
    assert_true(policy_allows(&realm, &client, GRANT_REFRESH));
    assert_false(policy_allows(&realm, &client, GRANT_CODE));
    assert_false(policy_allows(&realm, NULL, GRANT_CODE));
    client.grants = GRANT_CODE;
    assert_true(policy_allows(&open, &client, GRANT_CODE));
    assert_false(policy_allows(&open, &client, GRANT_REFRESH));
    /* each has one, but they share none */
    assert_false(policy_allows(&realm, &client, GRANT_REFRESH));
    assert_false(policy_allows(&realm, &client, GRANT_CODE));
}

/* A password belongs to no client and a client is no user: neither is allowed by silence. */
static void test_grants_to_be_named(void **state)
{
    struct policy open = {.grants = 0};
    struct policy password = {.grants = GRANT_REFRESH | GRANT_PASSWORD};
    struct policy service = {.grants = GRANT_REFRESH | GRANT_CLIENT};
    static struct client client;

    (void)state;
    assert_false(policy_allows(&open, NULL, GRANT_PASSWORD));
    assert_false(policy_allows(&open, &client, GRANT_PASSWORD));
    assert_false(policy_allows(&open, &client, GRANT_CLIENT));
    assert_true(policy_allows(&password, NULL, GRANT_PASSWORD));
    assert_true(policy_allows(&password, &client, GRANT_PASSWORD));
    assert_true(policy_allows(&service, &client, GRANT_CLIENT));
    assert_false(policy_allows(&service, NULL, GRANT_CLIENT));
    client.grants = GRANT_CLIENT | GRANT_PASSWORD;
    assert_true(policy_allows(&open, &client, GRANT_CLIENT));
    assert_false(policy_allows(&open, &client, GRANT_PASSWORD));
    assert_false(policy_allows(&password, &client, GRANT_CLIENT));
    client.grants = GRANT_REFRESH;
    assert_false(policy_allows(&service, &client, GRANT_CLIENT));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_overrides),          cmocka_unit_test(test_no_client),
        cmocka_unit_test(test_what_cannot_rotate), cmocka_unit_test(test_grants),
        cmocka_unit_test(test_grants_to_be_named),
    };
    return cmocka_run_group_tests_name("model/policy", tests, NULL, NULL);
}
