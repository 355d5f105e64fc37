/* SPDX-License-Identifier: ISC */
/* The store's contract on accounts: what is written comes back, names and numbers, hashes, the
 * list, changes that end sessions. CONTRACT runs each test on every kind of store. */
#include "store/fixture.h"

#include <string.h>

static void account_comes_back_as_it_went_in(void **state)
{
    struct fixture *f = *state;
    struct account account = {.enabled = true,
                              .created_ms = FIXTURE_NOW,
                              .name = "ada",
                              .subject = "u-1",
                              .roles = "admin user",
                              .claims = "{\"email\":\"a@b\"}",
                              .password = "$y$j9T$x"};
    static struct account found;

    memset(&found, 0, sizeof found); /* the store writes no more of a text than its bytes */
    assert_store(STORE_OK, store_account_add(f->store, &account, &f->fault));
    assert_int_equal(account.number, 1);
    assert_store(STORE_OK, store_account_find(f->store, "ada", &found, &f->fault));
    assert_memory_equal(&found, &account, sizeof found);
    assert_store(STORE_OK, store_account_get(f->store, 1, &found, &f->fault));
    assert_memory_equal(&found, &account, sizeof found);
}

static void unknown_accounts_are_absent(void **state)
{
    struct fixture *f = *state;
    struct account found = {.number = 9};
    char endless[ACCOUNT_NAME_MAX + 2];

    memset(endless, 'n', sizeof endless - 1);
    endless[sizeof endless - 1] = '\0';
    assert_store(STORE_ABSENT, store_account_find(f->store, "ada", &found, &f->fault));
    assert_store(STORE_ABSENT, store_account_find(f->store, "", &found, &f->fault));
    assert_store(STORE_ABSENT, store_account_find(f->store, endless, &found, &f->fault));
    assert_store(STORE_ABSENT, store_account_get(f->store, 0, &found, &f->fault));
    assert_store(STORE_ABSENT, store_account_get(f->store, UINT64_MAX, &found, &f->fault));
    assert_store(STORE_ABSENT, store_account_update(f->store, NULL, &found, &f->fault));
    assert_store(STORE_ABSENT, store_account_remove(f->store, "ada", &f->fault));
}

static void account_names_are_unique_and_numbers_never_come_again(void **state)
{
    struct fixture *f = *state;
    struct account again = {.name = "ada"};
    struct account nameless = {.enabled = true};

    assert_int_equal(fixture_account(f, "ada"), 1);
    assert_store(STORE_EXISTS, store_account_add(f->store, &again, &f->fault));
    assert_int_equal(fixture_account(f, "Ada"), 2); /* another name */
    assert_store(STORE_OK, store_account_remove(f->store, "Ada", &f->fault));
    assert_store(STORE_ABSENT, store_account_get(f->store, 2, &again, &f->fault));
    assert_int_equal(fixture_account(f, "Ada"), 3);
    assert_store(STORE_FAULT, store_account_add(f->store, &nameless, &f->fault));
    assert_int_equal(fixture_findings(f), 0);
}

static int64_t last_login(struct fixture *f, const char *name)
{
    struct account account;

    assert_store(STORE_OK, store_account_find(f->store, name, &account, &f->fault));
    return account.last_login_ms;
}

/* In the session's own commit, and no update of the account takes it back. */
static void a_login_is_noted_in_the_account(void **state)
{
    struct fixture *f = *state;
    struct account before, after;
    struct session session = fixture_session(1);
    struct store_write write;

    fixture_account(f, "ada");
    fixture_add_session(f, 2);
    assert_int_equal(last_login(f, "ada"), 0);
    assert_store(STORE_OK, store_account_find(f->store, "ada", &before, &f->fault));
    store_prepare_create(&write, &session, NULL);
    write.of.create.is_login = true;
    assert_store(STORE_OK, store_write(f->store, &write, &f->fault));
    assert_int_equal(last_login(f, "ada"), session.created_ms);
    assert_store(STORE_EXISTS, store_write(f->store, &write, &f->fault));
    after = before;
    strcpy(after.roles, "user");
    assert_store(STORE_OK, store_account_update(f->store, &before, &after, &f->fault));
    assert_int_equal(last_login(f, "ada"), session.created_ms);
    assert_int_equal(fixture_findings(f), 0);
}

/* A better hash of the same password is no change of it: nothing ends, and what began on the word
 * of the earlier one goes on. */
static void a_hash_is_replaced_by_another_of_the_same_password(void **state)
{
    struct fixture *f = *state;
    struct session session = fixture_session(1);
    struct account before, found;
    struct store_write write;

    fixture_account(f, "ada");
    assert_store(STORE_OK, store_account_find(f->store, "ada", &before, &f->fault));
    strcpy(before.password, "$1$first");
    assert_store(STORE_OK, store_account_update(f->store, NULL, &before, &f->fault));
    store_prepare_account_rehash(&write, before.number, "$1$other", "$y$second");
    assert_store(STORE_STALE, store_write(f->store, &write, &f->fault));
    store_prepare_account_rehash(&write, 99, "$1$first", "$y$second");
    assert_store(STORE_ABSENT, store_write(f->store, &write, &f->fault));
    store_prepare_account_rehash(&write, before.number, "$1$first", "$y$second");
    assert_store(STORE_OK, store_write(f->store, &write, &f->fault));
    assert_store(STORE_STALE, store_write(f->store, &write, &f->fault));
    assert_store(STORE_OK, store_account_find(f->store, "ada", &found, &f->fault));
    assert_string_equal(found.password, "$y$second");
    assert_int_equal(found.epoch, before.epoch);
    assert_true(account_has_hash(&found, "$1$first") && account_has_hash(&found, "$y$second"));
    assert_false(account_has_hash(&found, "$1$other"));
    assert_store(STORE_OK, store_session_create(f->store, &session, &before, &f->fault));

    /* once more: it is still the first that is remembered */
    store_prepare_account_rehash(&write, before.number, "$y$second", "$2b$third");
    assert_store(STORE_OK, store_write(f->store, &write, &f->fault));
    session = fixture_session(2);
    assert_store(STORE_OK, store_session_create(f->store, &session, &found, &f->fault));
    session = fixture_session(3);
    assert_store(STORE_OK, store_session_create(f->store, &session, &before, &f->fault));

    /* a new password is another one */
    assert_store(STORE_OK, store_account_find(f->store, "ada", &found, &f->fault));
    strcpy(found.password, "$y$new");
    assert_store(STORE_OK, store_account_update(f->store, NULL, &found, &f->fault));
    session = fixture_session(4);
    assert_store(STORE_STALE, store_session_create(f->store, &session, &before, &f->fault));
    assert_store(STORE_OK, store_account_find(f->store, "ada", &found, &f->fault));
    assert_false(account_has_hash(&found, "$1$first"));
}

static void an_account_with_a_password_is_drawn(void **state)
{
    struct fixture *f = *state;
    struct account account;

    assert_store(STORE_ABSENT, store_account_draw(f->store, 7, &account, &f->fault));
    for (int i = 0; i < 6; i++) {
        fixture_account(f, (const char[]){(char)('a' + i), '\0'});
    }
    assert_store(STORE_ABSENT, store_account_draw(f->store, 7, &account, &f->fault));
    for (uint64_t number = 2; number <= 4; number += 2) {
        assert_store(STORE_OK, store_account_get(f->store, number, &account, &f->fault));
        strcpy(account.password, "$y$");
        assert_store(STORE_OK, store_account_update(f->store, NULL, &account, &f->fault));
    }
    bool drawn[7] = {false};
    for (uint64_t draw = 0; draw < 100; draw++) {
        uint64_t first;

        assert_store(STORE_OK, store_account_draw(f->store, draw, &account, &f->fault));
        first = account.number;
        drawn[first] = true;
        assert_store(STORE_OK, store_account_draw(f->store, draw, &account, &f->fault));
        assert_int_equal(account.number, first);
    }
    for (uint64_t number = 1; number <= 6; number++) {
        assert_int_equal(drawn[number], number == 2 || number == 4);
    }
}

static void account_update_changes_all_but_the_name(void **state)
{
    struct fixture *f = *state;
    struct account account = {.number = fixture_account(f, "ada"), .name = "eve", .roles = "none"};
    struct account found;

    assert_store(STORE_OK, store_account_update(f->store, NULL, &account, &f->fault));
    assert_store(STORE_OK, store_account_find(f->store, "ada", &found, &f->fault));
    assert_string_equal(found.name, "ada");
    assert_string_equal(found.roles, "none");
    assert_false(found.enabled);
    assert_store(STORE_ABSENT, store_account_find(f->store, "eve", &found, &f->fault));
}

static void accounts_are_listed_by_name_in_pages(void **state)
{
    struct fixture *f = *state;
    struct account rows[3];
    size_t count = 99;

    assert_store(STORE_OK, store_account_list(f->store, NULL, rows, 3, &count, &f->fault));
    assert_int_equal(count, 0);
    fixture_account(f, "carl");
    fixture_account(f, "ada");
    fixture_account(f, "bob");
    fixture_account(f, "b");
    assert_store(STORE_OK, store_account_list(f->store, NULL, rows, 3, &count, &f->fault));
    assert_int_equal(count, 3);
    assert_string_equal(rows[0].name, "ada");
    assert_string_equal(rows[1].name, "b");
    assert_string_equal(rows[2].name, "bob");
    assert_store(STORE_OK, store_account_list(f->store, "bob", rows, 3, &count, &f->fault));
    assert_int_equal(count, 1);
    assert_string_equal(rows[0].name, "carl");
    assert_int_equal(rows[0].number, 1);
    assert_store(STORE_OK, store_account_list(f->store, "bo", rows, 1, &count, &f->fault));
    assert_string_equal(rows[0].name, "bob");
    assert_store(STORE_OK, store_account_list(f->store, "carl", rows, 3, &count, &f->fault));
    assert_int_equal(count, 0);
    assert_store(STORE_OK, store_account_list(f->store, NULL, rows, 0, &count, &f->fault));
    assert_int_equal(count, 0);
}

static void an_account_changes_and_its_sessions_end(void **state)
{
    struct fixture *f = *state;
    struct account before, after;
    size_t count;

    fixture_account(f, "ada");
    fixture_add_session(f, 1);
    assert_store(STORE_OK, store_account_find(f->store, "ada", &before, &f->fault));
    after = before;
    after.enabled = false;
    assert_store(STORE_OK,
                 store_account_update_and_end(f->store, &before, &after, SESSION_ENDED_ACCOUNT,
                                              FIXTURE_NOW + 5, &count, &f->fault));
    assert_int_equal(count, 1);
    assert_int_equal(fixture_find(f, 1).end, SESSION_ENDED_ACCOUNT);
    assert_store(STORE_STALE,
                 store_account_update_and_end(f->store, &before, &after, SESSION_ENDED_ACCOUNT,
                                              FIXTURE_NOW + 5, &count, &f->fault));
    assert_store(STORE_OK, store_account_find(f->store, "ada", &before, &f->fault));
    assert_false(before.enabled);
    assert_int_equal(before.epoch, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        CONTRACT(account_comes_back_as_it_went_in),
        CONTRACT(unknown_accounts_are_absent),
        CONTRACT(account_names_are_unique_and_numbers_never_come_again),
        CONTRACT(a_login_is_noted_in_the_account),
        CONTRACT(a_hash_is_replaced_by_another_of_the_same_password),
        CONTRACT(an_account_with_a_password_is_drawn),
        CONTRACT(account_update_changes_all_but_the_name),
        CONTRACT(accounts_are_listed_by_name_in_pages),
        CONTRACT(an_account_changes_and_its_sessions_end),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
