/* door.c: one epoll set with the listening socket and all connections. Each is armed for one event
 * (EPOLLONESHOT), so that one thread has it at a time, and armed again when it is given back. A
 * peer is closed only by the thread that has it: who is late is shut down, which is an event too.
 *
 * When hardly a descriptor is left, the peer that has been idle longest has to go, and nobody is
 * let in until one is gone: the backlog waits in the kernel. */
#include "responder/door.h"

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

struct door {
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

int64_t door_now_ms(void)
{
    return clock_stopwatch_us() / 1000;
}

/* ---- open, close ---- */

static bool arm(const struct door *door, int operation, int fd, uint32_t events)
{
    struct epoll_event event = {.events = events, .data.fd = fd};

    return epoll_ctl(door->set, operation, fd, &event) == 0;
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

struct door *door_open(const struct listener *listener)
{
    struct door *door = calloc(1, sizeof *door);

    if (door == NULL) {
        return NULL;
    }
    door->listener = listener;
    door->room = room_for_descriptors();
    door->most = room_for_peers(door->room);
    atomic_init(&door->inside, 0);
    door->peers = calloc((size_t)door->room, sizeof *door->peers);
    door->set = epoll_create1(EPOLL_CLOEXEC);
    door->stop_event = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    atomic_init(&door->stopping, false);
    atomic_init(&door->served_inside, 0);
    atomic_init(&door->full, false);
    pthread_mutex_init(&door->lock, NULL);
    if (door->peers == NULL || door->set < 0 || door->stop_event < 0 ||
        !arm(door, EPOLL_CTL_ADD, door->stop_event, EPOLLIN) ||
        !arm(door, EPOLL_CTL_ADD, listener->fd, EPOLLIN | EPOLLONESHOT)) {
        int error = errno;

        door_close(door);
        errno = error;
        return NULL;
    }
    return door;
}

void door_close(struct door *door)
{
    if (door == NULL) {
        return;
    }
    for (int fd = 0; door->peers != NULL && fd <= door->highest; fd++) {
        if (door->peers[fd].waiting) {
            close(fd);
        }
    }
    if (door->set >= 0) {
        close(door->set);
    }
    if (door->stop_event >= 0) {
        close(door->stop_event);
    }
    pthread_mutex_destroy(&door->lock);
    free(door->peers);
    free(door);
}

int door_room(const struct door *door)
{
    return door->room;
}

/* ---- letting in ---- */

/* Under the lock: the peer that has been idle longest; failing that, the one that owes us the rest
 * of its request longest. -1: none waits. */
static int most_expendable(const struct door *door)
{
    int chosen = -1;

    for (int fd = 0; fd <= door->highest; fd++) {
        const struct peer *peer = &door->peers[fd];
        const struct peer *best = chosen >= 0 ? &door->peers[chosen] : NULL;

        if (peer->waiting && (best == NULL || (best->deadline_ms != 0 && peer->deadline_ms == 0) ||
                              ((best->deadline_ms == 0) == (peer->deadline_ms == 0) &&
                               peer->since_ms < best->since_ms))) {
            chosen = fd;
        }
    }
    return chosen;
}

/* Hardly a descriptor is left. The listening socket stays unarmed until one is given back. */
static void make_room(struct door *door)
{
    pthread_mutex_lock(&door->lock);
    int peer = most_expendable(door);
    atomic_store(&door->full, true);
    if (peer >= 0) {
        shutdown(peer, SHUT_RDWR);
    }
    pthread_mutex_unlock(&door->lock);
}

static void let_in_again(struct door *door)
{
    atomic_store(&door->full, false);
    if (!atomic_load(&door->stopping)) {
        arm(door, EPOLL_CTL_MOD, door->listener->fd, EPOLLIN | EPOLLONESHOT);
    }
}

static void begin(struct door *door, int fd)
{
    atomic_fetch_add(&door->inside, 1);
    pthread_mutex_lock(&door->lock);
    door->peers[fd] = (struct peer){.since_ms = door_now_ms()};
    door->highest = fd > door->highest ? fd : door->highest;
    pthread_mutex_unlock(&door->lock);
}

/* Nothing that is sent or received through it ever blocks. */
static enum door_event let_in(struct door *door, int *peer)
{
    if (atomic_load(&door->inside) >= door->most) {
        make_room(door);
        return DOOR_NOBODY;
    }
    int fd = accept4(door->listener->fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);

    if (fd >= door->room) { /* above the limit of open files as it was when we started */
        close(fd);
        fd = -1;
        errno = EMFILE;
    }
    if (fd >= 0) {
        begin(door, fd);
        *peer = fd;
        return DOOR_PEER;
    }
    switch (errno) {
    case EMFILE:
    case ENFILE:
    case ENOBUFS:
    case ENOMEM:
        make_room(door);
        return DOOR_NOBODY;
    case EBADF:
    case EINVAL:
    case ENOTSOCK:
    case EOPNOTSUPP:
        return DOOR_BROKEN;
    default: /* nobody there; or another process took it, or its peer has gone */
        return DOOR_NOBODY;
    }
}

/* The listening socket had an event, and is armed again unless there is no room. */
static enum door_event open_up(struct door *door, int *peer)
{
    enum door_event let = let_in(door, peer);

    if (!atomic_load(&door->full)) {
        let_in_again(door);
    }
    return let;
}

/* The set gives its events in turn, and the listening socket's is one among those of all that are
 * in: each would let in one. So after some who were in, one who stands outside comes next. (Not
 * after each: to accept nobody costs the kernel as much as to accept somebody.) */
static enum door_event look_outside(struct door *door, int *peer)
{
    if (atomic_load(&door->served_inside) < INSIDE_FIRST || atomic_load(&door->full)) {
        return DOOR_NOBODY;
    }
    atomic_store(&door->served_inside, 0);
    return let_in(door, peer);
}

/* ---- whose turn it is ---- */

static void take(struct door *door, int fd)
{
    pthread_mutex_lock(&door->lock);
    door->peers[fd].waiting = false;
    pthread_mutex_unlock(&door->lock);
}

static bool anybody_owes(struct door *door)
{
    bool owes = false;

    pthread_mutex_lock(&door->lock);
    for (int fd = 0; fd <= door->highest && !owes; fd++) {
        owes = door->peers[fd].waiting && door->peers[fd].deadline_ms != 0;
    }
    pthread_mutex_unlock(&door->lock);
    return owes;
}

static void pause_briefly(void)
{
    struct timespec time = {.tv_nsec = ENDING_PAUSE_MS * 1000000L};
    nanosleep(&time, NULL);
}

/* A ready peer, now that the stop event is ready for ever: it stands among them, and whoever was
 * given stands last. -1: none. */
static int ready_beside_stop(const struct door *door)
{
    struct epoll_event event;

    for (int tries = 0; tries < 2; tries++) {
        if (epoll_wait(door->set, &event, 1, 0) == 1 && event.data.fd != door->stop_event &&
            event.data.fd != door->listener->fd) {
            return event.data.fd;
        }
    }
    return -1;
}

/* Once it is time to stop: what those who are in have still to say. Who waits for the rest of a
 * request looks now and then. */
static enum door_event next_at_the_end(struct door *door, bool wait, int *peer)
{
    int fd = ready_beside_stop(door);

    if (fd >= 0) {
        take(door, fd);
        *peer = fd;
        return DOOR_PEER;
    } else if (!anybody_owes(door)) {
        return DOOR_STOPPED;
    } else if (wait) {
        pause_briefly();
    }
    return DOOR_NOBODY;
}

/* One event of the set. */
static enum door_event next_of_set(struct door *door, bool wait, int *peer)
{
    struct epoll_event event;
    int count = epoll_wait(door->set, &event, 1, wait ? -1 : 0);

    if (count < 0 && errno != EINTR) {
        return DOOR_BROKEN;
    } else if (count <= 0 || event.data.fd == door->stop_event) {
        return DOOR_NOBODY;
    } else if (event.data.fd == door->listener->fd) {
        return open_up(door, peer);
    }
    take(door, event.data.fd);
    atomic_fetch_add(&door->served_inside, 1);
    *peer = event.data.fd;
    return DOOR_PEER;
}

enum door_event door_next(struct door *door, bool wait, int *peer)
{
    enum door_event next;

    do {
        if (atomic_load(&door->stopping)) {
            return next_at_the_end(door, wait, peer);
        }
        next = look_outside(door, peer);
        if (next == DOOR_NOBODY) {
            next = next_of_set(door, wait, peer);
        }
    } while (next == DOOR_NOBODY && wait);
    return next;
}

static void await(struct door *door, int fd, bool owes)
{
    int64_t now_ms = door_now_ms();
    struct peer *peer = &door->peers[fd];

    pthread_mutex_lock(&door->lock);
    int operation = peer->in_set ? EPOLL_CTL_MOD : EPOLL_CTL_ADD;
    if (!owes) {
        peer->deadline_ms = 0;
    } else if (peer->deadline_ms == 0) {
        peer->deadline_ms = now_ms + DOOR_PATIENCE_MS;
    }
    peer->since_ms = now_ms;
    peer->in_set = true;
    peer->waiting = true; /* before it is armed: then another thread may have it at once */
    bool armed = arm(door, operation, fd, EPOLLIN | EPOLLRDHUP | EPOLLONESHOT);
    peer->waiting = armed;
    pthread_mutex_unlock(&door->lock);
    if (!armed) { /* no memory in the kernel */
        door_dismiss(door, fd);
    }
}

void door_await_rest(struct door *door, int peer)
{
    await(door, peer, true);
}

void door_await_next(struct door *door, int peer)
{
    await(door, peer, false);
}

/* Under the lock, so that what was done to this number comes before what its next owner does. */
void door_dismiss(struct door *door, int peer)
{
    pthread_mutex_lock(&door->lock);
    close(peer);
    pthread_mutex_unlock(&door->lock);
    door_forget(door);
}

void door_forget(struct door *door)
{
    atomic_fetch_sub(&door->inside, 1);
    if (atomic_load(&door->full)) {
        let_in_again(door);
    }
}

/* ---- from outside ---- */

size_t door_check(struct door *door, int64_t now_ms)
{
    size_t late = 0;

    pthread_mutex_lock(&door->lock);
    for (int fd = 0; fd <= door->highest; fd++) {
        struct peer *peer = &door->peers[fd];

        if (peer->waiting && peer->deadline_ms != 0 && now_ms >= peer->deadline_ms) {
            shutdown(fd, SHUT_RDWR);
            peer->deadline_ms = 0; /* once */
            late++;
        }
    }
    pthread_mutex_unlock(&door->lock);
    if (atomic_load(&door->full)) { /* descriptors that are not ours may have become free */
        let_in_again(door);
    }
    return late;
}

void door_stop(struct door *door)
{
    uint64_t one = 1;

    atomic_store(&door->stopping, true);
    epoll_ctl(door->set, EPOLL_CTL_DEL, door->listener->fd, NULL);
    /* Cannot fail but by overflow, which is readable too. */
    if (write(door->stop_event, &one, sizeof one) < 0) {
        return;
    }
}
