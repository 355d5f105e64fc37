/* serve.c: request -> router -> mount -> answer -> one log line; the only place that performs a
 * refresh and its steps. Knows the three kinds of mounts; does not know how the service is
 * opened (service_lazy.c), libfcgi, CGI or any dialect's words. */
#include "responder/serve.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "dialect/dialect.h"
#include "base/log.h"
#include "responder/service_lazy.h"
#include "responder/request_log.h"
#include "responder/router.h"

struct serve {
    struct service_lazy lazy;
};

/* One request on its way through, in its arena: it may have to wait for the disk. */
struct visit {
    struct service *service;
    const struct fault *closed; /* why the service cannot be asked; NULL when it can */
    struct http_exchange *http;
    struct fault fault;
    struct request_log log;

    /* a refresh: */
    struct dialect_exchange exchange;
    struct refresh *refresh;
};

/* ---- answers that belong to no dialect ---- */

static void answer_plain(struct http_response *response, int status, struct text body)
{
    http_response_start(response, status);
    http_response_header_c(response, "Content-Type", "text/plain; charset=utf-8");
    http_response_no_store(response);
    response->body = body;
}

static void answer_unavailable(struct http_response *response)
{
    answer_plain(response, 503, TEXT("Service Unavailable\n"));
    http_response_header_c(response, "Retry-After", "1");
}

static bool is_read(const struct visit *visit)
{
    if (visit->http->request.method == HTTP_GET || visit->http->request.method == HTTP_HEAD) {
        return true;
    }
    answer_plain(&visit->http->response, 405, TEXT("Method Not Allowed\n"));
    http_response_header_c(&visit->http->response, "Allow", "GET, HEAD");
    return false;
}

/* ---- mounts ---- */

static void finish(struct visit *visit)
{
    visit->http->answered(visit->http);
}

static void respond(struct visit *visit, enum outcome outcome)
{
    dialect_respond(&visit->exchange, outcome, &visit->http->response);
    request_log_refresh(&visit->log, &visit->exchange, outcome);
    finish(visit);
}

static void when_written(void *self, enum store_result result);

/* As far as the write, if there is one; whoever settles the store goes on from there. */
static void go_on(struct visit *visit)
{
    enum outcome outcome;
    struct store_write *write = refresh_step(visit->refresh, &outcome);

    if (write == NULL) {
        respond(visit, outcome);
    } else {
        store_submit(visit->service->store, write, &visit->fault, when_written, visit);
    }
}

static void when_written(void *self, enum store_result result)
{
    struct visit *visit = self;

    refresh_written(visit->refresh, result);
    go_on(visit);
}

static void run_refresh(struct visit *visit, const struct mount *mount)
{
    struct dialect_exchange *exchange = &visit->exchange;
    enum outcome outcome;

    exchange->request = &visit->http->request;
    exchange->mount = mount;
    exchange->arena = visit->http->arena;
    if (!dialect_decode(exchange, &outcome)) {
        if (outcome == OUTCOME_FAULT) {
            fault_set(&visit->fault, "the request's memory is used up");
        }
        respond(visit, outcome);
    } else if (visit->closed != NULL) {
        visit->fault = *visit->closed;
        respond(visit, OUTCOME_FAULT);
    } else if ((visit->refresh =
                    refresh_begin(&visit->service->issuer, &exchange->ask, visit->http->arena,
                                  &exchange->answer, &visit->fault)) == NULL) {
        respond(visit, OUTCOME_FAULT);
    } else {
        go_on(visit);
    }
}

/* {"keys":[…]}; false and the visit's fault when it cannot be had. */
static bool write_jwks(struct visit *visit, struct text *body)
{
    const struct keyring *keyring = issuer_keyring_now(&visit->service->issuer, &visit->fault);
    struct buffer buffer;

    if (keyring == NULL) {
        return false;
    }
    buffer_start(&buffer, visit->http->arena, 4096);
    struct json_out out = json_out_start(&buffer, JSON_STYLE_PLAIN);
    keyring_jwks(keyring, &out);
    if (!buffer_finish(&buffer, body)) {
        fault_set(&visit->fault, "the request's memory is used up");
        return false;
    }
    return true;
}

static void run_jwks(struct visit *visit, const struct mount *mount)
{
    struct text body;

    if (!is_read(visit)) {
        /* answered */
    } else if (visit->closed != NULL) {
        visit->fault = *visit->closed;
        answer_unavailable(&visit->http->response);
    } else if (!write_jwks(visit, &body)) {
        answer_unavailable(&visit->http->response);
    } else {
        http_response_start(&visit->http->response, 200);
        http_response_header_c(&visit->http->response, "Content-Type", "application/json");
        http_response_header_c(&visit->http->response, "Cache-Control", "public, max-age=300");
        visit->http->response.body = body;
    }
    request_log_mount(&visit->log, "jwks", mount);
    finish(visit);
}

/* Healthy is who can read the store now. */
static bool is_healthy(struct visit *visit)
{
    uint64_t version;

    if (visit->closed != NULL) {
        visit->fault = *visit->closed;
        return false;
    }
    return store_keyring_version(visit->service->store, &version, &visit->fault) == STORE_OK;
}

static void run_health(struct visit *visit, const struct mount *mount)
{
    if (is_read(visit)) {
        bool healthy = is_healthy(visit);
        http_response_start(&visit->http->response, healthy ? 200 : 503);
        http_response_header_c(&visit->http->response, "Content-Type", "application/json");
        http_response_no_store(&visit->http->response);
        visit->http->response.body =
            healthy ? TEXT("{\"status\":\"ok\"}") : TEXT("{\"status\":\"fault\"}");
    }
    request_log_mount(&visit->log, "health", mount);
    finish(visit);
}

static void run(struct visit *visit, bool configured)
{
    const struct mount *mount =
        configured ? router_find(&visit->service->config, &visit->http->request) : NULL;

    if (!configured) {
        visit->fault = *visit->closed;
        answer_unavailable(&visit->http->response);
        request_log_stray(&visit->log, "no-configuration");
        finish(visit);
        return;
    } else if (mount == NULL) {
        answer_plain(&visit->http->response, 404, TEXT("Not Found\n"));
        request_log_stray(&visit->log, "no-mount");
        finish(visit);
        return;
    }
    switch (mount->kind) {
    case MOUNT_REFRESH:
        run_refresh(visit, mount);
        break;
    case MOUNT_JWKS:
        run_jwks(visit, mount);
        break;
    case MOUNT_HEALTH:
        run_health(visit, mount);
        break;
    }
}

/* ---- requests ---- */

static void run_closed(struct service_lazy *lazy, struct visit *visit)
{
    visit->closed = service_lazy_acquire(lazy);
    run(visit, lazy->configured);
    service_lazy_release(lazy);
}

static void handle(void *self, struct http_exchange *http)
{
    struct serve *serve = self;
    struct visit *visit = arena_alloc(http->arena, sizeof *visit);

    if (visit == NULL) {
        log_line(LOG_LEVEL_ERROR, "the request's memory is used up");
        answer_unavailable(&http->response);
        http->answered(http);
        return;
    }
    visit->service = serve->lazy.service;
    visit->http = http;
    visit->log = (struct request_log){.request = &http->request,
                                      .response = &http->response,
                                      .fault = &visit->fault,
                                      .begun_us = clock_stopwatch_us()};
    if (service_lazy_is_open(&serve->lazy)) {
        run(visit, true);
    } else {
        run_closed(&serve->lazy, visit);
    }
}

/* ---- over a service ---- */

struct serve *serve_open(const char *config_file)
{
    struct serve *serve = calloc(1, sizeof *serve);

    if (serve != NULL && !service_lazy_open(&serve->lazy, config_file)) {
        free(serve);
        return NULL;
    }
    return serve;
}

struct serve *serve_over(struct service *service)
{
    struct serve *serve = calloc(1, sizeof *serve);

    if (serve != NULL && !service_lazy_over(&serve->lazy, service)) {
        free(serve);
        return NULL;
    }
    return serve;
}

void serve_close(struct serve *serve)
{
    if (serve != NULL) {
        service_lazy_close(&serve->lazy);
        free(serve);
    }
}

/* The store; NULL while there is none to ask. */
static struct store *store_of(struct serve *serve)
{
    return service_lazy_is_open(&serve->lazy) ? serve->lazy.service->store : NULL;
}

size_t serve_threads(const struct serve *serve)
{
    const struct service_lazy *lazy = &serve->lazy;

    return lazy->configured ? (size_t)lazy->service->config.threads : CONFIG_THREADS;
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

    if (store == NULL) {
        return SERVER_NOTHING;
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

static void flush(void *self)
{
    struct store *store = store_of(self);

    if (store != NULL) {
        store_flush(store);
    }
}

/* The next process reads the truth. */
static const char *must_end(void *self)
{
    struct store *store = store_of(self);

    return store != NULL && store_is_broken(store) ? "the store is unsure after a failed write"
                                                   : NULL;
}

struct server_handler serve_handler(struct serve *serve)
{
    return (struct server_handler){.self = serve,
                                   .handle = handle,
                                   .body_limit = body_limit,
                                   .pending = pending,
                                   .flush = flush,
                                   .must_end = must_end};
}
