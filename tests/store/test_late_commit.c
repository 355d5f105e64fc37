/* SPDX-License-Identifier: ISC */
/* What only a store in PostgreSQL has to bear: commits that a standby does not answer. */
#include "store/fixture.h"

#include <string.h>

#include "base/clock.h"
#include "store/server.h"

enum { WAIT_MS = 300, TRIES = 200 };

static void standbys(const char *names)
{
    char sql[100];

    snprintf(sql, sizeof sql, "ALTER SYSTEM SET synchronous_standby_names = '%s'", names);
    server_run(sql);
    server_run("SELECT pg_reload_conf()");
}

/* A session, and its rotation that waits for a standby until the store gives up. */
static struct fixture *with_a_late_rotation(void)
{
    struct store_rotation rotation;
    struct session session;
    struct fixture *f;
    void *state;

    fixture_postgresql(&state);
    f = state;
    fixture_close(f);
    f->settings.clock = clock_system();
    f->settings.writer_wait_ms = WAIT_MS;
    fixture_open(f);
    fixture_account(f, "ada");
    session = fixture_session(1);
    session.created_ms = session.rotated_ms = session.used_ms = clock_now_ms(&f->settings.clock);
    session.expires_ms = 0;
    assert_store(STORE_OK, store_session_create(f->store, &session, NULL, &f->fault));
    standbys("absent");
    rotation = fixture_rotation(1, 0, clock_now_ms(&f->settings.clock));
    rotation.expires_ms = 0;
    for (int i = 0; i < TRIES && /* until the setting is known */
                    store_session_rotate(f->store, &rotation, &f->fault) == STORE_OK;
         i++) {
        rotation.from++;
        rotation.to++;
    }
    assert_non_null(strstr(f->fault.text, "is not known"));
    return f;
}

/* Until the commit is seen. */
static struct session seen(struct fixture *f, uint32_t generation)
{
    static struct session_view view;

    for (int i = 0; i < TRIES; i++) {
        uint8_t id[SESSION_ID_SIZE];
        struct session session = fixture_session(1);

        memcpy(id, session.id, sizeof id);
        if (store_session_view(f->store, id, &view, &f->fault) == STORE_OK &&
            view.session.generation > generation) {
            break;
        }
    }
    return view.session;
}

/* Where its process lives on, it says since when a token is spent before it writes anything else.
 */
static void a_late_commit_is_stamped(void **state)
{
    struct fixture *f = with_a_late_rotation();
    struct session before = fixture_find(f, 1), after;
    struct event event = {.kind = EVENT_KEY};
    int64_t seen_ms = clock_now_ms(&f->settings.clock);
    enum store_result result = STORE_FAULT;

    (void)state;
    standbys("");
    for (int i = 0; i < TRIES && result != STORE_OK; i++) {
        result = store_event_add(f->store, &event, &f->fault);
    }
    assert_store(STORE_OK, result);
    after = fixture_find(f, 1);
    assert_true(after.generation > before.generation);
    assert_true(after.spent[0].wall_ms >= seen_ms);
    assert_int_equal(fixture_findings(f), 0);
    fixture_remove((void **)&f);
}

/* Where it has died, nobody ends the session for that token before its time is made certain. */
static void a_late_commit_of_a_dead_process_ends_nothing(void **state)
{
    struct fixture *f = with_a_late_rotation();
    struct session before = fixture_find(f, 1), after;
    struct store_write write;
    int64_t seen_ms;

    (void)state;
    fixture_close(f);
    seen_ms = clock_now_ms(&f->settings.clock);
    f->settings.writer_wait_ms = 0;
    standbys("");
    fixture_open(f);
    after = seen(f, before.generation);
    assert_true(after.generation > before.generation);
    assert_true(after.spent[0].wall_ms < seen_ms);
    store_prepare_end(&write, after.id, SESSION_ENDED_REUSE, seen_ms, &after, NULL);
    assert_store(STORE_STALE, store_write(f->store, &write, &f->fault));
    after = fixture_find(f, 1);
    assert_int_equal(after.end, SESSION_LIVE);
    assert_true(after.spent[0].wall_ms >= seen_ms);
    fixture_remove((void **)&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_late_commit_is_stamped),
        cmocka_unit_test(a_late_commit_of_a_dead_process_ends_nothing),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
