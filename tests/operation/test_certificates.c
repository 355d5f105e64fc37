/* SPDX-License-Identifier: ISC */
/* test_certificates.c: what the certificate of a TLS connection does for a client, a session and
 * its tokens (RFC 8705). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "operation/world.h"
#include "token/certificates.h"

/* A connection, as the web server tells it. */
struct connection {
    const char *pem;
    bool verified;
};
static const struct connection app = {CERTIFICATES_APP, false};
static const struct connection vouched = {CERTIFICATES_APP, true};
static const struct connection other = {CERTIFICATES_OTHER, true};
static const struct connection none = {"", false};
static const struct connection broken = {"-----BEGIN CERTIFICATE-----", false};

static void come_over(struct request *request, const struct connection *connection)
{
    request->possession =
        (struct possession){.pem = text_of(connection->pem), .verified = connection->verified};
}

static enum outcome answer_over(struct world *w, const struct world_ask *ask,
                                const struct connection *connection, struct answer *answer)
{
    struct request request = world_request(&w->issuer, ask, w->arena);
    enum outcome outcome;

    come_over(&request, connection);
    outcome = operation_run(&request);
    *answer = request.answer;
    return outcome;
}

/* A session of ada's, begun by password; "" = by no client. */
static enum outcome log_in(struct world *w, const char *client, const struct connection *connection,
                           struct answer *answer)
{
    struct world_ask ask = {.mount = &w->mount,
                            .no_bearer = true,
                            .username_given = true,
                            .username = TEXT("ada"),
                            .password_given = true,
                            .password = TEXT("correct horse"),
                            .client_bound = true,
                            .client_id = text_of(client)};

    return answer_over(w, &ask, connection, answer);
}

static enum outcome renew(struct world *w, struct text token, const char *client,
                          const struct connection *connection, struct answer *answer)
{
    struct world_ask ask = {.mount = &w->mount,
                            .refresh_token = token,
                            .client_bound = true,
                            .client_id = text_of(client)};

    return answer_over(w, &ask, connection, answer);
}

/* The thumbprint that an access token is bound to; "" = to none. */
static const char *bound_to(struct world *w, struct text access_token)
{
    const json_t *confirmation = json_object_get(world_payload(w, access_token), "cnf");
    const char *thumbprint = json_string_value(json_object_get(confirmation, "x5t#S256"));

    return thumbprint != NULL ? thumbprint : "";
}

/* Registers a client with these keys and no secret. */
static void add_client(struct world *w, const char *id, const char *keys)
{
    struct client before, after;

    world_add_client(w, id, NULL, false);
    assert_int_equal(store_client_find(w->store, id, &before, &w->fault), STORE_OK);
    after = before;
    strcpy(after.keys, keys);
    assert_int_equal(store_client_update(w->store, &before, &after, &w->fault), STORE_OK);
}

#define BY_THUMBPRINT "{\"keys\":[],\"x5t#S256\":[\"" CERTIFICATES_APP_THUMBPRINT "\"]}"
#define BY_NAME       "{\"keys\":[],\"tls_client_auth_san_dns\":\"app.example\"}"

static void test_a_bound_session(void **state)
{
    struct world *w = *state;
    struct answer first, second, answer;

    assert_int_equal(log_in(w, "", &app, &first), OUTCOME_ROTATED);
    assert_string_equal(bound_to(w, first.access_token), CERTIFICATES_APP_THUMBPRINT);
    assert_false(first.bound); /* its token type is Bearer */
    assert_int_equal(world_record(w, first.session).key_kind, SESSION_KEY_CERTIFICATE);
    /* neither without nor with another one, and nothing is spent by it */
    assert_int_equal(renew(w, first.refresh_token, "", &none, &answer), OUTCOME_WRONG_KEY);
    assert_int_equal(renew(w, first.refresh_token, "", &other, &answer), OUTCOME_WRONG_KEY);
    assert_int_equal(renew(w, first.refresh_token, "", &broken, &answer),
                     OUTCOME_CLIENT_AUTH_FAILED);
    assert_int_equal(answer.refusal, CLIENT_REFUSED_CERTIFICATE_MALFORMED);
    assert_int_equal(world_record(w, first.session).generation, 0);
    assert_int_equal(renew(w, first.refresh_token, "", &app, &second), OUTCOME_ROTATED);
    assert_string_equal(bound_to(w, second.access_token), CERTIFICATES_APP_THUMBPRINT);
    /* a thief cannot end the session with a spent token; its owner gets the lost answer again */
    w->now_ms += CLOCK_HOUR;
    assert_int_equal(renew(w, first.refresh_token, "", &other, &answer), OUTCOME_WRONG_KEY);
    assert_int_equal(renew(w, first.refresh_token, "", &app, &answer), OUTCOME_RECOVERED);
    assert_true(text_equal(answer.refresh_token, second.refresh_token));
    assert_int_equal(renew(w, second.refresh_token, "", &app, &answer), OUTCOME_ROTATED);
}

/* A session that began without is not bound later, and its access tokens are as the connection is.
 */
static void test_an_unbound_session(void **state)
{
    struct world *w = *state;
    struct answer first, second, again;

    assert_int_equal(log_in(w, "", &none, &first), OUTCOME_ROTATED);
    assert_string_equal(bound_to(w, first.access_token), "");
    assert_int_equal(renew(w, first.refresh_token, "", &app, &second), OUTCOME_ROTATED);
    assert_string_equal(bound_to(w, second.access_token), CERTIFICATES_APP_THUMBPRINT);
    assert_int_equal(renew(w, first.refresh_token, "", &other, &again), OUTCOME_REPLAYED);
    assert_string_equal(bound_to(w, again.access_token), CERTIFICATES_OTHER_THUMBPRINT);
    assert_string_not_equal(
        json_string_value(json_object_get(world_payload(w, again.access_token), "jti")),
        json_string_value(json_object_get(world_payload(w, second.access_token), "jti")));
    assert_int_equal(renew(w, first.refresh_token, "", &app, &again), OUTCOME_REPLAYED);
    assert_true(text_equal(again.access_token, second.access_token));
}

static enum outcome look_at_page(struct world *w, struct text token, struct text dpop,
                                 const struct connection *connection)
{
    struct world_ask ask = {.mount = &w->mount};
    struct request request = world_request(&w->issuer, &ask, w->arena);

    request.operation = &operation_check;
    request.input.refresh.refresh_token = token;
    come_over(&request, connection);
    request.possession.dpop = dpop;
    return operation_run(&request);
}

static enum outcome look_at_sessions(struct world *w, struct text token,
                                     const struct connection *connection)
{
    struct world_ask ask = {.mount = &w->mount};
    struct request request = world_request(&w->issuer, &ask, w->arena);

    request.operation = &operation_own_sessions;
    request.input.own_sessions = (struct own_sessions_input){.access_token = token};
    come_over(&request, connection);
    return operation_run(&request);
}

/* What opens pages to a bearer does not to who has stolen a bound token. */
static void test_a_bound_token_is_no_bearer_token(void **state)
{
    static const struct {
        const struct connection *connection;
        enum outcome outcome;
    } rows[] = {{&app, OUTCOME_SERVED},
                {&vouched, OUTCOME_SERVED},
                {&none, OUTCOME_WRONG_KEY},
                {&other, OUTCOME_WRONG_KEY},
                {&broken, OUTCOME_CLIENT_AUTH_FAILED}};
    struct world *w = *state;
    struct text no_proof = {0};
    struct answer bound, plain;

    assert_int_equal(log_in(w, "", &app, &bound), OUTCOME_ROTATED);
    assert_int_equal(log_in(w, "", &none, &plain), OUTCOME_ROTATED);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const struct connection *connection = rows[i].connection;

        assert_int_equal(look_at_page(w, bound.access_token, no_proof, connection),
                         rows[i].outcome);
        assert_int_equal(look_at_sessions(w, bound.access_token, connection), rows[i].outcome);
        /* what is bound to nothing goes over any connection */
        assert_int_equal(look_at_page(w, plain.access_token, no_proof, connection), OUTCOME_SERVED);
    }
    /* a proof belongs to a token that is bound to its key */
    assert_int_equal(look_at_page(w, bound.access_token, TEXT("a.b.c"), &app), OUTCOME_WRONG_KEY);
}

/* ---- clients ---- */

static void test_clients_prove_themselves(void **state)
{
    static const struct {
        const char *client;
        const struct connection *connection;
        enum outcome outcome;
        enum client_refusal refusal;
    } rows[] = {
        {"self", &app, OUTCOME_REPLAYED, CLIENT_NOT_REFUSED},
        {"self", &vouched, OUTCOME_REPLAYED, CLIENT_NOT_REFUSED},
        {"self", &other, OUTCOME_CLIENT_AUTH_FAILED, CLIENT_REFUSED_CERTIFICATE},
        {"self", &none, OUTCOME_CLIENT_AUTH_FAILED, CLIENT_REFUSED_NO_CERTIFICATE},
        {"self", &broken, OUTCOME_CLIENT_AUTH_FAILED, CLIENT_REFUSED_CERTIFICATE_MALFORMED},
        {"bank", &vouched, OUTCOME_REPLAYED, CLIENT_NOT_REFUSED},
        {"bank", &app, OUTCOME_CLIENT_AUTH_FAILED, CLIENT_REFUSED_CERTIFICATE_UNVERIFIED},
        {"bank", &other, OUTCOME_CLIENT_AUTH_FAILED, CLIENT_REFUSED_CERTIFICATE},
        {"bank", &none, OUTCOME_CLIENT_AUTH_FAILED, CLIENT_REFUSED_NO_CERTIFICATE},
        /* another way than the one that it has */
        {"web", &vouched, OUTCOME_CLIENT_AUTH_FAILED, CLIENT_REFUSED_NO_PROOF},
        {"nobody", &vouched, OUTCOME_CLIENT_AUTH_FAILED, CLIENT_REFUSED_UNKNOWN},
        {"", &vouched, OUTCOME_CLIENT_AUTH_FAILED, CLIENT_REFUSED_NO_PROOF},
    };
    struct world *w = *state;
    struct answer self, bank, answer;

    add_client(w, "self", BY_THUMBPRINT);
    add_client(w, "bank", BY_NAME);
    world_add_client(w, "web", "s3cret", true);
    assert_int_equal(log_in(w, "self", &app, &self), OUTCOME_ROTATED);
    assert_int_equal(log_in(w, "bank", &vouched, &bank), OUTCOME_ROTATED);
    /* bound to the client, which may change its certificate */
    assert_int_equal(world_record(w, self.session).key_kind, SESSION_KEY_NONE);
    assert_true(world_record(w, self.session).client_proved);
    assert_string_equal(bound_to(w, self.access_token), CERTIFICATES_APP_THUMBPRINT);
    assert_int_equal(renew(w, self.refresh_token, "self", &app, &answer), OUTCOME_ROTATED);
    assert_int_equal(renew(w, bank.refresh_token, "bank", &vouched, &answer), OUTCOME_ROTATED);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct text token = rows[i].client[0] == 'b' ? bank.refresh_token : self.refresh_token;
        enum outcome outcome = renew(w, token, rows[i].client, rows[i].connection, &answer);

        if (outcome != rows[i].outcome || answer.refusal != rows[i].refusal) {
            fail_msg("row %zu: %s, %s", i, outcome_word(outcome),
                     client_refusal_word(answer.refusal));
        }
    }
    assert_int_equal(renew(w, self.refresh_token, "bank", &vouched, &answer), OUTCOME_WRONG_CLIENT);
}

/* Its certificate alone gets a client what its secret would. */
static void test_what_only_a_proved_client_gets(void **state)
{
    static const struct connection *const connections[] = {&app, &other, &none};
    struct world *w = *state;
    struct client before, after;
    struct answer user;

    add_client(w, "self", BY_THUMBPRINT);
    assert_int_equal(store_client_find(w->store, "self", &before, &w->fault), STORE_OK);
    after = before;
    after.grants = GRANT_CLIENT;
    assert_int_equal(store_client_update(w->store, &before, &after, &w->fault), STORE_OK);
    w->realm.policy.grants = GRANT_CLIENT | GRANT_PASSWORD;
    assert_int_equal(log_in(w, "", &none, &user), OUTCOME_ROTATED);
    for (size_t i = 0; i < 3; i++) {
        struct request own =
            world_clients_request(w, &operation_client, (struct text){0}, "self", "");
        struct request query =
            world_clients_request(w, &operation_introspect, user.access_token, "self", "");

        own.grant = GRANT_CLIENT;
        come_over(&own, connections[i]);
        come_over(&query, connections[i]);
        assert_int_equal(operation_run(&own),
                         i == 0 ? OUTCOME_RENEWED : OUTCOME_CLIENT_AUTH_FAILED);
        assert_int_equal(operation_run(&query),
                         i == 0 ? OUTCOME_SERVED : OUTCOME_CLIENT_AUTH_FAILED);
        if (i == 0) {
            assert_string_equal(bound_to(w, own.answer.access_token), CERTIFICATES_APP_THUMBPRINT);
        }
    }
}

/* By the realm or by the client: then nothing is issued without. */
static void test_demanded(void **state)
{
    struct world *w = *state;
    struct client before, after;
    struct answer plain, answer;

    world_add_client(w, "phone", NULL, false);
    assert_int_equal(log_in(w, "phone", &none, &plain), OUTCOME_ROTATED);
    assert_int_equal(store_client_find(w->store, "phone", &before, &w->fault), STORE_OK);
    after = before;
    after.override.set |= POLICY_CERTIFICATE_REQUIRED;
    assert_int_equal(store_client_update(w->store, &before, &after, &w->fault), STORE_OK);
    assert_int_equal(log_in(w, "phone", &none, &answer), OUTCOME_CLIENT_AUTH_FAILED);
    assert_int_equal(answer.refusal, CLIENT_REFUSED_NO_CERTIFICATE);
    assert_int_equal(renew(w, plain.refresh_token, "phone", &none, &answer),
                     OUTCOME_CLIENT_AUTH_FAILED);
    assert_int_equal(renew(w, plain.refresh_token, "phone", &app, &answer), OUTCOME_ROTATED);
    assert_int_equal(log_in(w, "", &none, &answer), OUTCOME_ROTATED);
    w->realm.policy.certificate_required = true;
    assert_int_equal(log_in(w, "", &none, &answer), OUTCOME_CLIENT_AUTH_FAILED);
    assert_int_equal(log_in(w, "", &app, &answer), OUTCOME_ROTATED);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(test_a_bound_session),
        CASE(test_an_unbound_session),
        CASE(test_a_bound_token_is_no_bearer_token),
        CASE(test_clients_prove_themselves),
        CASE(test_what_only_a_proved_client_gets),
        CASE(test_demanded),
    };
    return cmocka_run_group_tests_name("operation/certificates", tests, NULL, NULL);
}
