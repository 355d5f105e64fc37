/* serve.h: one request to one answer and one log line. Knows what stands behind a mount and how a
 * process without an open installation answers; does not know how requests arrive. */
#ifndef RETOKEN_RESPONDER_SERVE_H
#define RETOKEN_RESPONDER_SERVE_H

#include "base/arena.h"
#include "http/request.h"
#include "http/response.h"
#include "process/service.h"

struct serve;

/* Over the installation that this configuration file names (NULL: as config_load finds it). Opens
 * it at once; when it cannot be opened, says so in the log, answers every request with the
 * dialect's words for a fault (a neutral 503 while not even the configuration can be read), and
 * tries again with later requests, at most once a second, so that mending the cause is enough. NULL
 * when out of memory. Call after the last fork. */
struct serve *serve_open(const char *config_file);
/* Over a service that the caller has opened and closes. For tests. */
struct serve *serve_over(struct service *service);
/* For tests; a program leaves by _exit, see store_close. NULL is harmless. */
void serve_close(struct serve *serve);

/* What the process needs to know before there is a request; the defaults while the configuration
 * cannot be read. Not while serve_request may run in another thread. */
size_t serve_threads(const struct serve *serve);

/* The largest body that is read. */
size_t serve_body_limit(struct serve *serve);

/* What is called, once, when a request is answered. */
struct serve_then {
    void (*answered)(void *self);
    void *self;
};

/* Answers, and calls `then`: before it returns, or when what the request has to write is durable,
 * by a serve_settle of any thread. Until then arena, request and response live. *response points
 * into the arena and into the request, and into nothing else. From any number of threads, each
 * request with its own arena. */
void serve_request(struct serve *serve, struct arena *arena, const struct http_request *request,
                   struct http_response *response, struct serve_then then);

/* Do answers wait for the disk that nobody is writing? */
enum store_pending serve_pending(struct serve *serve);
/* Makes durable what waits, in as few commits as can be, and answers it. */
void serve_settle(struct serve *serve);

/* The store is broken for this process (store_is_broken): finish what is in flight and exit with
 * status 1; the next process reads the truth. */
bool serve_must_end(struct serve *serve);

#endif
