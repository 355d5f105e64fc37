/* SPDX-License-Identifier: ISC */
/* The store's contract on rotation and touch: what a renewal needs, what it changes, and when
 * generations were spent. CONTRACT runs each test on every kind of store. */
#include "store/fixture.h"

#include <string.h>

static void successors_alias_is_never_taken_from_another(void **state)
{
    struct fixture *f = *state;
    struct session other = fixture_session(2);
    struct store_rotation rotation = fixture_rotation(1, 0, FIXTURE_NOW + 1);

    fixture_account(f, "ada");
    fixture_add_session(f, 1);
    other.has_alias = true;
    assert_store(STORE_OK, store_session_create(f->store, &other, NULL, &f->fault));
    rotation.has_alias = true; /* all zero, as the other's */
    assert_store(STORE_FAULT, store_session_rotate(f->store, &rotation, &f->fault));
    assert_int_equal(fixture_find(f, 1).generation, 0);
}

static void rotation_is_a_compare_and_set(void **state)
{
    struct fixture *f = *state;
    struct store_rotation rotation = fixture_rotation(1, 0, FIXTURE_NOW + 5);
    struct session session;

    fixture_account(f, "ada");
    assert_store(STORE_ABSENT, store_session_rotate(f->store, &rotation, &f->fault));
    fixture_add_session(f, 1);
    rotation.expires_ms = FIXTURE_NOW + 20000;
    assert_store(STORE_OK, store_session_rotate(f->store, &rotation, &f->fault));
    session = fixture_find(f, 1);
    assert_int_equal(session.generation, 1);
    assert_int_equal(session.rotated_ms, FIXTURE_NOW + 5);
    assert_int_equal(session.used_ms, FIXTURE_NOW + 5);
    assert_int_equal(session.expires_ms, FIXTURE_NOW + 20000);
    assert_int_equal(session.created_ms, FIXTURE_NOW);

    assert_store(STORE_STALE, store_session_rotate(f->store, &rotation, &f->fault));
    rotation.from = 2; /* a token newer than the store */
    rotation.to = rotation.from + 1;
    assert_store(STORE_STALE, store_session_rotate(f->store, &rotation, &f->fault));
    assert_int_equal(fixture_find(f, 1).generation, 1);
    rotation.from = 1;
    rotation.to = rotation.from + 1;
    assert_store(STORE_OK, store_session_rotate(f->store, &rotation, &f->fault));
}

static void rotate_at(struct fixture *f, uint32_t from, uint32_t to, struct clock_moment now)
{
    struct store_rotation rotation = fixture_rotation(1, from, FIXTURE_NOW);

    rotation.to = to;
    f->now = now;
    assert_store(STORE_OK, store_session_rotate(f->store, &rotation, &f->fault));
}

static void the_last_eight_spending_times_are_kept(void **state)
{
    struct fixture *f = *state;
    struct session session;

    fixture_open_with_clock(f, (struct clock_moment){.wall_ms = FIXTURE_NOW});
    fixture_account(f, "ada");
    fixture_add_session(f, 1);
    for (uint32_t n = 0; n < 10; n++) {
        rotate_at(f, n, n + 1, (struct clock_moment){FIXTURE_NOW + 100 * n, 7000 + 10 * n, 99});
    }
    session = fixture_find(f, 1);
    assert_int_equal(session.boot, 99);
    for (uint32_t k = 0; k < SESSION_SPENT_KEPT; k++) {
        assert_int_equal(session.spent[k].wall_ms, FIXTURE_NOW + 100 * (9 - k));
        assert_int_equal(session.spent[k].boot_ms, 7000 + 10 * (9 - k));
    }
    /* After another boot the old times since boot mean nothing. */
    rotate_at(f, 10, 11, (struct clock_moment){FIXTURE_NOW + 5000, 3, 100});
    session = fixture_find(f, 1);
    assert_int_equal(session.boot, 100);
    assert_int_equal(session.spent[0].boot_ms, 3);
    assert_int_equal(session.spent[1].boot_ms, 0);
    assert_int_equal(session.spent[1].wall_ms, FIXTURE_NOW + 900);
    /* Nor does one that nobody could read. */
    rotate_at(f, 11, 12, (struct clock_moment){.wall_ms = FIXTURE_NOW + 6000, .boot_ms = 50});
    session = fixture_find(f, 1);
    assert_int_equal(session.boot, 0);
    assert_int_equal(session.spent[0].boot_ms, 0);
    assert_int_equal(session.spent[1].boot_ms, 0);
}

static void wide_and_backward_steps_of_the_clock_are_kept(void **state)
{
    static const int64_t walls[] = {FIXTURE_NOW, FIXTURE_NOW - 60000,
                                    FIXTURE_NOW + INT64_C(90) * CLOCK_DAY};
    struct fixture *f = *state;
    struct session session;

    fixture_open_with_clock(f, (struct clock_moment){.wall_ms = FIXTURE_NOW});
    fixture_account(f, "ada");
    fixture_add_session(f, 1);
    for (uint32_t n = 0; n < 3; n++) {
        rotate_at(f, n, n + 1, (struct clock_moment){.wall_ms = walls[n]});
    }
    session = fixture_find(f, 1);
    for (uint32_t k = 0; k < 3; k++) { /* to a thousandth of the steps */
        assert_in_range(session.spent[k].wall_ms, walls[2 - k], walls[2 - k] + CLOCK_DAY / 5);
    }
    assert_in_range(session.spent[1].wall_ms - session.spent[2].wall_ms, -60000, -59940);
    assert_int_equal(session.spent[3].wall_ms, 0);
}

/* The store has lost history: n = 3 in the record, 5 presented, so 6 is next. */
static void rolling_forward_skips_generations(void **state)
{
    struct fixture *f = *state;
    struct store_rotation rotation = fixture_rotation(1, 3, FIXTURE_NOW);
    struct session session;

    fixture_open_with_clock(f, (struct clock_moment){.wall_ms = FIXTURE_NOW});
    fixture_account(f, "ada");
    fixture_add_session(f, 1);
    for (uint32_t n = 0; n < 3; n++) {
        rotate_at(f, n, n + 1, (struct clock_moment){FIXTURE_NOW + n, 10 + n, 99});
    }
    rotate_at(f, 3, 6, (struct clock_moment){FIXTURE_NOW + 500, 510, 99});
    session = fixture_find(f, 1);
    assert_int_equal(session.generation, 6);
    assert_int_equal(session.spent[0].wall_ms, FIXTURE_NOW + 500); /* 5 */
    assert_int_equal(session.spent[1].wall_ms, 0);                 /* 4: not known */
    assert_int_equal(session.spent[2].wall_ms, 0);                 /* 3 */
    assert_int_equal(session.spent[3].wall_ms, FIXTURE_NOW + 2);   /* 2 */
    assert_int_equal(session.spent[3].boot_ms, 12);
    assert_int_equal(session.spent[5].wall_ms, FIXTURE_NOW);
    rotation.to = 9; /* too late: the record has moved */
    assert_store(STORE_STALE, store_session_rotate(f->store, &rotation, &f->fault));
    rotate_at(f, 6, 1000, (struct clock_moment){FIXTURE_NOW + 600, 610, 99});
    session = fixture_find(f, 1);
    assert_int_equal(session.spent[0].wall_ms, FIXTURE_NOW + 600);
    assert_int_equal(session.spent[1].wall_ms, 0);
    rotation.from = rotation.to = 1000; /* leads nowhere */
    assert_store(STORE_FAULT, store_session_rotate(f->store, &rotation, &f->fault));
}

static void rotation_and_touch_need_a_live_session_and_an_enabled_account(void **state)
{
    struct fixture *f = *state;
    struct store_rotation rotation = fixture_rotation(1, 0, FIXTURE_NOW + 1);
    struct account account = {.enabled = false};
    struct session session = fixture_session(1);

    account.number = fixture_account(f, "ada");
    fixture_add_session(f, 1);

    assert_store(STORE_OK, store_account_update(f->store, NULL, &account, &f->fault));
    assert_store(STORE_STALE, store_session_rotate(f->store, &rotation, &f->fault));
    assert_store(STORE_STALE, store_session_touch(f->store, session.id, 0, FIXTURE_NOW + 1,
                                                  session.expires_ms, &f->fault));
    account.enabled = true;
    assert_store(STORE_OK, store_account_update(f->store, NULL, &account, &f->fault));
    assert_store(STORE_OK, store_session_touch(f->store, session.id, 0, FIXTURE_NOW + 1,
                                               session.expires_ms, &f->fault));
    assert_store(STORE_OK, store_session_rotate(f->store, &rotation, &f->fault));

    assert_store(STORE_OK, store_account_remove(f->store, "ada", &f->fault));
    rotation.from = 1;
    rotation.to = rotation.from + 1;
    assert_store(STORE_STALE, store_session_rotate(f->store, &rotation, &f->fault));
    fixture_account(f, "ada"); /* the same name is another account */
    assert_store(STORE_STALE, store_session_rotate(f->store, &rotation, &f->fault));
    assert_int_equal(fixture_find(f, 1).generation, 1);
}

static void set_client(struct fixture *f, const char *id, bool enabled)
{
    struct client before, after;

    assert_store(STORE_OK, store_client_find(f->store, id, &before, &f->fault));
    after = before;
    after.enabled = enabled;
    assert_store(STORE_OK, store_client_update(f->store, &before, &after, &f->fault));
}

static void clients_own_sessions_need_no_account(void **state)
{
    struct fixture *f = *state;
    struct client robot = {.enabled = true, .id = "robot"};
    struct session session = fixture_session(1);
    struct store_rotation rotation = fixture_rotation(1, 0, FIXTURE_NOW + 1);
    struct session_view view;

    assert_store(STORE_OK, store_client_add(f->store, &robot, &f->fault));
    session.account = 0;
    session.client_number = robot.number;
    strcpy(session.client, "robot");
    assert_store(STORE_OK, store_session_create(f->store, &session, NULL, &f->fault));
    assert_store(STORE_OK, store_session_view(f->store, session.id, &view, &f->fault));
    assert_false(view.has_account);
    assert_int_equal(view.session.end, SESSION_LIVE);
    assert_store(STORE_OK, store_session_rotate(f->store, &rotation, &f->fault));
    rotation = fixture_rotation(1, 1, FIXTURE_NOW + 2);
    set_client(f, "robot", false);
    assert_store(STORE_STALE, store_session_rotate(f->store, &rotation, &f->fault));
    set_client(f, "robot", true);
    assert_store(STORE_OK, store_session_rotate(f->store, &rotation, &f->fault));
    rotation = fixture_rotation(1, 2, FIXTURE_NOW + 3);
    assert_store(STORE_OK, store_client_remove(f->store, "robot", &f->fault));
    assert_store(STORE_STALE, store_session_rotate(f->store, &rotation, &f->fault));
    assert_int_equal(fixture_find(f, 1).end, SESSION_ENDED_CLIENT);
}

static void use_of_a_secret_is_noted_alone(void **state)
{
    struct fixture *f = *state;
    struct client robot = {
        .enabled = true, .id = "robot", .secrets[0] = {.hash = "a hash", .number = 1}};
    struct client after, of_before;
    struct store_write write;

    assert_store(STORE_OK, store_client_add(f->store, &robot, &f->fault));
    store_prepare_client_use(&write, &robot, 1, FIXTURE_NOW);
    assert_store(STORE_OK, store_write(f->store, &write, &f->fault));
    assert_store(STORE_OK, store_client_find(f->store, "robot", &after, &f->fault));
    assert_int_equal(after.secrets[0].used_ms, FIXTURE_NOW);
    set_client(f, "robot", false);
    store_prepare_client_use(&write, &robot, 1, FIXTURE_NOW + CLOCK_DAY);
    assert_store(STORE_STALE, store_write(f->store, &write, &f->fault));
    assert_store(STORE_OK, store_client_remove(f->store, "robot", &f->fault));
    assert_store(STORE_STALE, store_write(f->store, &write, &f->fault));
    of_before = robot;
    assert_store(STORE_OK, store_client_add(f->store, &robot, &f->fault));
    store_prepare_client_use(&write, &of_before, 1, FIXTURE_NOW + CLOCK_DAY);
    assert_store(STORE_STALE, store_write(f->store, &write, &f->fault));
}

static void ended_sessions_do_not_rotate(void **state)
{
    struct fixture *f = *state;
    struct store_rotation rotation = fixture_rotation(1, 0, FIXTURE_NOW + 1);

    fixture_account(f, "ada");
    fixture_add_session(f, 1);
    assert_store(STORE_OK, store_session_end(f->store, rotation.id, SESSION_ENDED_ADMIN,
                                             FIXTURE_NOW, NULL, &f->fault));
    assert_store(STORE_STALE, store_session_rotate(f->store, &rotation, &f->fault));
    assert_store(STORE_STALE, store_session_touch(f->store, rotation.id, 0, FIXTURE_NOW + 1,
                                                  FIXTURE_NOW + 9, &f->fault));
}

static void touch_notes_the_use_and_nothing_else(void **state)
{
    struct fixture *f = *state;
    struct session session = fixture_session(1), expected = session;

    fixture_account(f, "ada");
    assert_store(STORE_ABSENT, store_session_touch(f->store, session.id, 0, FIXTURE_NOW + 7,
                                                   FIXTURE_NOW + 90000, &f->fault));
    fixture_add_session(f, 1);
    assert_store(STORE_STALE, store_session_touch(f->store, session.id, 1, FIXTURE_NOW + 7,
                                                  FIXTURE_NOW + 90000, &f->fault));
    assert_store(STORE_OK, store_session_touch(f->store, session.id, 0, FIXTURE_NOW + 7,
                                               FIXTURE_NOW + 90000, &f->fault));
    expected.used_ms = FIXTURE_NOW + 7;
    expected.expires_ms = FIXTURE_NOW + 90000;
    session = fixture_find(f, 1);
    assert_memory_equal(&session, &expected, sizeof session);
}

static void last_generation_is_a_fault_not_a_wrap(void **state)
{
    struct fixture *f = *state;
    struct session session = fixture_session(1);
    struct store_rotation rotation = fixture_rotation(1, UINT32_MAX, FIXTURE_NOW + 1);

    fixture_account(f, "ada");
    session.generation = UINT32_MAX;
    assert_store(STORE_OK, store_session_create(f->store, &session, NULL, &f->fault));
    assert_store(STORE_FAULT, store_session_rotate(f->store, &rotation, &f->fault));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        CONTRACT(successors_alias_is_never_taken_from_another),
        CONTRACT(rotation_is_a_compare_and_set),
        CONTRACT(the_last_eight_spending_times_are_kept),
        CONTRACT(wide_and_backward_steps_of_the_clock_are_kept),
        CONTRACT(rolling_forward_skips_generations),
        CONTRACT(rotation_and_touch_need_a_live_session_and_an_enabled_account),
        CONTRACT(clients_own_sessions_need_no_account),
        CONTRACT(use_of_a_secret_is_noted_alone),
        CONTRACT(ended_sessions_do_not_rotate),
        CONTRACT(touch_notes_the_use_and_nothing_else),
        CONTRACT(last_generation_is_a_fault_not_a_wrap),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
