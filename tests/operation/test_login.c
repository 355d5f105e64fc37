/* SPDX-License-Identifier: ISC */
/* test_login.c: what a password buys, alone and beside a bearer, and what wrong ones lead to. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "operation/world.h"
#include "token/jws.h"

static enum outcome log_in(struct world *w, struct text bearer, const char *name,
                           const char *password, struct answer *answer)
{
    struct world_ask ask = {.mount = &w->mount,
                            .refresh_token = bearer,
                            .username_given = true,
                            .username = text_of(name),
                            .password_given = true,
                            .password = text_of(password)};

    return world_run(&w->issuer, &ask, w->arena, answer, &w->fault);
}

/* An access token of ada's, in kopong's layout. */
static struct text access_token(struct world *w)
{
    struct answer answer;

    assert_int_equal(world_present(w, &w->mount, world_session(w, "", NULL), &answer),
                     OUTCOME_RENEWED);
    return answer.access_token;
}

static void test_password_buys_a_session(void **state)
{
    struct world *w = *state;
    struct answer first, answer;
    struct world_ask ask = {.mount = &w->mount,
                            .username_given = true,
                            .username = TEXT("ada"),
                            .password_given = true,
                            .password = TEXT("wrong horse")};

    world_make_kopong(&w->realm);
    assert_int_equal(world_present(w, &w->mount, world_session(w, "", NULL), &first),
                     OUTCOME_RENEWED);
    w->now_ms += 29 * (int64_t)CLOCK_DAY; /* an expired access token alone buys nothing */
    ask.refresh_token = first.access_token;
    assert_int_equal(world_run(&w->issuer, &ask, w->arena, &answer, &w->fault),
                     OUTCOME_CREDENTIALS_WRONG);
    ask.password = TEXT("correct horse");
    assert_int_equal(world_run(&w->issuer, &ask, w->arena, &answer, &w->fault), OUTCOME_ROTATED);
    assert_memory_not_equal(answer.session, first.session, SESSION_ID_SIZE);
    assert_int_equal(world_present(w, &w->mount, answer.refresh_token, &answer), OUTCOME_RENEWED);
    ask.username = TEXT("eve");
    assert_int_equal(world_run(&w->issuer, &ask, w->arena, &answer, &w->fault), OUTCOME_WRONG_USER);
    ask.username = TEXT("ada");
    w->ada.enabled = false;
    assert_int_equal(store_account_update(w->store, NULL, &w->ada, &w->fault), STORE_OK);
    assert_int_equal(world_run(&w->issuer, &ask, w->arena, &answer, &w->fault),
                     OUTCOME_ACCOUNT_DISABLED);
    assert_int_equal(store_account_remove(w->store, "ada", &w->fault), STORE_OK);
    assert_int_equal(world_run(&w->issuer, &ask, w->arena, &answer, &w->fault),
                     OUTCOME_CREDENTIALS_WRONG); /* whether there is such an account is not told */
}

static enum outcome by_password(struct world *w, struct text name, const char *password,
                                struct answer *answer)
{
    struct world_ask ask = {.mount = &w->mount,
                            .no_bearer = true,
                            .username = name,
                            .password_given = true,
                            .password = text_of(password)};

    return world_run(&w->issuer, &ask, w->arena, answer, &w->fault);
}

static void test_password_alone(void **state)
{
    struct world *w = *state;
    struct answer first, answer;

    assert_int_equal(by_password(w, TEXT("ada"), "correct horse", &first), OUTCOME_ROTATED);
    assert_int_equal(first.last_login_ms, 0);
    assert_true(text_is(first.username, "ada") && first.access_token.size > 0);
    assert_int_equal(world_present(w, &w->mount, first.refresh_token, &answer), OUTCOME_ROTATED);
    w->now_ms += CLOCK_MINUTE;
    assert_int_equal(by_password(w, TEXT("ada"), "wrong horse", &answer),
                     OUTCOME_CREDENTIALS_WRONG);
    assert_int_equal(by_password(w, TEXT("ada"), "correct horse", &answer), OUTCOME_ROTATED);
    assert_int_equal(answer.last_login_ms, w->now_ms - CLOCK_MINUTE);
    assert_memory_not_equal(answer.session, first.session, SESSION_ID_SIZE);
    w->ada.enabled = false;
    assert_int_equal(store_account_update(w->store, NULL, &w->ada, &w->fault), STORE_OK);
    assert_int_equal(by_password(w, TEXT("ada"), "wrong horse", &answer),
                     OUTCOME_CREDENTIALS_WRONG); /* that it is disabled, only the user is told */
    assert_int_equal(by_password(w, TEXT("ada"), "correct horse", &answer),
                     OUTCOME_ACCOUNT_DISABLED);
}

/* Whether there is an account of that name is not told, and not that none can have it. */
static void test_no_such_account(void **state)
{
    static char long_name[ACCOUNT_NAME_MAX + 2];
    static const char nul[] = "ada\0";
    struct world *w = *state;
    struct account silent = {.enabled = true, .name = "silent"};
    struct answer answer;

    memset(long_name, 'a', sizeof long_name - 1);
    assert_int_equal(store_account_add(w->store, &silent, &w->fault), STORE_OK);
    assert_int_equal(by_password(w, TEXT("silent"), "correct horse", &answer),
                     OUTCOME_CREDENTIALS_WRONG);
    assert_int_equal(by_password(w, TEXT("eve"), "correct horse", &answer),
                     OUTCOME_CREDENTIALS_WRONG);
    assert_int_equal(by_password(w, TEXT(""), "correct horse", &answer), OUTCOME_CREDENTIALS_WRONG);
    assert_int_equal(by_password(w, TEXT("ADA"), "correct horse", &answer),
                     OUTCOME_CREDENTIALS_WRONG);
    assert_int_equal(by_password(w, text_of(long_name), "correct horse", &answer),
                     OUTCOME_CREDENTIALS_WRONG);
    assert_int_equal(by_password(w, (struct text){nul, sizeof nul}, "correct horse", &answer),
                     OUTCOME_CREDENTIALS_WRONG);
    for (int i = 1; i < GUESS_FREE; i++) {
        assert_int_equal(by_password(w, TEXT("eve"), "wrong", &answer), OUTCOME_CREDENTIALS_WRONG);
    }
    assert_int_equal(by_password(w, TEXT("eve"), "wrong", &answer), OUTCOME_SLOWED);
}

static void test_scope_of_a_login(void **state)
{
    struct world *w = *state;
    struct answer answer;
    struct world_ask ask = {.mount = &w->mount,
                            .no_bearer = true,
                            .username = TEXT("ada"),
                            .password_given = true,
                            .password = TEXT("correct horse"),
                            .scope_given = true,
                            .scope = TEXT("read \"")};

    assert_int_equal(world_run(&w->issuer, &ask, w->arena, &answer, &w->fault),
                     OUTCOME_SCOPE_INVALID);
    ask.scope = TEXT("read write");
    assert_int_equal(world_run(&w->issuer, &ask, w->arena, &answer, &w->fault), OUTCOME_ROTATED);
    assert_true(text_is(answer.scope, "read write"));
    assert_string_equal(world_record(w, answer.session).scope, "read write");
}

/* Signed by the key of this realm, and of another layout, issuer or audience, or too old. */
static void test_bearers(void **state)
{
    static const struct row {
        const char *header, *claims;
        enum outcome outcome;
    } rows[] = {
        {"{\"alg\":\"HS256\"}", "\"exp\":1800000000", OUTCOME_ROTATED},
        {"{\"alg\":\"HS256\"}", "\"iat\":1800000000", OUTCOME_ROTATED},
        {"{\"alg\":\"HS256\"}", "\"exp\":1797408001", OUTCOME_ROTATED}, /* 30 days ago */
        {"{\"alg\":\"HS256\"}", "\"exp\":1797408000", OUTCOME_TOKEN_EXPIRED},
        {"{\"alg\":\"HS256\"}", "\"iat\":1797408000", OUTCOME_TOKEN_EXPIRED},
        {"{\"alg\":\"HS256\"}", "\"exp\":1797408000,\"iat\":1800000000", OUTCOME_TOKEN_EXPIRED},
        {"{\"alg\":\"HS256\"}", "\"exp\":\"1800000000\"", OUTCOME_TOKEN_EXPIRED},
        {"{\"alg\":\"HS256\"}", "\"x\":1", OUTCOME_TOKEN_EXPIRED},
        {"{\"alg\":\"HS256\",\"typ\":\"at+jwt\"}", "\"exp\":1800000000", OUTCOME_TOKEN_INVALID},
        {"{\"alg\":\"HS256\",\"typ\":\"JWT\"}", "\"exp\":1800000000", OUTCOME_TOKEN_INVALID},
        {"{\"alg\":\"HS256\",\"kid\":\"k1\"}", "\"exp\":1800000000", OUTCOME_TOKEN_INVALID},
        {"{\"alg\":\"HS256\"}", "\"exp\":1800000000,\"iss\":\"https://id.example\"",
         OUTCOME_ROTATED},
        {"{\"alg\":\"HS256\"}", "\"exp\":1800000000,\"iss\":\"https://id.exampl\"",
         OUTCOME_TOKEN_INVALID},
        {"{\"alg\":\"HS256\"}", "\"exp\":1800000000,\"aud\":\"api\"", OUTCOME_ROTATED},
        {"{\"alg\":\"HS256\"}", "\"exp\":1800000000,\"aud\":\"apis\"", OUTCOME_TOKEN_INVALID},
        {"{\"alg\":\"HS256\"}", "\"exp\":1800000000,\"aud\":[\"api\"]", OUTCOME_ROTATED},
    };
    struct world *w = *state;
    const struct keyring *keyring = issuer_keyring_now(&w->issuer, &w->fault);
    const struct signing_key *key = keyring_verifier(keyring, w->realm.name, 0);

    world_make_kopong(&w->realm);
    assert_non_null(key);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct answer answer;
        struct buffer payload;
        struct text bearer;

        print_message("row %zu\n", i);
        buffer_start(&payload, w->arena, 256);
        buffer_addf(&payload, "{\"sub\":\"ada\",%s}", rows[i].claims);
        assert_true(
            jws_sign(key, text_of(rows[i].header), buffer_text(&payload), w->arena, &bearer));
        assert_int_equal(log_in(w, bearer, "ada", "correct horse", &answer), rows[i].outcome);
    }
}

static size_t count_events(struct world *w, enum event_kind kind)
{
    static struct event events[64];
    size_t count, found = 0;

    assert_int_equal(store_event_list(w->store, NULL, 0, events, 64, &count, &w->fault), STORE_OK);
    for (size_t i = 0; i < count; i++) {
        found += events[i].kind == kind;
    }
    return found;
}

static void test_leaves_an_event(void **state)
{
    struct world *w = *state;
    struct answer answer;
    struct event event;
    size_t count;

    world_make_kopong(&w->realm);
    assert_int_equal(log_in(w, access_token(w), "ada", "correct horse", &answer), OUTCOME_ROTATED);
    assert_int_equal(store_event_list(w->store, answer.session, 0, &event, 1, &count, &w->fault),
                     STORE_OK);
    assert_int_equal(count, 1);
    assert_int_equal(event.kind, EVENT_LOGIN);
    assert_int_equal(event.account, w->ada.number);
    assert_string_equal(event.realm, w->realm.name);
    assert_string_equal(event.cause, "password");
    assert_string_equal(event.mount, w->mount.path);
}

/* However often: names that no account has are one line. */
static void test_failures_leave_an_event_each(void **state)
{
    struct world *w = *state;
    struct answer answer;
    struct event events[4];
    size_t count;

    for (int i = 0; i < 3; i++) {
        struct world_ask ask = {.mount = &w->mount,
                                .password_given = true,
                                .no_bearer = true,
                                .username_given = true,
                                .username = text_of(i == 0   ? "ada"
                                                    : i == 1 ? "eve"
                                                             : "mallory"),
                                .password = TEXT("wrong")};

        assert_int_equal(world_run(&w->issuer, &ask, w->arena, &answer, &w->fault),
                         OUTCOME_CREDENTIALS_WRONG);
    }
    assert_int_equal(store_event_list(w->store, NULL, 0, events, 4, &count, &w->fault), STORE_OK);
    assert_int_equal(count, 2);
    assert_int_equal(events[0].kind, EVENT_LOGIN_FAILED);
    assert_string_equal(events[0].cause, "unknown-account");
    assert_int_equal(events[0].repeats, 1);
    assert_int_equal(events[1].kind, EVENT_LOGIN_FAILED);
    assert_string_equal(events[1].cause, "password");
    assert_int_equal(events[1].account, w->ada.number);
}

/* Five wrong ones, and then not even the right one is looked at, for longer and longer. */
static void test_guessing_is_slowed(void **state)
{
    static const int64_t waits_s[] = {1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 900, 900};
    struct world *w = *state;
    struct answer answer;
    struct text bearer;

    world_make_kopong(&w->realm);
    bearer = access_token(w);
    for (int i = 0; i < GUESS_FREE; i++) {
        assert_int_equal(count_events(w, EVENT_GUESSED), 0);
        assert_int_equal(log_in(w, bearer, "ada", "wrong", &answer), OUTCOME_CREDENTIALS_WRONG);
    }
    for (size_t i = 0; i < sizeof waits_s / sizeof *waits_s; i++) {
        assert_int_equal(count_events(w, EVENT_GUESSED), 1);
        assert_int_equal(log_in(w, bearer, "ada", "correct horse", &answer), OUTCOME_SLOWED);
        assert_int_equal(answer.retry_after_s, waits_s[i]);
        w->now_ms += waits_s[i] * CLOCK_SECOND - 1;
        assert_int_equal(log_in(w, bearer, "ada", "correct horse", &answer), OUTCOME_SLOWED);
        assert_int_equal(answer.retry_after_s, 1);
        w->now_ms++;
        assert_int_equal(log_in(w, bearer, "ada", "wrong", &answer), OUTCOME_CREDENTIALS_WRONG);
    }
    w->now_ms += 15 * CLOCK_MINUTE;
    assert_int_equal(log_in(w, bearer, "ada", "correct horse", &answer), OUTCOME_ROTATED);
    for (int i = 0; i < GUESS_FREE; i++) { /* which has begun the count again */
        assert_int_equal(log_in(w, bearer, "ada", "wrong", &answer), OUTCOME_CREDENTIALS_WRONG);
    }
    assert_int_equal(log_in(w, bearer, "ada", "wrong", &answer), OUTCOME_SLOWED);
    w->now_ms += CLOCK_DAY; /* and so has a day */
    for (int i = 0; i < GUESS_FREE; i++) {
        assert_int_equal(log_in(w, bearer, "ada", "wrong", &answer), OUTCOME_CREDENTIALS_WRONG);
    }
}

/* The clock is set back: no one waits until it is there again. */
static void test_clock_goes_back(void **state)
{
    struct world *w = *state;
    struct answer answer;
    struct text bearer;

    world_make_kopong(&w->realm);
    bearer = access_token(w);
    for (int i = 0; i < GUESS_FREE; i++) {
        assert_int_equal(log_in(w, bearer, "ada", "wrong", &answer), OUTCOME_CREDENTIALS_WRONG);
    }
    w->now_ms -= CLOCK_HOUR;
    assert_int_equal(log_in(w, bearer, "ada", "correct horse", &answer), OUTCOME_ROTATED);
}

/* Whoever has the refresh token is not slowed by one who guesses beside an access token; and one
 * who guesses beside it slows that session alone. */
static void test_refresh_tokens_are_not_hurt(void **state)
{
    struct world *w = *state;
    struct answer answer;
    struct text bearer, token, other;

    world_make_kopong(&w->realm);
    bearer = access_token(w);
    token = world_session(w, "", NULL);
    other = world_session(w, "", NULL);
    for (int i = 0; i < GUESS_FREE; i++) {
        assert_int_equal(log_in(w, bearer, "ada", "wrong", &answer), OUTCOME_CREDENTIALS_WRONG);
    }
    assert_int_equal(log_in(w, bearer, "ada", "correct horse", &answer), OUTCOME_SLOWED);
    assert_int_equal(log_in(w, token, "ada", "correct horse", &answer), OUTCOME_RENEWED);
    for (int i = 0; i < GUESS_FREE; i++) {
        assert_int_equal(log_in(w, token, "ada", "wrong", &answer), OUTCOME_CREDENTIALS_WRONG);
    }
    assert_int_equal(log_in(w, token, "ada", "correct horse", &answer), OUTCOME_SLOWED);
    assert_int_equal(world_present(w, &w->mount, token, &answer), OUTCOME_RENEWED);
    assert_int_equal(log_in(w, other, "ada", "correct horse", &answer), OUTCOME_RENEWED);
}

/* An imported hash is replaced at the first login, its sessions go on, and a wrong password
 * replaces nothing. */
static void test_weak_hashes_are_replaced(void **state)
{
    static const char weak[] = "$apr1$XrjuguDk$hC02BGf5zrsUW88SDtU0d0"; /* of "secret" */
    struct world *w = *state;
    struct account account;
    struct answer first, answer;

    assert_int_equal(store_account_find(w->store, "ada", &account, &w->fault), STORE_OK);
    strcpy(account.password, weak);
    assert_int_equal(store_account_update(w->store, NULL, &account, &w->fault), STORE_OK);

    assert_int_equal(by_password(w, TEXT("ada"), "wrong", &answer), OUTCOME_CREDENTIALS_WRONG);
    assert_int_equal(store_account_find(w->store, "ada", &account, &w->fault), STORE_OK);
    assert_string_equal(account.password, weak);
    assert_int_equal(by_password(w, TEXT("ada"), "secret", &first), OUTCOME_ROTATED);
    assert_int_equal(store_account_find(w->store, "ada", &account, &w->fault), STORE_OK);
    assert_true(text_starts(text_of(account.password), TEXT("$y$j75$")));
    assert_true(account_has_hash(&account, weak));

    /* the new one suffices; a lower cost would, too */
    char kept[ACCOUNT_PASSWORD_MAX + 1];
    memcpy(kept, account.password, sizeof kept);
    assert_int_equal(by_password(w, TEXT("ada"), "wrong", &answer), OUTCOME_CREDENTIALS_WRONG);
    assert_int_equal(by_password(w, TEXT("ada"), "secret", &answer), OUTCOME_ROTATED);
    assert_int_equal(world_present(w, &w->mount, first.refresh_token, &answer), OUTCOME_ROTATED);
    assert_int_equal(store_account_find(w->store, "ada", &account, &w->fault), STORE_OK);
    assert_string_equal(account.password, kept);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(test_password_buys_a_session),
        CASE(test_password_alone),
        CASE(test_no_such_account),
        CASE(test_scope_of_a_login),
        CASE(test_bearers),
        CASE(test_leaves_an_event),
        CASE(test_failures_leave_an_event_each),
        CASE(test_guessing_is_slowed),
        CASE(test_clock_goes_back),
        CASE(test_refresh_tokens_are_not_hurt),
        CASE(test_weak_hashes_are_replaced),
    };
    return cmocka_run_group_tests_name("operation/login", tests, NULL, NULL);
}
