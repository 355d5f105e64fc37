/* SPDX-License-Identifier: ISC */
/* test_listener.c: which sockets are made, replaced, refused and removed. */
#include <arpa/inet.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cmocka.h>

#include "server/listener.h"

static char directory[] = "/tmp/retoken-listener.XXXXXX";
static struct listener listener;
static struct fault fault;

static int enter(void **state)
{
    (void)state;
    return mkdtemp(directory) != NULL && chdir(directory) == 0 ? 0 : -1;
}

static int leave(void **state)
{
    (void)state;
    return chdir("/") == 0 && rmdir(directory) == 0 ? 0 : -1;
}

static int connect_to(const char *path)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);

    strcpy(address.sun_path, path);
    if (connect(fd, (struct sockaddr *)&address, sizeof address) == 0) {
        return fd;
    }
    close(fd);
    return -1;
}

static void test_unix_socket(void **state)
{
    struct stat status;
    mode_t before = umask(077);

    (void)state;
    assert_true(listener_open(&listener, "s", 0660, &fault));
    assert_int_equal(umask(before), 077); /* as it was */
    assert_true(listener_is_one(listener.fd));
    assert_false(listener.over_tcp);
    assert_int_equal(stat("s", &status), 0);
    assert_true(S_ISSOCK(status.st_mode));
    assert_int_equal(status.st_mode & 0777, 0660);
    assert_true((fcntl(listener.fd, F_GETFL) & O_NONBLOCK) != 0);
    assert_true((fcntl(listener.fd, F_GETFD) & FD_CLOEXEC) != 0);
    int fd = connect_to("s");
    assert_true(fd >= 0);
    assert_false(listener_is_one(fd));
    close(fd);
    listener_close(&listener);
    assert_int_equal(access("s", F_OK), -1);
    listener_close(&listener); /* harmless */
}

static void test_one_that_is_used_stays(void **state)
{
    struct listener second;

    (void)state;
    assert_true(listener_open(&listener, "s", 0600, &fault));
    assert_false(listener_open(&second, "s", 0600, &fault));
    assert_string_equal(fault.text, "s: another process is listening there");
    int fd = connect_to("s");
    assert_true(fd >= 0);
    close(fd);
    listener_close(&listener);
}

static void test_stale_one_is_replaced(void **state)
{
    (void)state;
    assert_true(listener_open(&listener, "s", 0600, &fault));
    close(listener.fd); /* as kill -9 does: the file stays */
    assert_int_equal(connect_to("s"), -1);
    assert_true(listener_open(&listener, "s", 0600, &fault));
    int fd = connect_to("s");
    assert_true(fd >= 0);
    close(fd);
    listener_close(&listener);
}

static void test_other_files_stay(void **state)
{
    (void)state;
    close(open("f", O_CREAT | O_WRONLY, 0600));
    assert_int_equal(symlink("f", "l"), 0);
    assert_false(listener_open(&listener, "f", 0600, &fault));
    assert_string_equal(fault.text, "f exists and is not a socket; it is left as it is");
    assert_false(listener_open(&listener, "l", 0600, &fault));
    assert_int_equal(access("f", F_OK), 0);
    unlink("l");
    unlink("f");

    /* one that took our name in the meantime is not ours to remove */
    assert_true(listener_open(&listener, "s", 0600, &fault));
    unlink("s");
    close(open("s", O_CREAT | O_WRONLY, 0600));
    listener_close(&listener);
    assert_int_equal(access("s", F_OK), 0);
    unlink("s");
}

static void test_refused_places(void **state)
{
    static const char *const places[] = {
        "0.0.0.0:9000",   "192.0.2.1:9000", "[::]:9000",       "localhost:9000",
        ":9000",          "127.0.0.1:",     "127.0.0.1:0",     "127.0.0.1:70000",
        "127.0.0.1:http", "[::1]:-1",       "127.0.0.1:9000x",
    };
    char path[200];

    (void)state;
    for (size_t i = 0; i < sizeof places / sizeof *places; i++) {
        char expected[256];
        snprintf(expected, sizeof expected,
                 "--listen %s: not a loopback address; write the path of a Unix socket, "
                 "127.0.0.1:PORT or [::1]:PORT",
                 places[i]);
        assert_false(listener_open(&listener, places[i], 0600, &fault));
        assert_string_equal(fault.text, expected);
    }
    memset(path, 'a', sizeof path - 1);
    path[sizeof path - 1] = '\0';
    assert_false(listener_open(&listener, path, 0600, &fault));
    assert_string_equal(fault.text, "--listen: the path of a socket has 1 to 107 bytes");
    assert_false(listener_open(&listener, "", 0600, &fault));
    assert_false(listener_open(&listener, "none/s", 0600, &fault));
    assert_string_equal(fault.text,
                        "cannot create the socket none/s: No such file or directory; make its "
                        "directory, as root: install -d -o USER DIRECTORY");
}

/* A socket that listens on any free port of this address. */
static int listening_on(const char *address)
{
    struct sockaddr_in in = {.sin_family = AF_INET};
    int fd = socket(AF_INET, SOCK_STREAM, 0);

    assert_int_equal(inet_pton(AF_INET, address, &in.sin_addr), 1);
    assert_int_equal(bind(fd, (struct sockaddr *)&in, sizeof in), 0);
    assert_int_equal(listen(fd, 1), 0);
    return fd;
}

static void test_adopted_sockets(void **state)
{
    (void)state;
    int fd = listening_on("127.0.0.1");
    assert_true(listener_is_one(fd));
    assert_true(listener_adopt(&listener, fd, &fault));
    assert_true(listener.over_tcp);
    assert_true((fcntl(fd, F_GETFL) & O_NONBLOCK) != 0);
    listener_close(&listener);

    fd = listening_on("0.0.0.0");
    assert_false(listener_adopt(&listener, fd, &fault));
    assert_non_null(strstr(fault.text, "open to other machines"));
    close(fd);

    assert_true(listener_open(&listener, "s", 0600, &fault));
    struct listener again;
    assert_true(listener_adopt(&again, dup(listener.fd), &fault));
    assert_false(again.over_tcp);
    listener_close(&again);
    assert_int_equal(access("s", F_OK), 0); /* not the adopter's to remove */
    listener_close(&listener);
}

static void test_what_is_none(void **state)
{
    int pipe_ends[2];

    (void)state;
    assert_false(listener_is_one(-1));
    assert_int_equal(pipe(pipe_ends), 0);
    assert_false(listener_is_one(pipe_ends[0]));
    close(pipe_ends[0]);
    close(pipe_ends[1]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_unix_socket),           cmocka_unit_test(test_one_that_is_used_stays),
        cmocka_unit_test(test_stale_one_is_replaced), cmocka_unit_test(test_other_files_stay),
        cmocka_unit_test(test_refused_places),        cmocka_unit_test(test_adopted_sockets),
        cmocka_unit_test(test_what_is_none),
    };
    return cmocka_run_group_tests(tests, enter, leave);
}
