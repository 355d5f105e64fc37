/* SPDX-License-Identifier: ISC */
/* serve.h: one request to one response and one log line. Knows what a mount does, and what a
 * process answers while its service is not open; does not know how requests arrive. */
#ifndef RETOKEN_RESPONDER_SERVE_H
#define RETOKEN_RESPONDER_SERVE_H

#include "process/service.h"
#include "process/supervisor.h"
#include "server/handler.h"

struct serve;

/* Over the service that this configuration file names (NULL: as config_load finds it). Opens it at
 * once; when that fails, logs the reason, answers every request with the dialect's words for a
 * fault (a neutral 503 while not even the configuration can be read), and tries again with later
 * requests, at most once a second. `as_script` as of service_lazy_open. NULL: out of memory. Call
 * after the last fork. */
struct serve *serve_open(const char *config_file, bool as_script);
/* Over a service that the caller has opened and closes. For tests. */
struct serve *serve_over(struct service *service);
/* For tests; a program leaves by _exit, see store_close. NULL is harmless. */
void serve_close(struct serve *serve);

/* Does what libcrypto does once before the first request that needs it, so that no request meets a
 * lack of memory there. Not for plain CGI, which lives for one request. */
void serve_warm(struct serve *serve);

/* At most so many threads; the default while the configuration cannot be read. Before serve_handler
 * is used. */
size_t serve_threads(const struct serve *serve);

/* Tells this supervisor how the process is; it outlives serve. Before serve_handler is used. */
void serve_supervised(struct serve *serve, struct supervisor *supervisor);

/* NULL while the service is not open. */
const struct config *serve_config(struct serve *serve);

/* Answers the requests, each with one line in the log. `serve` outlives it. */
struct server_handler serve_handler(struct serve *serve);

#endif
