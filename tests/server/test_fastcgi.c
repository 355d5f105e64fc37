/* SPDX-License-Identifier: ISC */
/* test_fastcgi.c: from bytes on a connection to an exchange, and from its response to bytes, over a
 * real socket and the real libfcgi, in one thread. */
#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/sanitized.h"
#include "base/valgrind.h"
#include "server/fastcgi.h"

enum { LIMIT = 1000, BIG = 300 * 1024 };
enum { BEGIN = 1, ABORT = 2, END = 3, PARAMS = 4, STDIN = 5, STDOUT = 6 };
enum { KEEP = 1 };

static char directory[] = "/tmp/retoken-fastcgi.XXXXXX";
static struct listener listener;
static struct connections *connections;
static struct fastcgi *fastcgi;
static int client;

/* ---- the application ---- */

static size_t handled;
static struct http_exchange *held; /* not answered yet */
static bool hold;
static enum http_method method;
static enum http_body body_state;
static char body[LIMIT + 1];
static size_t body_size;

static void answer(struct http_exchange *exchange)
{
    http_response_start(&exchange->response, 200);
    http_response_header_c(&exchange->response, "X-Test", "yes");
    exchange->response.body = TEXT("answer\n");
    exchange->answered(exchange);
}

static void handle(void *self, struct http_exchange *exchange)
{
    (void)self;
    handled++;
    method = exchange->request.method;
    body_state = exchange->request.body_state;
    body_size = exchange->request.body.size;
    assert_true(body_size <= LIMIT);
    if (body_size > 0) {
        memcpy(body, exchange->request.body.data, body_size);
    }
    if (hold) {
        held = exchange;
    } else {
        answer(exchange);
    }
}

static size_t body_limit(void *self)
{
    (void)self;
    return LIMIT;
}

static const struct server_handler handler = {.handle = handle, .body_limit = body_limit};

static const char expected[] = "Status: 200 OK\r\n"
                               "X-Content-Type-Options: nosniff\r\n"
                               "X-Test: yes\r\n"
                               "Content-Length: 7\r\n"
                               "\r\n"
                               "answer\n";

/* ---- the web server ---- */

static unsigned char bytes[2 * BIG];
static size_t size;

static void add_record(int type, const void *content, size_t content_size, size_t padding)
{
    const unsigned char header[8] = {1,
                                     (unsigned char)type,
                                     0,
                                     1,
                                     (unsigned char)(content_size >> 8),
                                     (unsigned char)content_size,
                                     (unsigned char)padding};

    assert_true(content_size <= 65535 && size + 8 + content_size + padding <= sizeof bytes);
    memcpy(bytes + size, header, 8);
    if (content_size > 0) {
        memcpy(bytes + size + 8, content, content_size);
    }
    memset(bytes + size + 8 + content_size, '*', padding);
    size += 8 + content_size + padding;
}

static size_t add_pair(char *params, const char *name, const char *value)
{
    return (size_t)sprintf(params, "%c%c%s%s", (char)strlen(name), (char)strlen(value), name,
                           value);
}

/* Adds a request with a body of `body_bytes` letters; `length` is its CONTENT_LENGTH. */
static void add_request(const char *its_method, int flags, size_t padding, size_t body_bytes,
                        size_t length)
{
    static char letters[BIG];
    const unsigned char begin[8] = {0, 1, (unsigned char)flags};
    char params[200];
    char number[24];

    for (size_t i = 0; i < BIG; i++) {
        letters[i] = (char)('a' + i % 26);
    }
    snprintf(number, sizeof number, "%zu", length);
    size_t params_size = add_pair(params, "REQUEST_METHOD", its_method);
    params_size += add_pair(params + params_size, "CONTENT_LENGTH", number);
    add_record(BEGIN, begin, sizeof begin, padding);
    add_record(PARAMS, params, params_size, 0);
    add_record(PARAMS, NULL, 0, padding);
    for (size_t at = 0; at < body_bytes; at += 30000) {
        size_t part = body_bytes - at < 30000 ? body_bytes - at : 30000;
        add_record(STDIN, letters + at, part, 0);
    }
    add_record(STDIN, NULL, 0, 0);
}

static void connect_client(void)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};

    client = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    snprintf(address.sun_path, sizeof address.sun_path, "%s/socket", directory);
    assert_int_equal(connect(client, (struct sockaddr *)&address, sizeof address), 0);
}

/* Everything the server can do now. */
static void pump(void)
{
    int connection;

    while (connections_next(connections, false, &connection) == CONNECTIONS_READY) {
        fastcgi_receive(fastcgi, connection);
    }
}

/* Sends what was added, so many bytes at a time, and lets the server receive each piece. */
static void send_in_pieces(size_t piece)
{
    for (size_t at = 0; at < size;) {
        size_t rest = size - at < piece ? size - at : piece;
        ssize_t put = send(client, bytes + at, rest, MSG_NOSIGNAL);

        assert_true(put > 0);
        at += (size_t)put;
        pump();
    }
    size = 0;
}

static void send_all(void)
{
    send_in_pieces(SIZE_MAX);
}

/* What has arrived by now; false at the end of the connection. */
static bool receive(unsigned char *out, size_t room, size_t *got)
{
    ssize_t count;

    *got = 0;
    while ((count = recv(client, out + *got, room - *got, 0)) > 0) {
        *got += (size_t)count;
    }
    return count < 0 && errno == EAGAIN;
}

/* The response has come, as STDOUT and then END_REQUEST, and nothing else. Is the connection still
 * open? */
static bool expect_response(const char *text)
{
    unsigned char in[4096];
    char out[4096] = "";
    size_t got;
    size_t out_size = 0;
    bool ended = false;
    bool open = receive(in, sizeof in, &got);

    for (size_t at = 0; at < got;) {
        size_t content = (size_t)in[at + 4] << 8 | in[at + 5];

        assert_false(ended);
        ended = in[at + 1] == END;
        if (in[at + 1] == STDOUT) {
            memcpy(out + out_size, in + at + 8, content);
            out_size += content;
        }
        at += 8 + content + in[at + 6];
    }
    assert_true(ended);
    out[out_size] = '\0';
    assert_string_equal(out, text);
    return open;
}

static void expect_nothing(bool open)
{
    unsigned char in[64];
    size_t got;

    assert_int_equal(receive(in, sizeof in, &got), open);
    assert_int_equal(got, 0);
}

static void expect_body(enum http_body state, size_t wanted)
{
    assert_int_equal(body_state, state);
    assert_int_equal(body_size, wanted);
    for (size_t i = 0; i < wanted; i++) {
        assert_int_equal(body[i], 'a' + i % 26);
    }
}

/* ---- tests ---- */

static int set_up(void **state)
{
    static char path[128];
    struct fault fault;

    (void)state;
    handled = 0;
    held = NULL;
    hold = false;
    size = 0;
    snprintf(path, sizeof path, "%s/socket", directory);
    if (!listener_open(&listener, path, 0600, &fault)) {
        return -1;
    }
    connections = connections_open(&listener);
    fastcgi = connections != NULL ? fastcgi_open(connections, &handler, false) : NULL;
    if (fastcgi == NULL) {
        return -1;
    }
    connect_client();
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    close(client);
    fastcgi_close(fastcgi);
    connections_close(connections);
    listener_close(&listener);
    return 0;
}

static void test_one_request(void **state)
{
    (void)state;
    add_request("POST", 0, 0, 20, 20);
    send_all();
    assert_int_equal(handled, 1);
    assert_int_equal(method, HTTP_POST);
    expect_body(HTTP_BODY_WHOLE, 20);
    assert_false(expect_response(expected)); /* it did not ask us to keep the connection */
}

static void test_kept_connection(void **state)
{
    (void)state;
    for (size_t i = 1; i <= 3; i++) {
        add_request("POST", KEEP, 0, 10 * i, 10 * i);
        send_all();
        assert_int_equal(handled, i);
        expect_body(HTTP_BODY_WHOLE, 10 * i);
        assert_true(expect_response(expected));
    }
    add_request("GET", 0, 0, 0, 0);
    send_all();
    expect_body(HTTP_BODY_WHOLE, 0);
    assert_false(expect_response(expected));
}

#ifndef SANITIZED
struct block {
    struct block *next;
};

/* All there is. */
static struct block *use_up_memory(void)
{
    struct block *blocks = NULL;
    struct block *block;

    setrlimit(RLIMIT_AS, &(struct rlimit){1, RLIM_INFINITY});
    for (size_t room = 4096; room >= sizeof *block; room /= 2) {
        while ((block = malloc(room)) != NULL) {
            block->next = blocks;
            blocks = block;
        }
    }
    return blocks;
}

/* Status 0: the request was turned away, and the next one is answered. */
static void ask_without_memory(void)
{
    struct block *blocks = use_up_memory();

    add_request("GET", KEEP, 0, 0, 0);
    send_all();
    bool turned_away = handled == 1;
    setrlimit(RLIMIT_AS, &(struct rlimit){RLIM_INFINITY, RLIM_INFINITY});
    while (blocks != NULL) {
        struct block *block = blocks;

        blocks = block->next;
        free(block);
    }
    connect_client();
    add_request("GET", 0, 0, 0, 0);
    send_all();
    _exit(turned_away && handled == 2 ? 0 : 1);
}

/* libfcgi would abort, and cut off what others have asked for. */
static void test_no_memory_for_libfcgi(void **state)
{
    int status;

    (void)state;
    if (is_under_valgrind()) {
        skip(); /* it ends when it gets no memory itself */
    }
    add_request("GET", KEEP, 0, 0, 0); /* what the server keeps for a request is there now */
    send_all();
    assert_true(expect_response(expected));
    pid_t child = fork();
    if (child == 0) {
        ask_without_memory();
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 0);
}
#endif

/* What could not be sent is missing, so nothing may follow it, although it was asked to be kept. */
static void test_no_request_after_a_lost_answer(void **state)
{
    (void)state;
    add_request("POST", KEEP, 0, 20, 20);
    shutdown(client, SHUT_RD);
    send_all();
    assert_int_equal(handled, 1);
    add_request("POST", KEEP, 0, 20, 20);
    assert_int_equal(send(client, bytes, size, MSG_NOSIGNAL), -1);
    assert_int_equal(errno, EPIPE);
    pump();
    assert_int_equal(handled, 1);
}

static void test_head(void **state)
{
    (void)state;
    add_request("HEAD", KEEP, 0, 0, 0);
    send_all();
    assert_true(
        expect_response("Status: 200 OK\r\nX-Content-Type-Options: nosniff\r\nX-Test: yes\r\n"
                        "Content-Length: 7\r\n\r\n"));
}

static void test_pieces_and_padding(void **state)
{
    (void)state;
    for (size_t piece = 1; piece < 100; piece += 7) {
        add_request("POST", KEEP, piece % 2 * 5, 300, 300);
        send_in_pieces(piece);
        expect_body(HTTP_BODY_WHOLE, 300);
        assert_true(expect_response(expected));
    }
    add_request("POST", KEEP, 7, 300, 300); /* whole, yet libfcgi cannot read it in place */
    send_all();
    expect_body(HTTP_BODY_WHOLE, 300);
    assert_true(expect_response(expected));
}

/* A body that is too large is answered, and what is left of it harms no later request. */
static void test_limit(void **state)
{
    static const size_t sizes[] = {LIMIT + 1, LIMIT + 2, 10000, BIG};

    (void)state;
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        add_request("POST", KEEP, 0, sizes[i], sizes[i]);
        send_in_pieces(sizes[i] > 10000 ? 5000 : SIZE_MAX);
        expect_body(HTTP_BODY_TOO_LARGE, 0);
        assert_true(expect_response(expected));

        add_request("POST", KEEP, 0, LIMIT, LIMIT);
        send_all();
        expect_body(HTTP_BODY_WHOLE, LIMIT);
        assert_true(expect_response(expected));
    }
    assert_int_equal(handled, 2 * sizeof sizes / sizeof sizes[0]);
}

static void test_length_that_lies(void **state)
{
    static const size_t lengths[] = {0, 19, 21, LIMIT};

    (void)state;
    for (size_t i = 0; i < sizeof lengths / sizeof lengths[0]; i++) {
        add_request("POST", KEEP, 0, 20, lengths[i]);
        send_all();
        expect_body(HTTP_BODY_CUT_SHORT, 0);
        assert_true(expect_response(expected));
    }
}

static void test_answered_later(void **state)
{
    (void)state;
    hold = true;
    add_request("POST", KEEP, 0, 20, 20);
    send_all();
    assert_int_equal(handled, 1);
    pump();
    expect_nothing(true);

    answer(held);
    assert_true(expect_response(expected));
    hold = false;
    add_request("POST", KEEP, 0, 30, 30);
    send_all();
    expect_body(HTTP_BODY_WHOLE, 30);
    assert_true(expect_response(expected));
}

/* The second request cannot be answered on this connection, so it ends after the first. */
static void test_two_at_once(void **state)
{
    (void)state;
    add_request("POST", KEEP, 0, 20, 20);
    add_request("POST", KEEP, 0, 30, 30);
    send_all();
    assert_int_equal(handled, 1);
    expect_body(HTTP_BODY_WHOLE, 20);
    assert_false(expect_response(expected));
}

static void test_half_a_request(void **state)
{
    (void)state;
    add_request("POST", KEEP, 0, 20, 20);
    size -= 1;
    send_all();
    pump();
    assert_int_equal(handled, 0);
    expect_nothing(true);
    shutdown(client, SHUT_WR);
    pump();
    expect_nothing(false);
}

static void test_not_fastcgi(void **state)
{
    (void)state;
    size = (size_t)sprintf((char *)bytes, "GET / HTTP/1.1\r\nHost: x\r\n\r\n");
    send_all();
    assert_int_equal(handled, 0);
    expect_nothing(false);
}

static void test_aborted(void **state)
{
    (void)state;
    add_request("POST", KEEP, 0, 20, 20);
    size -= 8;
    add_record(ABORT, NULL, 0, 0);
    send_all();
    assert_int_equal(handled, 0);
    expect_nothing(false);
}

static void test_client_that_has_gone(void **state)
{
    (void)state;
    add_request("POST", KEEP, 0, 20, 20);
    assert_int_equal(send(client, bytes, size, 0), size);
    close(client);
    pump();
    assert_int_equal(handled, 0);
    connect_client();
    size = 0;
    add_request("POST", KEEP, 0, 20, 20);
    send_all();
    assert_int_equal(handled, 1);
    assert_true(expect_response(expected));
}

static int make_directory(void **state)
{
    (void)state;
    signal(SIGPIPE, SIG_IGN);
    return mkdtemp(directory) != NULL ? 0 : -1;
}

static int remove_directory(void **state)
{
    (void)state;
    return rmdir(directory);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(test_one_request),
        TEST(test_kept_connection),
#ifndef SANITIZED
        TEST(test_no_memory_for_libfcgi),
#endif
        TEST(test_head),
        TEST(test_pieces_and_padding),
        TEST(test_limit),
        TEST(test_length_that_lies),
        TEST(test_answered_later),
        TEST(test_two_at_once),
        TEST(test_half_a_request),
        TEST(test_not_fastcgi),
        TEST(test_aborted),
        TEST(test_client_that_has_gone),
        TEST(test_no_request_after_a_lost_answer),
    };
    return cmocka_run_group_tests(tests, make_directory, remove_directory);
}
