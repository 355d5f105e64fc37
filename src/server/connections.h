/* SPDX-License-Identifier: ISC */
/* connections.h: the open connections, and which of them is ready. All threads wait here together;
 * each ready connection goes to one of them, which owns it until it gives it back. No thread waits
 * for one peer, so slow, silent and kept connections cost a descriptor and no thread. Knows
 * sockets, epoll and a steady clock; does not know FastCGI. */
#ifndef RETOKEN_SERVER_CONNECTIONS_H
#define RETOKEN_SERVER_CONNECTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "server/listener.h"

enum { CONNECTIONS_PATIENCE_MS = 10000 };

struct connections;

/* A steady clock. */
int64_t connections_now_ms(void);

/* `listener` outlives it. NULL with errno set. */
struct connections *connections_open(const struct listener *listener);
/* Closes all connections. Once no thread is in connections_next. NULL is harmless. */
void connections_close(struct connections *connections);
/* Every connection is a descriptor below this: the number of files that the process may open, at
 * most 65,536. */
int connections_room(const struct connections *connections);

enum connections_event {
    CONNECTIONS_READY,   /* *connection has something to read or has ended, and is the caller's */
    CONNECTIONS_NONE,    /* none is ready; call again */
    CONNECTIONS_STOPPED, /* stop, and no half-sent request is left */
    CONNECTIONS_BROKEN   /* connections cannot be accepted any more; errno says why */
};

/* The next ready connection. `wait`: for as long as it takes. */
enum connections_event connections_next(struct connections *connections, bool wait,
                                        int *connection);

/* Give a connection back, until it is ready again. One that owes the rest of a request, or its
 * first, is shut down by the first connections_check later than CONNECTIONS_PATIENCE_MS after it
 * began to, however often it sends a byte. One that owes nothing may stay silent. */
void connections_await_rest(struct connections *connections, int connection);
void connections_await_next(struct connections *connections, int connection);
/* Gives it back, closed. */
void connections_close_one(struct connections *connections, int connection);
/* Gives it back when something else has closed it, and the descriptor may be in use again. */
void connections_forget(struct connections *connections);

/* Shuts down the connections that are late; connections_next then returns each of them once more,
 * at its end. Returns how many. Called every few seconds by one thread: what could not be done
 * because the kernel had no memory is tried again here, so that no process is deaf for longer. */
size_t connections_check(struct connections *connections, int64_t now_ms);

/* Stops accepting. connections_next returns what is still ready, then CONNECTIONS_STOPPED to every
 * thread. */
void connections_stop(struct connections *connections);

#endif
