/* SPDX-License-Identifier: ISC */
/* test_connections.c: which connections are accepted, which are ready, and which are shut down. The
 * time is handed in where it matters, so that no test waits for it. */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <unistd.h>

#include <cmocka.h>

#include "server/connections.h"

/* ---- a kernel without memory: these stand before libc's ---- */

static atomic_int failing_arms;  /* of the listening socket */
static atomic_int failing_wakes; /* of those that wait */
static int listening;

int epoll_ctl(int set, int operation, int fd, struct epoll_event *event)
{
    if (operation == EPOLL_CTL_MOD && fd == listening && atomic_load(&failing_arms) > 0) {
        atomic_fetch_sub(&failing_arms, 1);
        errno = ENOMEM;
        return -1;
    }
    return (int)syscall(SYS_epoll_ctl, set, operation, fd, event);
}

ssize_t write(int fd, const void *data, size_t size)
{
    if (size == sizeof(uint64_t) && atomic_load(&failing_wakes) > 0) {
        atomic_fetch_sub(&failing_wakes, 1);
        errno = ENOMEM;
        return -1;
    }
    return syscall(SYS_write, fd, data, size);
}

/* ---- an epoll that returns the listening socket only when nothing else is ready ----
 * The kernel's own order is fair enough to hide much. */

static bool unfair;
static atomic_int waits; /* that may last */

int epoll_wait(int set, struct epoll_event *events, int room, int ms)
{
    static struct epoll_event seen[64];
    static size_t count;
    const size_t sigset_size = 8;
    size_t chosen = 0;
    long got;

    atomic_fetch_add(&waits, ms != 0 ? 1 : 0);
    if (!unfair) {
        count = 0;
        return (int)syscall(SYS_epoll_pwait, set, events, room, ms, NULL, sigset_size);
    }
    assert_int_equal(room, 1);
    got = syscall(SYS_epoll_pwait, set, seen + count, 64 - (int)count, 0, NULL, sigset_size);
    count += got > 0 ? (size_t)got : 0;
    if (count == 0) {
        return 0;
    }
    while (chosen + 1 < count && seen[chosen].data.fd == listening) {
        chosen++;
    }
    *events = seen[chosen];
    count--;
    memmove(seen + chosen, seen + chosen + 1, (count - chosen) * sizeof *seen);
    return 1;
}

/* ---- the connections of a test ---- */

static char directory[] = "/tmp/retoken-connections.XXXXXX";
static struct listener listener;
static struct connections *connections;
static int theirs[32]; /* the other ends */
static size_t count;

static int set_up(void **state)
{
    static char path[128];
    struct fault fault;

    (void)state;
    count = 0;
    snprintf(path, sizeof path, "%s/socket", directory);
    if (!listener_open(&listener, path, 0600, &fault)) {
        return -1;
    }
    listening = listener.fd;
    connections = connections_open(&listener);
    return connections != NULL ? 0 : -1;
}

static int tear_down(void **state)
{
    (void)state;
    while (count > 0) {
        close(theirs[--count]);
    }
    connections_close(connections);
    listener_close(&listener);
    return 0;
}

/* A new connection; its other end. */
static int connect_one(void)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

    snprintf(address.sun_path, sizeof address.sun_path, "%s/socket", directory);
    assert_int_equal(connect(fd, (struct sockaddr *)&address, sizeof address), 0);
    theirs[count++] = fd;
    return fd;
}

static void say(int fd)
{
    assert_int_equal(write(fd, "x", 1), 1);
}

static void hear(int connection)
{
    char byte;
    assert_int_equal(read(connection, &byte, 1), 1);
}

/* 0 at the end of the stream, -1 while it is open and silent. */
static ssize_t peek(int fd)
{
    char byte;
    return read(fd, &byte, 1);
}

static int expect_ready(void)
{
    int connection = -1;

    assert_int_equal(connections_next(connections, false, &connection), CONNECTIONS_READY);
    assert_true(connection >= 0 && connection < connections_room(connections));
    return connection;
}

static void expect_none(void)
{
    int connection;
    assert_int_equal(connections_next(connections, false, &connection), CONNECTIONS_NONE);
}

static void test_one_owner_at_a_time(void **state)
{
    int end = connect_one();
    int connection = expect_ready();

    (void)state;
    expect_none();
    say(end); /* not while it is owned */
    expect_none();
    connections_await_rest(connections, connection);
    assert_int_equal(expect_ready(), connection);
    hear(connection);
    connections_await_next(connections, connection);
    expect_none();
    say(end);
    assert_int_equal(expect_ready(), connection);
    hear(connection);
    connections_close_one(connections, connection);
    assert_int_equal(peek(end), 0);
    expect_none();
}

static void test_all_are_accepted(void **state)
{
    int mine[3];

    (void)state;
    for (size_t i = 0; i < 3; i++) {
        connect_one();
    }
    for (size_t i = 0; i < 3; i++) {
        mine[i] = expect_ready();
        for (size_t k = 0; k < i; k++) {
            assert_int_not_equal(mine[i], mine[k]);
        }
    }
    expect_none();
    for (size_t i = 0; i < 3; i++) {
        connections_close_one(connections, mine[i]);
    }
}

/* However many connections are ready. */
static void test_new_ones_are_accepted_among_busy_ones(void **state)
{
    enum { BUSY = 24, AT_ONCE = 3, SOON = 40 };
    int mine[BUSY];
    size_t accepted = 0;

    (void)state;
    for (size_t i = 0; i < BUSY; i++) {
        int end = connect_one();
        mine[i] = expect_ready();
        say(end);
        connections_await_next(connections, mine[i]);
    }
    for (size_t i = 0; i < AT_ONCE; i++) {
        connect_one();
    }
    unfair = true;
    for (size_t tries = 0; tries < SOON && accepted < AT_ONCE; tries++) {
        int connection = expect_ready();
        bool known = false;
        for (size_t i = 0; i < BUSY; i++) {
            known = known || connection == mine[i];
        }
        if (known) {
            connections_await_next(connections, connection); /* it is still ready */
        } else {
            connections_close_one(connections, connection);
            accepted++;
        }
    }
    unfair = false;
    assert_int_equal(accepted, AT_ONCE);
}

/* With room for 64 files there is room for 16 connections. When all is taken, the next waits until
 * one leaves, and no longer. */
static void test_one_leaves_and_the_next_comes(void **state)
{
    enum { MOST = 16 };
    struct rlimit before, small;
    int mine[MOST];

    tear_down(state);
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
    small = (struct rlimit){64, before.rlim_max};
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &small), 0);
    assert_int_equal(set_up(state), 0);
    for (size_t i = 0; i < MOST; i++) {
        connect_one();
        mine[i] = expect_ready();
    }
    connect_one();
    expect_none();
    connections_close_one(connections, mine[0]);
    mine[0] = expect_ready();
    for (size_t i = 0; i < MOST; i++) {
        connections_close_one(connections, mine[i]);
    }
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
}

static void test_a_listening_socket_is_armed_again(void **state)
{
    int first, second;

    (void)state;
    atomic_store(&failing_arms, 2);
    connect_one();
    first = expect_ready();
    connect_one();
    expect_none(); /* it is deaf */
    connections_check(connections, connections_now_ms());
    expect_none();
    connections_check(connections, connections_now_ms());
    second = expect_ready();
    connections_close_one(connections, first);
    connections_close_one(connections, second);
}

static void *wait_for_stop(void *self)
{
    int connection;

    (void)self;
    assert_int_equal(connections_next(connections, true, &connection), CONNECTIONS_STOPPED);
    return NULL;
}

static void test_stop_is_told_again(void **state)
{
    pthread_t thread;

    (void)state;
    atomic_store(&failing_wakes, 1);
    atomic_store(&waits, 0);
    assert_int_equal(pthread_create(&thread, NULL, wait_for_stop, NULL), 0);
    while (atomic_load(&waits) == 0) { /* before it, the thread would see that it shall stop */
        sched_yield();
    }
    connections_stop(connections);
    connections_check(connections, connections_now_ms());
    pthread_join(thread, NULL); /* hangs, until the alarm, when it was not */
}

static void test_an_end_is_an_event(void **state)
{
    int end = connect_one();
    int connection = expect_ready();

    (void)state;
    connections_await_next(connections, connection);
    shutdown(end, SHUT_RDWR);
    assert_int_equal(expect_ready(), connection);
    assert_int_equal(peek(connection), 0);
    connections_close_one(connections, connection);
}

static void test_patience(void **state)
{
    int64_t begun_ms = connections_now_ms();
    int slow = connect_one();
    int slow_connection = expect_ready();
    int idle = connect_one();
    int idle_connection = expect_ready();

    (void)state;
    connections_await_rest(connections, slow_connection);
    connections_await_next(connections, idle_connection);
    assert_int_equal(connections_check(connections, begun_ms + CONNECTIONS_PATIENCE_MS - 1), 0);
    say(slow); /* another byte changes nothing */
    assert_int_equal(expect_ready(), slow_connection);
    hear(slow_connection);
    int64_t between_ms = connections_now_ms();
    connections_await_rest(connections, slow_connection);
    assert_int_equal(connections_check(connections, between_ms + CONNECTIONS_PATIENCE_MS), 1);
    assert_int_equal(connections_check(connections, between_ms + 100 * CONNECTIONS_PATIENCE_MS),
                     0); /* once */
    assert_int_equal(expect_ready(), slow_connection);
    assert_int_equal(peek(slow_connection), 0);
    connections_close_one(connections, slow_connection);
    assert_int_equal(peek(slow), 0);
    assert_int_equal(peek(idle), -1);
    expect_none();
}

/* By the time it would have been late, it owes nothing. */
static void test_deadline_ends_with_the_request(void **state)
{
    int end = connect_one();
    int connection = expect_ready();

    (void)state;
    connections_await_rest(connections, connection);
    say(end);
    assert_int_equal(expect_ready(), connection);
    hear(connection);
    assert_int_equal(
        connections_check(connections, connections_now_ms() + 2 * CONNECTIONS_PATIENCE_MS),
        0); /* it is owned */
    connections_await_next(connections, connection);
    assert_int_equal(
        connections_check(connections, connections_now_ms() + 2 * CONNECTIONS_PATIENCE_MS), 0);
    assert_int_equal(peek(end), -1);
}

/* libfcgi has closed it, and the descriptor is in use again. */
static void test_descriptor_used_again(void **state)
{
    int connection;

    (void)state;
    connect_one();
    connection = expect_ready();
    connections_await_rest(connections, connection);
    say(theirs[0]);
    assert_int_equal(expect_ready(), connection);
    close(connection);
    connections_forget(connections);
    int end = connect_one(); /* takes the descriptor for its own end */
    int other = dup(theirs[0]);
    assert_int_equal(end, connection);
    int next = expect_ready();
    assert_int_not_equal(next, connection);
    assert_int_equal(
        connections_check(connections, connections_now_ms() + 2 * CONNECTIONS_PATIENCE_MS), 0);
    connections_await_next(connections, next);
    say(end);
    assert_int_equal(expect_ready(), next);
    connections_close_one(connections, next);
    close(other);
}

/* An idle connection; its other end. */
static int connect_idle(int *connection)
{
    int end = connect_one();

    *connection = expect_ready();
    connections_await_next(connections, *connection);
    return end;
}

static void test_stop(void **state)
{
    int silent = connect_one();
    int silent_connection = expect_ready();
    int ready = connect_one();
    int ready_connection = expect_ready();
    int half = connect_one();
    int half_connection = expect_ready();
    int also_connection = -1;
    int connection = -1;

    (void)state;
    connections_await_next(connections, silent_connection);
    connections_await_next(connections, ready_connection);
    connections_await_rest(connections, half_connection);
    int also = connect_idle(&also_connection);
    say(ready);
    say(also);
    connections_stop(connections);
    connect_one();              /* too late */
    int first = expect_ready(); /* each that is ready, once */
    int second = expect_ready();
    assert_true((first == ready_connection && second == also_connection) ||
                (first == also_connection && second == ready_connection));
    connections_close_one(connections, ready_connection);
    connections_close_one(connections, also_connection);
    expect_none(); /* half a request is still owed */
    say(half);
    assert_int_equal(expect_ready(), half_connection);
    hear(half_connection);
    connections_await_next(connections, half_connection);
    assert_int_equal(connections_next(connections, true, &connection), CONNECTIONS_STOPPED);
    assert_int_equal(connections_next(connections, true, &connection), CONNECTIONS_STOPPED);
    assert_int_equal(peek(silent), -1);
    connections_close_one(connections, half_connection);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_one_owner_at_a_time, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_all_are_accepted, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_new_ones_are_accepted_among_busy_ones, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(test_one_leaves_and_the_next_comes, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_a_listening_socket_is_armed_again, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_stop_is_told_again, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_an_end_is_an_event, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_patience, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_deadline_ends_with_the_request, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_descriptor_used_again, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_stop, set_up, tear_down),
    };
    int failed;

    if (mkdtemp(directory) == NULL) {
        return 1;
    }
    alarm(120); /* a test that hangs has failed */
    failed = cmocka_run_group_tests(tests, NULL, NULL);
    rmdir(directory);
    return failed;
}
