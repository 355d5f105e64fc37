/* SPDX-License-Identifier: ISC */
/* The store's contract on clients: what is written comes back, changes, and the sessions that end
 * with a client. CONTRACT runs each test on every kind of store. */
#include "store/fixture.h"

#include <string.h>

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

int main(void)
{
    const struct CMUnitTest tests[] = {
        CONTRACT(clients_are_added_found_listed_and_removed),
        CONTRACT(client_is_changed_unless_another_did),
        CONTRACT(a_clients_sessions_end_with_it),
        CONTRACT(many_sessions_of_a_client_are_marked),
        CONTRACT(use_of_a_clients_secret_is_noted),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
