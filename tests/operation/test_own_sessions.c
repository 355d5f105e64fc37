/* SPDX-License-Identifier: ISC */
/* test_own_sessions.c: which sessions a user sees and ends, with which access tokens. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "base/codec.h"
#include "operation/world.h"

/* session: the one to be ended; NULL: they are listed. */
static struct request asking(struct world *w, struct text token, const char *session)
{
    struct request request = {.arena = w->arena,
                              .issuer = &w->issuer,
                              .mount = &w->mount,
                              .realm = &w->realm,
                              .operation = &operation_own_sessions};

    request.input.own_sessions = (struct own_sessions_input){
        .access_token = token, .ends = session != NULL, .session = text_of(session)};
    return request;
}

static enum outcome ask(struct world *w, struct text token, const char *session,
                        struct answer *answer)
{
    struct request request = asking(w, token, session);
    enum outcome outcome = operation_run(&request);

    *answer = request.answer;
    return outcome;
}

/* A session of ada's, renewed once. */
static struct answer begin(struct world *w, const char *client, char id[37])
{
    struct answer answer;

    assert_int_equal(world_present(w, &w->mount, world_session(w, client, "read"), &answer),
                     OUTCOME_ROTATED);
    codec_uuid_format(answer.session, id);
    return answer;
}

static enum outcome end(struct world *w, struct text token, const char *session)
{
    struct answer answer;

    return ask(w, token, session, &answer);
}

static void test_list(void **state)
{
    struct world *w = *state;
    char one[37], two[37];
    struct answer first = begin(w, "", one), second, answer;
    int64_t begun_ms = w->now_ms;

    w->now_ms += CLOCK_MINUTE;
    second = begin(w, "", two);
    assert_int_equal(ask(w, first.access_token, NULL, &answer), OUTCOME_SERVED);
    assert_int_equal(answer.own_session_count, 2);
    assert_string_equal(answer.own_sessions[0].id, one);
    assert_true(answer.own_sessions[0].current);
    assert_int_equal(answer.own_sessions[0].created_ms, begun_ms);
    assert_string_equal(answer.own_sessions[1].id, two);
    assert_false(answer.own_sessions[1].current);
    assert_true(text_is(answer.own_sessions[1].scope, "read"));
    assert_int_equal(world_record(w, first.session).generation, 1);

    assert_int_equal(end(w, first.access_token, two), OUTCOME_ENDED);
    assert_int_equal(ask(w, first.access_token, NULL, &answer), OUTCOME_SERVED);
    assert_int_equal(answer.own_session_count, 1);
    assert_int_equal(ask(w, second.access_token, NULL, &answer), OUTCOME_TOKEN_REVOKED);
}

/* Of many, the newest. */
static void test_many(void **state)
{
    struct world *w = *state;
    char id[37], last[37];
    struct answer answer, first = begin(w, "", id);

    for (int i = 0; i < OWN_SESSIONS_MAX; i++) {
        w->now_ms++;
        (void)world_session(w, "", NULL);
    }
    w->now_ms++;
    (void)begin(w, "", last);
    assert_int_equal(ask(w, first.access_token, NULL, &answer), OUTCOME_SERVED);
    assert_int_equal(answer.own_session_count, OWN_SESSIONS_MAX);
    assert_string_equal(answer.own_sessions[OWN_SESSIONS_MAX - 1].id, last);
    assert_string_not_equal(answer.own_sessions[0].id, id);
}

static void test_end(void **state)
{
    struct world *w = *state;
    char one[37], two[37];
    struct answer first = begin(w, "", one), second = begin(w, "", two);
    struct event event;
    size_t count;

    assert_int_equal(end(w, first.access_token, two), OUTCOME_ENDED);
    assert_int_equal(world_record(w, second.session).end, SESSION_ENDED_LOGOUT);
    assert_int_equal(store_event_list(w->store, second.session, 0, &event, 1, &count, &w->fault),
                     STORE_OK);
    assert_int_equal(count, 1);
    assert_int_equal(event.kind, EVENT_LOGOUT);
    assert_string_equal(event.cause, "user");
    assert_int_equal(end(w, first.access_token, two), OUTCOME_NONE_ENDED);
    assert_int_equal(end(w, first.access_token, "nonsense"), OUTCOME_NONE_ENDED);
    assert_int_equal(end(w, first.access_token, "00000000-0000-7000-8000-000000000000"),
                     OUTCOME_NONE_ENDED);
    assert_int_equal(end(w, first.access_token, one), OUTCOME_ENDED);
    assert_int_equal(end(w, first.access_token, one), OUTCOME_TOKEN_REVOKED);
}

/* Neither seen nor ended, and the same is told of it as of none. */
static void test_of_others(void **state)
{
    struct world *w = *state;
    struct account eve = {.enabled = true, .name = "eve"}, ada = w->ada;
    char mine[37], hers[37];
    struct answer first = begin(w, "", mine), other, answer;

    assert_int_equal(store_account_add(w->store, &eve, &w->fault), STORE_OK);
    w->ada = eve;
    other = begin(w, "", hers);
    w->ada = ada;
    assert_int_equal(end(w, first.access_token, hers), OUTCOME_NONE_ENDED);
    assert_int_equal(world_record(w, other.session).end, SESSION_LIVE);
    assert_int_equal(ask(w, other.access_token, NULL, &answer), OUTCOME_SERVED);
    assert_int_equal(answer.own_session_count, 1);
    assert_string_equal(answer.own_sessions[0].id, hers);
}

static void test_with_which_tokens(void **state)
{
    struct world *w = *state;
    char id[37];
    struct answer tokens = begin(w, "", id), answer;
    struct request request;

    world_add_robot(w, GRANT_CLIENT, "");
    request = world_robots_request(w, "s3cret");
    assert_int_equal(operation_run(&request), OUTCOME_RENEWED);
    assert_int_equal(end(w, request.answer.access_token, id), OUTCOME_TOKEN_ALONE);
    assert_int_equal(end(w, tokens.refresh_token, id), OUTCOME_TOKEN_INVALID);
    assert_int_equal(ask(w, TEXT(""), NULL, &answer), OUTCOME_TOKEN_INVALID);
    w->now_ms += CLOCK_HOUR;
    assert_int_equal(end(w, tokens.access_token, id), OUTCOME_TOKEN_EXPIRED);
    assert_int_equal(world_record(w, tokens.session).end, SESSION_LIVE);
}

/* A page of the session's client may read what is wrong, too; another's learns and ends nothing. */
static void test_pages(void **state)
{
    static const struct {
        const char *origin;
        bool revoked, keyed;
        enum outcome outcome;
        enum page page;
    } rows[] = {
        {"https://two.example", false, false, OUTCOME_PAGE_FOREIGN, PAGE_FOREIGN},
        {"https://app.example", false, true, OUTCOME_WRONG_KEY, PAGE_ALLOWED},
        {"https://app.example", false, false, OUTCOME_ENDED, PAGE_ALLOWED},
        {"https://app.example", true, false, OUTCOME_TOKEN_REVOKED, PAGE_ALLOWED},
        {"https://two.example", true, false, OUTCOME_PAGE_FOREIGN, PAGE_FOREIGN},
    };
    struct world *w = *state;
    struct client spa = {.enabled = true, .id = "spa", .origins = "https://app.example"};
    struct answer first;
    char id[37];

    assert_int_equal(store_client_add(w->store, &spa, &w->fault), STORE_OK);
    first = begin(w, "spa", id);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct request request = asking(w, first.access_token, id);

        request.page = PAGE_OF_CLIENT;
        request.origin = text_of(rows[i].origin);
        request.possession.dpop = text_of(rows[i].keyed ? "a proof" : "");
        assert_int_equal(world_record(w, first.session).end,
                         rows[i].revoked ? SESSION_ENDED_LOGOUT : SESSION_LIVE);
        assert_int_equal(operation_run(&request), rows[i].outcome);
        assert_int_equal(request.page, rows[i].page);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(test_list),
        CASE(test_many),
        CASE(test_end),
        CASE(test_of_others),
        CASE(test_with_which_tokens),
        CASE(test_pages),
    };
    return cmocka_run_group_tests_name("operation/own_sessions", tests, NULL, NULL);
}
