/* SPDX-License-Identifier: ISC */
/* test_adopt.c: which refresh JWTs of another server become sessions at their first use, what those
 * sessions are like, and that there is one for each token. */
#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/codec.h"
#include "operation/adopt.h"
#include "operation/password.h"
#include "operation/world.h"
#include "token/adoption_key.h"
#include "token/forge.h"

#define SECRET "a secret of an old server, which has more than 32 bytes"

/* What the old server signed with that secret; `realm`: whose tokens it verifies, "" = all. */
static void add_key(struct world *w, const char *secret, const char *kid, const char *realm)
{
    struct signing_row row = {.state = SIGNING_VERIFY_ONLY};

    strcpy(row.realm, realm);
    assert_true(adoption_key_seal(w->arena, SIGNING_HS256, text_of(secret), kid, &w->secrets,
                                  &w->issuer.randomness, &row, &w->fault));
    assert_int_equal(store_key_add(w->store, &row, &w->fault), STORE_OK);
}

static int set_up(void **state)
{
    int result = world_set_up(state);
    struct world *w = *state;

    w->realm.adoption.on = true;
    add_key(w, SECRET, "old", "");
    return result;
}

#define ADOPT_CASE(test) cmocka_unit_test_setup_teardown(test, set_up, world_tear_down)

/* A token that was issued 100 s ago, with more members behind its `iat` ("" = none). */
static struct text signed_with(struct world *w, const char *secret, const char *more)
{
    char payload[512];

    snprintf(payload, sizeof payload, "{\"iat\":%" PRId64 "%s}", w->now_ms / CLOCK_SECOND - 100,
             more);
    return forge_mac(w->arena, text_of(secret), "{\"alg\":\"HS256\"}", payload);
}

/* One of ada's that is good for another `left_s` seconds. */
static struct text token_of(struct world *w, int64_t left_s, const char *more)
{
    char members[512];

    snprintf(members, sizeof members, ",\"sub\":\"ada\",\"exp\":%" PRId64 "%s",
             w->now_ms / CLOCK_SECOND + left_s, more);
    return signed_with(w, SECRET, members);
}

static enum outcome present(struct world *w, struct text token)
{
    struct answer answer;

    return world_present(w, &w->mount, token, &answer);
}

static size_t count_sessions(struct world *w)
{
    static struct session rows[8];
    size_t count;

    assert_int_equal(store_session_list(w->store, 0, NULL, rows, 8, &count, &w->fault), STORE_OK);
    return count;
}

static void test_begins_one_session(void **state)
{
    struct world *w = *state;
    struct text token = token_of(w, 5000, ",\"scope\":\"read write\"");
    struct answer answer;
    struct event events[4];
    size_t count;

    assert_int_equal(world_present(w, &w->mount, token, &answer), OUTCOME_ROTATED);
    struct session session = world_record(w, answer.session);
    assert_int_equal(session.account, w->ada.number);
    assert_int_equal(session.generation, 1);
    assert_string_equal(session.scope, "read write");
    assert_int_equal(session.created_ms, w->now_ms - 100 * CLOCK_SECOND);
    assert_int_equal(session.kept_until_ms, w->now_ms + 5000 * CLOCK_SECOND);
    assert_int_equal(store_event_list(w->store, answer.session, 0, events, 4, &count, &w->fault),
                     STORE_OK);
    assert_int_equal(count, 1);
    assert_int_equal(events[0].kind, EVENT_ADOPTED);
    assert_int_equal(present(w, token), OUTCOME_REPLAYED);
    assert_int_equal(present(w, answer.refresh_token), OUTCOME_ROTATED);
    assert_int_equal(count_sessions(w), 1);
}

static void test_what_it_must_say(void **state)
{
    struct world *w = *state;
    static const struct {
        const char *more;
        int64_t left_s;
        enum outcome outcome;
    } rows[] = {
        {",\"iss\":\"old\",\"aud\":\"app\"", 1, OUTCOME_ROTATED},
        {",\"iss\":\"old\",\"aud\":[\"x\",\"app\"]", 10, OUTCOME_ROTATED},
        {",\"iss\":\"old\",\"aud\":\"app\",\"typ\":\"Offline\"", 10, OUTCOME_ROTATED},
        {",\"iss\":\"old\",\"aud\":\"app\"", 0, OUTCOME_TOKEN_EXPIRED},
        {",\"iss\":\"old\",\"aud\":\"app\"", -1, OUTCOME_TOKEN_EXPIRED},
        {",\"iss\":\"other\",\"aud\":\"app\"", 10, OUTCOME_TOKEN_INVALID},
        {",\"aud\":\"app\"", 10, OUTCOME_TOKEN_INVALID},
        {",\"iss\":\"old\"", 10, OUTCOME_TOKEN_INVALID},
        {",\"iss\":\"old\",\"aud\":\"ap\"", 10, OUTCOME_TOKEN_INVALID},
        {",\"iss\":\"old\",\"aud\":[\"x\",[\"app\"]]", 10, OUTCOME_TOKEN_INVALID},
        {",\"iss\":\"old\",\"aud\":\"app\",\"nbf\":9999999999", 10, OUTCOME_TOKEN_INVALID},
        {",\"iss\":\"old\",\"aud\":\"app\",\"token_type\":\"access\"", 10, OUTCOME_TOKEN_INVALID},
        {",\"iss\":\"old\",\"aud\":\"app\",\"typ\":\"Bearer\"", 10, OUTCOME_TOKEN_INVALID},
        {",\"iss\":\"old\",\"aud\":\"app\",\"type\":\"access\"", 10, OUTCOME_TOKEN_INVALID},
        {",\"iss\":\"old\",\"aud\":\"app\",\"token_use\":\"id\"", 10, OUTCOME_TOKEN_INVALID},
        {",\"iss\":\"old\",\"aud\":\"app\",\"refresh_only\":false", 10, OUTCOME_TOKEN_INVALID},
    };

    strcpy(w->realm.adoption.issuer, "old");
    strcpy(w->realm.adoption.audience, "app");
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        size_t before = count_sessions(w);
        enum outcome outcome = present(w, token_of(w, rows[i].left_s, rows[i].more));

        if (outcome != rows[i].outcome) {
            print_error("row %zu: %s\n", i, outcome_word(outcome));
        }
        assert_int_equal(outcome, rows[i].outcome);
        assert_int_equal(count_sessions(w) - before, outcome == OUTCOME_ROTATED);
    }
}

/* Issued after our clock's now: a minute is a matter of clocks, an hour is not. */
/* As Keycloak makes them: signed with the secret of its provider hmac-generated-hs512, named by a
 * UUID; for the account that has the user's id for a name. */
static void test_from_keycloak(void **state)
{
#define SECRET_IN_ITS_TABLE                                                                        \
    "RqcNCaZ8nFc8HAnCQiRUCZ-iXP0TXx2nMoBEQHxMn4nSTlUUCwVDWbXGJyk0LUqV6yI7MtJn0u9b1xVwfPFLhQ"
    static const char *const kinds[] = {"Refresh", "Offline"};
    struct world *w = *state;
    struct signing_row row = {.state = SIGNING_VERIFY_ONLY};
    struct account account = {.enabled = true, .name = "4f0a7f0c-97c2-4d1e-8d0e-0b1c9cf0b0d2"};
    uint8_t secret[64];
    size_t size;
    char payload[1024], expires[32];

    assert_true(codec_base64url_decode(text_of(SECRET_IN_ITS_TABLE), secret, sizeof secret, &size));
    struct signing_key *key = signing_key_from_secret(
        SIGNING_HS512, (struct text){(const char *)secret, size}, NULL, &w->fault);
    assert_non_null(key);
    assert_true(adoption_key_seal(w->arena, SIGNING_HS512,
                                  TEXT("{\"kty\":\"oct\",\"k\":\"" SECRET_IN_ITS_TABLE "\"}"),
                                  "keycloak", &w->secrets, &w->issuer.randomness, &row, &w->fault));
    assert_int_equal(store_key_add(w->store, &row, &w->fault), STORE_OK);
    assert_int_equal(store_account_add(w->store, &account, &w->fault), STORE_OK);
    strcpy(w->realm.adoption.issuer, "https://sso.example/realms/shop");
    strcpy(w->realm.adoption.audience, "https://sso.example/realms/shop");
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        struct answer answer;

        /* an offline session has no end unless the realm sets one */
        snprintf(expires, sizeof expires, "\"exp\":%" PRId64 ",", w->now_ms / CLOCK_SECOND + 1800);
        snprintf(payload, sizeof payload,
                 "{%s\"iat\":%" PRId64 ",\"jti\":\"9c4f0ce5-3b0c-4a7c-9e0e-33e5dd2dc9e%zu\","
                 "\"iss\":\"https://sso.example/realms/shop\","
                 "\"aud\":\"https://sso.example/realms/shop\",\"sub\":\"%s\",\"typ\":\"%s\","
                 "\"azp\":\"web\",\"sid\":\"1b1d5c4a-9a0b-4e8e-bb0b-2f1f6ad0b2a1\","
                 "\"scope\":\"openid profile email\"}",
                 i == 0 ? expires : "", w->now_ms / CLOCK_SECOND - 100, i, account.name, kinds[i]);
        struct text token = forge_signed(w->arena, key,
                                         "{\"alg\":\"HS512\",\"typ\" : \"JWT\",\"kid\" : "
                                         "\"d21d6c52-4e0d-4ae5-9c5b-51a9b7a9b7c5\"}",
                                         payload);

        assert_int_equal(world_present(w, &w->mount, token, &answer), OUTCOME_ROTATED);
        assert_int_equal(world_record(w, answer.session).account, account.number);
        assert_string_equal(world_record(w, answer.session).scope, "openid profile email");
    }
    assert_int_equal(count_sessions(w), 2);
    signing_key_close(key);
}

static void test_clocks_that_differ(void **state)
{
    struct world *w = *state;
    struct text soon = token_of(w, 5000, "");

    w->now_ms -= 150 * CLOCK_SECOND;
    assert_int_equal(present(w, soon), OUTCOME_ROTATED);
    w->now_ms += 150 * CLOCK_SECOND;
    soon = token_of(w, 5001, "");
    w->now_ms -= 200 * CLOCK_SECOND;
    assert_int_equal(present(w, soon), OUTCOME_TOKEN_INVALID);
}

static void test_who_signed_it(void **state)
{
    struct world *w = *state;
    static const char other[] = "another secret, of more than 32 bytes as well";
    struct text token = token_of(w, 5000, "");
    struct text foreign;

    foreign = signed_with(w, other, ",\"sub\":\"ada\"");
    assert_int_equal(present(w, foreign), OUTCOME_TOKEN_INVALID);
    add_key(w, other, "others", "elsewhere");
    assert_int_equal(present(w, foreign), OUTCOME_TOKEN_INVALID);
    add_key(w, other, "ours", w->realm.name);
    assert_int_equal(present(w, foreign), OUTCOME_ROTATED);
    assert_int_equal(store_key_set_state(w->store, "old", SIGNING_VERIFY_RETIRED, &w->fault),
                     STORE_OK);
    assert_int_equal(present(w, token), OUTCOME_TOKEN_INVALID);
    assert_int_equal(count_sessions(w), 1);
}

static void test_where_the_realm_says_so(void **state)
{
    struct world *w = *state;
    struct text token = token_of(w, 5000, "");

    w->realm.adoption.on = false;
    assert_int_equal(present(w, token), OUTCOME_TOKEN_INVALID);
    w->realm.adoption.on = true;
    w->realm.adoption.until_ms = w->now_ms;
    assert_int_equal(present(w, token), OUTCOME_TOKEN_INVALID);
    w->realm.adoption.until_ms++;
    assert_int_equal(present(w, token), OUTCOME_ROTATED);
}

static void test_whose_it_is(void **state)
{
    struct world *w = *state;
    struct account found;
    struct account off = {.enabled = false};
    struct text ben = signed_with(w, SECRET, ",\"sub\":\"ada\",\"user\":\"ben\"");
    struct text seven = signed_with(w, SECRET, ",\"user\":7");

    strcpy(w->realm.adoption.claim, "user");
    strcpy(off.name, "off");
    assert_int_equal(store_account_add(w->store, &off, &w->fault), STORE_OK);
    assert_int_equal(present(w, ben), OUTCOME_ACCOUNT_GONE);
    assert_int_equal(present(w, signed_with(w, SECRET, ",\"user\":\"off\"")),
                     OUTCOME_ACCOUNT_DISABLED);
    w->realm.adoption.creates_accounts = true;
    assert_int_equal(present(w, ben), OUTCOME_ROTATED);
    assert_int_equal(present(w, seven), OUTCOME_ROTATED);
    assert_int_equal(present(w, signed_with(w, SECRET, ",\"user\":\"off\"")),
                     OUTCOME_ACCOUNT_DISABLED);
    assert_int_equal(present(w, signed_with(w, SECRET, ",\"sub\":\"ada\"")), OUTCOME_TOKEN_INVALID);
    assert_int_equal(present(w, signed_with(w, SECRET, ",\"user\":\"a\\nb\"")),
                     OUTCOME_TOKEN_INVALID);
    assert_int_equal(present(w, signed_with(w, SECRET, ",\"user\":\"eve\",\"exp\":5")),
                     OUTCOME_TOKEN_EXPIRED);
    assert_int_equal(store_account_find(w->store, "eve", &found, &w->fault), STORE_ABSENT);
    assert_int_equal(store_account_find(w->store, "ben", &found, &w->fault), STORE_OK);
    assert_true(found.enabled && found.password[0] == '\0');
    assert_int_equal(store_account_find(w->store, "7", &found, &w->fault), STORE_OK);
}

/* Both have looked before one has written. */
static void test_two_at_once(void **state)
{
    struct world *w = *state;
    struct text token = signed_with(w, SECRET, ",\"sub\":\"ben\"");
    struct request requests[2];
    struct adoption *adoptions[2];
    enum outcome outcome;

    w->realm.adoption.creates_accounts = true;
    for (size_t i = 0; i < 2; i++) {
        requests[i] = (struct request){.arena = w->arena,
                                       .issuer = &w->issuer,
                                       .mount = &w->mount,
                                       .realm = &w->realm,
                                       .answer.now_ms = w->now_ms};
        assert_true(adopt_considers(&requests[i], token));
        adoptions[i] = adopt_begin(&requests[i], token, &outcome);
        assert_non_null(adoptions[i]);
        assert_string_equal(adopt_account(adoptions[i]), "ben");
    }
    for (size_t step = 0; step < 2; step++) { /* the account, then the session */
        for (size_t i = 0; i < 2; i++) {
            struct store_write *write = adopt_step(adoptions[i], &outcome);

            assert_non_null(write);
            enum store_result result = store_write(w->store, write, &requests[i].fault);
            assert_int_equal(result, i == 0 ? STORE_OK : STORE_EXISTS);
            adopt_written(adoptions[i], result);
        }
    }
    for (size_t i = 0; i < 2; i++) {
        assert_null(adopt_step(adoptions[i], &outcome));
        assert_int_equal(outcome, OUTCOME_ROTATED);
    }
    assert_int_equal(count_sessions(w), 1);
    assert_int_equal(present(w, token), OUTCOME_ROTATED);
}

/* A session that was ended is not begun again, for as long as its token would have been good. */
static void test_ended_stays_ended(void **state)
{
    struct world *w = *state;
    struct text token = token_of(w, 400 * 86400, "");
    struct answer answer;

    assert_int_equal(world_present(w, &w->mount, token, &answer), OUTCOME_ROTATED);
    assert_int_equal(store_session_end(w->store, answer.session, SESSION_ENDED_ADMIN, w->now_ms,
                                       NULL, &w->fault),
                     STORE_OK);
    assert_int_equal(present(w, token), OUTCOME_TOKEN_REVOKED);
    w->now_ms += 399 * (int64_t)CLOCK_DAY;
    size_t removed = 1;
    bool more;
    assert_int_equal(store_prune(w->store, w->now_ms, true, 100, &removed, &more, &w->fault),
                     STORE_OK);
    assert_int_equal(removed, 0);
    assert_int_equal(present(w, token), OUTCOME_TOKEN_REVOKED);
}

/* What it was granted there is cut to what its client may have here. */
static void test_its_client(void **state)
{
    struct world *w = *state;
    struct client client = {.enabled = true};
    struct answer answer;
    struct session session;

    strcpy(client.id, "app");
    strcpy(client.scope, "mail read");
    assert_int_equal(store_client_add(w->store, &client, &w->fault), STORE_OK);
    assert_int_equal(world_present(w, &w->mount,
                                   token_of(w, 5000, ",\"azp\":\"app\",\"scope\":\"read admin\""),
                                   &answer),
                     OUTCOME_ROTATED);
    session = world_record(w, answer.session);
    assert_string_equal(session.client, "app");
    assert_string_equal(session.scope, "read");
    assert_int_equal(
        world_present(w, &w->mount, token_of(w, 5000, ",\"azp\":\"unknown\""), &answer),
        OUTCOME_ROTATED);
    session = world_record(w, answer.session);
    assert_string_equal(session.client, "");
}

static enum outcome present_as(struct world *w, struct text token, const char *client,
                               const char *secret)
{
    struct world_ask ask = {.mount = &w->mount,
                            .refresh_token = token,
                            .client_bound = true,
                            .client_proof = secret != NULL ? CLIENT_PROOF_BODY : CLIENT_PROOF_NONE,
                            .client_id = text_of(client),
                            .client_secret = text_of(secret)};
    struct answer answer;

    return world_run(&w->issuer, &ask, w->arena, &answer, &w->fault);
}

/* Who is not its client leaves nothing behind, neither a session nor an account. */
static void test_only_its_client_begins_it(void **state)
{
    struct world *w = *state;
    struct client app = {.enabled = true, .id = "app"}, other = {.enabled = true, .id = "other"};
    struct text token = signed_with(w, SECRET, ",\"sub\":\"ben\",\"azp\":\"app\"");
    struct account account;

    w->realm.adoption.creates_accounts = true;
    assert_true(client_secret_hash(TEXT("s3cret"), true, &w->secrets, &w->issuer.randomness,
                                   app.secrets[0].hash, &w->fault));
    app.secrets[0].number = 1;
    assert_int_equal(store_client_add(w->store, &app, &w->fault), STORE_OK);
    assert_int_equal(store_client_add(w->store, &other, &w->fault), STORE_OK);
    assert_int_equal(present_as(w, token, "app", "guess"), OUTCOME_CLIENT_AUTH_FAILED);
    assert_int_equal(present_as(w, token, "app", NULL), OUTCOME_CLIENT_AUTH_FAILED);
    assert_int_equal(present_as(w, token, "", NULL), OUTCOME_CLIENT_AUTH_FAILED);
    assert_int_equal(present_as(w, token, "nobody", NULL), OUTCOME_CLIENT_AUTH_FAILED);
    assert_int_equal(present_as(w, token, "other", NULL), OUTCOME_WRONG_CLIENT);
    assert_int_equal(count_sessions(w), 0);
    assert_int_equal(store_account_find(w->store, "ben", &account, &w->fault), STORE_ABSENT);
    assert_int_equal(present_as(w, token, "app", "s3cret"), OUTCOME_ROTATED);
    assert_int_equal(present_as(w, token, "app", "s3cret"), OUTCOME_REPLAYED);
    assert_int_equal(present_as(w, token, "app", "guess"), OUTCOME_CLIENT_AUTH_FAILED);
    assert_int_equal(count_sessions(w), 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        ADOPT_CASE(test_begins_one_session),
        ADOPT_CASE(test_what_it_must_say),
        ADOPT_CASE(test_from_keycloak),
        ADOPT_CASE(test_only_its_client_begins_it),
        ADOPT_CASE(test_clocks_that_differ),
        ADOPT_CASE(test_who_signed_it),
        ADOPT_CASE(test_where_the_realm_says_so),
        ADOPT_CASE(test_whose_it_is),
        ADOPT_CASE(test_two_at_once),
        ADOPT_CASE(test_ended_stays_ended),
        ADOPT_CASE(test_its_client),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
