/* SPDX-License-Identifier: ISC */
/* test_public_key.c: which public keys are told, and that no secret is. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "operation/world.h"

/* The kids that are told, in the order of the answer; "" = none. */
static enum outcome ask(struct world *w, const char *kid, bool signer, char kids[64])
{
    const struct world_ask asked = {.mount = &w->mount};
    struct request request = world_request(&w->issuer, &asked, w->arena);
    const char *name;
    json_t *value;

    request.operation = &operation_public_key;
    request.input.public_key = (struct public_key_input){text_of(kid), signer};
    enum outcome outcome = operation_run(&request);
    json_t *told = json_in_object(w->arena, request.answer.public_keys, NULL);
    kids[0] = '\0';
    json_object_foreach(told, name, value)
    {
        assert_ptr_equal(strstr(json_string_value(value), "-----BEGIN PUBLIC KEY-----\n"),
                         json_string_value(value));
        assert_null(strstr(json_string_value(value), "PRIVATE"));
        strcat(strcat(kids, kids[0] != '\0' ? " " : ""), name);
    }
    if (outcome == OUTCOME_SERVED) {
        assert_true(text_starts(request.answer.public_key, TEXT("-----BEGIN PUBLIC KEY-----\n")));
    }
    return outcome;
}

static void which_keys_are_told(void **state)
{
    struct world *w = *state;
    char kids[64];

    assert_int_equal(ask(w, NULL, false, kids), OUTCOME_TOKEN_UNKNOWN);
    assert_int_equal(ask(w, "k1", false, kids), OUTCOME_TOKEN_UNKNOWN); /* a secret */
    assert_int_equal(ask(w, NULL, true, kids), OUTCOME_TOKEN_UNKNOWN);
    world_add_key(w, SIGNING_ES256, "pair");
    world_add_key(w, SIGNING_ES384, "other");
    assert_int_equal(ask(w, NULL, false, kids), OUTCOME_SERVED);
    assert_string_equal(kids, "other pair");
    assert_int_equal(ask(w, "pair", false, kids), OUTCOME_SERVED);
    assert_string_equal(kids, "pair");
    assert_int_equal(ask(w, "none", false, kids), OUTCOME_TOKEN_UNKNOWN);
    assert_int_equal(ask(w, NULL, true, kids), OUTCOME_TOKEN_UNKNOWN); /* the realm's is a secret */
    w->realm.policy.algorithm = SIGNING_ES256;
    assert_int_equal(ask(w, NULL, true, kids), OUTCOME_SERVED);
    assert_string_equal(kids, "pair");
    assert_int_equal(store_key_set_state(w->store, "pair", SIGNING_RETIRED, &w->fault), STORE_OK);
    assert_int_equal(ask(w, "pair", false, kids), OUTCOME_TOKEN_UNKNOWN);
    assert_int_equal(ask(w, NULL, true, kids), OUTCOME_TOKEN_UNKNOWN);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(which_keys_are_told),
    };
    return cmocka_run_group_tests_name("operation/public_key", tests, NULL, NULL);
}
