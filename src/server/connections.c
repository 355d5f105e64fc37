/* SPDX-License-Identifier: ISC */
/* connections.c: one epoll set with the listening socket and all connections; see connections.h.
 * Each connection is armed for one event (EPOLLONESHOT), so that one thread owns it at a time, and
 * armed again when it is given back. Only its owner closes a connection; late ones are shut down,
 * which is an event, too.
 *
 * When descriptors run out, the connection that has been idle longest is shut down, and accepting
 * stops until one is closed: the backlog waits in the kernel. */
#include "server/connections.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"

/* In descriptors; RESERVE are for files, and for requests in pieces. */
enum { ROOM_MAX = 65536, ROOM_LEAST = 64, RESERVE = 32 };

/* Reads between two attempts to accept; a pause between two looks while stopping. */
enum { READS_PER_ACCEPT = 8, STOPPING_PAUSE_MS = 10 };

struct connection {
    bool waiting;        /* without an owner: armed, and may be shut down */
    bool in_set;         /* known to epoll */
    int64_t since_ms;    /* the beginning of the wait */
    int64_t deadline_ms; /* 0: none */
};

struct connections {
    const struct listener *listener;
    int set;        /* of epoll */
    int stop_event; /* readable once stopping */
    atomic_bool stopping;
    atomic_uint reads; /* since the last attempt to accept */
    atomic_bool full;  /* the listening socket is not armed */
    int room;          /* for descriptors */
    int most;          /* connections at once */
    atomic_int count;  /* of connections */

    pthread_mutex_t lock; /* over the rest */
    struct connection *by_descriptor;
    int highest; /* descriptor in use so far */
};

static int room_for_descriptors(void);
static int room_for_connections(int descriptors);
static bool arm(const struct connections *connections, int operation, int fd, uint32_t events);

int64_t connections_now_ms(void)
{
    return clock_stopwatch_us() / 1000;
}

/* ---- open, close ---- */

struct connections *connections_open(const struct listener *listener)
{
    struct connections *connections = calloc(1, sizeof *connections);

    if (connections == NULL) {
        return NULL;
    }
    connections->listener = listener;
    connections->room = room_for_descriptors();
    connections->most = room_for_connections(connections->room);
    atomic_init(&connections->count, 0);
    connections->by_descriptor =
        calloc((size_t)connections->room, sizeof *connections->by_descriptor);
    connections->set = epoll_create1(EPOLL_CLOEXEC);
    connections->stop_event = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    atomic_init(&connections->stopping, false);
    atomic_init(&connections->reads, 0);
    atomic_init(&connections->full, false);
    pthread_mutex_init(&connections->lock, NULL);
    if (connections->by_descriptor == NULL || connections->set < 0 || connections->stop_event < 0 ||
        !arm(connections, EPOLL_CTL_ADD, connections->stop_event, EPOLLIN) ||
        !arm(connections, EPOLL_CTL_ADD, listener->fd, EPOLLIN | EPOLLONESHOT)) {
        int error = errno;

        connections_close(connections);
        errno = error;
        return NULL;
    }
    return connections;
}

void connections_close(struct connections *connections)
{
    if (connections == NULL) {
        return;
    }
    for (int fd = 0; connections->by_descriptor != NULL && fd <= connections->highest; fd++) {
        if (connections->by_descriptor[fd].waiting) {
            close(fd);
        }
    }
    if (connections->set >= 0) {
        close(connections->set);
    }
    if (connections->stop_event >= 0) {
        close(connections->stop_event);
    }
    pthread_mutex_destroy(&connections->lock);
    free(connections->by_descriptor);
    free(connections);
}

int connections_room(const struct connections *connections)
{
    return connections->room;
}

static int room_for_descriptors(void)
{
    struct rlimit limit;

    if (getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur > ROOM_MAX) {
        return ROOM_MAX;
    }
    return limit.rlim_cur < ROOM_LEAST ? ROOM_LEAST : (int)limit.rlim_cur;
}

static int room_for_connections(int descriptors)
{
    return descriptors > 2 * RESERVE ? descriptors - RESERVE : descriptors / 4;
}

static bool arm(const struct connections *connections, int operation, int fd, uint32_t events)
{
    struct epoll_event event = {.events = events, .data.fd = fd};

    return epoll_ctl(connections->set, operation, fd, &event) == 0;
}

/* ---- the next connection ---- */

static enum connections_event next_while_stopping(struct connections *connections, bool wait,
                                                  int *connection);
static enum connections_event accept_in_turn(struct connections *connections, int *connection);
static enum connections_event next_of_set(struct connections *connections, bool wait,
                                          int *connection);
static enum connections_event accept_event(struct connections *connections, int *connection);
static enum connections_event accept_one(struct connections *connections, int *connection);
static void take(struct connections *connections, int fd);

enum connections_event connections_next(struct connections *connections, bool wait, int *connection)
{
    enum connections_event next;

    do {
        if (atomic_load(&connections->stopping)) {
            return next_while_stopping(connections, wait, connection);
        }
        next = accept_in_turn(connections, connection);
        if (next == CONNECTIONS_NONE) {
            next = next_of_set(connections, wait, connection);
        }
    } while (next == CONNECTIONS_NONE && wait);
    return next;
}

/* epoll returns ready descriptors in turn, and the listening socket is only one among those of all
 * connections, for each of which one could be accepted. So after some reads, one is accepted. Not
 * after each: a failing accept() is as dear as a successful one. */
static enum connections_event accept_in_turn(struct connections *connections, int *connection)
{
    if (atomic_load(&connections->reads) < READS_PER_ACCEPT || atomic_load(&connections->full)) {
        return CONNECTIONS_NONE;
    }
    atomic_store(&connections->reads, 0);
    return accept_one(connections, connection);
}

static enum connections_event next_of_set(struct connections *connections, bool wait,
                                          int *connection)
{
    struct epoll_event event;
    int count = epoll_wait(connections->set, &event, 1, wait ? -1 : 0);

    if (count < 0 && errno != EINTR) {
        return CONNECTIONS_BROKEN;
    } else if (count <= 0 || event.data.fd == connections->stop_event) {
        return CONNECTIONS_NONE;
    } else if (event.data.fd == connections->listener->fd) {
        return accept_event(connections, connection);
    }
    take(connections, event.data.fd);
    atomic_fetch_add(&connections->reads, 1);
    *connection = event.data.fd;
    return CONNECTIONS_READY;
}

static void take(struct connections *connections, int fd)
{
    pthread_mutex_lock(&connections->lock);
    connections->by_descriptor[fd].waiting = false;
    pthread_mutex_unlock(&connections->lock);
}

/* ---- accepting ---- */

static void add(struct connections *connections, int fd);
static void make_room(struct connections *connections);
static int most_expendable(const struct connections *connections);
static void resume_accepting(struct connections *connections);

/* The listening socket had its event, and is armed again unless there is no room. */
static enum connections_event accept_event(struct connections *connections, int *connection)
{
    enum connections_event accepted = accept_one(connections, connection);

    if (!atomic_load(&connections->full)) {
        resume_accepting(connections);
    }
    return accepted;
}

/* Nothing that is sent or received through a connection ever blocks. */
static enum connections_event accept_one(struct connections *connections, int *connection)
{
    if (atomic_load(&connections->count) >= connections->most) {
        make_room(connections);
        return CONNECTIONS_NONE;
    }
    int fd = accept4(connections->listener->fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);

    if (fd >= connections->room) { /* the limit of open files has been raised since */
        close(fd);
        fd = -1;
        errno = EMFILE;
    }
    if (fd >= 0) {
        add(connections, fd);
        *connection = fd;
        return CONNECTIONS_READY;
    }
    switch (errno) {
    case EMFILE:
    case ENFILE:
    case ENOBUFS:
    case ENOMEM:
        make_room(connections);
        return CONNECTIONS_NONE;
    case EBADF:
    case EINVAL:
    case ENOTSOCK:
    case EOPNOTSUPP:
        return CONNECTIONS_BROKEN;
    default: /* none is waiting: another process took it, or its peer has gone */
        return CONNECTIONS_NONE;
    }
}

static void add(struct connections *connections, int fd)
{
    atomic_fetch_add(&connections->count, 1);
    pthread_mutex_lock(&connections->lock);
    connections->by_descriptor[fd] = (struct connection){.since_ms = connections_now_ms()};
    connections->highest = fd > connections->highest ? fd : connections->highest;
    pthread_mutex_unlock(&connections->lock);
}

/* The listening socket stays unarmed until a connection is closed. */
static void make_room(struct connections *connections)
{
    pthread_mutex_lock(&connections->lock);
    int fd = most_expendable(connections);
    atomic_store(&connections->full, true);
    if (fd >= 0) {
        shutdown(fd, SHUT_RDWR);
    }
    pthread_mutex_unlock(&connections->lock);
}

/* Under the lock: the connection that has been idle longest; without an idle one, the one that has
 * owed the rest of its request longest. -1: none is waiting. */
static int most_expendable(const struct connections *connections)
{
    int chosen = -1;

    for (int fd = 0; fd <= connections->highest; fd++) {
        const struct connection *candidate = &connections->by_descriptor[fd];
        const struct connection *best = chosen >= 0 ? &connections->by_descriptor[chosen] : NULL;

        if (candidate->waiting &&
            (best == NULL || (best->deadline_ms != 0 && candidate->deadline_ms == 0) ||
             ((best->deadline_ms == 0) == (candidate->deadline_ms == 0) &&
              candidate->since_ms < best->since_ms))) {
            chosen = fd;
        }
    }
    return chosen;
}

/* Where the kernel cannot arm it now (no memory), connections_check tries again. */
static void resume_accepting(struct connections *connections)
{
    atomic_store(&connections->full, false);
    if (!atomic_load(&connections->stopping) &&
        !arm(connections, EPOLL_CTL_MOD, connections->listener->fd, EPOLLIN | EPOLLONESHOT)) {
        atomic_store(&connections->full, true);
    }
}

/* ---- giving back ---- */

static void await(struct connections *connections, int fd, bool owes);

void connections_await_rest(struct connections *connections, int connection)
{
    await(connections, connection, true);
}

void connections_await_next(struct connections *connections, int connection)
{
    await(connections, connection, false);
}

static void await(struct connections *connections, int fd, bool owes)
{
    int64_t now_ms = connections_now_ms();
    struct connection *connection = &connections->by_descriptor[fd];

    pthread_mutex_lock(&connections->lock);
    int operation = connection->in_set ? EPOLL_CTL_MOD : EPOLL_CTL_ADD;
    if (!owes) {
        connection->deadline_ms = 0;
    } else if (connection->deadline_ms == 0) {
        connection->deadline_ms = now_ms + CONNECTIONS_PATIENCE_MS;
    }
    connection->since_ms = now_ms;
    connection->in_set = true;
    connection->waiting = true; /* before it is armed, because then it may be taken at once */
    bool armed = arm(connections, operation, fd, EPOLLIN | EPOLLRDHUP | EPOLLONESHOT);
    connection->waiting = armed;
    pthread_mutex_unlock(&connections->lock);
    if (!armed) { /* no memory in the kernel */
        connections_close_one(connections, fd);
    }
}

/* Under the lock, so that all that was done to this descriptor precedes what its next user does. */
void connections_close_one(struct connections *connections, int connection)
{
    pthread_mutex_lock(&connections->lock);
    close(connection);
    pthread_mutex_unlock(&connections->lock);
    connections_forget(connections);
}

void connections_forget(struct connections *connections)
{
    atomic_fetch_sub(&connections->count, 1);
    if (atomic_load(&connections->full)) {
        resume_accepting(connections);
    }
}

/* ---- the watching thread ---- */

static void wake_all(const struct connections *connections);

size_t connections_check(struct connections *connections, int64_t now_ms)
{
    size_t late = 0;

    pthread_mutex_lock(&connections->lock);
    for (int fd = 0; fd <= connections->highest; fd++) {
        struct connection *connection = &connections->by_descriptor[fd];

        if (connection->waiting && connection->deadline_ms != 0 &&
            now_ms >= connection->deadline_ms) {
            shutdown(fd, SHUT_RDWR);
            connection->deadline_ms = 0; /* once */
            late++;
        }
    }
    pthread_mutex_unlock(&connections->lock);
    if (atomic_load(&connections->stopping)) {
        wake_all(connections);
    } else if (atomic_load(&connections->full)) { /* other descriptors may have become free */
        resume_accepting(connections);
    }
    return late;
}

/* ---- stopping ---- */

static int ready_beside_stop(const struct connections *connections);
static bool any_owes(struct connections *connections);
static void pause_briefly(void);

void connections_stop(struct connections *connections)
{
    atomic_store(&connections->stopping, true);
    epoll_ctl(connections->set, EPOLL_CTL_DEL, connections->listener->fd, NULL);
    wake_all(connections);
}

/* Those that wait in epoll_wait. If it fails, connections_check does it again. */
static void wake_all(const struct connections *connections)
{
    uint64_t one = 1;
    ssize_t written = write(connections->stop_event, &one, sizeof one);

    (void)written;
}

/* While a connection owes the rest of its request, the caller looks again and again. */
static enum connections_event next_while_stopping(struct connections *connections, bool wait,
                                                  int *connection)
{
    int fd = ready_beside_stop(connections);

    if (fd >= 0) {
        take(connections, fd);
        *connection = fd;
        return CONNECTIONS_READY;
    } else if (!any_owes(connections)) {
        return CONNECTIONS_STOPPED;
    } else if (wait) {
        pause_briefly();
    }
    return CONNECTIONS_NONE;
}

/* A ready connection, or -1. The stop event is always ready now, and epoll puts what it has
 * returned at the end of its list: so the second try finds a connection if there is one. */
static int ready_beside_stop(const struct connections *connections)
{
    struct epoll_event event;

    for (int tries = 0; tries < 2; tries++) {
        if (epoll_wait(connections->set, &event, 1, 0) == 1 &&
            event.data.fd != connections->stop_event &&
            event.data.fd != connections->listener->fd) {
            return event.data.fd;
        }
    }
    return -1;
}

static bool any_owes(struct connections *connections)
{
    bool owes = false;

    pthread_mutex_lock(&connections->lock);
    for (int fd = 0; fd <= connections->highest && !owes; fd++) {
        const struct connection *connection = &connections->by_descriptor[fd];

        owes = connection->waiting && connection->deadline_ms != 0;
    }
    pthread_mutex_unlock(&connections->lock);
    return owes;
}

static void pause_briefly(void)
{
    struct timespec time = {.tv_nsec = STOPPING_PAUSE_MS * 1000000L};

    nanosleep(&time, NULL);
}
