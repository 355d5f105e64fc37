/* SPDX-License-Identifier: ISC */
/* test_revoke.c: whose sessions end when somebody names them, on whose word, and what is noted. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "base/codec.h"
#include "operation/world.h"

static enum outcome ask(struct world *w, const struct revoke_input *input)
{
    struct request request = {.arena = w->arena,
                              .issuer = &w->issuer,
                              .mount = &w->mount,
                              .realm = &w->realm,
                              .operation = &operation_revoke};

    request.input.revoke = *input;
    return operation_run(&request);
}

/* A session of the account's, renewed once. */
static struct answer begin(struct world *w, const char *account, const char *client)
{
    struct account mine = w->ada;
    struct answer answer;
    struct text token;

    assert_int_equal(store_account_find(w->store, account, &w->ada, &w->fault), STORE_OK);
    token = world_session(w, client, "read");
    w->ada = mine;
    assert_int_equal(world_present(w, &w->mount, token, &answer), OUTCOME_ROTATED);
    return answer;
}

static void add_account(struct world *w, const char *name, const char *subject)
{
    struct account account = {.enabled = true};

    assert_true(text_copy(text_of(name), account.name, sizeof account.name));
    assert_true(text_copy(text_of(subject), account.subject, sizeof account.subject));
    assert_int_equal(store_account_add(w->store, &account, &w->fault), STORE_OK);
}

static bool lives(struct world *w, const struct answer *of)
{
    struct answer answer;

    return world_present(w, &w->mount, of->refresh_token, &answer) != OUTCOME_TOKEN_REVOKED;
}

static struct event last_event(struct world *w, const uint8_t *session)
{
    struct event events[8];
    size_t count;

    assert_int_equal(store_event_list(w->store, session, 0, events, 8, &count, &w->fault),
                     STORE_OK);
    assert_true(count > 0);
    return events[count - 1];
}

static void test_one(void **state)
{
    struct world *w = *state;
    struct answer one = begin(w, "ada", ""), two = begin(w, "ada", "");
    struct event event;
    char id[37];

    assert_int_equal(
        ask(w, &(struct revoke_input){.any = true, .refresh_token = one.refresh_token}),
        OUTCOME_ENDED);
    assert_int_equal(world_record(w, one.session).end, SESSION_ENDED_ADMIN);
    event = last_event(w, one.session);
    assert_int_equal(event.kind, EVENT_REVOKED);
    assert_string_equal(event.cause, "key");
    assert_int_equal(event.generation, 1);
    assert_int_equal(
        ask(w, &(struct revoke_input){.any = true, .refresh_token = one.refresh_token}),
        OUTCOME_TOKEN_UNKNOWN);
    assert_true(lives(w, &two));

    codec_uuid_format(two.session, id);
    assert_int_equal(ask(w, &(struct revoke_input){.any = true, .session = text_of(id)}),
                     OUTCOME_ENDED);
    assert_false(lives(w, &two));
    assert_int_equal(ask(w, &(struct revoke_input){.any = true, .session = TEXT("nonsense")}),
                     OUTCOME_TOKEN_UNKNOWN);
    assert_int_equal(ask(w, &(struct revoke_input){.any = true, .refresh_token = TEXT("nonsense")}),
                     OUTCOME_TOKEN_UNKNOWN);
}

/* What is said of the one session must hold. */
static void test_one_of(void **state)
{
    struct world *w = *state;
    struct revoke_input input = {.any = true, .user = TEXT("eve")};
    struct answer one;

    world_add_client(w, "web", NULL, true);
    one = begin(w, "ada", "web");
    input.refresh_token = one.refresh_token;
    assert_int_equal(ask(w, &input), OUTCOME_TOKEN_UNKNOWN);
    input.user = TEXT("ada");
    input.client = TEXT("tv");
    assert_int_equal(ask(w, &input), OUTCOME_TOKEN_UNKNOWN);
    assert_true(lives(w, &one));
    input.client = TEXT("web");
    assert_int_equal(ask(w, &input), OUTCOME_ENDED);
    assert_false(lives(w, &one));
}

/* The key is of one realm. */
static void test_of_another_realm(void **state)
{
    struct world *w = *state;
    struct answer one = begin(w, "ada", "");

    assert_true(text_copy(TEXT("elsewhere"), w->realm.name, sizeof w->realm.name));
    assert_int_equal(
        ask(w, &(struct revoke_input){.any = true, .refresh_token = one.refresh_token}),
        OUTCOME_TOKEN_UNKNOWN);
    assert_int_equal(world_record(w, one.session).end, SESSION_LIVE);
}

static void test_all_of_a_user(void **state)
{
    struct world *w = *state;
    struct answer one = begin(w, "ada", ""), two = begin(w, "ada", ""), other;
    struct event event;

    add_account(w, "eve", "");
    other = begin(w, "eve", "");
    assert_int_equal(ask(w, &(struct revoke_input){.any = true, .user = TEXT("ada")}),
                     OUTCOME_ENDED);
    assert_false(lives(w, &one));
    assert_false(lives(w, &two));
    assert_true(lives(w, &other));
    assert_int_equal(world_record(w, two.session).end, SESSION_ENDED_ADMIN); /* it is marked */
    event = last_event(w, NULL);
    assert_int_equal(event.kind, EVENT_REVOKED);
    assert_int_equal(event.account, w->ada.number);
    assert_string_equal(event.client, "");
    assert_false(event_has_session(&event));
    assert_int_equal(ask(w, &(struct revoke_input){.any = true, .user = TEXT("nobody")}),
                     OUTCOME_TOKEN_UNKNOWN);
}

/* A user id is the subject, which may be another's name. */
static void test_by_subject(void **state)
{
    struct world *w = *state;
    struct answer ada = begin(w, "ada", ""), old, bob, last;
    char name[16];

    for (int i = 0; i < 20; i++) {
        (void)snprintf(name, sizeof name, "m%02d", i);
        add_account(w, name, "");
    }
    add_account(w, "old", "who-was-ada");
    add_account(w, "bob", "00000000-0000-0001-0000-000000000000");
    add_account(w, "zoe", "old");
    old = begin(w, "old", "");
    bob = begin(w, "bob", "");
    last = begin(w, "zoe", "");
    assert_int_equal(
        ask(w, &(struct revoke_input){.any = true,
                                      .user = TEXT("00000000-0000-0001-0000-000000000000")}),
        OUTCOME_ENDED);
    assert_false(lives(w, &bob));
    assert_int_equal(ask(w, &(struct revoke_input){.any = true, .user = TEXT("bob")}),
                     OUTCOME_TOKEN_UNKNOWN);
    assert_int_equal(ask(w, &(struct revoke_input){.any = true, .user = TEXT("old")}),
                     OUTCOME_ENDED);
    assert_false(lives(w, &last));
    assert_true(lives(w, &old));
    assert_true(lives(w, &ada));
}

static void test_all_of_a_client(void **state)
{
    struct world *w = *state;
    struct answer one, two, other;
    struct event event;

    world_add_client(w, "web", NULL, true);
    world_add_client(w, "tv", NULL, true);
    add_account(w, "eve", "");
    one = begin(w, "ada", "web");
    two = begin(w, "eve", "web");
    other = begin(w, "ada", "tv");
    assert_int_equal(ask(w, &(struct revoke_input){.any = true, .client = TEXT("web")}),
                     OUTCOME_ENDED);
    assert_false(lives(w, &one));
    assert_false(lives(w, &two));
    assert_true(lives(w, &other));
    assert_int_equal(world_record(w, one.session).end, SESSION_ENDED_ADMIN);
    event = last_event(w, NULL);
    assert_int_equal(event.account, 0);
    assert_string_equal(event.client, "web");
    assert_int_equal(ask(w, &(struct revoke_input){.any = true, .client = TEXT("nothing")}),
                     OUTCOME_TOKEN_UNKNOWN);
}

/* More than one page of them, and others in between. */
static void test_of_a_user_and_a_client(void **state)
{
    enum { MANY = 40 };
    struct world *w = *state;
    struct answer web[MANY], tv[MANY], others;

    world_add_client(w, "web", NULL, true);
    world_add_client(w, "tv", NULL, true);
    add_account(w, "eve", "");
    for (int i = 0; i < MANY; i++) {
        web[i] = begin(w, "ada", "web");
        tv[i] = begin(w, "ada", "tv");
    }
    others = begin(w, "eve", "web");
    assert_int_equal(
        ask(w, &(struct revoke_input){.any = true, .user = TEXT("ada"), .client = TEXT("web")}),
        OUTCOME_ENDED);
    for (int i = 0; i < MANY; i++) {
        assert_int_equal(world_record(w, web[i].session).end, SESSION_ENDED_ADMIN);
        assert_int_equal(world_record(w, tv[i].session).end, SESSION_LIVE);
    }
    assert_true(lives(w, &others));
}

/* With an access token, their own. */
static void test_on_a_users_word(void **state)
{
    struct world *w = *state;
    struct answer ada, ada_too, eve;

    world_add_client(w, "web", NULL, true);
    add_account(w, "eve", "");
    ada = begin(w, "ada", "");
    ada_too = begin(w, "ada", "web");
    eve = begin(w, "eve", "web");
    const struct {
        struct revoke_input input;
        enum outcome outcome;
    } rows[] = {
        {{.refresh_token = eve.refresh_token}, OUTCOME_TOKEN_UNKNOWN},
        {{.user = TEXT("eve")}, OUTCOME_WRONG_USER},
        {{.client = TEXT("web")}, OUTCOME_WRONG_USER},
        {{.user = TEXT("eve"), .client = TEXT("web")}, OUTCOME_WRONG_USER},
        {{.user = TEXT("ada"), .client = TEXT("web")}, OUTCOME_ENDED},
        {{.refresh_token = ada.refresh_token}, OUTCOME_ENDED},
        {{.user = TEXT("ada")}, OUTCOME_TOKEN_REVOKED},
    };

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct revoke_input input = rows[i].input;

        input.access_token = ada.access_token;
        assert_int_equal(ask(w, &input), rows[i].outcome);
    }
    assert_true(lives(w, &eve));
    assert_int_equal(world_record(w, ada_too.session).end, SESSION_ENDED_LOGOUT);
    assert_int_equal(world_record(w, ada.session).end, SESSION_ENDED_LOGOUT);
    assert_int_equal(last_event(w, ada.session).kind, EVENT_LOGOUT);
    assert_int_equal(
        ask(w, &(struct revoke_input){.access_token = eve.access_token, .user = TEXT("eve")}),
        OUTCOME_ENDED);
    assert_false(lives(w, &eve));
}

static void test_with_which_tokens(void **state)
{
    struct world *w = *state;
    struct answer ada = begin(w, "ada", "");
    struct revoke_input input = {.user = TEXT("ada")};

    assert_int_equal(ask(w, &input), OUTCOME_TOKEN_INVALID);
    input.access_token = ada.refresh_token;
    assert_int_equal(ask(w, &input), OUTCOME_TOKEN_INVALID);
    input.access_token = ada.access_token;
    w->now_ms += CLOCK_HOUR;
    assert_int_equal(ask(w, &input), OUTCOME_TOKEN_EXPIRED);
    assert_true(lives(w, &ada));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(test_one),
        CASE(test_one_of),
        CASE(test_of_another_realm),
        CASE(test_all_of_a_user),
        CASE(test_by_subject),
        CASE(test_all_of_a_client),
        CASE(test_of_a_user_and_a_client),
        CASE(test_on_a_users_word),
        CASE(test_with_which_tokens),
    };
    return cmocka_run_group_tests_name("operation/revoke", tests, NULL, NULL);
}
