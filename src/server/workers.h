/* SPDX-License-Identifier: ISC */
/* workers.h: the threads of a process behind a web server: started as they are needed, ended in
 * order. Knows signals and threads; does not know FastCGI. */
#ifndef RETOKEN_SERVER_WORKERS_H
#define RETOKEN_SERVER_WORKERS_H

#include "server/handler.h"
#include "server/listener.h"

/* Blocks the termination signals (signals.h), so that workers_run can wait for them. Before any
 * thread is started. */
void workers_block_signals(void);

/* Serves with up to `threads` threads until a termination signal, and finishes what is in flight;
 * or until handler->must_end gives a reason after any request, and finishes what it can in a
 * second. Returns the exit status: 0 after a signal, 1 after trouble, WORKERS_CANNOT_START. Workers
 * may still run when it returns 1, so the caller leaves by _exit. */
enum { WORKERS_CANNOT_START = 3 };
int workers_run(const struct listener *listener, const struct server_handler *handler,
                size_t threads);

#endif
