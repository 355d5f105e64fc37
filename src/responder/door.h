/* door.h: who is connected, and whose turn it is. All threads wait here together: one of them gets
 * the next connection that has something to read, and has it to itself until it gives it back.
 * Nobody waits for one peer, so that slow ones, silent ones and kept ones cost a descriptor and no
 * thread. Knows sockets, epoll and a steady clock; does not know FastCGI. */
#ifndef RETOKEN_RESPONDER_DOOR_H
#define RETOKEN_RESPONDER_DOOR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "responder/listener.h"

enum { DOOR_PATIENCE_MS = 10000 };

struct door;

/* A steady clock. */
int64_t door_now_ms(void);

/* Peers are descriptors below door_room(): as many as the process may open, 65,536 at most.
 * `listener` outlives the door. NULL with errno set. */
struct door *door_open(const struct listener *listener);
/* Closes what is still connected. When no thread is in door_next any more. NULL is harmless. */
void door_close(struct door *door);
int door_room(const struct door *door);

enum door_event {
    DOOR_PEER,    /* *peer has something to read, or has gone, and is the caller's */
    DOOR_NOBODY,  /* nobody there, or look again */
    DOOR_STOPPED, /* it is time to stop, and nobody owes us the rest of a request */
    DOOR_BROKEN   /* connections can not be accepted any more; errno says why */
};

/* Waits for as long as it takes, or not at all. */
enum door_event door_next(struct door *door, bool wait, int *peer);

/* Gives a peer back, to be had again when it says something. One that owes us a request, or the
 * rest of one, is shut down by the first door_check that comes DOOR_PATIENCE_MS after it began to,
 * however often it sends a byte: so is a new one that has sent nothing yet. An idle one, whose
 * requests are all answered, may be silent as long as it likes. */
void door_await_rest(struct door *door, int peer);
void door_await_next(struct door *door, int peer);
/* Gives it back, closed. */
void door_dismiss(struct door *door, int peer);
/* Instead of giving one back: somebody else has closed it, and its number may mean another already.
 */
void door_forget(struct door *door);

/* For the watching thread: shuts down those whose time is over, upon which they are had once more,
 * at their end. How many that were. */
size_t door_check(struct door *door, int64_t now_ms);

/* Nobody new is let in; door_next gives those that have something to read, and then DOOR_STOPPED to
 * everybody. */
void door_stop(struct door *door);

#endif
