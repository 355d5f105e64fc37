/* fixture.h: a store to test with, on either engine, and values to put in. */
#ifndef RETOKEN_TESTS_STORE_FIXTURE_H
#define RETOKEN_TESTS_STORE_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "store/store_private.h"
#include "store/store.h"

enum {
    FIXTURE_NOW = 1700000000, /* times in the tests are FIXTURE_NOW plus a little */
    FIXTURE_KEEP = 1000       /* keep_ended_ms */
};

struct fixture {
    char root[64];      /* a directory of our own, removed at the end; "" = none */
    char directory[96]; /* the store's, in root */
    char url[128];
    struct store_settings settings;
    struct store *store;
    struct fault fault;
};

/* cmocka's setups and teardown; *state is a struct fixture. */
int fixture_memory(void **state);
int fixture_lmdb(void **state);
int fixture_lmdb_closed(void **state); /* settings only */
int fixture_remove(void **state);

/* Opens with the settings as they are; the test fails when that does. */
void fixture_open(struct fixture *fixture);
void fixture_close(struct fixture *fixture);
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
struct engine_stat fixture_stat(struct fixture *fixture);

#define assert_store(expected, call) assert_int_equal(call, expected)

#endif
