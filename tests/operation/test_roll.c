/* SPDX-License-Identifier: ISC */
/* test_roll.c: the master secret rolls: what was issued before it stays good, and answers that are
 * given again are the same. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/codec.h"
#include "base/whole_file.h"
#include "operation/token_ref.h"
#include "operation/world.h"
#include "token/refresh_token.h"

/* The number of the master secret that a native token is under. */
static uint8_t secret_of(const struct world *w, struct text token, uint8_t id[SESSION_ID_SIZE])
{
    uint32_t generation;
    uint8_t secret;

    assert_true(refresh_token_native_open(&w->secrets, token, id, &generation, &secret));
    return secret;
}

static struct text native(const struct world *w, uint8_t secret, const uint8_t id[SESSION_ID_SIZE],
                          uint32_t generation)
{
    static char token[REFRESH_TOKEN_NATIVE_SIZE + 1];

    assert_true(refresh_token_native(&w->secrets, secret, id, generation, token));
    return text_of(token);
}

static void test_refreshing_moves_a_session(void **state)
{
    struct world *w = *state;
    struct text first = world_session(w, "", NULL);
    uint8_t id[SESSION_ID_SIZE], number;
    struct answer moved, again, next;

    assert_int_equal(secret_of(w, first, id), 0);
    number = world_roll(w);
    assert_int_equal(world_record(w, id).secret, 0);
    assert_int_equal(world_present(w, &w->mount, first, &moved), OUTCOME_ROTATED);
    assert_int_equal(secret_of(w, moved.refresh_token, id), number);
    assert_int_equal(world_record(w, id).secret, number);
    assert_int_equal(world_present(w, &w->mount, first, &again), OUTCOME_REPLAYED);
    assert_true(text_equal(again.refresh_token, moved.refresh_token));
    assert_int_equal(world_present(w, &w->mount, moved.refresh_token, &next), OUTCOME_ROTATED);
    assert_int_equal(secret_of(w, next.refresh_token, id), number);

    /* one that is under the old one is spent as any other */
    w->now_ms += CLOCK_HOUR;
    assert_int_equal(world_present(w, &w->mount, first, &again), OUTCOME_TOKEN_REUSED);
}

/* The answer was lost, and the secret rolled before the client asked again. */
static void test_an_answer_given_again_is_the_same(void **state)
{
    struct world *w = *state;
    struct text first = world_session(w, "", NULL);
    struct answer lost, again, next;
    uint8_t id[SESSION_ID_SIZE], number;

    w->realm.policy.recovery_window_ms = CLOCK_HOUR;
    w->realm.policy.recovery_evidence = RECOVERY_EVIDENCE_NONE;
    assert_int_equal(world_present(w, &w->mount, first, &lost), OUTCOME_ROTATED);
    number = world_roll(w);
    assert_int_equal(world_present(w, &w->mount, first, &again), OUTCOME_REPLAYED);
    assert_true(text_equal(again.refresh_token, lost.refresh_token));
    w->now_ms += 30 * (int64_t)CLOCK_MINUTE;
    assert_int_equal(world_present(w, &w->mount, first, &again), OUTCOME_RECOVERED);
    assert_true(text_equal(again.refresh_token, lost.refresh_token));
    assert_int_equal(world_present(w, &w->mount, again.refresh_token, &next), OUTCOME_ROTATED);
    assert_int_equal(secret_of(w, next.refresh_token, id), number);
}

static void test_new_sessions_begin_under_the_new_one(void **state)
{
    struct world *w = *state;
    uint8_t id[SESSION_ID_SIZE], number = world_roll(w);
    struct text first = world_session(w, "", NULL);

    assert_int_equal(secret_of(w, first, id), number);
    assert_int_equal(world_record(w, id).secret, number);
}

/* Aliases are derived again when the session goes, so all of a session are under one secret. */
static void test_sessions_with_uuids_stay(void **state)
{
    struct world *w = *state;
    struct realm realm = w->realm;
    struct mount modern = {.realm = &realm};
    struct text first;
    struct answer rotated, again, native_one;

    w->realm.policy.format = REFRESH_FORMAT_UUID;
    first = world_session(w, "", NULL);
    (void)world_roll(w);
    assert_int_equal(world_present(w, &w->mount, first, &rotated), OUTCOME_ROTATED);
    assert_int_equal(rotated.refresh_token.size, REFRESH_TOKEN_UUID_SIZE);
    assert_int_equal(world_present(w, &w->mount, first, &again), OUTCOME_REPLAYED);
    assert_true(text_equal(again.refresh_token, rotated.refresh_token));
    assert_int_equal(world_record(w, rotated.session).secret, 0);
    assert_int_equal(world_present(w, &modern, rotated.refresh_token, &native_one),
                     OUTCOME_ROTATED);
    assert_int_equal(native_one.refresh_token.size, REFRESH_TOKEN_NATIVE_SIZE);
    assert_int_equal(world_record(w, rotated.session).secret, 0);
}

/* Where nothing rotates, a session keeps its token and the secret that this is under. */
static void test_jwts_stay(void **state)
{
    struct world *w = *state;
    struct text before, after;
    struct answer answer;
    uint8_t number;

    world_make_kopong(&w->realm);
    before = world_session(w, "", NULL);
    number = world_roll(w);
    after = world_session(w, "", NULL);
    assert_int_equal(world_present(w, &w->mount, before, &answer), OUTCOME_RENEWED);
    assert_true(text_equal(answer.refresh_token, before));
    assert_int_equal(world_record(w, answer.session).secret, 0);
    assert_int_equal(world_present(w, &w->mount, after, &answer), OUTCOME_RENEWED);
    assert_int_equal(world_record(w, answer.session).secret, number);
    assert_true(token_ref_is_own_jwt(&w->issuer, before, w->arena));
    assert_true(token_ref_is_own_jwt(&w->issuer, after, w->arena));
}

/* A backup from before the roll was put back: the tokens are newer, and under another secret. */
static void test_a_restored_session_moves_forward(void **state)
{
    struct world *w = *state;
    struct text first = world_session(w, "", NULL);
    uint8_t id[SESSION_ID_SIZE], number;
    struct answer answer;

    (void)secret_of(w, first, id);
    number = world_roll(w);
    assert_int_equal(world_present(w, &w->mount, native(w, number, id, 5), &answer),
                     OUTCOME_ROLLED_FORWARD);
    assert_int_equal(world_record(w, id).generation, 6);
    assert_int_equal(world_record(w, id).secret, number);
    assert_int_equal(world_present(w, &w->mount, answer.refresh_token, &answer), OUTCOME_ROTATED);
}

/* The file's own verb does not ask whether a session needs it. */
static void retire_first(struct world *w)
{
    assert_true(secrets_file_retire(w->secret_file, secrets_find(&w->secrets, 0)->key_id, w->now_ms,
                                    &w->fault));
    assert_int_equal(secrets_follow(&w->secrets, &w->fault), SECRETS_CHANGED);
}

static void test_tokens_of_a_retired_one_are_refused(void **state)
{
    struct world *w = *state;
    struct text first = world_session(w, "", NULL);
    struct answer moved, answer;
    uint8_t id[SESSION_ID_SIZE];

    (void)secret_of(w, first, id);
    (void)world_roll(w);
    assert_int_equal(world_present(w, &w->mount, first, &moved), OUTCOME_ROTATED);
    retire_first(w);
    assert_int_equal(world_present(w, &w->mount, first, &answer), OUTCOME_TOKEN_UNKNOWN);
    /* one that a thief of the old secret makes neither refreshes nor ends the session */
    assert_int_equal(world_present(w, &w->mount, native(w, 0, id, 1), &answer),
                     OUTCOME_TOKEN_UNKNOWN);
    w->now_ms += CLOCK_HOUR;
    assert_int_equal(world_present(w, &w->mount, first, &answer), OUTCOME_TOKEN_UNKNOWN);
    assert_int_equal(world_present(w, &w->mount, moved.refresh_token, &answer), OUTCOME_ROTATED);
}

/* Nor a code that a thief makes of a session's id, at whichever grant. */
static void test_codes_of_a_retired_one_are_refused(void **state)
{
    struct world *w = *state;
    uint8_t id[SESSION_ID_SIZE], opened[SESSION_ID_SIZE];
    char code[REFRESH_TOKEN_NATIVE_SIZE + 1], device[REFRESH_TOKEN_NATIVE_SIZE + 1];

    (void)secret_of(w, world_session(w, "", NULL), id);
    assert_true(refresh_token_code(&w->secrets, 0, id, code));
    assert_true(refresh_token_device_code(&w->secrets, 0, id, device));
    (void)world_roll(w);
    assert_true(refresh_token_code_open(&w->secrets, text_of(code), opened));
    assert_true(refresh_token_device_code_open(&w->secrets, text_of(device), opened));
    retire_first(w);
    assert_false(refresh_token_code_open(&w->secrets, text_of(code), opened));
    assert_false(refresh_token_device_code_open(&w->secrets, text_of(device), opened));
}

/* A UUID or JWT does not name its secret: a restored store may still have sessions under it. */
static void test_uuids_of_a_retired_one_are_refused(void **state)
{
    struct world *w = *state;
    struct text old, new;
    struct answer answer;

    w->realm.policy.format = REFRESH_FORMAT_UUID;
    old = world_session(w, "", NULL);
    (void)world_roll(w);
    new = world_session(w, "", NULL);
    retire_first(w);
    assert_int_equal(world_present(w, &w->mount, old, &answer), OUTCOME_TOKEN_UNKNOWN);
    assert_int_equal(world_present(w, &w->mount, new, &answer), OUTCOME_ROTATED);
}

/* Another machine has not been given the file: it must not log anyone out. */
/* Its key id says 0, which stands for the first master secret in records alone. */
static void test_a_token_of_no_secret_is_not_good(void **state)
{
    struct world *w = *state;
    struct text first = world_session(w, "", NULL);
    char token[REFRESH_TOKEN_NATIVE_SIZE + 1];
    uint8_t beginning[3];
    struct answer answer;
    size_t size = 0;

    assert_true(text_copy(first, token, sizeof token));
    assert_true(codec_base64url_decode(text_cut(first, 4), beginning, sizeof beginning, &size));
    beginning[1] = 0;
    codec_base64url_encode(beginning, sizeof beginning, token);
    token[4] = first.data[4];
    assert_int_equal(world_present(w, &w->mount, text_of(token), &answer), OUTCOME_TOKEN_INVALID);
    assert_int_equal(world_present(w, &w->mount, first, &answer), OUTCOME_ROTATED);
}

static void test_a_machine_without_it_answers_with_a_fault(void **state)
{
    struct world *w = *state;
    struct text first = world_session(w, "", NULL);
    struct secrets behind;
    uint8_t id[SESSION_ID_SIZE], stranger[SESSION_ID_SIZE] = {1}, number;
    char named[3];
    struct answer moved, answer;

    (void)secret_of(w, first, id);
    assert_true(secrets_open_file(w->secret_file, false, &behind, &w->fault));
    number = world_roll(w);
    snprintf(named, sizeof named, "%02x", number);
    assert_int_equal(world_present(w, &w->mount, first, &moved), OUTCOME_ROTATED);

    w->issuer.secrets = &behind;
    assert_int_equal(world_present(w, &w->mount, moved.refresh_token, &answer), OUTCOME_FAULT);
    assert_non_null(strstr(w->fault.text, named));
    assert_non_null(strstr(w->fault.text, "copy"));
    assert_int_equal(world_present(w, &w->mount, first, &answer), OUTCOME_FAULT); /* a replay */
    assert_non_null(strstr(w->fault.text, named));
    /* what only looks like it is none of ours */
    assert_int_equal(world_present(w, &w->mount, native(w, number, stranger, 1), &answer),
                     OUTCOME_TOKEN_INVALID);
    w->issuer.secrets = &w->secrets;

    assert_int_equal(world_record(w, id).generation, 1);
    assert_int_equal(world_present(w, &w->mount, moved.refresh_token, &answer), OUTCOME_ROTATED);
    secrets_close(&behind);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(test_refreshing_moves_a_session),
        CASE(test_an_answer_given_again_is_the_same),
        CASE(test_new_sessions_begin_under_the_new_one),
        CASE(test_sessions_with_uuids_stay),
        CASE(test_jwts_stay),
        CASE(test_a_restored_session_moves_forward),
        CASE(test_tokens_of_a_retired_one_are_refused),
        CASE(test_codes_of_a_retired_one_are_refused),
        CASE(test_uuids_of_a_retired_one_are_refused),
        CASE(test_a_token_of_no_secret_is_not_good),
        CASE(test_a_machine_without_it_answers_with_a_fault),
    };
    return cmocka_run_group_tests_name("operation/roll", tests, NULL, NULL);
}
