/* SPDX-License-Identifier: ISC */
/* What only a store in PostgreSQL has to bear: commits that a standby does not answer. */
#include "store/fixture.h"

#include <string.h>

#include "base/clock.h"
#include "store/server.h"

enum { WAIT_MS = 1000, TRIES = 200 };

/* Two stores on one schema: one whose writes may wait for WAIT_MS, whatever this machine does
 * meanwhile, and one that looks on, for which nothing is ever late. */
struct late {
    struct fixture *hasty, patient;
};

static void standbys(const char *names)
{
    char sql[100];

    snprintf(sql, sizeof sql, "ALTER SYSTEM SET synchronous_standby_names = '%s'", names);
    server_run(sql);
    server_run("SELECT pg_reload_conf()");
}

/* A first write makes what later ones need. */
static void write_until_it_is_made(struct fixture *f)
{
    struct event event = {.kind = EVENT_KEY};
    enum store_result result = STORE_FAULT;

    for (int i = 0; i < TRIES && result != STORE_OK; i++) {
        result = store_event_add(f->store, &event, &f->fault);
    }
    assert_store(STORE_OK, result);
}

static void open_hasty(struct fixture *f)
{
    f->settings.writer_wait_ms = WAIT_MS;
    do {
        f->store = store_open(&f->settings, &f->fault);
    } while (f->store == NULL);
    write_until_it_is_made(f);
}

/* A session, and its rotation that waits for a standby until the hasty store gives up. Returns the
 * session as it was before. */
static struct session begin(struct late *late)
{
    struct session session, before;
    struct fixture *f;
    void *state;

    fixture_postgresql(&state);
    f = late->hasty = state;
    fixture_close(f);
    f->settings.clock = clock_system();
    late->patient = *f;
    fixture_open(&late->patient);
    fixture_account(&late->patient, "ada");
    session = fixture_session(1);
    session.created_ms = session.rotated_ms = session.used_ms = clock_now_ms(&f->settings.clock);
    session.expires_ms = 0;
    assert_store(STORE_OK,
                 store_session_create(late->patient.store, &session, NULL, &late->patient.fault));
    open_hasty(f);
    standbys("absent");
    for (int i = 0; i < TRIES; i++) { /* until the setting is known */
        struct store_rotation rotation;
        enum store_result result;

        before = fixture_find(&late->patient, 1);
        rotation = fixture_rotation(1, before.generation, clock_now_ms(&f->settings.clock));
        rotation.expires_ms = 0;
        result = store_session_rotate(f->store, &rotation, &f->fault);
        if (result == STORE_FAULT && strstr(f->fault.text, "is not known") != NULL &&
            fixture_find(&late->patient, 1).generation == before.generation) {
            return before;
        }
    }
    fail_msg("no commit waits for a standby: %s", f->fault.text);
    return before;
}

static void end(struct late *late)
{
    assert_int_equal(fixture_findings(&late->patient), 0);
    fixture_close(&late->patient);
    fixture_remove((void **)&late->hasty);
}

/* Where its process lives on, it says since when a token is spent before it writes anything else.
 */
static void a_late_commit_is_stamped(void **state)
{
    struct late late;
    struct session before = begin(&late), after;
    struct fixture *f = late.hasty;
    int64_t seen_ms = clock_now_ms(&f->settings.clock);

    (void)state;
    standbys("");
    write_until_it_is_made(f);
    after = fixture_find(&late.patient, 1);
    assert_true(after.generation > before.generation);
    assert_true(after.spent[0].wall_ms >= seen_ms);
    end(&late);
}

/* Where it has died, nobody ends the session for that token before its time is made certain. */
static void a_late_commit_of_a_dead_process_ends_nothing(void **state)
{
    struct late late;
    struct session before = begin(&late), after;
    struct fixture *f = &late.patient;
    struct store_write write;
    int64_t seen_ms;

    (void)state;
    fixture_close(late.hasty);
    seen_ms = clock_now_ms(&f->settings.clock);
    standbys("");
    do {
        after = fixture_find(f, 1);
    } while (after.generation == before.generation);
    assert_true(after.spent[0].wall_ms < seen_ms);
    store_prepare_end(&write, after.id, SESSION_ENDED_REUSE, seen_ms, &after, NULL);
    assert_store(STORE_STALE, store_write(f->store, &write, &f->fault));
    after = fixture_find(f, 1);
    assert_int_equal(after.end, SESSION_LIVE);
    assert_true(after.spent[0].wall_ms >= seen_ms);
    end(&late);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_late_commit_is_stamped),
        cmocka_unit_test(a_late_commit_of_a_dead_process_ends_nothing),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
