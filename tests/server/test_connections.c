/* SPDX-License-Identifier: ISC */
/* test_connections.c: who is let in, who has to wait, and who has to go. Time is handed in where it
 * decides, and nobody waits for it. */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cmocka.h>

#include "server/connections.h"

static char directory[] = "/tmp/retoken-door.XXXXXX";
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

/* A new peer's end. */
static int knock(void)
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

static void hear(int peer)
{
    char byte;
    assert_int_equal(read(peer, &byte, 1), 1);
}

/* 0 at the end of the stream, -1 while it is open and silent. */
static ssize_t peek(int fd)
{
    char byte;
    return read(fd, &byte, 1);
}

static int expect_peer(void)
{
    int peer = -1;

    assert_int_equal(connections_next(connections, false, &peer), CONNECTIONS_READY);
    assert_true(peer >= 0 && peer < connections_room(connections));
    return peer;
}

static void expect_nobody(void)
{
    int peer;
    assert_int_equal(connections_next(connections, false, &peer), CONNECTIONS_NONE);
}

static void test_one_has_a_peer_at_a_time(void **state)
{
    int end = knock();
    int peer = expect_peer();

    (void)state;
    expect_nobody();
    say(end); /* not while somebody has it */
    expect_nobody();
    connections_await_rest(connections, peer);
    assert_int_equal(expect_peer(), peer);
    hear(peer);
    connections_await_next(connections, peer);
    expect_nobody();
    say(end);
    assert_int_equal(expect_peer(), peer);
    hear(peer);
    connections_close_one(connections, peer);
    assert_int_equal(peek(end), 0);
    expect_nobody();
}

static void test_all_that_knock_are_let_in(void **state)
{
    int peers[3];

    (void)state;
    for (size_t i = 0; i < 3; i++) {
        knock();
    }
    for (size_t i = 0; i < 3; i++) {
        peers[i] = expect_peer();
        for (size_t k = 0; k < i; k++) {
            assert_int_not_equal(peers[i], peers[k]);
        }
    }
    expect_nobody();
    for (size_t i = 0; i < 3; i++) {
        connections_close_one(connections, peers[i]);
    }
}

/* However many of those who are in have something to say. */
static void test_who_comes_anew_is_let_in_among_others(void **state)
{
    enum { INSIDE = 24, AT_ONCE = 3, SOON = 40 };
    int peers[INSIDE];
    size_t let_in = 0;

    (void)state;
    for (size_t i = 0; i < INSIDE; i++) {
        int end = knock();
        peers[i] = expect_peer();
        say(end);
        connections_await_next(connections, peers[i]);
    }
    for (size_t i = 0; i < AT_ONCE; i++) {
        knock();
    }
    /* in turn with the others, the third of them would come after 75 */
    for (size_t tries = 0; tries < SOON && let_in < AT_ONCE; tries++) {
        int peer = expect_peer();
        bool known = false;
        for (size_t i = 0; i < INSIDE; i++) {
            known = known || peer == peers[i];
        }
        if (known) {
            connections_await_next(connections, peer); /* it still has something to say */
        } else {
            connections_close_one(connections, peer);
            let_in++;
        }
    }
    assert_int_equal(let_in, AT_ONCE);
}

static void test_peer_that_leaves_is_had_once_more(void **state)
{
    int end = knock();
    int peer = expect_peer();

    (void)state;
    connections_await_next(connections, peer);
    shutdown(end, SHUT_RDWR);
    assert_int_equal(expect_peer(), peer);
    assert_int_equal(peek(peer), 0);
    connections_close_one(connections, peer);
}

static void test_patience(void **state)
{
    int64_t begun_ms = connections_now_ms();
    int slow = knock();
    int slow_peer = expect_peer();
    int idle = knock();
    int idle_peer = expect_peer();

    (void)state;
    connections_await_rest(connections, slow_peer);
    connections_await_next(connections, idle_peer);
    assert_int_equal(connections_check(connections, begun_ms + CONNECTIONS_PATIENCE_MS - 1), 0);
    say(slow); /* another byte changes nothing */
    assert_int_equal(expect_peer(), slow_peer);
    hear(slow_peer);
    int64_t between_ms = connections_now_ms();
    connections_await_rest(connections, slow_peer);
    assert_int_equal(connections_check(connections, between_ms + CONNECTIONS_PATIENCE_MS), 1);
    assert_int_equal(connections_check(connections, between_ms + 100 * CONNECTIONS_PATIENCE_MS),
                     0); /* once */
    assert_int_equal(expect_peer(), slow_peer);
    assert_int_equal(peek(slow_peer), 0);
    connections_close_one(connections, slow_peer);
    assert_int_equal(peek(slow), 0);
    assert_int_equal(peek(idle), -1);
    expect_nobody();
}

/* Somebody else's number by the time its peer would have been late. */
static void test_deadline_ends_with_the_request(void **state)
{
    int end = knock();
    int peer = expect_peer();

    (void)state;
    connections_await_rest(connections, peer);
    say(end);
    assert_int_equal(expect_peer(), peer);
    hear(peer);
    assert_int_equal(
        connections_check(connections, connections_now_ms() + 2 * CONNECTIONS_PATIENCE_MS),
        0); /* it is ours */
    connections_await_next(connections, peer);
    assert_int_equal(
        connections_check(connections, connections_now_ms() + 2 * CONNECTIONS_PATIENCE_MS), 0);
    assert_int_equal(peek(end), -1);
}

/* libfcgi has closed it, and its number has become another peer's. */
static void test_number_that_comes_again(void **state)
{
    int peer;

    (void)state;
    knock();
    peer = expect_peer();
    connections_await_rest(connections, peer);
    say(theirs[0]);
    assert_int_equal(expect_peer(), peer);
    close(peer);
    connections_forget(connections);
    int end = knock(); /* takes the number for its own end */
    int other = dup(theirs[0]);
    assert_int_equal(end, peer);
    int next = expect_peer();
    assert_int_not_equal(next, peer);
    assert_int_equal(
        connections_check(connections, connections_now_ms() + 2 * CONNECTIONS_PATIENCE_MS), 0);
    connections_await_next(connections, next);
    say(end);
    assert_int_equal(expect_peer(), next);
    connections_close_one(connections, next);
    close(other);
}

/* One who is in and idle; its end. */
static int theirs_in(int *peer)
{
    int end = knock();

    *peer = expect_peer();
    connections_await_next(connections, *peer);
    return end;
}

static void test_end(void **state)
{
    int silent = knock();
    int silent_peer = expect_peer();
    int ready = knock();
    int ready_peer = expect_peer();
    int half = knock();
    int half_peer = expect_peer();
    int also_peer = -1;
    int peer = -1;

    (void)state;
    connections_await_next(connections, silent_peer);
    connections_await_next(connections, ready_peer);
    connections_await_rest(connections, half_peer);
    int also = theirs_in(&also_peer);
    say(ready);
    say(also);
    connections_stop(connections);
    knock();                   /* too late */
    int first = expect_peer(); /* each that is ready, once */
    int second = expect_peer();
    assert_true((first == ready_peer && second == also_peer) ||
                (first == also_peer && second == ready_peer));
    connections_close_one(connections, ready_peer);
    connections_close_one(connections, also_peer);
    expect_nobody(); /* half a request is still owed */
    say(half);
    assert_int_equal(expect_peer(), half_peer);
    hear(half_peer);
    connections_await_next(connections, half_peer);
    assert_int_equal(connections_next(connections, true, &peer), CONNECTIONS_STOPPED);
    assert_int_equal(connections_next(connections, true, &peer), CONNECTIONS_STOPPED);
    assert_int_equal(peek(silent), -1);
    connections_close_one(connections, half_peer);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_one_has_a_peer_at_a_time, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_all_that_knock_are_let_in, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_who_comes_anew_is_let_in_among_others, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(test_peer_that_leaves_is_had_once_more, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_patience, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_deadline_ends_with_the_request, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_number_that_comes_again, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_end, set_up, tear_down),
    };
    int failed;

    if (mkdtemp(directory) == NULL) {
        return 1;
    }
    failed = cmocka_run_group_tests(tests, NULL, NULL);
    rmdir(directory);
    return failed;
}
