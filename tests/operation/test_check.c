/* SPDX-License-Identifier: ISC */
/* test_check.c: which tokens open a page, whose it is then, and that asking changes nothing. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "operation/world.h"

static enum outcome check_all(struct world *w, const struct text *tokens, size_t count,
                              struct answer *answer)
{
    struct world_ask ask = {.mount = &w->mount,
                            .refresh_token = tokens[0],
                            .candidates = tokens,
                            .candidate_count = count > 1 ? count : 0};
    struct request request = world_request(&w->issuer, &ask, w->arena);
    enum outcome outcome;

    request.operation = &operation_check;
    outcome = operation_run(&request);
    *answer = request.answer;
    return outcome;
}

static enum outcome check(struct world *w, struct text token)
{
    struct answer answer;

    return check_all(w, &token, 1, &answer);
}

/* A session of `client`, renewed once. */
static struct answer begin(struct world *w, const char *client)
{
    struct answer answer;

    assert_int_equal(world_present(w, &w->mount, world_session(w, client, "read"), &answer),
                     OUTCOME_ROTATED);
    return answer;
}

static void test_access_token(void **state)
{
    struct world *w = *state;
    struct answer tokens = begin(w, ""), answer;

    assert_int_equal(check_all(w, &tokens.access_token, 1, &answer), OUTCOME_SERVED);
    assert_true(text_is(answer.username, "ada"));
    assert_true(text_is(answer.scope, "read"));
    assert_int_equal(check(w, tokens.refresh_token), OUTCOME_TOKEN_INVALID);
    assert_int_equal(check(w, TEXT("")), OUTCOME_TOKEN_INVALID);
    assert_int_equal(world_record(w, tokens.session).generation, 1);
    w->now_ms += CLOCK_HOUR;
    assert_int_equal(check(w, tokens.access_token), OUTCOME_TOKEN_EXPIRED);
}

/* At the next request. */
static void test_ended(void **state)
{
    struct world *w = *state;
    struct answer tokens = begin(w, "");

    assert_int_equal(store_session_end(w->store, tokens.session, SESSION_ENDED_ADMIN, w->now_ms,
                                       NULL, &w->fault),
                     STORE_OK);
    assert_int_equal(check(w, tokens.access_token), OUTCOME_TOKEN_REVOKED);
    tokens = begin(w, "");
    w->ada.enabled = false;
    assert_int_equal(store_account_update(w->store, NULL, &w->ada, &w->fault), STORE_OK);
    assert_int_equal(check(w, tokens.access_token), OUTCOME_ACCOUNT_DISABLED);
}

static void test_of_another_realm(void **state)
{
    struct world *w = *state;
    struct answer tokens = begin(w, "");

    assert_true(text_copy(TEXT("another"), w->realm.name, sizeof w->realm.name));
    assert_int_equal(check(w, tokens.access_token), OUTCOME_WRONG_REALM);
}

/* What was asked for another resource is not for the web server's own pages (RFC 8707). */
static void test_for_another(void **state)
{
    struct world *w = *state;
    struct answer tokens = begin(w, "");

    assert_int_equal(check(w, tokens.access_token), OUTCOME_SERVED);
    assert_true(text_copy(TEXT("us"), w->realm.audience, sizeof w->realm.audience));
    assert_int_equal(check(w, tokens.access_token), OUTCOME_TOKEN_INVALID);
    assert_int_equal(check(w, begin(w, "").access_token), OUTCOME_SERVED);
}

/* A sibling host's cookie beside the user's own does not decide who the user is. */
static void test_several(void **state)
{
    struct world *w = *state;
    struct answer one = begin(w, ""), other = begin(w, ""), again, answer;
    struct text tokens[3] = {TEXT("nonsense"), one.access_token, TEXT("x.y.z")};

    assert_int_equal(check_all(w, tokens, 3, &answer), OUTCOME_SERVED);
    assert_memory_equal(answer.session, one.session, sizeof answer.session);
    tokens[2] = other.access_token;
    assert_int_equal(check_all(w, tokens, 3, &answer), OUTCOME_TOKEN_INVALID);
    assert_int_equal(world_present(w, &w->mount, one.refresh_token, &again), OUTCOME_ROTATED);
    tokens[2] = again.access_token; /* the same session's */
    assert_int_equal(check_all(w, tokens, 3, &answer), OUTCOME_SERVED);
    assert_int_equal(
        store_session_end(w->store, other.session, SESSION_ENDED_ADMIN, w->now_ms, NULL, &w->fault),
        STORE_OK);
    tokens[2] = other.access_token;
    assert_int_equal(check_all(w, tokens, 3, &answer), OUTCOME_SERVED);
    assert_true(text_is(answer.username, "ada"));
    tokens[1] = TEXT("nonsense");
    assert_int_equal(check_all(w, tokens, 3, &answer), OUTCOME_TOKEN_REVOKED);
}

/* The token of a client's own names no account, so no program shall take it for one. */
static void test_a_clients_own(void **state)
{
    struct world *w = *state;
    struct request request;

    world_add_robot(w, GRANT_CLIENT, "");
    request = world_robots_request(w, "s3cret");
    assert_int_equal(operation_run(&request), OUTCOME_RENEWED);
    assert_int_equal(check(w, request.answer.access_token), OUTCOME_TOKEN_ALONE);
    request = world_robots_request(w, "s3cret");
    request.input.client.begins_session = true;
    assert_int_equal(operation_run(&request), OUTCOME_ROTATED);
    assert_int_equal(check(w, request.answer.access_token), OUTCOME_WRONG_USER);
}

/* What a page needs must be in the token, whatever its session was granted. */
static void test_scope(void **state)
{
    static const struct {
        const char *narrowed; /* NULL: the token has all of "read write" */
        const char *needed;
        enum outcome outcome;
    } rows[] = {
        {NULL, "read", OUTCOME_SERVED},         {NULL, "write read", OUTCOME_SERVED},
        {NULL, "admin", OUTCOME_SCOPE_INVALID}, {NULL, "read admin", OUTCOME_SCOPE_INVALID},
        {NULL, "rea", OUTCOME_SCOPE_INVALID},   {NULL, "read,write", OUTCOME_SCOPE_INVALID},
        {"read", "read", OUTCOME_SERVED},       {"read", "write", OUTCOME_SCOPE_INVALID},
    };
    struct world *w = *state;

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct world_ask ask = {.mount = &w->mount,
                                .refresh_token = world_session(w, "", "read write"),
                                .scope_given = rows[i].narrowed != NULL,
                                .scope = text_of(rows[i].narrowed)};
        struct answer answer;
        struct request request;

        assert_int_equal(world_run(&w->issuer, &ask, w->arena, &answer, &w->fault),
                         OUTCOME_ROTATED);
        ask = (struct world_ask){.mount = &w->mount,
                                 .refresh_token = answer.access_token,
                                 .scope_given = true,
                                 .scope = text_of(rows[i].needed)};
        request = world_request(&w->issuer, &ask, w->arena);
        request.operation = &operation_check;
        assert_int_equal(operation_run(&request), rows[i].outcome);
        assert_true(text_is(request.answer.scope,
                            rows[i].narrowed != NULL ? rows[i].narrowed : "read write"));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(test_access_token), CASE(test_ended),   CASE(test_of_another_realm),
        CASE(test_for_another),  CASE(test_several), CASE(test_a_clients_own),
        CASE(test_scope),
    };
    return cmocka_run_group_tests_name("operation/check", tests, NULL, NULL);
}
