/* SPDX-License-Identifier: ISC */
/* proxy.h: passes connections on to the server of server.h, and cuts one when it commits. Knows
 * what a COMMIT looks like on the wire; knows nothing of TLS. */
#ifndef RETOKEN_TESTS_STORE_PROXY_H
#define RETOKEN_TESTS_STORE_PROXY_H

#include <stddef.h>

enum proxy_cut {
    PROXY_PASS,
    PROXY_CUT_BEFORE, /* the COMMIT does not reach the server */
    PROXY_CUT_AFTER,  /* its answer does not reach the client */
    PROXY_STALL,      /* as the second, but the client's connection stays open */
    PROXY_LATE /* the client's connection is closed at once, and the COMMIT reaches the server when
                  the store has asked on a new one what became of it */
};

struct proxy;

struct proxy *proxy_start(void);
/* Cuts what it passes. NULL is harmless. */
void proxy_stop(struct proxy *proxy);
/* The URL that leads through the proxy to where `url` leads. */
void proxy_url(const struct proxy *proxy, const char *url, char *through, size_t size);
/* The next so many commits, of whatever connection, are cut in that way. */
void proxy_cut(struct proxy *proxy, enum proxy_cut how, int times);
/* How many it is to cut still. */
int proxy_left(struct proxy *proxy);

#endif
