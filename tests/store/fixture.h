/* SPDX-License-Identifier: ISC */
/* fixture.h: a store to test with, and values to put in. What reaches behind the seam is here. */
#ifndef RETOKEN_TESTS_STORE_FIXTURE_H
#define RETOKEN_TESTS_STORE_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/scratch.h"
#include "store/lmdb/lmdb_store.h"
#include "store/store.h"

enum {
    FIXTURE_NOW = 1700000000, /* times in the tests are FIXTURE_NOW plus a little */
    FIXTURE_KEEP = 1000       /* keep_ended_ms */
};

struct fixture {
    char root[SCRATCH_PATH_MAX];          /* a directory of our own, removed at the end */
    char directory[SCRATCH_PATH_MAX + 8]; /* the store's, in root */
    char url[SCRATCH_PATH_MAX + 256];
    struct store_settings settings;
    struct store *store;
    struct fault fault;
    struct metrics_answers *answers;
    struct clock_moment now; /* the store's, after fixture_open_with_clock */
};

/* cmocka's setups and teardown; *state is a struct fixture. */
int fixture_lmdb(void **state);
int fixture_postgresql(void **state);  /* a schema of its own in the program's server */
int fixture_lmdb_closed(void **state); /* settings only */
int fixture_remove(void **state);

/* Opens with the settings as they are; the test fails when that does. */
void fixture_open(struct fixture *fixture);
void fixture_close(struct fixture *fixture);
/* Opens it once more, with fixture->now for its clock. */
void fixture_open_with_clock(struct fixture *fixture, struct clock_moment now);
/* Opening must fail, with these words in the fault. */
void fixture_open_fails(struct fixture *fixture, const char *words);

/* Adds an enabled account; its number. */
uint64_t fixture_account(struct fixture *fixture, const char *name);
/* A session of account number 1 as a login makes it; ids ascend with n. */
struct session fixture_session(uint32_t n);
/* Adds fixture_session(n). */
void fixture_add_session(struct fixture *fixture, uint32_t n);
struct store_rotation fixture_rotation(uint32_t n, uint32_t from, int64_t now_ms);
/* The record as it is; the test fails when there is none. */
struct session fixture_find(struct fixture *fixture, uint32_t n);
/* The alias that settings.derived_alias makes of fixture_session(n)'s id and the generation. */
void fixture_derived(uint32_t n, uint32_t generation, uint8_t alias[SESSION_HASH_SIZE]);

uint64_t fixture_findings(struct fixture *fixture);
/* Any write sweeps; this one is at now_ms and touches no session. */
void fixture_write_something(struct fixture *fixture, int64_t now_ms);
/* How many sessions store_prune removed; the test fails when it does not say more_expected. */
size_t fixture_prune(struct fixture *fixture, int64_t now_ms, size_t most, bool more_expected);
/* The test fails when store_facts has no such name or another number. */
void fixture_assert_fact(struct fixture *fixture, const char *name, uint64_t expected);

/* ---- behind the seam ---- */

/* How many entries a table has, or each table. */
uint64_t fixture_entries(struct fixture *fixture, enum table table);
void fixture_entries_all(struct fixture *fixture, uint64_t entries[TABLES]);
/* How many sessions there are, ended and pending ones too. */
uint64_t fixture_sessions(struct fixture *fixture);
/* How many commits this store has made. */
uint64_t fixture_commits(struct fixture *fixture);
/* A snapshot of the tables. */
void fixture_read_begin(struct fixture *fixture, struct rows *rows);
void fixture_read_end(struct rows *rows);
/* A write of the test's own, committed with those of other threads. */
typedef enum store_result fixture_apply(struct rows *rows, void *what);
enum store_result fixture_write(struct fixture *fixture, fixture_apply *apply, void *what,
                                struct fault *fault);
/* Adds so many events in one commit: ten thousand commits would test patience only. */
enum store_result fixture_add_events(struct fixture *fixture, int count);
/* Flips one bit in the value of the first record of a table, as a hand with an editor would. */
void fixture_damage_first(struct fixture *fixture, enum table table, size_t at);
void fixture_put_raw(struct fixture *fixture, enum table table, struct txn_bytes key,
                     struct txn_bytes value);
void fixture_remove_raw(struct fixture *fixture, enum table table, struct txn_bytes key);

/* ---- of "lmdb" only ---- */

struct env_stat fixture_stat(struct fixture *fixture);
struct env *fixture_env(struct fixture *fixture);
struct group_commit *fixture_group(struct fixture *fixture);

#define assert_store(expected, call) assert_int_equal(call, expected)

/* One test of the store's contract on every kind of store: a row of main's tests. */
#define CONTRACT(test)                                                                             \
    {"lmdb: " #test, test, fixture_lmdb, fixture_remove, NULL},                                    \
    {                                                                                              \
        "postgresql: " #test, test, fixture_postgresql, fixture_remove, NULL                       \
    }

#endif
