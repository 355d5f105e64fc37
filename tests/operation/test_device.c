/* SPDX-License-Identifier: ISC */
/* test_device.c: the device flow from the first request to the last, as the operations of device.c,
 * device_approval.c and device_grant.c take it: who may ask, who may approve, what each poll gets,
 * and what changes nothing. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "operation/world.h"
#include "token/user_code.h"

static void add_client(struct world *w, const char *id, const char *scope)
{
    struct client client = {.enabled = true};

    strcpy(client.id, id);
    strcpy(client.scope, scope);
    assert_int_equal(store_client_add(w->store, &client, &w->fault), STORE_OK);
}

static struct request request_of(struct world *w, const struct operation *operation)
{
    return (struct request){.arena = w->arena,
                            .issuer = &w->issuer,
                            .mount = &w->mount,
                            .realm = &w->realm,
                            .operation = operation};
}

static enum outcome run(struct world *w, struct request *request, struct answer *answer)
{
    enum outcome outcome = operation_run(request);

    if (outcome == OUTCOME_FAULT) {
        print_error("%s\n", request->fault.text);
    }
    *answer = request->answer;
    w->fault = request->fault;
    return outcome;
}

static enum outcome ask_from(struct world *w, const char *address, struct answer *answer)
{
    struct request request = request_of(w, &operation_device);

    request.grant = GRANT_DEVICE;
    request.client = (struct client_proof){.bound = true, .id = TEXT("cli")};
    request.network = http_network_of(text_of(address));
    return run(w, &request, answer);
}

static enum outcome ask(struct world *w, const char *client, const char *scope,
                        struct answer *answer)
{
    struct request request = request_of(w, &operation_device);

    request.grant = GRANT_DEVICE;
    request.client = (struct client_proof){.bound = true, .id = text_of(client)};
    request.input.device.scope = text_of(scope);
    return run(w, &request, answer);
}

static enum outcome poll(struct world *w, const char *client, struct text code,
                         struct answer *answer)
{
    struct request request = request_of(w, &operation_device_grant);

    request.grant = GRANT_DEVICE;
    request.client = (struct client_proof){.bound = true, .id = text_of(client), .beside = code};
    request.input.device.device_code = code;
    return run(w, &request, answer);
}

static enum outcome visit(struct world *w, const char *user, struct approval_input input,
                          struct answer *answer)
{
    struct request request = request_of(w, &operation_device_approval);

    w->realm.remote_user =
        w->realm.remote_user == REMOTE_USER_OFF ? REMOTE_USER_KNOWN : w->realm.remote_user;
    request.remote_user = text_of(user);
    request.input.approval = input;
    return run(w, &request, answer);
}

/* The first two pages; the form of the second one. */
static enum outcome look_up(struct world *w, const char *user, struct text code,
                            struct answer *answer)
{
    struct approval_input input = {.user_code = code};

    assert_int_equal(visit(w, user, input, answer), OUTCOME_SERVED);
    input.step = APPROVAL_LOOK;
    input.form = answer->form;
    return visit(w, user, input, answer);
}

static enum outcome decide(struct world *w, const char *user, struct text code, bool allow)
{
    struct answer answer;
    struct approval_input input = {.user_code = code};

    assert_int_equal(look_up(w, user, code, &answer), OUTCOME_SERVED);
    input.step = allow ? APPROVAL_ALLOW : APPROVAL_DENY;
    input.form = answer.form;
    return visit(w, user, input, &answer);
}

static void test_for_some_audiences(void **state)
{
    struct world *w = *state;
    struct request request = request_of(w, &operation_device);
    struct answer codes, answer;

    add_client(w, "cli", "");
    strcpy(w->realm.targets, "urn:a urn:b");
    request.grant = GRANT_DEVICE;
    request.client = (struct client_proof){.bound = true, .id = TEXT("cli")};
    request.targets = TEXT("urn:b");
    assert_int_equal(run(w, &request, &codes), OUTCOME_SERVED);
    assert_int_equal(decide(w, "ada", codes.user_code, true), OUTCOME_SERVED);
    assert_int_equal(poll(w, "cli", codes.device_code, &answer), OUTCOME_ROTATED);
    assert_string_equal(world_record(w, codes.session).targets, "urn:b");
    assert_string_equal(
        json_string_value(json_object_get(world_payload(w, answer.access_token), "aud")), "urn:b");
}

static void test_approved(void **state)
{
    struct world *w = *state;
    struct answer codes, shown, answer;
    struct text code;
    struct session session;

    add_client(w, "cli", "read write");
    assert_int_equal(ask(w, "cli", "read", &codes), OUTCOME_SERVED);
    assert_int_equal(codes.expires_in_s, 600);
    assert_int_equal(codes.interval_s, 5);
    assert_int_equal(codes.user_code.size, USER_CODE_SHOWN_SIZE);
    code = codes.device_code;
    assert_int_equal(poll(w, "cli", code, &answer), OUTCOME_DEVICE_PENDING);
    assert_int_equal(poll(w, "cli", code, &answer), OUTCOME_DEVICE_TOO_SOON);
    w->now_ms += 5000;
    assert_int_equal(poll(w, "cli", code, &answer), OUTCOME_DEVICE_PENDING);

    assert_int_equal(look_up(w, "ada", codes.user_code, &shown), OUTCOME_SERVED);
    assert_true(text_is(shown.client, "cli"));
    assert_true(text_is(shown.scope, "read"));
    assert_true(text_is(shown.username, "ada"));
    assert_int_equal(poll(w, "cli", code, &answer), OUTCOME_DEVICE_TOO_SOON);
    assert_int_equal(decide(w, "ada", codes.user_code, true), OUTCOME_SERVED);

    assert_int_equal(poll(w, "cli", code, &answer), OUTCOME_ROTATED);
    assert_true(text_is(answer.username, "ada"));
    assert_true(text_is(answer.scope, "read"));
    session = world_record(w, codes.session);
    assert_int_equal(session.account, w->ada.number);
    assert_int_equal(session.generation, 1);
    assert_int_equal(session.pending, SESSION_BEGUN);
    assert_false(session.has_alias);
    assert_int_equal(look_up(w, "ada", codes.user_code, &shown), OUTCOME_USER_CODE_WRONG);

    struct request refresh =
        world_request(&w->issuer,
                      &(struct world_ask){.mount = &w->mount,
                                          .refresh_token = answer.refresh_token,
                                          .client_bound = true,
                                          .client_id = TEXT("cli")},
                      w->arena);
    assert_int_equal(run(w, &refresh, &answer), OUTCOME_ROTATED);
}

/* A device asks again when the answer was lost: the same tokens for as long as a refresh token that
 * was spent gets them, and then it is what a refresh token would be that came back. */
static void test_lost_answer(void **state)
{
    struct world *w = *state;
    struct answer codes, first, again;

    add_client(w, "cli", "");
    assert_int_equal(ask(w, "cli", "", &codes), OUTCOME_SERVED);
    assert_int_equal(decide(w, "ada", codes.user_code, true), OUTCOME_SERVED);
    assert_int_equal(poll(w, "cli", codes.device_code, &first), OUTCOME_ROTATED);
    w->now_ms += 5000;
    assert_int_equal(poll(w, "cli", codes.device_code, &again), OUTCOME_REPLAYED);
    assert_true(text_equal(first.refresh_token, again.refresh_token));
    assert_int_equal(world_record(w, codes.session).generation, 1);
    assert_int_equal(poll(w, "other", codes.device_code, &again), OUTCOME_CLIENT_AUTH_FAILED);
    add_client(w, "other", "");
    assert_int_equal(poll(w, "other", codes.device_code, &again), OUTCOME_WRONG_CLIENT);
    assert_int_equal(world_record(w, codes.session).end, SESSION_LIVE);
    w->now_ms += 61000;
    assert_int_equal(poll(w, "cli", codes.device_code, &again), OUTCOME_TOKEN_REUSED);
    assert_int_equal(world_record(w, codes.session).end, SESSION_ENDED_REUSE);
}

/* What a device is granted is chosen as for any other session. */
static void test_scope(void **state)
{
    static const struct {
        enum scope_rule rule;
        const char *asked, *granted; /* NULL: refused */
        bool given;
    } rows[] = {
        {SCOPE_SUBSET, "", "read write", true}, {SCOPE_SUBSET, " write  write ", "write", true},
        {SCOPE_SUBSET, "admin", NULL, false},   {SCOPE_EXACT, "", "", false},
        {SCOPE_EXACT, "read", "read", true},
    };
    struct world *w = *state;
    struct answer codes;

    add_client(w, "cli", "read write");
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        w->realm.policy.scope_rule = rows[i].rule;
        assert_int_equal(ask(w, "cli", rows[i].asked, &codes),
                         rows[i].granted != NULL ? OUTCOME_SERVED : OUTCOME_SCOPE_INVALID);
        if (rows[i].granted != NULL) {
            assert_string_equal(world_record(w, codes.session).scope, rows[i].granted);
            assert_int_equal(world_record(w, codes.session).scope_given, rows[i].given);
        }
    }
}

/* One network cannot fill what all devices of a client may have pending. */
static void test_one_network_asks_often(void **state)
{
    struct world *w = *state;
    struct answer answer;

    add_client(w, "cli", "");
    for (int i = 0; i < 100; i++) {
        arena_reset(w->arena);
        assert_int_equal(ask_from(w, i % 2 == 0 ? "2001:db8::1" : "2001:db8::2:1", &answer),
                         OUTCOME_SERVED);
        w->now_ms += 1000;
    }
    assert_int_equal(ask_from(w, "2001:db8::3", &answer), OUTCOME_DEVICE_TOO_SOON);
    assert_int_equal(answer.retry_after_s, 500);
    assert_int_equal(ask_from(w, "2001:db8:0:1::3", &answer), OUTCOME_SERVED);
    assert_int_equal(ask_from(w, "192.0.2.1", &answer), OUTCOME_SERVED);
    assert_int_equal(ask_from(w, "", &answer), OUTCOME_SERVED); /* not known */
    w->now_ms += 499999;
    assert_int_equal(ask_from(w, "2001:db8::1", &answer), OUTCOME_DEVICE_TOO_SOON);
    assert_int_equal(answer.retry_after_s, 1);
    w->now_ms += 1;
    assert_int_equal(ask_from(w, "2001:db8::1", &answer), OUTCOME_SERVED);
}

static void test_denied(void **state)
{
    struct world *w = *state;
    struct answer codes, answer;

    add_client(w, "cli", "");
    assert_int_equal(ask(w, "cli", "", &codes), OUTCOME_SERVED);
    assert_int_equal(decide(w, "ada", codes.user_code, false), OUTCOME_SERVED);
    assert_int_equal(poll(w, "cli", codes.device_code, &answer), OUTCOME_DEVICE_DENIED);
    assert_int_equal(look_up(w, "ada", codes.user_code, &answer), OUTCOME_USER_CODE_WRONG);
    assert_int_equal(world_record(w, codes.session).account, 0);
}

static void test_expired(void **state)
{
    struct world *w = *state;
    struct answer codes, shown, answer;
    struct approval_input allow = {.step = APPROVAL_ALLOW};
    size_t removed;
    bool more;

    add_client(w, "cli", "");
    assert_int_equal(ask(w, "cli", "", &codes), OUTCOME_SERVED);
    w->now_ms += 599999;
    assert_int_equal(look_up(w, "ada", codes.user_code, &shown), OUTCOME_SERVED);
    w->now_ms += 1;
    allow.user_code = codes.user_code;
    allow.form = shown.form;
    assert_int_equal(visit(w, "ada", allow, &answer), OUTCOME_USER_CODE_WRONG);
    assert_int_equal(poll(w, "cli", codes.device_code, &answer), OUTCOME_DEVICE_EXPIRED);
    assert_int_equal(store_prune(w->store, w->now_ms, true, 9, &removed, &more, &w->fault),
                     STORE_OK);
    assert_int_equal(removed, 1);
    assert_int_equal(poll(w, "cli", codes.device_code, &answer), OUTCOME_DEVICE_EXPIRED);
}

/* At the last moment: the device gets a minute to come. */
static void test_approved_late(void **state)
{
    struct world *w = *state;
    struct answer codes, answer;

    add_client(w, "cli", "");
    assert_int_equal(ask(w, "cli", "", &codes), OUTCOME_SERVED);
    w->now_ms += 599999;
    assert_int_equal(decide(w, "ada", codes.user_code, true), OUTCOME_SERVED);
    w->now_ms += 59999;
    assert_int_equal(poll(w, "cli", codes.device_code, &answer), OUTCOME_ROTATED);
}

static void test_who_may_ask(void **state)
{
    struct world *w = *state;
    struct client client;
    struct answer answer;

    add_client(w, "cli", "read");
    assert_int_equal(ask(w, "", "", &answer), OUTCOME_CLIENT_AUTH_FAILED);
    assert_int_equal(ask(w, "nobody", "", &answer), OUTCOME_CLIENT_AUTH_FAILED);
    assert_int_equal(ask(w, "cli", "read write", &answer), OUTCOME_SCOPE_INVALID);
    assert_int_equal(ask(w, "cli", "", &answer), OUTCOME_SERVED);
    assert_string_equal(world_record(w, answer.session).scope, "read");
    assert_int_equal(store_client_find(w->store, "cli", &client, &w->fault), STORE_OK);
    struct client other = client;
    other.grants = GRANT_REFRESH;
    assert_int_equal(store_client_update(w->store, &client, &other, &w->fault), STORE_OK);
    assert_int_equal(ask(w, "cli", "", &answer), OUTCOME_CLIENT_UNAUTHORIZED);
}

/* Two devices that get the same letters: the second gets others. */
static void test_code_is_taken(void **state)
{
    struct world *w = *state;
    struct answer first, second;
    uint64_t before = w->random;

    add_client(w, "cli", "");
    assert_int_equal(ask(w, "cli", "", &first), OUTCOME_SERVED);
    assert_int_not_equal(before, w->random);
    uint8_t alias[SESSION_HASH_SIZE];
    struct session session = world_record(w, first.session);
    w->random = before;
    w->now_ms++; /* another id */
    assert_int_equal(ask(w, "cli", "", &second), OUTCOME_SERVED);
    assert_false(text_equal(first.user_code, second.user_code));
    memcpy(alias, session.alias, sizeof alias);
    assert_memory_not_equal(alias, world_record(w, second.session).alias, sizeof alias);
}

/* A form is of one user and one code, for ten minutes. */
static void test_forms(void **state)
{
    struct world *w = *state;
    struct account eve = {.name = "eve", .enabled = true};
    struct answer codes, others, question, choice, answer;
    struct approval_input input = {.step = APPROVAL_LOOK};

    assert_int_equal(store_account_add(w->store, &eve, &w->fault), STORE_OK);
    add_client(w, "cli", "");
    assert_int_equal(ask(w, "cli", "", &codes), OUTCOME_SERVED);
    w->now_ms++;
    assert_int_equal(ask(w, "cli", "", &others), OUTCOME_SERVED);
    input.user_code = codes.user_code;
    assert_int_equal(visit(w, "ada", input, &answer), OUTCOME_FORM_INVALID);
    assert_int_equal(
        visit(w, "ada", (struct approval_input){.user_code = codes.user_code}, &question),
        OUTCOME_SERVED);
    input.form = question.form;
    assert_int_equal(visit(w, "eve", input, &answer), OUTCOME_FORM_INVALID);
    assert_int_equal(visit(w, "ada", input, &choice), OUTCOME_SERVED);

    input.step = APPROVAL_ALLOW; /* with the form that has shown no code */
    assert_int_equal(visit(w, "ada", input, &answer), OUTCOME_FORM_INVALID);
    input.form = choice.form;
    input.user_code = others.user_code;
    assert_int_equal(visit(w, "ada", input, &answer), OUTCOME_FORM_INVALID);
    input.user_code = codes.user_code;
    assert_int_equal(visit(w, "eve", input, &answer), OUTCOME_FORM_INVALID);
    input.form = text_cut(choice.form, choice.form.size - 1);
    assert_int_equal(visit(w, "ada", input, &answer), OUTCOME_FORM_INVALID);
    input.form = TEXT("1800000000.");
    assert_int_equal(visit(w, "ada", input, &answer), OUTCOME_FORM_INVALID);
    input.form = choice.form;
    w->now_ms += 600000;
    assert_int_equal(visit(w, "ada", input, &answer), OUTCOME_FORM_INVALID);
    w->now_ms -= 600000;
    w->now_ms -= 2000; /* before it was made */
    assert_int_equal(visit(w, "ada", input, &answer), OUTCOME_FORM_INVALID);
    w->now_ms += 2000;
    assert_int_equal(world_record(w, codes.session).account, 0);
    assert_int_equal(visit(w, "ada", input, &answer), OUTCOME_SERVED);
    assert_int_equal(world_record(w, codes.session).account, w->ada.number);
    assert_int_equal(visit(w, "ada", input, &answer), OUTCOME_USER_CODE_WRONG); /* sent twice */
}

/* Right ones in between do not make up for wrong ones. */
static void test_wrong_codes_are_counted(void **state)
{
    struct world *w = *state;
    struct answer codes, answer;

    add_client(w, "cli", "");
    assert_int_equal(ask(w, "cli", "", &codes), OUTCOME_SERVED);
    for (int i = 0; i < GUESS_FREE; i++) {
        assert_int_equal(look_up(w, "ada", i % 2 == 0 ? TEXT("BBBB-BBBB") : TEXT("what?"), &answer),
                         OUTCOME_USER_CODE_WRONG);
        if (i + 1 < GUESS_FREE) {
            assert_int_equal(look_up(w, "ada", codes.user_code, &answer), OUTCOME_SERVED);
        }
    }
    assert_int_equal(look_up(w, "ada", codes.user_code, &answer), OUTCOME_SLOWED);
    assert_int_equal(answer.retry_after_s, 1);
    w->now_ms += 1000;
    assert_int_equal(look_up(w, "ada", codes.user_code, &answer), OUTCOME_SERVED);
}

/* With remote-user = any an account is added when its user allows something, not before. */
static void test_new_account(void **state)
{
    struct world *w = *state;
    struct account account;
    struct answer codes, answer;

    add_client(w, "cli", "");
    assert_int_equal(visit(w, "bob", (struct approval_input){0}, &answer),
                     OUTCOME_REMOTE_USER_UNKNOWN);
    w->realm.remote_user = REMOTE_USER_ANY;
    assert_int_equal(ask(w, "cli", "", &codes), OUTCOME_SERVED);
    assert_int_equal(decide(w, "bob", codes.user_code, false), OUTCOME_SERVED);
    assert_int_equal(store_account_find(w->store, "bob", &account, &w->fault), STORE_ABSENT);
    w->now_ms++;
    assert_int_equal(ask(w, "cli", "", &codes), OUTCOME_SERVED);
    assert_int_equal(decide(w, "bob", codes.user_code, true), OUTCOME_SERVED);
    assert_int_equal(store_account_find(w->store, "bob", &account, &w->fault), STORE_OK);
    assert_int_equal(poll(w, "cli", codes.device_code, &answer), OUTCOME_ROTATED);
    assert_true(text_is(answer.username, "bob"));
}

/* None of the others is a device code, and the other way round. */
static void test_other_tokens(void **state)
{
    struct world *w = *state;
    struct answer codes, answer;
    struct text token;

    add_client(w, "cli", "");
    token = world_session(w, "cli", NULL);
    assert_int_equal(poll(w, "cli", token, &answer), OUTCOME_TOKEN_INVALID);
    assert_int_equal(poll(w, "cli", TEXT("x"), &answer), OUTCOME_TOKEN_INVALID);
    assert_int_equal(ask(w, "cli", "", &codes), OUTCOME_SERVED);
    assert_int_equal(world_present(w, &w->mount, codes.device_code, &answer),
                     OUTCOME_TOKEN_INVALID);
    strcpy(w->realm.name, "/elsewhere");
    assert_int_equal(poll(w, "cli", codes.device_code, &answer), OUTCOME_WRONG_REALM);
    assert_int_equal(look_up(w, "ada", codes.user_code, &answer), OUTCOME_USER_CODE_WRONG);
}

static void test_account_changes(void **state)
{
    struct world *w = *state;
    struct answer codes, answer;

    add_client(w, "cli", "");
    assert_int_equal(ask(w, "cli", "", &codes), OUTCOME_SERVED);
    assert_int_equal(decide(w, "ada", codes.user_code, true), OUTCOME_SERVED);
    w->ada.enabled = false;
    assert_int_equal(store_account_update(w->store, NULL, &w->ada, &w->fault), STORE_OK);
    assert_int_equal(poll(w, "cli", codes.device_code, &answer), OUTCOME_ACCOUNT_DISABLED);
    assert_int_equal(visit(w, "ada", (struct approval_input){0}, &answer),
                     OUTCOME_ACCOUNT_DISABLED);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(test_approved),
        CASE(test_for_some_audiences),
        CASE(test_lost_answer),
        CASE(test_scope),
        CASE(test_one_network_asks_often),
        CASE(test_denied),
        CASE(test_expired),
        CASE(test_approved_late),
        CASE(test_who_may_ask),
        CASE(test_code_is_taken),
        CASE(test_forms),
        CASE(test_wrong_codes_are_counted),
        CASE(test_new_account),
        CASE(test_other_tokens),
        CASE(test_account_changes),
    };

    return cmocka_run_group_tests_name("operation/device", tests, NULL, NULL);
}
