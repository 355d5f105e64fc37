/* SPDX-License-Identifier: ISC */
/* test_sweep.c: what the sweeper must leave alone, and what must not stop it. What it removes, and
 * how much at a time, is in test_contract_sweep.c. */
#include "store/fixture.h"

#include <string.h>

enum { LONG_AFTER = FIXTURE_NOW + 90000 };

/* Any write sweeps. */
static void write_something(struct fixture *f, int64_t now_ms)
{
    struct event event = {.at_ms = now_ms, .kind = EVENT_ACCOUNT};

    assert_store(STORE_OK, store_event_add(f->store, &event, &f->fault));
}

static uint64_t count_of(struct fixture *f, enum table table)
{
    return fixture_entries(f, table);
}

static void create(struct fixture *f, struct session *session)
{
    assert_store(STORE_OK, store_session_create(f->store, session, NULL, &f->fault));
}

/* An alias of session 1 that session 2 has got. */
static enum store_result give_alias(struct rows *rows, void *alias)
{
    struct record_alias second = {.generation = 0};
    struct session session = fixture_session(2);

    memcpy(second.id, session.id, sizeof second.id);
    rows_alias_put(rows, alias, &second);
    return STORE_OK;
}

static void an_alias_that_is_anothers_stays(void **state)
{
    struct fixture *f = *state;
    struct session first = fixture_session(1), second = fixture_session(2);
    uint8_t found[SESSION_ID_SIZE];
    uint32_t generation;

    first.has_alias = true;
    memset(first.alias, 0x42, sizeof first.alias);
    second.expires_ms = 0;
    create(f, &first);
    create(f, &second);
    assert_store(STORE_OK, fixture_write(f, give_alias, first.alias, &f->fault));
    write_something(f, LONG_AFTER);
    assert_int_equal(count_of(f, TABLE_SESSIONS), 1);
    assert_store(STORE_OK, store_alias_find(f->store, first.alias, found, &generation, &f->fault));
    assert_memory_equal(found, second.id, sizeof found);
}

/* It goes, the session's own stays, and what is due behind it is removed. */
static void a_stray_entry_is_not_the_sessions_own(void **state)
{
    struct fixture *f = *state;
    struct session live = fixture_session(1), due = fixture_session(2);
    struct rows_key stray = rows_end_key(5, live.id);

    due.expires_ms = FIXTURE_NOW + 1;
    create(f, &live);
    create(f, &due);
    fixture_put_raw(f, TABLE_ENDS, (struct txn_bytes){stray.bytes, stray.size},
                    (struct txn_bytes){"", 0});
    write_something(f, FIXTURE_NOW + 5000);
    assert_int_equal(count_of(f, TABLE_SESSIONS), 1);
    assert_int_equal(count_of(f, TABLE_ENDS), 1);
    assert_int_equal(fixture_findings(f), 0);
    fixture_find(f, 1);
}

/* A process that cannot compute the aliases of UUIDs leaves such a session to others. */
static void what_cannot_be_removed_here_stops_nothing(void **state)
{
    struct fixture *f = *state;
    struct session uuid = fixture_session(1);
    size_t removed;
    bool more;

    uuid.has_derived_aliases = true;
    uuid.expires_ms = FIXTURE_NOW + 1;
    create(f, &uuid);
    for (uint32_t n = 2; n < 12; n++) {
        fixture_add_session(f, n);
    }
    fixture_close(f);
    f->settings.derived_alias = NULL;
    fixture_open(f);
    assert_store(STORE_OK,
                 store_prune(f->store, LONG_AFTER, false, 100, &removed, &more, &f->fault));
    assert_int_equal(removed, 10);
    assert_int_equal(count_of(f, TABLE_SESSIONS), 1);
    assert_int_equal(fixture_findings(f), 0);
}

/* A session that began with a native token and moved to a mount of UUIDs. */
static void aliases_that_came_later_leave_too(void **state)
{
    struct fixture *f = *state;
    struct store_rotation rotation = fixture_rotation(1, 0, FIXTURE_NOW);

    fixture_account(f, "ada");
    fixture_add_session(f, 1);
    rotation.has_alias = true;
    fixture_derived(1, 1, rotation.alias);
    assert_store(STORE_OK, store_session_rotate(f->store, &rotation, &f->fault));
    assert_int_equal(count_of(f, TABLE_ALIASES), 1);
    write_something(f, LONG_AFTER);
    assert_int_equal(count_of(f, TABLE_SESSIONS), 0);
    assert_int_equal(count_of(f, TABLE_ALIASES), 0);
}

/* The alias stays for store_check to report; the session goes, and so does what is due behind it.
 */
static void a_damaged_alias_stops_nothing(void **state)
{
    struct fixture *f = *state;
    struct session due = fixture_session(1);

    due.has_derived_aliases = true;
    create(f, &due);
    fixture_add_session(f, 2);
    fixture_damage_first(f, TABLE_ALIASES, 20);
    write_something(f, LONG_AFTER);
    assert_int_equal(count_of(f, TABLE_SESSIONS), 0);
    assert_int_equal(count_of(f, TABLE_ALIASES), 1);
    assert_int_equal(fixture_findings(f), 1);
}

/* Only the aliases of the newest generations stay, however often a session is renewed. */
static void old_aliases_make_room(void **state)
{
    struct fixture *f = *state;
    struct session uuid = fixture_session(1);
    struct store_rotation rotation = fixture_rotation(1, 0, FIXTURE_NOW);
    uint8_t alias[SESSION_HASH_SIZE], found[SESSION_ID_SIZE];
    uint32_t generation;

    fixture_account(f, "ada");
    uuid.has_derived_aliases = true;
    create(f, &uuid);
    rotation.has_alias = true;
    for (uint32_t to = 1; to <= SWEEP_ALIASES_KEPT + 5; to++) {
        rotation.from = to - 1;
        rotation.to = to;
        fixture_derived(1, to, rotation.alias);
        assert_store(STORE_OK, store_session_rotate(f->store, &rotation, &f->fault));
    }
    assert_int_equal(count_of(f, TABLE_ALIASES), SWEEP_ALIASES_KEPT);
    fixture_derived(1, 5, alias);
    assert_store(STORE_ABSENT, store_alias_find(f->store, alias, found, &generation, &f->fault));
    fixture_derived(1, 6, alias);
    assert_store(STORE_OK, store_alias_find(f->store, alias, found, &generation, &f->fault));
    assert_int_equal(generation, 6);
    assert_int_equal(fixture_findings(f), 0);
    write_something(f, LONG_AFTER);
    for (int i = 0; i < SWEEP_ALIASES_KEPT / 32 && count_of(f, TABLE_SESSIONS) > 0; i++) {
        write_something(f, LONG_AFTER);
    }
    assert_int_equal(count_of(f, TABLE_ALIASES), 0);
}

static void damage_time(struct fixture *f)
{
    fixture_put_raw(f, TABLE_META, (struct txn_bytes){"time", 4}, (struct txn_bytes){"?", 1});
    fixture_close(f);
    fixture_open(f);
}

/* The time that has passed cannot be read, so nothing can be swept: the write is made without. */
static void a_sweep_that_fails_costs_no_write(void **state)
{
    struct fixture *f = *state;
    struct session due = fixture_session(1), live = fixture_session(2);
    struct store_rotation rotation = fixture_rotation(2, 0, LONG_AFTER);

    fixture_account(f, "ada");
    live.expires_ms = rotation.expires_ms = 0;
    create(f, &due);
    create(f, &live);
    damage_time(f);
    assert_store(STORE_OK, store_session_rotate(f->store, &rotation, &f->fault));
    fixture_close(f);
    fixture_open(f);
    assert_int_equal(fixture_find(f, 2).generation, 1);
    assert_int_equal(count_of(f, TABLE_SESSIONS), 2);
}

static void a_damaged_time_is_set_by_who_knows_it(void **state)
{
    struct fixture *f = *state;
    size_t removed;
    bool more;

    fixture_add_session(f, 1);
    damage_time(f);
    assert_store(STORE_FAULT,
                 store_prune(f->store, LONG_AFTER, false, 100, &removed, &more, &f->fault));
    assert_store(STORE_OK,
                 store_prune(f->store, LONG_AFTER, true, 100, &removed, &more, &f->fault));
    assert_int_equal(removed, 1);
    assert_int_equal(fixture_findings(f), 0);
}

#define ON_LMDB(test) cmocka_unit_test_setup_teardown(test, fixture_lmdb, fixture_remove)

int main(void)
{
    const struct CMUnitTest tests[] = {
        ON_LMDB(an_alias_that_is_anothers_stays),
        ON_LMDB(a_stray_entry_is_not_the_sessions_own),
        ON_LMDB(what_cannot_be_removed_here_stops_nothing),
        ON_LMDB(aliases_that_came_later_leave_too),
        ON_LMDB(a_damaged_alias_stops_nothing),
        ON_LMDB(old_aliases_make_room),
        ON_LMDB(a_sweep_that_fails_costs_no_write),
        ON_LMDB(a_damaged_time_is_set_by_who_knows_it),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
