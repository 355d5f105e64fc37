/* SPDX-License-Identifier: ISC */
/* test_introspect.c: which tokens are active, who may ask, and that asking changes nothing. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "operation/world.h"

static enum outcome introspect(struct world *w, struct text token, const char *client,
                               struct answer *answer)
{
    struct request request =
        world_clients_request(w, &operation_introspect, token, client, "s3cret");
    enum outcome outcome = operation_run(&request);

    *answer = request.answer;
    return outcome;
}

static enum outcome judge(struct world *w, struct text token, const char *client)
{
    struct answer answer;

    return introspect(w, token, client, &answer);
}

/* Clients web and api, a session of web's that was renewed once. */
static void begin(struct world *w, struct answer *answer)
{
    struct request request;

    world_add_client(w, "web", "s3cret", true);
    world_add_client(w, "api", "s3cret", true);
    request = world_clients_request(w, &operation_refresh, world_session(w, "web", "read"), "web",
                                    "s3cret");
    assert_int_equal(operation_run(&request), OUTCOME_ROTATED);
    *answer = request.answer;
}

static void test_access_token(void **state)
{
    struct world *w = *state;
    struct answer tokens, answer;
    char forged[4096];

    begin(w, &tokens);
    assert_int_equal(introspect(w, tokens.access_token, "api", &answer), OUTCOME_SERVED);
    assert_string_equal(json_string_value(json_object_get(answer.payload, "client_id")), "web");
    assert_string_equal(json_string_value(json_object_get(answer.payload, "scope")), "read");
    assert_true(text_is(answer.username, "ada"));
    assert_true(text_copy(tokens.access_token, forged, sizeof forged));
    forged[tokens.access_token.size - 8] ^= 1;
    assert_int_equal(judge(w, text_of(forged), "api"), OUTCOME_INACTIVE);
    assert_int_equal(judge(w, TEXT("no token at all"), "api"), OUTCOME_INACTIVE);
    w->now_ms += CLOCK_HOUR - 1;
    assert_int_equal(judge(w, tokens.access_token, "api"), OUTCOME_SERVED);
    w->now_ms += 1;
    assert_int_equal(judge(w, tokens.access_token, "api"), OUTCOME_INACTIVE);
}

/* The next request of a resource server finds out. */
static void test_what_ends_a_session_ends_its_access_tokens(void **state)
{
    struct world *w = *state;
    struct answer tokens;
    struct client web, before;

    begin(w, &tokens);
    w->ada.enabled = false;
    assert_int_equal(store_account_update(w->store, NULL, &w->ada, &w->fault), STORE_OK);
    assert_int_equal(judge(w, tokens.access_token, "api"), OUTCOME_INACTIVE);
    w->ada.enabled = true;
    assert_int_equal(store_account_update(w->store, NULL, &w->ada, &w->fault), STORE_OK);
    assert_int_equal(judge(w, tokens.access_token, "api"), OUTCOME_SERVED);

    assert_int_equal(store_client_find(w->store, "web", &web, &w->fault), STORE_OK);
    before = web;
    web.enabled = false;
    assert_int_equal(store_client_update(w->store, &before, &web, &w->fault), STORE_OK);
    assert_int_equal(judge(w, tokens.access_token, "api"), OUTCOME_INACTIVE);
    assert_int_equal(store_client_update(w->store, &web, &before, &w->fault), STORE_OK);
    assert_int_equal(judge(w, tokens.access_token, "api"), OUTCOME_SERVED);

    assert_int_equal(store_session_end(w->store, tokens.session, SESSION_ENDED_ADMIN, w->now_ms,
                                       NULL, &w->fault),
                     STORE_OK);
    assert_int_equal(judge(w, tokens.access_token, "api"), OUTCOME_INACTIVE);
    assert_int_equal(judge(w, tokens.refresh_token, "web"), OUTCOME_INACTIVE);
}

/* Only its client is told, and a spent one is not spent again by asking. */
static void test_refresh_token(void **state)
{
    struct world *w = *state;
    struct answer tokens, answer;
    struct request request;
    struct text first;

    w->realm.policy.absolute_lifetime_ms = 365 * (int64_t)CLOCK_DAY;
    begin(w, &tokens);
    first = tokens.refresh_token;
    assert_int_equal(judge(w, first, "api"), OUTCOME_INACTIVE);
    assert_int_equal(introspect(w, first, "web", &answer), OUTCOME_SERVED);
    assert_null(answer.payload);
    assert_true(text_is(answer.scope, "read"));
    assert_int_equal(answer.session_expires_ms, w->now_ms + 30 * (int64_t)CLOCK_DAY);
    assert_int_equal(answer.session_ends_ms, w->now_ms + 365 * (int64_t)CLOCK_DAY);
    request = world_clients_request(w, &operation_refresh, first, "web", "s3cret");
    assert_int_equal(operation_run(&request), OUTCOME_ROTATED);
    assert_int_equal(judge(w, first, "web"), OUTCOME_SERVED); /* its answer would be given again */
    w->now_ms += CLOCK_HOUR;
    assert_int_equal(judge(w, first, "web"), OUTCOME_INACTIVE);
    assert_int_equal(judge(w, request.answer.refresh_token, "web"), OUTCOME_SERVED);
    assert_int_equal(world_record(w, tokens.session).generation, 2);
}

/* RFC 7662 section 2.1, against who tries tokens out. */
static void test_who_may_ask(void **state)
{
    static const struct {
        const char *client, *secret;
    } rows[] = {{"", ""}, {"web", ""}, {"web", "wrong"}, {"nobody", "s3cret"}, {"phone", ""}};
    struct world *w = *state;
    struct answer tokens;

    begin(w, &tokens);
    world_add_client(w, "phone", NULL, false);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct text asked[] = {tokens.access_token, tokens.refresh_token, TEXT("none of ours")};

        for (size_t k = 0; k < sizeof asked / sizeof asked[0]; k++) {
            struct request request = world_clients_request(w, &operation_introspect, asked[k],
                                                           rows[i].client, rows[i].secret);

            assert_int_equal(operation_run(&request), OUTCOME_CLIENT_AUTH_FAILED);
        }
    }
}

static void test_a_clients_own_token(void **state)
{
    struct world *w = *state;
    struct answer answer;
    struct request request;

    world_add_client(w, "api", "s3cret", true);
    world_add_robot(w, GRANT_CLIENT, "");
    request = world_robots_request(w, "s3cret");
    assert_int_equal(operation_run(&request), OUTCOME_RENEWED);
    assert_int_equal(introspect(w, request.answer.access_token, "api", &answer), OUTCOME_SERVED);
    assert_int_equal(answer.username.size, 0);
    assert_false(answer.session_known);
    assert_int_equal(store_client_remove(w->store, "robot", &w->fault), STORE_OK);
    assert_int_equal(judge(w, request.answer.access_token, "api"), OUTCOME_INACTIVE);
}

/* One that names no session is for an audience that may be asked for, or it is another realm's. */
static void test_audiences_of_a_clients_own_token(void **state)
{
    static const struct {
        const char *targets;
        const char *allowed;
        enum outcome outcome;
    } rows[] = {{"", "", OUTCOME_SERVED},
                {"https://a.example", "https://b.example https://a.example", OUTCOME_SERVED},
                {"https://a.example https://b.example", "https://b.example", OUTCOME_SERVED},
                {"https://a.example", "https://a.example/ https://b.example", OUTCOME_INACTIVE}};
    struct world *w = *state;

    world_add_client(w, "api", "s3cret", true);
    world_add_robot(w, GRANT_CLIENT, "");
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct request request = world_robots_request(w, "s3cret");

        request.targets = text_of(rows[i].targets);
        assert_int_equal(operation_run(&request), OUTCOME_RENEWED);
        strcpy(w->realm.targets, rows[i].allowed);
        assert_int_equal(judge(w, request.answer.access_token, "api"), rows[i].outcome);
    }
}

/* A token may be for any place, or for several: its session says which realm it is of. */
static void test_of_any_audience(void **state)
{
    struct world *w = *state;
    struct answer tokens;
    struct request request;

    begin(w, &tokens);
    world_add_robot(w, GRANT_CLIENT, "");
    request = world_robots_request(w, "s3cret");
    assert_int_equal(operation_run(&request), OUTCOME_RENEWED);
    assert_true(text_copy(TEXT("elsewhere"), w->realm.audience, sizeof w->realm.audience));
    assert_int_equal(judge(w, tokens.access_token, "api"), OUTCOME_SERVED);
    assert_int_equal(judge(w, request.answer.access_token, "api"), OUTCOME_INACTIVE);
    assert_true(text_copy(TEXT("another"), w->realm.name, sizeof w->realm.name));
    assert_int_equal(judge(w, tokens.access_token, "api"), OUTCOME_INACTIVE);
}

/* The client that asks says whose pages may read what it is told; no other page costs it a thing.
 */
static void test_page_of_the_client_that_asks(void **state)
{
    static const struct {
        const char *origin, *client, *secret;
        enum outcome outcome;
    } rows[] = {
        {"https://api.example", "api", "s3cret", OUTCOME_SERVED},
        {"https://web.example", "web", "s3cret", OUTCOME_SERVED},
        {"https://web.example", "api", "s3cret", OUTCOME_PAGE_FOREIGN},
        {"https://web.example", "api", "wrong", OUTCOME_PAGE_FOREIGN},
        {"https://api.exampl", "api", "s3cret", OUTCOME_PAGE_FOREIGN},
        {"https://api.example", "api", "wrong", OUTCOME_CLIENT_AUTH_FAILED},
        {"https://api.example", "nobody", "s3cret", OUTCOME_CLIENT_AUTH_FAILED},
    };
    struct world *w = *state;
    struct answer tokens;

    begin(w, &tokens);
    for (size_t i = 0; i < 2; i++) {
        struct client client, before;

        assert_int_equal(store_client_find(w->store, i == 0 ? "web" : "api", &client, &w->fault),
                         STORE_OK);
        before = client;
        strcpy(client.origins, i == 0 ? "https://web.example" : "https://api.example");
        assert_int_equal(store_client_update(w->store, &before, &client, &w->fault), STORE_OK);
    }
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct request request = world_clients_request(
            w, &operation_introspect, tokens.access_token, rows[i].client, rows[i].secret);

        request.page = PAGE_OF_CLIENT;
        request.origin = text_of(rows[i].origin);
        assert_int_equal(operation_run(&request), rows[i].outcome);
        if (rows[i].outcome == OUTCOME_SERVED) {
            assert_int_equal(request.page, PAGE_ALLOWED);
        } else if (rows[i].outcome == OUTCOME_PAGE_FOREIGN) {
            assert_int_equal(request.page, PAGE_FOREIGN);
            assert_int_equal(request.guess.made, GUESS_NONE);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(test_page_of_the_client_that_asks),
        CASE(test_access_token),
        CASE(test_audiences_of_a_clients_own_token),
        CASE(test_what_ends_a_session_ends_its_access_tokens),
        CASE(test_refresh_token),
        CASE(test_who_may_ask),
        CASE(test_a_clients_own_token),
        CASE(test_of_any_audience),
    };
    return cmocka_run_group_tests_name("operation/introspect", tests, NULL, NULL);
}
