/* guard.h: ends connections that dawdle. libfcgi reads and writes without any time limit, so one
 * peer that sends half a record would keep a thread for ever. Each thread says what it is waiting
 * on; the main thread looks now and then and shuts down what has taken too long, upon which the
 * waiting read or write returns. Knows sockets and a steady clock; does not know libfcgi. */
#ifndef RETOKEN_RESPONDER_GUARD_H
#define RETOKEN_RESPONDER_GUARD_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

enum { GUARD_PATIENCE_MS = 10000 };

/* One thread's connection. */
struct guard {
    pthread_mutex_t lock;
    int connection;      /* a descriptor of our own, so libfcgi may close its; -1 = none */
    int64_t deadline_ms; /* 0 = nothing is waited for */
};

/* A steady clock. */
int64_t guard_now_ms(void);

bool guard_open(struct guard *guard);
void guard_close(struct guard *guard);

/* The thread has taken up this connection and waits for it from now on. False: no descriptor is
 * left. */
bool guard_begin(struct guard *guard, int connection, int64_t now_ms);
/* Waits for the peer: GUARD_PATIENCE_MS from now. */
void guard_wait(struct guard *guard, int64_t now_ms);
/* Waits for nobody but us: no limit. */
void guard_pause(struct guard *guard);
/* The thread is done with it. */
void guard_end(struct guard *guard);

/* From the watching thread: shuts the connection down when its time is over. True if it did. */
bool guard_check(struct guard *guard, int64_t now_ms);

#endif
