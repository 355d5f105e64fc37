/* SPDX-License-Identifier: ISC */
/* batch.c: see batch.h. The write transaction holds the lock that every process waits for, so
 * nothing happens in it but the writes and a bounded look at what is due. */
#include "store/lmdb/batch.h"

#include <inttypes.h>
#include <stdlib.h>
#include <unistd.h>

#include "store/lmdb/journal.h"
#include "store/lmdb/process_lock.h"
#include "store/verbs/unstamped.h"
#include "store/verbs/sweeper.h"

enum {
    TIDY_EVERY_MS = 60 * 1000 /* a dead reader's snapshot keeps pages from being used again */
};

/* A window of a spent token runs from when its successor was durable, not from before the commit:
 * a client whose answer was lost in a stalled commit asks again as soon as the disk is back. So
 * what took longer than this is stamped again, in a commit of its own. If that is late too it is
 * done again, and each time twice as long is allowed: a stall is made up for, and a disk that is
 * slow all the time is not made slower for long. */
enum { PROMPT_MS = 1000, STAMPS_MOST = 3 };

_Static_assert((int)UNSTAMPED_PAGE <= (int)PROCESS_LOCK_PAGE, "what is shared has room for it");

/* A point in time by every clock there is. */
struct instant {
    int64_t stopwatch_us;
    struct clock_moment moment;
};

struct batch_writer {
    struct batch_settings settings;
    int64_t tidied_ms;
    struct sweeper sweeper;
    struct ended_list ended; /* of the transaction under way: what ends in it */
    struct instant begun;    /* when that one began */
    struct fault *notice;    /* of the call under way */
};

enum attempt {
    ATTEMPT_DONE,   /* every write has its result */
    ATTEMPT_FULL,   /* nothing happened; more room is needed */
    ATTEMPT_FAILED, /* nothing happened; all have the fault */
    ATTEMPT_UNSWEPT /* nothing happened, because of what was swept, not of the writes */
};

static void write_all(struct batch_writer *writer, struct store_write *batch);
static enum attempt persist(struct batch_writer *writer, struct store_write *batch, int64_t now_ms);
static enum attempt attempt_until_settled(struct batch_writer *writer, struct store_write *batch,
                                          int64_t now_ms);
static enum attempt attempt(struct batch_writer *writer, struct store_write *batch, int64_t now_ms);
static enum txn_result commit(const struct batch_writer *writer, struct rows *rows,
                              struct fault *fault);
static void count_batch(const struct batch_writer *writer, const struct store_write *batch);
static struct unstamped *shared_page(const struct batch_writer *writer);
static bool stamp_if_late(struct batch_writer *writer, struct store_write *batch);
static void stamp_what_was_left(struct batch_writer *writer);

struct batch_writer *batch_writer_open(const struct batch_settings *settings)
{
    struct batch_writer *writer = calloc(1, sizeof *writer);

    if (writer != NULL) {
        writer->settings = *settings;
    }
    return writer;
}

void batch_writer_close(struct batch_writer *writer)
{
    if (writer != NULL) {
        ended_list_free(&writer->ended);
        free(writer);
    }
}

/* ---- a batch ---- */

void batch_write(struct batch_writer *writer, struct store_write *batch, struct fault *notice)
{
    struct store_write *last = batch;

    while (last->next != NULL) {
        last = last->next;
    }
    last->next = shared_queue_take(writer->settings.queue);
    writer->notice = notice;
    write_all(writer, batch);
    last->next = NULL;
    shared_queue_answer(writer->settings.queue);
}

static void write_all(struct batch_writer *writer, struct store_write *batch)
{
    int64_t now_ms = store_time_of(batch);

    if (now_ms != 0 && (now_ms - writer->tidied_ms >= TIDY_EVERY_MS ||
                        writer->tidied_ms - now_ms >= TIDY_EVERY_MS)) {
        env_tidy(writer->settings.env);
        writer->tidied_ms = now_ms;
    }
    stamp_what_was_left(writer);
    if (persist(writer, batch, now_ms) == ATTEMPT_DONE || batch->next == NULL ||
        env_is_broken(writer->settings.env)) {
        return;
    }
    /* One of them does not fit or fails; the rest are tried one by one. */
    metrics_add(writer->settings.metrics, METRIC_COMMITS_AGAIN, 1);
    for (struct store_write *write = batch, *next; write != NULL; write = next) {
        next = write->next;
        write->next = NULL;
        if (write->fault != NULL) {
            write->fault->text[0] = '\0'; /* the batch's */
        }
        persist(writer, write, now_ms);
        write->next = next;
    }
}

/* Until it is done or nothing more can be tried. The turn to write is kept until what was late has
 * been stamped, so that no other process can end a session because of the old stamp. Who is killed
 * in between leaves it to the next one that has the turn. */
static enum attempt persist(struct batch_writer *writer, struct store_write *batch, int64_t now_ms)
{
    enum attempt outcome = attempt_until_settled(writer, batch, now_ms);
    bool settled = outcome == ATTEMPT_DONE ? stamp_if_late(writer, batch)
                                           : !env_is_broken(writer->settings.env);

    if (settled) {
        unstamped_forget(shared_page(writer));
    }
    return outcome;
}

static enum attempt attempt_until_settled(struct batch_writer *writer, struct store_write *batch,
                                          int64_t now_ms)
{
    for (;;) {
        struct fault fault = {""};
        enum attempt outcome = attempt(writer, batch, now_ms);

        if (outcome == ATTEMPT_UNSWEPT) {
            now_ms = 0;
        } else if (outcome != ATTEMPT_FULL) {
            return outcome;
        } else if (env_grow(writer->settings.env, &fault) != TXN_OK) {
            store_answer(batch, STORE_FAULT, &fault);
            return ATTEMPT_FULL;
        }
        metrics_add(writer->settings.metrics, METRIC_COMMITS_AGAIN, 1);
    }
}

/* ---- one transaction ---- */

/* What went well before is undone as well: a fault, until it is tried again. */
static void forget_results(struct store_write *batch, const struct store_write *end)
{
    for (struct store_write *write = batch; write != end; write = write->next) {
        write->result = STORE_FAULT;
    }
}

static void answer_ends(struct store_write *batch, const struct fault *fault);
static struct rows rows_of(struct batch_writer *writer);
static struct instant instant_now(const struct batch_writer *writer);

static enum attempt attempt(struct batch_writer *writer, struct store_write *batch, int64_t now_ms)
{
    struct rows rows = rows_of(writer);
    struct fault fault = {""};
    enum txn_result committed;

    writer->ended.count = 0;
    sweeper_begin(&writer->sweeper);
    if (env_write_begin(writer->settings.env, &rows.txn, &fault) != TXN_OK) {
        store_answer(batch, STORE_FAULT, &fault);
        return ATTEMPT_FAILED;
    }
    writer->begun = instant_now(writer);
    rows.behind_ms = sweeper_behind_ms(&writer->sweeper, &rows, &writer->begun.moment);
    for (struct store_write *write = batch; write != NULL; write = write->next) {
        if (!verbs_settle(writer->settings.verbs, &rows, write)) {
            env_abort(&rows.txn);
            forget_results(batch, write);
            return rows.full ? ATTEMPT_FULL : ATTEMPT_FAILED;
        }
    }
    if (now_ms != 0 && (rows.changes > 0 || rows.pressed) &&
        !sweeper_run(&writer->sweeper, &rows, &writer->settings.verbs->sweep, now_ms)) {
        env_abort(&rows.txn);
        return ATTEMPT_UNSWEPT;
    }
    if (rows.changes == 0) {
        env_abort(&rows.txn); /* all came too late: nothing to make durable */
        return ATTEMPT_DONE;
    }
    rows.fault = &fault;
    journal_stage(&rows);
    if (rows.failed) {
        env_abort(&rows.txn);
        committed = rows.full ? TXN_FULL : TXN_FAULT;
    } else {
        unstamped_note(shared_page(writer), batch);
        committed = commit(writer, &rows, &fault);
    }
    if (committed != TXN_OK) {
        store_answer(batch, STORE_FAULT, &fault); /* a STALE may have been seen in what is gone */
        return committed == TXN_FULL ? ATTEMPT_FULL : ATTEMPT_FAILED;
    }
    count_batch(writer, batch);
    sweeper_committed(&writer->sweeper, writer->notice);
    if (!journal_log(&rows, &fault)) {
        answer_ends(batch, &fault);
    }
    return ATTEMPT_DONE;
}

static enum txn_result commit(const struct batch_writer *writer, struct rows *rows,
                              struct fault *fault)
{
    int64_t begun_us = clock_stopwatch_us();
    enum txn_result result = env_commit(&rows->txn, fault);

    if (result == TXN_OK) {
        metrics_add(writer->settings.metrics, METRIC_COMMITS, 1);
        metrics_observe(writer->settings.metrics, METRIC_HISTOGRAM_SYNC,
                        (uint64_t)(clock_stopwatch_us() - begun_us));
    }
    return result;
}

static void count_batch(const struct batch_writer *writer, const struct store_write *batch)
{
    uint64_t writes = 0;

    for (; writer->settings.metrics != NULL && batch != NULL; batch = batch->next) {
        writes++;
    }
    metrics_observe(writer->settings.metrics, METRIC_HISTOGRAM_BATCH, writes);
}

/* Those that the journal does not have must not be told that they are done. */
static void answer_ends(struct store_write *batch, const struct fault *fault)
{
    for (struct store_write *write = batch; write != NULL; write = write->next) {
        if (write->ends) {
            write->result = STORE_FAULT;
            if (write->fault != NULL) {
                *write->fault = *fault;
            }
        }
    }
}

static struct rows rows_of(struct batch_writer *writer)
{
    const struct verbs *verbs = writer->settings.verbs;

    return (struct rows){.mac = verbs->mac,
                         .ended = &writer->ended,
                         .outbox = &verbs->outbox,
                         .clock = verbs->clock.now_ms != NULL ? &verbs->clock : NULL};
}

/* ---- stamping what was late ---- */

/* NULL: nothing is noted, nor stamped later by a process that cannot tell the time. */
static struct unstamped *shared_page(const struct batch_writer *writer)
{
    return writer->settings.verbs->clock.now_ms != NULL ? env_turn_page(writer->settings.env)
                                                        : NULL;
}

static struct instant instant_now(const struct batch_writer *writer)
{
    struct instant now = {.stopwatch_us = clock_stopwatch_us()};

    if (writer->settings.verbs->clock.now_ms != NULL) {
        now.moment = clock_moment(&writer->settings.verbs->clock);
    }
    return now;
}

/* By the clock that has gone furthest: a machine that was suspended shows by one of them only. */
static bool is_longer_ago_than(const struct batch_writer *writer, const struct instant *begun,
                               int64_t ms)
{
    struct instant now = instant_now(writer);

    return now.stopwatch_us - begun->stopwatch_us > ms * 1000 ||
           now.moment.wall_ms - begun->moment.wall_ms > ms ||
           (now.moment.boot != 0 && now.moment.boot == begun->moment.boot &&
            now.moment.boot_ms - begun->moment.boot_ms > ms);
}

/* What stamps one transaction: the rotations of a batch, or those that were left. */
typedef void stamp_all(struct batch_writer *writer, struct rows *rows,
                       const struct store_write *batch);

static enum txn_result stamp(struct batch_writer *writer, stamp_all *all,
                             const struct store_write *batch);
static enum txn_result stamp_once(struct batch_writer *writer, stamp_all *all,
                                  const struct store_write *batch, struct fault *fault);
static void stamp_batch(struct batch_writer *writer, struct rows *rows,
                        const struct store_write *batch);
static void stamp_noted(struct batch_writer *writer, struct rows *rows,
                        const struct store_write *none);

/* False: what was late could not be stamped. */
static bool stamp_if_late(struct batch_writer *writer, struct store_write *batch)
{
    int64_t allowed_ms = PROMPT_MS;

    for (int stamps = 0;
         stamps < STAMPS_MOST && is_longer_ago_than(writer, &writer->begun, allowed_ms); stamps++) {
        switch (stamp(writer, stamp_batch, batch)) {
        case TXN_OK:
            break;
        case TXN_ABSENT:
            return true;
        case TXN_FULL:
        case TXN_FAULT:
            return false;
        }
        allowed_ms *= 2;
    }
    return true;
}

/* The process that had the turn died with it. When its last batch became durable is not known, but
 * not later than now. */
static void stamp_what_was_left(struct batch_writer *writer)
{
    struct unstamped *page = shared_page(writer);
    struct store_write first;

    if (unstamped_get(page, 0, &first) && stamp(writer, stamp_noted, NULL) != TXN_FAULT) {
        unstamped_forget(page);
    }
}

/* The writes are durable whatever comes of their stamps. */
static enum txn_result stamp(struct batch_writer *writer, stamp_all *all,
                             const struct store_write *batch)
{
    struct fault fault = {""};
    enum txn_result result;

    do {
        result = stamp_once(writer, all, batch, &fault);
    } while (result == TXN_FULL && env_grow(writer->settings.env, &fault) == TXN_OK);
    return result;
}

/* TXN_ABSENT: there was nothing to stamp. */
static enum txn_result stamp_once(struct batch_writer *writer, stamp_all *all,
                                  const struct store_write *batch, struct fault *fault)
{
    struct rows rows = rows_of(writer);
    enum txn_result result;

    result = env_write_begin(writer->settings.env, &rows.txn, fault);
    if (result != TXN_OK) {
        return result;
    }
    rows.fault = fault;
    writer->begun = instant_now(writer);
    all(writer, &rows, batch);
    if (rows.failed || rows.changes == 0) {
        env_abort(&rows.txn);
        return rows.full ? TXN_FULL : rows.failed ? TXN_FAULT : TXN_ABSENT;
    }
    return commit(writer, &rows, fault);
}

static void stamp_batch(struct batch_writer *writer, struct rows *rows,
                        const struct store_write *batch)
{
    (void)writer;
    for (const struct store_write *write = batch; write != NULL; write = write->next) {
        if (write->result == STORE_OK) {
            verbs_stamp(rows, write);
        }
    }
}

static void stamp_noted(struct batch_writer *writer, struct rows *rows,
                        const struct store_write *none)
{
    const struct unstamped *page = shared_page(writer);
    struct store_write write;

    (void)none;
    for (size_t at = 0; unstamped_get(page, at, &write); at++) {
        verbs_stamp(rows, &write);
    }
}

/* ---- in a group ---- */

static struct env *env_of_writer(void *self)
{
    return ((struct batch_writer *)self)->settings.env;
}

static bool take_turn(void *self, int64_t until_us)
{
    return env_turn_take(env_of_writer(self), until_us);
}

static void give_turn(void *self)
{
    env_turn_give(env_of_writer(self));
    shared_queue_wake(((struct batch_writer *)self)->settings.queue);
}

static enum group_left leave(void *self, struct store_write *write, int64_t until_us)
{
    struct env *env = env_of_writer(self);

    switch (shared_queue_leave(((struct batch_writer *)self)->settings.queue, write, until_us)) {
    case SHARED_QUEUE_NOT:
        break;
    case SHARED_QUEUE_TURN:
        return GROUP_LEFT_TURN;
    case SHARED_QUEUE_LATE:
        return GROUP_LEFT_LATE;
    case SHARED_QUEUE_DONE:
        return GROUP_LEFT_DONE;
    case SHARED_QUEUE_LOST:
        write->result = STORE_FAULT;
        env_turn_fault(env, clock_stopwatch_us() - write->since_us, write->fault);
        fault_prefix(write->fault, "what became of a write is not known");
        return GROUP_LEFT_DONE;
    }
    return GROUP_LEFT_NOT;
}

static void note_turn(void *self, int64_t since_us)
{
    env_turn_note(env_of_writer(self), since_us);
}

static void write_batch(void *self, struct store_write *batch, struct fault *notice)
{
    batch_write(self, batch, notice);
}

static void say_why(void *self, int64_t commit_us, int64_t waited_us, struct fault *fault)
{
    struct env *env = env_of_writer(self);

    if (commit_us != 0) {
        fault_set(fault,
                  "store %s: a commit of this process (%d) has taken %" PRId64
                  " s so far; its disk may hang",
                  env_path(env), (int)getpid(), commit_us / 1000000);
    } else {
        env_turn_fault(env, waited_us, fault);
    }
}

const struct group_kind batch_group_kind = {.turn_take = take_turn,
                                            .turn_give = give_turn,
                                            .turn_note = note_turn,
                                            .leave = leave,
                                            .write = write_batch,
                                            .say_why = say_why};
