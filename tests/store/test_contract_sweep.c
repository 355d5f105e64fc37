/* SPDX-License-Identifier: ISC */
/* The store's contract on sweeping: what leaves, when, and the index that says so.
 * CONTRACT runs each test on every kind of store. */
#include "store/fixture.h"

#include <string.h>

/* The times at which entries stand in the ends table. */
static size_t read_ends(struct fixture *f, int64_t times[8])
{
    struct rows_key key = rows_key_first();
    struct rows rows;
    uint8_t id[SESSION_ID_SIZE];
    size_t count = 0;

    fixture_read_begin(f, &rows);
    while (count < 8 && rows_next(&rows, TABLE_ENDS, TXN_AFTER, &key)) {
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

static void rotation_leaves_the_indices_alone(void **state)
{
    struct fixture *f = *state;
    uint64_t before[TABLES], after[TABLES];

    fixture_account(f, "ada");
    fixture_add_session(f, 1);
    assert_one_end(f, FIXTURE_NOW + 10000 + FIXTURE_KEEP);
    fixture_entries_all(f, before);
    for (uint32_t from = 0; from < 50; from++) {
        struct store_rotation rotation = fixture_rotation(1, from, FIXTURE_NOW + from);

        rotation.expires_ms = FIXTURE_NOW + 20000 + from;
        assert_store(STORE_OK, store_session_rotate(f->store, &rotation, &f->fault));
    }
    assert_one_end(f, FIXTURE_NOW + 10000 + FIXTURE_KEEP);
    fixture_entries_all(f, after);
    assert_memory_equal(before, after, sizeof before);
    assert_int_equal(fixture_findings(f), 0);
}

static void expired_sessions_leave_after_their_time(void **state)
{
    struct fixture *f = *state;
    int64_t due_ms = FIXTURE_NOW + 10000 + FIXTURE_KEEP;

    fixture_add_session(f, 1);
    fixture_write_something(f, due_ms - 1);
    assert_int_equal(fixture_sessions(f), 1);
    fixture_write_something(f, due_ms);
    assert_int_equal(fixture_sessions(f), 0);
    assert_int_equal(fixture_entries(f, TABLE_OWNERS), 0);
    assert_int_equal(fixture_entries(f, TABLE_ENDS), 0);
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
    fixture_write_something(f, FIXTURE_NOW + 10000 + FIXTURE_KEEP);
    assert_int_equal(fixture_sessions(f), 1);
    assert_one_end(f, FIXTURE_NOW + 90000 + FIXTURE_KEEP);
    assert_int_equal(fixture_findings(f), 0);
    fixture_write_something(f, FIXTURE_NOW + 90000 + FIXTURE_KEEP);
    assert_int_equal(fixture_sessions(f), 0);
}

static void ended_sessions_leave_earlier(void **state)
{
    struct fixture *f = *state;

    fixture_add_session(f, 1);
    assert_store(STORE_OK, store_session_end(f->store, fixture_session(1).id, SESSION_ENDED_ADMIN,
                                             FIXTURE_NOW + 10, NULL, &f->fault));
    assert_one_end(f, FIXTURE_NOW + 10 + FIXTURE_KEEP);
    assert_int_equal(fixture_findings(f), 0);
    fixture_write_something(f, FIXTURE_NOW + 9 + FIXTURE_KEEP);
    assert_int_equal(fixture_sessions(f), 1);
    fixture_write_something(f, FIXTURE_NOW + 10 + FIXTURE_KEEP);
    assert_int_equal(fixture_sessions(f), 0);
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
    fixture_write_something(f, INT64_MAX);
    assert_int_equal(fixture_sessions(f), 1);
    assert_store(STORE_OK, store_session_end(f->store, session.id, SESSION_ENDED_ADMIN,
                                             FIXTURE_NOW + 10, NULL, &f->fault));
    assert_one_end(f, FIXTURE_NOW + 10 + FIXTURE_KEEP);
    assert_int_equal(fixture_prune(f, FIXTURE_NOW + 10 + FIXTURE_KEEP, 10, false), 1);
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
    fixture_write_something(f, FIXTURE_NOW + 10000 + FIXTURE_KEEP);
    assert_int_equal(fixture_sessions(f), 1);
    assert_int_equal(read_ends(f, times), 0);
    assert_int_equal(fixture_findings(f), 0);
    rotation.from = 1;
    rotation.to = rotation.from + 1;
    rotation.expires_ms = FIXTURE_NOW + 500;
    assert_store(STORE_OK, store_session_rotate(f->store, &rotation, &f->fault));
    assert_one_end(f, FIXTURE_NOW + 500 + FIXTURE_KEEP);
    assert_int_equal(fixture_findings(f), 0);
}

static void a_write_sweeps_a_few_only(void **state)
{
    struct fixture *f = *state;

    for (uint32_t n = 0; n < 10; n++) {
        fixture_add_session(f, n);
    }
    fixture_write_something(f, FIXTURE_NOW + 90000);
    assert_int_equal(fixture_sessions(f), 6);
    fixture_write_something(f, FIXTURE_NOW + 90000);
    fixture_write_something(f, FIXTURE_NOW + 90000);
    assert_int_equal(fixture_sessions(f), 0);
}

static void prune_removes_up_to_most_and_tells_of_more(void **state)
{
    struct fixture *f = *state;
    int64_t due_ms = FIXTURE_NOW + 10000 + FIXTURE_KEEP;

    for (uint32_t n = 0; n < 250; n++) {
        fixture_add_session(f, n);
    }
    assert_int_equal(fixture_prune(f, due_ms - 1, 1000, false), 0);
    assert_int_equal(fixture_prune(f, due_ms, 20, true), 20);
    assert_int_equal(fixture_sessions(f), 230);
    assert_int_equal(fixture_prune(f, due_ms, 230, false), 230); /* in several batches */
    assert_int_equal(fixture_sessions(f), 0);
    assert_int_equal(fixture_prune(f, due_ms, 1, false), 0);
}

static void stored_alias_leaves_with_its_session(void **state)
{
    struct fixture *f = *state;
    struct session session = fixture_session(1);

    session.has_alias = true;
    memset(session.alias, 0x42, sizeof session.alias);
    assert_store(STORE_OK, store_session_create(f->store, &session, NULL, &f->fault));
    assert_int_equal(fixture_prune(f, FIXTURE_NOW + 90000, 9, false), 1);
    assert_int_equal(fixture_entries(f, TABLE_ALIASES), 0);
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
    assert_int_equal(fixture_entries(f, TABLE_ALIASES), GENERATIONS + 1);
}

static void derived_aliases_leave_step_by_step(void **state)
{
    struct fixture *f = *state;
    uint64_t left = GENERATIONS + 1;
    int writes = 0;

    create_with_derived_aliases(f);
    while (fixture_sessions(f) > 0) {
        uint64_t now;

        fixture_write_something(f, FIXTURE_NOW + 90000);
        now = fixture_entries(f, TABLE_ALIASES);
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
    assert_int_equal(fixture_prune(f, FIXTURE_NOW + 90000, 1, false), 1);
    assert_int_equal(fixture_entries(f, TABLE_ALIASES), 0);
    assert_int_equal(fixture_findings(f), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        CONTRACT(rotation_leaves_the_indices_alone),
        CONTRACT(expired_sessions_leave_after_their_time),
        CONTRACT(renewed_sessions_move_their_entry_when_its_time_comes),
        CONTRACT(ended_sessions_leave_earlier),
        CONTRACT(shorter_lifetimes_move_the_entry_at_once),
        CONTRACT(sessions_without_expiry_get_an_entry_when_they_end),
        CONTRACT(sessions_that_lose_or_gain_an_expiry_keep_one_entry),
        CONTRACT(a_write_sweeps_a_few_only),
        CONTRACT(prune_removes_up_to_most_and_tells_of_more),
        CONTRACT(stored_alias_leaves_with_its_session),
        CONTRACT(derived_aliases_leave_step_by_step),
        CONTRACT(prune_removes_derived_aliases_too),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
