/* SPDX-License-Identifier: ISC */
/* test_guess.c: which mark counts what, how long it makes wait, and what strangers are slowed by.
 * test_login.c and test_secret_proof.c show the rest. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "operation/guess.h"
#include "operation/world.h"

static void test_waits(void **state)
{
    static const struct row {
        uint32_t count;
        int64_t ago_ms, wait_ms;
    } rows[] = {
        {0, 0, 0},           {4, 0, 0},       {5, 0, 1000},     {5, 999, 1},
        {5, 1000, 0},        {6, 0, 2000},    {14, 0, 512000},  {15, 0, 900000},
        {15, 899999, 1},     {15, 900000, 0}, {100, 0, 900000}, {UINT32_MAX, 0, 900000},
        {UINT32_MAX, -1, 0}, /* by a clock that was ahead */
    };
    (void)state;

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct mark mark = {.count = rows[i].count,
                            .at_ms = INT64_C(1800000000000),
                            .until_ms = INT64_C(1800086400000)};

        assert_int_equal(guess_wait_ms(&mark, GUESS_FREE, mark.at_ms + rows[i].ago_ms),
                         rows[i].wait_ms);
    }
}

static void test_marks_differ(void **state)
{
    static const struct row {
        enum guess_kind kind;
        const char *whom;
        uint64_t account;
    } rows[] = {{GUESS_LOGIN, "web", 0},   {GUESS_LOGIN, "we", 0},   {GUESS_RENEWAL, "web", 0},
                {GUESS_CLIENT, "web", 0},  {GUESS_CLIENT, "web", 1}, {GUESS_CLIENT, "web", 12},
                {GUESS_CLIENT, "web1", 2}, {GUESS_CLIENT, "web", 21}};
    enum { ROWS = sizeof rows / sizeof *rows };
    struct world *w = *state;
    struct mark marks[ROWS];

    for (size_t i = 0; i < ROWS; i++) {
        assert_true(guess_mark(&w->secrets, rows[i].kind, text_of(rows[i].whom), rows[i].account,
                               &marks[i]));
        assert_int_equal(marks[i].kind, MARK_FAILURE);
        for (size_t j = 0; j < i; j++) {
            assert_memory_not_equal(marks[i].hash, marks[j].hash, MARK_HASH_SIZE);
        }
    }
}

/* ---- strangers ---- */

/* One guess, with what it leads to. */
static enum outcome guess(struct world *w, const char *address, enum guess_kind kind,
                          const char *whom, bool right)
{
    struct world_ask ask = {.mount = &w->mount};
    struct request request = world_request(&w->issuer, &ask, w->arena);
    enum outcome outcome;
    struct store_write *write;

    request.network = http_network_of(text_of(address));
    request.guess.account = w->ada.number;
    if (!guess_begin(&request, kind, text_of(whom), 0, w->now_ms, &outcome)) {
        assert_int_equal(outcome, OUTCOME_SLOWED);
        assert_true(request.answer.retry_after_s > 0);
        assert_null(guess_settle(&request, outcome)); /* not counted */
        return outcome;
    }
    request.guess.made = right ? GUESS_RIGHT : GUESS_WRONG;
    outcome = right ? OUTCOME_SERVED : OUTCOME_CREDENTIALS_WRONG;
    write = guess_settle(&request, outcome);
    if (write != NULL) {
        guess_settled(&request, store_write(w->store, write, &w->fault));
        assert_int_equal(request.guess.outcome, outcome);
    }
    return outcome;
}

static void guess_wrong(struct world *w, const char *address, enum guess_kind kind,
                        const char *whom, int times)
{
    for (int i = 0; i < times; i++) {
        assert_int_equal(guess(w, address, kind, whom, false), OUTCOME_CREDENTIALS_WRONG);
    }
}

static size_t count_marks(struct world *w)
{
    struct store_fact facts[STORE_FACTS_MAX];
    size_t count;

    assert_int_equal(store_facts(w->store, facts, &count, &w->fault), STORE_OK);
    for (size_t i = 0; i < count; i++) {
        if (strcmp(facts[i].name, "marks") == 0) {
            return (size_t)facts[i].number;
        }
    }
    return SIZE_MAX;
}

static const enum guess_kind of_strangers[] = {GUESS_PASSWORD, GUESS_SECRET, GUESS_CODE};
enum { OF_STRANGERS = sizeof of_strangers / sizeof *of_strangers };

/* Five from one network, and the same user goes on from any other. */
static void test_a_stranger_slows_only_the_own_network(void **state)
{
    struct world *w = *state;

    for (size_t i = 0; i < OF_STRANGERS; i++) {
        enum guess_kind kind = of_strangers[i];

        guess_wrong(w, "2001:db8::1", kind, "ada", GUESS_FREE);
        assert_int_equal(guess(w, "2001:db8::2", kind, "ada", true), OUTCOME_SLOWED);
        assert_int_equal(guess(w, "2001:db8:0:1::1", kind, "ada", true), OUTCOME_SERVED);
        assert_int_equal(guess(w, "192.0.2.7", kind, "ada", true), OUTCOME_SERVED);
        assert_int_equal(guess(w, "", kind, "ada", true), OUTCOME_SERVED);
        assert_int_equal(guess(w, "2001:db8::1", kind, "eve", true), OUTCOME_SERVED);
        w->now_ms += CLOCK_SECOND;
        assert_int_equal(guess(w, "2001:db8::2", kind, "ada", true), OUTCOME_SERVED);
        guess_wrong(w, "2001:db8::1", kind, "ada", GUESS_FREE); /* from the start */
    }
}

/* From many networks: whoever was right from one before goes on from there. */
static void test_many_networks_at_one_account(void **state)
{
    struct world *w = *state;

    for (size_t i = 0; i < OF_STRANGERS; i++) {
        enum guess_kind kind = of_strangers[i];
        int64_t first_ms = w->now_ms;
        char address[32];

        assert_int_equal(guess(w, "192.0.2.7", kind, "ada", true), OUTCOME_SERVED);
        for (int n = 0; n < GUESS_FREE_OF_ALL / 4; n++) {
            snprintf(address, sizeof address, "10.%d.0.%d", (int)i, n);
            guess_wrong(w, address, kind, "ada", 4);
        }
        assert_int_equal(guess(w, "10.9.0.1", kind, "ada", true), OUTCOME_SLOWED);
        assert_int_equal(guess(w, "", kind, "ada", true), OUTCOME_SLOWED);
        assert_int_equal(guess(w, "10.9.0.1", kind, "eve", true), OUTCOME_SERVED);
        assert_int_equal(guess(w, "192.0.2.7", kind, "ada", true), OUTCOME_SERVED);
        assert_int_equal(guess(w, "10.9.0.1", kind, "ada", true), OUTCOME_SLOWED);
        guess_wrong(w, "192.0.2.7", kind, "ada", GUESS_FREE);
        assert_int_equal(guess(w, "192.0.2.7", kind, "ada", true), OUTCOME_SLOWED);
        w->now_ms = first_ms + CLOCK_DAY; /* from the first, not from the last */
        assert_int_equal(guess(w, "10.9.0.1", kind, "ada", true), OUTCOME_SERVED);
    }
}

/* One network at many accounts: their users go on there, too. */
static void test_one_network_at_many_accounts(void **state)
{
    struct world *w = *state;
    int64_t first_ms = w->now_ms;
    char name[16];

    assert_int_equal(guess(w, "192.0.2.7", GUESS_PASSWORD, "ada", true), OUTCOME_SERVED);
    for (int n = 0; n < GUESS_FREE_OF_ALL; n++) {
        snprintf(name, sizeof name, "user%d", n);
        guess_wrong(w, "192.0.2.7", of_strangers[n % OF_STRANGERS], name, 1);
    }
    for (size_t i = 0; i < OF_STRANGERS; i++) {
        assert_int_equal(guess(w, "192.0.2.7", of_strangers[i], "eve", true), OUTCOME_SLOWED);
    }
    assert_int_equal(guess(w, "192.0.2.7", GUESS_PASSWORD, "ada", true), OUTCOME_SERVED);
    assert_int_equal(guess(w, "192.0.2.7", GUESS_SECRET, "ada", true), OUTCOME_SLOWED);
    assert_int_equal(guess(w, "192.0.2.8", GUESS_PASSWORD, "eve", true), OUTCOME_SERVED);
    w->now_ms = first_ms + CLOCK_HOUR;
    assert_int_equal(guess(w, "192.0.2.7", GUESS_PASSWORD, "eve", true), OUTCOME_SERVED);
}

/* Where no address comes along, all are one, which is not counted by itself. */
static void test_no_network(void **state)
{
    struct world *w = *state;
    char name[16];

    for (int n = 0; n <= GUESS_FREE_OF_ALL; n++) {
        snprintf(name, sizeof name, "user%d", n);
        guess_wrong(w, "unix:", GUESS_PASSWORD, name, 1);
    }
    guess_wrong(w, "", GUESS_PASSWORD, "ada", GUESS_FREE);
    assert_int_equal(guess(w, "unix:", GUESS_PASSWORD, "ada", true), OUTCOME_SLOWED);
}

/* A wrong one costs three marks and a right one a single one, which the next within a day does not
 * write again. */
static void test_what_is_written(void **state)
{
    struct world *w = *state;
    struct world_ask ask = {.mount = &w->mount};
    struct request request;
    enum outcome outcome;

    guess_wrong(w, "192.0.2.7", GUESS_PASSWORD, "ada", 3);
    assert_int_equal(count_marks(w), 3);
    assert_int_equal(guess(w, "192.0.2.7", GUESS_PASSWORD, "ada", true), OUTCOME_SERVED);
    assert_int_equal(count_marks(w), 3); /* those in a row went */
    for (int day = 0; day < 2; day++) {
        request = world_request(&w->issuer, &ask, w->arena);
        request.network = http_network_of(TEXT("192.0.2.7"));
        assert_true(guess_begin(&request, GUESS_PASSWORD, TEXT("ada"), 0, w->now_ms, &outcome));
        request.guess.made = GUESS_RIGHT;
        assert_int_equal(guess_settle(&request, OUTCOME_SERVED) != NULL, day > 0);
        w->now_ms += CLOCK_DAY + 1;
    }
    /* two in one request: the first was right, and is written with the second */
    request = world_request(&w->issuer, &ask, w->arena);
    assert_true(guess_begin(&request, GUESS_SECRET, TEXT("web"), 0, w->now_ms, &outcome));
    request.guess.made = GUESS_RIGHT;
    assert_true(guess_begin(&request, GUESS_PASSWORD, TEXT("ada"), 0, w->now_ms, &outcome));
    request.guess.made = GUESS_WRONG;
    assert_int_equal(guess_settle(&request, OUTCOME_CREDENTIALS_WRONG)->marks, 3);
}

static void test_pardon(void **state)
{
    struct world *w = *state;
    struct store_write write;
    struct mark mark;

    for (int times = 0; times < 2; times++) { /* again and again */
        guess_wrong(w, "192.0.2.7", GUESS_PASSWORD, "ada", GUESS_FREE);
        assert_int_equal(guess(w, "192.0.2.7", GUESS_PASSWORD, "ada", true), OUTCOME_SLOWED);
        w->now_ms++;
        assert_true(guess_pardon(&w->secrets, GUESS_PASSWORD, TEXT("ada"), w->now_ms, &mark));
        store_prepare_attached(&write, w->now_ms);
        store_attach_mark(&write, STORE_MARK_COUNT, &mark);
        assert_int_equal(store_write(w->store, &write, &w->fault), STORE_OK);
        assert_int_equal(guess(w, "192.0.2.7", GUESS_PASSWORD, "ada", true), OUTCOME_SERVED);
    }
    w->now_ms += CLOCK_DAY; /* the pardon is over, and so is what it forgave */
    assert_int_equal(guess(w, "192.0.2.7", GUESS_PASSWORD, "ada", true), OUTCOME_SERVED);
}

static void test_events(void **state)
{
    struct world *w = *state;
    struct event events[8];
    size_t count;

    guess_wrong(w, "192.0.2.7", GUESS_CODE, "ada", GUESS_FREE);
    assert_int_equal(store_event_list(w->store, NULL, 0, events, 8, &count, &w->fault), STORE_OK);
    assert_int_equal(count, 2);
    assert_int_equal(events[0].kind, EVENT_GUESSED);
    assert_int_equal(events[1].kind, EVENT_LOGIN_FAILED);
    assert_int_equal(events[1].repeats, GUESS_FREE - 1);
    assert_int_equal(events[0].account, w->ada.number);
    assert_string_equal(events[0].note, "5 wrong codes in a row");
    for (int n = 0; n < GUESS_FREE_OF_ALL - GUESS_FREE; n++) {
        char address[16];

        snprintf(address, sizeof address, "10.0.0.%d", n);
        guess_wrong(w, address, GUESS_CODE, "ada", 1);
    }
    assert_int_equal(store_event_list(w->store, NULL, 0, events, 8, &count, &w->fault), STORE_OK);
    assert_int_equal(count, 3);
    assert_int_equal(events[0].kind, EVENT_LOCKED);
    assert_string_equal(events[0].note, "100 wrong codes in a day");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(test_waits),
        CASE(test_marks_differ),
        CASE(test_a_stranger_slows_only_the_own_network),
        CASE(test_many_networks_at_one_account),
        CASE(test_one_network_at_many_accounts),
        CASE(test_no_network),
        CASE(test_what_is_written),
        CASE(test_pardon),
        CASE(test_events),
    };

    return cmocka_run_group_tests_name("operation/guess", tests, NULL, NULL);
}
