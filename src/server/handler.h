/* SPDX-License-Identifier: ISC */
/* handler.h: what the server asks of the application that answers the requests. All functions are
 * called with `self`, and from any thread. */
#ifndef RETOKEN_SERVER_HANDLER_H
#define RETOKEN_SERVER_HANDLER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "http/exchange.h"

/* Do responses wait for a flush? */
enum server_pending {
    SERVER_NOTHING, /* none does */
    SERVER_WAITING, /* some do, and may wait for others to join them */
    SERVER_DUE      /* some do and have waited long enough */
};

/* What there is to tell of the process. */
enum server_news {
    SERVER_SERVES, /* the first worker runs */
    SERVER_WORKS,  /* a worker is idle, or has taken a connection since this was told last */
    SERVER_STOPS   /* no connection is accepted from now on */
};

struct server_handler {
    void *self;
    bool waits; /* `handle` waits for another server, and costs the processors little */

    /* Answers a request: see struct http_exchange. Never waits for a flush. */
    void (*handle)(void *self, struct http_exchange *exchange);
    /* The largest body that is accepted, in bytes: a few MiB at most (message_arena_open). */
    size_t (*body_limit)(void *self);

    enum server_pending (*pending)(void *self);
    /* Completes the responses that wait. */
    void (*flush)(void *self);
    /* Gives up responses that have waited for too long behind a flush that hangs. Returns within
     * how many milliseconds to call it again. */
    int64_t (*watch)(void *self);

    /* By the main thread; SERVER_WORKS every two seconds at least, unless all workers are stuck. */
    void (*tell)(void *self, enum server_news news);
    /* By the main thread, at SIGHUP: takes over settings that have changed. */
    void (*reload)(void *self);

    /* Why this process must finish what is in flight and end with a failure: static text for the
     * log. NULL while it can go on. */
    const char *(*must_end)(void *self);
};

#endif
