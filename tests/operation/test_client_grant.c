/* SPDX-License-Identifier: ISC */
/* test_client_grant.c: tokens that a client gets for itself, alone and with a session. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "operation/world.h"
#include "token/client_keys.h"
#include "token/jws.h"

static size_t count_sessions(struct world *w)
{
    static struct session rows[8];
    size_t count;

    assert_int_equal(store_session_list(w->store, 0, NULL, rows, 8, &count, &w->fault), STORE_OK);
    return count;
}

static void test_token_alone(void **state)
{
    struct world *w = *state;
    struct request request, again;
    json_t *payload, *other;
    struct client client;

    world_add_robot(w, GRANT_CLIENT, "read write");
    request = world_robots_request(w, "s3cret");
    again = request;
    assert_int_equal(operation_run(&request), OUTCOME_RENEWED);
    assert_int_equal(request.answer.refresh_token.size, 0);
    assert_int_equal(request.answer.expires_in_s, 3600);
    assert_true(request.answer.scope_narrowed); /* it asked for nothing in particular */
    payload = world_payload(w, request.answer.access_token);
    assert_string_equal(json_string_value(json_object_get(payload, "sub")), "robot");
    assert_string_equal(json_string_value(json_object_get(payload, "client_id")), "robot");
    assert_string_equal(json_string_value(json_object_get(payload, "scope")), "read write");
    assert_string_equal(json_string_value(json_object_get(payload, "sid")), "");
    assert_int_equal(count_sessions(w), 0);
    assert_int_equal(store_client_find(w->store, "robot", &client, &w->fault), STORE_OK);
    assert_int_equal(client.secrets[0].used_ms, w->now_ms);

    assert_int_equal(operation_run(&again), OUTCOME_RENEWED);
    other = world_payload(w, again.answer.access_token);
    assert_string_not_equal(json_string_value(json_object_get(payload, "jti")),
                            json_string_value(json_object_get(other, "jti")));
}

static void test_only_who_is_allowed(void **state)
{
    static const struct {
        uint32_t realm, client;
        const char *secret;
        enum outcome outcome;
    } rows[] = {
        {0, 0, "s3cret", OUTCOME_CLIENT_UNAUTHORIZED},
        {0, GRANT_REFRESH, "s3cret", OUTCOME_CLIENT_UNAUTHORIZED},
        {GRANT_REFRESH, GRANT_CLIENT, "s3cret", OUTCOME_CLIENT_UNAUTHORIZED},
        {0, GRANT_CLIENT, "wrong", OUTCOME_CLIENT_AUTH_FAILED},
        {0, GRANT_CLIENT, "", OUTCOME_CLIENT_AUTH_FAILED},
        {GRANT_CLIENT, 0, "s3cret", OUTCOME_RENEWED},
        {0, GRANT_CLIENT, "s3cret", OUTCOME_RENEWED},
    };
    struct world *w = *state;

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct request request;

        world_add_robot(w, rows[i].client, "");
        w->realm.policy.grants = rows[i].realm;
        request = world_robots_request(w, rows[i].secret);
        print_message("row %zu\n", i);
        assert_int_equal(operation_run(&request), rows[i].outcome);
        assert_int_equal(request.answer.access_token.size > 0, rows[i].outcome == OUTCOME_RENEWED);
        assert_int_equal(store_client_remove(w->store, "robot", &w->fault), STORE_OK);
    }
}

/* Naming a client is no proof, whatever kind of client it is. */
static void test_no_proof(void **state)
{
    struct world *w = *state;
    struct client app = {.enabled = true, .id = "app", .grants = GRANT_CLIENT};
    struct request request;

    world_add_robot(w, GRANT_CLIENT, "");
    assert_int_equal(store_client_add(w->store, &app, &w->fault), STORE_OK);
    request = world_robots_request(w, "");
    request.client.kind = CLIENT_PROOF_NONE;
    assert_int_equal(operation_run(&request), OUTCOME_CLIENT_AUTH_FAILED);
    request = world_robots_request(w, "");
    request.client.id = TEXT("app");
    assert_int_equal(operation_run(&request), OUTCOME_CLIENT_AUTH_FAILED);
    assert_int_equal(request.answer.refusal, CLIENT_REFUSED_NO_PROOF);
}

static void test_scope(void **state)
{
    static const struct {
        const char *limit, *asked, *granted; /* NULL: refused */
    } rows[] = {
        {"read write", "read", "read"},         {"read write", "write read", "write read"},
        {"read write", "admin", NULL},          {"read write", "read admin", NULL},
        {"", "anything goes", "anything goes"}, {"", "not\"one", NULL},
    };
    struct world *w = *state;

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct request request;
        json_t *payload;

        world_add_robot(w, GRANT_CLIENT, rows[i].limit);
        request = world_robots_request(w, "s3cret");
        request.input.client.scope_given = true;
        request.input.client.scope = text_of(rows[i].asked);
        print_message("row %zu\n", i);
        if (rows[i].granted == NULL) {
            assert_int_equal(operation_run(&request), OUTCOME_SCOPE_INVALID);
            assert_true(text_is(request.answer.granted, rows[i].limit));
        } else {
            assert_int_equal(operation_run(&request), OUTCOME_RENEWED);
            payload = world_payload(w, request.answer.access_token);
            assert_string_equal(json_string_value(json_object_get(payload, "scope")),
                                rows[i].granted);
        }
        assert_int_equal(store_client_remove(w->store, "robot", &w->fault), STORE_OK);
    }
}

/* ---- with a session ---- */

static enum outcome begin_session(struct world *w, struct answer *answer)
{
    struct request request = world_robots_request(w, "s3cret");
    enum outcome outcome;

    request.client.bound = false;
    request.input.client.begins_session = true;
    outcome = operation_run(&request);
    *answer = request.answer;
    return outcome;
}

static void test_session_without_account(void **state)
{
    struct world *w = *state;
    struct answer first, next, again;
    struct session session;
    json_t *payload;

    world_add_robot(w, GRANT_CLIENT | GRANT_REFRESH, "");
    assert_int_equal(begin_session(w, &first), OUTCOME_ROTATED);
    session = world_record(w, first.session);
    assert_true(session_is_clients_own(&session));
    assert_string_equal(session.client, "robot");
    assert_false(session.scope_given);
    payload = world_payload(w, first.access_token);
    assert_string_equal(json_string_value(json_object_get(payload, "sub")), "robot");

    assert_int_equal(world_present(w, &w->mount, first.refresh_token, &next), OUTCOME_ROTATED);
    assert_int_equal(world_present(w, &w->mount, first.refresh_token, &again), OUTCOME_REPLAYED);
    assert_true(text_equal(next.refresh_token, again.refresh_token));
    payload = world_payload(w, next.access_token);
    assert_string_equal(json_string_value(json_object_get(payload, "sub")), "robot");
    w->now_ms += CLOCK_HOUR;
    assert_int_equal(world_present(w, &w->mount, first.refresh_token, &again),
                     OUTCOME_TOKEN_REUSED);
    assert_int_equal(world_present(w, &w->mount, next.refresh_token, &again),
                     OUTCOME_TOKEN_REVOKED);
}

static void test_session_for_some_audiences(void **state)
{
    struct world *w = *state;
    struct request request;

    world_add_robot(w, GRANT_CLIENT | GRANT_REFRESH, "");
    request = world_robots_request(w, "s3cret");
    request.client.bound = false;
    request.input.client.begins_session = true;
    request.targets = TEXT("urn:a");
    assert_int_equal(operation_run(&request), OUTCOME_ROTATED);
    assert_string_equal(world_record(w, request.answer.session).targets, "urn:a");
}

/* It is nobody's but its client's: no user can renew it, and it ends with the client. */
static void test_session_follows_its_client(void **state)
{
    struct world *w = *state;
    struct world_ask ask = {.mount = &w->mount, .username_given = true, .username = TEXT("robot")};
    struct client client, disabled;
    struct answer first, answer;

    world_add_robot(w, GRANT_CLIENT | GRANT_REFRESH, "");
    assert_int_equal(begin_session(w, &first), OUTCOME_ROTATED);
    ask.refresh_token = first.refresh_token;
    assert_int_equal(world_run(&w->issuer, &ask, w->arena, &answer, &w->fault), OUTCOME_WRONG_USER);
    assert_int_equal(store_client_find(w->store, "robot", &client, &w->fault), STORE_OK);
    disabled = client;
    disabled.enabled = false;
    assert_int_equal(store_client_update(w->store, &client, &disabled, &w->fault), STORE_OK);
    assert_int_equal(world_present(w, &w->mount, first.refresh_token, &answer),
                     OUTCOME_CLIENT_UNAUTHORIZED);
    assert_int_equal(store_client_remove(w->store, "robot", &w->fault), STORE_OK);
    world_add_robot(w, GRANT_CLIENT | GRANT_REFRESH, ""); /* another client of that id */
    assert_int_equal(world_present(w, &w->mount, first.refresh_token, &answer),
                     OUTCOME_TOKEN_REVOKED);
}

/* ---- an assertion is used once ---- */

static void make_assertion(struct world *w, const struct signing_key *key, const char *jti,
                           struct text *assertion)
{
    struct buffer payload;

    buffer_start(&payload, w->arena, 256);
    buffer_addf(&payload,
                "{\"iss\":\"smart\",\"sub\":\"smart\",\"aud\":\"https://id.example\","
                "\"exp\":%lld,\"jti\":\"%s\"}",
                (long long)(w->now_ms / CLOCK_SECOND + 60), jti);
    assert_true(
        jws_sign(key, TEXT("{\"alg\":\"ES256\"}"), buffer_text(&payload), w->arena, assertion));
}

static struct signing_key *add_smart(struct world *w)
{
    struct client client = {.enabled = true, .id = "smart", .grants = GRANT_CLIENT};
    struct signing_key *key =
        signing_key_generate(SIGNING_ES256, NULL, &w->issuer.randomness, &w->fault);
    struct buffer buffer;
    struct json_out out;
    struct text keys;

    assert_non_null(key);
    buffer_start(&buffer, w->arena, 512);
    buffer_add_c(&buffer, "{\"keys\":[");
    out = json_out_start(&buffer, JSON_STYLE_PLAIN);
    assert_true(signing_key_jwk(key, &out));
    buffer_add_c(&buffer, "]}");
    assert_true(client_keys_from_set(w->arena, buffer_text(&buffer), &keys, &w->fault));
    assert_true(text_copy(keys, client.keys, sizeof client.keys));
    assert_int_equal(store_client_add(w->store, &client, &w->fault), STORE_OK);
    return key;
}

static void test_assertions_are_used_once(void **state)
{
    static const char *const jtis[] = {"alone", "session"};
    struct world *w = *state;
    struct signing_key *key = add_smart(w);

    for (size_t i = 0; i < 2; i++) {
        struct request request = world_robots_request(w, "");
        struct request late, early, again;

        request.client = (struct client_proof){.bound = true, .kind = CLIENT_PROOF_ASSERTION};
        request.input.client.begins_session = i == 1;
        make_assertion(w, key, jtis[i], &request.client.assertion);
        early = late = again = request;
        enum outcome outcome;
        struct store_write *write;

        /* two at the same time: both have read that it is fresh */
        assert_true(early.operation->begin(&early));
        assert_true(late.operation->begin(&late));
        while ((write = operation_step(&early, &outcome)) != NULL) {
            operation_written(&early, store_write(w->store, write, &early.fault));
        }
        assert_true(outcome_is_grant(outcome));
        while ((write = operation_step(&late, &outcome)) != NULL) {
            operation_written(&late, store_write(w->store, write, &late.fault));
        }
        assert_int_equal(outcome, OUTCOME_CLIENT_AUTH_FAILED);
        assert_int_equal(late.answer.refusal, CLIENT_REFUSED_ASSERTION_REPLAYED);
        assert_int_equal(operation_run(&again), OUTCOME_CLIENT_AUTH_FAILED);
        assert_int_equal(again.answer.refusal, CLIENT_REFUSED_ASSERTION_REPLAYED);
        assert_int_equal(count_sessions(w), i);
    }
    signing_key_close(key);
}

/* What is disabled while its token is made gets none. */
static void test_disabled_meanwhile(void **state)
{
    struct world *w = *state;

    for (int session = 0; session < 2; session++) {
        struct request request;
        struct client client, disabled;
        struct store_write *write;
        enum outcome outcome;

        world_add_robot(w, GRANT_CLIENT, "");
        request = world_robots_request(w, "s3cret");
        request.input.client.begins_session = session == 1;
        assert_true(request.operation->begin(&request));
        assert_int_equal(store_client_find(w->store, "robot", &client, &w->fault), STORE_OK);
        disabled = client;
        disabled.enabled = false;
        assert_int_equal(store_client_update(w->store, &client, &disabled, &w->fault), STORE_OK);
        while ((write = operation_step(&request, &outcome)) != NULL) {
            operation_written(&request, store_write(w->store, write, &request.fault));
        }
        assert_int_equal(outcome, OUTCOME_CLIENT_UNAUTHORIZED);
        assert_int_equal(count_sessions(w), 0);
        assert_int_equal(store_client_remove(w->store, "robot", &w->fault), STORE_OK);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(test_token_alone),
        CASE(test_only_who_is_allowed),
        CASE(test_no_proof),
        CASE(test_scope),
        CASE(test_session_without_account),
        CASE(test_session_for_some_audiences),
        CASE(test_session_follows_its_client),
        CASE(test_assertions_are_used_once),
        CASE(test_disabled_meanwhile),
    };
    return cmocka_run_group_tests_name("operation/client_grant", tests, NULL, NULL);
}
