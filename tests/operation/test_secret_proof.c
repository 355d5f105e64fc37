/* SPDX-License-Identifier: ISC */
/* test_secret_proof.c: which secrets are compared beside which token, and what wrong ones lead to.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "operation/password.h"
#include "operation/world.h"

enum { GARBAGE_SIZE = 72 };

static enum outcome present(struct world *w, struct text token, const char *id, const char *secret,
                            struct answer *answer)
{
    struct world_ask ask = {.mount = &w->mount,
                            .refresh_token = token,
                            .client_bound = true,
                            .client_proof = CLIENT_PROOF_BODY,
                            .client_id = text_of(id),
                            .client_secret = text_of(secret)};

    return world_run(&w->issuer, &ask, w->arena, answer, &w->fault);
}

static struct text garbage(struct world *w)
{
    char x[GARBAGE_SIZE + 1] = "";
    struct text token;

    memset(x, 'x', GARBAGE_SIZE);
    assert_true(arena_copy(w->arena, text_of(x), &token));
    return token;
}

/* Beside a token that is none a wrong secret leads to the same at every client, and a right one to
 * the token's refusal, whoever chose it. */
static void test_beside_garbage(void **state)
{
    static const struct row {
        const char *id, *secret;
        enum outcome outcome;
    } rows[] = {
        {"nobody", "wrong", OUTCOME_CLIENT_AUTH_FAILED},
        {"phone", "wrong", OUTCOME_CLIENT_AUTH_FAILED},
        {"web", "wrong", OUTCOME_CLIENT_AUTH_FAILED},
        {"legacy", "wrong", OUTCOME_CLIENT_AUTH_FAILED},
        {"legacy", "chosen secret", OUTCOME_TOKEN_INVALID},
        {"web", "generated secret", OUTCOME_TOKEN_INVALID},
    };
    struct world *w = *state;
    struct answer answer;

    world_add_client(w, "phone", NULL, false);
    world_add_client(w, "web", "generated secret", true);
    world_add_client(w, "legacy", "chosen secret", false);
    for (size_t i = 0; i < 3 * sizeof rows / sizeof *rows; i++) {
        const struct row *row = &rows[i / 3];

        assert_int_equal(present(w, garbage(w), row->id, row->secret, &answer), row->outcome);
    }
}

/* Strangers slow strangers: not who comes with a token of ours, nor a secret that no one guesses.
 */
static void test_strangers_are_slowed(void **state)
{
    struct world *w = *state;
    struct answer answer;
    struct text token;

    world_add_client(w, "web", "generated secret", true);
    world_add_client(w, "legacy", "chosen secret", false);
    token = world_session(w, "legacy", NULL);
    for (int i = 0; i < GUESS_FREE; i++) {
        assert_int_equal(present(w, garbage(w), "legacy", "wrong", &answer),
                         OUTCOME_CLIENT_AUTH_FAILED);
    }
    assert_int_equal(present(w, garbage(w), "legacy", "chosen secret", &answer), OUTCOME_SLOWED);
    assert_int_equal(answer.retry_after_s, 1);
    assert_int_equal(present(w, token, "legacy", "chosen secret", &answer), OUTCOME_ROTATED);
    /* that it is remembered now is no way round */
    assert_int_equal(present(w, garbage(w), "legacy", "chosen secret", &answer), OUTCOME_SLOWED);
    w->now_ms += CLOCK_SECOND;
    assert_int_equal(present(w, garbage(w), "legacy", "chosen secret", &answer),
                     OUTCOME_TOKEN_INVALID);
    for (int i = 0; i <= GUESS_FREE; i++) {
        assert_int_equal(present(w, garbage(w), "web", "wrong", &answer),
                         OUTCOME_CLIENT_AUTH_FAILED);
    }
}

static void test_guessing_is_slowed(void **state)
{
    struct world *w = *state;
    struct account eve = {.enabled = true, .name = "eve"};
    struct answer answer;
    struct text of_ada, of_eve;
    struct issue_ask ask = {.account = &eve, .client = TEXT("legacy")};

    world_add_client(w, "legacy", "chosen secret", false);
    assert_int_equal(store_account_add(w->store, &eve, &w->fault), STORE_OK);
    of_ada = world_session(w, "legacy", NULL);
    assert_int_equal(world_issue(w, &ask, &answer), OUTCOME_ROTATED);
    of_eve = answer.refresh_token;
    for (int i = 0; i < GUESS_FREE; i++) {
        assert_int_equal(present(w, of_eve, "legacy", "wrong", &answer),
                         OUTCOME_CLIENT_AUTH_FAILED);
    }
    assert_int_equal(present(w, of_eve, "legacy", "chosen secret", &answer), OUTCOME_SLOWED);
    assert_int_equal(answer.retry_after_s, 1);
    /* the client goes on with the tokens of others */
    assert_int_equal(present(w, of_ada, "legacy", "chosen secret", &answer), OUTCOME_ROTATED);
    of_ada = answer.refresh_token;
    /* that it is known now is no way round for who guesses */
    assert_int_equal(present(w, of_eve, "legacy", "chosen secret", &answer), OUTCOME_SLOWED);
    w->now_ms += CLOCK_SECOND;
    assert_int_equal(present(w, of_eve, "legacy", "chosen secret", &answer), OUTCOME_ROTATED);
}

/* A secret that was wrong counts, also where its other reading is refused unseen. */
static void test_each_reading_is_counted(void **state)
{
    struct world *w = *state;
    struct answer answer;
    struct text token;

    world_add_client(w, "legacy", "chosen secret", false);
    world_add_client(w, "other", "another secret", false);
    token = world_session(w, "legacy", NULL);
    for (int i = 0; i < GUESS_FREE + 8; i++) { /* slowed for longer than all that follows */
        w->now_ms += 15 * CLOCK_MINUTE;
        assert_int_equal(present(w, token, "other", "wrong", &answer), OUTCOME_CLIENT_AUTH_FAILED);
    }
    for (int i = 0; i < GUESS_FREE; i++) {
        struct world_ask ask = {.mount = &w->mount,
                                .refresh_token = token,
                                .client_bound = true,
                                .client_proof = CLIENT_PROOF_BASIC,
                                .client_id = TEXT("legacy"),
                                .client_secret = TEXT("wrong"),
                                .client_raw_secret = TEXT("wr%6fng")};
        struct request request = world_request(&w->issuer, &ask, w->arena);

        request.client.raw_id = TEXT("other");
        assert_int_equal(operation_run(&request), OUTCOME_SLOWED);
    }
    assert_int_equal(present(w, token, "legacy", "chosen secret", &answer), OUTCOME_SLOWED);
}

/* No one can guess a generated one: wrong ones are counted, and a right one is always taken. */
static void test_generated_secret_is_never_locked(void **state)
{
    struct world *w = *state;
    struct answer answer;
    struct text token;

    world_add_client(w, "web", "generated secret", true);
    token = world_session(w, "web", NULL);
    for (int i = 0; i < GUESS_FREE; i++) {
        assert_int_equal(present(w, token, "web", "wrong", &answer), OUTCOME_CLIENT_AUTH_FAILED);
    }
    assert_int_equal(present(w, token, "web", "wrong", &answer), OUTCOME_SLOWED);
    assert_int_equal(present(w, token, "web", "generated secret", &answer), OUTCOME_ROTATED);
}

/* A new secret takes the place of one that is remembered. */
static void test_forgets_with_the_record(void **state)
{
    struct world *w = *state;
    struct answer answer;
    struct text token;

    world_add_client(w, "legacy", "chosen secret", false);
    token = world_session(w, "legacy", NULL);
    assert_int_equal(present(w, token, "legacy", "chosen secret", &answer), OUTCOME_ROTATED);
    token = answer.refresh_token;
    assert_int_equal(store_client_remove(w->store, "legacy", &w->fault), STORE_OK);
    world_add_client(w, "legacy", "another secret", false);
    assert_int_equal(present(w, token, "legacy", "chosen secret", &answer),
                     OUTCOME_CLIENT_AUTH_FAILED);
    assert_int_equal(present(w, garbage(w), "legacy", "chosen secret", &answer),
                     OUTCOME_CLIENT_AUTH_FAILED);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(test_beside_garbage),
        CASE(test_strangers_are_slowed),
        CASE(test_guessing_is_slowed),
        CASE(test_each_reading_is_counted),
        CASE(test_generated_secret_is_never_locked),
        CASE(test_forgets_with_the_record),
    };
    return cmocka_run_group_tests_name("operation/secret_proof", tests, NULL, NULL);
}
