/* SPDX-License-Identifier: ISC */
/* The store's contract on sessions that begin later: codes and devices that wait for their exchange
 * or approval. CONTRACT runs each test on every kind of store. */
#include "store/fixture.h"

#include <string.h>

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
    assert_int_equal(fixture_entries(f, TABLE_SESSIONS), 0);
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

int main(void)
{
    const struct CMUnitTest tests[] = {
        CONTRACT(a_pending_session_begins_once),
        CONTRACT(a_pending_session_takes_no_others_place),
        CONTRACT(a_pending_session_is_swept),
        CONTRACT(a_device_is_approved_once),
        CONTRACT(only_a_waiting_device_is_approved),
        CONTRACT(a_denial_of_what_was_approved_is_stale),
        CONTRACT(what_was_approved_ends_with_its_account),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
