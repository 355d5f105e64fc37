/* SPDX-License-Identifier: ISC */
/* test_decoy.c: what names without a password are compared with. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "operation/decoy.h"
#include "operation/world.h"

#define APR1   "$apr1$XrjuguDk$hC02BGf5zrsUW88SDtU0d0"
#define BCRYPT "$2y$05$7yBGUR9lQhUxsQwocyaQMee4tjdcxRQmtjKQhLJa8HwMElFnPbfmi"

static void give_hash(struct world *w, const char *name, const char *hash)
{
    struct account account = {.enabled = true};

    assert_true(text_copy(text_of(name), account.name, sizeof account.name));
    assert_true(text_copy(text_of(hash), account.password, sizeof account.password));
    assert_int_equal(store_account_add(w->store, &account, &w->fault), STORE_OK);
}

/* The kinds are spread as the accounts' are, a name keeps its own, and none is a hash of anyone. */
static void test_kinds_are_those_of_the_accounts(void **state)
{
    struct world *w = *state;
    int apr1 = 0, bcrypt = 0;

    w->ada.password[0] = '\0';
    assert_int_equal(store_account_update(w->store, NULL, &w->ada, &w->fault), STORE_OK);
    for (int i = 0; i < 8; i++) {
        give_hash(w, (const char[]){'a', (char)('0' + i), '\0'}, i % 2 == 0 ? APR1 : BCRYPT);
    }
    for (int i = 0; i < 400; i++) {
        char name[16], hash[PASSWORD_HASH_MAX + 1], again[PASSWORD_HASH_MAX + 1];

        snprintf(name, sizeof name, "x%d", i);
        assert_true(decoy_hash(&w->issuer, text_of(name), hash, &w->fault));
        assert_true(decoy_hash(&w->issuer, text_of(name), again, &w->fault));
        assert_string_equal(hash, again);
        assert_null(password_kind_refuse(text_of(hash)));
        apr1 += text_starts(text_of(hash), TEXT("$apr1$"));
        bcrypt += text_starts(text_of(hash), TEXT("$2y$05$"));
        if (i < 4) {
            assert_int_equal(password_verify(TEXT("secret"), hash), PASSWORD_WRONG);
        }
    }
    assert_int_equal(apr1 + bcrypt, 400);
    assert_in_range(apr1, 100, 300);
}

static void test_no_account_has_one(void **state)
{
    struct world *w = *state;
    char hash[PASSWORD_HASH_MAX + 1];

    w->ada.password[0] = '\0';
    assert_int_equal(store_account_update(w->store, NULL, &w->ada, &w->fault), STORE_OK);
    assert_true(decoy_hash(&w->issuer, TEXT("ada"), hash, &w->fault));
    assert_string_equal(hash, "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {CASE(test_kinds_are_those_of_the_accounts),
                                       CASE(test_no_account_has_one)};

    return cmocka_run_group_tests_name("operation/decoy", tests, NULL, NULL);
}
