/* SPDX-License-Identifier: ISC */
/* A store copied into one of another kind, and back: all that it knew is there. */
#include "store/fixture.h"

#include <stdio.h>

static void fill(struct fixture *f)
{
    struct client client = {.id = "web", .enabled = true};

    fixture_account(f, "ada");
    fixture_account(f, "grace");
    assert_store(STORE_OK, store_client_add(f->store, &client, &f->fault));
    for (uint32_t n = 1; n <= 1500; n++) { /* more than one step */
        fixture_add_session(f, n);
    }
    fixture_write_something(f, FIXTURE_NOW);
}

static void note_progress(void *self, uint64_t done, uint64_t total)
{
    assert_true(done <= total);
    *(uint64_t *)self = done;
}

static void copy(struct fixture *from, struct fixture *to)
{
    uint64_t entries[TABLES], copies[TABLES], done = 0;
    struct store_rotation rotation = fixture_rotation(7, 0, FIXTURE_NOW + 1);

    assert_store(STORE_OK, store_copy(from->store, to->store, note_progress, &done, &to->fault));
    assert_true(done > 1500);
    fixture_close(to);
    fixture_open(to);
    assert_int_equal(fixture_findings(to), 0);
    fixture_entries_all(from, entries);
    fixture_entries_all(to, copies);
    for (int i = 0; i < TABLES; i++) {
        if (i != TABLE_META) { /* which has a time of its own */
            assert_int_equal(entries[i], copies[i]);
        }
    }
    assert_int_equal(fixture_find(to, 1500).generation, 0);
    assert_store(STORE_EXISTS, store_copy(from->store, to->store, NULL, NULL, &to->fault));
    assert_store(STORE_OK, store_session_rotate(to->store, &rotation, &to->fault));
}

static void a_copy_knows_what_its_source_knew(void **state)
{
    void *lmdb, *postgresql;

    (void)state;
    fixture_lmdb(&lmdb);
    fixture_postgresql(&postgresql);
    fill(lmdb);
    copy(lmdb, postgresql);
    fixture_remove(&lmdb);
    fixture_lmdb(&lmdb);
    /* generation 1 of session 7, too, is copied back */
    assert_store(STORE_OK, store_copy(((struct fixture *)postgresql)->store,
                                      ((struct fixture *)lmdb)->store, NULL, NULL, NULL));
    fixture_close(lmdb);
    fixture_open(lmdb);
    assert_int_equal(fixture_findings(lmdb), 0);
    assert_int_equal(fixture_find(lmdb, 7).generation, 1);
    fixture_remove(&postgresql);
    fixture_remove(&lmdb);
}

/* Of a database: a directory that is a store. */
static void a_backup_is_a_store_in_a_directory(void **state)
{
    void *lmdb, *postgresql;
    struct fixture *f, *copied;

    (void)state;
    fixture_lmdb_closed(&lmdb);
    fixture_postgresql(&postgresql);
    f = postgresql;
    copied = lmdb;
    fixture_account(f, "ada");
    fixture_add_session(f, 1);
    assert_store(STORE_OK, store_backup(f->store, copied->directory, &f->fault));
    fixture_open(copied);
    assert_int_equal(fixture_findings(copied), 0);
    assert_int_equal(fixture_find(copied, 1).account, 1);
    assert_store(STORE_FAULT, store_backup(f->store, copied->directory, &f->fault));
    fixture_remove(&postgresql);
    fixture_remove(&lmdb);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(a_copy_knows_what_its_source_knew),
                                       cmocka_unit_test(a_backup_is_a_store_in_a_directory)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
