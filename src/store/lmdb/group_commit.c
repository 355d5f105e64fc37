/* SPDX-License-Identifier: ISC */
/* group_commit.c: see group_commit.h. The write transaction holds the lock that every process waits
 * for, so nothing happens in it but the writes and a bounded look at what is due. Does not know
 * records. */
#include "store/lmdb/group_commit.h"

#include <inttypes.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdlib.h>
#include <unistd.h>

#include "store/lmdb/ends.h"
#include "store/lmdb/events.h"
#include "store/lmdb/sweep_time.h"

enum {
    SWEEP_ENTRIES = 4,
    SWEEP_ALIASES = 32,
    TIDY_EVERY_MS = 60 * 1000 /* a dead reader's snapshot keeps pages from being used again */
};

/* While there is other work, writes gather until they are so many, or until the first has waited
 * so many times as long as the last commit took: then commits take a small part of the time, and
 * none waits much longer for one than it would have waited in a queue anyway. */
enum { GATHER_WRITES = 128, GATHER_PARTS = 32, GATHER_MOST_US = 10 * 1000 };

/* A window of a spent token runs from when its successor was durable, not from before the commit:
 * a client whose answer was lost in a stalled commit asks again as soon as the disk is back. So
 * what took longer than this is stamped again, in a commit of its own. If that is late too it is
 * done again, and each time twice as long is allowed: a stall is made up for, and a disk that is
 * slow all the time is not made slower for long. */
enum { PROMPT_MS = 1000, STAMPS_MOST = 3 };

/* A point in time by every clock there is. */
struct instant {
    int64_t stopwatch_us;
    struct clock_moment moment;
};

struct group_commit {
    struct group_commit_settings settings;
    /* the leader's */
    int64_t tidied_ms;
    struct record_time time; /* as last seen in the store */
    struct ended_list ended; /* of the transaction under way: what ends in it */
    struct record_time told; /* what `time` becomes when it is committed */
    bool believed, doubted;  /* the clock is from now on */
    struct instant begun;    /* when that one began */

    pthread_mutex_t lock; /* over the rest */
    struct store_write *first, **end;
    size_t count;      /* of them */
    int64_t commit_us; /* how long the last batch took */
    int64_t begun_us;  /* when the batch under way began; 0: none is */
    bool has_leader;
    struct fault notice; /* not fetched yet; "" = none */
};

struct group_commit *group_commit_open(const struct group_commit_settings *settings)
{
    struct group_commit *group = calloc(1, sizeof *group);

    if (group == NULL) {
        return NULL;
    }
    group->settings = *settings;
    group->end = &group->first;
    pthread_mutex_init(&group->lock, NULL);
    return group;
}

void group_commit_close(struct group_commit *group)
{
    if (group != NULL) {
        pthread_mutex_destroy(&group->lock);
        ended_list_free(&group->ended);
        free(group);
    }
}

/* ---- the leader's work: one batch ---- */

enum attempt {
    ATTEMPT_DONE,   /* every write has its result */
    ATTEMPT_FULL,   /* nothing happened; more room is needed */
    ATTEMPT_FAILED, /* nothing happened; all have the fault */
    ATTEMPT_UNSWEPT /* nothing happened, because of what was swept, not of the writes */
};

static void answer_all(struct store_write *batch, enum store_result result,
                       const struct fault *fault);
static enum attempt persist(struct group_commit *group, struct store_write *batch, int64_t now_ms);
static enum attempt attempt_until_settled(struct group_commit *group, struct store_write *batch,
                                          int64_t now_ms);
static enum attempt attempt(struct group_commit *group, struct store_write *batch, int64_t now_ms);
static void stamp_if_late(struct group_commit *group, struct store_write *batch);

/* The earliest clock of the batch, so that nothing is swept early; 0 when none tells the time. */
static int64_t time_of(const struct store_write *batch)
{
    int64_t now_ms = 0;

    for (const struct store_write *write = batch; write != NULL; write = write->next) {
        if (write->now_ms > 0 && (now_ms == 0 || write->now_ms < now_ms)) {
            now_ms = write->now_ms;
        }
    }
    return now_ms;
}

/* With the turn to write. */
static void run(struct group_commit *group, struct store_write *batch)
{
    int64_t now_ms = time_of(batch);

    if (now_ms != 0 && (now_ms - group->tidied_ms >= TIDY_EVERY_MS ||
                        group->tidied_ms - now_ms >= TIDY_EVERY_MS)) {
        env_tidy(group->settings.env);
        group->tidied_ms = now_ms;
    }
    if (persist(group, batch, now_ms) == ATTEMPT_DONE || batch->next == NULL ||
        env_is_broken(group->settings.env)) {
        return;
    }
    /* One of them does not fit or fails; the rest are tried one by one. */
    for (struct store_write *write = batch, *next; write != NULL; write = next) {
        next = write->next;
        write->next = NULL;
        if (write->fault != NULL) {
            write->fault->text[0] = '\0'; /* the batch's */
        }
        persist(group, write, now_ms);
        write->next = next;
    }
}

/* The same answer for all. */
static void answer_all(struct store_write *batch, enum store_result result,
                       const struct fault *fault)
{
    for (struct store_write *write = batch; write != NULL; write = write->next) {
        write->result = result;
        if (write->fault != NULL) {
            *write->fault = *fault;
        }
    }
}

/* Until it is done or nothing more can be tried. The turn to write is kept until what was late has
 * been stamped, so that no other process can end a session because of the old stamp. (One that is
 * killed in between leaves it: then a retry that comes after the window is too late.) */
static enum attempt persist(struct group_commit *group, struct store_write *batch, int64_t now_ms)
{
    enum attempt outcome = attempt_until_settled(group, batch, now_ms);

    if (outcome == ATTEMPT_DONE) {
        stamp_if_late(group, batch);
    }
    return outcome;
}

static enum attempt attempt_until_settled(struct group_commit *group, struct store_write *batch,
                                          int64_t now_ms)
{
    for (;;) {
        struct fault fault = {""};
        enum attempt outcome = attempt(group, batch, now_ms);

        if (outcome == ATTEMPT_UNSWEPT) {
            now_ms = 0;
        } else if (outcome != ATTEMPT_FULL) {
            return outcome;
        } else if (env_grow(group->settings.env, &fault) != ENV_OK) {
            answer_all(batch, STORE_FAULT, &fault);
            return ATTEMPT_FULL;
        }
    }
}

/* ---- one transaction ---- */

/* False: the transaction cannot be committed as it is. An error before the write changed anything,
 * such as a damaged record, is that write's own matter. */
static bool apply(const struct group_commit *group, struct rows *rows, struct store_write *write)
{
    size_t before = rows->changes, ended = rows->ended->count;
    enum store_result result;
    bool failed;

    rows->fault = write->fault;
    result = group->settings.apply(group->settings.self, rows, write);
    if (result == STORE_OK && write->has_event) {
        events_append(rows, &write->event);
    }
    failed = rows->failed;
    rows->failed = false; /* for the next */
    write->ends = rows->ended->count > ended;
    write->result = failed ? STORE_FAULT : result;
    return write->result == STORE_OK || (rows->changes == before && !rows->full);
}

/* What went well before is undone as well: a fault, until it is tried again. */
static void forget_results(struct store_write *batch, const struct store_write *end)
{
    for (struct store_write *write = batch; write != end; write = write->next) {
        write->result = STORE_FAULT;
    }
}

static void answer_ends(struct store_write *batch, const struct fault *fault);
static struct rows rows_of(struct group_commit *group);
static struct instant instant_now(const struct group_commit *group);
static enum env_result stamp(struct group_commit *group, const struct store_write *batch,
                             struct fault *fault);

static int64_t tell_time(struct group_commit *group, struct rows *rows, int64_t now_ms);
static int64_t behind_ms(struct group_commit *group, struct rows *rows);
static void note_time(struct group_commit *group);

static bool sweep_a_little(struct group_commit *group, struct rows *rows, int64_t now_ms)
{
    struct sweep_budget budget = {SWEEP_ENTRIES, SWEEP_ENTRIES, SWEEP_ALIASES};
    size_t removed = 0;
    bool more;

    rows->fault = NULL;
    now_ms = tell_time(group, rows, now_ms);
    sweep_run(rows, group->settings.sweep, now_ms, &budget, &removed, &more);
    return !rows->failed;
}

/* The time up to which what is due may be removed. Now and then it is stored, so that it goes on
 * from there in every process. */
static int64_t tell_time(struct group_commit *group, struct rows *rows, int64_t now_ms)
{
    struct clock_moment now = rows_moment(rows, now_ms);
    struct record_time time = sweep_time_at(&group->time, &now);
    struct record_time stored;

    if (sweep_time_worth_storing(&group->time, &time)) {
        rows_time_get(rows, &stored);
        time = sweep_time_at(&stored, &now); /* another process may have told it meanwhile */
        group->told = stored;
        if (sweep_time_worth_storing(&stored, &time)) {
            rows_time_put(rows, &time);
            group->told = time;
        }
        group->doubted = time.ahead && !group->time.ahead;
        group->believed = group->time.ahead && !time.ahead;
    }
    return sweep_time_limit_ms(&time, now_ms);
}

/* Of the wall clock, as of when the transaction began. */
static int64_t behind_ms(struct group_commit *group, struct rows *rows)
{
    struct record_time time;

    if (rows->clock == NULL) {
        return 0;
    } else if (group->time.trusted_ms == 0) { /* the first of this process */
        rows_time_get(rows, &group->time);
        group->told = group->time;
        rows->failed = false; /* then nothing is swept */
    }
    time = sweep_time_at(&group->time, &group->begun.moment);
    return sweep_time_behind_ms(&time, group->begun.moment.wall_ms);
}

/* What was told about the time is committed. */
static void note_time(struct group_commit *group)
{
    const struct record_time *time = &group->told;

    group->time = *time;
    if (!group->doubted && !group->believed) {
        return;
    }
    pthread_mutex_lock(&group->lock);
    if (group->doubted) {
        fault_set(&group->notice,
                  "the clock is %" PRId64
                  " days ahead of the time that has passed: until it is set "
                  "right, ended sessions stay in the store; if it is right, `retoken store prune`",
                  (time->wall_ms - time->trusted_ms + CLOCK_DAY / 2) / CLOCK_DAY);
    } else {
        fault_set(&group->notice, "the clock agrees with the time that has passed again");
    }
    pthread_mutex_unlock(&group->lock);
}

bool group_commit_notice(struct group_commit *group, struct fault *notice)
{
    pthread_mutex_lock(&group->lock);
    *notice = group->notice;
    group->notice.text[0] = '\0';
    pthread_mutex_unlock(&group->lock);
    return notice->text[0] != '\0';
}

static enum attempt attempt(struct group_commit *group, struct store_write *batch, int64_t now_ms)
{
    struct rows rows = rows_of(group);
    struct fault fault = {""};
    enum env_result committed;

    group->ended.count = 0;
    group->told = group->time;
    group->doubted = group->believed = false;
    if (env_write_begin(group->settings.env, &rows.txn, &fault) != ENV_OK) {
        answer_all(batch, STORE_FAULT, &fault);
        return ATTEMPT_FAILED;
    }
    group->begun = instant_now(group);
    rows.behind_ms = behind_ms(group, &rows);
    for (struct store_write *write = batch; write != NULL; write = write->next) {
        if (!apply(group, &rows, write)) {
            env_abort(&rows.txn);
            forget_results(batch, write);
            return rows.full ? ATTEMPT_FULL : ATTEMPT_FAILED;
        }
    }
    if (now_ms != 0 && (rows.changes > 0 || rows.pressed) &&
        !sweep_a_little(group, &rows, now_ms)) {
        env_abort(&rows.txn);
        return ATTEMPT_UNSWEPT;
    }
    if (rows.changes == 0) {
        env_abort(&rows.txn); /* all came too late: nothing to make durable */
        return ATTEMPT_DONE;
    }
    rows.fault = &fault;
    ends_stage(&rows);
    if (rows.failed) {
        env_abort(&rows.txn);
        committed = rows.full ? ENV_FULL : ENV_FAULT;
    } else {
        committed = env_commit(&rows.txn, &fault);
    }
    if (committed != ENV_OK) {
        answer_all(batch, STORE_FAULT, &fault); /* a STALE may have been seen in what is gone */
        return committed == ENV_FULL ? ATTEMPT_FULL : ATTEMPT_FAILED;
    }
    note_time(group);
    if (!ends_log(&rows, &fault)) {
        answer_ends(batch, &fault);
    }
    return ATTEMPT_DONE;
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

static struct rows rows_of(struct group_commit *group)
{
    const struct group_commit_settings *settings = &group->settings;

    return (struct rows){.mac = settings->mac,
                         .ended = &group->ended,
                         .clock = settings->clock.now_ms != NULL ? &settings->clock : NULL};
}

/* ---- stamping what was late ---- */

static struct instant instant_now(const struct group_commit *group)
{
    struct instant now = {.stopwatch_us = clock_stopwatch_us()};

    if (group->settings.clock.now_ms != NULL) {
        now.moment = clock_moment(&group->settings.clock);
    }
    return now;
}

/* By the clock that has gone furthest: a machine that was suspended shows by one of them only. */
static bool is_longer_ago_than(const struct group_commit *group, const struct instant *begun,
                               int64_t ms)
{
    struct instant now = instant_now(group);

    return now.stopwatch_us - begun->stopwatch_us > ms * 1000 ||
           now.moment.wall_ms - begun->moment.wall_ms > ms ||
           (now.moment.boot != 0 && now.moment.boot == begun->moment.boot &&
            now.moment.boot_ms - begun->moment.boot_ms > ms);
}

static void stamp_if_late(struct group_commit *group, struct store_write *batch)
{
    int64_t allowed_ms = PROMPT_MS;

    for (int stamps = 0;
         stamps < STAMPS_MOST && is_longer_ago_than(group, &group->begun, allowed_ms); stamps++) {
        struct fault fault = {""}; /* the writes are durable whatever comes of their stamps */
        enum env_result result;

        do {
            result = stamp(group, batch, &fault);
        } while (result == ENV_FULL && env_grow(group->settings.env, &fault) == ENV_OK);
        if (result != ENV_OK) {
            return;
        }
        allowed_ms *= 2;
    }
}

/* In one transaction. ENV_ABSENT: there was nothing to stamp. */
static enum env_result stamp(struct group_commit *group, const struct store_write *batch,
                             struct fault *fault)
{
    struct rows rows = rows_of(group);
    enum env_result result;

    result = env_write_begin(group->settings.env, &rows.txn, fault);
    if (result != ENV_OK) {
        return result;
    }
    rows.fault = fault;
    group->begun = instant_now(group);
    for (const struct store_write *write = batch; write != NULL; write = write->next) {
        if (write->result == STORE_OK) {
            group->settings.stamp(group->settings.self, &rows, write);
        }
    }
    if (rows.failed || rows.changes == 0) {
        env_abort(&rows.txn);
        return rows.full ? ENV_FULL : rows.failed ? ENV_FAULT : ENV_ABSENT;
    }
    return env_commit(&rows.txn, fault);
}

/* ---- who leads ---- */

static struct store_write *take_turn(struct group_commit *group);
static bool has_to_lead(struct group_commit *group, int64_t *until_us);
static struct store_write *begin_batch(struct group_commit *group);

static struct store_write *take_all(struct group_commit *group)
{
    struct store_write *batch = group->first;

    group->first = NULL;
    group->end = &group->first;
    group->count = 0;
    return batch;
}

size_t group_commit_waiting(struct group_commit *group)
{
    size_t count;

    pthread_mutex_lock(&group->lock);
    count = group->count;
    pthread_mutex_unlock(&group->lock);
    return count;
}

static bool has_gathered(const struct group_commit *group)
{
    int64_t patience_us = group->commit_us * GATHER_PARTS;

    if (patience_us > GATHER_MOST_US) {
        patience_us = GATHER_MOST_US;
    }
    return group->count >= GATHER_WRITES ||
           clock_stopwatch_us() - group->first->since_us >= patience_us;
}

enum store_pending group_commit_pending(struct group_commit *group)
{
    enum store_pending pending = STORE_NOTHING;

    pthread_mutex_lock(&group->lock);
    if (group->first != NULL && !group->has_leader) {
        pending = has_gathered(group) ? STORE_DUE : STORE_WAITING;
    }
    pthread_mutex_unlock(&group->lock);
    return pending;
}

void group_commit_submit(struct group_commit *group, struct store_write *write)
{
    write->result = STORE_FAULT; /* until somebody has an answer */
    write->next = NULL;
    write->since_us = clock_stopwatch_us();
    pthread_mutex_lock(&group->lock);
    group->count++;
    *group->end = write;
    group->end = &write->next;
    pthread_mutex_unlock(&group->lock);
}

/* A thread that sleeps until its write is made. */
struct sleeper {
    sem_t wake;               /* posted once for each of these: */
    bool leads;               /* it is to lead */
    enum store_result result; /* its write has been answered */
};

static void wake(struct sleeper *sleeper)
{
    sem_post(&sleeper->wake); /* from here on its stack frame may be gone */
}

static void wake_done(void *self, enum store_result result)
{
    struct sleeper *sleeper = self;

    sleeper->result = result;
    wake(sleeper);
}

static struct sleeper *first_sleeper(struct group_commit *group)
{
    struct store_write *write = group->first;

    while (write != NULL && write->done != wake_done) {
        write = write->next;
    }
    return write != NULL ? write->self : NULL;
}

/* Under no lock, or each that is woken would wait for it. What `done` was told of may be gone. */
static void tell_all(struct store_write *batch)
{
    for (struct store_write *write = batch, *next; write != NULL; write = next) {
        next = write->next;
        write->done(write->self, write->result);
    }
}

static void run_and_tell(struct group_commit *group, struct store_write *batch)
{
    run(group, batch);
    env_turn_give(group->settings.env);
    pthread_mutex_lock(&group->lock);
    group->commit_us = clock_stopwatch_us() - group->begun_us;
    group->begun_us = 0;
    group->has_leader = false; /* others may lead while this thread tells */
    pthread_mutex_unlock(&group->lock);
    tell_all(batch);
}

/* The next batch, which the caller leads; NULL: somebody else leads, or nothing waits. */
static struct store_write *begin_to_lead(struct group_commit *group)
{
    bool leads;

    pthread_mutex_lock(&group->lock);
    leads = !group->has_leader && group->first != NULL;
    group->has_leader = group->has_leader || leads;
    pthread_mutex_unlock(&group->lock);
    return leads ? take_turn(group) : NULL;
}

/* The leader's. Writes stay in the queue while it waits for other processes, so that each is
 * answered when its own time is up, and those that come meanwhile join the batch. NULL: none is
 * left, and the caller leads no more. */
static struct store_write *take_turn(struct group_commit *group)
{
    struct store_write *batch = NULL;
    int64_t until_us;

    while (batch == NULL && has_to_lead(group, &until_us)) {
        if (!env_turn_take(group->settings.env, until_us)) {
            group_commit_expire(group);
        } else if ((batch = begin_batch(group)) == NULL) {
            env_turn_give(group->settings.env);
        }
    }
    return batch;
}

/* Until when the first write in the queue may wait. False: none is there, and nobody leads. */
static bool has_to_lead(struct group_commit *group, int64_t *until_us)
{
    bool has_to;

    pthread_mutex_lock(&group->lock);
    has_to = group->first != NULL;
    group->has_leader = has_to;
    *until_us = has_to ? group->first->since_us + env_wait_us(group->settings.env) : 0;
    pthread_mutex_unlock(&group->lock);
    return has_to;
}

static struct store_write *begin_batch(struct group_commit *group)
{
    struct store_write *batch;

    pthread_mutex_lock(&group->lock);
    batch = take_all(group);
    group->begun_us = batch != NULL ? clock_stopwatch_us() : 0;
    pthread_mutex_unlock(&group->lock);
    return batch;
}

/* ---- waiting too long ---- */

/* Why a write that came at `since_us` still waits. */
static void say_why(struct group_commit *group, int64_t begun_us, int64_t since_us, int64_t now_us,
                    struct fault *fault)
{
    struct env *env = group->settings.env;

    if (begun_us != 0) {
        fault_set(fault,
                  "store %s: a commit of this process (%d) has taken %" PRId64
                  " s so far; its disk may hang",
                  env_path(env), (int)getpid(), (now_us - begun_us) / 1000000);
    } else {
        env_turn_fault(env, now_us - since_us, fault);
    }
}

int64_t group_commit_expire(struct group_commit *group)
{
    int64_t wait_us = env_wait_us(group->settings.env);
    int64_t now_us = clock_stopwatch_us();
    struct store_write *late, **end = &late;
    struct fault fault = {""};
    int64_t begun_us, next_us;

    pthread_mutex_lock(&group->lock);
    begun_us = group->begun_us;
    late = group->first;
    while (group->first != NULL && group->first->since_us + wait_us <= now_us) {
        end = &group->first->next;
        group->first = *end;
        group->count--;
    }
    *end = NULL;
    if (group->first == NULL) {
        group->end = &group->first;
    }
    next_us = group->first != NULL ? group->first->since_us - now_us + wait_us : wait_us;
    pthread_mutex_unlock(&group->lock);
    if (late != NULL) {
        say_why(group, begun_us, late->since_us, now_us, &fault);
        answer_all(late, STORE_FAULT, &fault);
        if (begun_us == 0) {
            env_turn_note(group->settings.env, late->since_us);
        }
        tell_all(late);
    }
    return next_us;
}

bool group_commit_hangs(struct group_commit *group, struct fault *fault)
{
    int64_t now_us = clock_stopwatch_us();
    int64_t begun_us, since_us;
    bool hangs;

    pthread_mutex_lock(&group->lock);
    begun_us = group->begun_us;
    since_us = begun_us != 0 || group->first == NULL ? begun_us : group->first->since_us;
    pthread_mutex_unlock(&group->lock);
    hangs = since_us != 0 && now_us - since_us >= env_wait_us(group->settings.env);
    if (hangs) {
        say_why(group, begun_us, since_us, now_us, fault);
    }
    return hangs;
}

/* Whoever submitted while another one led went away, so the leader looks again before it goes. */
void group_commit_flush(struct group_commit *group)
{
    struct store_write *batch;

    while ((batch = begin_to_lead(group)) != NULL) {
        run_and_tell(group, batch);
    }
}

/* One that sleeps shall lead now, so that no sleeper's thread works for others for ever. False:
 * none does, or somebody leads already. */
static bool hand_over(struct group_commit *group)
{
    struct sleeper *successor = NULL;

    pthread_mutex_lock(&group->lock);
    if (!group->has_leader) {
        successor = first_sleeper(group);
        group->has_leader = successor != NULL;
        if (successor != NULL) {
            successor->leads = true;
        }
    }
    pthread_mutex_unlock(&group->lock);
    if (successor != NULL) {
        wake(successor);
    }
    return successor != NULL;
}

/* NULL: those that waited have been answered. */
static void lead_once(struct group_commit *group, struct store_write *batch)
{
    if (batch != NULL) {
        run_and_tell(group, batch);
    }
    if (!hand_over(group)) {
        group_commit_flush(group);
    }
}

enum store_result group_commit_write(struct group_commit *group, struct store_write *write)
{
    struct sleeper sleeper = {.leads = false};
    struct store_write *batch;
    bool done = false;

    sem_init(&sleeper.wake, 0, 0);
    write->done = wake_done;
    write->self = &sleeper;
    group_commit_submit(group, write);
    batch = begin_to_lead(group);
    if (batch != NULL) {
        lead_once(group, batch);
    }
    while (!done) { /* what the sleeper holds is the waker's until it has posted */
        while (sem_wait(&sleeper.wake) != 0) { /* a signal */
        }
        done = !sleeper.leads;
        if (sleeper.leads) { /* `has_leader` was set on its behalf */
            sleeper.leads = false;
            lead_once(group, take_turn(group));
        }
    }
    sem_destroy(&sleeper.wake);
    return sleeper.result;
}
