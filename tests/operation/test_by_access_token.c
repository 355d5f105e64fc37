/* SPDX-License-Identifier: ISC */
/* test_by_access_token.c: sessions that their own access tokens renew, where one token is both:
 * what renews, for how long, and what never does. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "operation/world.h"

enum { DAYS = 7 };

/* A realm whose clients know one token, good for a week and renewed for another. */
static void make_one_token(struct realm *realm)
{
    struct policy *policy = &realm->policy;

    policy->rotate = false;
    policy->keeps_token = true;
    policy->by_access_token = true;
    policy->access_lifetime_ms = DAYS * CLOCK_DAY;
    policy->idle_lifetime_ms = DAYS * CLOCK_DAY;
    policy->absolute_lifetime_ms = 0;
}

static struct request renewal(struct world *w, const struct mount *mount, struct text token)
{
    struct world_ask ask = {.mount = mount, .refresh_token = token};
    struct request request = world_request(&w->issuer, &ask, w->arena);

    request.input.refresh.by_access_token = true;
    return request;
}

static enum outcome renew(struct world *w, struct text token, struct answer *answer)
{
    struct request request = renewal(w, &w->mount, token);
    enum outcome outcome = operation_run(&request);

    *answer = request.answer;
    return outcome;
}

static enum outcome check(struct world *w, struct text token)
{
    struct request request = renewal(w, &w->mount, token);

    request.input.refresh.by_access_token = false;
    request.operation = &operation_check;
    return operation_run(&request);
}

/* As a login begins it. */
static struct answer begin(struct world *w)
{
    struct issue_ask ask = {.account = &w->ada};
    struct answer answer;

    assert_int_equal(world_issue(w, &ask, &answer), OUTCOME_ROTATED);
    return answer;
}

/* Each is good until its own end, and each renewal has a later one, however long that goes on. */
static void test_chain(void **state)
{
    struct world *w = *state;
    struct answer first, next, again;

    make_one_token(&w->realm);
    first = begin(w);
    next = first;
    for (int i = 0; i < 10; i++) {
        w->now_ms += 6 * CLOCK_DAY;
        assert_int_equal(renew(w, next.access_token, &again), OUTCOME_RENEWED);
        assert_int_equal(again.expires_at_s, next.expires_at_s + 6 * 86400);
        assert_memory_equal(again.session, first.session, sizeof first.session);
        assert_int_equal(check(w, again.access_token), OUTCOME_SERVED);
        assert_int_equal(check(w, next.access_token), OUTCOME_SERVED);
        next = again;
    }
    assert_int_equal(world_record(w, first.session).generation, 0);
    assert_int_equal(renew(w, first.access_token, &again), OUTCOME_TOKEN_EXPIRED);
    assert_int_equal(again.access_token.size, 0);
}

/* Two tabs, a retry, a lost answer: nothing is spent. */
static void test_older_ones_renew_too(void **state)
{
    struct world *w = *state;
    struct answer first, next, again;

    make_one_token(&w->realm);
    first = begin(w);
    w->now_ms += 6 * CLOCK_DAY;
    assert_int_equal(renew(w, first.access_token, &next), OUTCOME_RENEWED);
    w->now_ms += CLOCK_HOUR;
    assert_int_equal(renew(w, first.access_token, &again), OUTCOME_RENEWED);
    assert_int_equal(again.expires_at_s, next.expires_at_s + 3600);
    assert_int_equal(renew(w, next.access_token, &again), OUTCOME_RENEWED);
    assert_int_equal(world_record(w, first.session).end, SESSION_LIVE);
}

static void test_its_last_second(void **state)
{
    struct world *w = *state;
    struct answer first, answer;

    make_one_token(&w->realm);
    first = begin(w);
    w->now_ms += DAYS * CLOCK_DAY - CLOCK_SECOND;
    assert_int_equal(renew(w, first.access_token, &answer), OUTCOME_RENEWED);
    w->now_ms += CLOCK_SECOND;
    assert_int_equal(renew(w, first.access_token, &answer), OUTCOME_TOKEN_EXPIRED);
}

/* At once, and whoever ended it. */
static void test_of_a_session_that_ended(void **state)
{
    struct world *w = *state;
    struct answer first, answer;
    struct request request;

    make_one_token(&w->realm);
    first = begin(w);
    request = renewal(w, &w->mount, first.access_token);
    request.operation = &operation_logout;
    assert_int_equal(operation_run(&request), OUTCOME_ENDED);
    assert_int_equal(renew(w, first.access_token, &answer), OUTCOME_TOKEN_REVOKED);
    assert_int_equal(check(w, first.access_token), OUTCOME_TOKEN_REVOKED);

    first = begin(w);
    w->ada.enabled = false;
    assert_int_equal(store_account_update(w->store, NULL, &w->ada, &w->fault), STORE_OK);
    assert_int_equal(renew(w, first.access_token, &answer), OUTCOME_ACCOUNT_DISABLED);
}

/* Neither where sessions are renewed by refresh tokens, nor what is no access token of the realm.
 */
static void test_what_never_renews(void **state)
{
    struct world *w = *state;
    struct answer first, answer;
    struct realm realm;
    struct mount other = {.realm = &realm};
    struct request request;
    char forged[4096];

    first = begin(w);
    assert_int_equal(world_present(w, &w->mount, first.access_token, &answer),
                     OUTCOME_TOKEN_INVALID);
    assert_int_equal(check(w, first.refresh_token), OUTCOME_TOKEN_INVALID);
    make_one_token(&w->realm);
    assert_int_equal(world_present(w, &w->mount, first.access_token, &answer),
                     OUTCOME_TOKEN_INVALID);
    assert_int_equal(renew(w, first.refresh_token, &answer), OUTCOME_TOKEN_INVALID);
    assert_true(text_copy(first.access_token, forged, sizeof forged));
    forged[first.access_token.size - 8] ^= 1;
    assert_int_equal(renew(w, text_of(forged), &answer), OUTCOME_TOKEN_INVALID);
    assert_int_equal(renew(w, TEXT(""), &answer), OUTCOME_TOKEN_INVALID);
    realm = w->realm;
    strcpy(realm.name, "/elsewhere");
    request = renewal(w, &other, first.access_token);
    assert_int_equal(operation_run(&request), OUTCOME_WRONG_REALM);
}

/* One of another server, which its user still has. */
static void import_and_renew(struct world *w, const char *fraction)
{
    struct issue_ask ask = {.account = &w->ada};
    struct answer answer;
    struct buffer buffer;
    char payload[64];

    make_one_token(&w->realm);
    snprintf(payload, sizeof payload, "{\"exp\":%lld%s}",
             (long long)((w->now_ms + 2 * CLOCK_DAY) / CLOCK_SECOND), fraction);
    buffer_start(&buffer, w->arena, 128);
    buffer_add_c(&buffer, "eyJhbGciOiJIUzI1NiJ9.");
    buffer_add_base64url(&buffer, payload, strlen(payload));
    buffer_add_c(&buffer, ".AAAA");
    assert_true(buffer_finish(&buffer, &ask.imported));
    assert_int_equal(world_issue(w, &ask, &answer), OUTCOME_ROTATED);
    w->now_ms += CLOCK_DAY;
    assert_int_equal(renew(w, ask.imported, &answer), OUTCOME_RENEWED);
    w->now_ms += CLOCK_DAY + CLOCK_SECOND;
    assert_int_equal(renew(w, answer.access_token, &answer), OUTCOME_RENEWED);
    assert_int_equal(renew(w, ask.imported, &answer), OUTCOME_TOKEN_EXPIRED);
}

/* As Laravel Passport writes times, too. */
static void test_imported(void **state)
{
    import_and_renew(*state, "");
    import_and_renew(*state, ".728391");
}

/* One for another resource may come from that one (RFC 9068 section 4), and one of a client's own
 * has no session to renew. */
static void test_of_another_resource(void **state)
{
    struct world *w = *state;
    struct request request;
    struct answer first, answer;

    make_one_token(&w->realm);
    strcpy(w->realm.audience, "https://api.example");
    strcpy(w->realm.targets, "https://bank.example");
    first = begin(w);
    request = renewal(w, &w->mount, first.access_token);
    request.targets = TEXT("https://bank.example");
    assert_int_equal(operation_run(&request), OUTCOME_RENEWED);
    assert_int_equal(check(w, request.answer.access_token), OUTCOME_TOKEN_INVALID);
    assert_int_equal(renew(w, request.answer.access_token, &answer), OUTCOME_TOKEN_INVALID);

    world_add_robot(w, GRANT_CLIENT, "");
    request = world_robots_request(w, "s3cret");
    assert_int_equal(operation_run(&request), OUTCOME_RENEWED);
    assert_int_equal(renew(w, request.answer.access_token, &answer), OUTCOME_TOKEN_ALONE);
}

/* As a client that proved itself when the session began. */
static void test_by_a_client(void **state)
{
    struct world *w = *state;
    struct answer first;

    make_one_token(&w->realm);
    world_add_client(w, "web", "s3cret", true);
    world_add_client(w, "other", "s3cret", true);
    for (int i = 0; i < 3; i++) {
        static const enum outcome expected[] = {OUTCOME_RENEWED, OUTCOME_CLIENT_AUTH_FAILED,
                                                OUTCOME_WRONG_CLIENT};
        struct issue_ask ask = {.account = &w->ada, .client = TEXT("web"), .client_proved = true};
        struct request request;

        assert_int_equal(world_issue(w, &ask, &first), OUTCOME_ROTATED);
        request = world_clients_request(w, &operation_refresh, first.access_token,
                                        i == 2 ? "other" : "web", i == 1 ? "wrong" : "s3cret");
        request.input.refresh.by_access_token = true;
        assert_int_equal(operation_run(&request), expected[i]);
        assert_int_equal(request.answer.access_token.size > 0, i == 0);
    }
}

/* A use that cannot be noted is no refusal. */
static void test_fault(void **state)
{
    struct world *w = *state;
    struct answer first;
    struct request request;
    enum outcome outcome;

    make_one_token(&w->realm);
    first = begin(w);
    w->now_ms += CLOCK_DAY;
    request = renewal(w, &w->mount, first.access_token);
    assert_true(request.operation->begin(&request));
    assert_non_null(operation_step(&request, &outcome));
    operation_written(&request, STORE_FAULT);
    assert_null(operation_step(&request, &outcome));
    assert_int_equal(outcome, OUTCOME_FAULT);
    assert_int_equal(renew(w, first.access_token, &first), OUTCOME_RENEWED);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(test_chain),
        CASE(test_older_ones_renew_too),
        CASE(test_its_last_second),
        CASE(test_of_a_session_that_ended),
        CASE(test_what_never_renews),
        CASE(test_imported),
        CASE(test_of_another_resource),
        CASE(test_by_a_client),
        CASE(test_fault),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
