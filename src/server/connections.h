/* SPDX-License-Identifier: ISC */
/* connections.h: who is connected, and whose turn it is. All threads wait here together: one of
 * them gets the next connection that has something to read, and has it to itself until it gives it
 * back. Nobody waits for one peer, so that slow ones, silent ones and kept ones cost a descriptor
 * and no thread. Knows sockets, epoll and a steady clock; does not know FastCGI. */
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

/* Peers are descriptors below connections_room(): as many as the process may open, 65,536 at most.
 * `listener` outlives the door. NULL with errno set. */
struct connections *connections_open(const struct listener *listener);
/* Closes what is still connected. When no thread is in connections_next any more. NULL is harmless.
 */
void connections_close(struct connections *connections);
int connections_room(const struct connections *connections);

enum connections_event {
    CONNECTIONS_READY,   /* *peer has something to read, or has gone, and is the caller's */
    CONNECTIONS_NONE,    /* nobody there, or look again */
    CONNECTIONS_STOPPED, /* it is time to stop, and nobody owes us the rest of a request */
    CONNECTIONS_BROKEN   /* connections can not be accepted any more; errno says why */
};

/* Waits for as long as it takes, or not at all. */
enum connections_event connections_next(struct connections *connections, bool wait, int *peer);

/* Gives a peer back, to be had again when it says something. One that owes us a request, or the
 * rest of one, is shut down by the first connections_check that comes CONNECTIONS_PATIENCE_MS after
 * it began to, however often it sends a byte: so is a new one that has sent nothing yet. An idle
 * one, whose requests are all answered, may be silent as long as it likes. */
void connections_await_rest(struct connections *connections, int peer);
void connections_await_next(struct connections *connections, int peer);
/* Gives it back, closed. */
void connections_close_one(struct connections *connections, int peer);
/* Instead of giving one back: somebody else has closed it, and its number may mean another already.
 */
void connections_forget(struct connections *connections);

/* For the watching thread: shuts down those whose time is over, upon which they are had once more,
 * at their end. How many that were. */
size_t connections_check(struct connections *connections, int64_t now_ms);

/* Nobody new is let in; connections_next gives those that have something to read, and then
 * CONNECTIONS_STOPPED to everybody. */
void connections_stop(struct connections *connections);

#endif
