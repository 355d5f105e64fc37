/* crew.h: the threads of a process that stands behind a web server: started as they are needed,
 * ended in order. Knows signals and threads; does not know FastCGI. */
#ifndef RETOKEN_RESPONDER_CREW_H
#define RETOKEN_RESPONDER_CREW_H

#include "responder/listener.h"
#include "responder/serve.h"

/* Blocks the signals of an orderly end. Before any thread is started. */
void crew_block_signals(void);

/* Serves with up to `threads` threads until SIGTERM, SIGINT, SIGHUP or SIGUSR1, or until
 * serve_must_end. Finishes what is in flight. Gives the exit status: 0 after a signal, 1 after
 * trouble, CREW_CANNOT_START. */
enum { CREW_CANNOT_START = 3 };
int crew_run(const struct listener *listener, struct serve *serve, size_t threads);

#endif
