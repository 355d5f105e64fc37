/* crew.c: see crew.h. A worker's round: door -> gateway -> store, settled when nobody else is at
 * the door or when answers have waited for long enough (store/group.c says how long): a lone
 * client's write is made durable at once, and under load one commit carries what has gathered.
 *
 * No worker waits for a peer, and one waits for the disk, so one more than there are processors
 * keep all of them busy, and every further one only costs. But some requests take long (passwords,
 * pages that come from a disk): when nobody has been at the door for a while, another is started.
 */
#include "responder/crew.h"

#include <errno.h>
#include <malloc.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "process/log.h"
#include "process/signals.h"
#include "responder/gateway.h"

/* How often the main thread looks: at peers that are late; whether all workers are stuck; at the
 * end.
 */
enum { WATCH_MS = 2000, STUCK_MS = 20, JOIN_WATCH_MS = 100 };

/* A JSON body may nest 2,048 deep, and jansson recurses. */
enum { WORKER_STACK = 2 * 1024 * 1024 };

struct crew {
    struct door *door;
    struct gateway *gateway;
    struct serve *serve;
    pthread_t main;
    atomic_bool stopping;
    atomic_int status;
    atomic_size_t running;
    atomic_size_t idle;  /* workers that wait at the door */
    atomic_uint taken;   /* peers so far */
    atomic_bool starved; /* nobody was at the door: the main thread looks closely */
    size_t enough;       /* workers, unless they are stuck */

    pthread_t *workers;
    atomic_size_t most;       /* of them */
    pthread_mutex_t starting; /* over the next */
    atomic_size_t started;    /* the first so many of `workers` are in use */
};

/* ---- signals ---- */

/* What a worker sends to the main thread that is to look closely. */
enum { LOOK_SIGNAL = SIGALRM };

void crew_block_signals(void)
{
    sigset_t set;

    signals_termination(&set);
    sigaddset(&set, LOOK_SIGNAL);
    pthread_sigmask(SIG_BLOCK, &set, NULL);
    signal(SIGPIPE, SIG_IGN);
}

/* A signal or 0 after that time. */
static int wait_for_signal(int ms)
{
    struct timespec time = {.tv_sec = ms / 1000, .tv_nsec = (long)(ms % 1000) * 1000000};
    sigset_t set;

    signals_termination(&set);
    sigaddset(&set, LOOK_SIGNAL);
    int signal_number = sigtimedwait(&set, NULL, &time);
    return signal_number > 0 ? signal_number : 0;
}

/* ---- the end ---- */

static void stop(struct crew *crew)
{
    if (!atomic_exchange(&crew->stopping, true)) {
        door_stop(crew->door);
    }
}

/* From a worker: ends the process with this status, and wakes the main thread to see to it. */
static void stop_with(struct crew *crew, int status)
{
    atomic_store(&crew->status, status);
    stop(crew);
    pthread_kill(crew->main, SIGUSR1);
}

/* ---- a worker ---- */

static void start_another(struct crew *crew, size_t enough);

static void settle(struct crew *crew)
{
    serve_settle(crew->serve);
    if (serve_must_end(crew->serve) && !atomic_load(&crew->stopping)) {
        log_line(CONFIG_LOG_ERROR, "the store is unsure after a failed write; ending, so that the "
                                   "next process reads the truth");
        stop_with(crew, EXIT_FAILURE);
    }
}

static enum door_event wait_at_door(struct crew *crew, int *peer)
{
    atomic_fetch_add(&crew->idle, 1);
    enum door_event event = door_next(crew->door, true, peer);
    atomic_fetch_sub(&crew->idle, 1);
    return event;
}

/* The next peer. While writes gather, only one that is there already; when they are due, nobody. */
static enum door_event next_peer(struct crew *crew, int *peer)
{
    switch (serve_pending(crew->serve)) {
    case STORE_NOTHING:
        return wait_at_door(crew, peer);
    case STORE_WAITING:
        return door_next(crew->door, false, peer);
    case STORE_DUE:
        break;
    }
    return DOOR_NOBODY;
}

/* A peer has been taken. Sees to it that the next one finds somebody. */
static void look_behind(struct crew *crew)
{
    atomic_fetch_add(&crew->taken, 1);
    if (atomic_load(&crew->idle) > 0) {
        return;
    }
    start_another(crew, crew->enough);
    if (atomic_load(&crew->started) < atomic_load(&crew->most) &&
        !atomic_exchange(&crew->starved, true)) {
        pthread_kill(crew->main, LOOK_SIGNAL);
    }
}

static void *work(void *self)
{
    struct crew *crew = self;
    enum door_event event;
    int peer;

    do {
        event = next_peer(crew, &peer);
        if (event == DOOR_PEER) {
            look_behind(crew);
            gateway_receive(crew->gateway, peer);
        } else {
            int error = errno;
            settle(crew);
            if (event == DOOR_BROKEN) {
                log_line(CONFIG_LOG_ERROR, "cannot accept connections any more: %s",
                         strerror(error));
                stop_with(crew, EXIT_FAILURE);
            }
        }
    } while (event == DOOR_PEER || event == DOOR_NOBODY);
    if (atomic_fetch_sub(&crew->running, 1) == 1) {
        pthread_kill(crew->main, SIGUSR1);
    }
    return NULL;
}

/* ---- the threads ---- */

static bool create_thread(struct crew *crew, pthread_t *thread)
{
    pthread_attr_t attributes;
    bool created;

    if (pthread_attr_init(&attributes) != 0) {
        return false;
    }
    atomic_fetch_add(&crew->running, 1);
    created = pthread_attr_setstacksize(&attributes, WORKER_STACK) == 0 &&
              pthread_create(thread, &attributes, work, crew) == 0;
    pthread_attr_destroy(&attributes);
    if (!created) {
        atomic_fetch_sub(&crew->running, 1);
    }
    return created;
}

/* One more worker, if there are fewer than `enough`. That it fails costs nothing but speed: those
 * that run go on. */
static void start_another(struct crew *crew, size_t enough)
{
    size_t started;

    if (atomic_load(&crew->started) >= enough) {
        return;
    }
    pthread_mutex_lock(&crew->starting);
    started = atomic_load(&crew->started);
    if (started < enough && started < atomic_load(&crew->most) && !atomic_load(&crew->stopping)) {
        if (create_thread(crew, &crew->workers[started])) {
            atomic_store(&crew->started, started + 1);
        } else if (started > 0) {
            log_line(CONFIG_LOG_NOTICE, "no thread beyond %zu of %zu could be started", started,
                     atomic_load(&crew->most));
            atomic_store(&crew->most, started);
        }
    }
    pthread_mutex_unlock(&crew->starting);
}

/* Nobody was at the door, STUCK_MS ago. While that lasts, and no worker has come back to it for the
 * next peer meanwhile, one more is started. */
static void watch_for_stuck(struct crew *crew, unsigned taken_before)
{
    if (atomic_load(&crew->idle) > 0) {
        atomic_store(&crew->starved, false);
    } else if (atomic_load(&crew->taken) == taken_before) {
        start_another(crew, atomic_load(&crew->started) + 1);
    }
}

static void watch(struct crew *crew)
{
    size_t late = door_check(crew->door, door_now_ms());

    if (late > 0) {
        log_line(CONFIG_LOG_NOTICE,
                 "slow: %zu peers had not sent a whole request after %d s; their connections were "
                 "shut down",
                 late, DOOR_PATIENCE_MS / 1000);
    }
}

static void serve_until_signal(struct crew *crew)
{
    int64_t watched_ms = door_now_ms();

    while (!atomic_load(&crew->stopping)) {
        bool closely = atomic_load(&crew->starved);
        unsigned taken = atomic_load(&crew->taken);
        int signal_number = wait_for_signal(closely ? STUCK_MS : WATCH_MS);

        if (signal_number != 0 && signal_number != LOOK_SIGNAL) {
            stop(crew);
        } else if (closely && signal_number == 0) {
            watch_for_stuck(crew, taken);
        }
        if (door_now_ms() - watched_ms >= WATCH_MS) {
            watch(crew);
            watched_ms = door_now_ms();
        }
    }
}

/* Until a signal, and from then on until the last worker has finished. */
static void run_main_thread(struct crew *crew)
{
    serve_until_signal(crew);
    while (atomic_load(&crew->running) > 0) {
        wait_for_signal(JOIN_WATCH_MS);
        watch(crew);
    }
    for (size_t i = 0; i < atomic_load(&crew->started); i++) {
        pthread_join(crew->workers[i], NULL);
    }
}

/* Those this process may use. */
static size_t processors(void)
{
    cpu_set_t set;

    return sched_getaffinity(0, sizeof set, &set) == 0 ? (size_t)CPU_COUNT(&set) : 1;
}

static bool prepare(struct crew *crew, const struct listener *listener, size_t most)
{
    atomic_init(&crew->most, most);
    atomic_init(&crew->stopping, false);
    atomic_init(&crew->status, EXIT_SUCCESS);
    atomic_init(&crew->running, 0);
    atomic_init(&crew->idle, 0);
    atomic_init(&crew->started, 0);
    atomic_init(&crew->taken, 0);
    atomic_init(&crew->starved, false);
    crew->enough = processors() + 1;
    /* malloc keeps memory for so many threads apart; more than run at once would only cost */
    mallopt(M_ARENA_MAX, (int)processors());
    pthread_mutex_init(&crew->starting, NULL);
    crew->workers = calloc(most, sizeof *crew->workers);
    crew->door = door_open(listener);
    if (crew->workers == NULL || crew->door == NULL) {
        return false;
    }
    crew->gateway = gateway_open(crew->door, crew->serve, listener->over_tcp);
    signal(SIGPIPE, SIG_IGN); /* FCGX_Init has put its own handler there */
    return crew->gateway != NULL;
}

int crew_run(const struct listener *listener, struct serve *serve, size_t threads)
{
    struct crew crew = {.serve = serve, .main = pthread_self()};

    if (!prepare(&crew, listener, threads)) {
        log_line(CONFIG_LOG_ERROR, "cannot start: out of memory or descriptors");
        atomic_store(&crew.status, CREW_CANNOT_START);
        goto done;
    }
    start_another(&crew, 1);
    if (atomic_load(&crew.started) == 0) {
        log_line(CONFIG_LOG_ERROR, "cannot start a thread: out of memory, or over a limit of "
                                   "processes");
        atomic_store(&crew.status, CREW_CANNOT_START);
        stop(&crew);
    }
    run_main_thread(&crew);
done:
    gateway_close(crew.gateway);
    door_close(crew.door);
    free(crew.workers);
    pthread_mutex_destroy(&crew.starting);
    return atomic_load(&crew.status);
}
