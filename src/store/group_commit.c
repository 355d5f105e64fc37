/* group_commit.c: see group_commit.h. The write transaction holds the lock that every process waits
 * for, so nothing happens in it but the changes and a bounded look at what is due. */
#include "store/group_commit.h"

#include <pthread.h>
#include <semaphore.h>
#include <stdlib.h>

enum {
    SWEEP_ENTRIES = 4,
    SWEEP_ALIASES = 32,
    TIDY_EVERY_MS = 60 * 1000 /* a dead reader's snapshot keeps pages from being used again */
};

/* While there is other work, changes gather until they are so many, or until the first has waited
 * so many times as long as the last commit took: then commits take a small part of the time, and
 * nobody waits much longer for one than it would have waited in a queue anyway. */
enum { GATHER_CHANGES = 128, GATHER_PARTS = 32, GATHER_MOST_US = 10 * 1000 };

struct group_commit {
    struct engine *engine;
    const struct crypto_mac *mac;
    const struct sweep *sweep;
    int64_t tidied_ms; /* the leader's */

    pthread_mutex_t lock; /* over the rest */
    struct store_change *first, **end;
    size_t count;      /* of them */
    int64_t since_us;  /* when the first came */
    int64_t commit_us; /* how long the last batch took */
    bool led;
};

struct group_commit *group_commit_open(struct engine *engine, const struct crypto_mac *mac,
                                       const struct sweep *sweep)
{
    struct group_commit *group = calloc(1, sizeof(*group));

    if (group == NULL) {
        return NULL;
    }
    group->engine = engine;
    group->mac = mac;
    group->sweep = sweep;
    group->end = &group->first;
    pthread_mutex_init(&group->lock, NULL);
    return group;
}

void group_commit_close(struct group_commit *group)
{
    if (group != NULL) {
        pthread_mutex_destroy(&group->lock);
        free(group);
    }
}

/* ---- the leader's work: one batch ---- */

/* The same answer for all. */
static void answer_all(struct store_change *batch, enum store_result result,
                       const struct fault *fault)
{
    for (struct store_change *change = batch; change != NULL; change = change->next) {
        change->result = result;
        if (change->fault != NULL) {
            *change->fault = *fault;
        }
    }
}

/* The earliest clock of the batch, so that nothing is swept early; 0 when none tells the time. */
static int64_t time_of(const struct store_change *batch)
{
    int64_t now_ms = 0;

    for (const struct store_change *change = batch; change != NULL; change = change->next) {
        if (change->now_ms > 0 && (now_ms == 0 || change->now_ms < now_ms)) {
            now_ms = change->now_ms;
        }
    }
    return now_ms;
}

enum attempt {
    ATTEMPT_DONE,   /* every change has its result */
    ATTEMPT_FULL,   /* nothing happened; more room is needed */
    ATTEMPT_FAILED, /* nothing happened; all have the fault */
    ATTEMPT_UNSWEPT /* nothing happened, because of what was swept, not of the changes */
};

/* False: the transaction can not be committed as it is. A fault before the change wrote anything,
 * such as a damaged record, is that change's own matter. */
static bool apply(struct rows *rows, struct store_change *change)
{
    size_t before = rows->changes;

    change->result = change->apply(rows, change->what, change->fault);
    return change->result == STORE_OK || (rows->changes == before && !rows->full);
}

/* What went well before is undone as well: a fault, until it is tried again. */
static void forget_results(struct store_change *batch, const struct store_change *end)
{
    for (struct store_change *change = batch; change != end; change = change->next) {
        change->result = STORE_FAULT;
    }
}

static bool sweep_a_little(struct group_commit *group, struct rows *rows, int64_t now_ms)
{
    struct sweep_budget budget = {SWEEP_ENTRIES, SWEEP_ENTRIES, SWEEP_ALIASES};
    size_t removed = 0;
    bool more;

    return sweep_run(rows, group->sweep, now_ms, &budget, &removed, &more, NULL) == STORE_OK;
}

static enum attempt attempt(struct group_commit *group, struct store_change *batch, int64_t now_ms)
{
    const struct engine_kind *kind = group->engine->kind;
    struct rows rows = {.kind = kind, .mac = group->mac};
    struct fault fault = {""};
    enum engine_result committed;

    if (kind->write_begin(group->engine, &rows.txn, &fault) != ENGINE_OK) {
        answer_all(batch, STORE_FAULT, &fault);
        return ATTEMPT_FAILED;
    }
    for (struct store_change *change = batch; change != NULL; change = change->next) {
        if (!apply(&rows, change)) {
            kind->abort(&rows.txn);
            forget_results(batch, change);
            return rows.full ? ATTEMPT_FULL : ATTEMPT_FAILED;
        }
    }
    if (now_ms != 0 && (rows.changes > 0 || rows.pressed) &&
        !sweep_a_little(group, &rows, now_ms)) {
        kind->abort(&rows.txn);
        return ATTEMPT_UNSWEPT;
    }
    if (rows.changes == 0) {
        kind->abort(&rows.txn); /* everybody was too late: nothing to make durable */
        return ATTEMPT_DONE;
    }
    committed = kind->commit(&rows.txn, &fault);
    if (committed != ENGINE_OK) {
        answer_all(batch, STORE_FAULT, &fault); /* a STALE may have been seen in what is gone */
        return committed == ENGINE_FULL ? ATTEMPT_FULL : ATTEMPT_FAILED;
    }
    return ATTEMPT_DONE;
}

/* Until it is done or nothing more can be tried. */
static enum attempt persist(struct group_commit *group, struct store_change *batch, int64_t now_ms)
{
    for (;;) {
        struct fault fault = {""};
        enum attempt outcome = attempt(group, batch, now_ms);

        if (outcome == ATTEMPT_UNSWEPT) {
            now_ms = 0;
        } else if (outcome != ATTEMPT_FULL) {
            return outcome;
        } else if (group->engine->kind->grow(group->engine, &fault) != ENGINE_OK) {
            answer_all(batch, STORE_FAULT, &fault);
            return ATTEMPT_FULL;
        }
    }
}

static void run(struct group_commit *group, struct store_change *batch)
{
    int64_t now_ms = time_of(batch);

    if (now_ms != 0 && (now_ms - group->tidied_ms >= TIDY_EVERY_MS ||
                        group->tidied_ms - now_ms >= TIDY_EVERY_MS)) {
        group->engine->kind->tidy(group->engine);
        group->tidied_ms = now_ms;
    }
    if (persist(group, batch, now_ms) == ATTEMPT_DONE || batch->next == NULL ||
        group->engine->kind->is_broken(group->engine)) {
        return;
    }
    /* One of them does not fit or fails; the others shall not pay for it. */
    for (struct store_change *change = batch, *next; change != NULL; change = next) {
        next = change->next;
        change->next = NULL;
        if (change->fault != NULL) {
            change->fault->text[0] = '\0'; /* the batch's */
        }
        persist(group, change, now_ms);
        change->next = next;
    }
}

/* ---- who leads ---- */

static struct store_change *take_all(struct group_commit *group)
{
    struct store_change *batch = group->first;

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
    return group->count >= GATHER_CHANGES || clock_stopwatch_us() - group->since_us >= patience_us;
}

enum store_pending group_commit_pending(struct group_commit *group)
{
    enum store_pending pending = STORE_NOTHING;

    pthread_mutex_lock(&group->lock);
    if (group->first != NULL && !group->led) {
        pending = has_gathered(group) ? STORE_DUE : STORE_WAITING;
    }
    pthread_mutex_unlock(&group->lock);
    return pending;
}

void group_commit_submit(struct group_commit *group, struct store_change *change)
{
    change->result = STORE_FAULT; /* until somebody has an answer */
    change->next = NULL;
    pthread_mutex_lock(&group->lock);
    if (group->count++ == 0) {
        group->since_us = clock_stopwatch_us();
    }
    *group->end = change;
    group->end = &change->next;
    pthread_mutex_unlock(&group->lock);
}

/* A thread that sleeps until its change is made. */
struct sleeper {
    sem_t wake;
    bool done; /* its result is there; else it was woken to lead */
    enum store_result result;
};

static void wake(struct sleeper *sleeper)
{
    sem_post(&sleeper->wake); /* from here on its stack frame may be gone */
}

static void wake_done(void *self, enum store_result result)
{
    struct sleeper *sleeper = self;

    sleeper->result = result;
    sleeper->done = true;
    wake(sleeper);
}

static struct sleeper *first_sleeper(struct group_commit *group)
{
    struct store_change *change = group->first;

    while (change != NULL && change->done != wake_done) {
        change = change->next;
    }
    return change != NULL ? change->self : NULL;
}

/* Under no lock, or each that is woken would wait for it. What `done` was told of may be gone. */
static void tell_all(struct store_change *batch)
{
    for (struct store_change *change = batch, *next; change != NULL; change = next) {
        next = change->next;
        change->done(change->self, change->result);
    }
}

static void run_and_tell(struct group_commit *group, struct store_change *batch)
{
    int64_t begun_us = clock_stopwatch_us();

    run(group, batch);
    pthread_mutex_lock(&group->lock);
    group->commit_us = clock_stopwatch_us() - begun_us;
    group->led = false; /* others may lead while this thread tells */
    pthread_mutex_unlock(&group->lock);
    tell_all(batch);
}

/* The next batch, which the caller leads; NULL: somebody else leads, or nothing waits. */
static struct store_change *begin_to_lead(struct group_commit *group)
{
    struct store_change *batch = NULL;

    pthread_mutex_lock(&group->lock);
    if (!group->led && group->first != NULL) {
        group->led = true;
        batch = take_all(group);
    }
    pthread_mutex_unlock(&group->lock);
    return batch;
}

/* Whoever submitted while another one led went away, so the leader looks again before it goes. */
void group_commit_flush(struct group_commit *group)
{
    struct store_change *batch;

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
    if (!group->led) {
        successor = first_sleeper(group);
        group->led = successor != NULL;
    }
    pthread_mutex_unlock(&group->lock);
    if (successor != NULL) {
        wake(successor);
    }
    return successor != NULL;
}

static void lead_once(struct group_commit *group, struct store_change *batch)
{
    run_and_tell(group, batch);
    if (!hand_over(group)) {
        group_commit_flush(group);
    }
}

/* Woken to lead: `led` was set on its behalf, and its change is among those that wait. */
static void lead_as_successor(struct group_commit *group)
{
    struct store_change *batch;

    pthread_mutex_lock(&group->lock);
    batch = take_all(group);
    pthread_mutex_unlock(&group->lock);
    lead_once(group, batch);
}

enum store_result group_commit_write(struct group_commit *group, struct store_change *change)
{
    struct sleeper sleeper = {.done = false};
    struct store_change *batch;

    sem_init(&sleeper.wake, 0, 0);
    change->done = wake_done;
    change->self = &sleeper;
    group_commit_submit(group, change);
    batch = begin_to_lead(group);
    if (batch != NULL) {
        lead_once(group, batch);
    }
    for (;;) { /* what the sleeper holds is the waker's until it has posted */
        while (sem_wait(&sleeper.wake) != 0) { /* a signal */
        }
        if (sleeper.done) {
            break;
        }
        lead_as_successor(group);
    }
    sem_destroy(&sleeper.wake);
    return sleeper.result;
}
