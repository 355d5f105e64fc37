/* SPDX-License-Identifier: ISC */
/* test_logout.c: which tokens end which sessions, what is noted of it, and what else is told. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "operation/world.h"

struct ask {
    struct text token;
    const struct text *candidates;
    size_t candidate_count;
    bool everywhere;
    bool silent;
};

static enum outcome log_out(struct world *w, const struct ask *ask, struct answer *answer)
{
    struct world_ask plain = {.mount = &w->mount,
                              .refresh_token = ask->token,
                              .candidates = ask->candidates,
                              .candidate_count = ask->candidate_count};
    struct request request = world_request(&w->issuer, &plain, w->arena);
    enum outcome outcome;

    request.operation = &operation_logout;
    request.input.refresh.everywhere = ask->everywhere;
    request.input.refresh.silent = ask->silent;
    outcome = operation_run(&request);
    *answer = request.answer;
    return outcome;
}

static enum outcome log_out_of(struct world *w, struct text token)
{
    struct answer answer;

    return log_out(w, &(struct ask){.token = token}, &answer);
}

static enum outcome renew(struct world *w, struct text token, struct text *next)
{
    struct answer answer;
    enum outcome outcome = world_present(w, &w->mount, token, &answer);

    *next = answer.refresh_token;
    return outcome;
}

static void test_ends_one_session(void **state)
{
    struct world *w = *state;
    struct text token = world_session(w, "", NULL);
    struct text other = world_session(w, "", NULL);
    struct answer answer;
    struct event event;
    size_t count;

    assert_int_equal(renew(w, token, &token), OUTCOME_ROTATED);
    assert_int_equal(log_out(w, &(struct ask){.token = token}, &answer), OUTCOME_ENDED);
    assert_true(answer.session_known);
    assert_int_equal(world_record(w, answer.session).end, SESSION_ENDED_LOGOUT);
    assert_int_equal(store_event_list(w->store, answer.session, 0, &event, 1, &count, &w->fault),
                     STORE_OK);
    assert_int_equal(count, 1);
    assert_int_equal(event.kind, EVENT_LOGOUT);
    assert_int_equal(event.account, w->ada.number);
    assert_int_equal(event.generation, 1);
    assert_string_equal(event.realm, w->realm.name);
    assert_int_equal(renew(w, token, &token), OUTCOME_TOKEN_REVOKED);
    assert_int_equal(renew(w, other, &other), OUTCOME_ROTATED);
}

/* Whoever lost an answer, and whoever took too long. */
static void test_spent_token_ends_it(void **state)
{
    static const int64_t ages_ms[] = {0, CLOCK_HOUR};
    struct world *w = *state;

    for (size_t i = 0; i < sizeof ages_ms / sizeof *ages_ms; i++) {
        struct text first = world_session(w, "", NULL);
        struct text second;

        assert_int_equal(renew(w, first, &second), OUTCOME_ROTATED);
        w->now_ms += ages_ms[i];
        assert_int_equal(log_out_of(w, first), OUTCOME_ENDED);
        assert_int_equal(renew(w, second, &second), OUTCOME_TOKEN_REVOKED);
    }
}

/* After it, a spent token is no sign of theft. */
static void test_replay_after_it_is_no_reuse(void **state)
{
    struct world *w = *state;
    struct text first = world_session(w, "", NULL);
    struct text second;
    struct answer answer;
    struct event events[2];
    size_t count;

    assert_int_equal(renew(w, first, &second), OUTCOME_ROTATED);
    assert_int_equal(log_out(w, &(struct ask){.token = second}, &answer), OUTCOME_ENDED);
    w->now_ms += CLOCK_HOUR;
    assert_int_equal(renew(w, first, &first), OUTCOME_TOKEN_REVOKED);
    assert_int_equal(store_event_list(w->store, answer.session, 0, events, 2, &count, &w->fault),
                     STORE_OK);
    assert_int_equal(count, 1);
    assert_int_equal(events[0].kind, EVENT_LOGOUT);
}

/* Writes what the request has prepared, and decides as often as it takes. */
static enum outcome finish(struct world *w, struct request *request, struct store_write *write)
{
    enum outcome outcome = OUTCOME_FAULT;

    while (write != NULL) {
        operation_written(request, store_write(w->store, write, &request->fault));
        write = operation_step(request, &outcome);
    }
    return outcome;
}

/* A refresh in flight: whichever is written first, what the client holds in the end is dead. */
static void test_race_with_a_refresh(void **state)
{
    struct world *w = *state;

    for (int logout_first = 0; logout_first <= 1; logout_first++) {
        struct world_ask ask = {.mount = &w->mount, .refresh_token = world_session(w, "", NULL)};
        struct request refresh = world_request(&w->issuer, &ask, w->arena);
        struct request logout = refresh;
        struct store_write *renews, *ends;
        enum outcome outcome;

        logout.operation = &operation_logout;
        assert_true(refresh.operation->begin(&refresh) && logout.operation->begin(&logout));
        renews = operation_step(&refresh, &outcome);
        ends = operation_step(&logout, &outcome);
        assert_non_null(renews);
        assert_non_null(ends);
        if (logout_first) {
            assert_int_equal(finish(w, &logout, ends), OUTCOME_ENDED);
            assert_int_equal(finish(w, &refresh, renews), OUTCOME_TOKEN_REVOKED);
        } else {
            assert_int_equal(finish(w, &refresh, renews), OUTCOME_ROTATED);
            assert_int_equal(finish(w, &logout, ends), OUTCOME_ENDED);
            assert_int_equal(log_out_of(w, refresh.answer.refresh_token), OUTCOME_TOKEN_REVOKED);
        }
    }
}

/* What ends nothing says why, or nothing where the dialect does not tell. */
static void test_nothing_to_end(void **state)
{
    struct world *w = *state;
    struct text ended = world_session(w, "", NULL);
    struct text expired = world_session(w, "", NULL);
    struct answer answer;

    assert_int_equal(log_out_of(w, ended), OUTCOME_ENDED);
    w->now_ms += 31 * (int64_t)CLOCK_DAY;
    struct {
        struct text token;
        enum outcome outcome;
    } rows[] = {
        {ended, OUTCOME_TOKEN_REVOKED},
        {expired, OUTCOME_TOKEN_EXPIRED},
        {TEXT("not one of ours"), OUTCOME_TOKEN_INVALID},
        {TEXT(""), OUTCOME_TOKEN_INVALID},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        assert_int_equal(log_out_of(w, rows[i].token), rows[i].outcome);
        assert_int_equal(log_out(w, &(struct ask){.token = rows[i].token, .silent = true}, &answer),
                         OUTCOME_NONE_ENDED);
    }
}

/* A disabled account does not keep its user from logging out. */
static void test_account_disabled(void **state)
{
    struct world *w = *state;
    struct text token = world_session(w, "", NULL);

    w->ada.enabled = false;
    assert_int_equal(store_account_update(w->store, NULL, &w->ada, &w->fault), STORE_OK);
    assert_int_equal(log_out_of(w, token), OUTCOME_ENDED);
}

static void test_of_another_realm(void **state)
{
    struct world *w = *state;
    struct text token = world_session(w, "", NULL);
    struct answer answer;

    strcpy(w->realm.name, "/elsewhere");
    assert_int_equal(log_out_of(w, token), OUTCOME_WRONG_REALM);
    assert_int_equal(log_out(w, &(struct ask){.token = token, .silent = true}, &answer),
                     OUTCOME_NONE_ENDED);
    strcpy(w->realm.name, "/oauth/token");
    assert_int_equal(renew(w, token, &token), OUTCOME_ROTATED);
}

/* A session that began with its client's proof ends with no less. */
static void test_of_a_client_that_proves_itself(void **state)
{
    struct world *w = *state;
    struct client web = {.id = "web", .enabled = true};
    struct issue_ask ask = {.account = &w->ada, .client = TEXT("web"), .client_proved = true};
    struct answer answer;
    struct text token;

    assert_int_equal(store_client_add(w->store, &web, &w->fault), STORE_OK);
    assert_int_equal(world_issue(w, &ask, &answer), OUTCOME_ROTATED);
    token = answer.refresh_token;
    assert_int_equal(log_out(w, &(struct ask){.token = token, .silent = true}, &answer),
                     OUTCOME_CLIENT_AUTH_FAILED);
    assert_int_equal(world_record(w, answer.session).end, SESSION_LIVE);
}

/* Several cookies of one name: none of their sessions stays. */
static void test_several_tokens(void **state)
{
    struct world *w = *state;
    struct text tokens[] = {TEXT("garbage"), world_session(w, "", NULL), TEXT("more"),
                            world_session(w, "", NULL)};
    struct answer answer;
    struct ask ask = {.candidates = tokens, .candidate_count = sizeof tokens / sizeof *tokens};

    assert_int_equal(log_out(w, &ask, &answer), OUTCOME_ENDED);
    assert_int_equal(log_out_of(w, tokens[1]), OUTCOME_TOKEN_REVOKED);
    assert_int_equal(log_out_of(w, tokens[3]), OUTCOME_TOKEN_REVOKED);
    assert_int_equal(log_out(w, &ask, &answer), OUTCOME_TOKEN_REVOKED);
    ask.silent = true;
    assert_int_equal(log_out(w, &ask, &answer), OUTCOME_NONE_ENDED);
}

/* One write ends them all, and each one's own record says so in the end. */
static void test_everywhere(void **state)
{
    enum { SESSIONS = 300 };
    struct world *w = *state;
    struct account eve = {.name = "eve", .enabled = true};
    struct issue_ask of_eve = {.account = &eve};
    struct answer answer;
    struct text token = {0}, eves;
    struct session rows[SESSIONS];
    size_t count;

    assert_int_equal(store_account_add(w->store, &eve, &w->fault), STORE_OK);
    assert_int_equal(world_issue(w, &of_eve, &answer), OUTCOME_ROTATED);
    eves = answer.refresh_token;
    for (int i = 0; i < SESSIONS; i++) {
        token = world_session(w, "", NULL);
    }
    assert_int_equal(log_out(w, &(struct ask){.token = token, .everywhere = true}, &answer),
                     OUTCOME_ENDED);
    assert_int_equal(
        store_session_list(w->store, w->ada.number, NULL, rows, SESSIONS, &count, &w->fault),
        STORE_OK);
    assert_int_equal(count, SESSIONS);
    for (size_t i = 0; i < count; i++) {
        assert_int_equal(rows[i].end, SESSION_ENDED_LOGOUT);
    }
    assert_int_equal(renew(w, eves, &eves), OUTCOME_ROTATED);
    assert_int_equal(store_account_find(w->store, "ada", &w->ada, &w->fault), STORE_OK);
    token = world_session(w, "", NULL); /* a login after it is none of those */
    assert_int_equal(renew(w, token, &token), OUTCOME_ROTATED);
}

/* A token that came back too late may be stolen: it ends its own session only. */
static void test_spent_token_does_not_end_all(void **state)
{
    struct world *w = *state;
    struct text first = world_session(w, "", NULL);
    struct text other = world_session(w, "", NULL);
    struct answer answer;
    struct text second;

    assert_int_equal(renew(w, first, &second), OUTCOME_ROTATED);
    w->now_ms += CLOCK_HOUR;
    assert_int_equal(log_out(w, &(struct ask){.token = first, .everywhere = true}, &answer),
                     OUTCOME_ENDED);
    assert_int_equal(renew(w, second, &second), OUTCOME_TOKEN_REVOKED);
    assert_int_equal(renew(w, other, &other), OUTCOME_ROTATED);
}

/* A page that only its client's origins allow: its own session it may end, another's not. */
static void test_page_of_a_client(void **state)
{
    struct world *w = *state;
    struct client web = {.id = "web", .enabled = true, .origins = "https://app.example"};
    struct world_ask ask = {.mount = &w->mount};
    struct request request;

    assert_int_equal(store_client_add(w->store, &web, &w->fault), STORE_OK);
    for (int own = 0; own <= 1; own++) {
        ask.refresh_token = world_session(w, own ? "web" : "", NULL);
        request = world_request(&w->issuer, &ask, w->arena);
        request.operation = &operation_logout;
        request.page = PAGE_OF_CLIENT;
        request.origin = TEXT("https://app.example");
        assert_int_equal(operation_run(&request), own ? OUTCOME_ENDED : OUTCOME_PAGE_FOREIGN);
        assert_int_equal(request.page, own ? PAGE_ALLOWED : PAGE_FOREIGN);
    }
}

/* ---- a client gives its token back (RFC 7009) ---- */

static struct request revocation(struct world *w, struct text token, const char *client,
                                 const char *secret)
{
    struct request request = world_clients_request(w, &operation_logout, token, client, secret);

    request.input.refresh.by_access_token = true;
    request.input.refresh.silent = true;
    return request;
}

static enum outcome give_back(struct world *w, struct text token, const char *client,
                              const char *secret)
{
    struct request request = revocation(w, token, client, secret);

    return operation_run(&request);
}

/* A session of `client`, renewed once. */
static void begin_for(struct world *w, const char *client, const char *secret,
                      struct answer *answer)
{
    struct request request = world_clients_request(
        w, &operation_refresh, world_session(w, client, "read"), client, secret);

    assert_int_equal(operation_run(&request), OUTCOME_ROTATED);
    *answer = request.answer;
}

static void test_either_token_revokes(void **state)
{
    struct world *w = *state;

    world_add_client(w, "web", "s3cret", true);
    world_add_client(w, "phone", NULL, false);
    for (int i = 0; i < 4; i++) {
        const char *client = i % 2 == 0 ? "web" : "phone";
        const char *secret = i % 2 == 0 ? "s3cret" : "";
        struct answer answer;
        struct text token;
        struct event event;
        size_t count;

        begin_for(w, client, secret, &answer);
        token = i < 2 ? answer.refresh_token : answer.access_token;
        assert_int_equal(give_back(w, token, client, secret), OUTCOME_ENDED);
        assert_int_equal(world_record(w, answer.session).end, SESSION_ENDED_LOGOUT);
        assert_int_equal(
            store_event_list(w->store, answer.session, 0, &event, 1, &count, &w->fault), STORE_OK);
        assert_int_equal(event.kind, EVENT_LOGOUT);
        assert_int_equal(event.generation, 1);
        assert_string_equal(event.cause, "client");
        assert_int_equal(give_back(w, token, client, secret), OUTCOME_NONE_ENDED);
    }
}

/* What names no live session is no error (section 2.2), and an access token that may long have been
 * in other hands ends nothing. */
static void test_nothing_to_revoke(void **state)
{
    struct world *w = *state;
    struct answer answer;
    char forged[4096];

    world_add_client(w, "web", "s3cret", true);
    begin_for(w, "web", "s3cret", &answer);
    assert_true(text_copy(answer.access_token, forged, sizeof forged));
    forged[answer.access_token.size - 8] ^= 1;
    assert_int_equal(give_back(w, text_of(forged), "web", "s3cret"), OUTCOME_NONE_ENDED);
    assert_int_equal(give_back(w, TEXT("no token at all"), "web", "s3cret"), OUTCOME_NONE_ENDED);
    w->now_ms += CLOCK_HOUR;
    assert_int_equal(give_back(w, answer.access_token, "web", "s3cret"), OUTCOME_NONE_ENDED);
    assert_int_equal(world_record(w, answer.session).end, SESSION_LIVE);
}

static void test_only_its_client_revokes(void **state)
{
    struct world *w = *state;
    struct answer answer;

    world_add_client(w, "web", "s3cret", true);
    world_add_client(w, "other", "s3cret", true);
    world_add_client(w, "phone", NULL, false);
    begin_for(w, "web", "s3cret", &answer);
    for (int by_access_token = 0; by_access_token < 2; by_access_token++) {
        struct text token = by_access_token ? answer.access_token : answer.refresh_token;

        assert_int_equal(give_back(w, token, "other", "s3cret"), OUTCOME_WRONG_CLIENT);
        assert_int_equal(give_back(w, token, "phone", ""), OUTCOME_WRONG_CLIENT);
        assert_int_equal(give_back(w, token, "web", "wrong"), OUTCOME_CLIENT_AUTH_FAILED);
        assert_int_equal(give_back(w, token, "web", ""), OUTCOME_CLIENT_AUTH_FAILED);
        assert_int_equal(give_back(w, token, "", ""), OUTCOME_CLIENT_AUTH_FAILED);
        assert_int_equal(give_back(w, token, "nobody", "s3cret"), OUTCOME_CLIENT_AUTH_FAILED);
    }
    assert_int_equal(give_back(w, TEXT("no token at all"), "web", "wrong"),
                     OUTCOME_CLIENT_AUTH_FAILED);
    assert_int_equal(world_record(w, answer.session).end, SESSION_LIVE);
}

/* Nothing but a commit is a revocation. */
static void test_a_fault_revokes_nothing(void **state)
{
    struct world *w = *state;
    struct answer answer;
    struct request request;
    enum outcome outcome;

    world_add_client(w, "web", "s3cret", true);
    begin_for(w, "web", "s3cret", &answer);
    request = revocation(w, answer.refresh_token, "web", "s3cret");
    assert_true(request.operation->begin(&request));
    assert_non_null(operation_step(&request, &outcome));
    operation_written(&request, STORE_FAULT);
    assert_null(operation_step(&request, &outcome));
    assert_int_equal(outcome, OUTCOME_FAULT);
    assert_int_equal(world_record(w, answer.session).end, SESSION_LIVE);
}

/* Nothing is stored of a token that a client got for itself. */
static void test_a_token_of_no_session_cannot_be_revoked(void **state)
{
    struct world *w = *state;
    struct request request;

    world_add_robot(w, GRANT_CLIENT, "");
    request = world_robots_request(w, "s3cret");
    assert_int_equal(operation_run(&request), OUTCOME_RENEWED);
    assert_int_equal(give_back(w, request.answer.access_token, "robot", "s3cret"),
                     OUTCOME_TOKEN_ALONE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(test_ends_one_session),
        CASE(test_spent_token_ends_it),
        CASE(test_replay_after_it_is_no_reuse),
        CASE(test_race_with_a_refresh),
        CASE(test_nothing_to_end),
        CASE(test_account_disabled),
        CASE(test_of_another_realm),
        CASE(test_of_a_client_that_proves_itself),
        CASE(test_several_tokens),
        CASE(test_everywhere),
        CASE(test_spent_token_does_not_end_all),
        CASE(test_page_of_a_client),
        CASE(test_either_token_revokes),
        CASE(test_nothing_to_revoke),
        CASE(test_only_its_client_revokes),
        CASE(test_a_fault_revokes_nothing),
        CASE(test_a_token_of_no_session_cannot_be_revoked),
    };
    return cmocka_run_group_tests_name("operation/logout", tests, NULL, NULL);
}
