/* SPDX-License-Identifier: ISC */
/* wellknown.c: the endpoints that carry no tokens and need none: the key set, the health check and
 * the metrics. Knows their paths and words; does not know keys, what makes a store ready, or what
 * is counted. */
#include "dialect/answer.h"

#include "dialect/dialect.h"

#define TEXT_TYPE "text/plain; charset=utf-8"
#define JSON_TYPE "application/json"

/* ---- key set (RFC 7517) ---- */

/* Caches may keep it: verifiers fetch it all the time. */
static void encode_key_set(const struct request *request, enum outcome outcome,
                           struct http_response *response)
{
    (void)outcome;
    answer_cacheable(request, response, JSON_TYPE, SIGNING_KEY_SET_MAX_AGE,
                     request->answer.key_set);
}

/* ---- health ----
 * `/healthz` says whether the process lives and reads; `/healthz?ready` whether it could write. Any
 * other query is not looked at. */

static bool decode_health(struct request *request, enum outcome *refusal)
{
    (void)refusal;
    if (text_is(request->http->request.query, "ready")) {
        request->operation = &operation_ready;
    }
    return true;
}

static bool commit_waits(const struct request *request)
{
    return request->answer.readiness == STORE_COMMIT_WAITS;
}

static bool is_full(const struct request *request)
{
    return request->answer.readiness == STORE_FULL;
}

static bool is_read_only(const struct request *request)
{
    return request->answer.readiness == STORE_READ_ONLY;
}

static void encode_health(const struct request *request, enum outcome outcome,
                          struct http_response *response)
{
    (void)request;
    (void)outcome;
    answer_body(response, 200, JSON_TYPE, TEXT("{\"status\":\"ok\"}"));
}

static const struct wording health_words[] = {
    {OUTCOME_METHOD_NOT_ALLOWED, .status = 405, .media_type = TEXT_TYPE,
     .body = "Method Not Allowed\n"},
    {WORDS_CLASS(REQUEST), .status = 400, .media_type = TEXT_TYPE, .body = "Bad Request\n"},
    {WORDS_CLASS(CLIENT), .status = 400, .media_type = TEXT_TYPE, .body = "Bad Request\n"},
    {WORDS_CLASS(TOKEN), .status = 400, .media_type = TEXT_TYPE, .body = "Bad Request\n"},
    {WORDS_CLASS(HERE), .status = 503, .media_type = JSON_TYPE, .when = commit_waits,
     .body = "{\"status\":\"fault\",\"reason\":\"commit-waits\"}"},
    {WORDS_CLASS(HERE), .status = 503, .media_type = JSON_TYPE, .when = is_full,
     .body = "{\"status\":\"fault\",\"reason\":\"full\"}"},
    {WORDS_CLASS(HERE), .status = 503, .media_type = JSON_TYPE, .when = is_read_only,
     .body = "{\"status\":\"fault\",\"reason\":\"read-only\"}"},
    {WORDS_CLASS(HERE), .status = 503, .media_type = JSON_TYPE, .body = "{\"status\":\"fault\"}"},
    {0},
};

/* ---- metrics ---- */

#define OPEN_METRICS_TYPE "application/openmetrics-text"

/* Who does not name OpenMetrics gets the older format, which every scraper reads. */
static bool decode_metrics(struct request *request, enum outcome *refusal)
{
    (void)refusal;
    request->input.metrics.open_metrics = http_accepts(&request->http->request, OPEN_METRICS_TYPE);
    return true;
}

static void encode_metrics(const struct request *request, enum outcome outcome,
                           struct http_response *response)
{
    (void)outcome;
    answer_body(response, 200,
                request->input.metrics.open_metrics ? OPEN_METRICS_TYPE
                    "; version=1.0.0; charset=utf-8"
                                                    : "text/plain; version=0.0.4; charset=utf-8",
                request->answer.metrics);
}

/* ---- the dialect ---- */

static const struct endpoint endpoints[] = {
    {.name = "jwks",
     .path = "/.well-known/jwks.json",
     .methods = ENDPOINT_GET | ENDPOINT_HEAD,
     .body = ENDPOINT_BODY_IGNORED,
     .is_public = true,
     .operation = &operation_key_set,
     .encode = encode_key_set,
     .words = dialect_plain_words},
    {.name = "health",
     .path = "/healthz",
     .methods = ENDPOINT_GET | ENDPOINT_HEAD,
     .body = ENDPOINT_BODY_IGNORED,
     .operation = &operation_health,
     .decode = decode_health,
     .encode = encode_health,
     .words = health_words},
    {.name = "metrics",
     .path = "/metrics",
     .methods = ENDPOINT_GET | ENDPOINT_HEAD,
     .body = ENDPOINT_BODY_IGNORED,
     .with_metrics = true,
     .operation = &operation_metrics,
     .decode = decode_metrics,
     .encode = encode_metrics,
     .words = dialect_plain_words},
};

const struct dialect wellknown_dialect = {
    .name = "wellknown",
    .summary = "key set, health check and metrics",
    .endpoints = endpoints,
    .endpoint_count = sizeof endpoints / sizeof endpoints[0],
};
