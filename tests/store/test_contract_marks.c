/* SPDX-License-Identifier: ISC */
/* The store's contract on marks: once, counted, with a write, the room they have, and damage.
 * CONTRACT runs each test on every kind of store. */
#include "store/fixture.h"

#include <string.h>

static struct mark mark_of(enum mark_kind kind, uint8_t what, int64_t until_ms)
{
    struct mark mark = {.kind = kind, .at_ms = FIXTURE_NOW, .until_ms = until_ms};

    memset(mark.hash, what, sizeof mark.hash);
    memset(mark.note, what + 1, sizeof mark.note);
    return mark;
}

static enum store_result use_mark(struct fixture *f, enum store_mark_use use,
                                  const struct mark *mark)
{
    struct store_write write;

    store_prepare_attached(&write, mark->at_ms);
    store_attach_mark(&write, use, mark);
    return store_write(f->store, &write, &f->fault);
}

static void a_mark_is_made_once_until_it_is_over(void **state)
{
    struct fixture *f = *state;
    struct mark mark = mark_of(MARK_ASSERTION, 7, FIXTURE_NOW + 100);
    struct mark found;

    mark.owner[3] = 1;
    assert_store(STORE_ABSENT, store_mark_find(f->store, MARK_ASSERTION, mark.hash, FIXTURE_NOW,
                                               &found, &f->fault));
    assert_store(STORE_OK, use_mark(f, STORE_MARK_ONCE, &mark));
    assert_store(STORE_OK, store_mark_find(f->store, MARK_ASSERTION, mark.hash, FIXTURE_NOW + 99,
                                           &found, &f->fault));
    mark.count = 1;
    assert_memory_equal(&found.hash, mark.hash, sizeof mark.hash);
    assert_memory_equal(&found.owner, mark.owner, sizeof mark.owner);
    assert_memory_equal(&found.note, mark.note, sizeof mark.note);
    assert_int_equal(found.at_ms, FIXTURE_NOW);
    assert_int_equal(found.until_ms, FIXTURE_NOW + 100);
    assert_int_equal(found.count, 1);
    assert_store(STORE_ABSENT, store_mark_find(f->store, MARK_FAILURE, mark.hash, FIXTURE_NOW,
                                               &found, &f->fault));

    mark.at_ms = FIXTURE_NOW + 99;
    mark.until_ms = FIXTURE_NOW + 900;
    assert_store(STORE_EXISTS, use_mark(f, STORE_MARK_ONCE, &mark));
    assert_store(STORE_ABSENT, store_mark_find(f->store, MARK_ASSERTION, mark.hash,
                                               FIXTURE_NOW + 100, &found, &f->fault));
    mark.at_ms = FIXTURE_NOW + 100;
    assert_store(STORE_OK, use_mark(f, STORE_MARK_ONCE, &mark));
    fixture_assert_fact(f, "marks", 1);
    assert_int_equal(fixture_findings(f), 0);
    fixture_close(f);
    fixture_open(f);
    assert_store(STORE_EXISTS, use_mark(f, STORE_MARK_ONCE, &mark));
}

static void marks_are_counted_up_and_cleared(void **state)
{
    struct fixture *f = *state;
    struct mark mark = mark_of(MARK_FAILURE, 7, FIXTURE_NOW + 100);
    struct mark found;

    assert_store(STORE_OK, use_mark(f, STORE_MARK_COUNT, &mark));
    mark.at_ms = FIXTURE_NOW + 50;
    mark.until_ms = FIXTURE_NOW + 200;
    mark.note[0] = 0x99;
    assert_store(STORE_OK, use_mark(f, STORE_MARK_COUNT, &mark));
    assert_store(STORE_OK, store_mark_find(f->store, MARK_FAILURE, mark.hash, FIXTURE_NOW + 150,
                                           &found, &f->fault));
    assert_int_equal(found.count, 2);
    assert_int_equal(found.at_ms, FIXTURE_NOW + 50);
    assert_int_equal(found.note[0], 0x99);
    fixture_assert_fact(f, "marks", 1);
    mark.at_ms = FIXTURE_NOW + 200; /* it is over: from the start */
    mark.until_ms = FIXTURE_NOW + 300;
    assert_store(STORE_OK, use_mark(f, STORE_MARK_COUNT, &mark));
    assert_store(STORE_OK, store_mark_find(f->store, MARK_FAILURE, mark.hash, FIXTURE_NOW + 250,
                                           &found, &f->fault));
    assert_int_equal(found.count, 1);
    assert_store(STORE_OK, use_mark(f, STORE_MARK_CLEAR, &mark));
    assert_store(STORE_OK, use_mark(f, STORE_MARK_CLEAR, &mark));
    fixture_assert_fact(f, "marks", 0);
    assert_int_equal(fixture_findings(f), 0);
}

static void a_mark_is_made_with_its_write_or_not_at_all(void **state)
{
    struct fixture *f = *state;
    struct mark first = mark_of(MARK_ASSERTION, 1, FIXTURE_NOW + 100);
    struct mark second = mark_of(MARK_ASSERTION, 2, FIXTURE_NOW + 100);
    struct store_rotation rotation = fixture_rotation(1, 0, FIXTURE_NOW);
    struct store_write write;
    struct mark found;

    fixture_account(f, "ada");
    fixture_add_session(f, 1);
    store_prepare_rotate(&write, &rotation);
    store_attach_mark(&write, STORE_MARK_ONCE, &first);
    assert_store(STORE_OK, store_write(f->store, &write, &f->fault));
    assert_int_equal(fixture_find(f, 1).generation, 1);

    rotation = fixture_rotation(1, 1, FIXTURE_NOW);
    store_prepare_rotate(&write, &rotation);
    store_attach_mark(&write, STORE_MARK_ONCE, &first);
    assert_store(STORE_EXISTS, store_write(f->store, &write, &f->fault));
    assert_int_equal(fixture_find(f, 1).generation, 1);

    rotation = fixture_rotation(1, 0, FIXTURE_NOW);
    store_prepare_rotate(&write, &rotation);
    store_attach_mark(&write, STORE_MARK_ONCE, &second);
    store_attach_mark(&write, STORE_MARK_CLEAR, &first);
    assert_store(STORE_STALE, store_write(f->store, &write, &f->fault));
    assert_store(STORE_ABSENT, store_mark_find(f->store, MARK_ASSERTION, second.hash, FIXTURE_NOW,
                                               &found, &f->fault));
    assert_store(STORE_OK, store_mark_find(f->store, MARK_ASSERTION, first.hash, FIXTURE_NOW,
                                           &found, &f->fault));
    assert_int_equal(fixture_findings(f), 0);
}

static void marks_that_are_over_are_swept(void **state)
{
    struct fixture *f = *state;

    for (uint8_t n = 0; n < 20; n++) {
        struct mark mark = mark_of(n % 2 == 0 ? MARK_ASSERTION : MARK_FAILURE, n, FIXTURE_NOW + n);

        mark.owner[0] = n / 4;
        assert_store(STORE_OK, use_mark(f, STORE_MARK_COUNT, &mark));
    }
    fixture_write_something(f, FIXTURE_NOW + 10);
    fixture_write_something(f, FIXTURE_NOW + 10);
    fixture_assert_fact(f, "marks", 9);
    assert_int_equal(fixture_findings(f), 0);
    for (int i = 0; i < 5; i++) {
        fixture_write_something(f, FIXTURE_NOW + 1000);
    }
    assert_int_equal(fixture_entries(f, TABLE_MARKS), 0);
    assert_int_equal(fixture_entries(f, TABLE_MARK_ENDS), 0);
}

static void open_with_marks(struct fixture *f, size_t most)
{
    f->settings.marks_most = most;
    fixture_close(f);
    fixture_open(f);
}

/* Nobody takes the place of others: one owner has a quarter. */
static void an_owner_has_a_quarter_of_all_marks(void **state)
{
    struct fixture *f = *state;

    open_with_marks(f, 8);
    for (uint8_t n = 0; n < 6; n++) {
        struct mark mark = mark_of(MARK_ASSERTION, n, FIXTURE_NOW + 100 + n);

        mark.owner[0] = 1 + n / 3;
        assert_store(n % 3 < 2 ? STORE_OK : STORE_FAULT, use_mark(f, STORE_MARK_ONCE, &mark));
        mark.at_ms = FIXTURE_NOW + 1000; /* in the place of one that is over */
        mark.until_ms = FIXTURE_NOW + 2000;
        assert_store(n % 3 < 2 ? STORE_OK : STORE_FAULT, use_mark(f, STORE_MARK_ONCE, &mark));
    }
    assert_non_null(strstr(f->fault.text, "assertions"));
    fixture_assert_fact(f, "marks", 4);
    assert_int_equal(fixture_findings(f), 0);
}

/* Strangers cause failures: they never keep others from using an assertion, nor grow the store. */
static void failures_make_room(void **state)
{
    struct fixture *f = *state;
    struct mark found, mark = mark_of(MARK_FAILURE, 1, FIXTURE_NOW + 101);

    open_with_marks(f, 4);
    for (uint8_t n = 0; n < 9; n++) {
        struct mark failure = mark_of(MARK_FAILURE, n, FIXTURE_NOW + 100 + n);

        assert_store(STORE_OK, use_mark(f, STORE_MARK_COUNT, &failure));
    }
    fixture_assert_fact(f, "marks", 4);
    assert_store(STORE_ABSENT, store_mark_find(f->store, MARK_FAILURE, mark.hash, FIXTURE_NOW,
                                               &found, &f->fault));
    for (uint8_t n = 0; n < 4; n++) {
        mark = mark_of(MARK_ASSERTION, n, FIXTURE_NOW + 100);
        assert_store(STORE_OK, use_mark(f, STORE_MARK_ONCE, &mark));
    }
    mark = mark_of(MARK_ASSERTION, 9, FIXTURE_NOW + 100);
    assert_store(STORE_FAULT, use_mark(f, STORE_MARK_ONCE, &mark));
    mark = mark_of(MARK_FAILURE, 9, FIXTURE_NOW + 100);
    assert_store(STORE_FAULT, use_mark(f, STORE_MARK_COUNT, &mark));
    fixture_assert_fact(f, "marks", 4);
    assert_int_equal(fixture_findings(f), 0);
}

/* What is known has a quarter, of which the newest stay, and goes after the last failure. */
static void known_marks_have_a_quarter_and_go_last(void **state)
{
    struct fixture *f = *state;
    struct mark found, mark;

    open_with_marks(f, 8);
    for (uint8_t n = 0; n < 6; n++) {
        mark = mark_of(MARK_KNOWN, n, FIXTURE_NOW + 100 + n);
        mark.owner[0] = 1;
        assert_store(STORE_OK, use_mark(f, STORE_MARK_COUNT, &mark));
    }
    fixture_assert_fact(f, "marks", 2);
    for (uint8_t n = 0; n < 9; n++) {
        mark = mark_of(MARK_FAILURE, n, FIXTURE_NOW + 200 + n);
        assert_store(STORE_OK, use_mark(f, STORE_MARK_COUNT, &mark));
    }
    mark = mark_of(MARK_KNOWN, 4, 0);
    assert_store(STORE_OK,
                 store_mark_find(f->store, MARK_KNOWN, mark.hash, FIXTURE_NOW, &found, &f->fault));
    for (uint8_t n = 0; n < 7; n++) {
        mark = mark_of(MARK_ASSERTION, n, FIXTURE_NOW + 100);
        assert_store(STORE_OK, use_mark(f, STORE_MARK_ONCE, &mark));
    }
    mark = mark_of(MARK_KNOWN, 4, 0);
    assert_store(STORE_ABSENT,
                 store_mark_find(f->store, MARK_KNOWN, mark.hash, FIXTURE_NOW, &found, &f->fault));
    mark = mark_of(MARK_KNOWN, 5, 0);
    assert_store(STORE_OK,
                 store_mark_find(f->store, MARK_KNOWN, mark.hash, FIXTURE_NOW, &found, &f->fault));
    fixture_assert_fact(f, "marks", 8);
    assert_int_equal(fixture_findings(f), 0);
}

static void check_finds_marks_that_do_not_fit(void **state)
{
    struct fixture *f = *state;
    struct mark mark = mark_of(MARK_ASSERTION, 1, FIXTURE_NOW + 100);
    struct rows_key key = rows_mark_key(MARK_ASSERTION, mark.hash);
    struct rows_key end = rows_mark_end_key(MARK_ASSERTION, mark.until_ms, mark.hash);

    mark.owner[0] = 1;
    assert_store(STORE_OK, use_mark(f, STORE_MARK_ONCE, &mark));
    fixture_remove_raw(f, TABLE_MARK_ENDS, (struct txn_bytes){end.bytes, end.size});
    assert_int_equal(fixture_findings(f), 1);
    fixture_put_raw(f, TABLE_MARK_ENDS, (struct txn_bytes){end.bytes, end.size},
                    (struct txn_bytes){"", 0});
    assert_int_equal(fixture_findings(f), 0);
    fixture_remove_raw(f, TABLE_MARKS, (struct txn_bytes){key.bytes, key.size});
    assert_int_equal(fixture_findings(f), 2); /* and its owner's count */
    fixture_write_something(f, FIXTURE_NOW + 1000);
    assert_int_equal(fixture_entries(f, TABLE_MARK_ENDS), 0);
}

/* It is a fault while it lasts, and is swept as any other. */
static void a_damaged_mark_leaves_too(void **state)
{
    struct fixture *f = *state;
    struct mark found, mark = mark_of(MARK_ASSERTION, 1, FIXTURE_NOW + 100);

    assert_store(STORE_OK, use_mark(f, STORE_MARK_ONCE, &mark));
    fixture_damage_first(f, TABLE_MARKS, 3);
    assert_int_equal(fixture_findings(f), 1);
    assert_store(STORE_FAULT, store_mark_find(f->store, MARK_ASSERTION, mark.hash, FIXTURE_NOW,
                                              &found, &f->fault));
    assert_store(STORE_FAULT, use_mark(f, STORE_MARK_ONCE, &mark));
    fixture_write_something(f, FIXTURE_NOW + 100);
    assert_int_equal(fixture_findings(f), 0);
    assert_int_equal(fixture_entries(f, TABLE_MARKS), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        CONTRACT(a_mark_is_made_once_until_it_is_over),
        CONTRACT(marks_are_counted_up_and_cleared),
        CONTRACT(a_mark_is_made_with_its_write_or_not_at_all),
        CONTRACT(marks_that_are_over_are_swept),
        CONTRACT(an_owner_has_a_quarter_of_all_marks),
        CONTRACT(failures_make_room),
        CONTRACT(known_marks_have_a_quarter_and_go_last),
        CONTRACT(check_finds_marks_that_do_not_fit),
        CONTRACT(a_damaged_mark_leaves_too),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
