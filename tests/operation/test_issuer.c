/* SPDX-License-Identifier: ISC */
/* test_issuer.c: the keyring is kept current while requests are answered. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "operation/world.h"
#include "token/jws.h"

static void test_fault_spends_nothing(void **state)
{
    struct world *w = *state;
    struct text token = world_session(w, "", NULL);
    struct answer answer;

    w->realm.policy.algorithm = SIGNING_ES256; /* no such key */
    assert_int_equal(world_present(w, &w->mount, token, &answer), OUTCOME_FAULT);
    assert_non_null(strstr(w->fault.text, "retoken key add --algorithm ES256"));
    world_add_key(w, SIGNING_ES256, "k2"); /* mended while running */
    assert_int_equal(world_present(w, &w->mount, token, &answer), OUTCOME_ROTATED);
    assert_int_equal(world_record(w, answer.session).generation, 1);
}

/* A key whose seal is right and whose content is none: a fault at its first signature, which spends
 * nothing and troubles no other key. */
static void test_hollow_key_spends_nothing(void **state)
{
    static const uint8_t nonce[12];
    static const uint8_t numbers[3 * 32] = {7}; /* not on the curve */
    struct world *w = *state;
    struct text token = world_session(w, "", NULL);
    struct signing_row row = {.algorithm = SIGNING_ES256, .state = SIGNING_ACTIVE, .kid = "hollow"};
    struct answer answer;

    assert_true(crypto_seal(w->secrets.sealing, nonce, TEXT("retoken 2 signing key ES256 hollow"),
                            numbers, sizeof numbers, row.sealed));
    row.sealed_size = sizeof numbers + CRYPTO_SEAL_EXTRA;
    assert_int_equal(store_key_add(w->store, &row, &w->fault), STORE_OK);
    w->realm.policy.algorithm = SIGNING_ES256;
    assert_int_equal(world_present(w, &w->mount, token, &answer), OUTCOME_FAULT);
    assert_non_null(strstr(w->fault.text, "cannot sign"));
    w->realm.policy.algorithm = SIGNING_HS256;
    assert_int_equal(world_present(w, &w->mount, token, &answer), OUTCOME_ROTATED);
    assert_int_equal(world_record(w, answer.session).generation, 1);
}

static void test_many_retired_keys(void **state)
{
    struct world *w = *state;
    struct text token = world_session(w, "", NULL);
    struct answer answer;
    char kid[16];

    for (int i = 0; i < KEYRING_MAX + 6; i++) {
        snprintf(kid, sizeof kid, "old%d", i);
        world_add_key(w, SIGNING_HS256, kid);
        assert_int_equal(store_key_set_state(w->store, kid, SIGNING_RETIRED, &w->fault), STORE_OK);
    }
    assert_int_equal(store_key_set_state(w->store, "k1", SIGNING_RETIRED, &w->fault), STORE_OK);
    world_add_key(w, SIGNING_HS256, "new");
    assert_int_equal(world_present(w, &w->mount, token, &answer), OUTCOME_ROTATED);
}

static struct text kid_of(struct world *w, struct text token)
{
    struct text kid = {0};
    struct jws jws;

    assert_true(jws_gate(w->arena, token, &jws));
    assert_int_equal(json_in_text(jws.header, "kid", &kid), JSON_IN_TEXT);
    return kid;
}

/* No process is told: each sees that the date has come, and a replay is signed by whatever signs.
 */
static void test_dates_come_while_running(void **state)
{
    struct world *w = *state;
    struct randomness randomness = w->issuer.randomness;
    struct text token = world_session(w, "", NULL);
    struct signing_row row = {.created_ms = w->now_ms};
    struct store_write write;
    struct answer answer;
    struct signing_key *key = signing_key_generate(SIGNING_HS256, "k2", &randomness, &w->fault);

    assert_non_null(key);
    assert_true(signing_key_seal(key, &w->secrets, &randomness, &row, &w->fault));
    signing_key_close(key);
    store_prepare_key_rotate(&write, &row, CLOCK_HOUR, 2 * CLOCK_HOUR);
    assert_int_equal(store_write(w->store, &write, &w->fault), STORE_OK);
    assert_int_equal(world_present(w, &w->mount, token, &answer), OUTCOME_ROTATED);
    assert_true(text_is(kid_of(w, answer.access_token), "k1"));
    const struct keyring *before = issuer_keyring_now(&w->issuer, &w->fault);
    w->now_ms += CLOCK_HOUR - 1;
    assert_ptr_equal(issuer_keyring_now(&w->issuer, &w->fault), before);
    w->now_ms += 1;
    assert_int_equal(world_present(w, &w->mount, answer.refresh_token, &answer), OUTCOME_ROTATED);
    assert_true(text_is(kid_of(w, answer.access_token), "k2"));
    assert_non_null(keyring_verifier(issuer_keyring_now(&w->issuer, &w->fault), "", 1));
    w->now_ms += 2 * CLOCK_HOUR;
    assert_null(keyring_verifier(issuer_keyring_now(&w->issuer, &w->fault), "", 1));
    before = issuer_keyring_now(&w->issuer, &w->fault);
    assert_ptr_equal(issuer_keyring_now(&w->issuer, &w->fault), before);
    w->now_ms -= CLOCK_HOUR; /* set right: what it signed verifies again */
    assert_non_null(keyring_verifier(issuer_keyring_now(&w->issuer, &w->fault), "", 1));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(test_fault_spends_nothing),
        CASE(test_hollow_key_spends_nothing),
        CASE(test_many_retired_keys),
        CASE(test_dates_come_while_running),
    };
    return cmocka_run_group_tests_name("operation/issuer", tests, NULL, NULL);
}
