/* SPDX-License-Identifier: ISC */
/* The store's contract on sweeping by a clock that is wrong: nothing is removed before its time.
 * CONTRACT runs each test on every kind of store. */
#include "store/fixture.h"

#include <string.h>

static const int64_t day_ms = CLOCK_DAY;

/* A store whose clock is right so far, with sessions that expire in a minute, in 40 days, and
 * never; the second has been ended. */
static void open_for_a_wrong_clock(struct fixture *f)
{
    struct session session;

    fixture_open_with_clock(
        f, (struct clock_moment){.wall_ms = FIXTURE_NOW, .boot = 7, .boot_ms = 1000});
    fixture_account(f, "ada");
    for (uint32_t n = 1; n <= 30; n++) {
        session = fixture_session(n);
        session.expires_ms = FIXTURE_NOW + (n % 3 == 0   ? CLOCK_MINUTE
                                            : n % 3 == 1 ? 40 * day_ms
                                                         : 400 * day_ms);
        assert_store(STORE_OK, store_session_create(f->store, &session, NULL, &f->fault));
    }
    assert_store(STORE_OK, store_session_end(f->store, fixture_session(2).id, SESSION_ENDED_ADMIN,
                                             FIXTURE_NOW, NULL, &f->fault));
}

/* So many writes, each by a process of its own, in so much time by the clock that cannot jump. */
static void write_much(struct fixture *f, int writes, int64_t passes_ms)
{
    f->settings.create = false;
    for (int i = 0; i < writes; i++) {
        f->now.wall_ms += passes_ms / writes;
        f->now.boot_ms += passes_ms / writes;
        fixture_close(f);
        fixture_open(f);
        fixture_write_something(f, f->now.wall_ms);
    }
}

static void a_clock_that_is_ahead_removes_nothing(void **state)
{
    static const int64_t jumps[] = {61, 3650};
    struct fixture *f = *state;
    struct fault notice;
    int64_t ahead_ms;

    open_for_a_wrong_clock(f);
    for (size_t i = 0; i < 2; i++) {
        f->now.wall_ms += jumps[i] * day_ms;
        assert_store(STORE_OK, store_clock_ahead(f->store, f->now.wall_ms, &ahead_ms, &f->fault));
        assert_int_equal(ahead_ms, jumps[i] * day_ms);
        assert_int_equal(fixture_prune(f, f->now.wall_ms, 100, false), i == 0 ? 11 : 0);
        write_much(f, 5, CLOCK_SECOND);
        f->now.wall_ms -= jumps[i] * day_ms; /* mended */
        fixture_write_something(f, f->now.wall_ms);
        /* The ten that were due within a day, and the ended one; see keep_ended_ms. */
        assert_int_equal(fixture_sessions(f), 19);
    }
    assert_store(STORE_OK, store_clock_ahead(f->store, f->now.wall_ms, &ahead_ms, &f->fault));
    assert_int_equal(ahead_ms, 0);
    for (uint32_t n = 1; n <= 30; n++) {
        if (n % 3 == 1) {
            assert_int_equal(fixture_find(f, n).end, SESSION_LIVE);
        }
    }
    /* What is due when the time has really passed goes. */
    write_much(f, 40, 45 * day_ms);
    assert_int_equal(fixture_sessions(f), 9);
    assert_false(store_notice(f->store, &notice));
    assert_int_equal(fixture_findings(f), 0);
}

/* The first process that meets it says so, and the first that finds it mended. */
static void a_clock_that_is_ahead_is_told_once(void **state)
{
    struct fixture *f = *state;
    struct fault notice;

    open_for_a_wrong_clock(f);
    assert_false(store_notice(f->store, &notice));
    f->now.wall_ms += 61 * day_ms;
    fixture_write_something(f, f->now.wall_ms);
    assert_true(store_notice(f->store, &notice));
    assert_string_equal(notice.text,
                        "the clock is 61 days ahead of the time that has passed: until it is set "
                        "right, ended sessions stay in the store; if it is right, `retoken store "
                        "prune`");
    for (int i = 0; i < 3; i++) {
        assert_false(store_notice(f->store, &notice));
        write_much(f, 1, CLOCK_HOUR);
    }
    assert_false(store_notice(f->store, &notice));
    f->now.wall_ms -= 61 * day_ms;
    fixture_write_something(f, f->now.wall_ms);
    assert_true(store_notice(f->store, &notice));
    assert_string_equal(notice.text, "the clock agrees with the time that has passed again");
    assert_false(store_notice(f->store, &notice));
}

static void pruning_can_be_told_that_the_clock_is_right(void **state)
{
    struct fixture *f = *state;
    size_t removed;
    int64_t ahead_ms;
    bool more;

    open_for_a_wrong_clock(f);
    f->now.wall_ms += 61 * day_ms;
    assert_store(STORE_OK,
                 store_prune(f->store, f->now.wall_ms, true, 100, &removed, &more, &f->fault));
    assert_int_equal(removed, 21);
    assert_store(STORE_OK, store_clock_ahead(f->store, f->now.wall_ms, &ahead_ms, &f->fault));
    assert_int_equal(ahead_ms, 0);
}

/* A machine that starts without knowing the time, and serves for 40 days. */
static void a_clock_that_is_behind_ends_nothing(void **state)
{
    const int64_t idle_ms = 30 * day_ms;
    const int64_t right_ms = FIXTURE_NOW + 3650 * day_ms;
    struct fixture *f = *state;
    struct store_rotation rotation = fixture_rotation(1, 0, 0);
    struct session session = fixture_session(2);
    int64_t ahead_ms;

    fixture_open_with_clock(f,
                            (struct clock_moment){.wall_ms = right_ms, .boot = 7, .boot_ms = 1000});
    fixture_account(f, "ada");
    fixture_add_session(f, 1);
    f->now.wall_ms = FIXTURE_NOW;
    session.expires_ms = FIXTURE_NOW + idle_ms;
    assert_store(STORE_OK, store_session_create(f->store, &session, NULL, &f->fault));
    session = fixture_find(f, 2);
    assert_int_equal(session.created_ms, right_ms);
    assert_int_equal(session.used_ms, right_ms);
    assert_int_equal(session.expires_ms, right_ms + idle_ms);
    assert_int_equal(session.ended_ms, 0);
    f->now.wall_ms += 40 * day_ms;
    f->now.boot_ms += 40 * day_ms;
    assert_store(STORE_OK, store_clock_ahead(f->store, f->now.wall_ms, &ahead_ms, &f->fault));
    assert_int_equal(ahead_ms, -3650 * day_ms);
    rotation.now_ms = f->now.wall_ms;
    rotation.expires_ms = right_ms + idle_ms; /* from the last use that the record knows */
    memcpy(rotation.id, session.id, sizeof rotation.id);
    assert_store(STORE_OK, store_session_rotate(f->store, &rotation, &f->fault));
    session = fixture_find(f, 2);
    assert_int_equal(session.used_ms, right_ms + 40 * day_ms);
    assert_int_equal(session.expires_ms, right_ms + 40 * day_ms + idle_ms);
    assert_store(STORE_OK,
                 store_session_touch(f->store, session.id, 1, f->now.wall_ms, 0, &f->fault));
    assert_int_equal(fixture_find(f, 2).expires_ms, 0);
    assert_int_equal(fixture_findings(f), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        CONTRACT(a_clock_that_is_ahead_removes_nothing),
        CONTRACT(a_clock_that_is_ahead_is_told_once),
        CONTRACT(pruning_can_be_told_that_the_clock_is_right),
        CONTRACT(a_clock_that_is_behind_ends_nothing),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
