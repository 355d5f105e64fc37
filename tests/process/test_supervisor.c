/* SPDX-License-Identifier: ISC */
/* test_supervisor.c: what is passed, to whom, and what is told to a supervisor that the test is. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "process/supervisor.h"

static void set_number(const char *name, int64_t value)
{
    char text[32];

    snprintf(text, sizeof text, "%" PRId64, value);
    assert_int_equal(setenv(name, text, 1), 0);
}

/* ---- sockets ---- */

static void test_socket_of_this_process(void **state)
{
    struct fault fault;
    int fd;

    (void)state;
    set_number("LISTEN_PID", getpid());
    set_number("LISTEN_FDS", 1);
    setenv("LISTEN_FDNAMES", "retoken.socket", 1);
    assert_true(supervisor_take_socket(&fd, &fault));
    assert_int_equal(fd, 3);
    assert_null(getenv("LISTEN_PID"));
    assert_null(getenv("LISTEN_FDS"));
    assert_null(getenv("LISTEN_FDNAMES"));
    assert_true(supervisor_take_socket(&fd, &fault)); /* once only */
    assert_int_equal(fd, -1);
}

static void test_socket_of_another_process(void **state)
{
    static const char *const pids[] = {"1", "", "x", NULL};
    struct fault fault;
    int fd;

    (void)state;
    for (size_t i = 0; i < sizeof pids / sizeof pids[0]; i++) {
        set_number("LISTEN_FDS", 1);
        if (pids[i] != NULL) {
            setenv("LISTEN_PID", pids[i], 1);
        }
        assert_true(supervisor_take_socket(&fd, &fault));
        assert_int_equal(fd, -1);
        assert_null(getenv("LISTEN_FDS"));
    }
}

static void test_several_sockets(void **state)
{
    struct fault fault;
    int fd;

    (void)state;
    set_number("LISTEN_PID", getpid());
    set_number("LISTEN_FDS", 2);
    assert_false(supervisor_take_socket(&fd, &fault));
    assert_string_equal(fault.text, "2 sockets were passed; start one process for each");
    assert_int_equal(fd, -1);
}

/* ---- messages ---- */

static char directory[] = "/tmp/retoken-supervisor.XXXXXX";

/* The supervisor's socket, at this address, which is also NOTIFY_SOCKET. */
static int listen_at(const char *where)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    size_t size = strlen(where);

    memcpy(address.sun_path, where, size);
    if (where[0] == '@') {
        address.sun_path[0] = '\0';
    }
    assert_int_equal(
        bind(fd, (struct sockaddr *)&address,
             (socklen_t)(offsetof(struct sockaddr_un, sun_path) + size + (where[0] != '@'))),
        0);
    setenv("NOTIFY_SOCKET", where, 1);
    return fd;
}

/* "" when there is no message. */
static const char *heard(int fd)
{
    static char text[512];
    ssize_t size = recv(fd, text, sizeof text - 1, 0);

    text[size > 0 ? size : 0] = '\0';
    return text;
}

static void check_messages(const char *where)
{
    struct supervisor supervisor;
    struct timespec before, after;
    struct fault fault;
    int64_t us;
    int fd = listen_at(where);

    assert_true(supervisor_open(&supervisor, &fault));
    assert_null(getenv("NOTIFY_SOCKET"));
    supervisor_ready(&supervisor, "Serving requests");
    assert_string_equal(heard(fd), "READY=1\nSTATUS=Serving requests");
    clock_gettime(CLOCK_MONOTONIC, &before);
    supervisor_reloading(&supervisor);
    clock_gettime(CLOCK_MONOTONIC, &after);
    assert_int_equal(sscanf(heard(fd), "RELOADING=1\nMONOTONIC_USEC=%" SCNd64, &us), 1);
    assert_true(us >= (int64_t)before.tv_sec * 1000000 + before.tv_nsec / 1000 &&
                us <= (int64_t)after.tv_sec * 1000000 + after.tv_nsec / 1000);
    supervisor_alive(&supervisor);
    assert_string_equal(heard(fd), "WATCHDOG=1");
    supervisor_stopping(&supervisor);
    assert_string_equal(heard(fd), "STOPPING=1");
    assert_string_equal(heard(fd), "");
    close(supervisor.socket);
    close(fd);
}

static void test_messages_to_a_path(void **state)
{
    char path[sizeof directory + 16];

    (void)state;
    snprintf(path, sizeof path, "%s/notify", directory);
    check_messages(path);
    assert_int_equal(unlink(path), 0);
}

static void test_messages_to_an_abstract_name(void **state)
{
    char name[64];

    (void)state;
    snprintf(name, sizeof name, "@retoken-test-%ld", (long)getpid());
    check_messages(name);
}

/* Never waits, and is not ended by it. */
static void test_supervisor_that_is_gone(void **state)
{
    struct supervisor supervisor;
    struct fault fault;
    char path[sizeof directory + 16];

    (void)state;
    snprintf(path, sizeof path, "%s/notify", directory);
    int fd = listen_at(path);
    assert_true(supervisor_open(&supervisor, &fault));
    for (int i = 0; i < 100000; i++) { /* more than it has room for */
        supervisor_alive(&supervisor);
    }
    close(fd);
    supervisor_alive(&supervisor);
    assert_int_equal(unlink(path), 0);
    supervisor_alive(&supervisor);
    close(supervisor.socket);
}

static void test_no_supervisor(void **state)
{
    struct supervisor supervisor;
    struct fault fault;

    (void)state;
    assert_true(supervisor_open(&supervisor, &fault));
    assert_false(supervisor_is_due(&supervisor));
    supervisor_ready(&supervisor, "Serving requests");
    supervisor_stopping(&supervisor);
}

static void test_addresses_that_are_none(void **state)
{
    char lengthy[200];
    const char *const wrong[] = {"relative", "vsock:1:2", lengthy};
    struct supervisor supervisor;
    struct fault fault;

    (void)state;
    memset(lengthy, 'x', sizeof lengthy - 1);
    lengthy[0] = '/';
    lengthy[sizeof lengthy - 1] = '\0';
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        setenv("NOTIFY_SOCKET", wrong[i], 1);
        assert_false(supervisor_open(&supervisor, &fault));
        assert_non_null(strstr(fault.text, "Invalid argument"));
        supervisor_ready(&supervisor, "Serving requests");
    }
}

/* ---- the watchdog ---- */

static bool is_due(const char *us, int64_t pid)
{
    struct supervisor supervisor;
    struct fault fault;
    char name[64];

    snprintf(name, sizeof name, "@retoken-test-%ld", (long)getpid());
    setenv("NOTIFY_SOCKET", name, 1);
    setenv("WATCHDOG_USEC", us, 1);
    if (pid != 0) {
        set_number("WATCHDOG_PID", pid);
    }
    assert_true(supervisor_open(&supervisor, &fault));
    assert_null(getenv("WATCHDOG_USEC"));
    assert_null(getenv("WATCHDOG_PID"));
    bool due = supervisor_is_due(&supervisor);
    if (due) {
        supervisor_alive(&supervisor);
        assert_false(supervisor_is_due(&supervisor));
        supervisor.fed_us -= supervisor.watchdog_us / 4;
        assert_true(supervisor_is_due(&supervisor));
    }
    close(supervisor.socket);
    return due;
}

static void test_watchdog(void **state)
{
    (void)state;
    assert_true(is_due("60000000", getpid()));
    assert_true(is_due("60000000", 0));
    assert_false(is_due("60000000", getpid() + 1));
    assert_false(is_due("0", getpid()));
    assert_false(is_due("-1", getpid()));
    assert_false(is_due("soon", getpid()));
}

static int enter(void **state)
{
    (void)state;
    return mkdtemp(directory) != NULL ? 0 : -1;
}

static int leave(void **state)
{
    (void)state;
    return rmdir(directory);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_socket_of_this_process),
        cmocka_unit_test(test_socket_of_another_process),
        cmocka_unit_test(test_several_sockets),
        cmocka_unit_test(test_messages_to_a_path),
        cmocka_unit_test(test_messages_to_an_abstract_name),
        cmocka_unit_test(test_supervisor_that_is_gone),
        cmocka_unit_test(test_no_supervisor),
        cmocka_unit_test(test_addresses_that_are_none),
        cmocka_unit_test(test_watchdog),
    };
    return cmocka_run_group_tests(tests, enter, leave);
}
