/* cgi.c: plain CGI. Knows the environment and two descriptors; does not know what is asked. */
#include "responder/cgi.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/secret.h"
#include "process/signals.h"
#include "responder/exchange.h"

extern char **environ;

/* A web server that hands over half a body and then nothing would leave us here for ever. */
enum { READ_SECONDS = 10, REST_MS = 1000, REST_MAX = 16 * 1024 * 1024 };

struct input {
    bool broken;
};

static size_t read_input(void *self, char *out, size_t room)
{
    struct input *input = self;
    ssize_t got;

    do {
        got = read(STDIN_FILENO, out, room);
    } while (got < 0 && errno == EINTR);
    input->broken = input->broken || got < 0;
    return got > 0 ? (size_t)got : 0;
}

static bool input_is_broken(void *self)
{
    const struct input *input = self;
    return input->broken;
}

static bool write_output(struct text answer)
{
    while (answer.size > 0) {
        ssize_t put = write(STDOUT_FILENO, answer.data, answer.size);
        if (put > 0) {
            answer = text_from(answer, (size_t)put);
        } else if (put == 0 || errno != EINTR) {
            return false;
        }
    }
    return true;
}

/* A server that is still handing over a body when its script ends may take that for a failure of
 * the script. So what nobody wanted to read is read after the answer, as long as it keeps coming.
 */
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

/* mod_cgid sends SIGTERM to a script whose client has gone. */
static void block_signals(void)
{
    sigset_t set;

    signals_termination(&set);
    sigprocmask(SIG_BLOCK, &set, NULL);
    signal(SIGPIPE, SIG_IGN);
}

static void answered(void *self, struct text answer)
{
    struct text *out = self;
    *out = answer;
}

int cgi_run(struct serve *serve)
{
    struct input input = {false};
    struct exchange_body body = {
        .read = read_input, .is_broken = input_is_broken, .self = &input, .needs_length = true};
    struct text answer = {0};
    struct exchange exchange = {
        .serve = serve, .arena = exchange_arena_open(), .answered = answered, .self = &answer};

    block_signals();
    alarm(READ_SECONDS);
    if (exchange.arena == NULL ||
        !exchange_read(exchange.arena, (const char *const *)environ, &body, serve_body_limit(serve),
                       &exchange.request)) {
        answer = exchange_no_memory();
    } else {
        alarm(0);
        exchange_answer(&exchange);
        serve_settle(serve);
    }
    bool written = write_output(answer);
    if (exchange.request.body_state != HTTP_BODY_WHOLE) {
        drop_rest();
    }
    arena_close(exchange.arena);
    return written ? EXIT_SUCCESS : EXIT_FAILURE;
}
