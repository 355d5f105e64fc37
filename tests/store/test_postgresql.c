/* SPDX-License-Identifier: ISC */
/* test_postgresql.c: what only stores of the kind "postgresql" have: several processes' writers,
 * and a server that is lost. That writes and reads do what they should is the contract's to show.
 */
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

#include "store/fixture.h"
#include "store/proxy.h"
#include "store/server.h"

/* A store that reaches its server through a proxy. */
struct behind {
    struct fixture *fixture;
    struct proxy *proxy;
};

static int open_behind(void **state)
{
    struct behind *behind = test_calloc(1, sizeof *behind);
    char url[sizeof behind->fixture->url];

    fixture_postgresql(state);
    behind->fixture = *state;
    behind->proxy = proxy_start();
    fixture_close(behind->fixture);
    proxy_url(behind->proxy, behind->fixture->url, url, sizeof url);
    snprintf(behind->fixture->url, sizeof behind->fixture->url, "%s", url);
    fixture_open(behind->fixture);
    *state = behind;
    return 0;
}

static int close_behind(void **state)
{
    struct behind *behind = *state;
    void *fixture = behind->fixture;

    fixture_remove(&fixture);
    proxy_stop(behind->proxy);
    test_free(behind);
    return 0;
}

static const enum proxy_cut cuts[] = {PROXY_CUT_BEFORE, PROXY_CUT_AFTER, PROXY_LATE};
enum { CUTS = sizeof cuts / sizeof cuts[0] };

/* What became of a commit whose answer was lost is found out, not guessed. */
static void a_lost_commit_is_made_once(void **state)
{
    struct behind *behind = *state;
    struct fixture *f = behind->fixture;

    for (size_t i = 0; i < CUTS; i++) {
        char name[8];

        snprintf(name, sizeof name, "ada%zu", i);
        proxy_cut(behind->proxy, cuts[i], 1);
        assert_int_equal(i + 1, fixture_account(f, name));
        assert_int_equal(0, proxy_left(behind->proxy));
        assert_int_equal(i + 1, fixture_entries(f, TABLE_ACCOUNTS));
    }
    assert_int_equal(0, fixture_findings(f));
}

static void a_lost_rotation_is_made_once(void **state)
{
    struct behind *behind = *state;
    struct fixture *f = behind->fixture;

    fixture_account(f, "ada");
    fixture_add_session(f, 1);
    for (uint32_t i = 0; i < CUTS; i++) {
        struct store_rotation rotation = fixture_rotation(1, i, FIXTURE_NOW + 1);

        proxy_cut(behind->proxy, cuts[i], 1);
        assert_store(STORE_OK, store_session_rotate(f->store, &rotation, &f->fault));
        assert_int_equal(0, proxy_left(behind->proxy));
        assert_int_equal(i + 1, fixture_find(f, 1).generation);
    }
}

/* A connection that is lost again and again is worth as many tries as there is time for. */
static void commits_are_lost_in_a_row(void **state)
{
    struct behind *behind = *state;

    proxy_cut(behind->proxy, PROXY_CUT_BEFORE, 3);
    assert_int_equal(1, fixture_account(behind->fixture, "ada"));
    assert_int_equal(0, proxy_left(behind->proxy));
    proxy_cut(behind->proxy, PROXY_CUT_AFTER, 3);
    assert_int_equal(2, fixture_account(behind->fixture, "bob"));
}

/* Then the write is a fault for its caller, and whether it was made is found by reading. */
static void an_answer_does_not_come_in_time(void **state)
{
    struct behind *behind = *state;
    struct fixture *f = behind->fixture;
    struct account account = {.enabled = true, .created_ms = FIXTURE_NOW, .name = "ada"};
    enum store_result result;

    f->settings.writer_wait_ms = 300;
    fixture_close(f);
    do {
        f->store = store_open(&f->settings, &f->fault);
    } while (f->store == NULL);
    proxy_cut(behind->proxy, PROXY_STALL, 1);
    do { /* until there is one that got as far as its commit, before its caller gave up or after */
        result = store_account_add(f->store, &account, &f->fault);
    } while (result == STORE_FAULT && proxy_left(behind->proxy) > 0);
    assert_true(result == STORE_FAULT || proxy_left(behind->proxy) == 0);
    f->settings.writer_wait_ms = CLOCK_MINUTE;
    fixture_close(f);
    fixture_open(f);
    assert_store(STORE_OK, store_account_find(f->store, "ada", &account, &f->fault));
    assert_int_equal(2, fixture_account(f, "bob"));
}

/* ---- several stores ---- */

enum { STORES = 3, SESSIONS = 4, ROTATIONS = 25 };

struct racer {
    pthread_t thread;
    struct fixture *fixture;
    struct store *store;
    atomic_int *won; /* of each session, how many rotations came through */
};

static void *race(void *self)
{
    struct racer *racer = self;
    struct fault fault;

    for (uint32_t from = 0; from < ROTATIONS; from++) {
        for (uint32_t n = 0; n < SESSIONS; n++) {
            struct store_rotation rotation = fixture_rotation(n, from, FIXTURE_NOW + from);
            enum store_result result = store_session_rotate(racer->store, &rotation, &fault);

            if (result == STORE_OK) {
                atomic_fetch_add(&racer->won[n], 1);
            } else if (result != STORE_STALE) {
                print_error("rotation: %d, %s\n", result, fault.text);
                return NULL;
            }
        }
    }
    return racer;
}

/* Each generation is one store's alone, and none is left out. */
static void stores_rotate_the_same_sessions(void **state)
{
    struct fixture *f = *state;
    struct racer racers[STORES];
    atomic_int won[SESSIONS] = {0};
    void *good;

    fixture_account(f, "ada");
    for (uint32_t n = 0; n < SESSIONS; n++) {
        fixture_add_session(f, n);
    }
    for (size_t i = 0; i < STORES; i++) {
        racers[i] = (struct racer){.fixture = f, .won = won};
        racers[i].store = store_open(&f->settings, &f->fault);
        assert_non_null(racers[i].store);
    }
    for (size_t i = 0; i < STORES; i++) {
        assert_int_equal(0, pthread_create(&racers[i].thread, NULL, race, &racers[i]));
    }
    for (size_t i = 0; i < STORES; i++) {
        assert_int_equal(0, pthread_join(racers[i].thread, &good));
        store_close(racers[i].store);
        assert_non_null(good);
    }
    for (uint32_t n = 0; n < SESSIONS; n++) {
        assert_int_equal(ROTATIONS, won[n]);
        assert_int_equal(ROTATIONS, fixture_find(f, n).generation);
    }
    assert_int_equal(0, fixture_findings(f));
}

/* Names and numbers of accounts are given out one by one. */
static void *add_accounts(void *self)
{
    struct racer *racer = self;
    struct fault fault;

    for (int i = 0; i < ROTATIONS; i++) {
        struct account account = {.enabled = true, .created_ms = FIXTURE_NOW};

        snprintf(account.name, sizeof account.name, "ada%d", i);
        enum store_result result = store_account_add(racer->store, &account, &fault);
        if (result == STORE_OK) {
            atomic_fetch_add(&racer->won[0], 1);
        } else if (result != STORE_EXISTS) {
            print_error("account: %d, %s\n", result, fault.text);
            return NULL;
        }
    }
    return racer;
}

static void stores_add_the_same_accounts(void **state)
{
    struct fixture *f = *state;
    struct racer racers[STORES];
    atomic_int won[1] = {0};
    void *good;

    for (size_t i = 0; i < STORES; i++) {
        racers[i] = (struct racer){.fixture = f, .won = won};
        racers[i].store = store_open(&f->settings, &f->fault);
        assert_non_null(racers[i].store);
        assert_int_equal(0, pthread_create(&racers[i].thread, NULL, add_accounts, &racers[i]));
    }
    for (size_t i = 0; i < STORES; i++) {
        assert_int_equal(0, pthread_join(racers[i].thread, &good));
        store_close(racers[i].store);
        assert_non_null(good);
    }
    assert_int_equal(ROTATIONS, won[0]);
    assert_int_equal(ROTATIONS, fixture_entries(f, TABLE_ACCOUNTS));
    assert_int_equal(0, fixture_findings(f));
}

/* ---- a server that is killed ---- */

/* What was acknowledged is there, and nothing but what was asked for. */
static void the_server_is_killed(void **state)
{
    struct fixture *f = *state;
    uint32_t generation = 0;

    fixture_account(f, "ada");
    fixture_add_session(f, 1);
    for (int kills = 0; kills < 2; kills++) {
        server_kill();
        for (int i = 0; i < 5; i++) {
            struct store_rotation rotation =
                fixture_rotation(1, generation, FIXTURE_NOW + generation);
            enum store_result result = store_session_rotate(f->store, &rotation, &f->fault);

            if (result == STORE_FAULT) {
                assert_in_range(fixture_find(f, 1).generation, generation, generation + 1);
            } else {
                assert_store(STORE_OK, result);
                assert_int_equal(generation + 1, fixture_find(f, 1).generation);
            }
            generation = fixture_find(f, 1).generation;
        }
    }
    assert_int_equal(10, generation);
    assert_false(store_is_broken(f->store));
}

#define BEHIND(test)    cmocka_unit_test_setup_teardown(test, open_behind, close_behind)
#define ON_SERVER(test) cmocka_unit_test_setup_teardown(test, fixture_postgresql, fixture_remove)

int main(void)
{
    const struct CMUnitTest tests[] = {
        BEHIND(a_lost_commit_is_made_once),
        BEHIND(a_lost_rotation_is_made_once),
        BEHIND(commits_are_lost_in_a_row),
        BEHIND(an_answer_does_not_come_in_time),
        ON_SERVER(stores_rotate_the_same_sessions),
        ON_SERVER(stores_add_the_same_accounts),
        ON_SERVER(the_server_is_killed),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
