/* SPDX-License-Identifier: ISC */
/* test_process_lock.c: locks between processes: one at a time, handed on, and never lost with who
 * is killed. */
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
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "store/lmdb/process_lock.h"

enum { CHILDREN = 6, KILLS = 60, OFTEN = 2000 };

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

static void take_for_ever(const struct process_lock *lock, volatile unsigned *shared)
{
    for (;;) {
        process_lock_take(lock, PROCESS_LOCK_WRITER);
        shared[0]++; /* no atomic addition: the lock is what keeps it right */
        process_lock_give(lock, PROCESS_LOCK_WRITER);
    }
}

static void take_often(const struct process_lock *lock, volatile unsigned *shared)
{
    for (int i = 0; i < OFTEN; i++) {
        process_lock_take(lock, PROCESS_LOCK_WRITER);
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
    process_lock_take(lock, PROCESS_LOCK_WRITER);
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
    struct process_lock none = {-1};

    (void)state;
    while (shared[0] == 0) {
        sched_yield();
    }
    assert_true(process_lock_open(&lock, directory));
    process_lock_take(&lock, PROCESS_LOCK_READERS);
    process_lock_give(&lock, PROCESS_LOCK_READERS);
    process_lock_take(&none, PROCESS_LOCK_WRITER);
    process_lock_give(&none, PROCESS_LOCK_WRITER);
    kill(child, SIGKILL);
    waitpid(child, NULL, 0);
    process_lock_take(&lock, PROCESS_LOCK_WRITER);
    process_lock_close(&lock);
    process_lock_close(&lock); /* harmless */
    unshare_memory(shared);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_has_it_at_a_time),
        cmocka_unit_test(no_lock_dies_with_its_holder),
        cmocka_unit_test(locks_are_independent),
    };
    return cmocka_run_group_tests_name("store/process_lock", tests, set_up, tear_down);
}
