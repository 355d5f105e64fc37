/* SPDX-License-Identifier: ISC */
/* test_code.c: from an authorization request to the tokens of its session: who may ask, where the
 * answer may go, and what each way of presenting a code leads to. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/crypto.h"
#include "operation/world.h"

static const char redirect_uri[] = "https://app.example/done";
static const char verifier[] = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";

static void add_client(struct world *w, const char *id, const char *scope, uint32_t grants)
{
    struct client client = {.enabled = true, .grants = grants};

    strcpy(client.id, id);
    strcpy(client.scope, scope);
    strcpy(client.redirect_uris, redirect_uri);
    assert_int_equal(store_client_add(w->store, &client, &w->fault), STORE_OK);
}

static int set_up(void **state)
{
    int result = world_set_up(state);
    struct world *w = *state;

    w->realm.remote_user = REMOTE_USER_KNOWN;
    add_client(w, "app", "", 0);
    add_client(w, "other", "", 0);
    return result;
}

#define CODE_CASE(test) cmocka_unit_test_setup_teardown(test, set_up, world_tear_down)

static struct request new_request(struct world *w, const struct operation *operation)
{
    return (struct request){.arena = w->arena,
                            .issuer = &w->issuer,
                            .mount = &w->mount,
                            .realm = &w->realm,
                            .operation = operation};
}

static struct request authorization(struct world *w)
{
    struct request request = new_request(w, &operation_authorize);
    struct authorize_input *input = &request.input.authorize;

    request.remote_user = TEXT("ada");
    input->client_id = TEXT("app");
    input->redirect_uri = text_of(redirect_uri);
    assert_true(crypto_sha256(verifier, strlen(verifier), input->challenge));
    return request;
}

/* A code of ada's for app. */
static struct text code_of(struct world *w)
{
    struct request request = authorization(w);

    request.input.authorize.scope = TEXT("read write");
    assert_int_equal(operation_run(&request), OUTCOME_AUTHORIZED);
    assert_true(text_is(request.answer.redirect_uri, redirect_uri));
    return request.answer.code;
}

static struct request exchange(struct world *w, struct text code)
{
    struct request request = new_request(w, &operation_code);

    request.grant = GRANT_CODE;
    request.client.bound = true;
    request.client.id = TEXT("app");
    request.client.beside = code;
    request.input.code = (struct code_input){
        .code = code, .redirect_uri = text_of(redirect_uri), .verifier = text_of(verifier)};
    return request;
}

static size_t count_events(struct world *w, const uint8_t session[SESSION_ID_SIZE],
                           struct event *newest)
{
    size_t count;

    assert_int_equal(store_event_list(w->store, session, 0, newest, 4, &count, &w->fault),
                     STORE_OK);
    return count;
}

/* The master secret rolls while the code is under way, and a machine has not been given it. */
static void test_code_across_a_roll(void **state)
{
    struct world *w = *state;
    struct request old = exchange(w, code_of(w)), new;
    struct secrets behind;
    uint8_t number;

    assert_true(secrets_open_file(w->secret_file, false, &behind, &w->fault));
    number = world_roll(w);
    assert_int_equal(operation_run(&old), OUTCOME_ROTATED);
    assert_int_equal(world_record(w, old.answer.session).secret, number);
    new = exchange(w, code_of(w));
    w->issuer.secrets = &behind;
    assert_int_equal(operation_run(&new), OUTCOME_FAULT);
    assert_non_null(strstr(new.fault.text, "copy"));
    w->issuer.secrets = &w->secrets;
    new = exchange(w, new.input.code.code);
    assert_int_equal(operation_run(&new), OUTCOME_ROTATED);
    assert_int_equal(world_record(w, new.answer.session).secret, number);
    secrets_close(&behind);
}

/* The grant is the authorization request's: the exchange may ask for a part of it (RFC 8707 section
 * 2.2). */
static void test_code_for_some_audiences(void **state)
{
    struct world *w = *state;
    struct request asked = authorization(w), bought;
    struct answer answer;
    struct session session;

    strcpy(w->realm.targets, "urn:a urn:b urn:c");
    asked.targets = TEXT("urn:a urn:b");
    assert_int_equal(operation_run(&asked), OUTCOME_AUTHORIZED);
    bought = exchange(w, asked.answer.code);
    bought.targets = TEXT("urn:c");
    assert_int_equal(operation_run(&bought), OUTCOME_TARGET_INVALID);
    bought = exchange(w, asked.answer.code); /* which is not spent by that */
    bought.targets = TEXT("urn:b");
    assert_int_equal(operation_run(&bought), OUTCOME_ROTATED);
    assert_string_equal(
        json_string_value(json_object_get(world_payload(w, bought.answer.access_token), "aud")),
        "urn:b");
    session = world_record(w, bought.answer.session);
    assert_string_equal(session.targets, "urn:a urn:b");
    assert_int_equal(world_present(w, &w->mount, bought.answer.refresh_token, &answer),
                     OUTCOME_ROTATED);
    assert_int_equal(json_array_size(json_object_get(world_payload(w, answer.access_token), "aud")),
                     2);

    /* one for any: what the exchange asks for limits that access token alone */
    bought = exchange(w, code_of(w));
    bought.targets = TEXT("urn:c");
    assert_int_equal(operation_run(&bought), OUTCOME_ROTATED);
    session = world_record(w, bought.answer.session);
    assert_string_equal(session.targets, "");
}

static void test_code_buys_a_session(void **state)
{
    struct world *w = *state;
    struct text code = code_of(w);
    struct request request = exchange(w, code);
    struct event events[4];
    struct answer answer;
    struct session session;

    assert_int_equal(world_present(w, &w->mount, code, &answer), OUTCOME_TOKEN_INVALID);
    assert_int_equal(operation_run(&request), OUTCOME_ROTATED);
    assert_true(text_is(request.answer.scope, "read write"));
    assert_true(request.answer.scope_narrowed);
    assert_true(text_is(request.answer.username, "ada"));
    session = world_record(w, request.answer.session);
    assert_int_equal(session.pending, SESSION_BEGUN);
    assert_int_equal(session.generation, 1);
    assert_string_equal(session.client, "app");
    assert_int_equal(session.expires_ms, w->now_ms + w->realm.policy.idle_lifetime_ms);
    assert_int_equal(count_events(w, session.id, events), 1);
    assert_int_equal(events[0].kind, EVENT_LOGIN);
    assert_int_equal(world_present(w, &w->mount, request.answer.refresh_token, &answer),
                     OUTCOME_ROTATED);
}

/* Answers with the same token of generation 1 in all spellings. */
static void test_uuid(void **state)
{
    struct world *w = *state;
    struct request request;
    struct answer answer;

    w->realm.policy.format = REFRESH_FORMAT_UUID;
    request = exchange(w, code_of(w));
    assert_int_equal(operation_run(&request), OUTCOME_ROTATED);
    assert_int_equal(request.answer.refresh_token.size, 36);
    assert_int_equal(world_present(w, &w->mount, request.answer.refresh_token, &answer),
                     OUTCOME_ROTATED);
}

static void test_code_comes_twice(void **state)
{
    struct world *w = *state;
    struct text code = code_of(w);
    struct request first = exchange(w, code), second = exchange(w, code);
    struct event events[4];
    struct answer answer;

    assert_int_equal(operation_run(&first), OUTCOME_ROTATED);
    second.client.id = TEXT("other"); /* a stranger ends nothing */
    assert_int_equal(operation_run(&second), OUTCOME_WRONG_CLIENT);
    assert_int_equal(world_record(w, first.answer.session).end, SESSION_LIVE);
    second = exchange(w, code);
    assert_int_equal(operation_run(&second), OUTCOME_TOKEN_REUSED);
    assert_int_equal(world_record(w, first.answer.session).end, SESSION_ENDED_REUSE);
    assert_int_equal(count_events(w, first.answer.session, events), 2);
    assert_int_equal(events[0].kind, EVENT_REUSE);
    assert_int_equal(world_present(w, &w->mount, first.answer.refresh_token, &answer),
                     OUTCOME_TOKEN_REVOKED);
    second = exchange(w, code);
    assert_int_equal(operation_run(&second), OUTCOME_TOKEN_REVOKED);
}

static void test_report_only(void **state)
{
    struct world *w = *state;
    struct text code = code_of(w);
    struct request first = exchange(w, code), second = exchange(w, code);
    struct event events[4];

    w->realm.policy.report_only = true;
    assert_int_equal(operation_run(&first), OUTCOME_ROTATED);
    assert_int_equal(operation_run(&second), OUTCOME_TOKEN_REUSED);
    assert_int_equal(world_record(w, first.answer.session).end, SESSION_LIVE);
    assert_int_equal(count_events(w, first.answer.session, events), 2);
    assert_int_equal(events[0].kind, EVENT_REUSE_REPORTED);
}

/* Two that have read the same record: one gets the tokens. */
static void test_race(void **state)
{
    struct world *w = *state;
    struct text code = code_of(w);
    struct request first = exchange(w, code), second = exchange(w, code);
    struct store_write *write;
    enum outcome outcome;

    assert_true(second.operation->begin(&second));
    write = operation_step(&second, &outcome);
    assert_non_null(write);
    assert_int_equal(operation_run(&first), OUTCOME_ROTATED);
    operation_written(&second, store_write(w->store, write, &w->fault));
    while ((write = operation_step(&second, &outcome)) != NULL) {
        operation_written(&second, store_write(w->store, write, &w->fault));
    }
    assert_int_equal(outcome, OUTCOME_TOKEN_REUSED);
}

/* Each of these spends nothing: the right request still gets the tokens. */
static void test_wrong_ones_spend_nothing(void **state)
{
    struct world *w = *state;
    struct text code = code_of(w);
    struct mount elsewhere = w->mount;
    struct realm realm = w->realm;
    struct request request = exchange(w, code);

    request.input.code.verifier = TEXT("dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXj");
    assert_int_equal(operation_run(&request), OUTCOME_WRONG_VERIFIER);
    request = exchange(w, code);
    request.input.code.verifier = TEXT("E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM");
    assert_int_equal(operation_run(&request), OUTCOME_WRONG_VERIFIER); /* the challenge itself */
    request = exchange(w, code);
    request.input.code.redirect_uri = TEXT("https://app.example/done/");
    assert_int_equal(operation_run(&request), OUTCOME_WRONG_REDIRECT);
    request = exchange(w, code);
    request.input.code.redirect_uri = (struct text){0};
    assert_int_equal(operation_run(&request), OUTCOME_WRONG_REDIRECT);
    request = exchange(w, code);
    request.client.id = TEXT("other");
    assert_int_equal(operation_run(&request), OUTCOME_WRONG_CLIENT);
    request = exchange(w, code);
    request.client.id = (struct text){0};
    assert_int_equal(operation_run(&request), OUTCOME_FIELD_MISSING);
    request = exchange(w, code);
    strcpy(realm.name, "elsewhere");
    elsewhere.realm = &realm;
    request.mount = &elsewhere;
    request.realm = &realm;
    assert_int_equal(operation_run(&request), OUTCOME_WRONG_REALM);
    request = exchange(w, world_session(w, "app", NULL)); /* a refresh token is no code */
    assert_int_equal(operation_run(&request), OUTCOME_TOKEN_INVALID);
    request = exchange(w, TEXT("x"));
    assert_int_equal(operation_run(&request), OUTCOME_TOKEN_INVALID);
    w->now_ms += 60 * CLOCK_SECOND - 1;
    request = exchange(w, code);
    assert_int_equal(operation_run(&request), OUTCOME_ROTATED);
}

static void test_code_expires(void **state)
{
    struct world *w = *state;
    struct request request = exchange(w, code_of(w));

    w->now_ms += 60 * CLOCK_SECOND;
    assert_int_equal(operation_run(&request), OUTCOME_TOKEN_EXPIRED);
    assert_int_equal(world_record(w, request.answer.session).pending, SESSION_PENDING_CODE);
}

static void test_account_meanwhile(void **state)
{
    struct world *w = *state;
    struct request request = exchange(w, code_of(w));
    struct account changed = w->ada;
    size_t count;

    changed.enabled = false;
    assert_int_equal(store_account_update(w->store, NULL, &changed, &w->fault), STORE_OK);
    assert_int_equal(operation_run(&request), OUTCOME_ACCOUNT_DISABLED);
    changed.enabled = true;
    assert_int_equal(store_account_update_and_end(w->store, NULL, &changed, SESSION_ENDED_ACCOUNT,
                                                  w->now_ms, &count, &w->fault),
                     STORE_OK);
    request = exchange(w, request.input.code.code);
    assert_int_equal(operation_run(&request), OUTCOME_TOKEN_REVOKED);
}

/* A client with a secret has to prove itself, and the session remembers that it did. */
static void test_confidential(void **state)
{
    struct world *w = *state;
    struct request request = exchange(w, code_of(w));
    struct client before, after;

    assert_int_equal(store_client_find(w->store, "app", &before, &w->fault), STORE_OK);
    after = before;
    strcpy(after.secrets[0].hash, "no such hash");
    after.secrets[0].number = 1;
    assert_int_equal(store_client_update(w->store, &before, &after, &w->fault), STORE_OK);
    assert_int_equal(operation_run(&request), OUTCOME_CLIENT_AUTH_FAILED);
    assert_int_equal(store_client_update(w->store, &after, &before, &w->fault), STORE_OK);
    request = exchange(w, request.input.code.code);
    assert_int_equal(operation_run(&request), OUTCOME_ROTATED);
}

/* ---- authorization requests ---- */

/* Until client and redirect URI are known to belong together there is nowhere to send an error. */
static void test_no_redirect(void **state)
{
    struct world *w = *state;
    struct request request = authorization(w);
    struct client before, after;

    request.input.authorize.client_id = TEXT("eve");
    assert_int_equal(operation_run(&request), OUTCOME_CLIENT_AUTH_FAILED);
    assert_int_equal(request.answer.redirect_uri.size, 0);
    request = authorization(w);
    request.input.authorize.client_id = (struct text){0};
    assert_int_equal(operation_run(&request), OUTCOME_CLIENT_AUTH_FAILED);
    request = authorization(w);
    request.input.authorize.redirect_uri = TEXT("https://app.example/done/../evil");
    assert_int_equal(operation_run(&request), OUTCOME_REDIRECT_INVALID);
    assert_int_equal(request.answer.redirect_uri.size, 0);

    assert_int_equal(store_client_find(w->store, "app", &before, &w->fault), STORE_OK);
    after = before;
    strcpy(after.redirect_uris, "https://app.example/done https://app.example/two");
    assert_int_equal(store_client_update(w->store, &before, &after, &w->fault), STORE_OK);
    request = authorization(w);
    request.input.authorize.redirect_uri = (struct text){0}; /* which of the two? */
    assert_int_equal(operation_run(&request), OUTCOME_REDIRECT_INVALID);
    before = after;
    after.enabled = false;
    assert_int_equal(store_client_update(w->store, &before, &after, &w->fault), STORE_OK);
    request = authorization(w);
    assert_int_equal(operation_run(&request), OUTCOME_CLIENT_AUTH_FAILED);
    assert_int_equal(request.answer.redirect_uri.size, 0);
}

/* The only one that a client has need not be sent, and then not with the code either. */
static void test_only_redirect(void **state)
{
    struct world *w = *state;
    struct request request = authorization(w);

    request.input.authorize.redirect_uri = (struct text){0};
    assert_int_equal(operation_run(&request), OUTCOME_AUTHORIZED);
    assert_true(text_is(request.answer.redirect_uri, redirect_uri));
    request = exchange(w, request.answer.code);
    request.input.code.redirect_uri = (struct text){0};
    assert_int_equal(operation_run(&request), OUTCOME_ROTATED);
}

static void test_told_to_the_client(void **state)
{
    struct world *w = *state;
    struct request request = authorization(w);

    add_client(w, "narrow", "read", 0);
    add_client(w, "refreshing", "", GRANT_REFRESH);
    request.input.authorize.refused = true;
    request.input.authorize.refusal = OUTCOME_CHALLENGE;
    assert_int_equal(operation_run(&request), OUTCOME_CHALLENGE);
    assert_true(text_is(request.answer.redirect_uri, redirect_uri));
    request = authorization(w);
    request.input.authorize.client_id = TEXT("refreshing");
    assert_int_equal(operation_run(&request), OUTCOME_CLIENT_UNAUTHORIZED);
    request = authorization(w);
    request.input.authorize.client_id = TEXT("narrow");
    request.input.authorize.scope = TEXT("read write");
    assert_int_equal(operation_run(&request), OUTCOME_SCOPE_INVALID);
    assert_true(text_is(request.answer.redirect_uri, redirect_uri));
    request = authorization(w);
    request.input.authorize.client_id = TEXT("narrow");
    assert_int_equal(operation_run(&request), OUTCOME_AUTHORIZED);
    assert_string_equal(world_record(w, request.answer.session).scope, "read");
    request = authorization(w);
    request.remote_user = TEXT("bob");
    assert_int_equal(operation_run(&request), OUTCOME_REMOTE_USER_UNKNOWN);
    assert_true(text_is(request.answer.redirect_uri, redirect_uri));
}

/* Nothing is written for a user who gets no code. */
static void test_new_user(void **state)
{
    struct world *w = *state;
    struct request request = authorization(w);
    struct account account;

    w->realm.remote_user = REMOTE_USER_ANY;
    request.remote_user = TEXT("bob");
    request.input.authorize.client_id = TEXT("eve");
    assert_int_equal(operation_run(&request), OUTCOME_CLIENT_AUTH_FAILED);
    assert_int_equal(store_account_find(w->store, "bob", &account, &w->fault), STORE_ABSENT);
    request = authorization(w);
    request.remote_user = TEXT("bob");
    assert_int_equal(operation_run(&request), OUTCOME_AUTHORIZED);
    assert_int_equal(store_account_find(w->store, "bob", &account, &w->fault), STORE_OK);
    request = exchange(w, request.answer.code);
    assert_int_equal(operation_run(&request), OUTCOME_ROTATED);
    assert_true(text_is(request.answer.username, "bob"));
}

/* ---- a session without a code ---- */

static void test_session(void **state)
{
    struct world *w = *state;
    struct request request = new_request(w, &operation_session);
    struct answer answer;

    request.remote_user = TEXT("ada");
    request.client.bound = true;
    request.client.id = TEXT("app");
    request.input.session.scope = TEXT("read");
    assert_int_equal(operation_run(&request), OUTCOME_ROTATED);
    assert_true(text_is(request.answer.scope, "read"));
    assert_string_equal(world_record(w, request.answer.session).client, "app");
    assert_int_equal(world_present(w, &w->mount, request.answer.refresh_token, &answer),
                     OUTCOME_ROTATED);
    request = new_request(w, &operation_session);
    request.remote_user = TEXT("bob");
    assert_int_equal(operation_run(&request), OUTCOME_REMOTE_USER_UNKNOWN);
    w->realm.remote_user = REMOTE_USER_ANY;
    request = new_request(w, &operation_session);
    request.remote_user = TEXT("bob");
    assert_int_equal(operation_run(&request), OUTCOME_ROTATED);
    assert_true(text_is(request.answer.username, "bob"));
    add_client(w, "narrow", "read", 0);
    request = new_request(w, &operation_session);
    request.remote_user = TEXT("ada");
    request.client.id = TEXT("narrow");
    request.input.session.scope = TEXT("write");
    assert_int_equal(operation_run(&request), OUTCOME_SCOPE_INVALID);
    request = new_request(w, &operation_session);
    request.remote_user = TEXT("ada");
    request.client.id = TEXT("narrow");
    assert_int_equal(operation_run(&request), OUTCOME_ROTATED);
    assert_string_equal(world_record(w, request.answer.session).scope, "read");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        CODE_CASE(test_code_buys_a_session),
        CODE_CASE(test_code_for_some_audiences),
        CODE_CASE(test_code_across_a_roll),
        CODE_CASE(test_uuid),
        CODE_CASE(test_code_comes_twice),
        CODE_CASE(test_report_only),
        CODE_CASE(test_race),
        CODE_CASE(test_wrong_ones_spend_nothing),
        CODE_CASE(test_code_expires),
        CODE_CASE(test_account_meanwhile),
        CODE_CASE(test_confidential),
        CODE_CASE(test_no_redirect),
        CODE_CASE(test_only_redirect),
        CODE_CASE(test_told_to_the_client),
        CODE_CASE(test_new_user),
        CODE_CASE(test_session),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
