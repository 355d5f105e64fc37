/* SPDX-License-Identifier: ISC */
/* test_process_lock.c: locks between processes: one at a time, handed on, and never lost with who
 * is killed. */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/clock.h"
#include "store/lmdb/process_lock.h"

enum { CHILDREN = 6, KILLS = 60, OFTEN = 2000 };
enum { LONG_US = 300 * 1000 * 1000, SHORT_US = 100 * 1000 };

static char place[] = "/tmp/retoken-lock-XXXXXX";
static int directory;

static int set_up(void **state)
{
    (void)state;
    if (mkdtemp(place) == NULL) {
        return -1;
    }
    directory = open(place, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    return directory < 0 ? -1 : 0;
}

static int tear_down(void **state)
{
    (void)state;
    unlinkat(directory, "process.lock", 0);
    close(directory);
    return rmdir(place);
}

/* Each process opens the file by itself: a lock belongs to the open file. */
static pid_t spawn(void (*work)(const struct process_lock *lock, volatile unsigned *shared),
                   volatile unsigned *shared)
{
    pid_t pid = fork();

    if (pid == 0) {
        struct process_lock lock;

        prctl(PR_SET_PDEATHSIG, SIGKILL);
        if (process_lock_open(&lock, directory)) {
            work(&lock, shared);
        }
        _exit(1);
    }
    assert_true(pid > 0);
    return pid;
}

/* In this process or in a child. */
static void take(const struct process_lock *lock, enum process_lock_of of)
{
    if (!process_lock_take(lock, of, clock_stopwatch_us() + LONG_US)) {
        abort();
    }
}

static void take_for_ever(const struct process_lock *lock, volatile unsigned *shared)
{
    for (;;) {
        take(lock, PROCESS_LOCK_WRITER);
        shared[0]++; /* no atomic addition: the lock is what keeps it right */
        process_lock_give(lock, PROCESS_LOCK_WRITER);
    }
}

static void take_often(const struct process_lock *lock, volatile unsigned *shared)
{
    for (int i = 0; i < OFTEN; i++) {
        take(lock, PROCESS_LOCK_WRITER);
        shared[0]++;
        process_lock_give(lock, PROCESS_LOCK_WRITER);
    }
    _exit(0);
}

static volatile unsigned *share(void)
{
    void *memory = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

    assert_ptr_not_equal(memory, MAP_FAILED);
    return memory;
}

static void unshare_memory(volatile unsigned *shared)
{
    munmap((void *)(uintptr_t)shared, 4096);
}

static void one_has_it_at_a_time(void **state)
{
    volatile unsigned *shared = share();
    pid_t children[CHILDREN];
    int status;

    (void)state;
    for (int i = 0; i < CHILDREN; i++) {
        children[i] = spawn(take_often, shared);
    }
    for (int i = 0; i < CHILDREN; i++) {
        assert_int_equal(waitpid(children[i], &status, 0), children[i]);
        assert_int_equal(status, 0);
    }
    assert_int_equal(shared[0], CHILDREN * OFTEN);
    unshare_memory(shared);
}

/* Killed while they wait, while they are handed a lock, and while they hold it: the others go on.
 */
static void no_lock_dies_with_its_holder(void **state)
{
    volatile unsigned *shared = share();
    pid_t children[CHILDREN];

    (void)state;
    for (int i = 0; i < CHILDREN; i++) {
        children[i] = spawn(take_for_ever, shared);
    }
    for (int kills = 0; kills < KILLS; kills++) {
        int victim = kills % CHILDREN;
        unsigned goal = shared[0] + 1 + (unsigned)(kills * 7 % 50);

        while (shared[0] < goal) { /* hangs, and the run with it, if a lock is lost */
            sched_yield();
        }
        kill(children[victim], SIGKILL);
        assert_int_equal(waitpid(children[victim], NULL, 0), children[victim]);
        children[victim] = spawn(take_for_ever, shared);
    }
    for (int i = 0; i < CHILDREN; i++) {
        kill(children[i], SIGKILL);
        waitpid(children[i], NULL, 0);
    }
    unshare_memory(shared);
}

static void hold(const struct process_lock *lock, volatile unsigned *shared)
{
    take(lock, PROCESS_LOCK_WRITER);
    shared[0] = 1;
    for (;;) {
        pause();
    }
}

/* The two locks are independent; without a file every lock is free. */
static void locks_are_independent(void **state)
{
    volatile unsigned *shared = share();
    pid_t child = spawn(hold, shared);
    struct process_lock lock;
    struct process_lock none = {.file = -1};

    (void)state;
    while (shared[0] == 0) {
        sched_yield();
    }
    assert_true(process_lock_open(&lock, directory));
    take(&lock, PROCESS_LOCK_READERS);
    process_lock_give(&lock, PROCESS_LOCK_READERS);
    take(&none, PROCESS_LOCK_WRITER);
    process_lock_give(&none, PROCESS_LOCK_WRITER);
    kill(child, SIGKILL);
    waitpid(child, NULL, 0);
    take(&lock, PROCESS_LOCK_WRITER);
    process_lock_close(&lock);
    process_lock_close(&lock); /* harmless */
    unshare_memory(shared);
}

static bool is_free(const struct process_lock *lock, enum process_lock_of of)
{
    return process_lock_holder(lock, of) == 0;
}

/* A holder that never gives the lock back costs a waiter its time and no more, and is named. */
static void a_wait_has_a_bound(void **state)
{
    volatile unsigned *shared = share();
    pid_t child = spawn(hold, shared);
    struct process_lock lock;
    int64_t begun_us;

    (void)state;
    while (shared[0] == 0) {
        sched_yield();
    }
    kill(child, SIGSTOP);
    assert_true(process_lock_open(&lock, directory));
    assert_int_equal(process_lock_holder(&lock, PROCESS_LOCK_WRITER), child);
    assert_true(is_free(&lock, PROCESS_LOCK_READERS));
    begun_us = clock_stopwatch_us();
    assert_false(process_lock_take(&lock, PROCESS_LOCK_WRITER, 0)); /* looks, and does not wait */
    assert_false(process_lock_take(&lock, PROCESS_LOCK_WRITER, begun_us + SHORT_US));
    assert_true(clock_stopwatch_us() - begun_us >= SHORT_US);
    assert_int_equal(process_lock_holder(&lock, PROCESS_LOCK_WRITER), child);
    kill(child, SIGKILL);
    take(&lock, PROCESS_LOCK_WRITER);
    waitpid(child, NULL, 0);
    assert_true(is_free(&lock, PROCESS_LOCK_WRITER)); /* of others */
    process_lock_close(&lock);
    unshare_memory(shared);
}

/* The same without a timer, which a limit can refuse. */
static void a_wait_without_a_timer_has_a_bound(void **state)
{
    volatile unsigned *shared = share();
    pid_t child = spawn(hold, shared);
    struct rlimit before, none;
    struct process_lock lock;
    int64_t begun_us;

    (void)state;
    while (shared[0] == 0) {
        sched_yield();
    }
    assert_true(process_lock_open(&lock, directory));
    assert_int_equal(getrlimit(RLIMIT_SIGPENDING, &before), 0);
    none = (struct rlimit){0, before.rlim_max};
    assert_int_equal(setrlimit(RLIMIT_SIGPENDING, &none), 0);
    begun_us = clock_stopwatch_us();
    assert_false(process_lock_take(&lock, PROCESS_LOCK_WRITER, begun_us + SHORT_US));
    assert_true(clock_stopwatch_us() - begun_us >= SHORT_US);
    kill(child, SIGKILL);
    take(&lock, PROCESS_LOCK_WRITER);
    waitpid(child, NULL, 0);
    assert_int_equal(setrlimit(RLIMIT_SIGPENDING, &before), 0);
    process_lock_close(&lock);
    unshare_memory(shared);
}

static void try_once(const struct process_lock *lock, volatile unsigned *shared)
{
    (void)shared;
    _exit(process_lock_take(lock, PROCESS_LOCK_WRITER, 0) ? 0 : 2);
}

/* Locks of a process (F_SETLK) would go with any close of the file in it. */
static void a_lock_survives_another_open_and_close(void **state)
{
    struct process_lock lock, second;
    int status;

    (void)state;
    assert_true(process_lock_open(&lock, directory));
    take(&lock, PROCESS_LOCK_WRITER);
    assert_true(process_lock_open(&second, directory));
    process_lock_close(&second);
    assert_int_equal(waitpid(spawn(try_once, NULL), &status, 0) > 0, 1);
    assert_int_equal(status, 2 << 8);
    process_lock_give(&lock, PROCESS_LOCK_WRITER);
    assert_int_equal(waitpid(spawn(try_once, NULL), &status, 0) > 0, 1);
    assert_int_equal(status, 0);
    process_lock_close(&lock);
}

static void a_link_is_refused(void **state)
{
    struct process_lock lock;

    (void)state;
    unlinkat(directory, "process.lock", 0);
    assert_int_equal(symlinkat("elsewhere", directory, "process.lock"), 0);
    assert_false(process_lock_open(&lock, directory));
    assert_int_equal(errno, ELOOP);
    assert_int_equal(unlinkat(directory, "process.lock", 0), 0);
    assert_int_not_equal(unlinkat(directory, "elsewhere", 0), 0); /* was not made */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_has_it_at_a_time),
        cmocka_unit_test(no_lock_dies_with_its_holder),
        cmocka_unit_test(locks_are_independent),
        cmocka_unit_test(a_wait_has_a_bound),
        cmocka_unit_test(a_wait_without_a_timer_has_a_bound),
        cmocka_unit_test(a_lock_survives_another_open_and_close),
        cmocka_unit_test(a_link_is_refused),
    };
    return cmocka_run_group_tests_name("store/process_lock", tests, set_up, tear_down);
}
