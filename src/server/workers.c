/* SPDX-License-Identifier: ISC */
/* workers.c: the worker threads, and the main thread that watches them; see workers.h.
 *
 * A worker takes a ready connection, performs its request, and flushes when no connection is ready
 * or when responses have waited long enough. So the write of a lone client is durable at once, and
 * under load one commit carries many.
 *
 * No worker waits for a peer, and one at a time waits for the disk, so CPUs + 1 threads keep every
 * CPU busy, and each further one only costs. But some requests take long (passwords, pages read
 * from a disk): when no worker has waited for a connection for a while, as many are started again.
 */
#include "server/workers.h"

#include <errno.h>
#include <malloc.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/log.h"
#include "base/processors.h"
#include "server/connections.h"
#include "server/fastcgi.h"
#include "server/signals.h"

/* How often the main thread looks: for late connections; whether all workers are stuck; at the end,
 * whether all of them have finished. */
enum { WATCH_MS = 2000, STUCK_MS = 20, JOIN_WATCH_MS = 100 };

/* For each processor, where a request waits for another server: while some wait, others gather what
 * they ask for. */
enum { THREADS_THAT_WAIT = 10 };

/* So long a process that must end goes on with what is in flight, most of which can only fail. */
enum { LAST_MS = 1000 };

/* A JSON body may nest 2,048 levels deep, and jansson recurses. */
enum { WORKER_STACK = 2 * 1024 * 1024 };

/* Sent by a worker, so that the main thread looks every STUCK_MS. */
enum { LOOK_SIGNAL = SIGALRM };

struct workers {
    struct connections *connections;
    struct fastcgi *fastcgi;
    const struct server_handler *handler;
    pthread_t main;
    atomic_bool stopping;
    atomic_bool must_end; /* and why has been logged */
    atomic_int status;
    atomic_size_t running;
    atomic_size_t idle;  /* workers that wait for a connection */
    atomic_uint taken;   /* connections so far */
    atomic_bool starved; /* no worker was idle: the main thread looks every STUCK_MS */
    size_t enough;       /* workers, unless they are stuck */

    pthread_t *threads;
    atomic_size_t most;       /* of them */
    pthread_mutex_t starting; /* over the next */
    atomic_size_t started;    /* the first so many of `threads` are in use */
};

static bool prepare(struct workers *workers, const struct listener *listener,
                    const struct server_handler *handler, size_t most);
static void start_another(struct workers *workers, size_t enough);
static bool run_main_thread(struct workers *workers);
static void stop(struct workers *workers);
static void end_if_it_must(struct workers *workers);
static void workers_close(struct workers *workers);

void workers_block_signals(void)
{
    sigset_t set;

    signals_set(&set);
    sigaddset(&set, LOOK_SIGNAL);
    pthread_sigmask(SIG_BLOCK, &set, NULL);
    signal(SIGPIPE, SIG_IGN);
}

int workers_run(const struct listener *listener, const struct server_handler *handler,
                size_t threads)
{
    struct workers *workers = calloc(1, sizeof *workers);

    if (workers == NULL || !prepare(workers, listener, handler, threads)) {
        log_line(LOG_LEVEL_ERROR, "cannot start: out of memory or descriptors");
        workers_close(workers);
        return WORKERS_CANNOT_START;
    }
    start_another(workers, 1);
    if (atomic_load(&workers->started) == 0) {
        log_line(LOG_LEVEL_ERROR, "cannot start a thread: out of memory, or over a limit of "
                                  "processes");
        workers_close(workers);
        return WORKERS_CANNOT_START;
    }
    handler->tell(handler->self, SERVER_SERVES);
    end_if_it_must(workers);
    bool finished = run_main_thread(workers);
    int status = atomic_load(&workers->status);
    if (finished) { /* else a worker still uses it */
        workers_close(workers);
    }
    return status;
}

static bool prepare(struct workers *workers, const struct listener *listener,
                    const struct server_handler *handler, size_t most)
{
    workers->handler = handler;
    workers->main = pthread_self();
    atomic_init(&workers->most, most);
    atomic_init(&workers->stopping, false);
    atomic_init(&workers->must_end, false);
    atomic_init(&workers->status, EXIT_SUCCESS);
    atomic_init(&workers->running, 0);
    atomic_init(&workers->idle, 0);
    atomic_init(&workers->started, 0);
    atomic_init(&workers->taken, 0);
    atomic_init(&workers->starved, false);
    workers->enough = processors_count() * (handler->waits ? THREADS_THAT_WAIT : 1) + 1;
    /* malloc keeps separate arenas for so many threads; more than run at once would only cost */
    mallopt(M_ARENA_MAX, (int)processors_count());
    /* libfcgi frees its buffers with the tokens in them: overwrite what is freed (with this byte)
     */
    mallopt(M_PERTURB, 0xff);
    pthread_mutex_init(&workers->starting, NULL);
    workers->threads = calloc(most, sizeof *workers->threads);
    workers->connections = connections_open(listener);
    if (workers->threads == NULL || workers->connections == NULL) {
        return false;
    }
    workers->fastcgi = fastcgi_open(workers->connections, workers->handler, listener->over_tcp);
    signal(SIGPIPE, SIG_IGN); /* FCGX_Init has installed a handler of its own */
    return workers->fastcgi != NULL;
}

static void workers_close(struct workers *workers)
{
    if (workers != NULL) {
        fastcgi_close(workers->fastcgi);
        connections_close(workers->connections);
        free(workers->threads);
        pthread_mutex_destroy(&workers->starting);
        free(workers);
    }
}

/* ---- the main thread ---- */

static void serve_until_signal(struct workers *workers);
static int wait_for_signal(int ms);
static void watch_for_stuck(struct workers *workers, unsigned taken_before);
static int64_t watch_for_hung(struct workers *workers);
static void watch_for_late(struct workers *workers);

/* Until a signal, and from then on until the last worker has finished. False: the process must end,
 * and a worker has not finished in time. */
static bool run_main_thread(struct workers *workers)
{
    serve_until_signal(workers);
    workers->handler->tell(workers->handler->self, SERVER_STOPS);
    int64_t stopped_ms = connections_now_ms();
    while (atomic_load(&workers->running) > 0) {
        if (atomic_load(&workers->must_end) && connections_now_ms() - stopped_ms >= LAST_MS) {
            return false;
        }
        wait_for_signal(JOIN_WATCH_MS);
        watch_for_late(workers);
        watch_for_hung(workers);
    }
    for (size_t i = 0; i < atomic_load(&workers->started); i++) {
        pthread_join(workers->threads[i], NULL);
    }
    return true;
}

static void serve_until_signal(struct workers *workers)
{
    const struct server_handler *handler = workers->handler;
    int64_t watched_ms = connections_now_ms();
    unsigned told = atomic_load(&workers->taken);

    while (!atomic_load(&workers->stopping)) {
        bool closely = atomic_load(&workers->starved);
        unsigned taken = atomic_load(&workers->taken);
        int64_t watch_ms = watch_for_hung(workers);
        int signal_number = wait_for_signal(closely ? STUCK_MS : (int)watch_ms);

        if (signals_ends(signal_number)) {
            stop(workers);
        } else if (signals_reopens(signal_number)) {
            log_reopen();
            if (signals_reloads(signal_number)) {
                handler->reload(handler->self);
            }
        } else if (closely && signal_number == 0) {
            watch_for_stuck(workers, taken);
        }
        if (connections_now_ms() - watched_ms >= WATCH_MS) {
            watch_for_late(workers);
            log_settle();
            watched_ms = connections_now_ms();
        }
        if (atomic_load(&workers->idle) > 0 || atomic_load(&workers->taken) != told) {
            told = atomic_load(&workers->taken);
            handler->tell(handler->self, SERVER_WORKS);
        }
    }
}

/* The signal, or 0 after that time. */
static int wait_for_signal(int ms)
{
    struct timespec time = {.tv_sec = ms / 1000, .tv_nsec = (long)(ms % 1000) * 1000000};
    sigset_t set;

    signals_set(&set);
    sigaddset(&set, LOOK_SIGNAL);
    int signal_number = sigtimedwait(&set, NULL, &time);
    return signal_number > 0 ? signal_number : 0;
}

/* No worker was idle STUCK_MS ago. If that is still so, and none has taken a connection since, what
 * holds them up is likely to hold up the next few, too. */
static void watch_for_stuck(struct workers *workers, unsigned taken_before)
{
    if (atomic_load(&workers->idle) > 0) {
        atomic_store(&workers->starved, false);
    } else if (atomic_load(&workers->taken) == taken_before) {
        size_t enough = atomic_load(&workers->started) + workers->enough;

        for (size_t i = 0; i < workers->enough; i++) {
            start_another(workers, enough);
        }
    }
}

/* Returns for how long the main thread may sleep then: WATCH_MS at most. */
static int64_t watch_for_hung(struct workers *workers)
{
    int64_t within_ms = workers->handler->watch(workers->handler->self);

    return within_ms > WATCH_MS ? WATCH_MS : within_ms > 0 ? within_ms : 1;
}

static void watch_for_late(struct workers *workers)
{
    size_t late = connections_check(workers->connections, connections_now_ms());

    if (late > 0) {
        log_line(LOG_LEVEL_NOTICE,
                 "slow: %zu peers had not sent a whole request after %d s; their connections were "
                 "shut down",
                 late, CONNECTIONS_PATIENCE_MS / 1000);
    }
}

static void stop(struct workers *workers)
{
    if (!atomic_exchange(&workers->stopping, true)) {
        connections_stop(workers->connections);
    }
}

/* ---- starting threads ---- */

static bool create_thread(struct workers *workers, pthread_t *thread);
static void *work(void *self);

/* Starts one more worker if there are fewer than `enough`. A failure costs nothing but speed: those
 * that run go on. */
static void start_another(struct workers *workers, size_t enough)
{
    size_t started;

    if (atomic_load(&workers->started) >= enough) {
        return;
    }
    pthread_mutex_lock(&workers->starting);
    started = atomic_load(&workers->started);
    if (started < enough && started < atomic_load(&workers->most) &&
        !atomic_load(&workers->stopping)) {
        if (create_thread(workers, &workers->threads[started])) {
            atomic_store(&workers->started, started + 1);
        } else if (started > 0) {
            log_line(LOG_LEVEL_NOTICE, "no thread beyond %zu of %zu could be started", started,
                     atomic_load(&workers->most));
            atomic_store(&workers->most, started);
        }
    }
    pthread_mutex_unlock(&workers->starting);
}

static bool create_thread(struct workers *workers, pthread_t *thread)
{
    pthread_attr_t attributes;
    bool created;

    if (pthread_attr_init(&attributes) != 0) {
        return false;
    }
    atomic_fetch_add(&workers->running, 1);
    created = pthread_attr_setstacksize(&attributes, WORKER_STACK) == 0 &&
              pthread_create(thread, &attributes, work, workers) == 0;
    pthread_attr_destroy(&attributes);
    if (!created) {
        atomic_fetch_sub(&workers->running, 1);
    }
    return created;
}

/* ---- a worker ---- */

static enum connections_event next(struct workers *workers, int *connection);
static enum connections_event wait_idle(struct workers *workers, int *connection);
static void ensure_another(struct workers *workers);
static void stop_with(struct workers *workers, int status);

static void *work(void *self)
{
    struct workers *workers = self;
    enum connections_event event;
    int connection;

    do {
        event = next(workers, &connection);
        if (event == CONNECTIONS_READY) {
            ensure_another(workers);
            fastcgi_receive(workers->fastcgi, connection);
        } else {
            int error = errno;

            workers->handler->flush(workers->handler->self);
            if (event == CONNECTIONS_BROKEN) {
                log_line(LOG_LEVEL_ERROR, "cannot accept connections any more: %s",
                         strerror(error));
                stop_with(workers, EXIT_FAILURE);
            }
        }
        end_if_it_must(workers);
    } while (event == CONNECTIONS_READY || event == CONNECTIONS_NONE);
    if (atomic_fetch_sub(&workers->running, 1) == 1) {
        pthread_kill(workers->main, LOOK_SIGNAL);
    }
    return NULL;
}

/* The next connection. While responses wait for a flush, only one that is ready now; once they are
 * due, none. */
static enum connections_event next(struct workers *workers, int *connection)
{
    switch (workers->handler->pending(workers->handler->self)) {
    case SERVER_NOTHING:
        return wait_idle(workers, connection);
    case SERVER_WAITING:
        return connections_next(workers->connections, false, connection);
    case SERVER_DUE:
        break;
    }
    return CONNECTIONS_NONE;
}

static enum connections_event wait_idle(struct workers *workers, int *connection)
{
    atomic_fetch_add(&workers->idle, 1);
    enum connections_event event = connections_next(workers->connections, true, connection);
    atomic_fetch_sub(&workers->idle, 1);
    return event;
}

/* A connection has been taken: is there a worker for the next one? */
static void ensure_another(struct workers *workers)
{
    atomic_fetch_add(&workers->taken, 1);
    if (atomic_load(&workers->idle) > 0) {
        return;
    }
    start_another(workers, workers->enough);
    if (atomic_load(&workers->started) < atomic_load(&workers->most) &&
        !atomic_exchange(&workers->starved, true)) {
        pthread_kill(workers->main, LOOK_SIGNAL);
    }
}

/* Any request may have found it out, whether it writes or not. */
static void end_if_it_must(struct workers *workers)
{
    const char *why = workers->handler->must_end(workers->handler->self);

    if (why != NULL && !atomic_exchange(&workers->must_end, true)) {
        log_line(LOG_LEVEL_ERROR, "%s; ending", why);
        stop_with(workers, EXIT_FAILURE);
    }
}

/* Ends the process with this status. */
static void stop_with(struct workers *workers, int status)
{
    atomic_store(&workers->status, status);
    stop(workers);
    pthread_kill(workers->main, LOOK_SIGNAL); /* which is waiting for a signal */
}
