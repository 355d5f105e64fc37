/* SPDX-License-Identifier: ISC */
/* process_lock.h: locks between processes, as byte ranges of a file. LMDB's own locks are robust
 * mutexes: a waiter that is killed between its wake-up and taking the lock loses the wake-up, and
 * all waiters behind it sleep on although the mutex is free (seen under kill -9 with four
 * processes: every writer slept until another process came by). File locks have no such gap,
 * because the kernel passes them on. So processes queue here and never at LMDB's mutexes, and here
 * a wait has a bound, which it has not there. Knows a file; does not know LMDB. */
#ifndef RETOKEN_STORE_LMDB_PROCESS_LOCK_H
#define RETOKEN_STORE_LMDB_PROCESS_LOCK_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

/* What is locked: a range of the file each. Seats are many: PROCESS_LOCK_SEATS + n. */
enum process_lock_of { PROCESS_LOCK_WRITER, PROCESS_LOCK_READERS, PROCESS_LOCK_SEATS };

enum { PROCESS_LOCK_PAGE = 4096 };

struct process_lock {
    int file;    /* -1: no file; every lock is free */
    pid_t owner; /* this process */
    void *page;  /* the file's first, shared by all processes; NULL: it cannot be had */
};

/* Opens DIRECTORY/process.lock, made 0600 when absent. After the last fork. False with errno set.
 */
bool process_lock_open(struct process_lock *lock, int directory);
/* Sets lock->page: PROCESS_LOCK_PAGE bytes, all zero at first, that outlive the process. For who
 * may take the writer's lock; only who has it may write there. */
void process_lock_share(struct process_lock *lock);
void process_lock_close(struct process_lock *lock);
/* Waits for the lock until that time of clock_stopwatch_us. False: another process kept it. Locks
 * exclude processes, not the threads of one process: at most one thread of a process may take a
 * lock at a time. The wait is interrupted by a timer that sends SIGRTMIN to the calling thread. */
bool process_lock_take(const struct process_lock *lock, enum process_lock_of of, int64_t until_us);
/* Takes it if it is free now, and never without it. */
bool process_lock_try(const struct process_lock *lock, enum process_lock_of of);
void process_lock_give(const struct process_lock *lock, enum process_lock_of of);
/* The other process that has the lock now, by its id where it runs (in its container, say); 0: none
 * has, or this one. */
pid_t process_lock_holder(const struct process_lock *lock, enum process_lock_of of);

#endif
