/* SPDX-License-Identifier: ISC */
/* process_lock.c: see process_lock.h. Open-file-description locks (fcntl(2)): they belong to the
 * open file, so no other open and close in the process drops them, and they go when the process
 * goes.
 *
 * The kernel does not say who holds such a lock, but it tells the range. So a range is as long as
 * the number of its holder's process: that costs nothing, and cannot be out of date. */
#include "store/lmdb/process_lock.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"

#ifndef sigev_notify_thread_id
#define sigev_notify_thread_id                                                                     \
    _sigev_un._tid /* as the kernel's headers and later glibc have it                              \
                    */
#endif

enum { AGAIN_MS = 20 };

static struct flock range_of(const struct process_lock *lock, enum process_lock_of of, short type);
static bool change(const struct process_lock *lock, enum process_lock_of of, short type, int how);
static bool wait_until(const struct process_lock *lock, enum process_lock_of of, int64_t until_us);
static bool look_until(const struct process_lock *lock, enum process_lock_of of, int64_t until_us);

bool process_lock_open(struct process_lock *lock, int directory)
{
    lock->owner = getpid();
    lock->page = NULL;
    lock->file = openat(directory, "process.lock", O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    return lock->file >= 0;
}

/* Room on disk is asked for first: a page that has none when it is written to ends the process. */
void process_lock_share(struct process_lock *lock)
{
    struct stat file;
    void *page;

    if (lock->file < 0 || fstat(lock->file, &file) != 0 ||
        (file.st_size < PROCESS_LOCK_PAGE &&
         posix_fallocate(lock->file, 0, PROCESS_LOCK_PAGE) != 0)) {
        return;
    }
    page = mmap(NULL, PROCESS_LOCK_PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, lock->file, 0);
    lock->page = page != MAP_FAILED ? page : NULL;
}

void process_lock_close(struct process_lock *lock)
{
    if (lock->page != NULL) {
        munmap(lock->page, PROCESS_LOCK_PAGE);
        lock->page = NULL;
    }
    if (lock->file >= 0) {
        close(lock->file);
        lock->file = -1;
    }
}

/* A lock that cannot be had because the kernel has no more of them (ENOLCK) costs order, not
 * safety: LMDB's own mutex is still behind it. */
bool process_lock_take(const struct process_lock *lock, enum process_lock_of of, int64_t until_us)
{
    return lock->file < 0 || change(lock, of, F_WRLCK, F_OFD_SETLK) ||
           (errno != EAGAIN && errno != EACCES) || wait_until(lock, of, until_us);
}

bool process_lock_try(const struct process_lock *lock, enum process_lock_of of)
{
    return lock->file >= 0 && change(lock, of, F_WRLCK, F_OFD_SETLK);
}

void process_lock_give(const struct process_lock *lock, enum process_lock_of of)
{
    if (lock->file >= 0) {
        change(lock, of, F_UNLCK, F_OFD_SETLK);
    }
}

pid_t process_lock_holder(const struct process_lock *lock, enum process_lock_of of)
{
    struct flock range = range_of(lock, of, F_WRLCK);

    if (lock->file < 0 || fcntl(lock->file, F_OFD_GETLK, &range) != 0 || range.l_type == F_UNLCK) {
        return 0;
    }
    return (pid_t)range.l_len;
}

static struct flock range_of(const struct process_lock *lock, enum process_lock_of of, short type)
{
    return (struct flock){.l_type = type,
                          .l_whence = SEEK_SET,
                          .l_start = (off_t)of << 32, /* beyond any process's number */
                          .l_len = lock->owner};
}

static bool change(const struct process_lock *lock, enum process_lock_of of, short type, int how)
{
    struct flock range = range_of(lock, of, type);

    return fcntl(lock->file, how, &range) == 0;
}

/* ---- waiting, with a bound ---- */

static bool start_timer(timer_t *timer, int64_t until_us);
static void prepare_signal(void);
static void interrupt(int number);

/* In the kernel's queue, so that the lock is handed on without delay. */
static bool wait_until(const struct process_lock *lock, enum process_lock_of of, int64_t until_us)
{
    sigset_t unblocked, before;
    bool taken = false;
    timer_t timer;

    if (clock_stopwatch_us() >= until_us) {
        return false;
    } else if (!start_timer(&timer, until_us)) {
        return look_until(lock, of, until_us);
    }
    sigemptyset(&unblocked);
    sigaddset(&unblocked, SIGRTMIN);
    pthread_sigmask(SIG_UNBLOCK, &unblocked, &before);
    do {
        taken = change(lock, of, F_WRLCK, F_OFD_SETLKW) || errno != EINTR;
    } while (!taken && clock_stopwatch_us() < until_us);
    timer_delete(timer);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return taken;
}

/* Rings for this thread at that time, and again and again, because the first signal may come just
 * before the thread sleeps. */
static bool start_timer(timer_t *timer, int64_t until_us)
{
    static pthread_once_t prepared = PTHREAD_ONCE_INIT;
    struct sigevent event = {.sigev_notify = SIGEV_THREAD_ID, .sigev_signo = SIGRTMIN};
    struct itimerspec times = {
        .it_value = {.tv_sec = until_us / 1000000, .tv_nsec = until_us % 1000000 * 1000},
        .it_interval = {.tv_nsec = AGAIN_MS * 1000000L}};

    pthread_once(&prepared, prepare_signal);
    event.sigev_notify_thread_id = gettid();
    if (timer_create(CLOCK_MONOTONIC, &event, timer) != 0) {
        return false;
    } else if (timer_settime(*timer, TIMER_ABSTIME, &times, NULL) != 0) {
        timer_delete(*timer);
        return false;
    }
    return true;
}

/* Without SA_RESTART, so that the wait ends. */
static void prepare_signal(void)
{
    struct sigaction action = {.sa_handler = interrupt};

    sigemptyset(&action.sa_mask);
    sigaction(SIGRTMIN, &action, NULL);
}

static void interrupt(int number)
{
    (void)number;
}

/* When there is no timer to be had: over a limit of pending signals. */
static bool look_until(const struct process_lock *lock, enum process_lock_of of, int64_t until_us)
{
    struct timespec pause = {.tv_nsec = AGAIN_MS * 1000000L};
    bool taken = false;

    while (!taken && clock_stopwatch_us() < until_us) {
        nanosleep(&pause, NULL);
        taken = change(lock, of, F_WRLCK, F_OFD_SETLK);
    }
    return taken;
}
