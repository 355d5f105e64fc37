/* SPDX-License-Identifier: ISC */
/* test_connection.c: what a connection to a real PostgreSQL server brings, and what it says has
 * become of a statement when something is in the way. */
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/expect.h"
#include "base/scratch.h"
#include "store/postgresql/connection.h"
#include "store/proxy.h"
#include "store/server.h"

enum { LIMIT_US = 60 * 1000000, SHORT_US = 50 * 1000 };

static const struct statement create = {NULL,
                                        "CREATE TABLE rows (key bigint PRIMARY KEY, value bytea)"};
static const struct statement insert = {
    "insert", "INSERT INTO rows SELECT * FROM unnest($1::bigint[], $2::bytea[])"};
static const struct statement set_value = {"set value",
                                           "UPDATE rows SET value = $2::bytea WHERE key = $1"};
static const struct statement get_value = {"get value", "SELECT value FROM rows WHERE key = $1"};
static const struct statement lock_now = {
    "lock now", "SELECT key FROM rows WHERE key = $1::bigint FOR UPDATE NOWAIT"};
static const struct statement who = {NULL, "SELECT pg_backend_pid()"};
static const struct statement sleep_long = {NULL, "SELECT pg_sleep(120)"};

/* Two connections to a schema of their own, with rows 1, 2 and 3. */
struct pair {
    char url[512];
    struct connection *a, *b;
    struct parameters parameters;
    struct fault fault;
};

static int64_t soon(void)
{
    return clock_stopwatch_us() + LIMIT_US;
}

static struct connection *open_url(const char *url)
{
    const struct connection_settings settings = {.url = url, .application = "test"};
    struct connection *connection = connection_open(&settings);

    assert_non_null(connection);
    return connection;
}

static enum connection_outcome wait_of(struct pair *pair, struct connection *connection)
{
    pair->fault.text[0] = '\0';
    return connection_wait(connection, soon(), &pair->fault);
}

/* Sends one statement about one row. */
static void send_key(struct pair *pair, struct connection *connection,
                     const struct statement *statement, int64_t key, const char *value)
{
    parameters_clear(&pair->parameters);
    parameters_i64(&pair->parameters, key);
    if (value != NULL) {
        parameters_bytes(&pair->parameters, value, strlen(value));
    }
    connection_send(connection, statement, &pair->parameters);
}

#define assert_outcome(expected, pair, connection)                                                 \
    assert_outcome_at(expected, wait_of(pair, connection), pair, __FILE__, __LINE__)
static void assert_outcome_at(enum connection_outcome expected, enum connection_outcome actual,
                              const struct pair *pair, const char *file, int line)
{
    if (actual != expected) {
        print_error("outcome %d instead of %d: %s\n", actual, expected, pair->fault.text);
        _fail(file, line);
    }
}

static void assert_says(const struct pair *pair, const char *words)
{
    if (strstr(pair->fault.text, words) == NULL) {
        fail_msg("\"%s\" is not in \"%s\"", words, pair->fault.text);
    }
}

static void assert_value(struct pair *pair, struct connection *connection, int64_t key,
                         const char *expected)
{
    const void *data;
    size_t size;

    send_key(pair, connection, &get_value, key, NULL);
    assert_outcome(CONNECTION_OK, pair, connection);
    assert_int_equal(1, connection_rows(connection, 0));
    assert_true(connection_bytes(connection, 0, 0, 0, &data, &size));
    expect_text(((struct text){data, size}), expected);
}

static int make_pair(void **state)
{
    struct pair *pair = test_calloc(1, sizeof *pair);

    *state = pair;
    server_fresh(pair->url, sizeof pair->url);
    pair->a = open_url(pair->url);
    pair->b = open_url(pair->url);
    assert_int_equal(CONNECTION_OK, connection_ready(pair->a, soon(), &pair->fault));
    assert_int_equal(CONNECTION_OK, connection_ready(pair->b, soon(), &pair->fault));
    connection_send(pair->a, &create, NULL);
    parameters_array(&pair->parameters, PARAMETERS_I64);
    for (int64_t key = 1; key <= 3; key++) {
        parameters_add_i64(&pair->parameters, key);
    }
    parameters_array(&pair->parameters, PARAMETERS_BYTEA);
    for (int key = 1; key <= 3; key++) {
        parameters_add(&pair->parameters, "old", 3);
    }
    connection_send(pair->a, &insert, &pair->parameters);
    assert_outcome(CONNECTION_OK, pair, pair->a);
    assert_int_equal(3, connection_rows(pair->a, 1));
    return 0;
}

static int remove_pair(void **state)
{
    struct pair *pair = *state;

    connection_close(pair->a);
    connection_close(pair->b);
    parameters_free(&pair->parameters);
    test_free(pair);
    return 0;
}

/* ---- values ---- */

static void test_values(void **state)
{
    static const struct statement echo = {
        "echo", "SELECT $1::bytea, $2::uuid, $3::text, $4::bigint, $5::timestamptz, $6::bytea,"
                " $4::int, $4::smallint, $4 < 0, $7::timestamptz, $7::timestamptz::text,"
                " $5::timestamptz::text, $8::timestamptz"};
    const uint8_t uuid[16] = {1, 2, 3, [15] = 0xff};
    struct pair *pair = *state;
    struct parameters *p = &pair->parameters;
    const void *data;
    size_t size;

    parameters_clear(p);
    parameters_bytes(p, "\0\1\2", 3);
    parameters_bytes(p, uuid, sizeof uuid);
    parameters_bytes(p, "gr\xc3\xbc\xc3\x9f", 6);
    parameters_i64(p, -5);
    parameters_time(p, 1700000000123);
    parameters_null(p);
    parameters_time(p, INT64_MAX);
    parameters_time(p, 1);
    connection_send(pair->a, &echo, p);
    assert_outcome(CONNECTION_OK, pair, pair->a);
    assert_int_equal(1, connection_rows(pair->a, 0));
    assert_true(connection_bytes(pair->a, 0, 0, 0, &data, &size));
    assert_int_equal(3, size);
    assert_memory_equal("\0\1\2", data, 3);
    assert_true(connection_bytes(pair->a, 0, 0, 1, &data, &size));
    assert_int_equal(16, size);
    assert_memory_equal(uuid, data, 16);
    assert_true(connection_bytes(pair->a, 0, 0, 2, &data, &size));
    expect_text(((struct text){data, size}), "gr\xc3\xbc\xc3\x9f");
    assert_int_equal(-5, connection_i64(pair->a, 0, 0, 3));
    assert_int_equal(1700000000123, connection_i64(pair->a, 0, 0, 4));
    assert_false(connection_bytes(pair->a, 0, 0, 5, &data, &size));
    assert_int_equal(0, connection_i64(pair->a, 0, 0, 5));
    assert_int_equal(-5, connection_i64(pair->a, 0, 0, 6));
    assert_int_equal(-5, connection_i64(pair->a, 0, 0, 7));
    assert_int_equal(1, connection_i64(pair->a, 0, 0, 8));
    assert_true(connection_i64(pair->a, 0, 0, 9) == INT64_MAX);
    assert_true(connection_bytes(pair->a, 0, 0, 10, &data, &size));
    expect_text(((struct text){data, size}), "infinity");
    assert_true(connection_bytes(pair->a, 0, 0, 11, &data, &size));
    assert_memory_equal("2023-11-14", data, 10);
    assert_int_equal(1, connection_i64(pair->a, 0, 0, 12));
}

static void test_arrays(void **state)
{
    static const struct statement spread = {
        "spread", "SELECT * FROM unnest($1::bytea[], $2::uuid[], $3::text[], $4::bigint[],"
                  " $5::timestamptz[])"};
    struct pair *pair = *state;
    struct parameters *p = &pair->parameters;
    const void *data;
    size_t size;

    for (int round = 0; round < 3; round++) { /* empty; one; one and a null of each */
        parameters_clear(p);
        for (enum parameters_type type = PARAMETERS_BYTEA; type <= PARAMETERS_TIME; type++) {
            parameters_array(p, type);
            if (round > 0 && (type == PARAMETERS_I64 || type == PARAMETERS_TIME)) {
                parameters_add_i64(p, 1700000000123);
            } else if (round > 0) {
                parameters_add(p, "0123456789abcdef", 16);
            }
            if (round > 1) {
                parameters_add(p, NULL, 0);
            }
        }
        connection_send(pair->a, &spread, p);
        assert_outcome(CONNECTION_OK, pair, pair->a);
        assert_int_equal(round, connection_rows(pair->a, 0));
        for (size_t column = 0; column < 5; column++) {
            if (round > 0 && column >= 3) {
                assert_int_equal(1700000000123, connection_i64(pair->a, 0, 0, column));
            } else if (round > 0) {
                assert_true(connection_bytes(pair->a, 0, 0, column, &data, &size));
                expect_text(((struct text){data, size}), "0123456789abcdef");
            }
            if (round > 1) {
                assert_false(connection_bytes(pair->a, 0, 1, column, &data, &size));
            }
        }
    }
}

/* Both sides have more to say than sockets hold, at the same time. */
static void test_much_at_a_time(void **state)
{
    static const struct statement echo = {"echo", "SELECT $1::bytea, generate_series(1, 10)"};
    enum { SIZE = 100000, STATEMENTS = 50 };
    struct pair *pair = *state;
    char *value = test_malloc(SIZE);
    const void *data;
    size_t size;

    for (char n = 0; n < STATEMENTS; n++) {
        memset(value, n, SIZE);
        parameters_clear(&pair->parameters);
        parameters_bytes(&pair->parameters, value, n == 0 ? 0 : SIZE);
        connection_send(pair->a, &echo, &pair->parameters);
    }
    assert_outcome(CONNECTION_OK, pair, pair->a);
    for (char n = 0; n < STATEMENTS; n++) {
        assert_int_equal(10, connection_rows(pair->a, (size_t)n));
        assert_true(connection_bytes(pair->a, (size_t)n, 9, 0, &data, &size));
        memset(value, n, SIZE);
        assert_int_equal(n == 0 ? 0 : SIZE, size);
        assert_memory_equal(value, data, size);
    }
    test_free(value);
}

static void test_bad_parameters(void **state)
{
    struct pair *pair = *state;

    parameters_clear(&pair->parameters);
    for (int i = 0; i <= PARAMETERS_MAX; i++) {
        parameters_i64(&pair->parameters, i);
    }
    connection_send(pair->a, &statement_begin, NULL);
    send_key(pair, pair->a, &set_value, 1, "new");
    parameters_clear(&pair->parameters);
    parameters_add(&pair->parameters, "no array", 8);
    connection_send(pair->a, &get_value, &pair->parameters);
    connection_send(pair->a, &statement_commit, NULL);
    assert_outcome(CONNECTION_FAULT, pair, pair->a);
    assert_value(pair, pair->b, 1, "old");
    assert_int_equal(CONNECTION_OK, connection_ready(pair->a, soon(), &pair->fault));
    assert_value(pair, pair->a, 1, "old");
}

/* ---- transactions ---- */

static void test_commit(void **state)
{
    struct pair *pair = *state;

    for (int i = 0; i < 2; i++) { /* prepared, the second time already */
        connection_send(pair->a, &statement_begin, NULL);
        send_key(pair, pair->a, &set_value, 1, i == 0 ? "new" : "newer");
        send_key(pair, pair->a, &set_value, 2, "two");
        send_key(pair, pair->a, &set_value, 9, "absent");
        assert_outcome(CONNECTION_OK, pair, pair->a);
        assert_int_equal(1, connection_rows(pair->a, 1));
        assert_int_equal(1, connection_rows(pair->a, 2));
        assert_int_equal(0, connection_rows(pair->a, 3));
        assert_value(pair, pair->b, 1, i == 0 ? "old" : "new");
        connection_send(pair->a, &statement_commit, NULL);
        assert_outcome(CONNECTION_OK, pair, pair->a);
    }
    assert_value(pair, pair->b, 1, "newer");
    assert_outcome(CONNECTION_OK, pair, pair->b); /* nothing was queued */
}

/* What an ERROR has rolled back is over, and the connection is good. */
static void test_error(void **state)
{
    static const struct statement wrong = {"wrong", "SELECT nothing FROM nowhere"};
    struct pair *pair = *state;

    for (int i = 0; i < 2; i++) {
        connection_send(pair->a, &statement_begin, NULL);
        send_key(pair, pair->a, &set_value, 1, "new");
        connection_send(pair->a, &wrong, NULL);
        send_key(pair, pair->a, &get_value, 1, NULL); /* is not prepared now */
        connection_send(pair->a, &statement_commit, NULL);
        assert_outcome(CONNECTION_FAULT, pair, pair->a);
        assert_says(pair, "wrong: 42P01");
        assert_value(pair, pair->a, 1, "old");
    }
    assert_int_equal(1, connection_times(pair->a));
}

/* ---- conflicts ---- */

static void test_serialization(void **state)
{
    static const struct statement begin = {NULL, "BEGIN ISOLATION LEVEL REPEATABLE READ"};
    struct pair *pair = *state;

    connection_send(pair->a, &begin, NULL);
    assert_outcome(CONNECTION_OK, pair, pair->a);
    assert_value(pair, pair->a, 1, "old");
    send_key(pair, pair->b, &set_value, 1, "b's");
    assert_outcome(CONNECTION_OK, pair, pair->b);
    send_key(pair, pair->a, &set_value, 1, "a's");
    connection_send(pair->a, &statement_commit, NULL);
    assert_outcome(CONNECTION_AGAIN, pair, pair->a);
    assert_says(pair, "40001");
    assert_value(pair, pair->a, 1, "b's");
}

static void test_lock(void **state)
{
    struct pair *pair = *state;

    connection_send(pair->a, &statement_begin, NULL);
    send_key(pair, pair->a, &lock_now, 1, NULL);
    assert_outcome(CONNECTION_OK, pair, pair->a);
    send_key(pair, pair->b, &lock_now, 1, NULL);
    assert_outcome(CONNECTION_AGAIN, pair, pair->b);
    assert_says(pair, "55P03");
    connection_send(pair->a, &statement_rollback, NULL);
    assert_outcome(CONNECTION_OK, pair, pair->a);
    send_key(pair, pair->b, &lock_now, 1, NULL);
    assert_outcome(CONNECTION_OK, pair, pair->b);
}

/* A wait in a thread of its own. */
struct waiter {
    pthread_t thread;
    struct connection *connection;
    struct fault fault;
    enum connection_outcome outcome;
};

static void *wait_in_thread(void *self)
{
    struct waiter *waiter = self;

    waiter->outcome = connection_wait(waiter->connection, soon(), &waiter->fault);
    return NULL;
}

static void start_waiter(struct waiter *waiter, struct connection *connection)
{
    *waiter = (struct waiter){.connection = connection};
    assert_int_equal(0, pthread_create(&waiter->thread, NULL, wait_in_thread, waiter));
}

static void join(struct pair *pair, struct waiter *waiter)
{
    assert_int_equal(0, pthread_join(waiter->thread, NULL));
    pair->fault = waiter->fault;
}

static void test_deadlock(void **state)
{
    static const struct statement sooner = {NULL, "SET deadlock_timeout = '10ms'"};
    struct pair *pair = *state;
    struct waiter waiter;

    connection_send(pair->a, &sooner, NULL);
    connection_send(pair->a, &statement_begin, NULL);
    send_key(pair, pair->a, &set_value, 1, "a's");
    assert_outcome(CONNECTION_OK, pair, pair->a);
    connection_send(pair->b, &sooner, NULL);
    connection_send(pair->b, &statement_begin, NULL);
    send_key(pair, pair->b, &set_value, 2, "b's");
    assert_outcome(CONNECTION_OK, pair, pair->b);

    send_key(pair, pair->a, &set_value, 2, "a's");
    connection_send(pair->a, &statement_commit, NULL);
    start_waiter(&waiter, pair->a);
    send_key(pair, pair->b, &set_value, 1, "b's");
    connection_send(pair->b, &statement_commit, NULL);
    enum connection_outcome b = wait_of(pair, pair->b);
    join(pair, &waiter);
    if (b == CONNECTION_OK) {
        assert_int_equal(CONNECTION_AGAIN, waiter.outcome);
        assert_value(pair, pair->a, 2, "b's");
    } else {
        assert_int_equal(CONNECTION_AGAIN, b);
        assert_int_equal(CONNECTION_OK, waiter.outcome);
        assert_value(pair, pair->b, 1, "a's");
    }
}

/* ---- what the server says ---- */

static void test_codes(void **state)
{
    static const struct {
        const char *code;
        enum connection_outcome outcome;
    } rows[] = {
        {"40001", CONNECTION_AGAIN},   {"40P01", CONNECTION_AGAIN},   {"55P03", CONNECTION_AGAIN},
        {"57014", CONNECTION_AGAIN},   {"25006", CONNECTION_AWAY},    {"57P03", CONNECTION_AWAY},
        {"53300", CONNECTION_AWAY},    {"40003", CONNECTION_UNKNOWN}, {"08006", CONNECTION_UNKNOWN},
        {"08007", CONNECTION_UNKNOWN}, {"57P01", CONNECTION_UNKNOWN}, {"57P02", CONNECTION_UNKNOWN},
        {"57P05", CONNECTION_UNKNOWN}, {"40000", CONNECTION_FAULT},   {"23505", CONNECTION_FAULT},
        {"42501", CONNECTION_FAULT},   {"53100", CONNECTION_FAULT},   {"XX000", CONNECTION_FAULT},
        {"0A000", CONNECTION_FAULT},
    };
    struct pair *pair = *state;

    for (size_t i = 0; i < COUNT(rows); i++) {
        char sql[128];
        struct statement raise = {NULL, sql};

        snprintf(sql, sizeof sql, "DO $$ BEGIN RAISE 'said so' USING ERRCODE = '%s'; END $$",
                 rows[i].code);
        assert_int_equal(CONNECTION_OK, connection_ready(pair->a, soon(), &pair->fault));
        uint64_t times = connection_times(pair->a);
        send_key(pair, pair->a, &set_value, 1, "new");
        connection_send(pair->a, &raise, NULL);
        if (wait_of(pair, pair->a) != rows[i].outcome) {
            fail_msg("%s is not %d: %s", rows[i].code, rows[i].outcome, pair->fault.text);
        }
        assert_says(pair, rows[i].code);
        assert_says(pair, "said so");
        bool closed = rows[i].outcome == CONNECTION_AWAY || rows[i].outcome == CONNECTION_UNKNOWN;
        assert_int_equal(closed, connection_server_version(pair->a) == 0);
        assert_int_equal(CONNECTION_OK, connection_ready(pair->a, soon(), &pair->fault));
        assert_int_equal(times + closed, connection_times(pair->a));
        assert_true(connection_server_version(pair->a) > 140000);
        assert_value(pair, pair->a, 1, "old");
    }
}

/* A warning of another kind is none of the outcome's business. */
static void test_warnings(void **state)
{
    static const struct {
        const char *sql;
        enum connection_outcome outcome;
    } rows[] = {
        {"DO $$ BEGIN RAISE WARNING 'said so'; END $$", CONNECTION_UNKNOWN},
        {"DO $$ BEGIN RAISE WARNING 'said so' USING ERRCODE = '57P01'; END $$", CONNECTION_UNKNOWN},
        {"DO $$ BEGIN RAISE WARNING 'said so' USING ERRCODE = '25001'; END $$", CONNECTION_OK},
        {"DO $$ BEGIN RAISE NOTICE 'said so'; END $$", CONNECTION_OK},
        {"CREATE TABLE IF NOT EXISTS rows ()", CONNECTION_OK},
    };
    struct pair *pair = *state;

    for (size_t i = 0; i < COUNT(rows); i++) {
        const struct statement statement = {NULL, rows[i].sql};

        assert_int_equal(CONNECTION_OK, connection_ready(pair->a, soon(), &pair->fault));
        connection_send(pair->a, &statement, NULL);
        assert_outcome(rows[i].outcome, pair, pair->a);
        if (rows[i].outcome != CONNECTION_OK) {
            assert_says(pair, "said so");
            assert_int_equal(CONNECTION_OK, connection_ready(pair->a, soon(), &pair->fault));
        }
        assert_value(pair, pair->a, 1, "old"); /* not told twice */
    }
}

/* ---- connections that end ---- */

static int64_t backend_of(struct pair *pair, struct connection *connection)
{
    connection_send(connection, &who, NULL);
    assert_outcome(CONNECTION_OK, pair, connection);
    return connection_i64(connection, 0, 0, 0);
}

#define ACTIVITY "SELECT count(*) > 0 FROM pg_stat_activity WHERE pid = $1::bigint"
static const struct statement gone = {NULL, "SELECT NOT (" ACTIVITY ")"};
static const struct statement sleeps = {NULL, ACTIVITY " AND wait_event = 'PgSleep'"};
static const struct statement waits_for_standby = {NULL, ACTIVITY " AND wait_event = 'SyncRep'"};
static const struct statement cancel = {NULL, "SELECT pg_cancel_backend($1::bigint::int)"};
static const struct statement terminate = {NULL, "SELECT pg_terminate_backend($1::bigint::int)"};

/* Asks connection b about a backend until the answer is true. */
static void await(struct pair *pair, const struct statement *statement, int64_t backend)
{
    do {
        send_key(pair, pair->b, statement, backend, NULL);
        assert_outcome(CONNECTION_OK, pair, pair->b);
    } while (connection_i64(pair->b, 0, 0, 0) == 0);
}

static void test_ended_while_idle(void **state)
{
    struct pair *pair = *state;
    int64_t backend = backend_of(pair, pair->a);

    for (int ready = 0; ready < 2; ready++) {
        await(pair, &terminate, backend);
        await(pair, &gone, backend);
        if (ready == 0) {
            send_key(pair, pair->a, &set_value, 1, "new");
            assert_outcome(CONNECTION_AWAY, pair, pair->a);
        }
        assert_int_equal(CONNECTION_OK, connection_ready(pair->a, soon(), &pair->fault));
        assert_int_equal(2 + ready, connection_times(pair->a));
        assert_value(pair, pair->a, 1, "old");
        backend = backend_of(pair, pair->a);
    }
}

static void test_ended_while_waiting(void **state)
{
    struct pair *pair = *state;
    int64_t backend = backend_of(pair, pair->a);
    struct waiter waiter;

    connection_send(pair->a, &statement_begin, NULL);
    connection_send(pair->a, &sleep_long, NULL);
    connection_send(pair->a, &statement_commit, NULL);
    start_waiter(&waiter, pair->a);
    await(pair, &sleeps, backend);
    await(pair, &terminate, backend);
    join(pair, &waiter);
    assert_int_equal(CONNECTION_UNKNOWN, waiter.outcome);
    assert_says(pair, "57P01");
    assert_int_equal(0, connection_server_version(pair->a));
    send_key(pair, pair->a, &get_value, 1, NULL);
    assert_outcome(CONNECTION_AWAY, pair, pair->a);
    assert_says(pair, "not connected");
}

static void test_deadline(void **state)
{
    struct pair *pair = *state;
    int64_t backend = backend_of(pair, pair->a);

    connection_send(pair->a, &sleep_long, NULL);
    assert_int_equal(CONNECTION_UNKNOWN,
                     connection_wait(pair->a, clock_stopwatch_us() + SHORT_US, &pair->fault));
    assert_says(pair, "in time");
    assert_int_equal(CONNECTION_OK, connection_ready(pair->a, soon(), &pair->fault));
    assert_true(backend_of(pair, pair->a) != backend);
    await(pair, &sleeps, backend); /* was not cancelled */
    await(pair, &terminate, backend);
}

/* A transaction whose connection was dropped is rolled back. */
static void test_drop(void **state)
{
    struct pair *pair = *state;
    int64_t backend = backend_of(pair, pair->a);

    connection_send(pair->a, &statement_begin, NULL);
    send_key(pair, pair->a, &set_value, 1, "new");
    assert_outcome(CONNECTION_OK, pair, pair->a);
    connection_send(pair->a, &statement_commit, NULL); /* is never sent */
    connection_drop(pair->a);
    await(pair, &gone, backend);
    assert_value(pair, pair->b, 1, "old");
}

static void test_killed_server(void **state)
{
    struct pair *pair = *state;

    send_key(pair, pair->a, &set_value, 1, "new");
    assert_outcome(CONNECTION_OK, pair, pair->a);
    server_kill();
    enum connection_outcome outcome;
    do {
        send_key(pair, pair->a, &get_value, 1, NULL);
        outcome = wait_of(pair, pair->a);
    } while (outcome == CONNECTION_OK); /* a server process notices a little later */
    assert_true(outcome == CONNECTION_AWAY || outcome == CONNECTION_UNKNOWN);
    assert_int_equal(CONNECTION_OK, connection_ready(pair->a, soon(), &pair->fault));
    assert_int_equal(2, connection_times(pair->a));
    assert_value(pair, pair->a, 1, "new");
}

/* A connection that is lost at its COMMIT says the same, whatever came of it. */
static void test_lost_commit(void **state)
{
    static const enum proxy_cut cuts[] = {PROXY_CUT_BEFORE, PROXY_CUT_AFTER, PROXY_STALL};
    struct pair *pair = *state;
    struct proxy *proxy = proxy_start();
    char url[sizeof pair->url];

    proxy_url(proxy, pair->url, url, sizeof url);
    struct connection *connection = open_url(url);
    for (size_t i = 0; i < COUNT(cuts); i++) {
        bool stalls = cuts[i] == PROXY_STALL;
        char value[8];

        assert_int_equal(CONNECTION_OK, connection_ready(connection, soon(), &pair->fault));
        assert_int_equal(i + 1, connection_times(connection));
        proxy_cut(proxy, cuts[i], 1);
        snprintf(value, sizeof value, "%zu", i);
        connection_send(connection, &statement_begin, NULL);
        send_key(pair, connection, &set_value, 1, value);
        connection_send(connection, &statement_commit, NULL);
        assert_int_equal(CONNECTION_UNKNOWN,
                         connection_wait(connection,
                                         clock_stopwatch_us() + (stalls ? SHORT_US : LIMIT_US),
                                         &pair->fault));
        assert_says(pair, stalls ? "no answer in time" : "closed the connection unexpectedly");
        while (proxy_left(proxy) > 0) {
            sched_yield();
        }
        if (!stalls) { /* may not have been committed yet */
            assert_value(pair, pair->a, 1, cuts[i] == PROXY_CUT_BEFORE ? "old" : value);
        }
    }
    connection_close(connection);
    proxy_stop(proxy);
}

/* ---- commits that no standby has ---- */

static const struct statement any_waits = {
    NULL, "SELECT count(*) > 0 FROM pg_stat_activity WHERE wait_event = 'SyncRep'"};

/* Until a commit waits: the setting does not count at once. */
static void want_standby(struct pair *pair)
{
    enum connection_outcome late;
    struct fault fault = {""};

    server_run("ALTER SYSTEM SET synchronous_standby_names = 'absent'");
    server_run("SELECT pg_reload_conf()");
    do {
        assert_int_equal(CONNECTION_OK, connection_ready(pair->a, soon(), &pair->fault));
        send_key(pair, pair->a, &set_value, 3, "new");
        late = connection_wait(pair->a, clock_stopwatch_us() + SHORT_US, &fault);
        connection_send(pair->b, &any_waits, NULL);
        assert_outcome(CONNECTION_OK, pair, pair->b);
    } while (connection_i64(pair->b, 0, 0, 0) == 0);
    assert_int_equal(CONNECTION_UNKNOWN, late);
    assert_non_null(strstr(fault.text, "no answer in time"));
    assert_int_equal(CONNECTION_OK, connection_ready(pair->a, soon(), &pair->fault));
}

static int forget_standby(void **state)
{
    server_run("SET synchronous_commit = local");
    server_run("ALTER SYSTEM RESET synchronous_standby_names");
    server_run("SELECT pg_reload_conf()");
    server_run("RESET synchronous_commit");
    return remove_pair(state);
}

static void test_wait_is_cancelled(void **state)
{
    struct pair *pair = *state;

    want_standby(pair);
    for (int ends = 0; ends < 2; ends++) {
        const char *value = ends == 0 ? "cancelled" : "ended";
        int64_t backend = backend_of(pair, pair->a);
        struct waiter waiter;

        connection_send(pair->a, &statement_begin, NULL);
        send_key(pair, pair->a, &set_value, 1, value);
        connection_send(pair->a, &statement_commit, NULL);
        start_waiter(&waiter, pair->a);
        await(pair, &waits_for_standby, backend);
        await(pair, ends == 0 ? &cancel : &terminate, backend);
        join(pair, &waiter);
        assert_int_equal(CONNECTION_UNKNOWN, waiter.outcome);
        if (ends == 0) {
            assert_says(pair, "01000: canceling wait for synchronous replication");
        }
        assert_value(pair, pair->b, 1, value); /* committed here */
        assert_int_equal(CONNECTION_OK, connection_ready(pair->a, soon(), &pair->fault));
    }
}

/* ---- connecting ---- */

static enum connection_outcome try_url(const char *url, const char *password_file,
                                       struct fault *fault)
{
    const struct connection_settings settings = {
        .url = url, .application = "test", .password_file = password_file};
    struct connection *connection = connection_open(&settings);
    enum connection_outcome outcome = connection_ready(connection, soon(), fault);

    if (outcome == CONNECTION_OK) {
        connection_send(connection, &who, NULL);
        assert_int_equal(CONNECTION_OK, connection_wait(connection, soon(), fault));
    }
    connection_close(connection);
    return outcome;
}

static const char *directory_of(const char *url)
{
    return strstr(url, "host=") + strlen("host=");
}

static void test_refused(void **state)
{
    static const struct {
        const char *before, *after; /* of the host in the URL */
        const char *words;
        enum connection_outcome outcome;
    } rows[] = {
        {"retoken:hunter2@/postgres", "", "store-password-file", CONNECTION_FAULT},
        {"retoken@/postgres", "&password=hunter2", "store-password-file", CONNECTION_FAULT},
        {"retoken@/postgres", "&sslpassword=hunter2", "store-password-file", CONNECTION_FAULT},
        {"retoken:hunter2@[::1/postgres", "", "not a URL", CONNECTION_FAULT},
        {"retoken@/postgres", "&hunter2=1", "not a URL", CONNECTION_FAULT},
        {"retoken@/absent", "", "3D000: database \"absent\" does not exist", CONNECTION_FAULT},
        {"nobody@/postgres", "", "28000: role \"nobody\" does not exist", CONNECTION_FAULT},
        {"retoken@/postgres", "&port=1", "No such file", CONNECTION_AWAY},
        {"retoken@/postgres", "&options=-cdefault_transaction_read_only%3Don",
         "session is read-only", CONNECTION_AWAY},
        {"retoken@/postgres", "&options=-cwork_mem%3Dx",
         "22023: invalid value for parameter \"work_mem\"", CONNECTION_FAULT},
    };
    struct pair pair = {.a = NULL};

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        snprintf(pair.url, sizeof pair.url, "postgresql://%s?host=%s%s", rows[i].before,
                 directory_of(server_url()), rows[i].after);
        assert_outcome_at(rows[i].outcome, try_url(pair.url, NULL, &pair.fault), &pair, __FILE__,
                          __LINE__);
        assert_says(&pair, rows[i].words);
        assert_null(strstr(pair.fault.text, "hunter2"));
    }
}

static void test_password(void **state)
{
    static const struct {
        const char *content, *words;
        mode_t mode;
        enum connection_outcome outcome;
    } rows[] = {
        {"open sesame\n", "", 0600, CONNECTION_OK},
        {"open sesame", "", 0400, CONNECTION_OK},
        {"open sesame\nmore\n", "", 0600, CONNECTION_OK},
        {"open simsim\n", "28P01: password authentication failed", 0600, CONNECTION_FAULT},
        {"", "holds no password", 0600, CONNECTION_FAULT},
        {"\nopen sesame\n", "holds no password", 0600, CONNECTION_FAULT},
        {"open sesame\n", "mode is 0640; the password of the store must be 0600", 0640,
         CONNECTION_FAULT},
    };
    char directory[SCRATCH_PATH_MAX], file[SCRATCH_PATH_MAX + 16];
    struct pair pair = {.a = NULL};

    (void)state;
    assert_true(scratch_make(directory));
    snprintf(file, sizeof file, "%s/password", directory);
    server_run("CREATE ROLE secretive LOGIN PASSWORD 'open sesame'");
    snprintf(pair.url, sizeof pair.url, "postgresql://secretive@/postgres?host=%s",
             directory_of(server_url()));
    for (size_t i = 0; i < COUNT(rows); i++) {
        unlink(file);
        FILE *stream = fopen(file, "w");
        assert_non_null(stream);
        assert_true(fputs(rows[i].content, stream) >= 0);
        assert_int_equal(0, fclose(stream));
        assert_int_equal(0, chmod(file, rows[i].mode));
        assert_outcome_at(rows[i].outcome, try_url(pair.url, file, &pair.fault), &pair, __FILE__,
                          __LINE__);
        if (rows[i].outcome != CONNECTION_OK) {
            assert_says(&pair, rows[i].words);
        }
    }
    assert_int_equal(0, unlink(file));
    assert_int_equal(CONNECTION_FAULT, try_url(pair.url, file, &pair.fault));
    assert_says(&pair, "cannot open the password of the store");
    scratch_remove(directory);
}

/* One host is not there, one answers nothing, one is right: that comes first the next time. */
static void test_hosts(void **state)
{
    char directory[SCRATCH_PATH_MAX];
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    struct fault fault;
    char url[512];

    (void)state;
    assert_true(scratch_make(directory));
    snprintf(address.sun_path, sizeof address.sun_path, "%.90s/.s.PGSQL.5432", directory);
    int silent = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    assert_int_equal(0, bind(silent, (struct sockaddr *)&address, sizeof address));
    assert_int_equal(0, listen(silent, 5));
    snprintf(url, sizeof url,
             "postgresql://retoken@/postgres?host=/absent,%s,%s&port=5432&connect_timeout=1",
             directory, directory_of(server_url()));
    struct connection *connection = open_url(url);
    for (uint64_t times = 1; times <= 2; times++) {
        assert_int_equal(CONNECTION_OK, connection_ready(connection, soon(), &fault));
        assert_int_equal(times, connection_times(connection));
        connection_drop(connection);
        int asked = accept(silent, NULL, NULL);
        assert_int_equal(times == 1, asked >= 0);
        if (asked >= 0) {
            close(asked);
        }
    }
    connection_close(connection);

    /* in vain: each has its share of the time, and its say */
    snprintf(url, sizeof url, "postgresql://retoken@/postgres?host=%s,/absent", directory);
    connection = open_url(url);
    assert_int_equal(CONNECTION_AWAY,
                     connection_ready(connection, clock_stopwatch_us() + SHORT_US, &fault));
    assert_non_null(strstr(fault.text, "no answer in time from "));
    assert_non_null(strstr(fault.text, "/absent"));
    connection_close(connection);
    close(silent);
    scratch_remove(directory);
}

static void test_read_only(void **state)
{
    struct pair *pair = *state;
    const struct connection_settings settings = {
        .url = pair->url, .application = "test", .read_only = true};
    struct connection *connection = connection_open(&settings);

    assert_int_equal(CONNECTION_OK, connection_ready(connection, soon(), &pair->fault));
    assert_value(pair, connection, 1, "old");
    send_key(pair, connection, &set_value, 1, "new");
    assert_outcome(CONNECTION_AWAY, pair, connection);
    assert_says(pair, "25006");
    connection_close(connection);
}

/* What a server's or a role's configuration must not turn off. */
static void test_settings(void **state)
{
    static const struct statement show = {
        NULL, "SELECT current_setting('statement_timeout') = '0'"
              " AND current_setting('idle_in_transaction_session_timeout') = '10s'"
              " AND current_setting('transaction_isolation') = 'read committed'"
              " AND current_setting('client_min_messages') = 'warning'"
              " AND current_setting('application_name') = 'test'"};
    struct pair *pair = *state;
    char url[1024];

    snprintf(url, sizeof url,
             "%s%%20-cstatement_timeout%%3D1s%%20-cclient_min_messages%%3Derror"
             "%%20-cdefault_transaction_isolation%%3Dserializable",
             pair->url);
    struct connection *connection = open_url(url);
    assert_int_equal(CONNECTION_OK, connection_ready(connection, soon(), &pair->fault));
    connection_send(connection, &show, NULL);
    assert_outcome(CONNECTION_OK, pair, connection);
    assert_int_equal(1, connection_i64(connection, 0, 0, 0));
    connection_close(connection);
}

#define PAIR(test) cmocka_unit_test_setup_teardown(test, make_pair, remove_pair)

int main(void)
{
    const struct CMUnitTest tests[] = {
        PAIR(test_values),
        PAIR(test_arrays),
        PAIR(test_much_at_a_time),
        PAIR(test_bad_parameters),
        PAIR(test_commit),
        PAIR(test_error),
        PAIR(test_serialization),
        PAIR(test_lock),
        PAIR(test_deadlock),
        PAIR(test_codes),
        PAIR(test_warnings),
        PAIR(test_ended_while_idle),
        PAIR(test_ended_while_waiting),
        PAIR(test_deadline),
        PAIR(test_drop),
        PAIR(test_killed_server),
        PAIR(test_lost_commit),
        cmocka_unit_test_setup_teardown(test_wait_is_cancelled, make_pair, forget_standby),
        cmocka_unit_test(test_refused),
        cmocka_unit_test(test_password),
        cmocka_unit_test(test_hosts),
        PAIR(test_read_only),
        PAIR(test_settings),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
