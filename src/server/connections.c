/* SPDX-License-Identifier: ISC */
/* connections.c: one epoll set with the listening socket and all connections. Each is armed for one
 * event (EPOLLONESHOT), so that one thread has it at a time, and armed again when it is given back.
 * A peer is closed only by the thread that has it: who is late is shut down, which is an event too.
 *
 * When hardly a descriptor is left, the peer that has been idle longest has to go, and nobody is
 * let in until one is gone: the backlog waits in the kernel. */
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

/* Of descriptors; RESERVE are for files of our own, and for requests in pieces. */
enum { ROOM_MAX = 65536, ROOM_LEAST = 64, RESERVE = 32 };

enum { INSIDE_FIRST = 8, ENDING_PAUSE_MS = 10 };

/* One descriptor's peer. */
struct peer {
    bool waiting;        /* it is nobody's: armed, and the watcher may shut it down */
    bool in_set;         /* epoll knows it */
    int64_t since_ms;    /* since when it waits */
    int64_t deadline_ms; /* 0 = none */
};

struct connections {
    const struct listener *listener;
    int set;        /* epoll's descriptor */
    int stop_event; /* readable for ever once it is time to stop */
    atomic_bool stopping;
    atomic_uint served_inside; /* since somebody looked who stands outside */
    atomic_bool full;          /* the listening socket is not armed */
    int room;                  /* for descriptors */
    int most;                  /* peers */
    atomic_int inside;         /* so many are in */

    pthread_mutex_t lock; /* over the rest */
    struct peer *peers;   /* by descriptor */
    int highest;
};

int64_t connections_now_ms(void)
{
    return clock_stopwatch_us() / 1000;
}

/* ---- open, close ---- */

static bool arm(const struct connections *connections, int operation, int fd, uint32_t events)
{
    struct epoll_event event = {.events = events, .data.fd = fd};

    return epoll_ctl(connections->set, operation, fd, &event) == 0;
}

static int room_for_descriptors(void)
{
    struct rlimit limit;

    if (getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur > ROOM_MAX) {
        return ROOM_MAX;
    }
    return limit.rlim_cur < ROOM_LEAST ? ROOM_LEAST : (int)limit.rlim_cur;
}

static int room_for_peers(int descriptors)
{
    return descriptors > 2 * RESERVE ? descriptors - RESERVE : descriptors / 4;
}

struct connections *connections_open(const struct listener *listener)
{
    struct connections *connections = calloc(1, sizeof *connections);

    if (connections == NULL) {
        return NULL;
    }
    connections->listener = listener;
    connections->room = room_for_descriptors();
    connections->most = room_for_peers(connections->room);
    atomic_init(&connections->inside, 0);
    connections->peers = calloc((size_t)connections->room, sizeof *connections->peers);
    connections->set = epoll_create1(EPOLL_CLOEXEC);
    connections->stop_event = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    atomic_init(&connections->stopping, false);
    atomic_init(&connections->served_inside, 0);
    atomic_init(&connections->full, false);
    pthread_mutex_init(&connections->lock, NULL);
    if (connections->peers == NULL || connections->set < 0 || connections->stop_event < 0 ||
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
    for (int fd = 0; connections->peers != NULL && fd <= connections->highest; fd++) {
        if (connections->peers[fd].waiting) {
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
    free(connections->peers);
    free(connections);
}

int connections_room(const struct connections *connections)
{
    return connections->room;
}

/* ---- letting in ---- */

/* Under the lock: the peer that has been idle longest; failing that, the one that owes us the rest
 * of its request longest. -1: none waits. */
static int most_expendable(const struct connections *connections)
{
    int chosen = -1;

    for (int fd = 0; fd <= connections->highest; fd++) {
        const struct peer *peer = &connections->peers[fd];
        const struct peer *best = chosen >= 0 ? &connections->peers[chosen] : NULL;

        if (peer->waiting && (best == NULL || (best->deadline_ms != 0 && peer->deadline_ms == 0) ||
                              ((best->deadline_ms == 0) == (peer->deadline_ms == 0) &&
                               peer->since_ms < best->since_ms))) {
            chosen = fd;
        }
    }
    return chosen;
}

/* Hardly a descriptor is left. The listening socket stays unarmed until one is given back. */
static void make_room(struct connections *connections)
{
    pthread_mutex_lock(&connections->lock);
    int peer = most_expendable(connections);
    atomic_store(&connections->full, true);
    if (peer >= 0) {
        shutdown(peer, SHUT_RDWR);
    }
    pthread_mutex_unlock(&connections->lock);
}

static void let_in_again(struct connections *connections)
{
    atomic_store(&connections->full, false);
    if (!atomic_load(&connections->stopping)) {
        arm(connections, EPOLL_CTL_MOD, connections->listener->fd, EPOLLIN | EPOLLONESHOT);
    }
}

static void begin(struct connections *connections, int fd)
{
    atomic_fetch_add(&connections->inside, 1);
    pthread_mutex_lock(&connections->lock);
    connections->peers[fd] = (struct peer){.since_ms = connections_now_ms()};
    connections->highest = fd > connections->highest ? fd : connections->highest;
    pthread_mutex_unlock(&connections->lock);
}

/* Nothing that is sent or received through it ever blocks. */
static enum connections_event let_in(struct connections *connections, int *peer)
{
    if (atomic_load(&connections->inside) >= connections->most) {
        make_room(connections);
        return CONNECTIONS_NONE;
    }
    int fd = accept4(connections->listener->fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);

    if (fd >= connections->room) { /* above the limit of open files as it was when we started */
        close(fd);
        fd = -1;
        errno = EMFILE;
    }
    if (fd >= 0) {
        begin(connections, fd);
        *peer = fd;
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
    default: /* nobody there; or another process took it, or its peer has gone */
        return CONNECTIONS_NONE;
    }
}

/* The listening socket had an event, and is armed again unless there is no room. */
static enum connections_event open_up(struct connections *connections, int *peer)
{
    enum connections_event let = let_in(connections, peer);

    if (!atomic_load(&connections->full)) {
        let_in_again(connections);
    }
    return let;
}

/* The set gives its events in turn, and the listening socket's is one among those of all that are
 * in: each would let in one. So after some who were in, one who stands outside comes next. (Not
 * after each: to accept nobody costs the kernel as much as to accept somebody.) */
static enum connections_event look_outside(struct connections *connections, int *peer)
{
    if (atomic_load(&connections->served_inside) < INSIDE_FIRST ||
        atomic_load(&connections->full)) {
        return CONNECTIONS_NONE;
    }
    atomic_store(&connections->served_inside, 0);
    return let_in(connections, peer);
}

/* ---- whose turn it is ---- */

static void take(struct connections *connections, int fd)
{
    pthread_mutex_lock(&connections->lock);
    connections->peers[fd].waiting = false;
    pthread_mutex_unlock(&connections->lock);
}

static bool anybody_owes(struct connections *connections)
{
    bool owes = false;

    pthread_mutex_lock(&connections->lock);
    for (int fd = 0; fd <= connections->highest && !owes; fd++) {
        owes = connections->peers[fd].waiting && connections->peers[fd].deadline_ms != 0;
    }
    pthread_mutex_unlock(&connections->lock);
    return owes;
}

static void pause_briefly(void)
{
    struct timespec time = {.tv_nsec = ENDING_PAUSE_MS * 1000000L};
    nanosleep(&time, NULL);
}

/* A ready peer, now that the stop event is ready for ever: it stands among them, and whoever was
 * given stands last. -1: none. */
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

/* Once it is time to stop: what those who are in have still to say. Who waits for the rest of a
 * request looks now and then. */
static enum connections_event next_at_the_end(struct connections *connections, bool wait, int *peer)
{
    int fd = ready_beside_stop(connections);

    if (fd >= 0) {
        take(connections, fd);
        *peer = fd;
        return CONNECTIONS_READY;
    } else if (!anybody_owes(connections)) {
        return CONNECTIONS_STOPPED;
    } else if (wait) {
        pause_briefly();
    }
    return CONNECTIONS_NONE;
}

/* One event of the set. */
static enum connections_event next_of_set(struct connections *connections, bool wait, int *peer)
{
    struct epoll_event event;
    int count = epoll_wait(connections->set, &event, 1, wait ? -1 : 0);

    if (count < 0 && errno != EINTR) {
        return CONNECTIONS_BROKEN;
    } else if (count <= 0 || event.data.fd == connections->stop_event) {
        return CONNECTIONS_NONE;
    } else if (event.data.fd == connections->listener->fd) {
        return open_up(connections, peer);
    }
    take(connections, event.data.fd);
    atomic_fetch_add(&connections->served_inside, 1);
    *peer = event.data.fd;
    return CONNECTIONS_READY;
}

enum connections_event connections_next(struct connections *connections, bool wait, int *peer)
{
    enum connections_event next;

    do {
        if (atomic_load(&connections->stopping)) {
            return next_at_the_end(connections, wait, peer);
        }
        next = look_outside(connections, peer);
        if (next == CONNECTIONS_NONE) {
            next = next_of_set(connections, wait, peer);
        }
    } while (next == CONNECTIONS_NONE && wait);
    return next;
}

static void await(struct connections *connections, int fd, bool owes)
{
    int64_t now_ms = connections_now_ms();
    struct peer *peer = &connections->peers[fd];

    pthread_mutex_lock(&connections->lock);
    int operation = peer->in_set ? EPOLL_CTL_MOD : EPOLL_CTL_ADD;
    if (!owes) {
        peer->deadline_ms = 0;
    } else if (peer->deadline_ms == 0) {
        peer->deadline_ms = now_ms + CONNECTIONS_PATIENCE_MS;
    }
    peer->since_ms = now_ms;
    peer->in_set = true;
    peer->waiting = true; /* before it is armed: then another thread may have it at once */
    bool armed = arm(connections, operation, fd, EPOLLIN | EPOLLRDHUP | EPOLLONESHOT);
    peer->waiting = armed;
    pthread_mutex_unlock(&connections->lock);
    if (!armed) { /* no memory in the kernel */
        connections_close_one(connections, fd);
    }
}

void connections_await_rest(struct connections *connections, int peer)
{
    await(connections, peer, true);
}

void connections_await_next(struct connections *connections, int peer)
{
    await(connections, peer, false);
}

/* Under the lock, so that what was done to this number comes before what its next owner does. */
void connections_close_one(struct connections *connections, int peer)
{
    pthread_mutex_lock(&connections->lock);
    close(peer);
    pthread_mutex_unlock(&connections->lock);
    connections_forget(connections);
}

void connections_forget(struct connections *connections)
{
    atomic_fetch_sub(&connections->inside, 1);
    if (atomic_load(&connections->full)) {
        let_in_again(connections);
    }
}

/* ---- from outside ---- */

size_t connections_check(struct connections *connections, int64_t now_ms)
{
    size_t late = 0;

    pthread_mutex_lock(&connections->lock);
    for (int fd = 0; fd <= connections->highest; fd++) {
        struct peer *peer = &connections->peers[fd];

        if (peer->waiting && peer->deadline_ms != 0 && now_ms >= peer->deadline_ms) {
            shutdown(fd, SHUT_RDWR);
            peer->deadline_ms = 0; /* once */
            late++;
        }
    }
    pthread_mutex_unlock(&connections->lock);
    if (atomic_load(&connections->full)) { /* descriptors that are not ours may have become free */
        let_in_again(connections);
    }
    return late;
}

void connections_stop(struct connections *connections)
{
    uint64_t one = 1;

    atomic_store(&connections->stopping, true);
    epoll_ctl(connections->set, EPOLL_CTL_DEL, connections->listener->fd, NULL);
    /* Cannot fail but by overflow, which is readable too. */
    if (write(connections->stop_event, &one, sizeof one) < 0) {
        return;
    }
}
