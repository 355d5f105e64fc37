/* SPDX-License-Identifier: ISC */
/* commit.c: see commit.h.
 *
 * Rotations lock their sessions and nothing else, so those of several processes pass each other.
 * All other writes take the turn first, the lock of one row, so they see each other's changes and
 * none is lost. A batch of rotations that turns out to change more is done again with the turn.
 * Rotations that sweep take the turn if it is free: they wait for nothing but their own sessions.
 */
#include "store/postgresql/commit.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "store/verbs/sweeper.h"
#include "store/verbs/unstamped.h"

enum {
    SWEEP_EVERY_US = 1000 * 1000, /* where only rotations are written */
    PAUSE_MS = 20,                /* between two looks at a server that is away */
    TIDY_EVERY_US = 3600 * 1000 * INT64_C(1000)
};

/* As lmdb/batch.c: windows run from when a successor was durable, so what took longer is stamped
 * again, and each time twice as long is allowed. */
enum { PROMPT_US = 1000 * 1000, STAMPS_MOST = 3 };

/* What a rotation may change without the turn: rows that are its session's alone. */
enum { OWN_TABLES = 1 << TABLE_SESSIONS | 1 << TABLE_ALIASES | 1 << TABLE_ENDS };

/* A row that every store has and no write changes. */
static const struct statement take_turn_row = {
    "take_turn", "SELECT value FROM meta WHERE key = 'format' FOR UPDATE"};
static const struct statement take_free_turn = {
    "take_free_turn", "SELECT value FROM meta WHERE key = 'format' FOR UPDATE NOWAIT"};
static const struct statement stay_local = {"stay_local", "SET LOCAL synchronous_commit = 'local'"};

struct committer {
    struct commit_settings settings;
    struct writer *writer;
    struct tables tables;
    struct sweeper sweeper;
    struct ended_list ended; /* nobody reads it: a database is put back by its own means */
    int64_t swept_us, tidied_us;
    struct unstamped
        *unstamped;           /* what the last transaction has rotated, until its time is right */
    int64_t unstamped_number; /* of that transaction */
    bool unconfirmed;         /* its time is right, and the server has not been told */
};

/* What became of an attempt. */
enum attempt {
    ATTEMPT_DONE,      /* every write has its result */
    ATTEMPT_WITH_TURN, /* nothing happened: it needs the turn */
    ATTEMPT_UNSWEPT,   /* nothing happened, because of what was swept, not of the writes */
    ATTEMPT_AGAIN,     /* nothing happened: worth trying again */
    ATTEMPT_AWAY,      /* the same, once a server is there */
    ATTEMPT_UNKNOWN,   /* it was sent, and nothing says what became of it */
    ATTEMPT_FAILED     /* nothing happened, and trying again would not help */
};

/* A batch on its way. */
struct attempting {
    struct store_write *batch;
    int64_t now_ms;   /* 0: nothing is swept */
    int64_t until_us; /* when it gives up */
    int64_t begun_us; /* the transaction */
    int64_t sure_ms;  /* in it: that tokens were spent then is doubted by nobody */
    bool has_turn;
    bool if_free; /* only to sweep: another may have the turn */
    bool local;   /* does not wait for a standby */
    bool sweeps;
    struct fault fault;
};

static bool settle(struct committer *committer, struct store_write *batch, int64_t now_ms,
                   int64_t until_us, struct fault *notice);
static enum attempt attempt(struct committer *committer, struct attempting *a);
static enum attempt of_outcome(enum connection_outcome outcome);
static void stamp_what_was_left(struct committer *committer, int64_t until_us);
static void look_at(const struct committer *committer, struct attempting *a);

struct committer *committer_open(const struct commit_settings *settings)
{
    struct committer *committer = calloc(1, sizeof *committer);

    if (committer == NULL) {
        return NULL;
    }
    committer->settings = *settings;
    committer->swept_us = clock_stopwatch_us();
    committer->writer = writer_open(settings->server);
    committer->unstamped = calloc(1, UNSTAMPED_PAGE);
    if (committer->writer == NULL || committer->unstamped == NULL) {
        committer_close(committer);
        return NULL;
    }
    committer->tables.connection = writer_connection(committer->writer);
    return committer;
}

void committer_close(struct committer *committer)
{
    if (committer != NULL) {
        tables_free(&committer->tables);
        writer_close(committer->writer);
        ended_list_free(&committer->ended);
        free(committer->unstamped);
        free(committer);
    }
}

/* ---- a batch ---- */

static void write_batch(void *self, struct store_write *batch, struct fault *notice)
{
    struct committer *committer = self;
    int64_t until_us = clock_stopwatch_us() + committer->settings.wait_us;
    int64_t now_ms = store_time_of(batch);

    stamp_what_was_left(committer, until_us);
    if (settle(committer, batch, now_ms, until_us, notice) || batch->next == NULL) {
        return;
    }
    /* One of them fails; the rest are tried one by one. */
    metrics_add(committer->settings.metrics, METRIC_COMMITS_AGAIN, 1);
    for (struct store_write *write = batch, *next; write != NULL; write = next) {
        next = write->next;
        write->next = NULL;
        if (write->fault != NULL) {
            write->fault->text[0] = '\0'; /* the batch's */
        }
        settle(committer, write, now_ms, until_us, notice);
        write->next = next;
    }
}

static bool learn(struct committer *committer, struct attempting *a, bool *applied);
static void stamp_if_late(struct committer *committer, int64_t begun_us, int64_t until_us);
static void pause_until(int64_t until_us);

/* Until every write has its result, or the time is up. False: one of the writes fails the batch. */
static bool settle(struct committer *committer, struct store_write *batch, int64_t now_ms,
                   int64_t until_us, struct fault *notice)
{
    struct attempting a = {.batch = batch, .now_ms = now_ms, .until_us = until_us};
    bool applied = false;

    look_at(committer, &a);
    for (;;) {
        enum attempt outcome = attempt(committer, &a);

        if (outcome == ATTEMPT_UNKNOWN) {
            if (!learn(committer, &a, &applied)) {
                fault_prefix(&a.fault, "whether it was written is not known; asking again is safe");
                store_answer(batch, STORE_FAULT, &a.fault);
                return true;
            } else if (applied) {
                outcome = ATTEMPT_DONE;
            } else {
                unstamped_forget(committer->unstamped);
            }
        }
        switch (outcome) {
        case ATTEMPT_DONE:
            stamp_if_late(committer, a.begun_us, until_us);
            if (a.sweeps) {
                sweeper_committed(&committer->sweeper, notice);
            }
            return true;
        case ATTEMPT_WITH_TURN:
            a.has_turn = true;
            a.if_free = false;
            break;
        case ATTEMPT_UNSWEPT:
            a.now_ms = 0;
            break;
        case ATTEMPT_AWAY:
            pause_until(until_us);
            break;
        case ATTEMPT_AGAIN:
            a.has_turn = a.has_turn && !a.if_free; /* who has it sweeps */
            break;
        case ATTEMPT_UNKNOWN:
            break;
        case ATTEMPT_FAILED:
            return false;
        }
        metrics_add(committer->settings.metrics, METRIC_COMMITS_AGAIN, 1);
        if (clock_stopwatch_us() >= until_us) {
            store_answer(batch, STORE_FAULT, &a.fault);
            return true; /* one by one would be no quicker */
        }
    }
}

static void pause_until(int64_t until_us)
{
    const struct timespec pause = {.tv_nsec = PAUSE_MS * 1000000L};

    if (clock_stopwatch_us() + PAUSE_MS * 1000 < until_us) {
        nanosleep(&pause, NULL);
    }
}

/* On a new connection. False: the time is up, and it is still not known. */
static bool learn(struct committer *committer, struct attempting *a, bool *applied)
{
    int64_t before = writer_committed(committer->writer);

    for (;;) {
        enum connection_outcome outcome = writer_ready(committer->writer, a->until_us, &a->fault);

        if (outcome == CONNECTION_OK) {
            *applied = writer_committed(committer->writer) > before;
            return true;
        } else if (outcome == CONNECTION_FAULT || clock_stopwatch_us() >= a->until_us) {
            return false;
        }
        pause_until(a->until_us);
    }
}

/* ---- one transaction ---- */

static void want_all(struct committer *committer, struct rows *rows, struct attempting *a);
static bool is_found_without_alias(const struct store_write *batch);
static bool is_doubtful(struct committer *committer, struct attempting *a, struct rows *rows,
                        const struct store_write *write);
static bool commit(struct committer *committer, struct attempting *a);

static enum attempt fail(struct committer *committer, struct attempting *a, enum attempt outcome)
{
    tables_abort(&committer->tables);
    if (outcome == ATTEMPT_FAILED) {
        store_answer(a->batch, STORE_FAULT, &a->fault);
    }
    return outcome;
}

/* What went well before is undone as well: a fault, until it is tried again. */
static void forget_results(struct store_write *batch, const struct store_write *end)
{
    for (struct store_write *write = batch; write != end; write = write->next) {
        write->result = STORE_FAULT;
    }
}

static enum attempt attempt(struct committer *committer, struct attempting *a)
{
    struct verbs *verbs = committer->settings.verbs;
    struct tables *tables = &committer->tables;
    struct rows rows = {.mac = verbs->mac,
                        .ended = &committer->ended,
                        .outbox = &verbs->outbox,
                        .clock = verbs->clock.now_ms != NULL ? &verbs->clock : NULL,
                        .fault = &a->fault};
    enum connection_outcome outcome = writer_ready(committer->writer, a->until_us, &a->fault);
    struct clock_moment begun;

    if (outcome != CONNECTION_OK) {
        return outcome == CONNECTION_UNKNOWN ? ATTEMPT_AWAY
                                             : fail(committer, a, of_outcome(outcome));
    }
    a->begun_us = clock_stopwatch_us();
    a->sure_ms = 0;
    committer->ended.count = 0;
    a->sweeps = a->has_turn && a->now_ms != 0;
    tables->mac = verbs->mac;
    tables_write_begin(tables, a->until_us, &rows.txn);
    /* First, so that the row is locked before a COMMIT can be on its way: who asks for it on
     * another connection waits for that COMMIT, however late it comes. */
    writer_send_number(committer->writer);
    tables->queued++;
    if (a->local) {
        tables_send(tables, &stay_local, NULL);
    }
    if (a->has_turn) {
        tables_send(tables, a->if_free ? &take_free_turn : &take_turn_row, NULL);
    }
    want_all(committer, &rows, a);
    sweeper_begin(&committer->sweeper);
    if (tables->outcome == CONNECTION_OK) {
        begun = rows_moment(&rows, a->now_ms);
        rows.behind_ms = sweeper_behind_ms(&committer->sweeper, &rows, &begun);
    }
    for (struct store_write *write = a->batch; tables->outcome == CONNECTION_OK && write != NULL;
         write = write->next) {
        if (is_doubtful(committer, a, &rows, write)) {
            write->result = STORE_STALE;
        } else if (!verbs_settle(verbs, &rows, write) && tables->outcome == CONNECTION_OK) {
            forget_results(a->batch, write);
            tables_abort(tables);
            return a->has_turn ? ATTEMPT_FAILED : ATTEMPT_WITH_TURN;
        }
    }
    if (tables->outcome == CONNECTION_OK && a->sweeps && (rows.changes > 0 || rows.pressed) &&
        !sweeper_run(&committer->sweeper, &rows, &verbs->sweep, a->now_ms) &&
        tables->outcome == CONNECTION_OK) {
        return fail(committer, a, ATTEMPT_UNSWEPT);
    } else if (tables->outcome != CONNECTION_OK) { /* nothing was committed */
        forget_results(a->batch, NULL);
        return fail(committer, a,
                    tables->outcome == CONNECTION_UNKNOWN ? ATTEMPT_AWAY
                                                          : of_outcome(tables->outcome));
    } else if (!a->has_turn && (tables->written & ~(unsigned)OWN_TABLES) != 0) {
        return fail(committer, a, ATTEMPT_WITH_TURN);
    } else if (rows.changes == 0) {
        a->sweeps = false;
        return fail(committer, a, ATTEMPT_DONE); /* all came too late */
    } else if (!commit(committer, a)) {
        return of_outcome(tables->outcome);
    }
    return ATTEMPT_DONE;
}

/* All that is known to be read, in two trips: sessions, and what belongs to them. */
static void want_all(struct committer *committer, struct rows *rows, struct attempting *a)
{
    struct record_session stored;

    for (const struct store_write *write = a->batch; write != NULL; write = write->next) {
        if (write->kind == STORE_WRITE_ROTATE || write->kind == STORE_WRITE_TOUCH) {
            rows_session_want(rows, write->of.rotate.id);
        } else if (write->kind == STORE_WRITE_END) {
            rows_session_want(rows, write->of.end.id);
        }
    }
    if (tables_fetch(&committer->tables, &a->fault) != TXN_OK) {
        return;
    }
    for (const struct store_write *write = a->batch; write != NULL; write = write->next) {
        if ((write->kind == STORE_WRITE_ROTATE || write->kind == STORE_WRITE_TOUCH) &&
            rows_session_get(rows, write->of.rotate.id, &stored)) {
            rows_owners_want(rows, &stored.session);
        }
        rows->failed = false; /* it is told when the write is applied */
    }
    tables_fetch(&committer->tables, &a->fault);
}

/* A rotation that a failover takes back is healed by the token that the client has, which names its
 * session and generation. One that is spelled as UUID names them by its alias only. */
static bool is_found_without_alias(const struct store_write *batch)
{
    bool found = true;

    for (const struct store_write *write = batch; write != NULL && found; write = write->next) {
        found = write->kind != STORE_WRITE_ROTATE || !write->of.rotate.has_alias;
    }
    return found;
}

static bool commit(struct committer *committer, struct attempting *a)
{
    int64_t begun_us = clock_stopwatch_us();
    uint64_t writes = 0;

    if (a->has_turn && begun_us - committer->tidied_us >= TIDY_EVERY_US) {
        writer_send_tidy(committer->writer);
        committer->tables.queued++;
        committer->tidied_us = begun_us;
    }
    unstamped_note(committer->unstamped, a->batch);
    committer->unstamped_number = writer_committed(committer->writer) + 1;
    if (tables_commit(&committer->tables, &a->fault) != CONNECTION_OK) {
        return false;
    }
    writer_note_commit(committer->writer);
    if (a->sweeps) {
        committer->swept_us = clock_stopwatch_us();
    }
    for (const struct store_write *write = a->batch; write != NULL; write = write->next) {
        writes++;
    }
    metrics_add(committer->settings.metrics, METRIC_COMMITS, 1);
    metrics_observe(committer->settings.metrics, METRIC_HISTOGRAM_SYNC,
                    (uint64_t)(clock_stopwatch_us() - begun_us));
    metrics_observe(committer->settings.metrics, METRIC_HISTOGRAM_BATCH, writes);
    return true;
}

/* ---- the time of what was late ---- */

static bool stamp(struct committer *committer, int64_t until_us);

/* It was committed. */
static void stamp_if_late(struct committer *committer, int64_t begun_us, int64_t until_us)
{
    int64_t allowed_us = PROMPT_US;

    for (int stamps = 0; stamps < STAMPS_MOST && clock_stopwatch_us() - begun_us > allowed_us;
         stamps++) {
        begun_us = clock_stopwatch_us();
        if (!stamp(committer, until_us)) {
            return; /* before the next batch it is tried again */
        }
        allowed_us *= 2;
    }
    unstamped_forget(committer->unstamped);
    committer->unconfirmed = true;
}

/* A transaction whose outcome was not learnt in time: was it committed, its tokens are spent only
 * since anybody can know. */
static void stamp_what_was_left(struct committer *committer, int64_t until_us)
{
    struct fault fault = {""};
    struct store_write first;

    if (!unstamped_get(committer->unstamped, 0, &first) ||
        writer_ready(committer->writer, until_us, &fault) != CONNECTION_OK) {
        return;
    }
    if (writer_committed(committer->writer) < committer->unstamped_number ||
        stamp(committer, until_us)) {
        unstamped_forget(committer->unstamped);
    }
}

/* In a transaction of its own. */
static bool stamp(struct committer *committer, int64_t until_us)
{
    const struct verbs *verbs = committer->settings.verbs;
    struct tables *tables = &committer->tables;
    struct fault fault = {""};
    struct rows rows = {.mac = verbs->mac,
                        .clock = verbs->clock.now_ms != NULL ? &verbs->clock : NULL,
                        .fault = &fault};
    struct store_write write;

    if (writer_ready(committer->writer, until_us, &fault) != CONNECTION_OK) {
        return false;
    }
    tables_write_begin(tables, until_us, &rows.txn);
    writer_send_number(committer->writer);
    tables->queued++;
    for (size_t at = 0; unstamped_get(committer->unstamped, at, &write); at++) {
        rows_session_want(&rows, write.of.rotate.id);
    }
    for (size_t at = 0; unstamped_get(committer->unstamped, at, &write); at++) {
        verbs_stamp(&rows, &write);
        rows.failed = false; /* a damaged record is not the others' */
    }
    if (tables->outcome != CONNECTION_OK || tables_commit(tables, &fault) != CONNECTION_OK) {
        tables_abort(tables);
        return false;
    }
    writer_note_commit(committer->writer);
    return true;
}

/* A session that shall end because a spent token came back, while the one who spent it may have
 * died before it could say since when that was known: it is stamped here, and is judged again. */
static bool is_doubtful(struct committer *committer, struct attempting *a, struct rows *rows,
                        const struct store_write *write)
{
    struct tables *tables = &committer->tables;
    int64_t spent_ms;
    struct store_rotation rotation;
    struct fault fault = {""};
    struct store_write stamped;
    size_t statement;

    if (write->kind != STORE_WRITE_END || write->of.end.as_read == NULL) {
        return false;
    }
    spent_ms = write->of.end.as_read->spent[0].wall_ms;
    if (spent_ms == a->sure_ms) {
        return false;
    }
    writer_send_doubt(committer->writer, spent_ms);
    statement = tables->queued++;
    if (tables_fetch(tables, &fault) != TXN_OK ||
        connection_rows(tables->connection, statement) == 0) {
        a->sure_ms = spent_ms;
        return false;
    }
    rotation = (struct store_rotation){.from = write->of.end.as_read->generation - 1,
                                       .to = write->of.end.as_read->generation};
    memcpy(rotation.id, write->of.end.id, sizeof rotation.id);
    store_prepare_rotate(&stamped, &rotation);
    verbs_stamp(rows, &stamped);
    return true;
}

/* While nothing waits. */
static void rest(void *self)
{
    struct committer *committer = self;
    struct fault fault = {""};

    if (committer->unconfirmed) {
        committer->unconfirmed = false;
        if (writer_ready(committer->writer, clock_stopwatch_us() + PROMPT_US, &fault) ==
            CONNECTION_OK) {
            writer_confirm(committer->writer, clock_stopwatch_us() + PROMPT_US, &fault);
        }
    }
}

static enum attempt of_outcome(enum connection_outcome outcome)
{
    switch (outcome) {
    case CONNECTION_OK:
        return ATTEMPT_DONE;
    case CONNECTION_AGAIN:
        return ATTEMPT_AGAIN;
    case CONNECTION_AWAY:
        return ATTEMPT_AWAY;
    case CONNECTION_UNKNOWN:
        return ATTEMPT_UNKNOWN;
    case CONNECTION_FAULT:
        break;
    }
    return ATTEMPT_FAILED;
}

/* ---- the turn ---- */

static bool is_rotation(const struct verbs *verbs, const struct store_write *write)
{
    bool renews = write->kind == STORE_WRITE_TOUCH ||
                  (write->kind == STORE_WRITE_ROTATE && write->of.rotate.begins == SESSION_BEGUN);

    for (size_t i = 0; renews && i < write->events; i++) {
        renews = event_class(write->event[i].kind) == EVENT_CLASS_FLOW &&
                 !outbox_wants(&verbs->outbox, write->event[i].kind, write->event[i].realm);
    }
    return renews && write->marks == 0;
}

/* What is swept with renewals may be lost with them. */
static void look_at(const struct committer *committer, struct attempting *a)
{
    bool renews = true;

    for (const struct store_write *write = a->batch; write != NULL && renews; write = write->next) {
        renews = is_rotation(committer->settings.verbs, write);
    }
    a->if_free = renews;
    a->has_turn = !renews || clock_stopwatch_us() - committer->swept_us >= SWEEP_EVERY_US;
    a->local = renews && committer->settings.rotation_local && is_found_without_alias(a->batch);
}

/* ---- in a group ---- */

/* Processes need no turn to begin. */
static bool take_turn(void *self, int64_t until_us)
{
    (void)self;
    (void)until_us;
    return true;
}

static void give_turn(void *self)
{
    (void)self;
}

static void note_turn(void *self, int64_t since_us)
{
    (void)self;
    (void)since_us;
}

static void say_why(void *self, int64_t commit_us, int64_t waited_us, struct fault *fault)
{
    (void)self;
    fault_set(fault, "PostgreSQL has not answered for %" PRId64 " s",
              (commit_us != 0 ? commit_us : waited_us) / 1000000);
}

const struct group_kind commit_group_kind = {.turn_take = take_turn,
                                             .turn_give = give_turn,
                                             .turn_note = note_turn,
                                             .write = write_batch,
                                             .rest = rest,
                                             .say_why = say_why};
