/* SPDX-License-Identifier: ISC */
/* The store's contract on damage: each is a fault, a finding of store_check, and stops nothing
 * else. CONTRACT runs each test on every kind of store. */
#include "store/fixture.h"

#include <stdio.h>
#include <string.h>

static struct txn_bytes bytes_of(const struct rows_key *key)
{
    return (struct txn_bytes){key->bytes, key->size};
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
    event.kind = EVENT_RECOVERED; /* in no chain, so that "counters" is the first key in meta */
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
    assert_store(STORE_FAULT, store_event_list(f->store, NULL, 0, events, 1, &count, &f->fault));
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
    struct txn_bytes value;
    struct rows rows;
    uint8_t copy[RECORD_SIZE_MAX];

    fixture_add_session(f, 1);
    fixture_add_session(f, 2);
    fixture_read_begin(f, &rows);
    assert_int_equal(rows.txn.kind->get(&rows.txn, TABLE_SESSIONS,
                                        (struct txn_bytes){mine.id, sizeof mine.id}, &value,
                                        &f->fault),
                     TXN_OK);
    memcpy(copy, value.data, value.size);
    fixture_read_end(&rows);
    fixture_put_raw(f, TABLE_SESSIONS, (struct txn_bytes){other.id, sizeof other.id},
                    (struct txn_bytes){copy, value.size});
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
    struct txn_bytes nothing = {"", 0};

    fixture_put_raw(f, TABLE_OWNERS, bytes_of(&owner), nothing);
    assert_finding(f, "account 1 lists session");
    fixture_remove_raw(f, TABLE_OWNERS, bytes_of(&owner));
    fixture_put_raw(f, TABLE_ENDS, bytes_of(&end), nothing);
    assert_finding(f, "an entry in ends leads to session");
    fixture_write_something(f, FIXTURE_NOW); /* the sweeper drops it */
    assert_int_equal(fixture_findings(f), 0);
    fixture_put_raw(f, TABLE_ENDS, (struct txn_bytes){"odd", 3}, nothing);
    assert_finding(f, "a key of 3 bytes in ends");
}

static void check_finds_missing_index_entries(void **state)
{
    struct fixture *f = *state;
    struct session session = fixture_session(1);
    struct rows_key owner = rows_owner_key(1, session.id);
    struct rows_key end = rows_end_key(FIXTURE_NOW + 10000 + FIXTURE_KEEP, session.id);
    struct txn_bytes nothing = {"", 0};

    session.has_alias = true;
    assert_store(STORE_OK, store_session_create(f->store, &session, NULL, &f->fault));
    fixture_remove_raw(f, TABLE_OWNERS, bytes_of(&owner));
    assert_finding(f, "not listed under its account 1");
    fixture_put_raw(f, TABLE_OWNERS, bytes_of(&owner), nothing);
    fixture_remove_raw(f, TABLE_ENDS, bytes_of(&end));
    assert_finding(f, "no entry in ends");
    fixture_put_raw(f, TABLE_ENDS, bytes_of(&end), nothing);
    fixture_remove_raw(f, TABLE_ALIASES, (struct txn_bytes){session.alias, sizeof session.alias});
    assert_finding(f, "the alias of its first token is missing");
}

static void check_tells_its_progress(void **state)
{
    struct fixture *f = *state;
    struct heard heard = {.lines = 0};
    struct store_check check = {hear, hear_progress, &heard};
    uint64_t findings;

    assert_store(STORE_OK, fixture_add_events(f, 2500));
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
    fixture_write_something(f, FIXTURE_NOW + 90000);
    assert_int_equal(fixture_sessions(f), 1);
    assert_int_equal(fixture_prune(f, FIXTURE_NOW + 90000, 10, false), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        CONTRACT(damaged_records_are_faults),
        CONTRACT(damage_anywhere_is_found),
        CONTRACT(transplanted_records_are_faults),
        CONTRACT(check_finds_index_entries_that_lead_nowhere),
        CONTRACT(check_finds_missing_index_entries),
        CONTRACT(check_tells_its_progress),
        CONTRACT(sweeping_passes_over_a_damaged_record),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
