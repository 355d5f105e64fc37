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

int main(void)
{
    const struct CMUnitTest tests[] = {
        CONTRACT(end_and_its_event_are_one_commit),
        CONTRACT(ending_again_adds_only_the_event),
        CONTRACT(an_end_can_depend_on_what_was_read),
        CONTRACT(the_epoch_ends_all_sessions_at_once),
        CONTRACT(an_update_never_takes_an_epoch_back),
        CONTRACT(all_sessions_of_an_account_end),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
