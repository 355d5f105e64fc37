/* SPDX-License-Identifier: ISC */
/* reads.c: see reads.h. */
#include "store/postgresql/reads.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { WALKERS = 2, PAUSE_MS = 20 };

/* What one thread asks for. */
struct request {
    struct request *next;
    struct tables *tables;
    pthread_cond_t told;
    bool leads, done;
    enum connection_outcome outcome;
    struct fault fault;
};

/* An entry and whose it is. */
struct asked {
    struct tables_entry *entry; /* first: it is sorted as a pointer to one */
    struct tables *owner;
};

struct reads {
    struct writer *gathered;       /* the leader's */
    struct parameters parameters;  /* the leader's */
    struct asked *asked;           /* the leader's: all that is asked for, in order */
    struct tables_entry **entries; /* of them */
    size_t room;
    struct writer *walkers[WALKERS];

    pthread_mutex_t lock; /* over the rest */
    pthread_cond_t given;
    struct request *first, **end;
    bool has_leader;
    bool taken[WALKERS];
    struct tables **spares; /* of transactions that have ended */
    size_t spare_count, spare_room;
};

struct reads *reads_open(struct writers_server *server)
{
    struct reads *reads = calloc(1, sizeof *reads);
    bool opened = reads != NULL;

    if (reads == NULL) {
        return NULL;
    }
    reads->end = &reads->first;
    pthread_mutex_init(&reads->lock, NULL);
    pthread_cond_init(&reads->given, NULL);
    reads->gathered = writer_open(server);
    opened = reads->gathered != NULL;
    for (size_t i = 0; i < WALKERS && opened; i++) {
        reads->walkers[i] = writer_open(server);
        opened = reads->walkers[i] != NULL;
    }
    if (!opened) {
        reads_close(reads);
        return NULL;
    }
    return reads;
}

void reads_close(struct reads *reads)
{
    if (reads == NULL) {
        return;
    }
    for (size_t i = 0; i < reads->spare_count; i++) {
        tables_free(reads->spares[i]);
        free(reads->spares[i]);
    }
    for (size_t i = 0; i < WALKERS; i++) {
        writer_close(reads->walkers[i]);
    }
    writer_close(reads->gathered);
    parameters_free(&reads->parameters);
    pthread_cond_destroy(&reads->given);
    pthread_mutex_destroy(&reads->lock);
    free(reads->spares);
    free(reads->asked);
    free(reads->entries);
    free(reads);
}

bool reads_begin(struct reads *reads, int64_t wait_us, struct txn *txn, struct fault *fault)
{
    struct tables *tables = NULL;

    pthread_mutex_lock(&reads->lock);
    if (reads->spare_count > 0) {
        tables = reads->spares[--reads->spare_count];
    }
    pthread_mutex_unlock(&reads->lock);
    if (tables == NULL && (tables = calloc(1, sizeof *tables)) == NULL) {
        fault_set(fault, "out of memory while reading");
        return false;
    }
    tables->reads = reads;
    tables_read_begin(tables, clock_stopwatch_us() + wait_us, txn);
    return true;
}

/* ---- a connection alone ---- */

static bool is_worth_it(enum connection_outcome outcome, int64_t until_us);

enum connection_outcome reads_take(struct reads *reads, int64_t until_us,
                                   struct connection **connection, struct fault *fault)
{
    enum connection_outcome outcome;
    size_t at;

    pthread_mutex_lock(&reads->lock);
    for (at = 0; reads->taken[at]; at = (at + 1) % WALKERS) {
        if (at + 1 == WALKERS) {
            pthread_cond_wait(&reads->given, &reads->lock);
        }
    }
    reads->taken[at] = true;
    pthread_mutex_unlock(&reads->lock);
    do {
        outcome = writer_ready(reads->walkers[at], until_us, fault);
    } while (is_worth_it(outcome, until_us));
    *connection = writer_connection(reads->walkers[at]);
    return outcome;
}

void reads_give(struct reads *reads, struct tables *tables)
{
    pthread_mutex_lock(&reads->lock);
    for (size_t i = 0; i < WALKERS; i++) {
        if (tables->connection != NULL &&
            writer_connection(reads->walkers[i]) == tables->connection) {
            reads->taken[i] = false;
            pthread_cond_signal(&reads->given);
        }
    }
    tables->connection = NULL;
    if (reads->spare_count == reads->spare_room) {
        size_t room = reads->spare_room == 0 ? 16 : reads->spare_room * 2;
        struct tables **spares = realloc(reads->spares, room * sizeof(struct tables *));

        if (spares != NULL) {
            reads->spares = spares;
            reads->spare_room = room;
        }
    }
    if (reads->spare_count < reads->spare_room) {
        reads->spares[reads->spare_count++] = tables;
        tables = NULL;
    }
    pthread_mutex_unlock(&reads->lock);
    if (tables != NULL) {
        tables_free(tables);
        free(tables);
    }
}

/* Nothing is spent by asking again. A server that is away is given a moment. */
static bool is_worth_it(enum connection_outcome outcome, int64_t until_us)
{
    const struct timespec pause = {.tv_nsec = PAUSE_MS * 1000000L};

    switch (outcome) {
    case CONNECTION_OK:
    case CONNECTION_FAULT:
        return false;
    case CONNECTION_AWAY:
    case CONNECTION_UNKNOWN:
        nanosleep(&pause, NULL);
        break;
    case CONNECTION_AGAIN:
        break;
    }
    return clock_stopwatch_us() < until_us;
}

/* ---- together ---- */

static void lead(struct reads *reads, struct request *batch, int64_t until_us);

enum connection_outcome reads_fill(struct reads *reads, struct tables *tables, int64_t until_us,
                                   struct fault *fault)
{
    struct request request = {.tables = tables};
    struct request *batch;

    pthread_cond_init(&request.told, NULL);
    pthread_mutex_lock(&reads->lock);
    *reads->end = &request;
    reads->end = &request.next;
    if (!reads->has_leader) {
        reads->has_leader = request.leads = true;
    }
    while (!request.done && !request.leads) {
        pthread_cond_wait(&request.told, &reads->lock);
    }
    if (request.leads) {
        batch = reads->first;
        reads->first = NULL;
        reads->end = &reads->first;
        pthread_mutex_unlock(&reads->lock);
        lead(reads, batch, until_us);
        pthread_mutex_lock(&reads->lock);
        for (struct request *other = batch, *next; other != NULL; other = next) {
            next = other->next;
            other->done = true;
            if (other != &request) {
                pthread_cond_signal(&other->told);
            }
        }
        reads->has_leader = reads->first != NULL;
        if (reads->first != NULL) {
            reads->first->leads = true;
            pthread_cond_signal(&reads->first->told);
        }
    }
    pthread_mutex_unlock(&reads->lock);
    pthread_cond_destroy(&request.told);
    if (request.outcome != CONNECTION_OK && fault != NULL) {
        *fault = request.fault;
    }
    return request.outcome;
}

static bool gather(struct reads *reads, const struct request *batch, size_t *count);
static enum connection_outcome trip(struct reads *reads, size_t count, int64_t until_us,
                                    struct fault *fault);

static void lead(struct reads *reads, struct request *batch, int64_t until_us)
{
    enum connection_outcome outcome = CONNECTION_FAULT;
    struct fault fault = {"out of memory while reading"};
    size_t count;

    if (gather(reads, batch, &count)) {
        do {
            outcome = trip(reads, count, until_us, &fault);
        } while (is_worth_it(outcome, until_us));
    }
    for (struct request *request = batch; request != NULL; request = request->next) {
        request->outcome = outcome;
        request->fault = fault;
    }
}

static bool gather(struct reads *reads, const struct request *batch, size_t *count)
{
    struct asked *asked;

    *count = 0;
    for (const struct request *request = batch; request != NULL; request = request->next) {
        *count += request->tables->asked_count;
    }
    if (*count > reads->room) {
        free(reads->asked);
        free(reads->entries);
        reads->asked = calloc(*count * 2, sizeof *reads->asked);
        reads->entries = calloc(*count * 2, sizeof(struct tables_entry *));
        reads->room = reads->asked != NULL && reads->entries != NULL ? *count * 2 : 0;
    }
    asked = reads->asked;
    if (reads->room < *count) {
        return false;
    }
    for (const struct request *request = batch; request != NULL; request = request->next) {
        for (size_t i = 0; i < request->tables->asked_count; i++) {
            *asked++ = (struct asked){request->tables->asked[i], request->tables};
        }
    }
    qsort(reads->asked, *count, sizeof *reads->asked, tables_by_key);
    for (size_t i = 0; i < *count; i++) {
        reads->entries[i] = reads->asked[i].entry;
    }
    return true;
}

static bool tell(struct reads *reads, size_t from, size_t end, size_t statement);

/* A statement for each table. */
static enum connection_outcome trip(struct reads *reads, size_t count, int64_t until_us,
                                    struct fault *fault)
{
    struct connection *connection = writer_connection(reads->gathered);
    enum connection_outcome outcome = writer_ready(reads->gathered, until_us, fault);
    size_t ends[TABLES], statements = 0;

    if (outcome != CONNECTION_OK) {
        return outcome;
    }
    for (size_t from = 0, end; from < count; from = end) {
        for (end = from;
             end < count && reads->entries[end]->table == reads->entries[from]->table;) {
            end++;
        }
        tables_send_get(connection, &reads->parameters, reads->entries + from, end - from, false);
        ends[statements++] = end;
    }
    outcome = connection_wait(connection, until_us, fault);
    for (size_t i = 0; outcome == CONNECTION_OK && i < statements; i++) {
        if (!tell(reads, i == 0 ? 0 : ends[i - 1], ends[i], i)) {
            fault_set(fault, "out of memory while reading");
            outcome = CONNECTION_FAULT;
        }
    }
    return outcome;
}

static bool is_key(const struct reads *reads, size_t at, struct txn_bytes key)
{
    return reads->entries[at]->key_size == key.size &&
           memcmp(reads->entries[at]->key, key.data, key.size) == 0;
}

/* The first entry that is not below the key. */
static size_t first_of(const struct reads *reads, size_t from, size_t end, struct txn_bytes key)
{
    while (from < end) {
        size_t middle = from + (end - from) / 2;

        if (tables_compare(reads->entries[middle], key) < 0) {
            from = middle + 1;
        } else {
            end = middle;
        }
    }
    return from;
}

/* Those of one table to all who asked for them, which are neighbours. */
static bool tell(struct reads *reads, size_t from, size_t end, size_t statement)
{
    const struct connection *connection = writer_connection(reads->gathered);
    size_t rows = connection_rows(connection, statement);

    for (size_t row = 0; row < rows; row++) {
        struct txn_bytes key, value;

        if (!connection_bytes(connection, statement, row, 0, &key.data, &key.size) ||
            !connection_bytes(connection, statement, row, 1, &value.data, &value.size)) {
            continue;
        }
        for (size_t at = first_of(reads, from, end, key); at < end && is_key(reads, at, key);
             at++) {
            struct tables *owner = reads->asked[at].owner;

            if (!tables_fill(owner, reads->asked[at].entry, value) ||
                (reads->entries[at]->table == TABLE_SESSIONS &&
                 !tables_fill_owners(owner, connection, statement, row))) {
                return false;
            }
        }
    }
    return true;
}
