/* SPDX-License-Identifier: ISC */
/* The store's contract, verb by verb, on every kind of store: the same tests run on each row
 * in main. What only LMDB has is in test_lmdb.c. */
#include "store/fixture.h"

#include <stdio.h>
#include <string.h>

#include "base/codec.h"

/* ---- accounts ---- */

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

/* ---- clients ---- */

static void clients_are_added_found_listed_and_removed(void **state)
{
    struct fixture *f = *state;
    struct client web = {.enabled = true,
                         .created_ms = FIXTURE_NOW,
                         .id = "web",
                         .secrets = {{.hash = "h", .number = 1}, {.hash = "i", .number = 3}},
                         .scope = "openid",
                         .keys = "{\"keys\":[]}"};
    struct client app = {.id = "app"}, nameless = {.enabled = true};
    static struct client rows[2];
    size_t count;

    memset(rows, 0, sizeof rows); /* the store writes no more of a text than its bytes */
    assert_store(STORE_OK, store_client_add(f->store, &web, &f->fault));
    assert_store(STORE_EXISTS, store_client_add(f->store, &web, &f->fault));
    assert_store(STORE_OK, store_client_add(f->store, &app, &f->fault));
    assert_store(STORE_FAULT, store_client_add(f->store, &nameless, &f->fault));
    assert_store(STORE_OK, store_client_find(f->store, "web", rows, &f->fault));
    assert_memory_equal(rows, &web, sizeof web);
    assert_store(STORE_ABSENT, store_client_find(f->store, "we", rows, &f->fault));
    assert_store(STORE_ABSENT, store_client_find(f->store, "", rows, &f->fault));
    assert_store(STORE_OK, store_client_list(f->store, NULL, rows, 2, &count, &f->fault));
    assert_int_equal(count, 2);
    assert_string_equal(rows[0].id, "app");
    assert_string_equal(rows[1].id, "web");
    assert_store(STORE_OK, store_client_list(f->store, "app", rows, 2, &count, &f->fault));
    assert_int_equal(count, 1);
    assert_store(STORE_OK, store_client_remove(f->store, "web", &f->fault));
    assert_store(STORE_ABSENT, store_client_remove(f->store, "web", &f->fault));
    assert_store(STORE_ABSENT, store_client_find(f->store, "web", rows, &f->fault));
}

/* Nobody's change is undone by another's. */
static void client_is_changed_unless_another_did(void **state)
{
    struct fixture *f = *state;
    struct client before, after, other;

    memset(&other, 0, sizeof other);
    strcpy(other.id, "web");
    assert_store(STORE_OK, store_client_add(f->store, &other, &f->fault));
    memset(&before, 0, sizeof before);
    assert_store(STORE_OK, store_client_find(f->store, "web", &before, &f->fault));
    after = before;
    after.grants = GRANT_REFRESH;
    after.override.set = POLICY_ROTATION;
    assert_store(STORE_OK, store_client_update(f->store, &before, &after, &f->fault));
    memset(&other, 0, sizeof other);
    assert_store(STORE_OK, store_client_find(f->store, "web", &other, &f->fault));
    assert_int_equal(other.grants, GRANT_REFRESH);
    assert_int_equal(other.override.set, POLICY_ROTATION);
    assert_store(STORE_STALE, store_client_update(f->store, &before, &after, &f->fault));
    assert_store(STORE_OK, store_client_remove(f->store, "web", &f->fault));
    assert_store(STORE_ABSENT, store_client_update(f->store, &other, &after, &f->fault));
}

/* Removal is one commit: whatever comes after it, and whoever takes the id, its sessions are dead.
 */
static void a_clients_sessions_end_with_it(void **state)
{
    struct fixture *f = *state;
    struct client web = {.enabled = true, .id = "web"}, off;
    struct session first = fixture_session(1), second = fixture_session(2);
    struct store_rotation rotation = fixture_rotation(1, 0, FIXTURE_NOW + 1);
    uint64_t number;
    size_t count;

    fixture_account(f, "ada");
    assert_store(STORE_OK, store_client_add(f->store, &web, &f->fault));
    first.client_number = second.client_number = number = web.number;
    assert_store(STORE_OK, store_session_create(f->store, &first, NULL, &f->fault));
    assert_store(STORE_OK, store_client_find(f->store, "web", &web, &f->fault));
    off = web;
    off.enabled = false;
    assert_store(STORE_OK, store_client_update(f->store, &web, &off, &f->fault));
    assert_store(STORE_STALE, store_session_rotate(f->store, &rotation, &f->fault));
    assert_store(STORE_STALE, store_session_create(f->store, &second, NULL, &f->fault));
    assert_int_equal(fixture_find(f, 1).end, SESSION_LIVE);
    assert_store(STORE_OK, store_client_update(f->store, &off, &web, &f->fault));
    assert_store(STORE_OK, store_session_rotate(f->store, &rotation, &f->fault));

    assert_store(STORE_OK, store_client_remove(f->store, "web", &f->fault));
    assert_int_equal(fixture_find(f, 1).end, SESSION_ENDED_CLIENT);
    rotation = fixture_rotation(1, 1, FIXTURE_NOW + 2);
    assert_store(STORE_STALE, store_session_rotate(f->store, &rotation, &f->fault));
    /* a login that read the client before */
    assert_store(STORE_STALE, store_session_create(f->store, &second, NULL, &f->fault));
    assert_store(STORE_OK, store_client_add(f->store, &web, &f->fault));
    assert_true(web.number > number);
    assert_int_equal(fixture_find(f, 1).end, SESSION_ENDED_CLIENT);
    assert_store(STORE_STALE, store_session_create(f->store, &second, NULL, &f->fault));
    assert_store(STORE_STALE, store_session_rotate(f->store, &rotation, &f->fault));
    second.client_number = web.number;
    assert_store(STORE_OK, store_session_create(f->store, &second, NULL, &f->fault));

    assert_store(STORE_OK,
                 store_client_sessions_mark(f->store, "web", FIXTURE_NOW + 5, &count, &f->fault));
    assert_int_equal(count, 1);
    assert_int_equal(fixture_find(f, 1).ended_ms, FIXTURE_NOW + 5);
    assert_int_equal(fixture_find(f, 2).end, SESSION_LIVE);
    assert_store(STORE_OK,
                 store_client_sessions_mark(f->store, "web", FIXTURE_NOW + 6, &count, &f->fault));
    assert_int_equal(count, 0);
    assert_int_equal(fixture_findings(f), 0);
}

static void many_sessions_of_a_client_are_marked(void **state)
{
    struct fixture *f = *state;
    struct client web = {.enabled = true, .id = "web"};
    size_t count;

    fixture_account(f, "ada");
    assert_store(STORE_OK, store_client_add(f->store, &web, &f->fault));
    for (uint32_t n = 1; n <= 600; n++) {
        struct session session = fixture_session(n);

        session.client_number = n % 2 != 0 ? web.number : 0;
        assert_store(STORE_OK, store_session_create(f->store, &session, NULL, &f->fault));
    }
    assert_store(STORE_OK, store_client_remove(f->store, "web", &f->fault));
    assert_store(STORE_OK,
                 store_client_sessions_mark(f->store, "web", FIXTURE_NOW + 5, &count, &f->fault));
    assert_int_equal(count, 300);
}

/* The last use of a secret, to the hour, with the renewal that it proved. */
static void use_of_a_clients_secret_is_noted(void **state)
{
    struct fixture *f = *state;
    struct client web = {.enabled = true, .id = "web", .secrets = {{.hash = "h", .number = 7}}};
    struct session session = fixture_session(1);
    static const int64_t after_ms[] = {5, 6, CLOCK_HOUR + 4, CLOCK_HOUR + 5};
    static const int64_t noted_ms[] = {5, 5, 5, CLOCK_HOUR + 5};
    struct client before, after;

    fixture_account(f, "ada");
    assert_store(STORE_OK, store_client_add(f->store, &web, &f->fault));
    assert_store(STORE_OK, store_client_find(f->store, "web", &before, &f->fault));
    session.client_number = web.number;
    session.expires_ms = 0;
    assert_store(STORE_OK, store_session_create(f->store, &session, NULL, &f->fault));
    for (uint32_t i = 0; i < 4; i++) {
        struct store_rotation rotation = fixture_rotation(1, i, FIXTURE_NOW + after_ms[i]);

        rotation.expires_ms = 0;
        rotation.client_secret = 7;
        assert_store(STORE_OK, store_session_rotate(f->store, &rotation, &f->fault));
        assert_store(STORE_OK, store_client_find(f->store, "web", &web, &f->fault));
        assert_int_equal(web.secrets[0].used_ms, FIXTURE_NOW + noted_ms[i]);
    }
    after = before; /* what was read before those uses may still be changed */
    after.grants = GRANT_REFRESH;
    assert_store(STORE_OK, store_client_update(f->store, &before, &after, &f->fault));
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

/* ---- signing keys ---- */

static uint64_t keyring_version(struct fixture *f)
{
    uint64_t version;

    assert_store(STORE_OK, store_keyring_version(f->store, &version, &f->fault));
    return version;
}

static void every_change_of_a_key_counts_the_keyring_version_up(void **state)
{
    struct fixture *f = *state;
    static struct signing_row row, rows[3];
    uint64_t before = keyring_version(f);
    size_t count;

    row = (struct signing_row){.algorithm = SIGNING_ES256,
                               .state = SIGNING_PUBLISHED,
                               .created_ms = FIXTURE_NOW,
                               .kid = "k1",
                               .realm = "/a",
                               .sealed_size = SIGNING_SEALED_MAX};
    memset(row.sealed, 0xab, sizeof row.sealed);
    assert_store(STORE_OK, store_key_add(f->store, &row, &f->fault));
    assert_int_equal(row.number, 1);
    assert_int_equal(keyring_version(f), before + 1);
    assert_store(STORE_EXISTS, store_key_add(f->store, &row, &f->fault));
    assert_int_equal(keyring_version(f), before + 1);
    assert_store(STORE_OK, store_key_set_state(f->store, "k1", SIGNING_ACTIVE, &f->fault));
    assert_int_equal(keyring_version(f), before + 2);
    assert_store(STORE_OK, store_key_set_state(f->store, "k1", SIGNING_ACTIVE, &f->fault));
    assert_int_equal(keyring_version(f), before + 2); /* nothing changed */
    assert_store(STORE_ABSENT, store_key_set_state(f->store, "k", SIGNING_ACTIVE, &f->fault));

    row.number = 1;
    row.state = SIGNING_ACTIVE;
    assert_store(STORE_OK, store_key_list(f->store, true, rows, 3, &count, &f->fault));
    assert_int_equal(count, 1);
    assert_memory_equal(&rows[0], &row, sizeof row);
}

static void keys_are_listed_in_order_of_number(void **state)
{
    struct fixture *f = *state;
    static struct signing_row row, rows[2];
    size_t count;

    for (int i = 0; i < 3; i++) {
        row = (struct signing_row){.state = SIGNING_ACTIVE, .kid = {(char)('c' - i)}};
        assert_store(STORE_OK, store_key_add(f->store, &row, &f->fault));
        assert_int_equal(row.number, i + 1);
    }
    assert_store(STORE_OK, store_key_list(f->store, true, rows, 2, &count, &f->fault));
    assert_int_equal(count, 2);
    assert_string_equal(rows[0].kid, "c");
    assert_string_equal(rows[1].kid, "b");
    row.kid[0] = '\0';
    assert_store(STORE_FAULT, store_key_add(f->store, &row, &f->fault));
}

/* ---- sessions: create and find ---- */

static void grant_holds_all_that_a_decision_needs(void **state)
{
    struct fixture *f = *state;
    struct session session = fixture_session(1);
    struct client web = {.enabled = true, .id = "web"};
    static struct session_view grant;
    static struct signing_row key = {.state = SIGNING_ACTIVE, .kid = "k"};

    session.has_alias = true;
    memset(session.alias, 0x77, sizeof session.alias);
    assert_store(STORE_ABSENT, store_session_view(f->store, session.id, &grant, &f->fault));
    assert_store(STORE_OK, store_session_create(f->store, &session, NULL, &f->fault));
    assert_store(STORE_OK, store_session_view(f->store, session.id, &grant, &f->fault));
    assert_memory_equal(&grant.session, &session, sizeof session);
    assert_false(grant.has_account);
    assert_false(grant.has_client);

    fixture_account(f, "ada");
    assert_store(STORE_OK, store_client_add(f->store, &web, &f->fault));
    assert_store(STORE_OK, store_key_add(f->store, &key, &f->fault));
    assert_store(STORE_OK, store_session_view(f->store, session.id, &grant, &f->fault));
    assert_true(grant.has_account);
    assert_string_equal(grant.account.name, "ada");
    assert_true(grant.has_client);
    assert_string_equal(grant.client.id, "web");
    assert_int_equal(grant.keyring_version, keyring_version(f));
}

static void ids_and_aliases_are_unique(void **state)
{
    struct fixture *f = *state;
    struct session first = fixture_session(1), second = fixture_session(2);
    struct env_stat before;
    static struct session_view grant;

    first.has_alias = true;
    memset(first.alias, 0x77, sizeof first.alias);
    assert_store(STORE_OK, store_session_create(f->store, &first, NULL, &f->fault));
    assert_store(STORE_EXISTS, store_session_create(f->store, &first, NULL, &f->fault));
    second.has_alias = true;
    memset(second.alias, 0x77, sizeof second.alias);
    before = fixture_stat(f);
    assert_store(STORE_EXISTS, store_session_create(f->store, &second, NULL, &f->fault));
    assert_store(STORE_ABSENT, store_session_view(f->store, second.id, &grant, &f->fault));
    assert_memory_equal(before.entries, fixture_stat(f).entries, sizeof before.entries);
    /* A derived alias that is taken, too. */
    second.has_alias = false;
    second.has_derived_aliases = true;
    fixture_derived(2, 0, first.alias);
    memcpy(first.id, fixture_session(3).id, sizeof first.id);
    assert_store(STORE_OK, store_session_create(f->store, &first, NULL, &f->fault));
    assert_store(STORE_EXISTS, store_session_create(f->store, &second, NULL, &f->fault));
    assert_int_equal(fixture_findings(f), 0);
}

static void keep_result(void *self, enum store_result result)
{
    enum store_result *kept = self;

    *kept = result;
}

static void sessions_are_handed_in_together(void **state)
{
    struct fixture *f = *state;
    struct session handed_in[] = {fixture_session(1), fixture_session(2), fixture_session(1)};
    struct store_write writes[3];
    enum store_result results[3];

    fixture_account(f, "ada");
    handed_in[1].has_derived_aliases = true;
    for (size_t i = 0; i < 3; i++) {
        store_prepare_create(&writes[i], &handed_in[i], NULL);
        store_submit(f->store, &writes[i], &f->fault, keep_result, &results[i]);
    }
    assert_int_equal(fixture_stat(f).entries[TABLE_SESSIONS], 0);
    store_flush(f->store);
    assert_store(STORE_OK, results[0]);
    assert_store(STORE_OK, results[1]);
    assert_store(STORE_EXISTS, results[2]);
    assert_int_equal(fixture_stat(f).entries[TABLE_SESSIONS], 2);
    assert_int_equal(fixture_stat(f).entries[TABLE_ALIASES], 1);
    assert_int_equal(fixture_findings(f), 0);
}

static void aliases_name_session_and_generation(void **state)
{
    struct fixture *f = *state;
    struct session session = fixture_session(1);
    struct store_rotation rotation;
    uint8_t alias[SESSION_HASH_SIZE], id[SESSION_ID_SIZE];
    uint32_t generation = 99;

    fixture_account(f, "ada");
    fixture_derived(1, 0, alias);
    assert_store(STORE_ABSENT, store_alias_find(f->store, alias, id, &generation, &f->fault));
    session.has_derived_aliases = true;
    assert_store(STORE_OK, store_session_create(f->store, &session, NULL, &f->fault));
    assert_store(STORE_OK, store_alias_find(f->store, alias, id, &generation, &f->fault));
    assert_memory_equal(id, session.id, sizeof id);
    assert_int_equal(generation, 0);

    rotation = fixture_rotation(1, 0, FIXTURE_NOW + 1);
    rotation.has_alias = true;
    fixture_derived(1, 1, rotation.alias);
    assert_store(STORE_OK, store_session_rotate(f->store, &rotation, &f->fault));
    assert_store(STORE_OK, store_alias_find(f->store, rotation.alias, id, &generation, &f->fault));
    assert_int_equal(generation, 1);
    assert_store(STORE_OK, store_alias_find(f->store, alias, id, &generation, &f->fault));
    assert_int_equal(generation, 0); /* a spent token is still known */
}

/* It is no session of its account's before it begins, and only the exchange of its code begins it,
 * once. */
static void a_pending_session_begins_once(void **state)
{
    struct fixture *f = *state;
    struct session pending = fixture_session(1), rows[2];
    struct store_rotation rotation = fixture_rotation(1, 0, FIXTURE_NOW + 1);
    struct account ada;
    size_t count;

    fixture_account(f, "ada");
    pending.pending = SESSION_PENDING_CODE;
    pending.challenge[0] = 0x11;
    pending.redirect[0] = 0x22;
    assert_store(STORE_OK, store_session_create(f->store, &pending, NULL, &f->fault));
    assert_int_equal(fixture_findings(f), 0);
    assert_memory_equal(fixture_find(f, 1).challenge, pending.challenge, SESSION_CHALLENGE_SIZE);
    assert_store(STORE_OK, store_session_list(f->store, 1, NULL, rows, 2, &count, &f->fault));
    assert_int_equal(count, 0);
    assert_store(STORE_STALE, store_session_rotate(f->store, &rotation, &f->fault));
    assert_store(STORE_STALE,
                 store_session_touch(f->store, pending.id, 0, FIXTURE_NOW + 1, 0, &f->fault));
    rotation.begins = SESSION_PENDING_DEVICE;
    assert_store(STORE_STALE, store_session_rotate(f->store, &rotation, &f->fault));

    rotation.begins = SESSION_PENDING_CODE;
    rotation.client_proved = true;
    rotation.has_alias = true;
    fixture_derived(1, 1, rotation.alias);
    assert_store(STORE_OK, store_session_rotate(f->store, &rotation, &f->fault));
    assert_store(STORE_STALE, store_session_rotate(f->store, &rotation, &f->fault));
    assert_store(STORE_OK, store_session_list(f->store, 1, NULL, rows, 2, &count, &f->fault));
    assert_int_equal(count, 1);
    assert_int_equal(rows[0].generation, 1);
    assert_int_equal(rows[0].pending, SESSION_BEGUN);
    assert_true(rows[0].client_proved);
    assert_int_equal(rows[0].challenge[0], 0);
    assert_store(STORE_OK, store_account_find(f->store, "ada", &ada, &f->fault));
    assert_int_equal(ada.last_login_ms, FIXTURE_NOW + 1);
    assert_int_equal(rows[0].redirect[0], 0);
    assert_int_equal(fixture_findings(f), 0);
}

/* The limit counts what has begun, and an end comes from what begins. */
static void a_pending_session_takes_no_others_place(void **state)
{
    struct fixture *f = *state;
    struct session pending = fixture_session(2);
    struct account account, limited;
    struct store_rotation rotation = fixture_rotation(2, 0, FIXTURE_NOW + 1);

    fixture_account(f, "ada");
    assert_store(STORE_OK, store_account_find(f->store, "ada", &account, &f->fault));
    limited = account;
    limited.session_limit = 1;
    assert_store(STORE_OK, store_account_update(f->store, &account, &limited, &f->fault));
    fixture_add_session(f, 1);
    pending.pending = SESSION_PENDING_CODE;
    assert_store(STORE_OK, store_session_create(f->store, &pending, NULL, &f->fault));
    assert_int_equal(fixture_find(f, 1).end, SESSION_LIVE);
    rotation.begins = SESSION_PENDING_CODE;
    assert_store(STORE_OK, store_session_rotate(f->store, &rotation, &f->fault));
    assert_int_equal(fixture_find(f, 1).end, SESSION_ENDED_LIMIT);
    assert_int_equal(fixture_find(f, 2).end, SESSION_LIVE);
    assert_int_equal(fixture_findings(f), 0);
}

/* One whose code never came is removed as soon as it is over: there is nothing to explain. */
static void a_pending_session_is_swept(void **state)
{
    struct fixture *f = *state;
    struct session pending = fixture_session(1);
    size_t removed;
    bool more;

    fixture_account(f, "ada");
    pending.pending = SESSION_PENDING_CODE;
    pending.expires_ms = FIXTURE_NOW + 60000;
    assert_store(STORE_OK, store_session_create(f->store, &pending, NULL, &f->fault));
    assert_store(STORE_OK,
                 store_prune(f->store, FIXTURE_NOW + 59999, true, 9, &removed, &more, &f->fault));
    assert_int_equal(removed, 0);
    assert_store(STORE_OK,
                 store_prune(f->store, FIXTURE_NOW + 60000, true, 9, &removed, &more, &f->fault));
    assert_int_equal(removed, 1);
    assert_int_equal(fixture_stat(f).entries[TABLE_SESSIONS], 0);
    assert_int_equal(fixture_findings(f), 0);
}

static enum store_result approve(struct fixture *f, uint8_t n, uint64_t account, int64_t now_ms)
{
    struct session session = fixture_session(n);
    struct store_write write;

    store_prepare_approve(&write, session.id, account, now_ms, now_ms + 60000);
    return store_write(f->store, &write, &f->fault);
}

static struct session pending_device(uint8_t n)
{
    struct session pending = fixture_session(n);

    pending.pending = SESSION_PENDING_DEVICE;
    pending.account = 0;
    pending.expires_ms = FIXTURE_NOW + 600000;
    pending.has_alias = true;
    memset(pending.alias, 0x40 + n, sizeof pending.alias);
    return pending;
}

/* It is nobody's until a user approves it, once, and what people typed finds it until it begins. */
static void a_device_is_approved_once(void **state)
{
    struct fixture *f = *state;
    struct session pending = pending_device(1), rows[2];
    struct store_rotation rotation = fixture_rotation(1, 0, FIXTURE_NOW + 2);
    uint8_t id[SESSION_ID_SIZE];
    uint32_t generation;
    size_t count;

    fixture_account(f, "ada");
    fixture_account(f, "eve");
    rotation.begins = SESSION_PENDING_DEVICE;
    assert_store(STORE_ABSENT, approve(f, 1, 1, FIXTURE_NOW + 1));
    assert_store(STORE_OK, store_session_create(f->store, &pending, NULL, &f->fault));
    assert_int_equal(fixture_findings(f), 0);
    assert_store(STORE_STALE, store_session_rotate(f->store, &rotation, &f->fault));
    assert_store(STORE_STALE, approve(f, 1, 9, FIXTURE_NOW + 1)); /* no such account */
    assert_store(STORE_STALE, approve(f, 1, 1, FIXTURE_NOW + 600000));
    assert_store(STORE_OK, approve(f, 1, 1, FIXTURE_NOW + 1));
    assert_store(STORE_STALE, approve(f, 1, 1, FIXTURE_NOW + 1));
    assert_store(STORE_STALE, approve(f, 1, 2, FIXTURE_NOW + 1));
    assert_int_equal(fixture_find(f, 1).account, 1);
    assert_int_equal(fixture_find(f, 1).expires_ms, FIXTURE_NOW + 60001);
    assert_store(STORE_OK, store_alias_find(f->store, pending.alias, id, &generation, &f->fault));
    assert_memory_equal(id, pending.id, sizeof id);
    assert_int_equal(fixture_findings(f), 0);

    assert_store(STORE_OK, store_session_rotate(f->store, &rotation, &f->fault));
    assert_store(STORE_ABSENT,
                 store_alias_find(f->store, pending.alias, id, &generation, &f->fault));
    assert_store(STORE_OK, store_session_list(f->store, 1, NULL, rows, 2, &count, &f->fault));
    assert_int_equal(count, 1);
    assert_false(rows[0].has_alias);
    assert_store(STORE_STALE, approve(f, 1, 2, FIXTURE_NOW + 3));
    assert_int_equal(fixture_findings(f), 0);
}

static void only_a_waiting_device_is_approved(void **state)
{
    struct fixture *f = *state;
    struct session code = fixture_session(2), device = pending_device(3);
    struct account ada;

    fixture_account(f, "ada");
    assert_store(STORE_OK, store_account_find(f->store, "ada", &ada, &f->fault));
    fixture_add_session(f, 1);
    assert_store(STORE_STALE, approve(f, 1, 1, FIXTURE_NOW + 1));
    code.pending = SESSION_PENDING_CODE;
    code.account = 0;
    code.expires_ms = FIXTURE_NOW + 60000;
    assert_store(STORE_OK, store_session_create(f->store, &code, NULL, &f->fault));
    assert_store(STORE_STALE, approve(f, 2, 1, FIXTURE_NOW + 1));

    assert_store(STORE_OK, store_session_create(f->store, &device, NULL, &f->fault));
    ada.enabled = false;
    assert_store(STORE_OK, store_account_update(f->store, NULL, &ada, &f->fault));
    assert_store(STORE_STALE, approve(f, 3, 1, FIXTURE_NOW + 1));
    ada.enabled = true;
    assert_store(STORE_OK, store_account_update(f->store, NULL, &ada, &f->fault));
    assert_store(STORE_OK, store_session_end(f->store, device.id, SESSION_ENDED_DENIED,
                                             FIXTURE_NOW + 1, NULL, &f->fault));
    assert_store(STORE_STALE, approve(f, 3, 1, FIXTURE_NOW + 1));
}

/* Whoever approved it first: another's denial comes too late. */
static void a_denial_of_what_was_approved_is_stale(void **state)
{
    struct fixture *f = *state;
    struct session pending = pending_device(1);
    struct store_write write;

    fixture_account(f, "ada");
    assert_store(STORE_OK, store_session_create(f->store, &pending, NULL, &f->fault));
    store_prepare_end(&write, pending.id, SESSION_ENDED_DENIED, FIXTURE_NOW + 2, &pending, NULL);
    assert_store(STORE_OK, approve(f, 1, 1, FIXTURE_NOW + 1));
    assert_store(STORE_STALE, store_write(f->store, &write, &f->fault));
    assert_int_equal(fixture_find(f, 1).end, SESSION_LIVE);
}

/* An account that ends its sessions ends those that it has approved, too. */
static void what_was_approved_ends_with_its_account(void **state)
{
    struct fixture *f = *state;
    struct session pending = pending_device(1);
    struct store_rotation rotation = fixture_rotation(1, 0, FIXTURE_NOW + 3);
    size_t count;

    fixture_account(f, "ada");
    rotation.begins = SESSION_PENDING_DEVICE;
    assert_store(STORE_OK, store_session_create(f->store, &pending, NULL, &f->fault));
    assert_store(STORE_OK, approve(f, 1, 1, FIXTURE_NOW + 1));
    assert_store(STORE_OK, store_account_sessions_end(f->store, 1, SESSION_ENDED_ADMIN,
                                                      FIXTURE_NOW + 2, &count, &f->fault));
    assert_int_equal(fixture_find(f, 1).end, SESSION_ENDED_ACCOUNT);
    assert_store(STORE_STALE, store_session_rotate(f->store, &rotation, &f->fault));
}

static void successors_alias_is_never_taken_from_another(void **state)
{
    struct fixture *f = *state;
    struct session other = fixture_session(2);
    struct store_rotation rotation = fixture_rotation(1, 0, FIXTURE_NOW + 1);

    fixture_account(f, "ada");
    fixture_add_session(f, 1);
    other.has_alias = true;
    assert_store(STORE_OK, store_session_create(f->store, &other, NULL, &f->fault));
    rotation.has_alias = true; /* all zero, as the other's */
    assert_store(STORE_FAULT, store_session_rotate(f->store, &rotation, &f->fault));
    assert_int_equal(fixture_find(f, 1).generation, 0);
}

/* ---- sessions: rotate and touch ---- */

static void rotation_is_a_compare_and_set(void **state)
{
    struct fixture *f = *state;
    struct store_rotation rotation = fixture_rotation(1, 0, FIXTURE_NOW + 5);
    struct session session;

    fixture_account(f, "ada");
    assert_store(STORE_ABSENT, store_session_rotate(f->store, &rotation, &f->fault));
    fixture_add_session(f, 1);
    rotation.expires_ms = FIXTURE_NOW + 20000;
    assert_store(STORE_OK, store_session_rotate(f->store, &rotation, &f->fault));
    session = fixture_find(f, 1);
    assert_int_equal(session.generation, 1);
    assert_int_equal(session.rotated_ms, FIXTURE_NOW + 5);
    assert_int_equal(session.used_ms, FIXTURE_NOW + 5);
    assert_int_equal(session.expires_ms, FIXTURE_NOW + 20000);
    assert_int_equal(session.created_ms, FIXTURE_NOW);

    assert_store(STORE_STALE, store_session_rotate(f->store, &rotation, &f->fault));
    rotation.from = 2; /* a token newer than the store */
    rotation.to = rotation.from + 1;
    assert_store(STORE_STALE, store_session_rotate(f->store, &rotation, &f->fault));
    assert_int_equal(fixture_find(f, 1).generation, 1);
    rotation.from = 1;
    rotation.to = rotation.from + 1;
    assert_store(STORE_OK, store_session_rotate(f->store, &rotation, &f->fault));
}

/* ---- sessions: when each generation was spent ---- */

static void rotate_at(struct fixture *f, uint32_t from, uint32_t to, struct clock_moment now)
{
    struct store_rotation rotation = fixture_rotation(1, from, FIXTURE_NOW);

    rotation.to = to;
    f->now = now;
    assert_store(STORE_OK, store_session_rotate(f->store, &rotation, &f->fault));
}

static void the_last_eight_spending_times_are_kept(void **state)
{
    struct fixture *f = *state;
    struct session session;

    fixture_open_with_clock(f, (struct clock_moment){.wall_ms = FIXTURE_NOW});
    fixture_account(f, "ada");
    fixture_add_session(f, 1);
    for (uint32_t n = 0; n < 10; n++) {
        rotate_at(f, n, n + 1, (struct clock_moment){FIXTURE_NOW + 100 * n, 7000 + 10 * n, 99});
    }
    session = fixture_find(f, 1);
    assert_int_equal(session.boot, 99);
    for (uint32_t k = 0; k < SESSION_SPENT_KEPT; k++) {
        assert_int_equal(session.spent[k].wall_ms, FIXTURE_NOW + 100 * (9 - k));
        assert_int_equal(session.spent[k].boot_ms, 7000 + 10 * (9 - k));
    }
    /* After another boot the old times since boot mean nothing. */
    rotate_at(f, 10, 11, (struct clock_moment){FIXTURE_NOW + 5000, 3, 100});
    session = fixture_find(f, 1);
    assert_int_equal(session.boot, 100);
    assert_int_equal(session.spent[0].boot_ms, 3);
    assert_int_equal(session.spent[1].boot_ms, 0);
    assert_int_equal(session.spent[1].wall_ms, FIXTURE_NOW + 900);
    /* Nor does one that nobody could read. */
    rotate_at(f, 11, 12, (struct clock_moment){.wall_ms = FIXTURE_NOW + 6000, .boot_ms = 50});
    session = fixture_find(f, 1);
    assert_int_equal(session.boot, 0);
    assert_int_equal(session.spent[0].boot_ms, 0);
    assert_int_equal(session.spent[1].boot_ms, 0);
}

static void wide_and_backward_steps_of_the_clock_are_kept(void **state)
{
    static const int64_t walls[] = {FIXTURE_NOW, FIXTURE_NOW - 60000,
                                    FIXTURE_NOW + INT64_C(90) * CLOCK_DAY};
    struct fixture *f = *state;
    struct session session;

    fixture_open_with_clock(f, (struct clock_moment){.wall_ms = FIXTURE_NOW});
    fixture_account(f, "ada");
    fixture_add_session(f, 1);
    for (uint32_t n = 0; n < 3; n++) {
        rotate_at(f, n, n + 1, (struct clock_moment){.wall_ms = walls[n]});
    }
    session = fixture_find(f, 1);
    for (uint32_t k = 0; k < 3; k++) { /* to a thousandth of the steps */
        assert_in_range(session.spent[k].wall_ms, walls[2 - k], walls[2 - k] + CLOCK_DAY / 5);
    }
    assert_in_range(session.spent[1].wall_ms - session.spent[2].wall_ms, -60000, -59940);
    assert_int_equal(session.spent[3].wall_ms, 0);
}

/* The store has lost history: n = 3 in the record, 5 presented, so 6 is next. */
static void rolling_forward_skips_generations(void **state)
{
    struct fixture *f = *state;
    struct store_rotation rotation = fixture_rotation(1, 3, FIXTURE_NOW);
    struct session session;

    fixture_open_with_clock(f, (struct clock_moment){.wall_ms = FIXTURE_NOW});
    fixture_account(f, "ada");
    fixture_add_session(f, 1);
    for (uint32_t n = 0; n < 3; n++) {
        rotate_at(f, n, n + 1, (struct clock_moment){FIXTURE_NOW + n, 10 + n, 99});
    }
    rotate_at(f, 3, 6, (struct clock_moment){FIXTURE_NOW + 500, 510, 99});
    session = fixture_find(f, 1);
    assert_int_equal(session.generation, 6);
    assert_int_equal(session.spent[0].wall_ms, FIXTURE_NOW + 500); /* 5 */
    assert_int_equal(session.spent[1].wall_ms, 0);                 /* 4: not known */
    assert_int_equal(session.spent[2].wall_ms, 0);                 /* 3 */
    assert_int_equal(session.spent[3].wall_ms, FIXTURE_NOW + 2);   /* 2 */
    assert_int_equal(session.spent[3].boot_ms, 12);
    assert_int_equal(session.spent[5].wall_ms, FIXTURE_NOW);
    rotation.to = 9; /* too late: the record has moved */
    assert_store(STORE_STALE, store_session_rotate(f->store, &rotation, &f->fault));
    rotate_at(f, 6, 1000, (struct clock_moment){FIXTURE_NOW + 600, 610, 99});
    session = fixture_find(f, 1);
    assert_int_equal(session.spent[0].wall_ms, FIXTURE_NOW + 600);
    assert_int_equal(session.spent[1].wall_ms, 0);
    rotation.from = rotation.to = 1000; /* leads nowhere */
    assert_store(STORE_FAULT, store_session_rotate(f->store, &rotation, &f->fault));
}

static void rotation_and_touch_need_a_live_session_and_an_enabled_account(void **state)
{
    struct fixture *f = *state;
    struct store_rotation rotation = fixture_rotation(1, 0, FIXTURE_NOW + 1);
    struct account account = {.enabled = false};
    struct session session = fixture_session(1);

    account.number = fixture_account(f, "ada");
    fixture_add_session(f, 1);

    assert_store(STORE_OK, store_account_update(f->store, NULL, &account, &f->fault));
    assert_store(STORE_STALE, store_session_rotate(f->store, &rotation, &f->fault));
    assert_store(STORE_STALE, store_session_touch(f->store, session.id, 0, FIXTURE_NOW + 1,
                                                  session.expires_ms, &f->fault));
    account.enabled = true;
    assert_store(STORE_OK, store_account_update(f->store, NULL, &account, &f->fault));
    assert_store(STORE_OK, store_session_touch(f->store, session.id, 0, FIXTURE_NOW + 1,
                                               session.expires_ms, &f->fault));
    assert_store(STORE_OK, store_session_rotate(f->store, &rotation, &f->fault));

    assert_store(STORE_OK, store_account_remove(f->store, "ada", &f->fault));
    rotation.from = 1;
    rotation.to = rotation.from + 1;
    assert_store(STORE_STALE, store_session_rotate(f->store, &rotation, &f->fault));
    fixture_account(f, "ada"); /* the same name is another account */
    assert_store(STORE_STALE, store_session_rotate(f->store, &rotation, &f->fault));
    assert_int_equal(fixture_find(f, 1).generation, 1);
}

static void set_client(struct fixture *f, const char *id, bool enabled)
{
    struct client before, after;

    assert_store(STORE_OK, store_client_find(f->store, id, &before, &f->fault));
    after = before;
    after.enabled = enabled;
    assert_store(STORE_OK, store_client_update(f->store, &before, &after, &f->fault));
}

static void clients_own_sessions_need_no_account(void **state)
{
    struct fixture *f = *state;
    struct client robot = {.enabled = true, .id = "robot"};
    struct session session = fixture_session(1);
    struct store_rotation rotation = fixture_rotation(1, 0, FIXTURE_NOW + 1);
    struct session_view view;

    assert_store(STORE_OK, store_client_add(f->store, &robot, &f->fault));
    session.account = 0;
    session.client_number = robot.number;
    strcpy(session.client, "robot");
    assert_store(STORE_OK, store_session_create(f->store, &session, NULL, &f->fault));
    assert_store(STORE_OK, store_session_view(f->store, session.id, &view, &f->fault));
    assert_false(view.has_account);
    assert_int_equal(view.session.end, SESSION_LIVE);
    assert_store(STORE_OK, store_session_rotate(f->store, &rotation, &f->fault));
    rotation = fixture_rotation(1, 1, FIXTURE_NOW + 2);
    set_client(f, "robot", false);
    assert_store(STORE_STALE, store_session_rotate(f->store, &rotation, &f->fault));
    set_client(f, "robot", true);
    assert_store(STORE_OK, store_session_rotate(f->store, &rotation, &f->fault));
    rotation = fixture_rotation(1, 2, FIXTURE_NOW + 3);
    assert_store(STORE_OK, store_client_remove(f->store, "robot", &f->fault));
    assert_store(STORE_STALE, store_session_rotate(f->store, &rotation, &f->fault));
    assert_int_equal(fixture_find(f, 1).end, SESSION_ENDED_CLIENT);
}

static void use_of_a_secret_is_noted_alone(void **state)
{
    struct fixture *f = *state;
    struct client robot = {
        .enabled = true, .id = "robot", .secrets[0] = {.hash = "a hash", .number = 1}};
    struct client after, of_before;
    struct store_write write;

    assert_store(STORE_OK, store_client_add(f->store, &robot, &f->fault));
    store_prepare_client_use(&write, &robot, 1, FIXTURE_NOW);
    assert_store(STORE_OK, store_write(f->store, &write, &f->fault));
    assert_store(STORE_OK, store_client_find(f->store, "robot", &after, &f->fault));
    assert_int_equal(after.secrets[0].used_ms, FIXTURE_NOW);
    set_client(f, "robot", false);
    store_prepare_client_use(&write, &robot, 1, FIXTURE_NOW + CLOCK_DAY);
    assert_store(STORE_STALE, store_write(f->store, &write, &f->fault));
    assert_store(STORE_OK, store_client_remove(f->store, "robot", &f->fault));
    assert_store(STORE_STALE, store_write(f->store, &write, &f->fault));
    of_before = robot;
    assert_store(STORE_OK, store_client_add(f->store, &robot, &f->fault));
    store_prepare_client_use(&write, &of_before, 1, FIXTURE_NOW + CLOCK_DAY);
    assert_store(STORE_STALE, store_write(f->store, &write, &f->fault));
}

static void ended_sessions_do_not_rotate(void **state)
{
    struct fixture *f = *state;
    struct store_rotation rotation = fixture_rotation(1, 0, FIXTURE_NOW + 1);

    fixture_account(f, "ada");
    fixture_add_session(f, 1);
    assert_store(STORE_OK, store_session_end(f->store, rotation.id, SESSION_ENDED_ADMIN,
                                             FIXTURE_NOW, NULL, &f->fault));
    assert_store(STORE_STALE, store_session_rotate(f->store, &rotation, &f->fault));
    assert_store(STORE_STALE, store_session_touch(f->store, rotation.id, 0, FIXTURE_NOW + 1,
                                                  FIXTURE_NOW + 9, &f->fault));
}

static void touch_notes_the_use_and_nothing_else(void **state)
{
    struct fixture *f = *state;
    struct session session = fixture_session(1), expected = session;

    fixture_account(f, "ada");
    assert_store(STORE_ABSENT, store_session_touch(f->store, session.id, 0, FIXTURE_NOW + 7,
                                                   FIXTURE_NOW + 90000, &f->fault));
    fixture_add_session(f, 1);
    assert_store(STORE_STALE, store_session_touch(f->store, session.id, 1, FIXTURE_NOW + 7,
                                                  FIXTURE_NOW + 90000, &f->fault));
    assert_store(STORE_OK, store_session_touch(f->store, session.id, 0, FIXTURE_NOW + 7,
                                               FIXTURE_NOW + 90000, &f->fault));
    expected.used_ms = FIXTURE_NOW + 7;
    expected.expires_ms = FIXTURE_NOW + 90000;
    session = fixture_find(f, 1);
    assert_memory_equal(&session, &expected, sizeof session);
}

static void last_generation_is_a_fault_not_a_wrap(void **state)
{
    struct fixture *f = *state;
    struct session session = fixture_session(1);
    struct store_rotation rotation = fixture_rotation(1, UINT32_MAX, FIXTURE_NOW + 1);

    fixture_account(f, "ada");
    session.generation = UINT32_MAX;
    assert_store(STORE_OK, store_session_create(f->store, &session, NULL, &f->fault));
    assert_store(STORE_FAULT, store_session_rotate(f->store, &rotation, &f->fault));
}

/* ---- sessions: end ---- */

static size_t count_events(struct fixture *f, const uint8_t *session)
{
    static struct event rows[100];
    size_t count;

    assert_store(STORE_OK, store_event_list(f->store, session, rows, 100, &count, &f->fault));
    return count;
}

static void end_and_its_event_are_one_commit(void **state)
{
    struct fixture *f = *state;
    struct event event = {.at_ms = FIXTURE_NOW, .kind = EVENT_REUSE};
    struct session session = fixture_session(1);
    uint64_t commits;

    assert_store(STORE_ABSENT, store_session_end(f->store, session.id, SESSION_ENDED_REUSE,
                                                 FIXTURE_NOW, &event, &f->fault));
    assert_int_equal(count_events(f, NULL), 0);
    fixture_add_session(f, 1);
    commits = fixture_stat(f).commits;
    assert_store(STORE_OK, store_session_end(f->store, session.id, SESSION_ENDED_REUSE,
                                             FIXTURE_NOW + 3, &event, &f->fault));
    assert_int_equal(fixture_stat(f).commits, commits + 1);
    session = fixture_find(f, 1);
    assert_int_equal(session.end, SESSION_ENDED_REUSE);
    assert_int_equal(session.ended_ms, FIXTURE_NOW + 3);
    assert_int_equal(count_events(f, NULL), 1);
}

static void ending_again_adds_only_the_event(void **state)
{
    struct fixture *f = *state;
    struct event event = {.at_ms = FIXTURE_NOW, .kind = EVENT_REUSE};
    struct session session = fixture_session(1);

    fixture_add_session(f, 1);
    assert_store(STORE_OK, store_session_end(f->store, session.id, SESSION_ENDED_ADMIN,
                                             FIXTURE_NOW + 1, NULL, &f->fault));
    assert_store(STORE_OK, store_session_end(f->store, session.id, SESSION_ENDED_REUSE,
                                             FIXTURE_NOW + 2, &event, &f->fault));
    session = fixture_find(f, 1);
    assert_int_equal(session.end, SESSION_ENDED_ADMIN);
    assert_int_equal(session.ended_ms, FIXTURE_NOW + 1);
    assert_int_equal(count_events(f, NULL), 1);
    assert_store(STORE_FAULT, store_session_end(f->store, session.id, SESSION_LIVE, FIXTURE_NOW,
                                                NULL, &f->fault));
}

/* Whoever judged a session by what has changed since judges again. */
static void an_end_can_depend_on_what_was_read(void **state)
{
    struct fixture *f = *state;
    struct event event = {.at_ms = FIXTURE_NOW, .kind = EVENT_REUSE};
    struct store_rotation rotation = fixture_rotation(2, 0, FIXTURE_NOW);
    struct session as_read, stamped;
    struct store_write write;

    fixture_account(f, "ada");
    fixture_add_session(f, 1);
    as_read = fixture_find(f, 1);
    stamped = as_read;
    stamped.spent[0].wall_ms = 1;
    for (int tries = 0; tries < 2; tries++) {
        store_prepare_end(&write, as_read.id, SESSION_ENDED_REUSE, FIXTURE_NOW,
                          tries == 0 ? &stamped : &as_read, &event);
        assert_store(tries == 0 ? STORE_STALE : STORE_OK, store_write(f->store, &write, &f->fault));
        assert_int_equal(count_events(f, NULL), tries);
        assert_int_equal(fixture_find(f, 1).end, tries == 0 ? SESSION_LIVE : SESSION_ENDED_REUSE);
    }
    fixture_add_session(f, 2);
    as_read = fixture_find(f, 2);
    assert_store(STORE_OK, store_session_rotate(f->store, &rotation, &f->fault));
    store_prepare_end(&write, as_read.id, SESSION_ENDED_REUSE, FIXTURE_NOW, &as_read, &event);
    assert_store(STORE_STALE, store_write(f->store, &write, &f->fault));
}

enum { MANY = 600 /* more than one batch of store_account_sessions_end */ };

/* One write ends them all, before any record of theirs says so. */
static void the_epoch_ends_all_sessions_at_once(void **state)
{
    struct fixture *f = *state;
    struct store_rotation rotation = fixture_rotation(1, 0, FIXTURE_NOW + 1);
    struct store_write write = {.kind = STORE_WRITE_END_ACCOUNT,
                                .of.end_account = {1, SESSION_ENDED_ADMIN, FIXTURE_NOW + 1}};
    struct event event = {.at_ms = FIXTURE_NOW, .kind = EVENT_REVOKED};
    struct session listed[2];
    size_t count;

    fixture_account(f, "ada");
    fixture_add_session(f, 1);
    store_attach_event(&write, &event);
    assert_store(STORE_OK, store_write(f->store, &write, &f->fault));
    assert_int_equal(count_events(f, NULL), 1);
    assert_int_equal(fixture_find(f, 1).end, SESSION_ENDED_ACCOUNT);
    assert_store(STORE_STALE, store_session_rotate(f->store, &rotation, &f->fault));
    assert_store(STORE_STALE, store_session_touch(f->store, rotation.id, 0, FIXTURE_NOW + 1,
                                                  FIXTURE_NOW + 2, &f->fault));
    fixture_add_session(f, 2); /* of the new epoch */
    assert_store(STORE_OK, store_session_list(f->store, 1, NULL, listed, 2, &count, &f->fault));
    assert_int_equal(count, 2);
    assert_int_equal(listed[0].end, SESSION_ENDED_ACCOUNT);
    assert_int_equal(listed[1].end, SESSION_LIVE);
    assert_int_equal(listed[1].epoch, 1);
    rotation = fixture_rotation(2, 0, FIXTURE_NOW + 1);
    assert_store(STORE_OK, store_session_rotate(f->store, &rotation, &f->fault));
}

static void an_update_never_takes_an_epoch_back(void **state)
{
    struct fixture *f = *state;
    struct account before, found;
    size_t count;

    fixture_account(f, "ada");
    fixture_add_session(f, 1);
    assert_store(STORE_OK, store_account_get(f->store, 1, &before, &f->fault));
    assert_store(STORE_OK, store_account_sessions_end(f->store, 1, SESSION_ENDED_ADMIN, FIXTURE_NOW,
                                                      &count, &f->fault));
    assert_int_equal(count, 1);
    assert_store(STORE_OK, store_account_update(f->store, &before, &before, &f->fault));
    assert_store(STORE_OK, store_account_get(f->store, 1, &found, &f->fault));
    assert_int_equal(found.epoch, before.epoch + 1);
}

static void all_sessions_of_an_account_end(void **state)
{
    struct fixture *f = *state;
    struct session foreign = fixture_session(MANY + 1);
    size_t count = 99;

    assert_store(STORE_OK, store_account_sessions_end(f->store, 1, SESSION_ENDED_ACCOUNT,
                                                      FIXTURE_NOW, &count, &f->fault));
    assert_int_equal(count, 0);
    for (uint32_t n = 0; n < MANY; n++) {
        fixture_add_session(f, n);
    }
    foreign.account = 2;
    assert_store(STORE_OK, store_session_create(f->store, &foreign, NULL, &f->fault));
    assert_store(STORE_OK, store_session_end(f->store, fixture_session(5).id, SESSION_ENDED_REUSE,
                                             FIXTURE_NOW, NULL, &f->fault));
    assert_store(STORE_OK, store_account_sessions_end(f->store, 1, SESSION_ENDED_ACCOUNT,
                                                      FIXTURE_NOW, &count, &f->fault));
    assert_int_equal(count, MANY - 1);
    for (uint32_t n = 0; n < MANY; n++) {
        assert_int_equal(fixture_find(f, n).end,
                         n == 5 ? SESSION_ENDED_REUSE : SESSION_ENDED_ACCOUNT);
    }
    assert_int_equal(fixture_find(f, MANY + 1).end, SESSION_LIVE);
    assert_store(STORE_OK, store_account_sessions_end(f->store, 1, SESSION_ENDED_ACCOUNT,
                                                      FIXTURE_NOW, &count, &f->fault));
    assert_int_equal(count, 0);
    assert_store(STORE_FAULT, store_account_sessions_end(f->store, 2, SESSION_LIVE, FIXTURE_NOW,
                                                         &count, &f->fault));
}

/* ---- sessions: list ---- */

static void assert_page(struct fixture *f, uint64_t account, const uint8_t *after, size_t room,
                        const uint32_t *expected, size_t expected_count)
{
    struct session rows[8];
    size_t count;

    assert_store(STORE_OK,
                 store_session_list(f->store, account, after, rows, room, &count, &f->fault));
    assert_int_equal(count, expected_count);
    for (size_t i = 0; i < count; i++) {
        assert_memory_equal(rows[i].id, fixture_session(expected[i]).id, SESSION_ID_SIZE);
    }
}

static void sessions_are_listed_in_order_of_creation(void **state)
{
    struct fixture *f = *state;
    struct session second = fixture_session(5);

    assert_page(f, 0, NULL, 8, NULL, 0);
    fixture_add_session(f, 7);
    fixture_add_session(f, 3);
    fixture_add_session(f, 9);
    second.account = 2;
    assert_store(STORE_OK, store_session_create(f->store, &second, NULL, &f->fault));

    assert_page(f, 0, NULL, 8, (uint32_t[]){3, 5, 7, 9}, 4);
    assert_page(f, 0, NULL, 2, (uint32_t[]){3, 5}, 2);
    assert_page(f, 0, fixture_session(5).id, 2, (uint32_t[]){7, 9}, 2);
    assert_page(f, 0, fixture_session(9).id, 2, NULL, 0);
    assert_page(f, 0, NULL, 0, NULL, 0);
    assert_page(f, 1, NULL, 8, (uint32_t[]){3, 7, 9}, 3);
    assert_page(f, 1, fixture_session(3).id, 1, (uint32_t[]){7}, 1);
    assert_page(f, 1, fixture_session(4).id, 8, (uint32_t[]){7, 9}, 2);
    assert_page(f, 2, NULL, 8, (uint32_t[]){5}, 1);
    assert_page(f, 3, NULL, 8, NULL, 0);
}

/* ---- an account's sessions ---- */

static void open_with_limit(struct fixture *f, uint32_t limit)
{
    fixture_close(f);
    f->settings.session_limit = limit;
    fixture_open(f);
    fixture_account(f, "ada");
}

/* The one that has not been used for longest ends, and says why; the next takes its place. */
static void an_account_has_so_many_sessions(void **state)
{
    struct fixture *f = *state;
    struct session session;
    struct session rows[20];
    size_t count;
    size_t live = 0;

    open_with_limit(f, 3);
    for (uint32_t n = 1; n <= 3; n++) {
        session = fixture_session(n);
        session.used_ms = FIXTURE_NOW - (n == 2 ? 5 : 0);
        assert_store(STORE_OK, store_session_create(f->store, &session, NULL, &f->fault));
    }
    fixture_add_session(f, 4);
    assert_int_equal(fixture_find(f, 2).end, SESSION_ENDED_LIMIT);
    assert_int_equal(fixture_find(f, 1).end, SESSION_LIVE);
    assert_int_equal(fixture_find(f, 3).end, SESSION_LIVE);
    /* one that has ended makes no room for a live one beyond the limit */
    fixture_add_session(f, 5);
    session = fixture_session(2);
    assert_store(STORE_ABSENT,
                 store_session_view(f->store, session.id, &(struct session_view){0}, &f->fault));
    assert_int_equal(fixture_find(f, 1).end, SESSION_ENDED_LIMIT);
    for (uint32_t n = 6; n <= 20; n++) {
        fixture_add_session(f, n);
    }
    assert_store(STORE_OK,
                 store_session_list(f->store, session.account, NULL, rows, 20, &count, &f->fault));
    for (size_t i = 0; i < count; i++) {
        live += rows[i].end == SESSION_LIVE ? 1 : 0;
    }
    assert_int_equal(live, 3);
    assert_int_equal(count, 4);
    assert_int_equal(fixture_findings(f), 0);
}

/* Its own limit counts before that of all. */
static void an_account_may_have_a_limit_of_its_own(void **state)
{
    struct fixture *f = *state;
    struct account account;

    open_with_limit(f, 1);
    assert_store(STORE_OK, store_account_find(f->store, "ada", &account, &f->fault));
    account.session_limit = 3;
    assert_store(STORE_OK, store_account_update(f->store, NULL, &account, &f->fault));
    for (uint32_t n = 1; n <= 4; n++) {
        fixture_add_session(f, n);
    }
    assert_int_equal(fixture_find(f, 1).end, SESSION_ENDED_LIMIT);
    assert_int_equal(fixture_find(f, 2).end, SESSION_LIVE);
}

/* Without its record a token of another server could begin a session again. */
static void a_record_is_kept_until_its_time(void **state)
{
    const int64_t kept_ms = 1000 * 1000 * 1000;
    struct fixture *f = *state;
    struct session kept = fixture_session(1);
    struct session for_ever = fixture_session(2);
    size_t removed;
    bool more;

    open_with_limit(f, 2);
    kept.kept_until_ms = FIXTURE_NOW + kept_ms;
    for_ever.kept_until_ms = SESSION_FOR_EVER;
    assert_store(STORE_OK, store_session_create(f->store, &kept, NULL, &f->fault));
    assert_store(STORE_OK, store_session_create(f->store, &for_ever, NULL, &f->fault));
    for (uint32_t n = 1; n <= 2; n++) {
        struct session session = fixture_session(n);

        assert_store(STORE_OK, store_session_end(f->store, session.id, SESSION_ENDED_ADMIN,
                                                 FIXTURE_NOW, NULL, &f->fault));
    }
    for (uint32_t n = 3; n <= 6; n++) {
        fixture_add_session(f, n);
    }
    assert_int_equal(fixture_find(f, 1).end, SESSION_ENDED_ADMIN);
    assert_int_equal(fixture_find(f, 2).end, SESSION_ENDED_ADMIN);
    assert_store(STORE_OK, store_prune(f->store, FIXTURE_NOW + kept_ms - 1, true, 99, &removed,
                                       &more, &f->fault));
    assert_int_equal(fixture_stat(f).entries[TABLE_SESSIONS], 2);
    assert_store(STORE_OK, store_prune(f->store, FIXTURE_NOW + kept_ms, true, 99, &removed, &more,
                                       &f->fault));
    assert_int_equal(removed, 1);
    assert_store(STORE_OK, store_prune(f->store, FIXTURE_NOW + 5 * kept_ms, true, 99, &removed,
                                       &more, &f->fault));
    assert_int_equal(removed, 0);
    assert_int_equal(fixture_find(f, 2).end, SESSION_ENDED_ADMIN);
    assert_int_equal(fixture_findings(f), 0);
}

/* ---- events ---- */

static void events_are_listed_newest_first(void **state)
{
    struct fixture *f = *state;
    struct event event = {.kind = EVENT_ACCOUNT, .account = 7, .note = "changed"};
    struct event rows[4];
    size_t count;

    for (int i = 0; i < 4; i++) {
        event.at_ms = FIXTURE_NOW + i;
        event.generation = (uint32_t)i;
        memset(event.session, i % 2, sizeof event.session);
        assert_store(STORE_OK, store_event_add(f->store, &event, &f->fault));
    }
    assert_store(STORE_OK, store_event_list(f->store, NULL, rows, 3, &count, &f->fault));
    assert_int_equal(count, 3);
    assert_int_equal(rows[0].at_ms, FIXTURE_NOW + 3);
    assert_int_equal(rows[2].at_ms, FIXTURE_NOW + 1);
    assert_memory_equal(&rows[0], &event, sizeof event);
    assert_store(STORE_OK, store_event_list(f->store, event.session, rows, 4, &count, &f->fault));
    assert_int_equal(count, 2);
    assert_int_equal(rows[1].at_ms, FIXTURE_NOW + 1);
}

/* Adds many in one commit: ten thousand commits would test patience only. */
static enum store_result apply_events(struct rows *rows, void *what)
{
    struct event event = {.kind = EVENT_KEY};

    for (int i = 1; i <= *(const int *)what; i++) {
        event.at_ms = i;
        events_append(rows, &event);
    }
    return STORE_OK;
}

static void newest_events_are_kept(void **state)
{
    struct fixture *f = *state;
    static struct event rows[STORE_EVENTS_KEPT + 10];
    int many = STORE_EVENTS_KEPT;
    size_t count;

    assert_store(STORE_OK, fixture_write(f, apply_events, &many, &f->fault));
    assert_int_equal(fixture_stat(f).entries[TABLE_EVENTS], STORE_EVENTS_KEPT);
    many = 7;
    assert_store(STORE_OK, fixture_write(f, apply_events, &many, &f->fault));
    assert_store(STORE_OK,
                 store_event_list(f->store, NULL, rows, STORE_EVENTS_KEPT + 10, &count, &f->fault));
    assert_int_equal(count, STORE_EVENTS_KEPT);
    assert_int_equal(rows[0].at_ms, 7);
    assert_int_equal(rows[7].at_ms, STORE_EVENTS_KEPT);
    assert_int_equal(rows[STORE_EVENTS_KEPT - 1].at_ms, 8);
}

/* Repeating a request pushes nothing out: it is counted, by session, generation and kind. */
static void an_event_told_again_is_counted(void **state)
{
    struct fixture *f = *state;
    struct event event = {.kind = EVENT_REUSE_REPORTED, .session = {1}}, rows[8];
    size_t count;

    for (uint32_t i = 0; i < 12; i++) {
        event.at_ms = FIXTURE_NOW + i;
        event.kind = i % 3 == 0 ? EVENT_RECOVERED : EVENT_REUSE_REPORTED;
        event.generation = i % 2;
        assert_store(STORE_OK, store_event_add(f->store, &event, &f->fault));
    }
    assert_store(STORE_OK, store_event_list(f->store, NULL, rows, 8, &count, &f->fault));
    assert_int_equal(count, 4);
    assert_int_equal(rows[3].kind, EVENT_RECOVERED);
    assert_int_equal(rows[3].at_ms, FIXTURE_NOW);
    assert_int_equal(rows[3].repeats, 1);
    assert_int_equal(rows[3].last_ms, FIXTURE_NOW + 6);
    assert_int_equal(rows[2].kind, EVENT_REUSE_REPORTED);
    assert_int_equal(rows[2].repeats, 3);
    assert_int_equal(fixture_findings(f), 0);
}

/* Each session is another, so that none is counted. */
static enum store_result apply_recoveries(struct rows *rows, void *what)
{
    struct event event = {.at_ms = FIXTURE_NOW, .kind = EVENT_RECOVERED, .session = {1}};

    for (event.generation = 0; event.generation < *(const uint32_t *)what; event.generation++) {
        events_append(rows, &event);
    }
    return STORE_OK;
}

static void a_flood_pushes_out_only_its_own_class(void **state)
{
    struct fixture *f = *state;
    struct event reuse = {.at_ms = 1, .kind = EVENT_REUSE, .session = {2}};
    struct event revoked = {.at_ms = 2, .kind = EVENT_REVOKED, .session = {3}};
    static struct event rows[STORE_EVENTS_KEPT + 10];
    uint32_t many = STORE_EVENTS_KEPT + 5;
    size_t count;

    assert_store(STORE_OK, store_event_add(f->store, &reuse, &f->fault));
    assert_store(STORE_OK, store_event_add(f->store, &revoked, &f->fault));
    assert_store(STORE_OK, fixture_write(f, apply_recoveries, &many, &f->fault));
    assert_store(STORE_OK,
                 store_event_list(f->store, NULL, rows, STORE_EVENTS_KEPT + 10, &count, &f->fault));
    assert_int_equal(count, STORE_EVENTS_KEPT + 2);
    assert_int_equal(rows[0].generation, many - 1);
    assert_int_equal(rows[count - 2].kind, EVENT_REVOKED);
    assert_int_equal(rows[count - 1].kind, EVENT_REUSE);
    assert_int_equal(fixture_findings(f), 0);
}

/* ---- sweeping ---- */

/* The times at which entries stand in the ends table. */
static size_t read_ends(struct fixture *f, int64_t times[8])
{
    struct rows_key key = rows_key_first();
    struct rows rows;
    uint8_t id[SESSION_ID_SIZE];
    size_t count = 0;

    fixture_read_begin(f, &rows);
    while (count < 8 && rows_next(&rows, TABLE_ENDS, ENV_AFTER, &key)) {
        assert_true(rows_end_split(&key, &times[count++], id));
    }
    fixture_read_end(&rows);
    return count;
}

static void assert_one_end(struct fixture *f, int64_t at_ms)
{
    int64_t times[8];

    assert_int_equal(read_ends(f, times), 1);
    assert_int_equal(times[0], at_ms);
}

static size_t prune(struct fixture *f, int64_t now_ms, size_t most, bool more_expected)
{
    size_t removed = 99;
    bool more = !more_expected;

    assert_store(STORE_OK, store_prune(f->store, now_ms, false, most, &removed, &more, &f->fault));
    assert_int_equal(more, more_expected);
    return removed;
}

/* Any write sweeps; this one is at now_ms and touches no session. */
static void write_something(struct fixture *f, int64_t now_ms)
{
    struct event event = {.at_ms = now_ms, .kind = EVENT_ACCOUNT};

    assert_store(STORE_OK, store_event_add(f->store, &event, &f->fault));
}

static uint64_t sessions(struct fixture *f)
{
    return fixture_stat(f).entries[TABLE_SESSIONS];
}

static void rotation_leaves_the_indices_alone(void **state)
{
    struct fixture *f = *state;
    struct env_stat before;

    fixture_account(f, "ada");
    fixture_add_session(f, 1);
    assert_one_end(f, FIXTURE_NOW + 10000 + FIXTURE_KEEP);
    before = fixture_stat(f);
    for (uint32_t from = 0; from < 50; from++) {
        struct store_rotation rotation = fixture_rotation(1, from, FIXTURE_NOW + from);

        rotation.expires_ms = FIXTURE_NOW + 20000 + from;
        assert_store(STORE_OK, store_session_rotate(f->store, &rotation, &f->fault));
    }
    assert_one_end(f, FIXTURE_NOW + 10000 + FIXTURE_KEEP);
    assert_memory_equal(before.entries, fixture_stat(f).entries, sizeof before.entries);
    assert_memory_equal(before.pages, fixture_stat(f).pages, sizeof before.pages);
    assert_int_equal(fixture_findings(f), 0);
}

static void expired_sessions_leave_after_their_time(void **state)
{
    struct fixture *f = *state;
    int64_t due_ms = FIXTURE_NOW + 10000 + FIXTURE_KEEP;

    fixture_add_session(f, 1);
    write_something(f, due_ms - 1);
    assert_int_equal(sessions(f), 1);
    write_something(f, due_ms);
    assert_int_equal(sessions(f), 0);
    assert_int_equal(fixture_stat(f).entries[TABLE_OWNERS], 0);
    assert_int_equal(fixture_stat(f).entries[TABLE_ENDS], 0);
    assert_int_equal(fixture_findings(f), 0);
}

static void renewed_sessions_move_their_entry_when_its_time_comes(void **state)
{
    struct fixture *f = *state;
    struct store_rotation rotation = fixture_rotation(1, 0, FIXTURE_NOW + 5000);

    fixture_account(f, "ada");
    fixture_add_session(f, 1);
    rotation.expires_ms = FIXTURE_NOW + 90000;
    assert_store(STORE_OK, store_session_rotate(f->store, &rotation, &f->fault));
    write_something(f, FIXTURE_NOW + 10000 + FIXTURE_KEEP);
    assert_int_equal(sessions(f), 1);
    assert_one_end(f, FIXTURE_NOW + 90000 + FIXTURE_KEEP);
    assert_int_equal(fixture_findings(f), 0);
    write_something(f, FIXTURE_NOW + 90000 + FIXTURE_KEEP);
    assert_int_equal(sessions(f), 0);
}

static void ended_sessions_leave_earlier(void **state)
{
    struct fixture *f = *state;

    fixture_add_session(f, 1);
    assert_store(STORE_OK, store_session_end(f->store, fixture_session(1).id, SESSION_ENDED_ADMIN,
                                             FIXTURE_NOW + 10, NULL, &f->fault));
    assert_one_end(f, FIXTURE_NOW + 10 + FIXTURE_KEEP);
    assert_int_equal(fixture_findings(f), 0);
    write_something(f, FIXTURE_NOW + 9 + FIXTURE_KEEP);
    assert_int_equal(sessions(f), 1);
    write_something(f, FIXTURE_NOW + 10 + FIXTURE_KEEP);
    assert_int_equal(sessions(f), 0);
}

static void shorter_lifetimes_move_the_entry_at_once(void **state)
{
    struct fixture *f = *state;
    struct store_rotation rotation = fixture_rotation(1, 0, FIXTURE_NOW + 10);

    fixture_account(f, "ada");
    fixture_add_session(f, 1);
    rotation.expires_ms = FIXTURE_NOW + 100;
    assert_store(STORE_OK, store_session_rotate(f->store, &rotation, &f->fault));
    assert_one_end(f, FIXTURE_NOW + 100 + FIXTURE_KEEP);
    assert_int_equal(fixture_findings(f), 0);
}

static void sessions_without_expiry_get_an_entry_when_they_end(void **state)
{
    struct fixture *f = *state;
    struct session session = fixture_session(1);
    int64_t times[8];

    session.expires_ms = 0;
    assert_store(STORE_OK, store_session_create(f->store, &session, NULL, &f->fault));
    assert_int_equal(read_ends(f, times), 0);
    write_something(f, INT64_MAX);
    assert_int_equal(sessions(f), 1);
    assert_store(STORE_OK, store_session_end(f->store, session.id, SESSION_ENDED_ADMIN,
                                             FIXTURE_NOW + 10, NULL, &f->fault));
    assert_one_end(f, FIXTURE_NOW + 10 + FIXTURE_KEEP);
    assert_int_equal(prune(f, FIXTURE_NOW + 10 + FIXTURE_KEEP, 10, false), 1);
}

static void sessions_that_lose_or_gain_an_expiry_keep_one_entry(void **state)
{
    struct fixture *f = *state;
    struct store_rotation rotation = fixture_rotation(1, 0, FIXTURE_NOW + 10);
    int64_t times[8];

    fixture_account(f, "ada");
    fixture_add_session(f, 1);
    rotation.expires_ms = 0;
    assert_store(STORE_OK, store_session_rotate(f->store, &rotation, &f->fault));
    write_something(f, FIXTURE_NOW + 10000 + FIXTURE_KEEP);
    assert_int_equal(sessions(f), 1);
    assert_int_equal(read_ends(f, times), 0);
    assert_int_equal(fixture_findings(f), 0);
    rotation.from = 1;
    rotation.to = rotation.from + 1;
    rotation.expires_ms = FIXTURE_NOW + 500;
    assert_store(STORE_OK, store_session_rotate(f->store, &rotation, &f->fault));
    assert_one_end(f, FIXTURE_NOW + 500 + FIXTURE_KEEP);
    assert_int_equal(fixture_findings(f), 0);
}

/* ---- sweeping by a clock that is wrong ---- */

static const int64_t day_ms = CLOCK_DAY;

/* A store whose clock is right so far, with sessions that expire in a minute, in 40 days, and
 * never; the second has been ended. */
static void open_for_a_wrong_clock(struct fixture *f)
{
    struct session session;

    fixture_open_with_clock(
        f, (struct clock_moment){.wall_ms = FIXTURE_NOW, .boot = 7, .boot_ms = 1000});
    fixture_account(f, "ada");
    for (uint32_t n = 1; n <= 30; n++) {
        session = fixture_session(n);
        session.expires_ms = FIXTURE_NOW + (n % 3 == 0   ? CLOCK_MINUTE
                                            : n % 3 == 1 ? 40 * day_ms
                                                         : 400 * day_ms);
        assert_store(STORE_OK, store_session_create(f->store, &session, NULL, &f->fault));
    }
    assert_store(STORE_OK, store_session_end(f->store, fixture_session(2).id, SESSION_ENDED_ADMIN,
                                             FIXTURE_NOW, NULL, &f->fault));
}

/* So many writes, each by a process of its own, in so much time by the clock that cannot jump. */
static void write_much(struct fixture *f, int writes, int64_t passes_ms)
{
    for (int i = 0; i < writes; i++) {
        f->now.wall_ms += passes_ms / writes;
        f->now.boot_ms += passes_ms / writes;
        fixture_close(f);
        fixture_open(f);
        write_something(f, f->now.wall_ms);
    }
}

static void a_clock_that_is_ahead_removes_nothing(void **state)
{
    static const int64_t jumps[] = {61, 3650};
    struct fixture *f = *state;
    struct fault notice;
    int64_t ahead_ms;

    open_for_a_wrong_clock(f);
    for (size_t i = 0; i < 2; i++) {
        f->now.wall_ms += jumps[i] * day_ms;
        assert_store(STORE_OK, store_clock_ahead(f->store, f->now.wall_ms, &ahead_ms, &f->fault));
        assert_int_equal(ahead_ms, jumps[i] * day_ms);
        assert_int_equal(prune(f, f->now.wall_ms, 100, false), i == 0 ? 11 : 0);
        write_much(f, 30, CLOCK_SECOND);
        f->now.wall_ms -= jumps[i] * day_ms; /* mended */
        write_something(f, f->now.wall_ms);
        /* The ten that were due within a day, and the ended one; see keep_ended_ms. */
        assert_int_equal(sessions(f), 19);
    }
    assert_store(STORE_OK, store_clock_ahead(f->store, f->now.wall_ms, &ahead_ms, &f->fault));
    assert_int_equal(ahead_ms, 0);
    for (uint32_t n = 1; n <= 30; n++) {
        if (n % 3 == 1) {
            assert_int_equal(fixture_find(f, n).end, SESSION_LIVE);
        }
    }
    /* What is due when the time has really passed goes. */
    write_much(f, 40, 45 * day_ms);
    assert_int_equal(sessions(f), 9);
    assert_false(store_notice(f->store, &notice));
    assert_int_equal(fixture_findings(f), 0);
}

/* The first process that meets it says so, and the first that finds it mended. */
static void a_clock_that_is_ahead_is_told_once(void **state)
{
    struct fixture *f = *state;
    struct fault notice;

    open_for_a_wrong_clock(f);
    assert_false(store_notice(f->store, &notice));
    f->now.wall_ms += 61 * day_ms;
    write_something(f, f->now.wall_ms);
    assert_true(store_notice(f->store, &notice));
    assert_string_equal(notice.text,
                        "the clock is 61 days ahead of the time that has passed: until it is set "
                        "right, ended sessions stay in the store; if it is right, `retoken store "
                        "prune`");
    for (int i = 0; i < 3; i++) {
        assert_false(store_notice(f->store, &notice));
        write_much(f, 1, CLOCK_HOUR);
    }
    assert_false(store_notice(f->store, &notice));
    f->now.wall_ms -= 61 * day_ms;
    write_something(f, f->now.wall_ms);
    assert_true(store_notice(f->store, &notice));
    assert_string_equal(notice.text, "the clock agrees with the time that has passed again");
    assert_false(store_notice(f->store, &notice));
}

static void pruning_can_be_told_that_the_clock_is_right(void **state)
{
    struct fixture *f = *state;
    size_t removed;
    int64_t ahead_ms;
    bool more;

    open_for_a_wrong_clock(f);
    f->now.wall_ms += 61 * day_ms;
    assert_store(STORE_OK,
                 store_prune(f->store, f->now.wall_ms, true, 100, &removed, &more, &f->fault));
    assert_int_equal(removed, 21);
    assert_store(STORE_OK, store_clock_ahead(f->store, f->now.wall_ms, &ahead_ms, &f->fault));
    assert_int_equal(ahead_ms, 0);
}

/* A machine that starts without knowing the time, and serves for 40 days. */
static void a_clock_that_is_behind_ends_nothing(void **state)
{
    const int64_t idle_ms = 30 * day_ms;
    const int64_t right_ms = FIXTURE_NOW + 3650 * day_ms;
    struct fixture *f = *state;
    struct store_rotation rotation = fixture_rotation(1, 0, 0);
    struct session session = fixture_session(2);
    int64_t ahead_ms;

    fixture_open_with_clock(f,
                            (struct clock_moment){.wall_ms = right_ms, .boot = 7, .boot_ms = 1000});
    fixture_account(f, "ada");
    fixture_add_session(f, 1);
    f->now.wall_ms = FIXTURE_NOW;
    session.expires_ms = FIXTURE_NOW + idle_ms;
    assert_store(STORE_OK, store_session_create(f->store, &session, NULL, &f->fault));
    session = fixture_find(f, 2);
    assert_int_equal(session.created_ms, right_ms);
    assert_int_equal(session.used_ms, right_ms);
    assert_int_equal(session.expires_ms, right_ms + idle_ms);
    assert_int_equal(session.ended_ms, 0);
    f->now.wall_ms += 40 * day_ms;
    f->now.boot_ms += 40 * day_ms;
    assert_store(STORE_OK, store_clock_ahead(f->store, f->now.wall_ms, &ahead_ms, &f->fault));
    assert_int_equal(ahead_ms, -3650 * day_ms);
    rotation.now_ms = f->now.wall_ms;
    rotation.expires_ms = right_ms + idle_ms; /* from the last use that the record knows */
    memcpy(rotation.id, session.id, sizeof rotation.id);
    assert_store(STORE_OK, store_session_rotate(f->store, &rotation, &f->fault));
    session = fixture_find(f, 2);
    assert_int_equal(session.used_ms, right_ms + 40 * day_ms);
    assert_int_equal(session.expires_ms, right_ms + 40 * day_ms + idle_ms);
    assert_store(STORE_OK,
                 store_session_touch(f->store, session.id, 1, f->now.wall_ms, 0, &f->fault));
    assert_int_equal(fixture_find(f, 2).expires_ms, 0);
    assert_int_equal(fixture_findings(f), 0);
}

static void a_write_sweeps_a_few_only(void **state)
{
    struct fixture *f = *state;

    for (uint32_t n = 0; n < 10; n++) {
        fixture_add_session(f, n);
    }
    write_something(f, FIXTURE_NOW + 90000);
    assert_int_equal(sessions(f), 6);
    write_something(f, FIXTURE_NOW + 90000);
    write_something(f, FIXTURE_NOW + 90000);
    assert_int_equal(sessions(f), 0);
}

static void prune_removes_up_to_most_and_tells_of_more(void **state)
{
    struct fixture *f = *state;
    int64_t due_ms = FIXTURE_NOW + 10000 + FIXTURE_KEEP;

    for (uint32_t n = 0; n < 250; n++) {
        fixture_add_session(f, n);
    }
    assert_int_equal(prune(f, due_ms - 1, 1000, false), 0);
    assert_int_equal(prune(f, due_ms, 20, true), 20);
    assert_int_equal(sessions(f), 230);
    assert_int_equal(prune(f, due_ms, 230, false), 230); /* in several batches */
    assert_int_equal(sessions(f), 0);
    assert_int_equal(prune(f, due_ms, 1, false), 0);
}

static void stored_alias_leaves_with_its_session(void **state)
{
    struct fixture *f = *state;
    struct session session = fixture_session(1);

    session.has_alias = true;
    memset(session.alias, 0x42, sizeof session.alias);
    assert_store(STORE_OK, store_session_create(f->store, &session, NULL, &f->fault));
    assert_int_equal(prune(f, FIXTURE_NOW + 90000, 9, false), 1);
    assert_int_equal(fixture_stat(f).entries[TABLE_ALIASES], 0);
}

enum { GENERATIONS = 100 /* more than one write may remove */ };

static void create_with_derived_aliases(struct fixture *f)
{
    struct session session = fixture_session(1);

    fixture_account(f, "ada");
    session.has_derived_aliases = true;
    assert_store(STORE_OK, store_session_create(f->store, &session, NULL, &f->fault));
    for (uint32_t from = 0; from < GENERATIONS; from++) {
        struct store_rotation rotation = fixture_rotation(1, from, FIXTURE_NOW + from);

        rotation.has_alias = true;
        fixture_derived(1, from + 1, rotation.alias);
        assert_store(STORE_OK, store_session_rotate(f->store, &rotation, &f->fault));
    }
    assert_int_equal(fixture_stat(f).entries[TABLE_ALIASES], GENERATIONS + 1);
}

static void derived_aliases_leave_step_by_step(void **state)
{
    struct fixture *f = *state;
    uint64_t left = GENERATIONS + 1;
    int writes = 0;

    create_with_derived_aliases(f);
    while (sessions(f) > 0) {
        uint64_t now;

        write_something(f, FIXTURE_NOW + 90000);
        now = fixture_stat(f).entries[TABLE_ALIASES];
        assert_true(now < left && left - now <= 32);
        left = now;
        assert_int_equal(fixture_findings(f), 0);
        writes++;
    }
    assert_int_equal(writes, 4);
    assert_int_equal(left, 0);
}

static void prune_removes_derived_aliases_too(void **state)
{
    struct fixture *f = *state;

    create_with_derived_aliases(f);
    assert_int_equal(prune(f, FIXTURE_NOW + 90000, 1, false), 1);
    assert_int_equal(fixture_stat(f).entries[TABLE_ALIASES], 0);
    assert_int_equal(fixture_findings(f), 0);
}

/* ---- damage ---- */

static struct env_bytes bytes_of(const struct rows_key *key)
{
    return (struct env_bytes){key->bytes, key->size};
}

static void damaged_records_are_faults(void **state)
{
    struct fixture *f = *state;
    struct session session = fixture_session(1);
    struct store_rotation rotation = fixture_rotation(1, 0, FIXTURE_NOW + 1);
    static struct session_view grant;

    fixture_account(f, "ada");
    fixture_add_session(f, 1);
    for (size_t at = 0; at < 130; at++) {
        fixture_damage_first(f, TABLE_SESSIONS, at);
        assert_store(STORE_FAULT, store_session_view(f->store, session.id, &grant, &f->fault));
        assert_non_null(strstr(f->fault.text, "damaged or was changed by hand"));
        assert_non_null(strstr(f->fault.text, "retoken store check"));
        assert_store(STORE_FAULT, store_session_rotate(f->store, &rotation, &f->fault));
        fixture_damage_first(f, TABLE_SESSIONS, at); /* and back */
        assert_store(STORE_OK, store_session_view(f->store, session.id, &grant, &f->fault));
    }
}

/* Each table's record is covered, and each damage is one finding of store_check. */
static void damage_anywhere_is_found(void **state)
{
    struct fixture *f = *state;
    struct session session = fixture_session(1);
    struct client web = {.enabled = true, .id = "web"};
    static struct signing_row row = {.state = SIGNING_ACTIVE, .kid = "k"}, rows[1];
    static struct event event, events[1];
    static struct account account;
    uint8_t id[SESSION_ID_SIZE];
    uint32_t generation;
    uint64_t version;
    size_t count;

    fixture_account(f, "ada");
    session.has_alias = true;
    assert_store(STORE_OK, store_session_create(f->store, &session, NULL, &f->fault));
    assert_store(STORE_OK, store_client_add(f->store, &web, &f->fault));
    assert_store(STORE_OK, store_key_add(f->store, &row, &f->fault));
    event.at_ms = FIXTURE_NOW;
    assert_store(STORE_OK, store_event_add(f->store, &event, &f->fault));
    assert_int_equal(fixture_findings(f), 0);

    fixture_damage_first(f, TABLE_ALIASES, 19);
    assert_store(STORE_FAULT,
                 store_alias_find(f->store, session.alias, id, &generation, &f->fault));
    assert_int_equal(fixture_findings(f), 1);
    fixture_damage_first(f, TABLE_ACCOUNTS, 1);
    assert_store(STORE_FAULT, store_account_find(f->store, "ada", &account, &f->fault));
    assert_int_equal(fixture_findings(f), 2);
    fixture_damage_first(f, TABLE_NAMES, 7);
    assert_store(STORE_FAULT, store_account_find(f->store, "ada", &account, &f->fault));
    fixture_damage_first(f, TABLE_CLIENTS, 1);
    assert_store(STORE_FAULT, store_client_find(f->store, "web", &web, &f->fault));
    fixture_damage_first(f, TABLE_KEYS, 2);
    assert_store(STORE_FAULT, store_key_list(f->store, true, rows, 1, &count, &f->fault));
    fixture_damage_first(f, TABLE_EVENTS, 30);
    assert_store(STORE_FAULT, store_event_list(f->store, NULL, events, 1, &count, &f->fault));
    fixture_damage_first(f, TABLE_META, 8); /* "counters" */
    assert_store(STORE_FAULT, store_keyring_version(f->store, &version, &f->fault));
    assert_store(STORE_FAULT, store_event_add(f->store, &event, &f->fault));
    assert_true(fixture_findings(f) >= 7);
}

/* A record copied from one key to another has a right MAC, but not there. */
static void transplanted_records_are_faults(void **state)
{
    struct fixture *f = *state;
    struct session mine = fixture_session(1), other = fixture_session(2);
    static struct session_view grant;
    struct env_bytes value;
    struct rows rows;
    uint8_t copy[RECORD_SIZE_MAX];

    fixture_add_session(f, 1);
    fixture_add_session(f, 2);
    fixture_read_begin(f, &rows);
    assert_int_equal(env_get(&rows.txn, TABLE_SESSIONS, (struct env_bytes){mine.id, sizeof mine.id},
                             &value, &f->fault),
                     ENV_OK);
    memcpy(copy, value.data, value.size);
    fixture_read_end(&rows);
    fixture_put_raw(f, TABLE_SESSIONS, (struct env_bytes){other.id, sizeof other.id},
                    (struct env_bytes){copy, value.size});
    assert_store(STORE_OK, store_session_view(f->store, mine.id, &grant, &f->fault));
    assert_store(STORE_FAULT, store_session_view(f->store, other.id, &grant, &f->fault));
}

struct heard {
    char line[400];
    uint64_t lines, progress;
};

static void hear(void *self, const char *line)
{
    struct heard *heard = self;

    snprintf(heard->line, sizeof heard->line, "%s", line);
    heard->lines++;
}

static void hear_progress(void *self, uint64_t done, uint64_t total)
{
    struct heard *heard = self;

    assert_true(done <= total);
    heard->progress++;
}

static void assert_finding(struct fixture *f, const char *words)
{
    struct heard heard = {.lines = 0};
    struct store_check check = {hear, hear_progress, &heard};
    uint64_t findings;

    assert_store(STORE_OK, store_check(f->store, &check, &findings, &f->fault));
    assert_int_equal(findings, heard.lines);
    assert_true(findings >= 1);
    if (strstr(heard.line, words) == NULL) {
        fail_msg("the finding should say \"%s\": %s", words, heard.line);
    }
}

static void check_finds_index_entries_that_lead_nowhere(void **state)
{
    struct fixture *f = *state;
    struct rows_key owner = rows_owner_key(1, fixture_session(8).id);
    struct rows_key end = rows_end_key(5, fixture_session(8).id);
    struct env_bytes nothing = {"", 0};

    fixture_put_raw(f, TABLE_OWNERS, bytes_of(&owner), nothing);
    assert_finding(f, "account 1 lists session");
    fixture_remove_raw(f, TABLE_OWNERS, bytes_of(&owner));
    fixture_put_raw(f, TABLE_ENDS, bytes_of(&end), nothing);
    assert_finding(f, "an entry in ends leads to session");
    write_something(f, FIXTURE_NOW); /* the sweeper drops it */
    assert_int_equal(fixture_findings(f), 0);
    fixture_put_raw(f, TABLE_ENDS, (struct env_bytes){"odd", 3}, nothing);
    assert_finding(f, "a key of 3 bytes in ends");
}

static void check_finds_missing_index_entries(void **state)
{
    struct fixture *f = *state;
    struct session session = fixture_session(1);
    struct rows_key owner = rows_owner_key(1, session.id);
    struct rows_key end = rows_end_key(FIXTURE_NOW + 10000 + FIXTURE_KEEP, session.id);
    struct env_bytes nothing = {"", 0};

    session.has_alias = true;
    assert_store(STORE_OK, store_session_create(f->store, &session, NULL, &f->fault));
    fixture_remove_raw(f, TABLE_OWNERS, bytes_of(&owner));
    assert_finding(f, "not listed under its account 1");
    fixture_put_raw(f, TABLE_OWNERS, bytes_of(&owner), nothing);
    fixture_remove_raw(f, TABLE_ENDS, bytes_of(&end));
    assert_finding(f, "no entry in ends");
    fixture_put_raw(f, TABLE_ENDS, bytes_of(&end), nothing);
    fixture_remove_raw(f, TABLE_ALIASES, (struct env_bytes){session.alias, sizeof session.alias});
    assert_finding(f, "the alias of its first token is missing");
}

static void check_tells_its_progress(void **state)
{
    struct fixture *f = *state;
    struct heard heard = {.lines = 0};
    struct store_check check = {hear, hear_progress, &heard};
    int many = 2500;
    uint64_t findings;

    assert_store(STORE_OK, fixture_write(f, apply_events, &many, &f->fault));
    assert_store(STORE_OK, store_check(f->store, &check, &findings, &f->fault));
    assert_int_equal(findings, 0);
    assert_int_equal(heard.progress, 2);
}

/* One damaged session must not keep the others from being swept. */
static void sweeping_passes_over_a_damaged_record(void **state)
{
    struct fixture *f = *state;

    fixture_add_session(f, 1);
    fixture_add_session(f, 2);
    fixture_damage_first(f, TABLE_SESSIONS, 20);
    write_something(f, FIXTURE_NOW + 90000);
    assert_int_equal(sessions(f), 1);
    assert_int_equal(prune(f, FIXTURE_NOW + 90000, 10, false), 0);
}

/* ---- the store itself ---- */

static void assert_fact(struct fixture *f, const char *name, uint64_t expected)
{
    struct store_fact facts[STORE_FACTS_MAX];
    size_t count;

    assert_store(STORE_OK, store_facts(f->store, facts, &count, &f->fault));
    for (size_t i = 0; i < count; i++) {
        if (strcmp(facts[i].name, name) == 0) {
            assert_int_equal(facts[i].number, expected);
            return;
        }
    }
    fail_msg("there is no fact \"%s\"", name);
}

/* ---- marks ---- */

static struct mark mark_of(enum mark_kind kind, uint8_t what, int64_t until_ms)
{
    struct mark mark = {.kind = kind, .at_ms = FIXTURE_NOW, .until_ms = until_ms};

    memset(mark.hash, what, sizeof mark.hash);
    memset(mark.note, what + 1, sizeof mark.note);
    return mark;
}

static enum store_result use_mark(struct fixture *f, enum store_mark_use use,
                                  const struct mark *mark)
{
    struct store_write write;

    store_prepare_attached(&write, mark->at_ms);
    store_attach_mark(&write, use, mark);
    return store_write(f->store, &write, &f->fault);
}

static void a_mark_is_made_once_until_it_is_over(void **state)
{
    struct fixture *f = *state;
    struct mark mark = mark_of(MARK_ASSERTION, 7, FIXTURE_NOW + 100);
    struct mark found;

    mark.owner[3] = 1;
    assert_store(STORE_ABSENT, store_mark_find(f->store, MARK_ASSERTION, mark.hash, FIXTURE_NOW,
                                               &found, &f->fault));
    assert_store(STORE_OK, use_mark(f, STORE_MARK_ONCE, &mark));
    assert_store(STORE_OK, store_mark_find(f->store, MARK_ASSERTION, mark.hash, FIXTURE_NOW + 99,
                                           &found, &f->fault));
    mark.count = 1;
    assert_memory_equal(&found.hash, mark.hash, sizeof mark.hash);
    assert_memory_equal(&found.owner, mark.owner, sizeof mark.owner);
    assert_memory_equal(&found.note, mark.note, sizeof mark.note);
    assert_int_equal(found.at_ms, FIXTURE_NOW);
    assert_int_equal(found.until_ms, FIXTURE_NOW + 100);
    assert_int_equal(found.count, 1);
    assert_store(STORE_ABSENT, store_mark_find(f->store, MARK_FAILURE, mark.hash, FIXTURE_NOW,
                                               &found, &f->fault));

    mark.at_ms = FIXTURE_NOW + 99;
    mark.until_ms = FIXTURE_NOW + 900;
    assert_store(STORE_EXISTS, use_mark(f, STORE_MARK_ONCE, &mark));
    assert_store(STORE_ABSENT, store_mark_find(f->store, MARK_ASSERTION, mark.hash,
                                               FIXTURE_NOW + 100, &found, &f->fault));
    mark.at_ms = FIXTURE_NOW + 100;
    assert_store(STORE_OK, use_mark(f, STORE_MARK_ONCE, &mark));
    assert_fact(f, "marks", 1);
    assert_int_equal(fixture_findings(f), 0);
    fixture_close(f);
    fixture_open(f);
    assert_store(STORE_EXISTS, use_mark(f, STORE_MARK_ONCE, &mark));
}

static void marks_are_counted_up_and_cleared(void **state)
{
    struct fixture *f = *state;
    struct mark mark = mark_of(MARK_FAILURE, 7, FIXTURE_NOW + 100);
    struct mark found;

    assert_store(STORE_OK, use_mark(f, STORE_MARK_COUNT, &mark));
    mark.at_ms = FIXTURE_NOW + 50;
    mark.until_ms = FIXTURE_NOW + 200;
    mark.note[0] = 0x99;
    assert_store(STORE_OK, use_mark(f, STORE_MARK_COUNT, &mark));
    assert_store(STORE_OK, store_mark_find(f->store, MARK_FAILURE, mark.hash, FIXTURE_NOW + 150,
                                           &found, &f->fault));
    assert_int_equal(found.count, 2);
    assert_int_equal(found.at_ms, FIXTURE_NOW + 50);
    assert_int_equal(found.note[0], 0x99);
    assert_fact(f, "marks", 1);
    mark.at_ms = FIXTURE_NOW + 200; /* it is over: from the start */
    mark.until_ms = FIXTURE_NOW + 300;
    assert_store(STORE_OK, use_mark(f, STORE_MARK_COUNT, &mark));
    assert_store(STORE_OK, store_mark_find(f->store, MARK_FAILURE, mark.hash, FIXTURE_NOW + 250,
                                           &found, &f->fault));
    assert_int_equal(found.count, 1);
    assert_store(STORE_OK, use_mark(f, STORE_MARK_CLEAR, &mark));
    assert_store(STORE_OK, use_mark(f, STORE_MARK_CLEAR, &mark));
    assert_fact(f, "marks", 0);
    assert_int_equal(fixture_findings(f), 0);
}

static void a_mark_is_made_with_its_write_or_not_at_all(void **state)
{
    struct fixture *f = *state;
    struct mark first = mark_of(MARK_ASSERTION, 1, FIXTURE_NOW + 100);
    struct mark second = mark_of(MARK_ASSERTION, 2, FIXTURE_NOW + 100);
    struct store_rotation rotation = fixture_rotation(1, 0, FIXTURE_NOW);
    struct store_write write;
    struct mark found;

    fixture_account(f, "ada");
    fixture_add_session(f, 1);
    store_prepare_rotate(&write, &rotation);
    store_attach_mark(&write, STORE_MARK_ONCE, &first);
    assert_store(STORE_OK, store_write(f->store, &write, &f->fault));
    assert_int_equal(fixture_find(f, 1).generation, 1);

    rotation = fixture_rotation(1, 1, FIXTURE_NOW);
    store_prepare_rotate(&write, &rotation);
    store_attach_mark(&write, STORE_MARK_ONCE, &first);
    assert_store(STORE_EXISTS, store_write(f->store, &write, &f->fault));
    assert_int_equal(fixture_find(f, 1).generation, 1);

    rotation = fixture_rotation(1, 0, FIXTURE_NOW);
    store_prepare_rotate(&write, &rotation);
    store_attach_mark(&write, STORE_MARK_ONCE, &second);
    store_attach_mark(&write, STORE_MARK_CLEAR, &first);
    assert_store(STORE_STALE, store_write(f->store, &write, &f->fault));
    assert_store(STORE_ABSENT, store_mark_find(f->store, MARK_ASSERTION, second.hash, FIXTURE_NOW,
                                               &found, &f->fault));
    assert_store(STORE_OK, store_mark_find(f->store, MARK_ASSERTION, first.hash, FIXTURE_NOW,
                                           &found, &f->fault));
    assert_int_equal(fixture_findings(f), 0);
}

static void marks_that_are_over_are_swept(void **state)
{
    struct fixture *f = *state;

    for (uint8_t n = 0; n < 20; n++) {
        struct mark mark = mark_of(n % 2 == 0 ? MARK_ASSERTION : MARK_FAILURE, n, FIXTURE_NOW + n);

        mark.owner[0] = n / 4;
        assert_store(STORE_OK, use_mark(f, STORE_MARK_COUNT, &mark));
    }
    write_something(f, FIXTURE_NOW + 10);
    write_something(f, FIXTURE_NOW + 10);
    assert_fact(f, "marks", 9);
    assert_int_equal(fixture_findings(f), 0);
    for (int i = 0; i < 5; i++) {
        write_something(f, FIXTURE_NOW + 1000);
    }
    assert_int_equal(fixture_stat(f).entries[TABLE_MARKS], 0);
    assert_int_equal(fixture_stat(f).entries[TABLE_MARK_ENDS], 0);
}

static void open_with_marks(struct fixture *f, size_t most)
{
    f->settings.marks_most = most;
    fixture_close(f);
    fixture_open(f);
}

/* Nobody takes the place of others: one owner has a quarter. */
static void an_owner_has_a_quarter_of_all_marks(void **state)
{
    struct fixture *f = *state;

    open_with_marks(f, 8);
    for (uint8_t n = 0; n < 6; n++) {
        struct mark mark = mark_of(MARK_ASSERTION, n, FIXTURE_NOW + 100 + n);

        mark.owner[0] = 1 + n / 3;
        assert_store(n % 3 < 2 ? STORE_OK : STORE_FAULT, use_mark(f, STORE_MARK_ONCE, &mark));
        mark.at_ms = FIXTURE_NOW + 1000; /* in the place of one that is over */
        mark.until_ms = FIXTURE_NOW + 2000;
        assert_store(n % 3 < 2 ? STORE_OK : STORE_FAULT, use_mark(f, STORE_MARK_ONCE, &mark));
    }
    assert_non_null(strstr(f->fault.text, "assertions"));
    assert_fact(f, "marks", 4);
    assert_int_equal(fixture_findings(f), 0);
}

/* Strangers cause failures: they never keep others from using an assertion, nor grow the store. */
static void failures_make_room(void **state)
{
    struct fixture *f = *state;
    struct mark found, mark = mark_of(MARK_FAILURE, 1, FIXTURE_NOW + 101);

    open_with_marks(f, 4);
    for (uint8_t n = 0; n < 9; n++) {
        struct mark failure = mark_of(MARK_FAILURE, n, FIXTURE_NOW + 100 + n);

        assert_store(STORE_OK, use_mark(f, STORE_MARK_COUNT, &failure));
    }
    assert_fact(f, "marks", 4);
    assert_store(STORE_ABSENT, store_mark_find(f->store, MARK_FAILURE, mark.hash, FIXTURE_NOW,
                                               &found, &f->fault));
    for (uint8_t n = 0; n < 4; n++) {
        mark = mark_of(MARK_ASSERTION, n, FIXTURE_NOW + 100);
        assert_store(STORE_OK, use_mark(f, STORE_MARK_ONCE, &mark));
    }
    mark = mark_of(MARK_ASSERTION, 9, FIXTURE_NOW + 100);
    assert_store(STORE_FAULT, use_mark(f, STORE_MARK_ONCE, &mark));
    mark = mark_of(MARK_FAILURE, 9, FIXTURE_NOW + 100);
    assert_store(STORE_FAULT, use_mark(f, STORE_MARK_COUNT, &mark));
    assert_fact(f, "marks", 4);
    assert_int_equal(fixture_findings(f), 0);
}

/* What is known has a quarter, of which the newest stay, and goes after the last failure. */
static void known_marks_have_a_quarter_and_go_last(void **state)
{
    struct fixture *f = *state;
    struct mark found, mark;

    open_with_marks(f, 8);
    for (uint8_t n = 0; n < 6; n++) {
        mark = mark_of(MARK_KNOWN, n, FIXTURE_NOW + 100 + n);
        mark.owner[0] = 1;
        assert_store(STORE_OK, use_mark(f, STORE_MARK_COUNT, &mark));
    }
    assert_fact(f, "marks", 2);
    for (uint8_t n = 0; n < 9; n++) {
        mark = mark_of(MARK_FAILURE, n, FIXTURE_NOW + 200 + n);
        assert_store(STORE_OK, use_mark(f, STORE_MARK_COUNT, &mark));
    }
    mark = mark_of(MARK_KNOWN, 4, 0);
    assert_store(STORE_OK,
                 store_mark_find(f->store, MARK_KNOWN, mark.hash, FIXTURE_NOW, &found, &f->fault));
    for (uint8_t n = 0; n < 7; n++) {
        mark = mark_of(MARK_ASSERTION, n, FIXTURE_NOW + 100);
        assert_store(STORE_OK, use_mark(f, STORE_MARK_ONCE, &mark));
    }
    mark = mark_of(MARK_KNOWN, 4, 0);
    assert_store(STORE_ABSENT,
                 store_mark_find(f->store, MARK_KNOWN, mark.hash, FIXTURE_NOW, &found, &f->fault));
    mark = mark_of(MARK_KNOWN, 5, 0);
    assert_store(STORE_OK,
                 store_mark_find(f->store, MARK_KNOWN, mark.hash, FIXTURE_NOW, &found, &f->fault));
    assert_fact(f, "marks", 8);
    assert_int_equal(fixture_findings(f), 0);
}

static void check_finds_marks_that_do_not_fit(void **state)
{
    struct fixture *f = *state;
    struct mark mark = mark_of(MARK_ASSERTION, 1, FIXTURE_NOW + 100);
    struct rows_key key = rows_mark_key(MARK_ASSERTION, mark.hash);
    struct rows_key end = rows_mark_end_key(MARK_ASSERTION, mark.until_ms, mark.hash);

    mark.owner[0] = 1;
    assert_store(STORE_OK, use_mark(f, STORE_MARK_ONCE, &mark));
    fixture_remove_raw(f, TABLE_MARK_ENDS, (struct env_bytes){end.bytes, end.size});
    assert_int_equal(fixture_findings(f), 1);
    fixture_put_raw(f, TABLE_MARK_ENDS, (struct env_bytes){end.bytes, end.size},
                    (struct env_bytes){"", 0});
    assert_int_equal(fixture_findings(f), 0);
    fixture_remove_raw(f, TABLE_MARKS, (struct env_bytes){key.bytes, key.size});
    assert_int_equal(fixture_findings(f), 2); /* and its owner's count */
    write_something(f, FIXTURE_NOW + 1000);
    assert_int_equal(fixture_stat(f).entries[TABLE_MARK_ENDS], 0);
}

/* It is a fault while it lasts, and is swept as any other. */
static void a_damaged_mark_leaves_too(void **state)
{
    struct fixture *f = *state;
    struct mark found, mark = mark_of(MARK_ASSERTION, 1, FIXTURE_NOW + 100);

    assert_store(STORE_OK, use_mark(f, STORE_MARK_ONCE, &mark));
    fixture_damage_first(f, TABLE_MARKS, 3);
    assert_int_equal(fixture_findings(f), 1);
    assert_store(STORE_FAULT, store_mark_find(f->store, MARK_ASSERTION, mark.hash, FIXTURE_NOW,
                                              &found, &f->fault));
    assert_store(STORE_FAULT, use_mark(f, STORE_MARK_ONCE, &mark));
    write_something(f, FIXTURE_NOW + 100);
    assert_int_equal(fixture_findings(f), 0);
    assert_int_equal(fixture_stat(f).entries[TABLE_MARKS], 0);
}

static void facts_and_remarks_tell_of_the_store(void **state)
{
    struct fixture *f = *state;
    struct session session = fixture_session(1);
    struct client web = {.id = "web"};
    static struct signing_row row = {.state = SIGNING_ACTIVE, .kid = "k"};
    struct store_fact facts[STORE_FACTS_MAX];
    struct store_remark remarks[STORE_REMARKS_MAX];
    size_t count;

    fixture_account(f, "ada");
    session.has_alias = true;
    assert_store(STORE_OK, store_session_create(f->store, &session, NULL, &f->fault));
    assert_store(STORE_OK, store_client_add(f->store, &web, &f->fault));
    assert_store(STORE_OK, store_key_add(f->store, &row, &f->fault));
    write_something(f, FIXTURE_NOW);
    write_something(f, FIXTURE_NOW);
    assert_fact(f, "sessions", 1);
    assert_fact(f, "aliases", 1);
    assert_fact(f, "accounts", 1);
    assert_fact(f, "clients", 1);
    assert_fact(f, "keys", 1);
    assert_fact(f, "events", 2);
    assert_fact(f, "format_version", 2);
    assert_store(STORE_OK, store_facts(f->store, facts, &count, &f->fault));
    assert_string_equal(facts[0].name, "engine");
    assert_true(facts[0].text[0] != '\0');
    assert_store(STORE_OK, store_remarks(f->store, remarks, &count, &f->fault));
    assert_true(count > 0);
    for (size_t i = 0; i < count; i++) {
        assert_false(remarks[i].warn);
        assert_true(remarks[i].text[0] != '\0');
    }
    assert_false(store_is_broken(f->store));
}

static void faults_may_go_unheard(void **state)
{
    struct fixture *f = *state;
    struct account nameless = {.enabled = true};
    static struct session_view grant;

    fixture_add_session(f, 1);
    fixture_damage_first(f, TABLE_SESSIONS, 0);
    assert_store(STORE_FAULT, store_session_view(f->store, fixture_session(1).id, &grant, NULL));
    assert_store(STORE_FAULT, store_account_add(f->store, &nameless, NULL));
}

static void a_snapshot_does_not_see_later_writes(void **state)
{
    struct fixture *f = *state;
    struct store_rotation rotation = fixture_rotation(1, 0, FIXTURE_NOW + 1);
    struct record_session found;
    struct rows rows;

    fixture_account(f, "ada");
    fixture_add_session(f, 1);
    fixture_read_begin(f, &rows);
    assert_store(STORE_OK, store_session_rotate(f->store, &rotation, &f->fault));
    fixture_add_session(f, 2);
    assert_true(rows_session_get(&rows, fixture_session(1).id, &found));
    assert_int_equal(found.session.generation, 0);
    assert_false(rows_session_get(&rows, fixture_session(2).id, &found));
    assert_false(rows.failed);
    fixture_read_end(&rows);
    assert_int_equal(fixture_find(f, 1).generation, 1);
}

/* The ordered table itself, against a plain array. */
static enum store_result apply_random(struct rows *rows, void *what)
{
    bool *there = what;
    uint32_t random = 1;

    for (int i = 0; i < 4000; i++) {
        struct rows_key key = {.size = 8};
        uint32_t n;

        random = random * 1664525u + 1013904223u;
        n = random >> 16 & 0xff;
        codec_put_u64(key.bytes, n + 1);
        if ((random >> 30) != 0) {
            rows_index_put(rows, TABLE_OWNERS, &key);
            there[n] = true;
        } else {
            if (rows_index_remove(rows, TABLE_OWNERS, &key) != there[n]) {
                rows_fail(rows, "key %u", (unsigned)n);
            }
            there[n] = false;
        }
    }
    return STORE_OK;
}

static void tables_are_ordered(void **state)
{
    struct fixture *f = *state;
    bool there[256] = {false};
    struct rows rows;
    struct rows_key key = rows_key_first(), back = rows_key_last();
    uint64_t count = 0;

    assert_store(STORE_OK, fixture_write(f, apply_random, there, &f->fault));
    fixture_read_begin(f, &rows);
    for (size_t n = 0; n < 256; n++) {
        if (there[n]) {
            assert_true(rows_next(&rows, TABLE_OWNERS, ENV_AFTER, &key));
            assert_int_equal(codec_get_u64(key.bytes), n + 1);
            assert_true(rows_next(&rows, TABLE_OWNERS, ENV_FROM, &key));
            assert_int_equal(codec_get_u64(key.bytes), n + 1);
            count++;
        }
    }
    assert_false(rows_next(&rows, TABLE_OWNERS, ENV_AFTER, &key));
    for (size_t n = 256; n-- > 0;) {
        if (there[n]) {
            assert_true(rows_next(&rows, TABLE_OWNERS, ENV_BEFORE, &back));
            assert_int_equal(codec_get_u64(back.bytes), n + 1);
        }
    }
    assert_false(rows_next(&rows, TABLE_OWNERS, ENV_BEFORE, &back));
    fixture_read_end(&rows);
    assert_int_equal(fixture_stat(f).entries[TABLE_OWNERS], count);
}

/* Every test on every kind of store. */
#define CONTRACT(test)                                                                             \
    {                                                                                              \
        "lmdb: " #test, test, fixture_lmdb, fixture_remove, NULL                                   \
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
        CONTRACT(clients_are_added_found_listed_and_removed),
        CONTRACT(client_is_changed_unless_another_did),
        CONTRACT(a_clients_sessions_end_with_it),
        CONTRACT(many_sessions_of_a_client_are_marked),
        CONTRACT(use_of_a_clients_secret_is_noted),
        CONTRACT(an_account_changes_and_its_sessions_end),
        CONTRACT(every_change_of_a_key_counts_the_keyring_version_up),
        CONTRACT(keys_are_listed_in_order_of_number),
        CONTRACT(grant_holds_all_that_a_decision_needs),
        CONTRACT(ids_and_aliases_are_unique),
        CONTRACT(sessions_are_handed_in_together),
        CONTRACT(aliases_name_session_and_generation),
        CONTRACT(a_pending_session_begins_once),
        CONTRACT(a_pending_session_takes_no_others_place),
        CONTRACT(a_pending_session_is_swept),
        CONTRACT(a_device_is_approved_once),
        CONTRACT(only_a_waiting_device_is_approved),
        CONTRACT(a_denial_of_what_was_approved_is_stale),
        CONTRACT(what_was_approved_ends_with_its_account),
        CONTRACT(successors_alias_is_never_taken_from_another),
        CONTRACT(rotation_is_a_compare_and_set),
        CONTRACT(the_last_eight_spending_times_are_kept),
        CONTRACT(wide_and_backward_steps_of_the_clock_are_kept),
        CONTRACT(rolling_forward_skips_generations),
        CONTRACT(rotation_and_touch_need_a_live_session_and_an_enabled_account),
        CONTRACT(clients_own_sessions_need_no_account),
        CONTRACT(use_of_a_secret_is_noted_alone),
        CONTRACT(ended_sessions_do_not_rotate),
        CONTRACT(touch_notes_the_use_and_nothing_else),
        CONTRACT(last_generation_is_a_fault_not_a_wrap),
        CONTRACT(end_and_its_event_are_one_commit),
        CONTRACT(ending_again_adds_only_the_event),
        CONTRACT(an_end_can_depend_on_what_was_read),
        CONTRACT(the_epoch_ends_all_sessions_at_once),
        CONTRACT(an_update_never_takes_an_epoch_back),
        CONTRACT(all_sessions_of_an_account_end),
        CONTRACT(sessions_are_listed_in_order_of_creation),
        CONTRACT(events_are_listed_newest_first),
        CONTRACT(an_account_has_so_many_sessions),
        CONTRACT(an_account_may_have_a_limit_of_its_own),
        CONTRACT(a_record_is_kept_until_its_time),
        CONTRACT(newest_events_are_kept),
        CONTRACT(an_event_told_again_is_counted),
        CONTRACT(a_flood_pushes_out_only_its_own_class),
        CONTRACT(rotation_leaves_the_indices_alone),
        CONTRACT(expired_sessions_leave_after_their_time),
        CONTRACT(renewed_sessions_move_their_entry_when_its_time_comes),
        CONTRACT(ended_sessions_leave_earlier),
        CONTRACT(shorter_lifetimes_move_the_entry_at_once),
        CONTRACT(sessions_without_expiry_get_an_entry_when_they_end),
        CONTRACT(sessions_that_lose_or_gain_an_expiry_keep_one_entry),
        CONTRACT(a_clock_that_is_ahead_removes_nothing),
        CONTRACT(a_clock_that_is_ahead_is_told_once),
        CONTRACT(pruning_can_be_told_that_the_clock_is_right),
        CONTRACT(a_clock_that_is_behind_ends_nothing),
        CONTRACT(a_write_sweeps_a_few_only),
        CONTRACT(prune_removes_up_to_most_and_tells_of_more),
        CONTRACT(stored_alias_leaves_with_its_session),
        CONTRACT(derived_aliases_leave_step_by_step),
        CONTRACT(prune_removes_derived_aliases_too),
        CONTRACT(damaged_records_are_faults),
        CONTRACT(damage_anywhere_is_found),
        CONTRACT(transplanted_records_are_faults),
        CONTRACT(check_finds_index_entries_that_lead_nowhere),
        CONTRACT(check_finds_missing_index_entries),
        CONTRACT(check_tells_its_progress),
        CONTRACT(sweeping_passes_over_a_damaged_record),
        CONTRACT(a_mark_is_made_once_until_it_is_over),
        CONTRACT(marks_are_counted_up_and_cleared),
        CONTRACT(a_mark_is_made_with_its_write_or_not_at_all),
        CONTRACT(marks_that_are_over_are_swept),
        CONTRACT(an_owner_has_a_quarter_of_all_marks),
        CONTRACT(failures_make_room),
        CONTRACT(known_marks_have_a_quarter_and_go_last),
        CONTRACT(check_finds_marks_that_do_not_fit),
        CONTRACT(a_damaged_mark_leaves_too),
        CONTRACT(facts_and_remarks_tell_of_the_store),
        CONTRACT(faults_may_go_unheard),
        CONTRACT(a_snapshot_does_not_see_later_writes),
        CONTRACT(tables_are_ordered),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
