/* SPDX-License-Identifier: ISC */
/* test_env.c: how LMDB is used: its flags, its table of readers, and a map that is replaced while
 * others wait. What that means for a store is in test_lmdb.c. */
#include "store/fixture.h"

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "store/lmdb/env_private.h"

/* ---- these stand before LMDB's and libc's ---- */

static atomic_int checks;        /* of the table of readers */
static atomic_int failing_begin; /* code of the next transaction, 0 = works */

static void *next_of(const char *name)
{
    void *next = dlsym(RTLD_NEXT, name);

    assert_non_null(next);
    return next;
}

int mdb_reader_check(MDB_env *env, int *dead)
{
    int (*real)(MDB_env *, int *);

    *(void **)&real = next_of("mdb_reader_check");
    atomic_fetch_add(&checks, 1);
    return real(env, dead);
}

int mdb_txn_begin(MDB_env *env, MDB_txn *parent, unsigned flags, MDB_txn **txn)
{
    int (*real)(MDB_env *, MDB_txn *, unsigned, MDB_txn **);
    int code = atomic_exchange(&failing_begin, 0);

    *(void **)&real = next_of("mdb_txn_begin");
    return code != 0 ? code : real(env, parent, flags, txn);
}

#if !defined(__SANITIZE_THREAD__)   /* whose own pthread_cond_wait must not be replaced */
static atomic_int waiting_for_gate; /* threads, since it was last set */

/* Called with the gate locked, and the real one unlocks it: whoever can lock it after this has
 * counted knows that a thread waits. */
int pthread_cond_wait(pthread_cond_t *condition, pthread_mutex_t *mutex)
{
    int (*real)(pthread_cond_t *, pthread_mutex_t *);

    *(void **)&real = next_of("pthread_cond_wait");
    atomic_fetch_add(&waiting_for_gate, 1);
    return real(condition, mutex);
}
#endif

/* ---- durability ---- */

/* By their numbers, because a guard looks for their names only. */
static void commits_are_synced(void **state)
{
    const unsigned unsafe = 0x10000 /* NOSYNC */ | 0x40000 /* NOMETASYNC */ | 0x80000 /* WRITEMAP */
                            | 0x100000 /* MAPASYNC */ | 0x400000 /* NOLOCK */;
    struct fixture *f = *state;
    unsigned flags;

    assert_int_equal(mdb_env_get_flags(fixture_env(f)->mdb, &flags), 0);
    assert_int_equal(flags & unsafe, 0);
}

/* ---- the map ---- */

/* Where the data file is mapped; NULL: nowhere. */
static void *mapped_at(const struct fixture *f)
{
    FILE *maps = fopen("/proc/self/maps", "re");
    char line[512], name[sizeof f->directory + 16];
    unsigned long from = 0;

    assert_non_null(maps);
    snprintf(name, sizeof name, "%s/data.mdb", f->directory);
    while (from == 0 && fgets(line, sizeof line, maps) != NULL) {
        if (strstr(line, name) != NULL) {
            from = strtoul(line, NULL, 16);
        }
    }
    fclose(maps);
    return (void *)(uintptr_t)from;
}

static void assert_never_writable(const struct fixture *f)
{
    void *map = mapped_at(f);

    assert_non_null(map);
    assert_int_equal(mprotect(map, 4096, PROT_READ | PROT_WRITE), -1);
    assert_int_equal(errno, EACCES);
}

/* Or each process that has it mapped would be looked at with each page that is written. */
static void the_map_cannot_be_made_writable(void **state)
{
    struct fixture *f = *state;

    fixture_add_session(f, 1);
    fixture_close(f);
    fixture_open(f);
    assert_never_writable(f);
    assert_int_equal(env_grow(fixture_env(f), &f->fault), TXN_OK);
    assert_never_writable(f);
    fixture_add_session(f, 2);
    assert_int_equal(fixture_find(f, 1).generation, 0);
    assert_int_equal(fixture_find(f, 2).generation, 0);
}

/* ---- readers ---- */

static void write_at(struct fixture *f, int64_t now_ms)
{
    struct event event = {.at_ms = now_ms, .kind = EVENT_ACCOUNT};

    assert_store(STORE_OK, store_event_add(f->store, &event, &f->fault));
}

static void dead_readers_are_looked_for_at_open(void **state)
{
    struct fixture *f = *state;

    fixture_close(f);
    atomic_store(&checks, 0);
    fixture_open(f);
    assert_true(atomic_load(&checks) > 0);
}

static void dead_readers_are_looked_for_each_minute(void **state)
{
    struct fixture *f = *state;

    write_at(f, FIXTURE_NOW);
    atomic_store(&checks, 0);
    write_at(f, FIXTURE_NOW + 59000);
    assert_int_equal(atomic_load(&checks), 0);
    write_at(f, FIXTURE_NOW + 60000);
    assert_int_equal(atomic_load(&checks), 1);
    write_at(f, FIXTURE_NOW); /* a clock that was set back */
    assert_int_equal(atomic_load(&checks), 2);
}

static void dead_readers_are_looked_for_when_the_table_is_full(void **state)
{
    struct fixture *f = *state;
    struct txn txns[2];

    /* one of the pool, and one that must be begun */
    assert_int_equal(env_read_begin(fixture_env(f), &txns[0], &f->fault), TXN_OK);
    atomic_store(&checks, 0);
    atomic_store(&failing_begin, MDB_READERS_FULL);
    assert_int_equal(env_read_begin(fixture_env(f), &txns[1], &f->fault), TXN_OK);
    assert_int_equal(atomic_load(&checks), 1);
    env_read_end(&txns[1]);
    env_read_end(&txns[0]);
    assert_false(store_is_broken(f->store));
}

/* LMDB's own mutex over it is not safe against processes that are killed (process_lock.h). */
static void readers_take_turns_at_the_table(void **state)
{
    struct fixture *f = *state;
    int directory = open(f->directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    struct process_lock another;
    struct txn pooled, begun;

    assert_true(process_lock_open(&another, directory));
    assert_true(process_lock_take(&another, PROCESS_LOCK_READERS, 0));
    fixture_env(f)->wait_us = 1000;
    assert_int_equal(env_read_begin(fixture_env(f), &pooled, &f->fault), TXN_OK);
    assert_int_equal(env_read_begin(fixture_env(f), &begun, &f->fault), TXN_FAULT);
    assert_non_null(strstr(f->fault.text, "table of readers"));
    process_lock_give(&another, PROCESS_LOCK_READERS);
    assert_int_equal(env_read_begin(fixture_env(f), &begun, &f->fault), TXN_OK);
    env_read_end(&begun);
    env_read_end(&pooled);
    process_lock_close(&another);
    close(directory);
}

/* LMDB 0.9.26 to 0.9.31. */
static void a_destroyed_mutex_breaks_the_store(void **state)
{
    struct fixture *f = *state;
    struct event event = {.at_ms = FIXTURE_NOW, .kind = EVENT_ACCOUNT};

    atomic_store(&failing_begin, EINVAL);
    assert_store(STORE_FAULT, store_event_add(f->store, &event, &f->fault));
    assert_true(store_is_broken(f->store));
}

/* ---- the gate ---- */

#if !defined(__SANITIZE_THREAD__)
static void *adopt(void *env)
{
    struct fault fault;

    return env_adopt(env, &fault) == TXN_OK ? env : NULL;
}

static void *read_something(void *env)
{
    struct txn txn;
    struct fault fault;

    if (env_read_begin(env, &txn, &fault) != TXN_OK) {
        return NULL;
    }
    env_read_end(&txn);
    return env;
}

static bool is_closed(struct env *env)
{
    bool closed;

    pthread_mutex_lock(&env->gate);
    closed = env->remapping;
    pthread_mutex_unlock(&env->gate);
    return closed;
}

static void assert_ends_well(pthread_t thread)
{
    struct timespec until;
    void *result;

    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += 60;
    assert_int_equal(pthread_timedjoin_np(thread, &result, &until), 0);
    assert_non_null(result);
}

/* One replaces the map, and waits for a transaction; another comes, and waits for the first. */
static void who_waits_for_a_new_map_is_woken(void **state)
{
    struct fixture *f = *state;
    struct env *env = fixture_env(f);
    pthread_t replacing, reading;
    struct txn txn;

    env->wait_us = INT64_C(600) * 1000 * 1000;
    assert_int_equal(env_read_begin(env, &txn, &f->fault), TXN_OK);
    assert_int_equal(pthread_create(&replacing, NULL, adopt, env), 0);
    while (!is_closed(env)) {
        sched_yield();
    }
    atomic_store(&waiting_for_gate, 0);
    assert_int_equal(pthread_create(&reading, NULL, read_something, env), 0);
    while (atomic_load(&waiting_for_gate) == 0) {
        sched_yield();
    }
    env_read_end(&txn);
    assert_ends_well(replacing);
    assert_ends_well(reading);
}
#endif

#define ON_LMDB(test) cmocka_unit_test_setup_teardown(test, fixture_lmdb, fixture_remove)

int main(void)
{
    const struct CMUnitTest tests[] = {
        ON_LMDB(commits_are_synced),
        ON_LMDB(the_map_cannot_be_made_writable),
        ON_LMDB(dead_readers_are_looked_for_at_open),
        ON_LMDB(dead_readers_are_looked_for_each_minute),
        ON_LMDB(dead_readers_are_looked_for_when_the_table_is_full),
        ON_LMDB(readers_take_turns_at_the_table),
        ON_LMDB(a_destroyed_mutex_breaks_the_store),
#if !defined(__SANITIZE_THREAD__)
        ON_LMDB(who_waits_for_a_new_map_is_woken),
#endif
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
