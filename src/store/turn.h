/* turn.h: whose turn it is, between processes. LMDB's own locks are robust mutexes, and one who is
 * killed after it was woken and before it took such a mutex takes the wake-up with it: all who wait
 * behind it sleep on, though the mutex is free (seen under kill -9 with four processes: every
 * writer slept until a newcomer came by). File locks have no such gap, the kernel hands them on. So
 * nobody queues at LMDB's mutexes: they queue here. Knows a file; does not know LMDB. */
#ifndef RETOKEN_STORE_TURN_H
#define RETOKEN_STORE_TURN_H

#include <stdbool.h>

/* What is queued for: a byte of the file each. */
enum turn_of { TURN_WRITER, TURN_READERS };

struct turn {
    int file; /* -1: none, all turns are free */
};

/* DIRECTORY/turn.lock, made 0600 when absent. False with errno set. */
bool turn_open(struct turn *turn, int directory);
void turn_close(struct turn *turn);
/* Waits. One thread of a process at a time may want a turn: among threads it excludes nobody. */
void turn_take(const struct turn *turn, enum turn_of of);
void turn_give(const struct turn *turn, enum turn_of of);

#endif
