/* SPDX-License-Identifier: ISC */
/* serve.c: request -> router -> mount -> operation -> response -> one log line. Knows the steps of
 * an operation; does not know any operation, how the service is opened (service_lazy.c), libfcgi,
 * CGI or any dialect's words. */
#include "responder/serve.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/crypto.h"
#include "base/log.h"
#include "dialect/dialect.h"
#include "operation/hook.h"
#include "responder/request_log.h"
#include "responder/router.h"
#include "responder/service_lazy.h"

/* A request whose next step may wait for a hook. */
struct late {
    struct request *request;
    struct late *next;
};

/* A configuration that has been read while requests were served. */
struct generation {
    struct service service;
    size_t users; /* requests; and one while it is the current one */
};

struct serve {
    struct service_lazy lazy;
    _Atomic(struct generation *) generation; /* the current one; NULL: lazy's own. Only the main
                                                thread changes it, under the lock */
    struct supervisor *supervisor;           /* NULL: none */
    bool stale;                              /* the last reload failed */
    atomic_size_t late_count;
    pthread_mutex_t lock; /* over users of generations, and these */
    struct late *first, **end;
};

/* What a request has here besides, which it is the first part of. */
struct served {
    struct request request;
    struct serve *serve;
    struct generation *generation; /* NULL: lazy's own, which stays */
    struct late late;
};

static void follow_secrets(const struct service *service);
static void handle_closed(struct service_lazy *lazy, struct request *request);
static void route(struct service *service, const struct fault *closed, struct request *request);
static void run(struct request *request);
static void go_on(struct request *request);
static void when_written(void *self, enum store_result result);
static void put_off(struct request *request);
static struct request *take_late(struct serve *serve);
static void respond(struct request *request, enum outcome outcome);
static void answer(struct request *request);
static struct generation *take_generation(struct serve *serve);
static void release_generation(struct serve *serve, struct generation *generation);
static void answer_plain(struct http_response *response, int status, struct text body);

/* ---- requests ---- */

static void handle(void *self, struct http_exchange *http)
{
    struct serve *serve = self;
    struct served *served = arena_alloc(http->arena, sizeof *served);
    struct request *request = &served->request;

    if (served == NULL) {
        log_line(LOG_LEVEL_ERROR, "the request's memory is used up");
        answer_plain(&http->response, 503, TEXT("Service Unavailable\n"));
        http->answered(http);
        return;
    }
    memset(served, 0, sizeof *served);
    served->serve = serve;
    served->late.request = request;
    request->http = http;
    request->arena = http->arena;
    request->begun_us = clock_stopwatch_us();
    request->network = http_network_of(http->request.remote_address);
    if (service_lazy_is_open(&serve->lazy)) {
        served->generation = take_generation(serve);
        follow_secrets(serve->lazy.service);
        route(served->generation != NULL ? &served->generation->service : serve->lazy.service, NULL,
              request);
    } else {
        handle_closed(&serve->lazy, request);
    }
}

/* So that every process takes up a secret that was added, or retired, at its next request: one look
 * at the file's status. */
static void follow_secrets(const struct service *service)
{
    struct fault fault = {""};

    switch (secrets_follow(&service->secrets, &fault)) {
    case SECRETS_SAME:
        break;
    case SECRETS_CHANGED:
        log_line(LOG_LEVEL_NOTICE, "%s has changed, and was taken up", service->config.secret_file);
        break;
    case SECRETS_UNREADABLE:
        log_line(LOG_LEVEL_ERROR, "going on with the master secrets as they were: %s", fault.text);
        break;
    }
}

static void handle_closed(struct service_lazy *lazy, struct request *request)
{
    const struct fault *closed = service_lazy_acquire(lazy);

    if (lazy->configured) {
        route(lazy->service, closed, request);
    } else {
        request->fault = *closed;
        answer_plain(&request->http->response, 503, TEXT("Service Unavailable\n"));
        request_log_stray(request, "no-configuration");
        answer(request);
    }
    service_lazy_release(lazy);
}

/* `closed`: why the service cannot be asked; NULL when it can. */
static void route(struct service *service, const struct fault *closed, struct request *request)
{
    enum outcome outcome;

    request->issuer = &service->issuer;
    request->http->request.https = request->http->request.https || service->config.https;
    request->mount = router_find(&service->config, &request->http->request);
    if (request->mount == NULL) {
        answer_plain(&request->http->response, 404, TEXT("Not Found\n"));
        request_log_stray(request, "no-mount");
        metrics_answer(service->answers[service->config.mount_count], OUTCOME_NO_MOUNT,
                       (uint64_t)(clock_stopwatch_us() - request->begun_us));
        answer(request);
        return;
    }
    request->realm = request->mount->realm;
    request->answers = service->answers[request->mount - service->config.mounts];
    if (!dialect_decode(request, &outcome)) {
        if (outcome == OUTCOME_FAULT) {
            fault_set(&request->fault, "the request's memory is used up");
        }
        respond(request, outcome);
    } else if (closed != NULL) {
        request->fault = *closed;
        respond(request, OUTCOME_FAULT);
    } else {
        run(request);
    }
}

static void run(struct request *request)
{
    if (request->operation->begin(request)) {
        go_on(request);
    } else {
        respond(request, OUTCOME_FAULT);
    }
}

/* As far as the next write, if there is one; the thread that makes it durable goes on from there.
 */
static void go_on(struct request *request)
{
    enum outcome outcome;
    struct store_write *write = operation_step(request, &outcome);

    if (write == NULL) {
        respond(request, outcome);
    } else {
        store_submit(request->issuer->store, write, &request->fault, when_written, request);
    }
}

static void when_written(void *self, enum store_result result)
{
    struct request *request = self;

    operation_written(request, result);
    if (result != STORE_FAULT && hook_may_wait(request)) {
        put_off(request);
    } else {
        go_on(request);
    }
}

/* The thread that tells what came of a batch has others to tell: a worker goes on when it has. */
static void put_off(struct request *request)
{
    struct served *served = (struct served *)request;
    struct serve *serve = served->serve;

    pthread_mutex_lock(&serve->lock);
    *serve->end = &served->late;
    serve->end = &served->late.next;
    atomic_fetch_add(&serve->late_count, 1);
    pthread_mutex_unlock(&serve->lock);
}

/* NULL: there is none. */
static struct request *take_late(struct serve *serve)
{
    struct late *late;

    if (atomic_load(&serve->late_count) == 0) {
        return NULL;
    }
    pthread_mutex_lock(&serve->lock);
    late = serve->first;
    if (late != NULL) {
        serve->first = late->next;
        atomic_fetch_sub(&serve->late_count, 1);
        serve->end = serve->first == NULL ? &serve->first : serve->end;
    }
    pthread_mutex_unlock(&serve->lock);
    return late != NULL ? late->request : NULL;
}

static void respond(struct request *request, enum outcome outcome)
{
    dialect_respond(request, outcome);
    request->took_us = clock_stopwatch_us() - request->begun_us;
    metrics_answer(request->answers, outcome, (uint64_t)request->took_us);
    request_log(request, outcome);
    answer(request);
}

/* The request is gone after this. Until then its response may hold words of the configuration. */
static void answer(struct request *request)
{
    struct served *served = (struct served *)request;
    struct generation *generation = served->generation;
    struct serve *serve = served->serve;

    request->http->answered(request->http);
    release_generation(serve, generation);
}

/* ---- configurations ---- */

/* NULL: lazy's own. */
static struct generation *take_generation(struct serve *serve)
{
    struct generation *generation;

    if (atomic_load(&serve->generation) == NULL) {
        return NULL;
    }
    pthread_mutex_lock(&serve->lock);
    generation = atomic_load(&serve->generation);
    generation->users++;
    pthread_mutex_unlock(&serve->lock);
    return generation;
}

static void release_generation(struct serve *serve, struct generation *generation)
{
    if (generation == NULL) {
        return;
    }
    pthread_mutex_lock(&serve->lock);
    bool last = --generation->users == 0;
    pthread_mutex_unlock(&serve->lock);
    if (last) {
        service_unfollow(&generation->service);
        free(generation);
    }
}

/* An answer that belongs to no dialect. */
static void answer_plain(struct http_response *response, int status, struct text body)
{
    http_response_start(response, status);
    http_response_header_c(response, "Content-Type", "text/plain; charset=utf-8");
    http_response_no_store(response);
    if (status == 503) {
        http_response_header_c(response, "Retry-After", "1");
    }
    response->body = body;
}

/* ---- over a service ---- */

static struct serve *allocate(void)
{
    struct serve *serve = calloc(1, sizeof *serve);

    if (serve != NULL) {
        pthread_mutex_init(&serve->lock, NULL);
        serve->end = &serve->first;
    }
    return serve;
}

struct serve *serve_open(const char *config_file, bool as_script)
{
    struct serve *serve = allocate();

    if (serve != NULL && !service_lazy_open(&serve->lazy, config_file, as_script)) {
        free(serve);
        return NULL;
    }
    return serve;
}

struct serve *serve_over(struct service *service)
{
    struct serve *serve = allocate();

    if (serve != NULL && !service_lazy_over(&serve->lazy, service)) {
        free(serve);
        return NULL;
    }
    return serve;
}

void serve_close(struct serve *serve)
{
    if (serve != NULL) {
        release_generation(serve, atomic_load(&serve->generation));
        service_lazy_close(&serve->lazy);
        pthread_mutex_destroy(&serve->lock);
        free(serve);
    }
}

/* A lack of memory passes, so what failed is tried once more; what libcrypto has broken fails
 * again, and must_end tells. */
static void warm(struct service *service)
{
    struct fault ignored;
    const struct keyring *keyring = issuer_keyring(&service->issuer, 0, &ignored);

    if (keyring != NULL && !keyring_warm(keyring)) {
        keyring_warm(keyring);
    }
}

void serve_warm(struct serve *serve)
{
    if (service_lazy_is_open(&serve->lazy)) {
        warm(serve->lazy.service);
    }
}

/* The store; NULL while there is none to ask. */
static struct store *store_of(struct serve *serve)
{
    return service_lazy_is_open(&serve->lazy) ? serve->lazy.service->store : NULL;
}

void serve_supervised(struct serve *serve, struct supervisor *supervisor)
{
    serve->supervisor = supervisor;
}

size_t serve_threads(const struct serve *serve)
{
    const struct service_lazy *lazy = &serve->lazy;

    return lazy->configured ? (size_t)lazy->service->config.threads : CONFIG_THREADS;
}

const struct config *serve_config(struct serve *serve)
{
    return service_lazy_is_open(&serve->lazy) ? &serve->lazy.service->config : NULL;
}

/* ---- what the server asks ---- */

static size_t body_limit(void *self)
{
    struct serve *serve = self;
    struct service_lazy *lazy = &serve->lazy;

    return service_lazy_is_open(lazy) ? (size_t)lazy->service->config.body_limit
                                      : CONFIG_BODY_LIMIT;
}

static enum server_pending pending(void *self)
{
    struct store *store = store_of(self);
    struct serve *serve = self;

    if (store == NULL) {
        return SERVER_NOTHING;
    } else if (atomic_load(&serve->late_count) > 0) {
        return SERVER_DUE;
    }
    switch (store_pending(store)) {
    case STORE_WAITING:
        return SERVER_WAITING;
    case STORE_DUE:
        return SERVER_DUE;
    case STORE_NOTHING:
        break;
    }
    return SERVER_NOTHING;
}

static void say_notice(struct store *store);

static void flush(void *self)
{
    struct store *store = store_of(self);
    struct request *request;

    if (store != NULL) {
        store_flush(store);
        while ((request = take_late(self)) != NULL) {
            go_on(request);
            store_flush(store);
        }
        say_notice(store);
    }
}

static void say_notice(struct store *store)
{
    struct fault notice;

    if (store_notice(store, &notice)) {
        log_line(LOG_LEVEL_NOTICE, "%s", notice.text);
    }
}

static int64_t watch(void *self)
{
    struct store *store = store_of(self);

    return store != NULL ? store_expire(store) : INT64_MAX;
}

static const char *must_end(void *self)
{
    struct store *store = store_of(self);

    if (crypto_is_broken()) {
        return "libcrypto failed twice in a row, and only a new process can start it again";
    }
    return store != NULL && store_is_broken(store) ? "only a new process can use the store again"
                                                   : NULL;
}

static bool can_read(struct serve *serve);
static void say_ready(struct serve *serve);

static void tell(void *self, enum server_news news)
{
    struct serve *serve = self;

    if (serve->supervisor == NULL) {
        return;
    }
    switch (news) {
    case SERVER_SERVES:
        say_ready(serve);
        break;
    case SERVER_WORKS:
        if (supervisor_is_due(serve->supervisor) && can_read(serve)) {
            supervisor_alive(serve->supervisor);
        }
        break;
    case SERVER_STOPS:
        supervisor_stopping(serve->supervisor);
        break;
    }
}

static void say_ready(struct serve *serve)
{
    const char *how =
        !service_lazy_is_open(&serve->lazy) ? "Answering with faults; the log says why"
        : serve->stale ? "Serving requests by the former configuration; the log says why"
                       : "Serving requests";

    supervisor_ready(serve->supervisor, how);
}

/* Would another process do better? What is read here is what the health check reads, and takes no
 * lock that a commit holds. Not where there is a server to wait for: a read that fails there, and
 * an installation that cannot be opened, fail in the next process, too. */
static bool can_read(struct serve *serve)
{
    struct store *store = store_of(serve);
    struct fault fault;
    uint64_t version;

    if (store == NULL || store_url_directory(serve->lazy.service->config.store) == NULL ||
        store_keyring_version(store, &version, &fault) == STORE_OK) {
        return true;
    }
    log_line(LOG_LEVEL_ERROR, "not well, and the supervisor is not told otherwise: %s", fault.text);
    return false;
}

static bool take_over(struct serve *serve, struct fault *fault);
static struct generation *read_again(struct serve *serve, struct fault *fault);

static void reload(void *self)
{
    struct serve *serve = self;
    struct fault fault;

    if (serve->supervisor != NULL) {
        supervisor_reloading(serve->supervisor);
    }
    if (!service_lazy_is_open(&serve->lazy)) { /* which reads it, too */
        (void)service_lazy_acquire(&serve->lazy);
        service_lazy_release(&serve->lazy);
    } else if (!take_over(serve, &fault)) {
        log_line(LOG_LEVEL_ERROR, "cannot reload, going on as before: %s", fault.text);
    }
    if (serve->supervisor != NULL) {
        say_ready(serve);
    }
}

/* Requests in progress go on with the configuration that they began with. */
static bool take_over(struct serve *serve, struct fault *fault)
{
    struct generation *before = atomic_load(&serve->generation);
    struct generation *next = read_again(serve, fault);

    serve->stale = next == NULL;
    if (next == NULL) {
        return false;
    }
    log_set_level(next->service.config.log_level);
    log_line(LOG_LEVEL_NOTICE, "reloaded: %s",
             next->service.config.file[0] != '\0' ? next->service.config.file : "all defaults");
    pthread_mutex_lock(&serve->lock);
    atomic_store(&serve->generation, next);
    pthread_mutex_unlock(&serve->lock);
    release_generation(serve, before);
    return true;
}

/* NULL with *fault. */
static struct generation *read_again(struct serve *serve, struct fault *fault)
{
    struct generation *next = calloc(1, sizeof *next);
    struct fault other;

    if (next == NULL) {
        fault_set(fault, "out of memory");
        return NULL;
    }
    next->users = 1;
    if (!config_load(serve->lazy.config_file, &next->service.config, fault) ||
        !service_is_possible(&next->service.config, fault)) {
        free(next);
        return NULL;
    }
    service_count(&next->service, &other);
    if (other.text[0] != '\0') {
        log_line(LOG_LEVEL_ERROR, "%s; this process counts by itself", other.text);
    }
    if (!service_follow(&next->service, serve->lazy.service, fault)) {
        metrics_close(next->service.metrics);
        free(next);
        return NULL;
    } else if (!service_prepare_hooks(&next->service, &other)) {
        log_line(LOG_LEVEL_ERROR, "hooks cannot be asked: %s", other.text);
    }
    warm(&next->service);
    return next;
}

struct server_handler serve_handler(struct serve *serve)
{
    const struct service_lazy *lazy = &serve->lazy;

    return (struct server_handler){
        .self = serve,
        .waits = lazy->configured && store_url_directory(lazy->service->config.store) == NULL,
        .handle = handle,
        .body_limit = body_limit,
        .pending = pending,
        .flush = flush,
        .watch = watch,
        .tell = tell,
        .reload = reload,
        .must_end = must_end};
}
