/* SPDX-License-Identifier: ISC */
/* proxy.c: see proxy.h. One thread, which polls all of its sockets. */
#include "store/proxy.h"

#include <poll.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/scratch.h"
#include "store/server.h"

enum { PAIRS = 64, CHUNK = 256 * 1024, ANSWER_MS = 100 };

struct pair {
    int client, server;  /* -1: closed */
    enum proxy_cut cuts; /* at the answer that is under way */
};

struct proxy {
    char directory[SCRATCH_PATH_MAX];
    char server[SCRATCH_PATH_MAX + 16];
    int listener, pipe[2];
    pthread_t thread;
    pthread_mutex_t lock; /* of these two */
    enum proxy_cut how;
    int left;
    struct pair pairs[PAIRS]; /* of the thread, as are: */
    size_t count;
    char chunk[CHUNK];
    struct pair *late; /* NULL: none */
    char held[CHUNK];  /* its commit */
    size_t held_size;
};

static void *run(void *self);
static void accept_one(struct proxy *proxy);
static void pass(struct proxy *proxy, struct pair *pair, bool to_server);
static enum proxy_cut take_cut(struct proxy *proxy, const char *bytes, size_t size);
static bool sends(const char *bytes, size_t size, const char *statement);
static void hold(struct proxy *proxy, struct pair *pair, size_t size);
static void release_late(struct proxy *proxy, int asked);
static bool send_all(int to, const char *bytes, size_t size);
static void close_one(int *socket);
static struct sockaddr_un address_of(const char *directory);

struct proxy *proxy_start(void)
{
    struct proxy *proxy = test_calloc(1, sizeof *proxy);
    const char *host = strstr(server_url(), "host=");

    assert_non_null(host);
    snprintf(proxy->server, sizeof proxy->server, "%s", host + strlen("host="));
    assert_true(scratch_make(proxy->directory));
    struct sockaddr_un address = address_of(proxy->directory);
    proxy->listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(0, bind(proxy->listener, (struct sockaddr *)&address, sizeof address));
    assert_int_equal(0, listen(proxy->listener, PAIRS));
    assert_int_equal(0, pipe(proxy->pipe));
    pthread_mutex_init(&proxy->lock, NULL);
    assert_int_equal(0, pthread_create(&proxy->thread, NULL, run, proxy));
    return proxy;
}

void proxy_stop(struct proxy *proxy)
{
    if (proxy == NULL) {
        return;
    }
    close(proxy->pipe[1]);
    pthread_join(proxy->thread, NULL);
    close(proxy->pipe[0]);
    close(proxy->listener);
    pthread_mutex_destroy(&proxy->lock);
    scratch_remove(proxy->directory);
    test_free(proxy);
}

void proxy_url(const struct proxy *proxy, const char *url, char *through, size_t size)
{
    const char *host = strstr(url, proxy->server);

    assert_non_null(host);
    assert_true((size_t)snprintf(through, size, "%.*s%s%s", (int)(host - url), url,
                                 proxy->directory, host + strlen(proxy->server)) < size);
}

void proxy_cut(struct proxy *proxy, enum proxy_cut how, int times)
{
    pthread_mutex_lock(&proxy->lock);
    proxy->how = how;
    proxy->left = times;
    pthread_mutex_unlock(&proxy->lock);
}

int proxy_left(struct proxy *proxy)
{
    pthread_mutex_lock(&proxy->lock);
    int left = proxy->left;
    pthread_mutex_unlock(&proxy->lock);
    return left;
}

/* ---- the thread ---- */

static void *run(void *self)
{
    struct proxy *proxy = self;
    struct pollfd polled[2 + 2 * PAIRS];

    for (;;) {
        polled[0] = (struct pollfd){.fd = proxy->pipe[0], .events = POLLIN};
        polled[1] = (struct pollfd){.fd = proxy->listener, .events = POLLIN};
        size_t count = proxy->count;
        for (size_t i = 0; i < count; i++) {
            polled[2 + 2 * i] = (struct pollfd){.fd = proxy->pairs[i].client, .events = POLLIN};
            polled[3 + 2 * i] = (struct pollfd){.fd = proxy->pairs[i].server, .events = POLLIN};
        }
        if (poll(polled, (nfds_t)(2 + 2 * count), -1) < 0) {
            continue;
        } else if (polled[0].revents != 0) {
            break;
        } else if (polled[1].revents != 0) {
            accept_one(proxy);
        }
        for (size_t i = 0; i < count; i++) {
            for (int server = 0; server < 2; server++) {
                if (polled[2 + 2 * i + (size_t)server].revents != 0) {
                    pass(proxy, &proxy->pairs[i], server == 0);
                }
            }
        }
    }
    for (size_t i = 0; i < proxy->count; i++) {
        close_one(&proxy->pairs[i].client);
        close_one(&proxy->pairs[i].server);
    }
    return NULL;
}

static void accept_one(struct proxy *proxy)
{
    struct sockaddr_un address = address_of(proxy->server);
    struct pair pair = {.client = accept4(proxy->listener, NULL, NULL, SOCK_CLOEXEC),
                        .server = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)};
    size_t place = 0;

    while (place < proxy->count &&
           (proxy->pairs[place].client >= 0 || proxy->pairs[place].server >= 0)) {
        place++;
    }
    if (place == PAIRS || pair.client < 0 ||
        connect(pair.server, (struct sockaddr *)&address, sizeof address) != 0) {
        close_one(&pair.client);
        close_one(&pair.server);
        return;
    }
    proxy->pairs[place] = pair;
    proxy->count = place == proxy->count ? place + 1 : proxy->count;
}

static void pass(struct proxy *proxy, struct pair *pair, bool to_server)
{
    int *from = to_server ? &pair->client : &pair->server;
    int *to = to_server ? &pair->server : &pair->client;
    ssize_t size = *from >= 0 ? recv(*from, proxy->chunk, CHUNK, 0) : 0;
    bool good = size > 0;

    if (good && to_server) {
        pair->cuts = take_cut(proxy, proxy->chunk, (size_t)size);
        if (pair->cuts == PROXY_LATE) {
            hold(proxy, pair, (size_t)size);
            return;
        }
        good = pair->cuts != PROXY_CUT_BEFORE && send_all(*to, proxy->chunk, (size_t)size);
        if (good && proxy->late != NULL && sends(proxy->chunk, (size_t)size, "introduce")) {
            release_late(proxy, *to);
        }
    } else if (good && (pair->cuts == PROXY_CUT_AFTER || pair->cuts == PROXY_STALL)) {
        if (memmem(proxy->chunk, (size_t)size, "COMMIT", sizeof "COMMIT") == NULL) {
            return; /* it comes later */
        } else if (pair->cuts == PROXY_STALL) {
            close_one(&pair->server);
            return;
        }
        good = false;
    } else if (good) {
        good = *to >= 0 && send_all(*to, proxy->chunk, (size_t)size);
    }
    if (!good) {
        close_one(&pair->client);
        close_one(&pair->server);
    }
}

static enum proxy_cut take_cut(struct proxy *proxy, const char *bytes, size_t size)
{
    enum proxy_cut cut = PROXY_PASS;

    pthread_mutex_lock(&proxy->lock);
    if (proxy->left > 0 && sends(bytes, size, "commit")) {
        proxy->left--;
        cut = proxy->how;
    }
    pthread_mutex_unlock(&proxy->lock);
    return cut;
}

/* Bind of a prepared statement: the name of a portal, which is empty, and its own. */
static bool sends(const char *bytes, size_t size, const char *statement)
{
    char names[32] = "";

    snprintf(names + 1, sizeof names - 1, "%s", statement);
    return memmem(bytes, size, names, strlen(statement) + 2) != NULL;
}

static void hold(struct proxy *proxy, struct pair *pair, size_t size)
{
    memcpy(proxy->held, proxy->chunk, size);
    proxy->held_size = size;
    proxy->late = pair;
    close_one(&pair->client);
}

/* Once the question has been answered, or waits for what is late. */
static void release_late(struct proxy *proxy, int asked)
{
    struct pollfd answer = {.fd = asked, .events = POLLIN};

    (void)poll(&answer, 1, ANSWER_MS);
    (void)send_all(proxy->late->server, proxy->held, proxy->held_size);
    proxy->late->cuts = PROXY_PASS;
    proxy->late = NULL;
}

static bool send_all(int to, const char *bytes, size_t size)
{
    while (size > 0) {
        ssize_t sent = send(to, bytes, size, MSG_NOSIGNAL);

        if (sent < 0) {
            return false;
        }
        bytes += sent;
        size -= (size_t)sent;
    }
    return true;
}

static void close_one(int *socket)
{
    if (*socket >= 0) {
        close(*socket);
    }
    *socket = -1;
}

static struct sockaddr_un address_of(const char *directory)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};

    snprintf(address.sun_path, sizeof address.sun_path, "%.90s/.s.PGSQL.5432", directory);
    return address;
}
