/* serve.h: one request to one answer and one log line. Knows what stands behind a mount and how a
 * process without an open installation answers; does not know how requests arrive. */
#ifndef RETOKEN_RESPONDER_SERVE_H
#define RETOKEN_RESPONDER_SERVE_H

#include "process/service.h"
#include "server/handler.h"

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

/* At most so many threads; the default while the configuration cannot be read. Before serve_handler
 * is used. */
size_t serve_threads(const struct serve *serve);

/* Answers the requests, each with one line in the log. `serve` outlives it. */
struct server_handler serve_handler(struct serve *serve);

#endif
