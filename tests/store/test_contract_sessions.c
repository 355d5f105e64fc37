/* SPDX-License-Identifier: ISC */
/* The store's contract on sessions: how one begins and is found, the list, and how many an account
 * may have. CONTRACT runs each test on every kind of store. */
#include "store/fixture.h"

#include <string.h>

/* Only as much of a view needs to be kept. Its rest is as it was before. */
static void assert_nothing_behind(const struct session_view *view, uint8_t before)
{
    const uint8_t *bytes = (const uint8_t *)view;
    size_t size = store_session_view_size(view);

    assert_true(size < sizeof *view);
    for (size_t i = size; i < sizeof *view; i++) {
        assert_int_equal(bytes[i], before);
    }
}

static void grant_holds_all_that_a_decision_needs(void **state)
{
    struct fixture *f = *state;
    struct session session = fixture_session(1);
    struct client web = {.enabled = true, .id = "web", .keys = "{\"keys\":[]}"};
    static struct session_view grant;
    static struct signing_row key = {.state = SIGNING_ACTIVE, .kid = "k"};
    uint64_t version;

    session.has_alias = true;
    memset(session.alias, 0x77, sizeof session.alias);
    assert_store(STORE_ABSENT, store_session_view(f->store, session.id, &grant, &f->fault));
    assert_store(STORE_OK, store_session_create(f->store, &session, NULL, &f->fault));
    memset(&grant, 0xee, sizeof grant);
    assert_store(STORE_OK, store_session_view(f->store, session.id, &grant, &f->fault));
    assert_nothing_behind(&grant, 0xee);
    assert_memory_equal(&grant.session, &session, sizeof session);
    assert_false(grant.has_account);
    assert_false(grant.has_client);

    fixture_account(f, "ada");
    assert_store(STORE_OK, store_client_add(f->store, &web, &f->fault));
    assert_store(STORE_OK, store_key_add(f->store, &key, &f->fault));
    memset(&grant, 0xee, sizeof grant);
    assert_store(STORE_OK, store_session_view(f->store, session.id, &grant, &f->fault));
    assert_nothing_behind(&grant, 0xee);
    assert_string_equal(grant.client.keys, web.keys);
    assert_true(grant.has_account);
    assert_string_equal(grant.account.name, "ada");
    assert_true(grant.has_client);
    assert_string_equal(grant.client.id, "web");
    assert_store(STORE_OK, store_keyring_version(f->store, &version, &f->fault));
    assert_int_equal(grant.keyring_version, version);
}

/* From its code to its last rotation, and in the list. */
static void what_a_session_is_limited_to_stays(void **state)
{
    struct fixture *f = *state;
    struct session session = fixture_session(1), rows[2];
    struct store_rotation rotation = fixture_rotation(1, 0, FIXTURE_NOW + 1);
    size_t count;

    fixture_account(f, "ada");
    memset(session.targets, 'a', SESSION_TARGETS_MAX);
    session.targets[SESSION_TARGETS_MAX / 2] = ' ';
    session.pending = SESSION_PENDING_CODE;
    assert_store(STORE_OK, store_session_create(f->store, &session, NULL, &f->fault));
    rotation.begins = SESSION_PENDING_CODE;
    assert_store(STORE_OK, store_session_rotate(f->store, &rotation, &f->fault));
    rotation = fixture_rotation(1, 1, FIXTURE_NOW + 2);
    assert_store(STORE_OK, store_session_rotate(f->store, &rotation, &f->fault));
    assert_string_equal(fixture_find(f, 1).targets, session.targets);
    assert_store(STORE_OK, store_session_list(f->store, 1, NULL, rows, 2, &count, &f->fault));
    assert_int_equal(count, 1);
    assert_string_equal(rows[0].targets, session.targets);
    assert_int_equal(fixture_findings(f), 0);
}

static void ids_and_aliases_are_unique(void **state)
{
    struct fixture *f = *state;
    struct session first = fixture_session(1), second = fixture_session(2);
    uint64_t before[TABLES], after[TABLES];
    static struct session_view grant;

    first.has_alias = true;
    memset(first.alias, 0x77, sizeof first.alias);
    assert_store(STORE_OK, store_session_create(f->store, &first, NULL, &f->fault));
    assert_store(STORE_EXISTS, store_session_create(f->store, &first, NULL, &f->fault));
    second.has_alias = true;
    memset(second.alias, 0x77, sizeof second.alias);
    fixture_entries_all(f, before);
    assert_store(STORE_EXISTS, store_session_create(f->store, &second, NULL, &f->fault));
    assert_store(STORE_ABSENT, store_session_view(f->store, second.id, &grant, &f->fault));
    fixture_entries_all(f, after);
    assert_memory_equal(before, after, sizeof before);
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
    assert_int_equal(fixture_entries(f, TABLE_SESSIONS), 0);
    store_flush(f->store);
    assert_store(STORE_OK, results[0]);
    assert_store(STORE_OK, results[1]);
    assert_store(STORE_EXISTS, results[2]);
    assert_int_equal(fixture_entries(f, TABLE_SESSIONS), 2);
    assert_int_equal(fixture_entries(f, TABLE_ALIASES), 1);
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

/* Its rotations say which master secret its tokens are under from then on; what it is found by is
 * derived under its own. */
static void sessions_say_what_they_are_under(void **state)
{
    struct fixture *f = *state;
    struct session session = fixture_session(1);
    struct store_rotation rotation = fixture_rotation(2, 0, FIXTURE_NOW + 1);
    uint8_t alias[SESSION_HASH_SIZE], id[SESSION_ID_SIZE];
    uint32_t generation;

    fixture_account(f, "ada");
    session.secret = 0x4f;
    session.has_derived_aliases = true;
    fixture_derived(1, 0, alias);
    assert_store(STORE_OK, store_session_create(f->store, &session, NULL, &f->fault));
    assert_store(STORE_ABSENT, store_alias_find(f->store, alias, id, &generation, &f->fault));
    alias[SESSION_HASH_SIZE - 1] ^= 0x4f;
    assert_store(STORE_OK, store_alias_find(f->store, alias, id, &generation, &f->fault));
    assert_int_equal(fixture_find(f, 1).secret, 0x4f);
    fixture_add_session(f, 2);
    rotation.secret = 0x50;
    assert_store(STORE_OK, store_session_rotate(f->store, &rotation, &f->fault));
    assert_int_equal(fixture_find(f, 2).secret, 0x50);
    rotation = fixture_rotation(2, 1, FIXTURE_NOW + 2);
    assert_store(STORE_OK, store_session_rotate(f->store, &rotation, &f->fault));
    assert_int_equal(fixture_find(f, 2).secret, 0);
    assert_int_equal(fixture_findings(f), 0);
}

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
    assert_int_equal(fixture_entries(f, TABLE_SESSIONS), 2);
    assert_store(STORE_OK, store_prune(f->store, FIXTURE_NOW + kept_ms, true, 99, &removed, &more,
                                       &f->fault));
    assert_int_equal(removed, 1);
    assert_store(STORE_OK, store_prune(f->store, FIXTURE_NOW + 5 * kept_ms, true, 99, &removed,
                                       &more, &f->fault));
    assert_int_equal(removed, 0);
    assert_int_equal(fixture_find(f, 2).end, SESSION_ENDED_ADMIN);
    assert_int_equal(fixture_findings(f), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        CONTRACT(grant_holds_all_that_a_decision_needs),
        CONTRACT(what_a_session_is_limited_to_stays),
        CONTRACT(ids_and_aliases_are_unique),
        CONTRACT(sessions_are_handed_in_together),
        CONTRACT(aliases_name_session_and_generation),
        CONTRACT(sessions_say_what_they_are_under),
        CONTRACT(sessions_are_listed_in_order_of_creation),
        CONTRACT(an_account_has_so_many_sessions),
        CONTRACT(an_account_may_have_a_limit_of_its_own),
        CONTRACT(a_record_is_kept_until_its_time),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
