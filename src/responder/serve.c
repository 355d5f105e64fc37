/* serve.c: request -> router -> mount -> answer -> one log line; the only caller of refresh_run.
 * Knows the three kinds of mounts and opens the installation; does not know libfcgi, CGI or any
 * dialect's words. */
#include "responder/serve.h"

#include <inttypes.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/codec.h"
#include "dialect/dialect.h"
#include "dialect/mounts.h"
#include "process/log.h"
#include "responder/router.h"

enum { RETRY_MS = 1000, DEFAULT_THREADS = 64, DEFAULT_BODY_LIMIT = 64 * 1024 };

struct serve {
    atomic_bool open; /* the service answers; from then on nothing below changes */
    pthread_mutex_t opening;
    const char *config_file;
    bool owned;      /* *service is ours */
    bool configured; /* service->config holds */
    bool tried;
    int64_t tried_ms;
    struct fault fault; /* why it is not open */
    struct service *service;
};

/* One request on its way through, in its arena: it may have to wait for the disk. */
struct visit {
    struct service *service;
    const struct fault *closed; /* why the service cannot be asked; NULL when it can */
    struct arena *arena;
    const struct http_request *request;
    struct http_response *response;
    struct serve_then then;
    int64_t begun_us;
    struct fault fault;

    /* a refresh: */
    struct dialect_exchange exchange;
    struct refresh *refresh;
};

/* ---- log ---- */

/* "12.3" milliseconds; without printf's floating point, which costs more than the rest of a line.
 */
struct elapsed {
    char text[32];
};

static struct elapsed elapsed_ms(const struct visit *visit)
{
    int64_t tenths = (clock_stopwatch_us() - visit->begun_us + 50) / 100;
    struct elapsed elapsed;

    snprintf(elapsed.text, sizeof elapsed.text, "%" PRId64 ".%d", tenths / 10, (int)(tenths % 10));
    return elapsed;
}

/* " fault=TEXT" or nothing. */
static const char *fault_label(const struct fault *fault)
{
    return fault->text[0] != '\0' ? " fault=" : "";
}

static void log_simple(const struct visit *visit, const char *what, const struct mount *mount)
{
    char method[32];
    bool fault = visit->fault.text[0] != '\0';

    log_line(fault ? CONFIG_LOG_ERROR : CONFIG_LOG_INFO,
             "%s method=%s mount=%s status=%d ms=%s%s%s", what,
             log_safe(visit->request->method_name, method, sizeof method), mount->path,
             visit->response->status, elapsed_ms(visit).text, fault_label(&visit->fault),
             visit->fault.text);
}

/* Session, generation and client as far as they are known. */
static void log_refresh(const struct visit *visit, enum outcome outcome)
{
    const struct dialect_exchange *exchange = &visit->exchange;
    const struct refresh_answer *answer = &exchange->answer;
    char method[32];
    char client[CLIENT_ID_MAX + 1] = "-";
    char session[37] = "-";
    char generation[16] = "-";

    if (answer->session_known) {
        codec_uuid_format(answer->session, session);
        snprintf(generation, sizeof generation, "%" PRIu32, answer->generation);
    }
    if (answer->client.size > 0) {
        log_safe(answer->client, client, sizeof client);
    }
    /* a token newer than the store is as loud as a fault: somebody restored a backup */
    bool loud = outcome == OUTCOME_FAULT || outcome == OUTCOME_TOKEN_FROM_FUTURE;
    log_line(loud ? CONFIG_LOG_ERROR : CONFIG_LOG_NOTICE,
             "refresh method=%s mount=%s outcome=%s status=%d session=%s generation=%s client=%s "
             "ms=%s%s%s",
             log_safe(visit->request->method_name, method, sizeof method), exchange->mount->path,
             outcome_word(outcome), visit->response->status, session, generation, client,
             elapsed_ms(visit).text, fault_label(&visit->fault), visit->fault.text);
}

/* A path that no mount has may hold anything, a token too: of a long segment, only the beginning
 * is shown. */
static void shorten_path(struct text path, char *out, size_t room)
{
    enum { SEGMENT_SHOWN = 24, SEGMENT_KEPT = 8 };
    size_t size = 0;

    while (path.size > 0 && size + SEGMENT_SHOWN + 2 < room) {
        bool more = text_find(path, '/') < path.size;
        struct text segment = text_split(&path, '/');
        size_t kept = segment.size > SEGMENT_SHOWN ? SEGMENT_KEPT : segment.size;
        size += (size_t)snprintf(out + size, room - size, "%.*s%s%s",
                                 TEXT_ARGS(text_cut(segment, kept)),
                                 kept < segment.size ? "..." : "", more ? "/" : "");
    }
    out[size] = '\0';
}

static void log_unknown(const struct visit *visit, const char *what)
{
    char method[32];
    char script[128];
    char info[128];
    char script_safe[256];
    char info_safe[256];

    shorten_path(visit->request->script_name, script, sizeof script);
    shorten_path(visit->request->path_info, info, sizeof info);
    log_line(CONFIG_LOG_NOTICE, "%s method=%s script=%s info=%s status=%d%s%s", what,
             log_safe(visit->request->method_name, method, sizeof method),
             log_safe(text_of(script), script_safe, sizeof script_safe),
             log_safe(text_of(info), info_safe, sizeof info_safe), visit->response->status,
             fault_label(&visit->fault), visit->fault.text);
}

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
    if (visit->request->method == HTTP_GET || visit->request->method == HTTP_HEAD) {
        return true;
    }
    answer_plain(visit->response, 405, TEXT("Method Not Allowed\n"));
    http_response_header_c(visit->response, "Allow", "GET, HEAD");
    return false;
}

/* ---- mounts ---- */

static void finish(struct visit *visit)
{
    visit->then.answered(visit->then.self);
}

static void respond(struct visit *visit, enum outcome outcome)
{
    dialect_respond(&visit->exchange, outcome, visit->response);
    log_refresh(visit, outcome);
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

    exchange->request = visit->request;
    exchange->mount = mount;
    exchange->arena = visit->arena;
    if (!dialect_decode(exchange, &outcome)) {
        if (outcome == OUTCOME_FAULT) {
            fault_set(&visit->fault, "the request's memory is used up");
        }
        respond(visit, outcome);
    } else if (visit->closed != NULL) {
        visit->fault = *visit->closed;
        respond(visit, OUTCOME_FAULT);
    } else if ((visit->refresh = refresh_begin(&visit->service->authority, &exchange->ask,
                                               visit->arena, &exchange->answer, &visit->fault)) ==
               NULL) {
        respond(visit, OUTCOME_FAULT);
    } else {
        go_on(visit);
    }
}

/* {"keys":[…]}; false and the visit's fault when it cannot be had. */
static bool write_jwks(struct visit *visit, struct text *body)
{
    const struct keyring *keyring =
        authority_keyring_now(&visit->service->authority, &visit->fault);
    struct buffer buffer;

    if (keyring == NULL) {
        return false;
    }
    buffer_start(&buffer, visit->arena, 4096);
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
        answer_unavailable(visit->response);
    } else if (!write_jwks(visit, &body)) {
        answer_unavailable(visit->response);
    } else {
        http_response_start(visit->response, 200);
        http_response_header_c(visit->response, "Content-Type", "application/json");
        http_response_header_c(visit->response, "Cache-Control", "public, max-age=300");
        visit->response->body = body;
    }
    log_simple(visit, "jwks", mount);
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
        http_response_start(visit->response, healthy ? 200 : 503);
        http_response_header_c(visit->response, "Content-Type", "application/json");
        http_response_no_store(visit->response);
        visit->response->body =
            healthy ? TEXT("{\"status\":\"ok\"}") : TEXT("{\"status\":\"fault\"}");
    }
    log_simple(visit, "health", mount);
    finish(visit);
}

static void run(struct visit *visit, bool configured)
{
    const struct mount *mount =
        configured ? router_find(&visit->service->config, visit->request) : NULL;

    if (!configured) {
        visit->fault = *visit->closed;
        answer_unavailable(visit->response);
        log_unknown(visit, "no-configuration");
        finish(visit);
        return;
    } else if (mount == NULL) {
        answer_plain(visit->response, 404, TEXT("Not Found\n"));
        log_unknown(visit, "no-mount");
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

/* ---- the installation ---- */

static bool open_installation(struct serve *serve)
{
    static const struct config_dialects facts = {
        .defaults = dialect_mount_defaults,
        .default_mount = dialect_default_mount,
        .names = dialect_mount_names,
    };
    struct service *service = serve->service;
    struct fault fault;

    serve->configured = config_load(serve->config_file, &facts, &service->config, &serve->fault);
    if (!serve->configured) {
        return false;
    }
    if (!log_open(&service->config, &fault)) {
        log_line(CONFIG_LOG_ERROR, "%s; going on with standard error", fault.text);
    }
    return service_open(service, false, false, &serve->fault);
}

/* Under the lock. */
static void try_to_open(struct serve *serve)
{
    int64_t now_ms = clock_stopwatch_us() / 1000;

    if (atomic_load(&serve->open) || (serve->tried && now_ms - serve->tried_ms < RETRY_MS)) {
        return;
    }
    bool again = serve->tried;
    serve->tried = true;
    serve->tried_ms = now_ms;
    if (!open_installation(serve)) {
        log_line(CONFIG_LOG_ERROR, "cannot serve, answering with faults: %s", serve->fault.text);
        return;
    }
    if (again) {
        log_line(CONFIG_LOG_NOTICE, "mended, serving now");
    }
    atomic_store(&serve->open, true);
}

static struct serve *serve_make(struct service *service)
{
    struct serve *serve = calloc(1, sizeof *serve);

    if (serve == NULL) {
        return NULL;
    } else if (pthread_mutex_init(&serve->opening, NULL) != 0) {
        free(serve);
        return NULL;
    }
    serve->service = service;
    atomic_init(&serve->open, false);
    return serve;
}

struct serve *serve_open(const char *config_file)
{
    struct service *service = calloc(1, sizeof *service);
    struct serve *serve = service != NULL ? serve_make(service) : NULL;

    if (serve == NULL) {
        free(service);
        return NULL;
    }
    serve->owned = true;
    serve->config_file = config_file;
    try_to_open(serve);
    return serve;
}

struct serve *serve_over(struct service *service)
{
    struct serve *serve = serve_make(service);

    if (serve != NULL) {
        serve->configured = true;
        atomic_store(&serve->open, true);
    }
    return serve;
}

void serve_close(struct serve *serve)
{
    if (serve == NULL) {
        return;
    }
    if (serve->owned) {
        if (atomic_load(&serve->open)) {
            service_close(serve->service);
        }
        free(serve->service);
    }
    pthread_mutex_destroy(&serve->opening);
    free(serve);
}

size_t serve_threads(const struct serve *serve)
{
    return serve->configured ? (size_t)serve->service->config.threads : DEFAULT_THREADS;
}

size_t serve_body_limit(struct serve *serve)
{
    return atomic_load(&serve->open) ? (size_t)serve->service->config.body_limit
                                     : DEFAULT_BODY_LIMIT;
}

static void run_closed(struct serve *serve, struct visit *visit)
{
    /* Off the fast path: one at a time, so that nobody reads a configuration that is being
     * replaced. */
    pthread_mutex_lock(&serve->opening);
    try_to_open(serve);
    visit->closed = atomic_load(&serve->open) ? NULL : &serve->fault;
    run(visit, serve->configured);
    pthread_mutex_unlock(&serve->opening);
}

void serve_request(struct serve *serve, struct arena *arena, const struct http_request *request,
                   struct http_response *response, struct serve_then then)
{
    struct visit *visit = arena_alloc(arena, sizeof *visit);

    if (visit == NULL) {
        log_line(CONFIG_LOG_ERROR, "the request's memory is used up");
        answer_unavailable(response);
        then.answered(then.self);
        return;
    }
    memset(visit, 0, sizeof *visit);
    visit->service = serve->service;
    visit->arena = arena;
    visit->request = request;
    visit->response = response;
    visit->then = then;
    visit->begun_us = clock_stopwatch_us();
    if (atomic_load(&serve->open)) {
        run(visit, true);
    } else {
        run_closed(serve, visit);
    }
}

enum store_pending serve_pending(struct serve *serve)
{
    return atomic_load(&serve->open) ? store_pending(serve->service->store) : STORE_NOTHING;
}

void serve_settle(struct serve *serve)
{
    if (atomic_load(&serve->open)) {
        store_settle(serve->service->store);
    }
}

bool serve_must_end(struct serve *serve)
{
    return atomic_load(&serve->open) && store_is_broken(serve->service->store);
}
