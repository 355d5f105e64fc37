/* SPDX-License-Identifier: ISC */
/* test_client.c: which URLs and addresses are asked, and what becomes of good and bad answers, from
 * servers on loopback and on a Unix socket. TLS: tests/e2e/test_webhooks.py. */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cmocka.h>

#include "http/client.h"

/* ---- URLs and addresses ---- */

static void test_urls(void **state)
{
    static const struct {
        const char *url;
        bool anywhere, here;
    } rows[] = {
        {"https://app.example.org/hook", true, false},
        {"https://app.example.org:8443/hook?tenant=1", true, false},
        {"https://10.0.0.1/hook", true, false},
        {"http://127.0.0.1:8000/hook", true, true},
        {"http://localhost/hook", true, true},
        {"http://[::1]:8000", true, true},
        {"unix:/run/app/hook", false, true},
        {"unix:/run/app/hook:/claims", false, true},
        {"unix:run/app/hook", false, false},
        {"unix:/run/app/hook:claims", false, false},
        {"unix:/run/app/hook:/claims#x", false, false},
        {"unix:", false, false},
        {"", false, false},
        {"https://", false, false},
        {"http://app.example.org/hook", false, false},
        {"http://127.0.0.1.example.org/", false, false},
        {"http://127.0.0.1@example.org/", false, false},
        {"https://user:secret@app.example.org/", false, false},
        {"https://app.example.org/#fragment", false, false},
        {"https://app.example.org/a b", false, false},
        {"https://app.example.org/\r\nX: y", false, false},
        {"https://app.example.org\\@evil.example/", false, false},
        {"HTTPS://app.example.org/", false, false},
        {"ftp://app.example.org/", false, false},
        {"file:///etc/passwd", false, false},
        {"gopher://127.0.0.1/", false, false},
        {"com.example.app:/hook", false, false},
    };
    char longest[HTTP_CLIENT_URL_MAX + 2] = "https://a.example/";
    static const struct {
        const char *url;
        bool good;
    } sites[] = {
        {"https://login.example.org", true}, {"http://login.example.org:8080/auth", true},
        {"http://127.0.0.1:8080", true},     {"http://", false},
        {"http://user@example.org/", false}, {"http://example.org/\r\nX: y", false},
        {"unix:/run/app/hook", false},       {"ftp://example.org/", false},
        {"com.example.app:/x", false},
    };
    const char *wrong;

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct text url = text_of(rows[i].url);

        if (http_client_is_url(url, HTTP_CLIENT_ANYWHERE, &wrong) != rows[i].anywhere ||
            http_client_is_url(url, HTTP_CLIENT_HERE, &wrong) != rows[i].here) {
            fail_msg("%s", rows[i].url);
        }
    }
    for (size_t i = 0; i < sizeof sites / sizeof sites[0]; i++) {
        if (http_client_is_url(text_of(sites[i].url), HTTP_CLIENT_SITE, &wrong) != sites[i].good) {
            fail_msg("%s", sites[i].url);
        }
    }
    memset(longest + strlen(longest), 'a', sizeof longest - 1 - strlen(longest));
    assert_false(http_client_is_url(text_of(longest), HTTP_CLIENT_ANYWHERE, &wrong));
    assert_non_null(strstr(wrong, "1024"));
    longest[HTTP_CLIENT_URL_MAX] = '\0';
    assert_true(http_client_is_url(text_of(longest), HTTP_CLIENT_ANYWHERE, &wrong));
}

static void test_addresses(void **state)
{
    static const struct {
        const char *address;
        bool anywhere, here;
    } rows[] = {
        {"127.0.0.1", true, true},
        {"127.255.255.254", true, true},
        {"::1", true, true},
        {"::ffff:127.0.0.1", true, true},
        {"64:ff9b::127.0.0.1", true, true},
        {"192.0.2.1", true, false},
        {"10.1.2.3", true, false},
        {"192.168.1.1", true, false},
        {"128.0.0.1", true, false},
        {"100.100.100.201", true, false},
        {"2001:db8::1", true, false},
        {"fd00::1", true, false},
        {"fec0::1", true, false},
        {"0.0.0.0", false, false},
        {"0.1.2.3", false, false},
        {"169.254.169.254", false, false},
        {"169.254.0.1", false, false},
        {"::ffff:169.254.169.254", false, false},
        {"64:ff9b::169.254.169.254", false, false},
        {"100.100.100.200", false, false},
        {"168.63.129.16", false, false},
        {"192.0.0.192", false, false},
        {"224.0.0.1", false, false},
        {"255.255.255.255", false, false},
        {"::", false, false},
        {"fe80::1", false, false},
        {"febf::1", false, false},
        {"ff02::1", false, false},
        {"fd00:ec2::254", false, false},
        {"fd20:ce::254", false, false},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct sockaddr_in four = {.sin_family = AF_INET};
        struct sockaddr_in6 six = {.sin6_family = AF_INET6};
        const void *address = &four;

        if (inet_pton(AF_INET, rows[i].address, &four.sin_addr) != 1) {
            assert_int_equal(inet_pton(AF_INET6, rows[i].address, &six.sin6_addr), 1);
            address = &six;
        }
        if (http_client_is_address(address, false) != rows[i].anywhere ||
            http_client_is_address(address, true) != rows[i].here) {
            fail_msg("%s", rows[i].address);
        }
    }
    assert_false(http_client_is_address(&(struct sockaddr){.sa_family = AF_UNIX}, false));
}

/* ---- a server that answers each connection with the same bytes ---- */

struct server {
    int listener;
    pthread_t thread;
    const char *_Atomic answer; /* NULL = never */
    _Atomic size_t endless;     /* so many bytes more */
    char request[4096];         /* the last one; read it when the server has stopped */
    char url[128];
    char path[sizeof((struct sockaddr_un *)NULL)->sun_path];
};

static void *serve(void *self)
{
    struct server *server = self;
    static const char filler[65536];
    const char *answer;

    for (int peer; (peer = accept(server->listener, NULL, NULL)) >= 0; close(peer)) {
        size_t size = 0;
        char *end = NULL;
        ssize_t got;

        /* the tests' bodies end in a full stop; a GET has none */
        while (end == NULL && (got = recv(peer, server->request + size,
                                          sizeof server->request - 1 - size, 0)) > 0) {
            size += (size_t)got;
            server->request[size] = '\0';
            end = strstr(server->request,
                         strncmp(server->request, "GET ", 4) == 0 ? "\r\n\r\n" : ".\n");
        }
        answer = server->answer;
        if (answer == NULL) {
            (void)recv(peer, &(char){0}, 1, 0); /* until the client hangs up */
            continue;
        }
        (void)send(peer, answer, strlen(answer), MSG_NOSIGNAL);
        for (size_t left = server->endless; left > 0; left -= sizeof filler) {
            if (send(peer, filler, sizeof filler, MSG_NOSIGNAL) < 0) {
                break;
            }
        }
    }
    return NULL;
}

static void start_server(struct server *server, const char *answer)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
    socklen_t size = sizeof address;

    memset(server, 0, sizeof *server);
    server->answer = answer;
    server->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(server->listener, (struct sockaddr *)&address, sizeof address), 0);
    assert_int_equal(listen(server->listener, 8), 0);
    assert_int_equal(getsockname(server->listener, (struct sockaddr *)&address, &size), 0);
    snprintf(server->url, sizeof server->url, "http://127.0.0.1:%d/hook", ntohs(address.sin_port));
    assert_int_equal(pthread_create(&server->thread, NULL, serve, server), 0);
}

static void start_unix_server(struct server *server, const char *answer)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    char folder[] = "/tmp/retoken-client-XXXXXX";

    memset(server, 0, sizeof *server);
    server->answer = answer;
    assert_non_null(mkdtemp(folder));
    snprintf(server->path, sizeof server->path, "%s/s", folder);
    memcpy(address.sun_path, server->path, sizeof server->path);
    snprintf(server->url, sizeof server->url, "unix:%.90s:/claims?x=1", server->path);
    server->listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(server->listener, (struct sockaddr *)&address, sizeof address), 0);
    assert_int_equal(listen(server->listener, 8), 0);
    assert_int_equal(pthread_create(&server->thread, NULL, serve, server), 0);
}

static void stop_server(struct server *server)
{
    shutdown(server->listener, SHUT_RDWR);
    pthread_join(server->thread, NULL);
    close(server->listener);
    if (server->path[0] != '\0') {
        unlink(server->path);
        *strrchr(server->path, '/') = '\0';
        rmdir(server->path);
    }
}

/* ---- calls ---- */

static struct http_client *client;
static char room[64];

static struct http_call call_to(const struct server *server)
{
    return (struct http_call){
        .url = server->url,
        .body = TEXT("What happened.\n"),
        .headers = {"Content-Type: text/plain", "webhook-id: 7"},
        .timeout_ms = 20000,
        .room = room,
        .room_size = sizeof room,
    };
}

static int open_client(void **state)
{
    struct fault fault = {.text = ""};

    (void)state;
    setenv("http_proxy", "http://127.0.0.1:1", 1);
    setenv("ALL_PROXY", "http://127.0.0.1:1", 1);
    client = http_client_open(4, &fault);
    return client == NULL;
}

static int close_client(void **state)
{
    (void)state;
    http_client_close(client);
    return 0;
}

static const char good[] = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nConnection: close\r\n\r\nDone.";

static void test_answer(void **state)
{
    struct server server;

    (void)state;
    start_server(&server, good);
    struct http_call call = call_to(&server);
    assert_true(http_client_post(client, &call));
    assert_int_equal(call.status, 200);
    assert_int_equal(call.size, 5);
    assert_memory_equal(room, "Done.", 5);
    assert_false(call.cut);
    stop_server(&server);
    assert_non_null(strstr(server.request, "POST /hook HTTP/1.1\r\n"));
    assert_non_null(strstr(server.request, "\r\nHost: 127.0.0.1:"));
    assert_non_null(strstr(server.request, "\r\nContent-Type: text/plain\r\n"));
    assert_non_null(strstr(server.request, "\r\nwebhook-id: 7\r\n"));
    assert_non_null(strstr(server.request, "\r\nContent-Length: 15\r\n"));
    assert_non_null(strstr(server.request, "\r\n\r\nWhat happened.\n"));
    assert_null(strstr(server.request, "Expect"));
}

static void test_unix_socket(void **state)
{
    struct server server;

    (void)state;
    start_unix_server(&server, good);
    struct http_call call = call_to(&server);
    assert_true(http_client_post(client, &call));
    assert_int_equal(call.status, 200);
    stop_server(&server);
    assert_non_null(strstr(server.request, "POST /claims?x=1 HTTP/1.1\r\n"));
    assert_false(http_client_post(client, &call));
    assert_true(call.fault.text[0] != '\0');
}

static void test_refusals_are_answers(void **state)
{
    struct server server;

    (void)state;
    start_server(&server, "HTTP/1.1 503 Later\r\nRetry-After: 7\r\nConnection: close\r\n\r\n");
    struct http_call call = call_to(&server);
    assert_true(http_client_post(client, &call));
    assert_int_equal(call.status, 503);
    assert_int_equal(call.retry_after_ms, 7000);
    server.answer =
        "HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:1/\r\nConnection: close\r\n\r\n";
    assert_true(http_client_post(client, &call));
    assert_int_equal(call.status, 302);
    assert_int_equal(call.retry_after_ms, 0);
    stop_server(&server);
}

static void test_get(void **state)
{
    struct server server;
    char head[64];

    (void)state;
    start_server(&server, "HTTP/1.1 200 OK\r\nServer: x\r\nLong: 0123456789012345678901234567890123"
                          "456789\r\nLast: y\r\nContent-Length: 0\r\n\r\n");
    struct http_call call = call_to(&server);
    call.method = "GET";
    call.body = (struct text){0};
    call.head = head;
    call.head_room = sizeof head;
    assert_true(http_client_post(client, &call));
    assert_memory_equal(server.request, "GET ", 4);
    /* whole lines only, and no more than there is room for */
    struct text kept = {head, call.head_size};
    assert_true(text_equal(kept, TEXT("HTTP/1.1 200 OK\r\nServer: x\r\nLast: y\r\n"
                                      "Content-Length: 0\r\n\r\n")));
    stop_server(&server);
}

static void test_no_answer(void **state)
{
    static const char *const answers[] = {
        "",
        "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nDo",
        "HTTP/1.1 200 OK\r\nContent-Le",
        "SSH-2.0-OpenSSH_9.2\r\n",
        "HTTP/0.9",
    };
    struct server server;

    (void)state;
    start_server(&server, "");
    for (size_t i = 0; i < sizeof answers / sizeof answers[0]; i++) {
        server.answer = answers[i];
        struct http_call call = call_to(&server);
        assert_false(http_client_post(client, &call));
        assert_false(call.answered);
        assert_true(call.fault.text[0] != '\0');
    }
    stop_server(&server);
}

static void test_too_slow(void **state)
{
    struct server server;

    (void)state;
    start_server(&server, NULL);
    struct http_call call = call_to(&server);
    call.timeout_ms = 50;
    assert_false(http_client_post(client, &call));
    assert_non_null(strstr(call.fault.text, "timed out"));
    stop_server(&server);
}

static void test_too_much(void **state)
{
    struct server server;

    (void)state;
    start_server(&server, "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n");
    server.endless = (size_t)1 << 40;
    struct http_call call = call_to(&server);
    assert_true(http_client_post(client, &call));
    assert_int_equal(call.status, 200);
    assert_true(call.cut);
    assert_int_equal(call.size, sizeof room);
    call.room = NULL;
    call.room_size = 100000;
    assert_true(http_client_post(client, &call));
    assert_true(call.cut);

    server.answer = "HTTP/1.1 200 OK\r\nX: ";
    assert_false(http_client_post(client, &call));
    assert_true(call.fault.text[0] != '\0');
    stop_server(&server);
}

static void test_many_at_a_time(void **state)
{
    struct server fast, slow;
    struct http_call calls[8];
    struct http_call *call;
    size_t answered = 0;
    int pipes[2];

    (void)state;
    start_server(&fast, good);
    start_server(&slow, NULL);
    for (size_t i = 0; i < 8; i++) {
        calls[i] = call_to(i == 0 ? &slow : &fast);
        calls[i].room = NULL;
        assert_true(http_client_start(client, &calls[i]));
    }
    while (answered < 7 && (call = http_client_next(client, 20000, -1)) != NULL) {
        assert_ptr_not_equal(call, &calls[0]);
        assert_int_equal(call->status, 200);
        answered++;
    }
    assert_int_equal(answered, 7);

    /* the slow one is still under way, and does not keep others from being heard */
    assert_null(http_client_next(client, 0, -1));
    assert_int_equal(pipe(pipes), 0);
    assert_int_equal(write(pipes[1], "x", 1), 1);
    assert_null(http_client_next(client, 3600000, pipes[0]));
    close(pipes[0]);
    close(pipes[1]);
    http_client_close(client);
    assert_int_equal(open_client(NULL), 0);
    stop_server(&slow);
    stop_server(&fast);
}

static void *post_often(void *self)
{
    for (size_t i = 0; i < 20; i++) {
        struct http_call call = call_to(self);

        call.room = NULL;
        if (!http_client_post(client, &call) || call.status != 200) {
            return self;
        }
    }
    return NULL;
}

static void test_threads(void **state)
{
    struct server server;
    pthread_t threads[4];
    void *failed;

    (void)state;
    start_server(&server, good);
    for (size_t i = 0; i < 4; i++) {
        assert_int_equal(pthread_create(&threads[i], NULL, post_often, &server), 0);
    }
    for (size_t i = 0; i < 4; i++) {
        pthread_join(threads[i], &failed);
        assert_null(failed);
    }
    stop_server(&server);
}

static void test_authorities(void **state)
{
    struct http_call call = {
        .url = "https://127.0.0.1:1/", .ca_file = "/nonexistent/ca.pem", .timeout_ms = 20000};

    (void)state;
    assert_false(http_client_post(client, &call));
    assert_true(call.fault.text[0] != '\0');
}

static void test_address_is_refused(void **state)
{
    struct http_call call = {.url = "https://169.254.169.254/", .timeout_ms = 20000};

    (void)state;
    assert_false(http_client_post(client, &call));
    assert_non_null(strstr(call.fault.text, "never asked"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_urls),
        cmocka_unit_test(test_addresses),
        cmocka_unit_test(test_answer),
        cmocka_unit_test(test_unix_socket),
        cmocka_unit_test(test_refusals_are_answers),
        cmocka_unit_test(test_get),
        cmocka_unit_test(test_no_answer),
        cmocka_unit_test(test_too_slow),
        cmocka_unit_test(test_too_much),
        cmocka_unit_test(test_many_at_a_time),
        cmocka_unit_test(test_threads),
        cmocka_unit_test(test_authorities),
        cmocka_unit_test(test_address_is_refused),
    };

    return cmocka_run_group_tests(tests, open_client, close_client);
}
