/* SPDX-License-Identifier: ISC */
/* The store's contract on signing keys and the version of the keyring.
 * CONTRACT runs each test on every kind of store. */
#include "store/fixture.h"

#include <string.h>

static uint64_t keyring_version(struct fixture *f)
{
    uint64_t version;

    assert_store(STORE_OK, store_keyring_version(f->store, &version, &f->fault));
    return version;
}

static void every_change_of_a_key_counts_the_keyring_version_up(void **state)
{
    struct fixture *f = *state;
    static struct signing_row row, rows[3];
    uint64_t before = keyring_version(f);
    size_t count;

    row = (struct signing_row){.algorithm = SIGNING_ES256,
                               .state = SIGNING_PUBLISHED,
                               .created_ms = FIXTURE_NOW,
                               .kid = "k1",
                               .realm = "/a",
                               .sealed_size = SIGNING_SEALED_MAX};
    memset(row.sealed, 0xab, sizeof row.sealed);
    assert_store(STORE_OK, store_key_add(f->store, &row, &f->fault));
    assert_int_equal(row.number, 1);
    assert_int_equal(keyring_version(f), before + 1);
    assert_store(STORE_EXISTS, store_key_add(f->store, &row, &f->fault));
    assert_int_equal(keyring_version(f), before + 1);
    assert_store(STORE_OK, store_key_set_state(f->store, "k1", SIGNING_ACTIVE, &f->fault));
    assert_int_equal(keyring_version(f), before + 2);
    assert_store(STORE_OK, store_key_set_state(f->store, "k1", SIGNING_ACTIVE, &f->fault));
    assert_int_equal(keyring_version(f), before + 2); /* nothing changed */
    assert_store(STORE_ABSENT, store_key_set_state(f->store, "k", SIGNING_ACTIVE, &f->fault));

    row.number = 1;
    row.state = SIGNING_ACTIVE;
    assert_store(STORE_OK, store_key_list(f->store, true, rows, 3, &count, &f->fault));
    assert_int_equal(count, 1);
    assert_memory_equal(&rows[0], &row, sizeof row);
}

static void keys_are_listed_in_order_of_number(void **state)
{
    struct fixture *f = *state;
    static struct signing_row row, rows[2];
    size_t count;

    for (int i = 0; i < 3; i++) {
        row = (struct signing_row){.state = SIGNING_ACTIVE, .kid = {(char)('c' - i)}};
        assert_store(STORE_OK, store_key_add(f->store, &row, &f->fault));
        assert_int_equal(row.number, i + 1);
    }
    assert_store(STORE_OK, store_key_list(f->store, true, rows, 2, &count, &f->fault));
    assert_int_equal(count, 2);
    assert_string_equal(rows[0].kid, "c");
    assert_string_equal(rows[1].kid, "b");
    row.kid[0] = '\0';
    assert_store(STORE_FAULT, store_key_add(f->store, &row, &f->fault));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        CONTRACT(every_change_of_a_key_counts_the_keyring_version_up),
        CONTRACT(keys_are_listed_in_order_of_number),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
