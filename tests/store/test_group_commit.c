/* SPDX-License-Identifier: ISC */
/* Group commit. The threads are brought into a known order by changes that wait inside apply until
 * the others have queued, so nothing here depends on luck or on the speed of the host. */
#include "store/fixture.h"

#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "store/lmdb/env_private.h"

enum { THREADS = 64 };

/* ---- a leader that waits for its followers ---- */

struct gathering {
    struct fixture *f;
    size_t followers; /* the leader's apply returns when so many wait behind it */
    atomic_bool leading;
    atomic_bool answered; /* those that wait behind a leader that hangs */
};

static enum store_result apply_gather(struct rows *rows, void *what)
{
    struct gathering *gathering = what;

    (void)rows;
    atomic_store(&gathering->leading, true);
    while (group_commit_waiting(fixture_group(gathering->f)) < gathering->followers) {
        sched_yield();
    }
    return STORE_STALE; /* wrote nothing */
}

static void *lead(void *argument)
{
    struct gathering *gathering = argument;

    assert_store(STORE_STALE, fixture_write(gathering->f, apply_gather, gathering, NULL));
    return NULL;
}

/* Runs each(argument[i]) in `count` threads whose first changes make one batch. */
static void run_as_one_batch(struct fixture *f, size_t count, void *(*each)(void *),
                             void *arguments, size_t argument_size)
{
    struct gathering gathering = {.f = f, .followers = count};
    pthread_t leader, threads[THREADS];

    pthread_create(&leader, NULL, lead, &gathering);
    while (!atomic_load(&gathering.leading)) {
        sched_yield();
    }
    for (size_t i = 0; i < count; i++) {
        pthread_create(&threads[i], NULL, each, (char *)arguments + i * argument_size);
    }
    for (size_t i = 0; i < count; i++) {
        pthread_join(threads[i], NULL);
    }
    pthread_join(leader, NULL);
}

/* ---- rotations ---- */

struct racer {
    struct fixture *f;
    uint32_t n, from;
    enum store_result result;
    struct fault fault;
};

static void *rotate_once(void *argument)
{
    struct racer *racer = argument;
    struct store_rotation rotation = fixture_rotation(racer->n, racer->from, FIXTURE_NOW + 1);

    racer->result = store_session_rotate(racer->f->store, &rotation, &racer->fault);
    return NULL;
}

static size_t count_results(const struct racer *racers, size_t count, enum store_result result)
{
    size_t found = 0;

    for (size_t i = 0; i < count; i++) {
        found += racers[i].result == result ? 1 : 0;
    }
    return found;
}

static void of_racers_in_one_batch_one_wins(void **state)
{
    struct fixture *f = *state;
    static struct racer racers[THREADS];
    uint64_t commits;

    fixture_account(f, "ada");
    fixture_add_session(f, 1);
    commits = fixture_stat(f).commits;
    for (size_t i = 0; i < THREADS; i++) {
        racers[i] = (struct racer){.f = f, .n = 1};
    }
    run_as_one_batch(f, THREADS, rotate_once, racers, sizeof racers[0]);
    assert_int_equal(count_results(racers, THREADS, STORE_OK), 1);
    assert_int_equal(count_results(racers, THREADS, STORE_STALE), THREADS - 1);
    assert_int_equal(fixture_find(f, 1).generation, 1);
    assert_int_equal(fixture_stat(f).commits, commits + 1);
}

/* Started without order: batches of any size, and the same outcome. */
static void of_free_racers_one_wins(void **state)
{
    struct fixture *f = *state;
    static struct racer racers[THREADS];
    pthread_t threads[THREADS];

    fixture_account(f, "ada");
    fixture_add_session(f, 1);
    for (uint32_t generation = 0; generation < 10; generation++) {
        for (size_t i = 0; i < THREADS; i++) {
            racers[i] = (struct racer){.f = f, .n = 1, .from = generation};
            pthread_create(&threads[i], NULL, rotate_once, &racers[i]);
        }
        for (size_t i = 0; i < THREADS; i++) {
            pthread_join(threads[i], NULL);
        }
        assert_int_equal(count_results(racers, THREADS, STORE_OK), 1);
        assert_int_equal(count_results(racers, THREADS, STORE_STALE), THREADS - 1);
        assert_int_equal(fixture_find(f, 1).generation, generation + 1);
    }
}

static void different_sessions_share_a_commit(void **state)
{
    struct fixture *f = *state;
    static struct racer racers[THREADS];
    uint64_t commits;

    fixture_account(f, "ada");
    for (uint32_t n = 0; n < THREADS; n++) {
        fixture_add_session(f, n);
        racers[n] = (struct racer){.f = f, .n = n};
    }
    commits = fixture_stat(f).commits;
    run_as_one_batch(f, THREADS, rotate_once, racers, sizeof racers[0]);
    assert_int_equal(count_results(racers, THREADS, STORE_OK), THREADS);
    assert_int_equal(fixture_stat(f).commits, commits + 1);
    for (uint32_t n = 0; n < THREADS; n++) {
        assert_int_equal(fixture_find(f, n).generation, 1);
    }
}

static void a_lone_caller_commits_at_once(void **state)
{
    struct fixture *f = *state;
    struct store_rotation late;
    uint64_t commits;

    fixture_account(f, "ada");
    fixture_add_session(f, 1);
    commits = fixture_stat(f).commits;
    for (uint32_t from = 0; from < 5; from++) {
        struct store_rotation rotation = fixture_rotation(1, from, FIXTURE_NOW);

        assert_store(STORE_OK, store_session_rotate(f->store, &rotation, &f->fault));
        assert_int_equal(fixture_stat(f).commits, commits + from + 1);
    }
    late = fixture_rotation(1, 0, FIXTURE_NOW);
    assert_store(STORE_STALE, store_session_rotate(f->store, &late, &f->fault));
    /* What changes nothing is not committed. */
    assert_int_equal(fixture_stat(f).commits, commits + 5);
}

static void keep_result(void *self, enum store_result result)
{
    enum store_result *out = self;
    *out = result;
}

/* However many requests keep a worker from it. */
static void a_lone_write_is_due_soon(void **state)
{
    struct fixture *f = *state;
    enum store_result result = STORE_EXISTS;
    struct event event = {.at_ms = FIXTURE_NOW, .kind = EVENT_KEY};
    int64_t patience_us = clock_stopwatch_us() + 60 * 1000 * 1000;
    struct store_write write;

    store_prepare_event(&write, &event);
    store_submit(f->store, &write, &f->fault, keep_result, &result);
    while (store_pending(f->store) != STORE_DUE) {
        assert_true(clock_stopwatch_us() < patience_us);
    }
    assert_int_equal(result, STORE_EXISTS);
    store_flush(f->store);
    assert_store(STORE_OK, result);
}

/* ---- one bad change among good ones ---- */

static enum store_result apply_write_then_fail(struct rows *rows, void *what)
{
    struct rows_key key = rows_owner_key(666, fixture_session(666).id);

    (void)what;
    rows_index_put(rows, TABLE_OWNERS, &key);
    rows_fail(rows, "on purpose");
    return STORE_FAULT;
}

static enum store_result apply_write_then_refuse(struct rows *rows, void *what)
{
    apply_write_then_fail(rows, what);
    rows->failed = false;
    return STORE_EXISTS; /* against the rule, so it must not be believed */
}

static enum store_result apply_fail(struct rows *rows, void *what)
{
    (void)what;
    rows_fail(rows, "on purpose");
    return STORE_FAULT;
}

/* n = the kind of badness for the racer 0; the others rotate. */
static fixture_apply *const bad[] = {apply_write_then_fail, apply_write_then_refuse, apply_fail};
static const uint64_t commits_expected[] = {7, 7, 1}; /* singly, singly, together */

static void *rotate_or_fail(void *argument)
{
    struct racer *racer = argument;

    if (racer->n != 0) {
        return rotate_once(argument);
    }
    racer->result = fixture_write(racer->f, bad[racer->from], NULL, &racer->fault);
    return NULL;
}

static void one_bad_change_does_not_hurt_the_others(void **state)
{
    struct fixture *f = *state;

    fixture_account(f, "ada");
    for (uint32_t n = 1; n < 8; n++) {
        fixture_add_session(f, n);
    }
    for (uint32_t kind = 0; kind < 3; kind++) {
        struct racer racers[8];
        uint64_t commits = fixture_stat(f).commits;

        for (uint32_t n = 0; n < 8; n++) {
            racers[n] = (struct racer){.f = f, .n = n, .from = kind};
        }
        run_as_one_batch(f, 8, rotate_or_fail, racers, sizeof racers[0]);
        assert_int_not_equal(racers[0].result, STORE_OK);
        assert_string_equal(racers[0].fault.text, "on purpose");
        assert_int_equal(count_results(racers, 8, STORE_OK), 7);
        assert_int_equal(fixture_stat(f).commits, commits + commits_expected[kind]);
        assert_int_equal(fixture_stat(f).entries[TABLE_OWNERS], 7);
        for (uint32_t n = 1; n < 8; n++) {
            assert_int_equal(fixture_find(f, n).generation, kind + 1);
        }
    }
    assert_int_equal(fixture_findings(f), 0);
}

/* ---- an environment that breaks while a batch is being undone ---- */

static enum store_result apply_or_break(const struct verbs *verbs, struct rows *rows,
                                        struct store_write *write)
{
    struct env *env = env_of(&rows->txn);

    (void)verbs;
    rows->changes++;
    if (write->kind == STORE_WRITE_ATTACHED) {
        return STORE_OK;
    }
    atomic_store(&env->broken, true);
    rows_fail(rows, "broken");
    return STORE_FAULT;
}

/* Nothing was committed, so no write is reported as made. */
static void what_was_undone_is_no_success(void **state)
{
    struct fixture *f = *state;
    const struct verbs verbs = {.apply = apply_or_break};
    struct batch_writer *writer =
        batch_writer_open(&(struct batch_settings){.env = fixture_env(f), .verbs = &verbs});
    struct group_commit *group = group_commit_open(&batch_group_kind, writer, 5000000, NULL);
    uint64_t commits = fixture_stat(f).commits;
    enum store_result first = STORE_OK, second = STORE_OK;
    struct fault fault = {""};
    struct store_write good = {
        .kind = STORE_WRITE_ATTACHED, .fault = &fault, .done = keep_result, .self = &first};
    struct store_write worse = {
        .kind = STORE_WRITE_PRUNE, .fault = &fault, .done = keep_result, .self = &second};

    assert_int_equal(group_commit_pending(group), STORE_NOTHING);
    group_commit_submit(group, &good);
    group_commit_submit(group, &worse);
    assert_int_equal(group_commit_waiting(group), 2);
    assert_int_not_equal(group_commit_pending(group), STORE_NOTHING);
    group_commit_flush(group);
    assert_int_equal(group_commit_pending(group), STORE_NOTHING);
    assert_int_equal(atomic_load(&fixture_env(f)->commits), commits);
    assert_int_equal(first, STORE_FAULT);
    assert_int_equal(second, STORE_FAULT);
    group_commit_close(group);
    batch_writer_close(writer);
}

/* A second write that is handed in while a first one's result is told. */
struct follower {
    struct fixture *f;
    struct store_write write;
    struct fault fault;
    enum store_result first, second;
};

static void keep_result_and_follow(void *self, enum store_result result)
{
    struct follower *follower = self;
    struct event event = {.at_ms = FIXTURE_NOW, .kind = EVENT_KEY};

    follower->first = result;
    store_prepare_event(&follower->write, &event);
    store_submit(follower->f->store, &follower->write, &follower->fault, keep_result,
                 &follower->second);
}

static void the_leader_looks_again(void **state)
{
    struct fixture *f = *state;
    struct follower follower = {.f = f, .second = STORE_EXISTS};
    struct event event = {.at_ms = FIXTURE_NOW, .kind = EVENT_KEY};
    struct store_write write;

    store_prepare_event(&write, &event);
    store_submit(f->store, &write, &f->fault, keep_result_and_follow, &follower);
    store_flush(f->store);
    assert_store(STORE_OK, follower.first);
    assert_store(STORE_OK, follower.second);
}

/* Whoever lost a race left nothing. */
static void what_came_too_late_leaves_no_event(void **state)
{
    struct fixture *f = *state;
    struct store_rotation rotation = fixture_rotation(1, 7, FIXTURE_NOW);
    struct event event = {.at_ms = FIXTURE_NOW, .kind = EVENT_ROLLED_FORWARD};
    struct store_write write;

    fixture_account(f, "ada");
    fixture_add_session(f, 1);
    store_prepare_rotate(&write, &rotation);
    store_attach_event(&write, &event);
    assert_store(STORE_STALE, store_write(f->store, &write, &f->fault));
    assert_int_equal(fixture_stat(f).entries[TABLE_EVENTS], 0);
}

/* A batch is as old as its earliest write: a clock that is ahead beside it removes nothing. */
static void a_batch_sweeps_by_its_earliest_clock(void **state)
{
    struct fixture *f = *state;
    int64_t times[] = {FIXTURE_NOW + 90000, FIXTURE_NOW};
    enum store_result results[2];
    struct store_write writes[2];

    fixture_add_session(f, 1);
    for (size_t i = 0; i < 2; i++) {
        struct event event = {.at_ms = times[i], .kind = EVENT_KEY};

        store_prepare_event(&writes[i], &event);
        store_submit(f->store, &writes[i], &f->fault, keep_result, &results[i]);
    }
    store_flush(f->store);
    assert_store(STORE_OK, results[0]);
    assert_int_equal(fixture_stat(f).entries[TABLE_SESSIONS], 1);
}

/* ---- commits that take long ---- */

static struct {
    struct fixture *f;        /* NULL: every sync is prompt */
    int64_t wall_ms, boot_ms; /* what the next syncs take, by these clocks */
    int times, failing;       /* how many of them; which one fails (1 = the first) */
    int deadly;               /* at which one the process dies */
    int seen;
    bool turn_kept;
} stall;

/* What LMDB calls in a commit, before the meta page is written. */
int fdatasync(int file)
{
    if (stall.f != NULL && ++stall.seen <= stall.times) {
        stall.f->now.wall_ms += stall.wall_ms;
        stall.f->now.boot_ms += stall.boot_ms;
    }
    if (stall.f != NULL && stall.seen == stall.deadly) {
        _exit(0);
    }
    if (stall.f != NULL && stall.seen == stall.failing) {
        errno = EIO;
        return -1;
    }
    return (int)syscall(SYS_fdatasync, file);
}

/* The clock is read between the commits too. */
static int64_t tell_time_and_see_whose_turn(void *self)
{
    struct fixture *f = self;

    stall.turn_kept &= stall.f == NULL || fixture_env(f)->has_turn;
    return f->now.wall_ms;
}

/* One rotation, with the commit and those that follow it taking so long. How many commits. */
static uint64_t rotate_slowly(struct fixture *f, uint32_t from, int64_t wall_ms, int64_t boot_ms,
                              int times)
{
    struct store_rotation rotation = fixture_rotation(1, from, f->now.wall_ms);
    uint64_t commits = fixture_stat(f).commits;
    enum store_result result;

    rotation.expires_ms = 0; /* or it would be swept */
    stall.f = f;
    stall.wall_ms = wall_ms;
    stall.boot_ms = boot_ms;
    stall.times = times;
    stall.seen = 0;
    stall.turn_kept = true;
    result = store_session_rotate(f->store, &rotation, &f->fault);
    stall.f = NULL;
    assert_store(STORE_OK, result);
    assert_int_equal(fixture_find(f, 1).generation, from + 1);
    assert_true(stall.turn_kept);
    return fixture_stat(f).commits - commits;
}

static void open_for_stalls(struct fixture *f)
{
    fixture_open_with_clock(
        f, (struct clock_moment){.wall_ms = FIXTURE_NOW, .boot = 7, .boot_ms = 5000});
    f->settings.clock.now_ms = tell_time_and_see_whose_turn;
    fixture_close(f);
    fixture_open(f);
    fixture_account(f, "ada");
    fixture_add_session(f, 1);
}

/* As a record keeps it: never earlier, and later by a thousandth of a minute at most. */
static void assert_spent(int64_t kept_ms, int64_t spent_ms)
{
    assert_in_range(kept_ms, spent_ms, spent_ms + 61);
}

/* By whichever clock: the wall clock, or the one that went on while the machine was suspended. */
static void a_window_runs_from_when_the_rotation_is_durable(void **state)
{
    struct fixture *f = *state;
    struct session session;

    open_for_stalls(f);
    assert_int_equal(rotate_slowly(f, 0, 900, 900, 1), 1); /* prompt */
    assert_int_equal(fixture_find(f, 1).spent[0].wall_ms, FIXTURE_NOW);
    assert_int_equal(rotate_slowly(f, 1, 61000, 0, 1), 2);
    assert_int_equal(rotate_slowly(f, 2, 0, 61000, 1), 2);
    session = fixture_find(f, 1);
    assert_spent(session.spent[0].wall_ms, FIXTURE_NOW + 61900);
    assert_int_equal(session.spent[0].boot_ms, 5000 + 61900);
    assert_spent(session.spent[1].wall_ms, FIXTURE_NOW + 61900);
    assert_spent(session.spent[1].boot_ms, 5900);
    assert_spent(session.spent[2].wall_ms, FIXTURE_NOW);
    assert_spent(session.spent[2].boot_ms, 5000);
    assert_int_equal(session.rotated_ms, FIXTURE_NOW + 61900);
    assert_int_equal(fixture_findings(f), 0);
}

static void a_late_stamp_is_stamped_again_within_a_bound(void **state)
{
    struct fixture *f = *state;

    open_for_stalls(f);
    assert_int_equal(rotate_slowly(f, 0, 61000, 61000, 2), 3);
    assert_spent(fixture_find(f, 1).spent[0].wall_ms, f->now.wall_ms);
    assert_int_equal(rotate_slowly(f, 1, 1500, 1500, 100), 2); /* slow, but no stall */
    assert_spent(fixture_find(f, 1).spent[0].wall_ms, f->now.wall_ms - 1500);
    assert_int_equal(rotate_slowly(f, 2, 61000, 61000, 100), 4);
    assert_spent(fixture_find(f, 1).spent[0].wall_ms, f->now.wall_ms - 61000);
}

/* The rotation is durable, so it is granted; what cannot go on ends (env_is_broken). */
static void a_stamp_that_fails_does_not_fail_the_rotation(void **state)
{
    struct fixture *f = *state;
    struct store_rotation rotation;
    enum store_result result;

    open_for_stalls(f);
    rotation = fixture_rotation(1, 0, FIXTURE_NOW);
    stall.f = f;
    stall.wall_ms = 61000;
    stall.times = 1;
    stall.seen = 0;
    stall.failing = 2;
    result = store_session_rotate(f->store, &rotation, &f->fault);
    stall.f = NULL;
    stall.failing = 0;
    assert_store(STORE_OK, result);
    assert_true(store_is_broken(f->store));
    fixture_close(f);
    fixture_open(f);
    assert_int_equal(fixture_find(f, 1).generation, 1);
}

/* In a process of its own: a rotation becomes durable after a stall, and the process is killed
 * before it can stamp it. */
static void rotate_and_die(struct fixture *f)
{
    int status;
    pid_t child;

    fixture_close(f);
    child = fork();
    if (child == 0) {
        fixture_open(f);
        stall.deadly = 2;
        rotate_slowly(f, 0, 61000, 61000, 1);
        _exit(1);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    f->now.wall_ms += 62000;
    f->now.boot_ms += 62000;
    fixture_open(f);
}

/* Whoever has the turn next stamps it, before a session ends because of the old time. */
static void a_late_rotation_of_a_dead_process_is_stamped(void **state)
{
    struct fixture *f = *state;
    struct event reuse = {.at_ms = FIXTURE_NOW, .kind = EVENT_REUSE};
    struct session as_read;
    struct store_write write;

    open_for_stalls(f);
    rotate_and_die(f);
    as_read = fixture_find(f, 1);
    assert_int_equal(as_read.generation, 1);
    assert_spent(as_read.spent[0].wall_ms, FIXTURE_NOW);
    store_prepare_end(&write, as_read.id, SESSION_ENDED_REUSE, f->now.wall_ms, &as_read, &reuse);
    assert_store(STORE_STALE, store_write(f->store, &write, &f->fault));
    as_read = fixture_find(f, 1);
    assert_spent(as_read.spent[0].wall_ms, f->now.wall_ms);
    assert_spent(as_read.spent[0].boot_ms, f->now.boot_ms);

    /* once */
    f->now.wall_ms += 60000;
    store_prepare_end(&write, as_read.id, SESSION_ENDED_REUSE, f->now.wall_ms, &as_read, &reuse);
    assert_store(STORE_OK, store_write(f->store, &write, &f->fault));
    assert_int_equal(fixture_findings(f), 0);
}

/* The loser of a race in a batch that was not committed: the winner has not won. */
static void a_failed_commit_fails_losers_too(void **state)
{
    struct fixture *f = *state;
    struct store_rotation rotation = fixture_rotation(1, 0, FIXTURE_NOW);
    enum store_result results[2];
    struct store_write writes[2];

    open_for_stalls(f);
    for (size_t i = 0; i < 2; i++) {
        store_prepare_rotate(&writes[i], &rotation);
        store_submit(f->store, &writes[i], &f->fault, keep_result, &results[i]);
    }
    stall.f = f;
    stall.times = stall.seen = 0;
    stall.failing = 1;
    store_flush(f->store);
    stall.f = NULL;
    stall.failing = 0;
    assert_store(STORE_FAULT, results[0]);
    assert_store(STORE_FAULT, results[1]);
}

/* Nothing but rotations says when it was written. */
static void a_slow_commit_of_other_writes_is_one_commit(void **state)
{
    struct fixture *f = *state;
    uint64_t commits;

    open_for_stalls(f);
    commits = fixture_stat(f).commits;
    stall.f = f;
    stall.wall_ms = 61000;
    stall.times = 1;
    stall.seen = 0;
    fixture_add_session(f, 2);
    stall.f = NULL;
    assert_int_equal(fixture_stat(f).commits, commits + 1);
}

/* ---- leadership ---- */

struct captive {
    struct fixture *f;
    atomic_bool *first_returned;
};

static enum store_result apply_until_first_returned(struct rows *rows, void *what)
{
    const struct captive *captive = what;

    (void)rows;
    while (!atomic_load(captive->first_returned)) {
        sched_yield();
    }
    return STORE_ABSENT;
}

static void *follow(void *argument)
{
    struct captive *captive = argument;

    assert_store(STORE_ABSENT,
                 fixture_write(captive->f, apply_until_first_returned, captive, NULL));
    return NULL;
}

/* The first leader returns while a second batch is still at work: it is nobody's captive. Were it
 * one, this test would not end. */
static void a_leader_hands_over(void **state)
{
    struct fixture *f = *state;
    atomic_bool returned = false;
    struct captive captive = {f, &returned};
    struct gathering gathering = {.f = f, .followers = 1};
    pthread_t leader, follower;

    pthread_create(&leader, NULL, lead, &gathering);
    while (!atomic_load(&gathering.leading)) {
        sched_yield();
    }
    pthread_create(&follower, NULL, follow, &captive);
    pthread_join(leader, NULL);
    atomic_store(&returned, true);
    pthread_join(follower, NULL);
}

/* ---- waiting too long ---- */

static enum store_result apply_until_told(struct rows *rows, void *what)
{
    struct gathering *gathering = what;

    (void)rows;
    atomic_store(&gathering->leading, true);
    while (!atomic_load(&gathering->answered)) {
        sched_yield();
    }
    return STORE_STALE;
}

static void *hang(void *argument)
{
    struct gathering *gathering = argument;

    assert_store(STORE_STALE, fixture_write(gathering->f, apply_until_told, gathering, NULL));
    return NULL;
}

static int setup_impatient(void **state)
{
    struct fixture *f;

    fixture_lmdb_closed(state);
    f = *state;
    f->settings.writer_wait_ms = 50;
    fixture_open(f);
    return 0;
}

/* A commit of this process hangs: what waits behind it is answered by the one who looks after it,
 * whether its thread sleeps or not, and is not made later. */
static void what_waits_behind_a_hung_commit_is_answered(void **state)
{
    struct fixture *f = *state;
    struct gathering gathering = {.f = f};
    struct store_rotation rotation = fixture_rotation(1, 0, FIXTURE_NOW + 1);
    struct racer sleeper = {.f = f, .n = 1};
    enum store_result submitted = STORE_OK;
    enum store_readiness readiness = STORE_READY;
    struct group_commit *group = fixture_group(f);
    struct fault fault = {""};
    struct store_write write;
    pthread_t leader, thread;

    fixture_account(f, "ada");
    fixture_add_session(f, 1);
    pthread_create(&leader, NULL, hang, &gathering);
    while (!atomic_load(&gathering.leading)) {
        sched_yield();
    }
    store_prepare_rotate(&write, &rotation);
    store_submit(f->store, &write, &fault, keep_result, &submitted);
    store_flush(f->store); /* another leads */
    assert_int_equal(group_commit_pending(group), STORE_NOTHING);
    pthread_create(&thread, NULL, rotate_once, &sleeper);
    while (group_commit_waiting(group) < 2) {
        sched_yield();
    }
    while (group_commit_waiting(group) > 0) {
        int64_t within_us = group_commit_expire(group);

        assert_true(within_us > 0 && within_us <= 50 * 1000);
    }
    assert_store(STORE_OK, store_readiness(f->store, &readiness, &fault));
    assert_int_equal(readiness, STORE_COMMIT_WAITS);
    pthread_join(thread, NULL);
    atomic_store(&gathering.answered, true);
    pthread_join(leader, NULL);
    assert_int_equal(submitted, STORE_FAULT);
    assert_int_equal(sleeper.result, STORE_FAULT);
    assert_non_null(strstr(fault.text, "a commit of this process"));
    assert_int_equal(fixture_find(f, 1).generation, 0);
    assert_store(STORE_OK, store_session_rotate(f->store, &rotation, &f->fault));
    assert_store(STORE_OK, store_readiness(f->store, &readiness, &fault));
    assert_int_equal(readiness, STORE_READY);
}

/* ---- everything at once, for the sanitizers and against deadlock ---- */

enum { MIXED_THREADS = 16, MIXED_ROUNDS = 40 };

static void *mix(void *argument)
{
    struct racer *racer = argument;
    struct store *store = racer->f->store;
    static const struct store_check silent;

    for (uint32_t round = 0; round < MIXED_ROUNDS; round++) {
        struct store_rotation rotation =
            fixture_rotation(racer->n, round, FIXTURE_NOW + round * 1000);
        struct session other = fixture_session(1000 + racer->n * MIXED_ROUNDS + round);
        struct event event = {.at_ms = FIXTURE_NOW, .kind = EVENT_KEY};
        struct session_view grant;
        struct session page[4];
        struct store_fact facts[STORE_FACTS_MAX];
        uint64_t findings;
        size_t count;

        rotation.expires_ms = 0;
        other.expires_ms = FIXTURE_NOW + 1 + round;
        if (store_session_rotate(store, &rotation, &racer->fault) != STORE_OK ||
            store_session_view(store, rotation.id, &grant, &racer->fault) != STORE_OK ||
            grant.session.generation != round + 1 ||
            store_session_create(store, &other, NULL, &racer->fault) != STORE_OK ||
            store_event_add(store, &event, &racer->fault) != STORE_OK ||
            store_session_list(store, 0, NULL, page, 4, &count, &racer->fault) != STORE_OK ||
            store_facts(store, facts, &count, &racer->fault) != STORE_OK ||
            (round % 16 == 0 &&
             (store_check(store, &silent, &findings, &racer->fault) != STORE_OK ||
              findings != 0))) {
            racer->result = STORE_FAULT;
            return NULL;
        }
    }
    racer->result = STORE_OK;
    return NULL;
}

static void readers_and_writers_of_all_kinds_agree(void **state)
{
    struct fixture *f = *state;
    static struct racer racers[MIXED_THREADS];
    pthread_t threads[MIXED_THREADS];

    fixture_account(f, "ada");
    for (uint32_t n = 0; n < MIXED_THREADS; n++) {
        struct session session = fixture_session(n);

        session.expires_ms = 0; /* a thread that is ahead sweeps what has expired for it */
        assert_store(STORE_OK, store_session_create(f->store, &session, NULL, &f->fault));
        racers[n] = (struct racer){.f = f, .n = n};
    }
    for (size_t i = 0; i < MIXED_THREADS; i++) {
        pthread_create(&threads[i], NULL, mix, &racers[i]);
    }
    for (size_t i = 0; i < MIXED_THREADS; i++) {
        pthread_join(threads[i], NULL);
    }
    for (size_t i = 0; i < MIXED_THREADS; i++) {
        if (racers[i].result != STORE_OK) {
            print_error("%s\n", racers[i].fault.text);
        }
        assert_int_equal(racers[i].result, STORE_OK);
    }
    for (uint32_t n = 0; n < MIXED_THREADS; n++) {
        assert_int_equal(fixture_find(f, n).generation, MIXED_ROUNDS);
    }
    assert_int_equal(fixture_findings(f), 0);
}

/* ---- the map grows under load ---- */

static int setup_small_map(void **state)
{
    struct fixture *f;

    fixture_lmdb_closed(state);
    f = *state;
    f->settings.map_size = 256 * 1024;
    fixture_open(f);
    return 0;
}

/* Half of the map is in use already, so that it grows however the writes share commits. */
static void growing_disturbs_nobody(void **state)
{
    struct fixture *f = *state;
    uint64_t before = fixture_stat(f).map_size;

    for (uint32_t n = 0; n < 400; n++) {
        struct session session = fixture_session(100000 + n);

        session.expires_ms = 0;
        assert_store(STORE_OK, store_session_create(f->store, &session, NULL, &f->fault));
    }
    assert_int_equal(fixture_stat(f).map_size, before);
    readers_and_writers_of_all_kinds_agree(state);
    assert_true(fixture_stat(f).map_size > before);
}

#define ON_LMDB(test) cmocka_unit_test_setup_teardown(test, fixture_lmdb, fixture_remove)

int main(void)
{
    const struct CMUnitTest tests[] = {
        ON_LMDB(of_racers_in_one_batch_one_wins),
        ON_LMDB(of_free_racers_one_wins),
        ON_LMDB(different_sessions_share_a_commit),
        ON_LMDB(a_lone_caller_commits_at_once),
        ON_LMDB(a_lone_write_is_due_soon),
        ON_LMDB(one_bad_change_does_not_hurt_the_others),
        ON_LMDB(what_was_undone_is_no_success),
        ON_LMDB(the_leader_looks_again),
        ON_LMDB(what_came_too_late_leaves_no_event),
        ON_LMDB(a_batch_sweeps_by_its_earliest_clock),
        ON_LMDB(a_failed_commit_fails_losers_too),
        ON_LMDB(a_window_runs_from_when_the_rotation_is_durable),
        ON_LMDB(a_late_stamp_is_stamped_again_within_a_bound),
        ON_LMDB(a_late_rotation_of_a_dead_process_is_stamped),
        ON_LMDB(a_stamp_that_fails_does_not_fail_the_rotation),
        ON_LMDB(a_slow_commit_of_other_writes_is_one_commit),
        ON_LMDB(a_leader_hands_over),
        cmocka_unit_test_setup_teardown(what_waits_behind_a_hung_commit_is_answered,
                                        setup_impatient, fixture_remove),
        ON_LMDB(readers_and_writers_of_all_kinds_agree),
        cmocka_unit_test_setup_teardown(growing_disturbs_nobody, setup_small_map, fixture_remove),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
