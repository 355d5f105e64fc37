/* guard.c: one deadline and one descriptor under a lock. Knows that shutdown() wakes who waits;
 * does not know what is being read or written. */
#include "responder/guard.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

int64_t guard_now_ms(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

bool guard_open(struct guard *guard)
{
    guard->connection = -1;
    guard->deadline_ms = 0;
    return pthread_mutex_init(&guard->lock, NULL) == 0;
}

void guard_close(struct guard *guard)
{
    pthread_mutex_destroy(&guard->lock);
}

bool guard_begin(struct guard *guard, int connection, int64_t now_ms)
{
    int copy = fcntl(connection, F_DUPFD_CLOEXEC, 3);

    if (copy < 0) {
        return false;
    }
    pthread_mutex_lock(&guard->lock);
    guard->connection = copy;
    guard->deadline_ms = now_ms + GUARD_PATIENCE_MS;
    pthread_mutex_unlock(&guard->lock);
    return true;
}

void guard_wait(struct guard *guard, int64_t now_ms)
{
    pthread_mutex_lock(&guard->lock);
    guard->deadline_ms = now_ms + GUARD_PATIENCE_MS;
    pthread_mutex_unlock(&guard->lock);
}

void guard_pause(struct guard *guard)
{
    pthread_mutex_lock(&guard->lock);
    guard->deadline_ms = 0;
    pthread_mutex_unlock(&guard->lock);
}

void guard_end(struct guard *guard)
{
    pthread_mutex_lock(&guard->lock);
    close(guard->connection);
    guard->connection = -1;
    guard->deadline_ms = 0;
    pthread_mutex_unlock(&guard->lock);
}

bool guard_check(struct guard *guard, int64_t now_ms)
{
    bool late;

    pthread_mutex_lock(&guard->lock);
    late = guard->deadline_ms != 0 && now_ms >= guard->deadline_ms;
    if (late) {
        shutdown(guard->connection, SHUT_RDWR);
        guard->deadline_ms = 0;
    }
    pthread_mutex_unlock(&guard->lock);
    return late;
}
