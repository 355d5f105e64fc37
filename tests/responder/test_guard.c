/* test_guard.c: when a connection is ended, and that its waiting reader wakes. Time is handed in.
 */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "responder/guard.h"

enum { NOW = 5000000 };

struct pair {
    struct guard guard;
    int ours, theirs;
};

static int set_up(void **state)
{
    static struct pair pair;
    int ends[2];

    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, ends) != 0 ||
        !guard_open(&pair.guard)) {
        return -1;
    }
    pair.ours = ends[0];
    pair.theirs = ends[1];
    *state = &pair;
    return guard_begin(&pair.guard, pair.ours, NOW) ? 0 : -1;
}

static int tear_down(void **state)
{
    struct pair *pair = *state;

    guard_end(&pair->guard);
    guard_close(&pair->guard);
    close(pair->theirs);
    return close(pair->ours);
}

/* 0 at the end of the stream, -1 while it is open and silent. */
static ssize_t peek(int fd)
{
    char byte;
    return read(fd, &byte, 1);
}

static void test_shuts_down_when_time_is_over(void **state)
{
    struct pair *pair = *state;

    assert_false(guard_check(&pair->guard, NOW));
    assert_false(guard_check(&pair->guard, NOW + GUARD_PATIENCE_MS - 1));
    assert_int_equal(peek(pair->ours), -1);
    assert_true(guard_check(&pair->guard, NOW + GUARD_PATIENCE_MS));
    assert_int_equal(peek(pair->ours), 0);
    assert_int_equal(peek(pair->theirs), 0);
    assert_false(guard_check(&pair->guard, NOW + 10 * GUARD_PATIENCE_MS)); /* once */
}

static void test_pause_and_wait(void **state)
{
    struct pair *pair = *state;

    guard_pause(&pair->guard);
    assert_false(guard_check(&pair->guard, NOW + 10 * GUARD_PATIENCE_MS));
    guard_wait(&pair->guard, NOW + 20 * GUARD_PATIENCE_MS);
    assert_false(guard_check(&pair->guard, NOW + 21 * GUARD_PATIENCE_MS - 1));
    assert_true(guard_check(&pair->guard, NOW + 21 * GUARD_PATIENCE_MS));
    assert_int_equal(peek(pair->theirs), 0);
}

/* libfcgi closes its descriptor by itself; the number may be somebody else's by the time. */
static void test_never_touches_a_reused_descriptor(void **state)
{
    struct pair *pair = *state;
    int other[2];

    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, other), 0);
    assert_int_equal(dup2(other[0], pair->ours), pair->ours); /* closes it and takes its number */
    assert_true(guard_check(&pair->guard, NOW + GUARD_PATIENCE_MS));
    assert_int_equal(peek(other[1]), -1);
    assert_int_equal(peek(pair->theirs), 0);
    close(other[0]);
    close(other[1]);
}

static void test_after_the_end(void **state)
{
    struct pair *pair = *state;

    guard_end(&pair->guard);
    assert_false(guard_check(&pair->guard, NOW + 10 * GUARD_PATIENCE_MS));
    assert_int_equal(peek(pair->theirs), -1);
    assert_false(guard_begin(&pair->guard, -1, NOW));
    assert_true(guard_begin(&pair->guard, pair->ours, NOW));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_shuts_down_when_time_is_over, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_pause_and_wait, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_never_touches_a_reused_descriptor, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_after_the_end, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
