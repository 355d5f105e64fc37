/* SPDX-License-Identifier: ISC */
/* writers.c: see writers.h. */
#include "store/postgresql/writers.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <time.h>

#include "base/crypto.h"

enum { ID_SIZE = 16 };

/* Waits for the row's lock, which a transaction of the connection before may still hold. */
static const struct statement introduce = {
    "introduce", "INSERT INTO writers (id, batch, confirmed, seen) VALUES ($1::uuid, 0, 0, now())"
                 " ON CONFLICT (id) DO UPDATE SET seen = now()"
                 " RETURNING batch, clock_timestamp()"};
static const struct statement number = {"number",
                                        "INSERT INTO writers (id, batch, confirmed, seen)"
                                        " VALUES ($1::uuid, $2::bigint, $2::bigint - 1, now())"
                                        " ON CONFLICT (id) DO UPDATE SET batch = excluded.batch,"
                                        " confirmed = excluded.confirmed, seen = excluded.seen"};
static const struct statement no_wait = {"no_wait",
                                         "SELECT set_config('synchronous_commit', 'off', true)"};
static const struct statement confirm = {
    "confirm", "UPDATE writers SET confirmed = batch WHERE id = $1::uuid"};
/* Its batch began when the token was spent, by the same clock. */
static const struct statement doubt = {
    "doubt", "SELECT 1::bigint FROM writers WHERE batch > confirmed AND id <> $1::uuid"
             " AND seen BETWEEN $2::timestamptz - interval '2 seconds'"
             " AND $2::timestamptz + interval '2 seconds' LIMIT 1"};
static const struct statement tidy = {
    "tidy", "DELETE FROM writers WHERE seen < now() - interval '1 day' AND id <> $1::uuid"};
/* A commit that a power cut takes back is none; all our statements find rows by their key, whatever
 * the planner has been told about the size of a table; and a plan that cannot, and is priced as if
 * it took days, is still not worth compiling. */
static const struct statement settings = {
    "settings",
    "SELECT set_config('enable_seqscan', 'off', false), set_config('enable_hashjoin', 'off', "
    "false),"
    " set_config('enable_mergejoin', 'off', false), set_config('jit', 'off', false), CASE WHEN "
    "current_setting('synchronous_commit')"
    " IN ('off', 'local') THEN set_config('synchronous_commit', 'on', false) END"};

/* ---- the clock ---- */

struct writers_clock {
    atomic_bool known;
    atomic_int_fast64_t ahead_ms; /* of the time since boot */
};

struct writers_clock *writers_clock_open(void)
{
    return calloc(1, sizeof(struct writers_clock));
}

void writers_clock_close(struct writers_clock *clock)
{
    free(clock);
}

static int64_t since_boot_ms(void)
{
    struct timespec now;

    clock_gettime(CLOCK_BOOTTIME, &now);
    return (int64_t)now.tv_sec * CLOCK_SECOND + now.tv_nsec / 1000000;
}

static int64_t now_ms(void *self)
{
    const struct writers_clock *clock = self;
    struct clock machine = clock_system();

    return atomic_load(&clock->known) ? since_boot_ms() + atomic_load(&clock->ahead_ms)
                                      : clock_now_ms(&machine);
}

/* Of no boot: several machines write one store. */
struct clock writers_clock_of(struct writers_clock *clock)
{
    return (struct clock){.now_ms = now_ms, .self = clock};
}

static void tell_time(struct writers_clock *clock, int64_t server_ms)
{
    atomic_store(&clock->ahead_ms, server_ms - since_boot_ms());
    atomic_store(&clock->known, true);
}

/* ---- a writer ---- */

struct writer {
    struct writers_server *server;
    struct connection *connection;
    struct parameters parameters;
    uint64_t times;    /* connections that may be believed; the last is this one */
    uint64_t warnings; /* of this connection, of which the others know */
    uint64_t believed; /* with all warnings up to this one */
    int64_t committed;
    uint8_t id[ID_SIZE];
};

struct writer *writer_open(struct writers_server *server)
{
    struct writer *writer = calloc(1, sizeof *writer);
    struct randomness randomness = randomness_system();

    if (writer == NULL) {
        return NULL;
    }
    writer->server = server;
    writer->connection = connection_open(&server->settings);
    if (writer->connection == NULL ||
        !randomness_fill(&randomness, writer->id, sizeof writer->id)) {
        writer_close(writer);
        return NULL;
    }
    return writer;
}

void writer_close(struct writer *writer)
{
    if (writer != NULL) {
        connection_close(writer->connection);
        parameters_free(&writer->parameters);
        free(writer);
    }
}

struct connection *writer_connection(struct writer *writer)
{
    return writer->connection;
}

static void begin_parameters(struct writer *writer)
{
    parameters_clear(&writer->parameters);
    parameters_bytes(&writer->parameters, writer->id, sizeof writer->id);
}

enum connection_outcome writer_ready(struct writer *writer, int64_t until_us, struct fault *fault)
{
    struct connection *connection = writer->connection;
    enum connection_outcome outcome;
    uint64_t warnings;

    if (connection_warnings(connection) != writer->warnings) {
        writer->warnings = connection_warnings(connection);
        atomic_fetch_add(&writer->server->warnings, 1);
    }
    warnings = atomic_load(&writer->server->warnings);
    outcome = connection_ready(connection, until_us, fault);
    if (outcome != CONNECTION_OK ||
        (connection_times(connection) == writer->times && writer->believed == warnings)) {
        return outcome;
    }
    begin_parameters(writer);
    connection_send(connection, &settings, NULL); /* which hold for the commit of both */
    connection_send(connection, &introduce, &writer->parameters);
    outcome = connection_wait(connection, until_us, fault);
    if (outcome == CONNECTION_OK) {
        writer->committed = connection_i64(connection, 1, 0, 0);
        tell_time(writer->server->clock, connection_i64(connection, 1, 0, 1));
        writer->times = connection_times(connection);
        writer->believed = warnings;
    }
    return outcome;
}

int64_t writer_committed(const struct writer *writer)
{
    return writer->committed;
}

void writer_send_number(struct writer *writer)
{
    begin_parameters(writer);
    parameters_i64(&writer->parameters, writer->committed + 1);
    connection_send(writer->connection, &number, &writer->parameters);
}

enum connection_outcome writer_confirm(struct writer *writer, int64_t until_us, struct fault *fault)
{
    begin_parameters(writer);
    connection_send(writer->connection, &no_wait, NULL);
    connection_send(writer->connection, &confirm, &writer->parameters);
    return connection_wait(writer->connection, until_us, fault);
}

void writer_send_doubt(struct writer *writer, int64_t spent_ms)
{
    begin_parameters(writer);
    parameters_time(&writer->parameters, spent_ms);
    connection_send(writer->connection, &doubt, &writer->parameters);
}

void writer_send_tidy(struct writer *writer)
{
    begin_parameters(writer);
    connection_send(writer->connection, &tidy, &writer->parameters);
}

void writer_note_commit(struct writer *writer)
{
    writer->committed++;
}
