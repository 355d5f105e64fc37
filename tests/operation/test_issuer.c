/* SPDX-License-Identifier: ISC */
/* test_issuer.c: the keyring is kept current while requests are answered. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "operation/world.h"

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

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(test_fault_spends_nothing),
        CASE(test_hollow_key_spends_nothing),
        CASE(test_many_retired_keys),
    };
    return cmocka_run_group_tests_name("operation/issuer", tests, NULL, NULL);
}
