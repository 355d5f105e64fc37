/* SPDX-License-Identifier: ISC */
/* group_commit.c: see group_commit.h. Knows the queue, who leads, and for how long a write may
 * wait; does not know transactions. */
#include "store/group_commit.h"

#include <pthread.h>
#include <semaphore.h>
#include <stdlib.h>

#include "store/store_private.h"

/* While there is other work, writes gather until they are so many, or until the first has waited
 * so many times as long as the last commit took: then commits take a small part of the time, and
 * none waits much longer for one than it would have waited in a queue anyway. */
enum { GATHER_WRITES = 128, GATHER_PARTS = 32, GATHER_MOST_US = 10 * 1000 };

struct group_commit {
    const struct group_kind *kind;
    void *self;
    int64_t wait_us;
    struct metrics *metrics;

    pthread_mutex_t lock; /* over the rest */
    struct store_write *first, **end;
    size_t count;      /* of them */
    int64_t commit_us; /* how long the last batch took */
    int64_t begun_us;  /* when the batch under way began; 0: none is */
    bool has_leader;
    struct fault notice; /* not fetched yet; "" = none */
};

struct group_commit *group_commit_open(const struct group_kind *kind, void *self, int64_t wait_us,
                                       struct metrics *metrics)
{
    struct group_commit *group = calloc(1, sizeof *group);

    if (group == NULL) {
        return NULL;
    }
    group->kind = kind;
    group->self = self;
    group->wait_us = wait_us;
    group->metrics = metrics;
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

/* ---- who leads ---- */

static struct store_write *take_turn(struct group_commit *group);
static bool leave_or_wait(struct group_commit *group, int64_t until_us);
static struct store_write *take_alone(struct group_commit *group);
static void put_back(struct group_commit *group, struct store_write *alone);
static bool has_to_lead(struct group_commit *group, int64_t *until_us);
static struct store_write *begin_batch(struct group_commit *group);
static void count(struct metrics *metrics, const struct store_write *write);
static bool rest(struct group_commit *group);

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
static void tell_all(const struct group_commit *group, struct store_write *batch)
{
    for (struct store_write *write = batch, *next; write != NULL; write = next) {
        next = write->next;
        count(group->metrics, write);
        write->done(write->self, write->result);
    }
}

static void run_and_tell(struct group_commit *group, struct store_write *batch)
{
    struct fault notice = {""};

    group->kind->write(group->self, batch, &notice);
    group->kind->turn_give(group->self);
    pthread_mutex_lock(&group->lock);
    if (notice.text[0] != '\0') {
        group->notice = notice;
    }
    group->commit_us = clock_stopwatch_us() - group->begun_us;
    group->begun_us = 0;
    group->has_leader = false; /* others may lead while this thread tells */
    pthread_mutex_unlock(&group->lock);
    tell_all(group, batch);
}

static void count(struct metrics *metrics, const struct store_write *write)
{
    if (metrics == NULL) {
        return;
    }
    metrics_observe(metrics, METRIC_HISTOGRAM_WRITE,
                    (uint64_t)(clock_stopwatch_us() - write->since_us));
    if (write->result == STORE_STALE) {
        metrics_add(metrics, METRIC_WRITES_STALE, 1);
    } else if (write->result == STORE_FAULT) {
        metrics_add(metrics, METRIC_WRITES_FAILED, 1);
    }
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
        if (!group->kind->turn_take(group->self, 0) && !leave_or_wait(group, until_us)) {
            group_commit_expire(group);
        } else if ((batch = begin_batch(group)) == NULL) {
            group->kind->turn_give(group->self);
        }
    }
    return batch;
}

/* Another process has the turn. Does this one have it now? */
static bool leave_or_wait(struct group_commit *group, int64_t until_us)
{
    struct store_write *alone = group->kind->leave != NULL ? take_alone(group) : NULL;
    enum group_left left = GROUP_LEFT_NOT;

    if (alone != NULL) {
        left = group->kind->leave(group->self, alone, until_us);
    }
    if (left == GROUP_LEFT_DONE) {
        tell_all(group, alone);
        return false;
    } else if (alone != NULL) {
        put_back(group, alone);
    }
    return left == GROUP_LEFT_TURN ||
           (left == GROUP_LEFT_NOT && group->kind->turn_take(group->self, until_us));
}

/* The only write in the queue; NULL: there are more. */
static struct store_write *take_alone(struct group_commit *group)
{
    struct store_write *alone = NULL;

    pthread_mutex_lock(&group->lock);
    if (group->count == 1) {
        alone = take_all(group);
    }
    pthread_mutex_unlock(&group->lock);
    return alone;
}

/* Before those that came meanwhile. */
static void put_back(struct group_commit *group, struct store_write *alone)
{
    pthread_mutex_lock(&group->lock);
    alone->next = group->first;
    if (group->first == NULL) {
        group->end = &alone->next;
    }
    group->first = alone;
    group->count++;
    pthread_mutex_unlock(&group->lock);
}

/* Until when the first write in the queue may wait. False: none is there, and nobody leads. */
static bool has_to_lead(struct group_commit *group, int64_t *until_us)
{
    bool has_to;

    pthread_mutex_lock(&group->lock);
    has_to = group->first != NULL;
    group->has_leader = has_to;
    *until_us = has_to ? group->first->since_us + group->wait_us : 0;
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

int64_t group_commit_expire(struct group_commit *group)
{
    int64_t wait_us = group->wait_us;
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
        group->kind->say_why(group->self, begun_us != 0 ? now_us - begun_us : 0,
                             now_us - late->since_us, &fault);
        store_answer(late, STORE_FAULT, &fault);
        if (begun_us == 0) {
            group->kind->turn_note(group->self, late->since_us);
        }
        tell_all(group, late);
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
    hangs = since_us != 0 && now_us - since_us >= group->wait_us;
    if (hangs) {
        group->kind->say_why(group->self, begun_us != 0 ? now_us - begun_us : 0, now_us - since_us,
                             fault);
    }
    return hangs;
}

bool group_commit_notice(struct group_commit *group, struct fault *notice)
{
    pthread_mutex_lock(&group->lock);
    *notice = group->notice;
    group->notice.text[0] = '\0';
    pthread_mutex_unlock(&group->lock);
    return notice->text[0] != '\0';
}

/* Whoever submitted while another one led went away, so the leader looks again before it goes. */
void group_commit_flush(struct group_commit *group)
{
    struct store_write *batch;

    do {
        while ((batch = begin_to_lead(group)) != NULL) {
            run_and_tell(group, batch);
        }
    } while (rest(group));
}

/* True: something has come meanwhile. */
static bool rest(struct group_commit *group)
{
    bool rests, more = false;

    pthread_mutex_lock(&group->lock);
    rests = group->kind->rest != NULL && !group->has_leader && group->first == NULL;
    group->has_leader = group->has_leader || rests;
    pthread_mutex_unlock(&group->lock);
    if (rests) {
        group->kind->rest(group->self);
        pthread_mutex_lock(&group->lock);
        group->has_leader = false;
        more = group->first != NULL;
        pthread_mutex_unlock(&group->lock);
    }
    return more;
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
