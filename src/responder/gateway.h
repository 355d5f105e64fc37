/* gateway.h: FastCGI connections to requests and back, in a few threads: the room of libfcgi. */
#ifndef RETOKEN_RESPONDER_GATEWAY_H
#define RETOKEN_RESPONDER_GATEWAY_H

#include "responder/listener.h"
#include "responder/serve.h"

/* Blocks the signals of an orderly end. Before any thread is started. */
void gateway_block_signals(void);

/* Serves with `threads` threads until SIGTERM, SIGINT, SIGHUP or SIGUSR1, or until serve_must_end.
 * Finishes what is in flight. Gives the exit status: 0 after a signal, 1 after trouble. */
int gateway_run(const struct listener *listener, struct serve *serve, size_t threads);

#endif
