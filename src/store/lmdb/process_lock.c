/* SPDX-License-Identifier: ISC */
/* process_lock.c: see process_lock.h. Open-file-description locks (fcntl(2)): they belong to the
 * open file, so no other open and close in the process drops them, and they go when the process
 * goes. */
#include "store/lmdb/process_lock.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

bool process_lock_open(struct process_lock *lock, int directory)
{
    lock->file = openat(directory, "process.lock", O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    return lock->file >= 0;
}

void process_lock_close(struct process_lock *lock)
{
    if (lock->file >= 0) {
        close(lock->file);
        lock->file = -1;
    }
}

/* A lock that cannot be had for another reason than a signal (ENOLCK) costs order, not safety:
 * LMDB's own mutex is still behind it. */
static void change(const struct process_lock *lock, enum process_lock_of of, short type)
{
    struct flock wanted = {.l_type = type, .l_whence = SEEK_SET, .l_start = of, .l_len = 1};

    while (lock->file >= 0 && fcntl(lock->file, F_OFD_SETLKW, &wanted) != 0 && errno == EINTR) {
    }
}

void process_lock_take(const struct process_lock *lock, enum process_lock_of of)
{
    change(lock, of, F_WRLCK);
}

void process_lock_give(const struct process_lock *lock, enum process_lock_of of)
{
    change(lock, of, F_UNLCK);
}
