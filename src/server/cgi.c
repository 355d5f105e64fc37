/* SPDX-License-Identifier: ISC */
/* cgi.c: plain CGI. Knows the environment and two descriptors; does not know what is asked. */
#include "server/cgi.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/log.h"
#include "base/secret.h"
#include "server/message.h"
#include "server/signals.h"

extern char **environ;

/* A web server that sends half a body and then nothing would keep us forever. */
enum { READ_SECONDS = 10, REST_MS = 1000, REST_MAX = 16 * 1024 * 1024 };

struct run {
    struct http_exchange exchange; /* first, so that a pointer to it is one to the run */
    bool written;
};

static void block_signals(void);
static bool must_end(const struct server_handler *handler);
static bool read_request(struct http_exchange *exchange, size_t limit);
static void answered(struct http_exchange *exchange);
static bool write_output(struct text spelled);
static void drop_rest(void);

int cgi_run(const struct server_handler *handler)
{
    struct run run = {.exchange = {.arena = message_arena_open(), .answered = answered}};
    bool ended_well = true;

    block_signals();
    alarm(READ_SECONDS);
    if (run.exchange.arena == NULL ||
        !read_request(&run.exchange, handler->body_limit(handler->self))) {
        run.written = write_output(message_no_memory());
    } else {
        alarm(0);
        handler->handle(handler->self, &run.exchange);
        handler->flush(handler->self);
        ended_well = !must_end(handler);
    }
    if (run.exchange.request.body_state != HTTP_BODY_WHOLE) {
        drop_rest();
    }
    arena_close(run.exchange.arena);
    return run.written && ended_well ? EXIT_SUCCESS : EXIT_FAILURE;
}

static bool must_end(const struct server_handler *handler)
{
    const char *why = handler->must_end(handler->self);

    if (why != NULL) {
        log_line(LOG_LEVEL_ERROR, "%s; ending", why);
    }
    return why != NULL;
}

/* mod_cgid sends SIGTERM to a script whose client has gone. */
static void block_signals(void)
{
    sigset_t set;

    signals_set(&set);
    sigprocmask(SIG_BLOCK, &set, NULL);
    signal(SIGPIPE, SIG_IGN);
}

/* ---- the request ---- */

static bool lacks_length(const struct http_request *request);
static struct text read_input(char *bytes, size_t size, bool *broken);

/* The end of the input proves nothing: CONTENT_LENGTH alone tells how much of it is the body (RFC
 * 3875 section 4.2). False when the arena is exhausted. */
static bool read_request(struct http_exchange *exchange, size_t limit)
{
    struct http_request *request = &exchange->request;
    bool broken = false;

    if (!http_request_from_cgi(exchange->arena, (const char *const *)environ, request)) {
        return false;
    } else if (lacks_length(request)) {
        request->body_state = HTTP_BODY_NO_LENGTH;
        return true;
    }
    size_t size = request->length <= limit ? request->length : limit + 1;
    char *bytes = arena_alloc(exchange->arena, size);
    if (bytes == NULL) {
        return false;
    }
    message_set_body(request, read_input(bytes, size, &broken), limit, broken);
    return true;
}

/* A method that has a body, and no length: this is how Apache hands over a body that was sent in
 * chunks, and a truncated one looks the same. */
static bool lacks_length(const struct http_request *request)
{
    return request->length_state == HTTP_LENGTH_ABSENT && request->method != HTTP_GET &&
           request->method != HTTP_HEAD;
}

/* `size` bytes, or as many as come. */
static struct text read_input(char *bytes, size_t size, bool *broken)
{
    size_t total = 0;
    ssize_t got = 1;

    while (total < size && got != 0) {
        got = read(STDIN_FILENO, bytes + total, size - total);
        if (got > 0) {
            total += (size_t)got;
        } else if (got < 0 && errno != EINTR) {
            *broken = true;
            break;
        }
    }
    return (struct text){bytes, total};
}

/* ---- the response ---- */

static void answered(struct http_exchange *exchange)
{
    struct run *run = (struct run *)exchange;

    run->written = write_output(message_spell(exchange));
}

static bool write_output(struct text spelled)
{
    while (spelled.size > 0) {
        ssize_t put = write(STDOUT_FILENO, spelled.data, spelled.size);

        if (put > 0) {
            spelled = text_from(spelled, (size_t)put);
        } else if (put == 0 || errno != EINTR) {
            return false;
        }
    }
    return true;
}

/* A server that is still sending a body when its script ends may take that for a failure of the
 * script. So the rest is read after the response has been written, as long as it keeps coming. */
static void drop_rest(void)
{
    char trash[4096];
    struct pollfd input = {.fd = STDIN_FILENO, .events = POLLIN};
    ssize_t got = 1;

    close(STDOUT_FILENO);
    for (size_t dropped = 0; got > 0 && dropped < REST_MAX; dropped += (size_t)got) {
        got = poll(&input, 1, REST_MS) > 0 ? read(STDIN_FILENO, trash, sizeof trash) : 0;
    }
    secret_wipe(trash, sizeof trash);
}
