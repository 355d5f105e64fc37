/* SPDX-License-Identifier: ISC */
/* The store's contract on deliveries: who is told of what, in which order, and within which bounds;
 * and on the chains that a removed or changed event breaks. CONTRACT runs each test on every kind
 * of store. */
#include "store/fixture.h"

#include <stdio.h>
#include <string.h>

enum { LEASE = 1000, ROOM = 32 };

/* Opens it once more with subscriptions "flow" to all that happens in realm "main", and "ends" to
 * reuses and revocations everywhere. */
static void subscribe(struct fixture *f, uint32_t most)
{
    static const char *const realms[] = {"main"};
    static struct store_subscription subscriptions[] = {
        {.name = "flow", .kinds = ~UINT64_C(0), .realms = realms, .realm_count = 1},
        {.name = "ends"}};

    subscriptions[1].kinds = event_bit(EVENT_REUSE) | event_bit(EVENT_REVOKED);
    fixture_close(f);
    f->settings.subscriptions = subscriptions;
    f->settings.subscription_count = 2;
    f->settings.outbox_most = most;
    fixture_open(f);
}

static struct event event_of(enum event_kind kind, uint8_t session, uint32_t generation)
{
    struct event event = {.at_ms = FIXTURE_NOW + generation,
                          .kind = kind,
                          .session = {session},
                          .generation = generation,
                          .realm = "main"};

    return event;
}

static void tell(struct fixture *f, enum event_kind kind, uint8_t session, uint32_t generation)
{
    struct event event = event_of(kind, session, generation);

    assert_store(STORE_OK, store_event_add(f->store, &event, &f->fault));
}

static size_t lease(struct fixture *f, const char *name, int64_t now_ms,
                    struct store_delivery rows[ROOM])
{
    size_t count;

    assert_store(STORE_OK, store_delivery_lease(f->store, name, now_ms, LEASE, rows, ROOM, &count,
                                                &f->fault));
    return count;
}

static void done(struct fixture *f, const char *name, uint64_t number)
{
    assert_store(STORE_OK, store_delivery_done(f->store, name, &number, 1, &f->fault));
}

static struct store_delivery_stat stat_of(struct fixture *f, const char *name)
{
    struct store_delivery_stat stat;

    assert_store(STORE_OK, store_delivery_stat(f->store, name, &stat, &f->fault));
    return stat;
}

static void without_subscribers_nothing_waits(void **state)
{
    struct fixture *f = *state;
    uint64_t before;

    assert_false(store_wants(f->store, EVENT_REFRESHED, "main"));
    tell(f, EVENT_REUSE, 1, 0);
    before = fixture_entries(f, TABLE_EVENTS);
    tell(f, EVENT_REFRESHED, 1, 1);
    assert_int_equal(fixture_entries(f, TABLE_EVENTS), before);
    assert_int_equal(fixture_entries(f, TABLE_OUTBOX), 0);
}

static void those_are_told_who_subscribe(void **state)
{
    struct fixture *f = *state;
    struct store_delivery rows[ROOM];
    struct event event = event_of(EVENT_REVOKED, 3, 0);
    struct event listed[4];
    size_t count;

    subscribe(f, 0);
    assert_true(store_wants(f->store, EVENT_REFRESHED, "main"));
    assert_false(store_wants(f->store, EVENT_REFRESHED, "other"));
    assert_true(store_wants(f->store, EVENT_REUSE, "other"));
    tell(f, EVENT_REFRESHED, 1, 1);
    tell(f, EVENT_REUSE, 2, 5);
    snprintf(event.realm, sizeof event.realm, "other");
    assert_store(STORE_OK, store_event_add(f->store, &event, &f->fault));
    assert_int_equal(lease(f, "flow", FIXTURE_NOW, rows), 2);
    assert_int_equal(rows[0].event.kind, EVENT_REFRESHED);
    assert_int_equal(rows[0].event.generation, 1);
    assert_string_equal(rows[0].subscription, "flow");
    assert_int_equal(rows[0].tries, 1);
    assert_int_equal(rows[0].first_ms, FIXTURE_NOW + 1);
    assert_int_equal(rows[1].event.kind, EVENT_REUSE);
    assert_int_equal(lease(f, "ends", FIXTURE_NOW, rows), 2);
    assert_int_equal(rows[0].event.kind, EVENT_REUSE);
    assert_int_equal(rows[1].event.kind, EVENT_REVOKED);
    /* what is only told is not listed */
    assert_store(STORE_OK, store_event_list(f->store, NULL, 0, listed, 4, &count, &f->fault));
    assert_int_equal(count, 2);
    assert_int_equal(listed[1].number, rows[0].number);
    assert_int_equal(fixture_findings(f), 0);
}

/* A write that is refused tells nothing, and one that is made tells in its own commit. */
static void an_event_is_there_when_its_change_is(void **state)
{
    struct fixture *f = *state;
    struct store_delivery rows[ROOM];
    struct store_write write;
    struct store_rotation rotation;
    struct event event = event_of(EVENT_REFRESHED, 1, 0);
    uint64_t commits;

    subscribe(f, 0);
    fixture_account(f, "ada");
    fixture_add_session(f, 1);
    rotation = fixture_rotation(1, 0, FIXTURE_NOW + 1);
    commits = fixture_commits(f);
    for (int i = 0; i < 2; i++) {
        store_prepare_rotate(&write, &rotation);
        store_attach_event(&write, &event);
        assert_store(i == 0 ? STORE_OK : STORE_STALE, store_write(f->store, &write, &f->fault));
    }
    assert_int_equal(fixture_commits(f), commits + 1);
    assert_int_equal(lease(f, "flow", FIXTURE_NOW, rows), 1);
}

static void events_of_a_session_come_one_by_one(void **state)
{
    struct fixture *f = *state;
    struct store_delivery rows[ROOM], more[ROOM];
    uint8_t id[STORE_DELIVERY_ID_SIZE];

    subscribe(f, 0);
    for (uint32_t generation = 1; generation <= 3; generation++) {
        tell(f, EVENT_REFRESHED, 1, generation);
        tell(f, EVENT_REFRESHED, 2, generation);
    }
    assert_int_equal(lease(f, "flow", FIXTURE_NOW, rows), 2);
    assert_int_equal(rows[0].event.session[0], 1);
    assert_int_equal(rows[1].event.session[0], 2);
    assert_int_equal(lease(f, "flow", FIXTURE_NOW + LEASE - 1, more), 0);
    memcpy(id, rows[1].id, sizeof id);
    done(f, "flow", rows[0].number);
    done(f, "flow", rows[0].number); /* once more changes nothing */
    /* the lease of the other has run out: it is given again, with the same id */
    assert_int_equal(lease(f, "flow", FIXTURE_NOW + LEASE, rows), 2);
    assert_int_equal(rows[0].event.session[0], 2);
    assert_int_equal(rows[0].event.generation, 1);
    assert_int_equal(rows[0].tries, 2);
    assert_memory_equal(rows[0].id, id, sizeof id);
    assert_int_equal(rows[1].event.session[0], 1);
    assert_int_equal(rows[1].event.generation, 2);
    assert_memory_not_equal(rows[1].id, id, sizeof id);
    assert_int_equal(stat_of(f, "flow").leased, 2);
    assert_int_equal(stat_of(f, "flow").waiting, 3);
    assert_int_equal(stat_of(f, "flow").delivered, 1);
    assert_int_equal(stat_of(f, "flow").oldest_ms, FIXTURE_NOW + 1);
    assert_int_equal(fixture_findings(f), 0);
}

/* More of one session than a lease looks at do not hide another's. */
static void a_busy_session_hides_no_other(void **state)
{
    struct fixture *f = *state;
    struct store_delivery rows[ROOM];

    subscribe(f, 0);
    for (uint32_t generation = 1; generation <= 502; generation++) {
        tell(f, EVENT_REFRESHED, 1, generation);
    }
    tell(f, EVENT_REFRESHED, 2, 1);
    assert_int_equal(lease(f, "flow", FIXTURE_NOW, rows), 1);
    assert_int_equal(lease(f, "flow", FIXTURE_NOW, rows), 1);
    assert_int_equal(rows[0].event.session[0], 2);
    assert_int_equal(stat_of(f, "flow").waiting, 501);
    assert_int_equal(fixture_findings(f), 0);
}

static void what_failed_waits_and_holds_its_session(void **state)
{
    struct fixture *f = *state;
    struct store_delivery rows[ROOM];
    int64_t later_ms = FIXTURE_NOW + 5000;

    subscribe(f, 0);
    tell(f, EVENT_REFRESHED, 1, 1);
    tell(f, EVENT_REFRESHED, 1, 2);
    assert_int_equal(lease(f, "flow", FIXTURE_NOW, rows), 1);
    assert_store(STORE_OK, store_delivery_failed(f->store, "flow", rows[0].number, later_ms, false,
                                                 "HTTP 500", &f->fault));
    assert_int_equal(stat_of(f, "flow").delayed, 1);
    assert_int_equal(lease(f, "flow", later_ms - 1, rows), 0);
    assert_int_equal(lease(f, "flow", later_ms, rows), 1);
    assert_int_equal(rows[0].event.generation, 1);
    assert_int_equal(rows[0].tries, 2);
    assert_string_equal(rows[0].why, "HTTP 500");
    assert_store(STORE_ABSENT, store_delivery_failed(f->store, "flow", rows[0].number + 100, 0,
                                                     true, "", &f->fault));
}

/* A clock that was far ahead when it put something off must not keep it for ever. */
static void a_clock_that_is_set_back_delays_nothing(void **state)
{
    struct fixture *f = *state;
    struct store_delivery rows[ROOM];

    subscribe(f, 0);
    tell(f, EVENT_REFRESHED, 1, 1);
    assert_int_equal(lease(f, "flow", FIXTURE_NOW + 400 * (int64_t)CLOCK_DAY, rows), 1);
    assert_int_equal(lease(f, "flow", FIXTURE_NOW, rows), 1);
}

static void dead_ones_let_their_session_go_on(void **state)
{
    struct fixture *f = *state;
    struct store_delivery rows[ROOM], more[ROOM], dead[ROOM];
    size_t count;

    subscribe(f, 0);
    for (uint32_t generation = 1; generation <= 3; generation++) {
        tell(f, EVENT_REFRESHED, 1, generation);
    }
    assert_int_equal(lease(f, "flow", FIXTURE_NOW, rows), 1);
    assert_store(STORE_OK, store_delivery_failed(f->store, "flow", rows[0].number, 0, true,
                                                 "no such host", &f->fault));
    assert_int_equal(stat_of(f, "flow").dead, 1);
    assert_store(STORE_OK,
                 store_delivery_dead(f->store, "flow", NULL, dead, ROOM, &count, &f->fault));
    assert_int_equal(count, 1);
    assert_string_equal(dead[0].why, "no such host");
    assert_store(STORE_OK,
                 store_delivery_dead(f->store, "flow", &dead[0], dead, ROOM, &count, &f->fault));
    assert_int_equal(count, 0);
    assert_int_equal(lease(f, "flow", FIXTURE_NOW, rows), 1);
    assert_int_equal(rows[0].event.generation, 2);
    /* retried behind the one under way, and before the one after it */
    assert_store(STORE_ABSENT,
                 store_delivery_retry(f->store, "flow", 77, FIXTURE_NOW, &count, &f->fault));
    assert_store(STORE_OK,
                 store_delivery_retry(f->store, "flow", 0, FIXTURE_NOW + 9, &count, &f->fault));
    assert_int_equal(count, 1);
    assert_int_equal(lease(f, "flow", FIXTURE_NOW, more), 0);
    done(f, "flow", rows[0].number);
    assert_int_equal(lease(f, "flow", FIXTURE_NOW, rows), 1);
    assert_int_equal(rows[0].event.generation, 1);
    assert_int_equal(rows[0].tries, 1);
    assert_int_equal(rows[0].first_ms, FIXTURE_NOW + 9);
    assert_int_equal(fixture_findings(f), 0);
}

static void a_full_outbox_keeps_what_matters(void **state)
{
    struct fixture *f = *state;
    struct store_delivery rows[ROOM];
    struct store_delivery_stat stat;

    subscribe(f, 4);
    tell(f, EVENT_REUSE, 9, 0);
    for (uint32_t generation = 1; generation <= 5; generation++) {
        tell(f, EVENT_REFRESHED, 1, generation);
    }
    stat = stat_of(f, "flow");
    assert_int_equal(stat.waiting, 4);
    assert_int_equal(stat.dropped, 2);
    assert_int_equal(stat.most, 4);
    for (uint8_t session = 10; session < 13; session++) {
        tell(f, EVENT_REUSE, session, 0);
    }
    tell(f, EVENT_REFRESHED, 1, 6); /* there is nothing that is worth no more */
    assert_int_equal(stat_of(f, "flow").dropped, 6);
    assert_int_equal(lease(f, "flow", FIXTURE_NOW, rows), 4);
    for (size_t i = 0; i < 4; i++) {
        assert_int_equal(rows[i].event.kind, EVENT_REUSE);
    }
    assert_int_equal(fixture_findings(f), 0);
}

/* The first of a session was dropped while others were held behind it. */
static void a_dropped_one_holds_no_others(void **state)
{
    struct fixture *f = *state;
    struct store_delivery rows[ROOM];

    subscribe(f, 2);
    for (uint32_t generation = 1; generation <= 3; generation++) {
        tell(f, EVENT_REFRESHED, 1, generation);
    }
    assert_int_equal(lease(f, "flow", FIXTURE_NOW, rows), 1);
    assert_int_equal(rows[0].event.generation, 2);
    done(f, "flow", rows[0].number);
    assert_int_equal(lease(f, "flow", FIXTURE_NOW, rows), 1);
    assert_int_equal(rows[0].event.generation, 3);
    assert_int_equal(fixture_findings(f), 0);
}

/* When it is over, and long before it is swept; once, and not what has ended otherwise. */
static void an_expiry_is_told_once(void **state)
{
    struct fixture *f = *state;
    struct store_delivery rows[ROOM];
    struct session ended = fixture_session(2), late = fixture_session(1);

    subscribe(f, 0);
    fixture_account(f, "ada");
    snprintf(late.realm, sizeof late.realm, "main");
    assert_store(STORE_OK, store_session_create(f->store, &late, NULL, &f->fault));
    fixture_add_session(f, 2);
    assert_store(STORE_OK, store_session_end(f->store, ended.id, SESSION_ENDED_LOGOUT,
                                             FIXTURE_NOW + 1, NULL, &f->fault));
    fixture_write_something(f, late.expires_ms - 1);
    assert_int_equal(stat_of(f, "flow").waiting, 1); /* what was written */
    fixture_write_something(f, late.expires_ms);
    fixture_write_something(f, late.expires_ms + 1);
    assert_int_equal(lease(f, "flow", late.expires_ms, rows), 4);
    assert_int_equal(rows[2].event.kind, EVENT_EXPIRED);
    assert_memory_equal(rows[2].event.session, late.id, sizeof late.id);
    assert_int_equal(rows[2].event.at_ms, late.expires_ms);
    assert_int_equal(fixture_find(f, 1).events[0].kind, EVENT_EXPIRED);
    fixture_write_something(f, late.expires_ms + FIXTURE_KEEP);
    assert_int_equal(stat_of(f, "flow").waiting, 1);
    assert_int_equal(fixture_sessions(f), 0);
    assert_int_equal(fixture_findings(f), 0);
}

static void the_end_by_a_limit_is_told(void **state)
{
    struct fixture *f = *state;
    struct event event;
    size_t count;

    fixture_close(f);
    f->settings.session_limit = 1;
    fixture_open(f);
    fixture_account(f, "ada");
    fixture_add_session(f, 1);
    fixture_add_session(f, 2);
    assert_store(STORE_OK, store_event_list(f->store, NULL, 0, &event, 1, &count, &f->fault));
    assert_int_equal(count, 1);
    assert_int_equal(event.kind, EVENT_SESSION_LIMIT);
    assert_string_equal(event.cause, "limit");
    assert_memory_equal(event.session, fixture_session(1).id, sizeof event.session);
}

static void one_answer_asked_for_again_is_one_row(void **state)
{
    struct fixture *f = *state;
    struct store_delivery rows[ROOM];

    subscribe(f, 0);
    for (int i = 0; i < 5; i++) {
        tell(f, EVENT_REPLAYED, 1, 4);
        tell(f, EVENT_RECOVERED, 2, 4); /* one that is listed is counted there */
    }
    assert_int_equal(lease(f, "flow", FIXTURE_NOW, rows), 2);
    assert_int_equal(rows[0].event.repeats, 4);
    assert_int_equal(rows[0].event.last_ms, FIXTURE_NOW + 4);
}

/* Strangers are counted by what they claim, not by who they are. */
static void strangers_flush_nothing(void **state)
{
    struct fixture *f = *state;
    struct event event = {.kind = EVENT_CLIENT_REFUSED, .realm = "main", .client = "web"};
    struct event rows[ROOM];
    size_t count;

    for (int i = 0; i < 6; i++) {
        event.at_ms = FIXTURE_NOW + i;
        event_set_cause(&event, i % 2 == 0 ? "secret" : "assertion-exp");
        assert_store(STORE_OK, store_event_add(f->store, &event, &f->fault));
    }
    assert_store(STORE_OK, store_event_list(f->store, NULL, 0, rows, ROOM, &count, &f->fault));
    assert_int_equal(count, 2);
    assert_string_equal(rows[0].cause, "assertion-exp");
    assert_int_equal(rows[0].repeats, 2);
    assert_int_equal(rows[0].last_ms, FIXTURE_NOW + 5);
    assert_int_equal(fixture_findings(f), 0);
}

static void rows_of_no_subscription_are_pruned(void **state)
{
    struct fixture *f = *state;

    subscribe(f, 0);
    tell(f, EVENT_REUSE, 1, 0);
    tell(f, EVENT_REUSE, 1, 1);
    fixture_close(f);
    f->settings.subscription_count = 1; /* "ends" is gone */
    fixture_open(f);
    fixture_prune(f, FIXTURE_NOW, 10, false);
    assert_int_equal(stat_of(f, "ends").waiting, 0);
    assert_int_equal(stat_of(f, "flow").waiting, 2);
    assert_int_equal(fixture_findings(f), 0);
    fixture_close(f);
    f->settings.subscription_count = 0;
    fixture_open(f);
    fixture_prune(f, FIXTURE_NOW, 10, false);
    assert_int_equal(fixture_entries(f, TABLE_OUTBOX), 0);
    assert_int_equal(fixture_entries(f, TABLE_DELIVERIES), 0);
}

/* ---- chains ---- */

static struct store_event_chain verify(struct fixture *f)
{
    struct store_event_chain chain;

    assert_store(STORE_OK, store_event_verify(f->store, &chain, &f->fault));
    return chain;
}

static void remove_event(struct fixture *f, enum event_class of, uint64_t number)
{
    struct rows_key key = rows_event_key(of, number);

    fixture_remove_raw(f, TABLE_EVENTS, (struct txn_bytes){key.bytes, key.size});
}

/* Gives event `to` what is stored of event `from`. */
static void move_event(struct fixture *f, enum event_class of, uint64_t from, uint64_t to)
{
    struct rows_key key = rows_event_key(of, from);
    struct txn_bytes stored;
    uint8_t copy[1024];
    struct rows rows;

    fixture_read_begin(f, &rows);
    assert_int_equal(rows.txn.kind->get(&rows.txn, TABLE_EVENTS,
                                        (struct txn_bytes){key.bytes, key.size}, &stored,
                                        &f->fault),
                     TXN_OK);
    assert_true(stored.size <= sizeof copy);
    memcpy(copy, stored.data, stored.size);
    fixture_read_end(&rows);
    key = rows_event_key(of, to);
    fixture_put_raw(f, TABLE_EVENTS, (struct txn_bytes){key.bytes, key.size},
                    (struct txn_bytes){copy, stored.size});
}

/* Numbers 1 to 4 revoke, 5 and 6 are reuses. */
static void tell_six(struct fixture *f)
{
    for (uint8_t session = 1; session <= 6; session++) {
        tell(f, session <= 4 ? EVENT_REVOKED : EVENT_REUSE, session, session);
    }
}

static void a_sound_chain_is_sound(void **state)
{
    struct fixture *f = *state;
    struct store_event_chain chain = verify(f);

    assert_false(chain.broken);
    assert_int_equal(chain.lines, 0);
    tell_six(f);
    tell(f, EVENT_REVOKED, 2, 2); /* counted outside of it */
    chain = verify(f);
    assert_false(chain.broken);
    assert_int_equal(chain.lines, 6);
}

static void assert_gap(struct fixture *f, enum event_class of, uint64_t number, int64_t at_ms)
{
    struct store_event_chain chain = verify(f);

    assert_true(chain.broken);
    assert_int_equal(chain.how, STORE_CHAIN_REMOVED);
    assert_int_equal(chain.of, of);
    assert_int_equal(chain.number, number);
    assert_int_equal(chain.at_ms, at_ms);
}

static void a_removed_last_event_is_noticed(void **state)
{
    struct fixture *f = *state;

    tell_six(f);
    remove_event(f, EVENT_CLASS_ADMINISTRATION, 4);
    assert_gap(f, EVENT_CLASS_ADMINISTRATION, 3, FIXTURE_NOW + 3);
    remove_event(f, EVENT_CLASS_SECURITY, 6); /* looked at first */
    assert_gap(f, EVENT_CLASS_SECURITY, 5, FIXTURE_NOW + 5);
}

static void a_removed_first_event_is_noticed(void **state)
{
    struct fixture *f = *state;

    tell_six(f);
    remove_event(f, EVENT_CLASS_ADMINISTRATION, 1);
    assert_gap(f, EVENT_CLASS_ADMINISTRATION, 0, 0);
}

static void a_removed_chain_is_noticed(void **state)
{
    struct fixture *f = *state;

    tell_six(f);
    for (uint64_t number = 1; number <= 4; number++) {
        remove_event(f, EVENT_CLASS_ADMINISTRATION, number);
    }
    assert_gap(f, EVENT_CLASS_ADMINISTRATION, 0, 0);
    fixture_remove_raw(f, TABLE_META, (struct txn_bytes){"chains", 6});
    assert_gap(f, EVENT_CLASS_SECURITY, 6, FIXTURE_NOW + 6);
}

static void a_gap_in_the_middle_is_named(void **state)
{
    struct fixture *f = *state;
    struct store_event_chain chain;

    tell_six(f);
    remove_event(f, EVENT_CLASS_ADMINISTRATION, 3);
    chain = verify(f);
    assert_true(chain.broken);
    assert_int_equal(chain.how, STORE_CHAIN_REMOVED);
    assert_int_equal(chain.of, EVENT_CLASS_ADMINISTRATION);
    assert_int_equal(chain.number, 2);
    assert_int_equal(chain.lines, 4);
    tell(f, EVENT_REVOKED, 9, 9); /* goes on from the last one */
    assert_int_equal(verify(f).number, 2);
}

static void a_changed_event_is_noticed(void **state)
{
    struct fixture *f = *state;
    struct store_event_chain chain;

    tell_six(f);
    move_event(f, EVENT_CLASS_ADMINISTRATION, 3, 2); /* another's words in its place */
    chain = verify(f);
    assert_true(chain.broken);
    assert_int_equal(chain.how, STORE_CHAIN_CHANGED);
    assert_int_equal(chain.number, 2);
}

/* The oldest is dropped in order, not removed by hand. */
static void a_chain_goes_on_from_what_is_kept(void **state)
{
    struct fixture *f = *state;

    assert_store(STORE_OK, fixture_add_events(f, STORE_EVENTS_KEPT + 5));
    assert_false(verify(f).broken);
    assert_int_equal(verify(f).lines, STORE_EVENTS_KEPT);
    remove_event(f, EVENT_CLASS_ADMINISTRATION, 6);
    assert_true(verify(f).broken);
    assert_int_equal(verify(f).number, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        CONTRACT(without_subscribers_nothing_waits),
        CONTRACT(those_are_told_who_subscribe),
        CONTRACT(an_event_is_there_when_its_change_is),
        CONTRACT(events_of_a_session_come_one_by_one),
        CONTRACT(a_busy_session_hides_no_other),
        CONTRACT(what_failed_waits_and_holds_its_session),
        CONTRACT(a_clock_that_is_set_back_delays_nothing),
        CONTRACT(dead_ones_let_their_session_go_on),
        CONTRACT(a_full_outbox_keeps_what_matters),
        CONTRACT(a_dropped_one_holds_no_others),
        CONTRACT(an_expiry_is_told_once),
        CONTRACT(the_end_by_a_limit_is_told),
        CONTRACT(one_answer_asked_for_again_is_one_row),
        CONTRACT(strangers_flush_nothing),
        CONTRACT(rows_of_no_subscription_are_pruned),
        CONTRACT(a_sound_chain_is_sound),
        CONTRACT(a_removed_last_event_is_noticed),
        CONTRACT(a_removed_first_event_is_noticed),
        CONTRACT(a_removed_chain_is_noticed),
        CONTRACT(a_gap_in_the_middle_is_named),
        CONTRACT(a_changed_event_is_noticed),
        CONTRACT(a_chain_goes_on_from_what_is_kept),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
