/* test_door.c: who is let in, who has to wait, and who has to go. Time is handed in where it
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

#include "responder/door.h"

static char directory[] = "/tmp/retoken-door.XXXXXX";
static struct listener listener;
static struct door *door;
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
    door = door_open(&listener);
    return door != NULL ? 0 : -1;
}

static int tear_down(void **state)
{
    (void)state;
    while (count > 0) {
        close(theirs[--count]);
    }
    door_close(door);
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

    assert_int_equal(door_next(door, false, &peer), DOOR_PEER);
    assert_true(peer >= 0 && peer < door_room(door));
    return peer;
}

static void expect_nobody(void)
{
    int peer;
    assert_int_equal(door_next(door, false, &peer), DOOR_NOBODY);
}

static void test_one_has_a_peer_at_a_time(void **state)
{
    int end = knock();
    int peer = expect_peer();

    (void)state;
    expect_nobody();
    say(end); /* not while somebody has it */
    expect_nobody();
    door_await_rest(door, peer);
    assert_int_equal(expect_peer(), peer);
    hear(peer);
    door_await_next(door, peer);
    expect_nobody();
    say(end);
    assert_int_equal(expect_peer(), peer);
    hear(peer);
    door_dismiss(door, peer);
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
        door_dismiss(door, peers[i]);
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
        door_await_next(door, peers[i]);
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
            door_await_next(door, peer); /* it still has something to say */
        } else {
            door_dismiss(door, peer);
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
    door_await_next(door, peer);
    shutdown(end, SHUT_RDWR);
    assert_int_equal(expect_peer(), peer);
    assert_int_equal(peek(peer), 0);
    door_dismiss(door, peer);
}

static void test_patience(void **state)
{
    int64_t begun_ms = door_now_ms();
    int slow = knock();
    int slow_peer = expect_peer();
    int idle = knock();
    int idle_peer = expect_peer();

    (void)state;
    door_await_rest(door, slow_peer);
    door_await_next(door, idle_peer);
    assert_int_equal(door_check(door, begun_ms + DOOR_PATIENCE_MS - 1), 0);
    say(slow); /* another byte changes nothing */
    assert_int_equal(expect_peer(), slow_peer);
    hear(slow_peer);
    int64_t between_ms = door_now_ms();
    door_await_rest(door, slow_peer);
    assert_int_equal(door_check(door, between_ms + DOOR_PATIENCE_MS), 1);
    assert_int_equal(door_check(door, between_ms + 100 * DOOR_PATIENCE_MS), 0); /* once */
    assert_int_equal(expect_peer(), slow_peer);
    assert_int_equal(peek(slow_peer), 0);
    door_dismiss(door, slow_peer);
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
    door_await_rest(door, peer);
    say(end);
    assert_int_equal(expect_peer(), peer);
    hear(peer);
    assert_int_equal(door_check(door, door_now_ms() + 2 * DOOR_PATIENCE_MS), 0); /* it is ours */
    door_await_next(door, peer);
    assert_int_equal(door_check(door, door_now_ms() + 2 * DOOR_PATIENCE_MS), 0);
    assert_int_equal(peek(end), -1);
}

/* libfcgi has closed it, and its number has become another peer's. */
static void test_number_that_comes_again(void **state)
{
    int peer;

    (void)state;
    knock();
    peer = expect_peer();
    door_await_rest(door, peer);
    say(theirs[0]);
    assert_int_equal(expect_peer(), peer);
    close(peer);
    door_forget(door);
    int end = knock(); /* takes the number for its own end */
    int other = dup(theirs[0]);
    assert_int_equal(end, peer);
    int next = expect_peer();
    assert_int_not_equal(next, peer);
    assert_int_equal(door_check(door, door_now_ms() + 2 * DOOR_PATIENCE_MS), 0);
    door_await_next(door, next);
    say(end);
    assert_int_equal(expect_peer(), next);
    door_dismiss(door, next);
    close(other);
}

/* One who is in and idle; its end. */
static int theirs_in(int *peer)
{
    int end = knock();

    *peer = expect_peer();
    door_await_next(door, *peer);
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
    door_await_next(door, silent_peer);
    door_await_next(door, ready_peer);
    door_await_rest(door, half_peer);
    int also = theirs_in(&also_peer);
    say(ready);
    say(also);
    door_stop(door);
    knock();                   /* too late */
    int first = expect_peer(); /* each that is ready, once */
    int second = expect_peer();
    assert_true((first == ready_peer && second == also_peer) ||
                (first == also_peer && second == ready_peer));
    door_dismiss(door, ready_peer);
    door_dismiss(door, also_peer);
    expect_nobody(); /* half a request is still owed */
    say(half);
    assert_int_equal(expect_peer(), half_peer);
    hear(half_peer);
    door_await_next(door, half_peer);
    assert_int_equal(door_next(door, true, &peer), DOOR_STOPPED);
    assert_int_equal(door_next(door, true, &peer), DOOR_STOPPED);
    assert_int_equal(peek(silent), -1);
    door_dismiss(door, half_peer);
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
