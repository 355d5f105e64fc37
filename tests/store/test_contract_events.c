/* SPDX-License-Identifier: ISC */
/* The store's contract on events: their order, how many are kept, and repeats.
 * CONTRACT runs each test on every kind of store. */
#include "store/fixture.h"

#include <string.h>

static void events_are_listed_newest_first(void **state)
{
    struct fixture *f = *state;
    struct event event = {.kind = EVENT_ACCOUNT, .account = 7, .note = "changed"};
    struct event rows[4];
    size_t count;

    for (int i = 0; i < 4; i++) {
        event.at_ms = FIXTURE_NOW + i;
        event.generation = (uint32_t)i;
        memset(event.session, i % 2, sizeof event.session);
        assert_store(STORE_OK, store_event_add(f->store, &event, &f->fault));
    }
    assert_store(STORE_OK, store_event_list(f->store, NULL, 0, rows, 3, &count, &f->fault));
    assert_int_equal(count, 3);
    assert_int_equal(rows[0].at_ms, FIXTURE_NOW + 3);
    assert_int_equal(rows[2].at_ms, FIXTURE_NOW + 1);
    assert_int_equal(rows[0].number, 4);
    event.number = rows[0].number;
    memcpy(event.link, rows[0].link, sizeof event.link);
    assert_memory_equal(&rows[0], &event, sizeof event);
    assert_store(STORE_OK,
                 store_event_list(f->store, NULL, rows[2].number, rows, 4, &count, &f->fault));
    assert_int_equal(count, 1);
    assert_int_equal(rows[0].at_ms, FIXTURE_NOW);
    assert_store(STORE_OK,
                 store_event_list(f->store, event.session, 0, rows, 4, &count, &f->fault));
    assert_int_equal(count, 2);
    assert_int_equal(rows[1].at_ms, FIXTURE_NOW + 1);
}

static void newest_events_are_kept(void **state)
{
    struct fixture *f = *state;
    static struct event rows[STORE_EVENTS_KEPT + 10];
    size_t count;

    assert_store(STORE_OK, fixture_add_events(f, STORE_EVENTS_KEPT));
    assert_int_equal(fixture_entries(f, TABLE_EVENTS), STORE_EVENTS_KEPT);
    assert_store(STORE_OK, fixture_add_events(f, 7));
    assert_store(STORE_OK, store_event_list(f->store, NULL, 0, rows, STORE_EVENTS_KEPT + 10, &count,
                                            &f->fault));
    assert_int_equal(count, STORE_EVENTS_KEPT);
    assert_int_equal(rows[0].at_ms, 7);
    assert_int_equal(rows[7].at_ms, STORE_EVENTS_KEPT);
    assert_int_equal(rows[STORE_EVENTS_KEPT - 1].at_ms, 8);
}

/* Repeating a request pushes nothing out: it is counted, by session, generation and kind. */
static void an_event_told_again_is_counted(void **state)
{
    struct fixture *f = *state;
    struct event event = {.kind = EVENT_REUSE_REPORTED, .session = {1}}, rows[8];
    size_t count;

    for (uint32_t i = 0; i < 12; i++) {
        event.at_ms = FIXTURE_NOW + i;
        event.kind = i % 3 == 0 ? EVENT_RECOVERED : EVENT_REUSE_REPORTED;
        event.generation = i % 2;
        assert_store(STORE_OK, store_event_add(f->store, &event, &f->fault));
    }
    assert_store(STORE_OK, store_event_list(f->store, NULL, 0, rows, 8, &count, &f->fault));
    assert_int_equal(count, 4);
    assert_int_equal(rows[3].kind, EVENT_RECOVERED);
    assert_int_equal(rows[3].at_ms, FIXTURE_NOW);
    assert_int_equal(rows[3].repeats, 1);
    assert_int_equal(rows[3].last_ms, FIXTURE_NOW + 6);
    assert_int_equal(rows[2].kind, EVENT_REUSE_REPORTED);
    assert_int_equal(rows[2].repeats, 3);
    assert_int_equal(fixture_findings(f), 0);
}

/* Each session is another, so that none is counted. */
static enum store_result apply_recoveries(struct rows *rows, void *what)
{
    struct event event = {.at_ms = FIXTURE_NOW, .kind = EVENT_RECOVERED, .session = {1}};

    for (event.generation = 0; event.generation < *(const uint32_t *)what; event.generation++) {
        events_append(rows, &event);
    }
    return STORE_OK;
}

static void a_flood_pushes_out_only_its_own_class(void **state)
{
    struct fixture *f = *state;
    struct event reuse = {.at_ms = 1, .kind = EVENT_REUSE, .session = {2}};
    struct event revoked = {.at_ms = 2, .kind = EVENT_REVOKED, .session = {3}};
    static struct event rows[STORE_EVENTS_KEPT + 10];
    uint32_t many = STORE_EVENTS_KEPT + 5;
    size_t count;

    assert_store(STORE_OK, store_event_add(f->store, &reuse, &f->fault));
    assert_store(STORE_OK, store_event_add(f->store, &revoked, &f->fault));
    assert_store(STORE_OK, fixture_write(f, apply_recoveries, &many, &f->fault));
    assert_store(STORE_OK, store_event_list(f->store, NULL, 0, rows, STORE_EVENTS_KEPT + 10, &count,
                                            &f->fault));
    assert_int_equal(count, STORE_EVENTS_KEPT + 2);
    assert_int_equal(rows[0].generation, many - 1);
    assert_int_equal(rows[count - 2].kind, EVENT_REVOKED);
    assert_int_equal(rows[count - 1].kind, EVENT_REUSE);
    assert_int_equal(fixture_findings(f), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        CONTRACT(events_are_listed_newest_first),
        CONTRACT(newest_events_are_kept),
        CONTRACT(an_event_told_again_is_counted),
        CONTRACT(a_flood_pushes_out_only_its_own_class),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
