/* gateway.c: the room of libfcgi: connections to requests and back. Knows FastCGI's records through
 * libfcgi and how this library stumbles (docs/hazards.md); does not know what is asked.
 *
 * libfcgi 2.4.2 must not be left alone with a connection: it waits for ever for half a record,
 * holds up whoever accepts next for two seconds while a new peer is silent, takes a signal for the
 * end of a body, and leaves kept connections to starve the others. So connections are accepted
 * here, given to FCGX_Accept_r as if they were kept from a request before, watched (guard.h), and
 * closed after one answer; and signals are blocked in every thread, waited for in the main one.
 *
 * A worker's round: accept -> read -> is the peer still there? -> perform -> write -> close.
 * Workers are started as they are needed: under mod_fcgid, where one request comes at a time, a
 * process has two; under load there are enough for group commit to make large batches. */
#include "responder/gateway.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <fcgiapp.h>

#include "process/log.h"
#include "responder/exchange.h"
#include "responder/guard.h"

enum { WATCH_MS = 2000, JOIN_WATCH_MS = 100, PAUSE_MS = 100 };

/* A JSON body may nest 2,048 deep, and jansson recurses. */
enum { WORKER_STACK = 2 * 1024 * 1024 };

struct worker;

struct gateway {
    const struct listener *listener;
    struct serve *serve;
    pthread_t main;
    pthread_mutex_t accepting; /* one thread waits at the socket, the others behind it */
    int stop_event;            /* readable for ever once it is time to stop */
    atomic_bool stopping;
    atomic_int status;
    atomic_size_t running;
    atomic_size_t idle; /* workers that wait for a connection */

    struct worker *workers;
    atomic_size_t most;       /* of them */
    pthread_mutex_t starting; /* over the next */
    atomic_size_t started;    /* the first so many of `workers` are in use */
};

struct worker {
    struct gateway *gateway;
    pthread_t thread;
    struct guard guard;
    struct arena *arena;
};

/* ---- signals ---- */

static void ending_signals(sigset_t *set)
{
    sigemptyset(set);
    sigaddset(set, SIGTERM);
    sigaddset(set, SIGINT);
    sigaddset(set, SIGHUP);
    sigaddset(set, SIGUSR1);
}

void gateway_block_signals(void)
{
    sigset_t set;

    ending_signals(&set);
    pthread_sigmask(SIG_BLOCK, &set, NULL);
    signal(SIGPIPE, SIG_IGN);
}

/* A signal or 0 after that time. */
static int wait_for_signal(int ms)
{
    struct timespec time = {.tv_sec = ms / 1000, .tv_nsec = (long)(ms % 1000) * 1000000};
    sigset_t set;

    ending_signals(&set);
    int signal_number = sigtimedwait(&set, NULL, &time);
    return signal_number > 0 ? signal_number : 0;
}

/* ---- the end ---- */

static void stop(struct gateway *gateway)
{
    uint64_t one = 1;

    atomic_store(&gateway->stopping, true);
    /* Cannot fail but by overflow, which is readable too. */
    if (write(gateway->stop_event, &one, sizeof one) < 0) {
        return;
    }
}

/* From a worker: ends the process with this status, and wakes the main thread to see to it. */
static void stop_with(struct gateway *gateway, int status)
{
    atomic_store(&gateway->status, status);
    stop(gateway);
    pthread_kill(gateway->main, SIGUSR1);
}

/* ---- accepting ---- */

static void pause_briefly(void)
{
    struct timespec time = {.tv_nsec = PAUSE_MS * 1000000L};
    nanosleep(&time, NULL);
}

/* The next connection; -1 when there is none after all. */
static int accept_one(struct gateway *gateway)
{
    int connection = accept4(gateway->listener->fd, NULL, NULL, SOCK_CLOEXEC);

    if (connection >= 0) {
        return connection;
    }
    switch (errno) {
    case EMFILE: /* other threads or processes will give some back */
    case ENFILE:
    case ENOBUFS:
    case ENOMEM:
        pause_briefly();
        break;
    case EBADF:
    case EINVAL:
    case ENOTSOCK:
    case EOPNOTSUPP:
        log_line(CONFIG_LOG_ERROR, "cannot accept connections any more: %s", strerror(errno));
        stop_with(gateway, EXIT_FAILURE);
        break;
    default: /* another process took it, or its peer has gone */
        break;
    }
    return -1;
}

/* Waits for a connection; -1 when it is time to stop. */
static int next_connection(struct gateway *gateway)
{
    struct pollfd waited[] = {{.fd = gateway->listener->fd, .events = POLLIN},
                              {.fd = gateway->stop_event, .events = POLLIN}};
    int connection = atomic_load(&gateway->stopping) ? -1 : accept_one(gateway);

    if (connection >= 0) { /* under load there is one already, and no need to queue for it */
        return connection;
    }
    atomic_fetch_add(&gateway->idle, 1);
    pthread_mutex_lock(&gateway->accepting);
    while (connection < 0 && !atomic_load(&gateway->stopping)) {
        if (poll(waited, 2, -1) > 0 && waited[0].revents != 0 && waited[1].revents == 0) {
            connection = accept_one(gateway);
        }
    }
    pthread_mutex_unlock(&gateway->accepting);
    atomic_fetch_sub(&gateway->idle, 1);
    return connection;
}

/* ---- one request ---- */

static size_t read_stream(void *self, char *out, size_t room)
{
    int got = FCGX_GetStr(out, (int)room, self);
    return got > 0 ? (size_t)got : 0;
}

/* Protocol errors, an aborted request, a broken connection: in all of them the body ends early. */
static bool stream_is_broken(void *self)
{
    return FCGX_GetError(self) != 0;
}

/* With many connections to few threads a request may be taken up after its client has given up; to
 * perform it then would rotate a token for nobody. A peer that has closed its side of a TCP
 * connection has closed it for good: no web server closes half of one. */
static bool has_gone(const struct gateway *gateway, int connection)
{
    struct pollfd peer = {.fd = connection};

    peer.events = gateway->listener->over_tcp ? POLLRDHUP : 0;
    return poll(&peer, 1, 0) > 0 && (peer.revents & (POLLHUP | POLLERR | POLLRDHUP)) != 0;
}

static void answer(struct worker *worker, FCGX_Request *fcgi)
{
    struct serve *serve = worker->gateway->serve;
    struct exchange_body body = {
        .read = read_stream, .is_broken = stream_is_broken, .self = fcgi->in};
    struct http_request request;
    struct text text;

    if (!exchange_read(worker->arena, (const char *const *)fcgi->envp, &body,
                       serve_body_limit(serve), &request)) {
        text = exchange_no_memory();
    } else if (has_gone(worker->gateway, fcgi->ipcFd)) {
        log_line(CONFIG_LOG_NOTICE, "gone: the client left before its request was performed");
        return;
    } else {
        guard_pause(&worker->guard);
        text = exchange_answer(serve, worker->arena, &request);
        guard_wait(&worker->guard, guard_now_ms());
    }
    FCGX_PutStr(text.data, (int)text.size, fcgi->out);
}

/* Takes over the connection. To FCGX_Accept_r it looks like one that was kept open after a request;
 * when it turns out bad, FCGX_Accept_r closes it and would accept another one, but there is no
 * socket to do so. */
static void serve_connection(struct worker *worker, int connection)
{
    FCGX_Request fcgi;

    if (!guard_begin(&worker->guard, connection, guard_now_ms())) {
        close(connection);
        pause_briefly();
        return;
    }
    FCGX_InitRequest(&fcgi, -1, 0);
    fcgi.ipcFd = connection;
    fcgi.keepConnection = 1;
    if (FCGX_Accept_r(&fcgi) == 0) {
        bool over_tcp = worker->gateway->listener->over_tcp;

        answer(worker, &fcgi);
        /* Closing a TCP connection, libfcgi waits for the peer to do so first, or what was sent
         * might be lost; a Unix socket delivers it anyway. */
        fcgi.keepConnection = !over_tcp;
        FCGX_Finish_r(&fcgi);
        FCGX_Free(&fcgi, over_tcp);
        if (!over_tcp) {
            close(connection);
        }
    }
    guard_end(&worker->guard);
    arena_reset(worker->arena);
}

static void start_another(struct gateway *gateway);

static void *work(void *self)
{
    struct worker *worker = self;
    struct gateway *gateway = worker->gateway;
    int connection;

    while ((connection = next_connection(gateway)) >= 0) {
        start_another(gateway);
        serve_connection(worker, connection);
        if (serve_must_end(gateway->serve) && !atomic_load(&gateway->stopping)) {
            log_line(CONFIG_LOG_ERROR, "the store is unsure after a failed write; ending, so that "
                                       "the next process reads the truth");
            stop_with(gateway, EXIT_FAILURE);
        }
    }
    if (atomic_fetch_sub(&gateway->running, 1) == 1) {
        pthread_kill(gateway->main, SIGUSR1);
    }
    return NULL;
}

/* ---- the threads ---- */

static bool create_thread(struct worker *worker)
{
    pthread_attr_t attributes;
    bool created;

    if (pthread_attr_init(&attributes) != 0) {
        return false;
    }
    created = pthread_attr_setstacksize(&attributes, WORKER_STACK) == 0 &&
              pthread_create(&worker->thread, &attributes, work, worker) == 0;
    pthread_attr_destroy(&attributes);
    return created;
}

static bool start_worker(struct gateway *gateway, struct worker *worker)
{
    worker->gateway = gateway;
    worker->arena = exchange_arena_open();
    if (worker->arena == NULL || !guard_open(&worker->guard)) {
        arena_close(worker->arena);
        return false;
    }
    atomic_fetch_add(&gateway->running, 1);
    if (!create_thread(worker)) {
        atomic_fetch_sub(&gateway->running, 1);
        guard_close(&worker->guard);
        arena_close(worker->arena);
        return false;
    }
    return true;
}

/* One more worker, when nobody is left to take the next connection. That it fails costs nothing but
 * speed: those that run go on. */
static void start_another(struct gateway *gateway)
{
    size_t started;

    if (atomic_load(&gateway->idle) > 0 ||
        atomic_load(&gateway->started) >= atomic_load(&gateway->most)) {
        return;
    }
    pthread_mutex_lock(&gateway->starting);
    started = atomic_load(&gateway->started);
    if (started < atomic_load(&gateway->most) && !atomic_load(&gateway->stopping)) {
        if (start_worker(gateway, &gateway->workers[started])) {
            atomic_store(&gateway->started, started + 1);
        } else if (started > 0) {
            log_line(CONFIG_LOG_NOTICE, "no thread beyond %zu of %zu could be started", started,
                     atomic_load(&gateway->most));
            atomic_store(&gateway->most, started);
        }
    }
    pthread_mutex_unlock(&gateway->starting);
}

static void watch(struct gateway *gateway)
{
    int64_t now_ms = guard_now_ms();

    for (size_t i = 0; i < atomic_load(&gateway->started); i++) {
        if (guard_check(&gateway->workers[i].guard, now_ms)) {
            log_line(CONFIG_LOG_NOTICE,
                     "slow: a peer took longer than %d s; its connection was "
                     "shut down",
                     GUARD_PATIENCE_MS / 1000);
        }
    }
}

/* Until a signal, and from then on until the last worker has finished. */
static void run_main_thread(struct gateway *gateway)
{
    while (!atomic_load(&gateway->stopping)) {
        if (wait_for_signal(WATCH_MS) != 0) {
            stop(gateway);
        }
        watch(gateway);
    }
    while (atomic_load(&gateway->running) > 0) {
        wait_for_signal(JOIN_WATCH_MS);
        watch(gateway);
    }
    for (size_t i = 0; i < atomic_load(&gateway->started); i++) {
        struct worker *worker = &gateway->workers[i];

        pthread_join(worker->thread, NULL);
        guard_close(&worker->guard);
        arena_close(worker->arena);
    }
}

static bool prepare(struct gateway *gateway, size_t most)
{
    atomic_init(&gateway->most, most);
    atomic_init(&gateway->stopping, false);
    atomic_init(&gateway->status, EXIT_SUCCESS);
    atomic_init(&gateway->running, 0);
    atomic_init(&gateway->idle, 0);
    atomic_init(&gateway->started, 0);
    gateway->stop_event = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    /* How long libfcgi waits, after its answer, for the peer to close; 2 s unless told otherwise.
     */
    setenv("LIBFCGI_OS_CLOSE_POLL_TIMEOUT", "100", 0);
    bool ready = gateway->stop_event >= 0 && pthread_mutex_init(&gateway->accepting, NULL) == 0 &&
                 pthread_mutex_init(&gateway->starting, NULL) == 0 && FCGX_Init() == 0;
    signal(SIGPIPE, SIG_IGN); /* FCGX_Init has put its own handler there */
    return ready;
}

int gateway_run(const struct listener *listener, struct serve *serve, size_t threads)
{
    struct gateway gateway = {.listener = listener, .serve = serve, .main = pthread_self()};

    gateway.workers = calloc(threads, sizeof *gateway.workers);
    if (gateway.workers == NULL || !prepare(&gateway, threads)) {
        log_line(CONFIG_LOG_ERROR, "cannot start: %s", strerror(errno));
        free(gateway.workers);
        return EXIT_FAILURE;
    }
    start_another(&gateway);
    if (atomic_load(&gateway.started) == 0) {
        log_line(CONFIG_LOG_ERROR, "cannot start a thread: %s", strerror(errno));
        atomic_store(&gateway.status, EXIT_FAILURE);
        stop(&gateway);
    }
    run_main_thread(&gateway);
    free(gateway.workers);
    close(gateway.stop_event);
    pthread_mutex_destroy(&gateway.accepting);
    pthread_mutex_destroy(&gateway.starting);
    return atomic_load(&gateway.status);
}
