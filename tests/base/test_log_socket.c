/* SPDX-License-Identifier: ISC */
/* test_log_socket.c: what a log daemon gets, and what becomes of lines that it does not take. */
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

#include "base/log_socket.h"

static char directory[] = "/tmp/retoken-log-socket.XXXXXX";
static char target[128];
static struct sockaddr_un address = {.sun_family = AF_UNIX};
static int receiver = -1;

static int make_directory(void **state)
{
    (void)state;
    if (mkdtemp(directory) == NULL) {
        return -1;
    }
    snprintf(address.sun_path, sizeof address.sun_path, "%s/daemon", directory);
    return 0;
}

static int remove_directory(void **state)
{
    (void)state;
    unlink(address.sun_path);
    return rmdir(directory);
}

static void listen_again(void)
{
    if (receiver >= 0) {
        close(receiver);
    }
    unlink(address.sun_path);
    receiver = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    assert_true(receiver >= 0);
    assert_int_equal(bind(receiver, (const struct sockaddr *)&address, sizeof address), 0);
}

static void open_log(const char *scheme)
{
    struct fault fault;

    listen_again();
    snprintf(target, sizeof target, "%s:%s", scheme, address.sun_path);
    assert_true(log_open(target, LOG_LEVEL_NOTICE, &fault));
}

/* The next line; NULL when there is none. */
static const char *received(void)
{
    static char text[4096];
    ssize_t size = recv(receiver, text, sizeof text - 1, 0);

    text[size > 0 ? size : 0] = '\0';
    return size < 0 ? NULL : text;
}

static void test_syslog(void **state)
{
    char expected[128];

    (void)state;
    open_log("syslog");
    log_line(LOG_LEVEL_NOTICE, "refresh client=%s", "a\nb");
    snprintf(expected, sizeof expected, "<29>retoken[%ld]: notice refresh client=a\\x0ab",
             (long)getpid());
    assert_string_equal(received(), expected);
    log_line(LOG_LEVEL_ERROR, "x");
    snprintf(expected, sizeof expected, "<27>retoken[%ld]: error x", (long)getpid());
    assert_string_equal(received(), expected);
    log_line(LOG_LEVEL_INFO, "too much");
    assert_null(received());
}

/* Each field is a line, so a line must not hold another one. */
static void test_journal(void **state)
{
    (void)state;
    open_log("journal");
    log_line(LOG_LEVEL_NOTICE, "refresh client=%s", "a\nPRIORITY=0");
    assert_string_equal(received(), "PRIORITY=5\nSYSLOG_FACILITY=3\nSYSLOG_IDENTIFIER=retoken\n"
                                    "MESSAGE=notice refresh client=a\\x0aPRIORITY=0\n");
}

static void test_daemon_that_starts_again(void **state)
{
    (void)state;
    open_log("syslog");
    log_line(LOG_LEVEL_NOTICE, "one");
    listen_again();
    log_line(LOG_LEVEL_NOTICE, "two");
    assert_non_null(strstr(received(), "notice two"));
    assert_null(received());
}

/* Counts what it reads; the last line is in `last`. */
static unsigned drain(char last[4096])
{
    unsigned count = 0;

    for (const char *line; (line = received()) != NULL; count++) {
        strcpy(last, line);
    }
    return count;
}

static void test_slow_daemon_holds_nothing_up(void **state)
{
    enum { LINES = 100000 };
    char last[4096];
    char expected[64];

    (void)state;
    open_log("syslog");
    for (int i = 0; i < LINES; i++) {
        log_line(LOG_LEVEL_NOTICE, "line");
    }
    unsigned took = drain(last);
    assert_true(took > 0 && took < LINES);
    log_line(LOG_LEVEL_NOTICE, "line");
    log_line(LOG_LEVEL_NOTICE, "line");
    assert_non_null(strstr(received(), "notice line"));
    snprintf(expected, sizeof expected, "error lost: %u lines, ", LINES - took);
    assert_non_null(strstr(received(), expected));
    assert_int_equal(drain(last), 1); /* which is told once */
}

static void test_absent_daemon_leaves_standard_error(void **state)
{
    char text[4096] = "";
    int before = dup(STDERR_FILENO);
    int ends[2];

    (void)state;
    open_log("syslog");
    assert_true(log_socket_answers(text_of(target)));
    assert_null(received());
    close(receiver);
    receiver = -1;
    assert_false(log_socket_answers(text_of(target)));
    assert_int_equal(errno, ECONNREFUSED);
    assert_int_equal(pipe2(ends, O_CLOEXEC | O_NONBLOCK), 0);
    assert_true(dup2(ends[1], STDERR_FILENO) >= 0);
    log_line(LOG_LEVEL_NOTICE, "refused");
    unlink(address.sun_path);
    log_line(LOG_LEVEL_NOTICE, "absent");
    dup2(before, STDERR_FILENO);
    assert_true(read(ends[0], text, sizeof text - 1) > 0);
    assert_string_equal(text, "notice refused\nnotice absent\n");
    close(ends[0]);
    close(ends[1]);
    close(before);
}

static void test_targets(void **state)
{
    static const char *const wrong[] = {"syslog:", "syslog:dev/log", "journal:"};
    char path[200] = "syslog:/";

    (void)state;
    assert_true(log_socket_is_one(TEXT(LOG_SOCKET_SYSLOG)));
    assert_true(log_socket_is_one(TEXT(LOG_SOCKET_JOURNAL)));
    assert_true(log_socket_fits(TEXT(LOG_SOCKET_SYSLOG)));
    assert_true(log_socket_fits(TEXT(LOG_SOCKET_JOURNAL)));
    assert_false(log_socket_is_one(TEXT("syslog")));
    assert_false(log_socket_is_one(TEXT("/var/log/syslog:")));
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        assert_false(log_socket_fits(text_of(wrong[i])));
    }
    memset(path + strlen(path), 'x', 106);
    assert_true(log_socket_fits(text_of(path)));
    strcat(path, "x");
    assert_false(log_socket_fits(text_of(path)));
    assert_false(log_socket_fits(TEXT("syslog:/a\0b")));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_syslog),
        cmocka_unit_test(test_journal),
        cmocka_unit_test(test_daemon_that_starts_again),
        cmocka_unit_test(test_slow_daemon_holds_nothing_up),
        cmocka_unit_test(test_absent_daemon_leaves_standard_error),
        cmocka_unit_test(test_targets),
    };
    return cmocka_run_group_tests(tests, make_directory, remove_directory);
}
