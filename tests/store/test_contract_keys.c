/* SPDX-License-Identifier: ISC */
/* The store's contract on signing keys, the version of the keyring, and keys that change state by
 * their dates.
 * CONTRACT runs each test on every kind of store. */
#include "store/fixture.h"

#include <stdio.h>
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

/* ---- one takes the place of another ---- */

enum { PUBLISH = 3600000, KEEP = 7200000 };

static void open_at(struct fixture *f, int64_t wall_ms, int64_t boot_ms)
{
    fixture_open_with_clock(
        f, (struct clock_moment){.wall_ms = wall_ms, .boot = 7, .boot_ms = boot_ms});
}

static struct signing_row row_of(const char *kid, const char *realm)
{
    struct signing_row row = {.algorithm = SIGNING_ES256, .created_ms = FIXTURE_NOW};

    assert_true(text_copy(text_of(kid), row.kid, sizeof row.kid));
    assert_true(text_copy(text_of(realm), row.realm, sizeof row.realm));
    return row;
}

static enum store_result rotate(struct fixture *f, const char *kid, const char *realm,
                                int64_t publish_ms)
{
    struct signing_row row = row_of(kid, realm);
    struct store_write write;

    row.created_ms = f->now.wall_ms;
    store_prepare_key_rotate(&write, &row, publish_ms, KEEP);
    return store_write(f->store, &write, &f->fault);
}

static void add_active(struct fixture *f, const char *kid, const char *realm)
{
    struct signing_row row = row_of(kid, realm);

    row.state = SIGNING_ACTIVE;
    assert_store(STORE_OK, store_key_add(f->store, &row, &f->fault));
}

/* "kid:state …" of all keys, the states by their first letter. */
static void assert_keys(struct fixture *f, const char *expected)
{
    static struct signing_row rows[8];
    char found[256] = "";
    size_t count, size = 0;

    assert_store(STORE_OK, store_key_list(f->store, true, rows, 8, &count, &f->fault));
    for (size_t i = 0; i < count; i++) {
        size += (size_t)snprintf(found + size, sizeof found - size, "%s%s:%c", i > 0 ? " " : "",
                                 rows[i].kid, signing_state_name(rows[i].state)[0]);
    }
    assert_string_equal(found, expected);
}

static void pass(struct fixture *f, int64_t ms)
{
    f->now.wall_ms += ms;
    f->now.boot_ms += ms;
}

static void a_key_takes_the_place_of_another_by_its_dates(void **state)
{
    struct fixture *f = *state;
    static struct signing_row rows[8];
    size_t count;

    open_at(f, FIXTURE_NOW, 1000);
    add_active(f, "old", "");
    add_active(f, "own", "/a");
    assert_store(STORE_OK, rotate(f, "next", "", PUBLISH));
    assert_store(STORE_STALE, rotate(f, "third", "", PUBLISH)); /* one is under way */
    assert_store(STORE_EXISTS, rotate(f, "old", "/b", PUBLISH));
    assert_store(STORE_OK, store_key_list(f->store, true, rows, 8, &count, &f->fault));
    assert_int_equal(rows[2].activates_ms, FIXTURE_NOW + PUBLISH);
    assert_int_equal(rows[0].retires_ms, FIXTURE_NOW + PUBLISH + KEEP);
    assert_int_equal(rows[1].retires_ms, 0);
    assert_keys(f, "old:a own:a next:p");
    pass(f, PUBLISH - 1);
    assert_keys(f, "old:a own:a next:p");
    pass(f, 1);
    assert_keys(f, "old:a own:a next:a");
    pass(f, KEEP - 1);
    assert_keys(f, "old:a own:a next:a");
    pass(f, 1);
    assert_keys(f, "old:r own:a next:a");
    assert_store(STORE_OK, store_key_list(f->store, false, rows, 8, &count, &f->fault));
    assert_int_equal(count, 3); /* a clock that is set right could take it back */
    fixture_write_something(f, f->now.wall_ms);
    pass(f, CLOCK_MINUTE);
    fixture_write_something(f, f->now.wall_ms);
    assert_store(STORE_OK, store_key_list(f->store, false, rows, 8, &count, &f->fault));
    assert_int_equal(count, 2);
    assert_string_equal(rows[0].kid, "own");
    assert_store(STORE_OK, rotate(f, "third", "", 0)); /* at once */
    assert_keys(f, "old:r own:a next:a third:a");
    pass(f, KEEP);
    assert_keys(f, "old:r own:a next:r third:a");
}

/* What a clock does that is set, and what is written down meanwhile. */
static void a_wrong_clock_changes_no_key_for_good(void **state)
{
    struct fixture *f = *state;

    open_at(f, FIXTURE_NOW, 1000);
    fixture_write_something(f, f->now.wall_ms); /* tells the time */
    add_active(f, "old", "");
    assert_store(STORE_OK, rotate(f, "next", "", PUBLISH));
    f->now.wall_ms += 30 * (int64_t)CLOCK_DAY; /* ahead: no more than a moment has passed */
    fixture_write_something(f, f->now.wall_ms);
    assert_keys(f, "old:a next:p");
    f->now.boot = 8; /* it starts again with that clock: nothing tells that it is wrong */
    f->now.boot_ms = 0;
    assert_keys(f, "old:r next:a");
    fixture_write_something(f, f->now.wall_ms);
    f->now.wall_ms -= 30 * (int64_t)CLOCK_DAY; /* mended: nothing is lost */
    assert_keys(f, "old:a next:p");
    /* planned by a clock that is behind: its dates count from the time that has passed */
    f->now.wall_ms -= CLOCK_DAY;
    assert_store(STORE_OK, store_key_set_state(f->store, "next", SIGNING_RETIRED, &f->fault));
    assert_store(STORE_OK, rotate(f, "third", "", PUBLISH));
    f->now.wall_ms += CLOCK_DAY;
    assert_keys(f, "old:a next:r third:p");
    pass(f, PUBLISH);
    assert_keys(f, "old:a next:r third:a");
}

/* A clock that starts in 1970 takes nothing back that the store has written down. */
static void what_has_happened_is_written_down(void **state)
{
    struct fixture *f = *state;
    uint64_t before;

    open_at(f, FIXTURE_NOW, 1000);
    fixture_write_something(f, f->now.wall_ms);
    add_active(f, "old", "");
    assert_store(STORE_OK, rotate(f, "next", "", PUBLISH));
    before = keyring_version(f);
    pass(f, PUBLISH + CLOCK_MINUTE);
    fixture_write_something(f, f->now.wall_ms);
    assert_int_equal(keyring_version(f), before + 1);
    pass(f, KEEP);
    fixture_write_something(f, f->now.wall_ms);
    assert_int_equal(keyring_version(f), before + 2);
    pass(f, CLOCK_HOUR);
    fixture_write_something(f, f->now.wall_ms);
    assert_int_equal(keyring_version(f), before + 2);
    open_at(f, 1, 1);
    f->now.boot = 9;
    assert_keys(f, "old:r next:a");
}

/* Whoever retires the next one by hand keeps the one before: something has to sign. */
static void the_last_key_goes_on(void **state)
{
    struct fixture *f = *state;

    open_at(f, FIXTURE_NOW, 1000);
    fixture_write_something(f, f->now.wall_ms);
    add_active(f, "old", "");
    assert_store(STORE_OK, rotate(f, "next", "", PUBLISH));
    assert_store(STORE_OK, store_key_set_state(f->store, "next", SIGNING_RETIRED, &f->fault));
    pass(f, PUBLISH + KEEP);
    fixture_write_something(f, f->now.wall_ms);
    assert_keys(f, "old:a next:r");
    /* activated by hand, it has no date any more */
    assert_store(STORE_OK, store_key_set_state(f->store, "old", SIGNING_ACTIVE, &f->fault));
    assert_store(STORE_OK, store_key_set_state(f->store, "next", SIGNING_ACTIVE, &f->fault));
    pass(f, CLOCK_DAY);
    assert_keys(f, "old:a next:a");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        CONTRACT(every_change_of_a_key_counts_the_keyring_version_up),
        CONTRACT(keys_are_listed_in_order_of_number),
        CONTRACT(a_key_takes_the_place_of_another_by_its_dates),
        CONTRACT(a_wrong_clock_changes_no_key_for_good),
        CONTRACT(what_has_happened_is_written_down),
        CONTRACT(the_last_key_goes_on),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
