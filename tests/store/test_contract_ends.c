/* SPDX-License-Identifier: ISC */
/* The store's contract on ends of sessions: alone, with what was read, and all of an account.
 * CONTRACT runs each test on every kind of store. */
#include "store/fixture.h"

static size_t count_events(struct fixture *f, const uint8_t *session)
{
    static struct event rows[100];
    size_t count;

    assert_store(STORE_OK, store_event_list(f->store, session, 0, rows, 100, &count, &f->fault));
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
    commits = fixture_commits(f);
    assert_store(STORE_OK, store_session_end(f->store, session.id, SESSION_ENDED_REUSE,
                                             FIXTURE_NOW + 3, &event, &f->fault));
    assert_int_equal(fixture_commits(f), commits + 1);
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

/* ---- all of a client, of a realm, or all ---- */

static enum store_result end_realm(struct fixture *f, const char *realm, size_t *count)
{
    struct event event = {.at_ms = FIXTURE_NOW, .kind = EVENT_REVOKED};
    struct store_write write;
    uint64_t commits = fixture_commits(f);

    store_prepare_end_realm(&write, realm, SESSION_ENDED_ADMIN, FIXTURE_NOW);
    store_attach_event(&write, &event);
    if (count != NULL) {
        return store_write_and_mark(f->store, &write, count, &f->fault);
    }
    assert_store(STORE_OK, store_write(f->store, &write, &f->fault));
    assert_int_equal(fixture_commits(f), commits + 1);
    return STORE_OK;
}

static void add_in(struct fixture *f, uint32_t n, const char *realm, uint64_t account,
                   enum session_pending pending)
{
    struct session session = fixture_session(n);

    session.account = account;
    session.pending = pending;
    (void)text_copy(text_of(realm), session.realm, sizeof session.realm);
    assert_store(STORE_OK, store_session_create(f->store, &session, NULL, &f->fault));
}

static enum store_result rotate(struct fixture *f, uint32_t n)
{
    struct store_rotation rotation = fixture_rotation(n, 0, FIXTURE_NOW + 1);

    return store_session_rotate(f->store, &rotation, &f->fault);
}

/* One write, before any record says so; others go on, and new ones begin. */
static void a_realm_ends_at_once(void **state)
{
    struct fixture *f = *state;
    struct session listed[4];
    size_t count;

    fixture_account(f, "ada");
    add_in(f, 1, "shop", 1, SESSION_BEGUN);
    add_in(f, 2, "bank", 1, SESSION_BEGUN);
    end_realm(f, "shop", NULL);
    assert_int_equal(count_events(f, NULL), 1);
    assert_int_equal(fixture_find(f, 1).end, SESSION_ENDED_ADMIN);
    assert_int_equal(fixture_find(f, 1).ended_ms, FIXTURE_NOW);
    assert_store(STORE_STALE, rotate(f, 1));
    assert_store(STORE_STALE, store_session_touch(f->store, fixture_session(1).id, 0, FIXTURE_NOW,
                                                  FIXTURE_NOW + 1, &f->fault));
    assert_store(STORE_OK, rotate(f, 2));
    add_in(f, 3, "shop", 1, SESSION_BEGUN);
    assert_store(STORE_OK, rotate(f, 3));
    assert_store(STORE_OK, store_session_list(f->store, 0, NULL, listed, 4, &count, &f->fault));
    assert_int_equal(count, 3);
    assert_int_equal(listed[0].end, SESSION_ENDED_ADMIN);
    assert_int_equal(listed[1].end, SESSION_LIVE);
    assert_int_equal(listed[2].end, SESSION_LIVE);
    assert_true(listed[0].ended_unmarked);
    assert_false(listed[1].ended_unmarked);
    assert_store(STORE_OK, end_realm(f, "shop", &count));
    assert_int_equal(count, 2); /* the first one's record, too */
    assert_false(fixture_find(f, 1).ended_unmarked);
    assert_int_equal(fixture_find(f, 3).end, SESSION_ENDED_ADMIN);
    assert_int_equal(fixture_find(f, 2).end, SESSION_LIVE);
    assert_int_equal(fixture_findings(f), 0);
}

/* Also one without an account, and one that waits for its user. */
static void all_sessions_end_at_once(void **state)
{
    struct fixture *f = *state;
    struct client client = {.id = "web", .enabled = true};
    struct session own = fixture_session(3);
    struct store_write write;
    size_t count;

    fixture_account(f, "ada");
    assert_store(STORE_OK, store_client_add(f->store, &client, &f->fault));
    own.account = 0;
    own.client_number = client.number;
    assert_store(STORE_OK, store_session_create(f->store, &own, NULL, &f->fault));
    add_in(f, 1, "shop", 1, SESSION_BEGUN);
    add_in(f, 2, "bank", 0, SESSION_PENDING_DEVICE);
    end_realm(f, NULL, NULL);
    for (uint32_t n = 1; n <= 3; n++) {
        assert_int_equal(fixture_find(f, n).end, SESSION_ENDED_ADMIN);
        assert_store(STORE_STALE, rotate(f, n));
    }
    store_prepare_approve(&write, fixture_session(2).id, 1, FIXTURE_NOW, FIXTURE_NOW + 60000);
    assert_store(STORE_STALE, store_write(f->store, &write, &f->fault));
    add_in(f, 4, "shop", 1, SESSION_BEGUN);
    add_in(f, 5, "bank", 0, SESSION_PENDING_DEVICE);
    store_prepare_approve(&write, fixture_session(5).id, 1, FIXTURE_NOW, FIXTURE_NOW + 60000);
    assert_store(STORE_OK, store_write(f->store, &write, &f->fault));
    assert_store(STORE_OK, rotate(f, 4));
    /* the epochs of account, realm and all add up */
    assert_store(STORE_OK, store_account_sessions_end(f->store, 1, SESSION_ENDED_LOGOUT,
                                                      FIXTURE_NOW + 1, &count, &f->fault));
    assert_int_equal(fixture_find(f, 4).end, SESSION_ENDED_LOGOUT);
    add_in(f, 6, "shop", 1, SESSION_BEGUN);
    assert_int_equal(fixture_find(f, 6).end, SESSION_LIVE);
    assert_store(STORE_OK, end_realm(f, "shop", &count));
    assert_int_equal(fixture_find(f, 6).end, SESSION_ENDED_ADMIN);
    assert_int_equal(fixture_findings(f), 0);
}

static void all_sessions_of_a_client_end(void **state)
{
    struct fixture *f = *state;
    struct client client = {.id = "web", .enabled = true}, other = {.id = "tv", .enabled = true};
    struct session session = fixture_session(1);
    struct store_write write;
    size_t count;

    fixture_account(f, "ada");
    store_prepare_end_client(&write, "web", SESSION_ENDED_ADMIN, FIXTURE_NOW);
    assert_store(STORE_ABSENT, store_write(f->store, &write, &f->fault));
    assert_store(STORE_OK, store_client_add(f->store, &client, &f->fault));
    assert_store(STORE_OK, store_client_add(f->store, &other, &f->fault));
    session.client_number = client.number;
    assert_store(STORE_OK, store_session_create(f->store, &session, NULL, &f->fault));
    session = fixture_session(2);
    session.client_number = other.number;
    (void)text_copy(TEXT("tv"), session.client, sizeof session.client);
    assert_store(STORE_OK, store_session_create(f->store, &session, NULL, &f->fault));
    assert_store(STORE_OK, store_write(f->store, &write, &f->fault));
    assert_int_not_equal(fixture_find(f, 1).end, SESSION_LIVE);
    assert_store(STORE_STALE, rotate(f, 1));
    assert_store(STORE_OK, rotate(f, 2));
    assert_store(STORE_OK, store_client_find(f->store, "web", &client, &f->fault));
    assert_true(client.enabled);
    session = fixture_session(3);
    session.client_number = client.number;
    assert_store(STORE_OK, store_session_create(f->store, &session, NULL, &f->fault));
    assert_store(STORE_OK, rotate(f, 3));
    assert_store(STORE_OK, store_write_and_mark(f->store, &write, &count, &f->fault));
    assert_int_equal(count, 2);
    assert_int_equal(fixture_find(f, 1).end, SESSION_ENDED_ADMIN);
    assert_int_equal(fixture_find(f, 2).end, SESSION_LIVE);
    assert_int_equal(fixture_findings(f), 0);
}

/* As many as a record has room for; all that there are can be ended then. */
static void many_realms_end(void **state)
{
    struct fixture *f = *state;
    struct store_write write;
    char realm[16];

    end_realm(f, "r255", NULL);
    for (int i = 0; i < 256; i++) {
        snprintf(realm, sizeof realm, "r%d", i);
        end_realm(f, realm, NULL);
    }
    fixture_account(f, "ada");
    add_in(f, 1, "r255", 1, SESSION_BEGUN);
    add_in(f, 2, "other", 1, SESSION_BEGUN);
    store_prepare_end_realm(&write, "one more", SESSION_ENDED_ADMIN, FIXTURE_NOW);
    assert_store(STORE_FAULT, store_write(f->store, &write, &f->fault));
    assert_non_null(strstr(f->fault.text, "end all sessions instead"));
    assert_int_equal(fixture_find(f, 1).end, SESSION_LIVE);
    end_realm(f, NULL, NULL);
    assert_int_equal(fixture_find(f, 1).end, SESSION_ENDED_ADMIN);
    assert_int_equal(fixture_find(f, 2).end, SESSION_ENDED_ADMIN);
    end_realm(f, "one more", NULL);
    assert_int_equal(fixture_findings(f), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        CONTRACT(end_and_its_event_are_one_commit),
        CONTRACT(ending_again_adds_only_the_event),
        CONTRACT(an_end_can_depend_on_what_was_read),
        CONTRACT(the_epoch_ends_all_sessions_at_once),
        CONTRACT(an_update_never_takes_an_epoch_back),
        CONTRACT(all_sessions_of_an_account_end),
        CONTRACT(a_realm_ends_at_once),
        CONTRACT(all_sessions_end_at_once),
        CONTRACT(all_sessions_of_a_client_end),
        CONTRACT(many_realms_end),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
