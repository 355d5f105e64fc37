/* SPDX-License-Identifier: ISC */
/* fastcgi.h: FastCGI requests, from a connection to the application and back. */
#ifndef RETOKEN_SERVER_FASTCGI_H
#define RETOKEN_SERVER_FASTCGI_H

#include "server/connections.h"
#include "server/handler.h"

struct fastcgi;

/* Both outlive it. `over_tcp`: the connections are TCP connections. NULL: out of memory. */
struct fastcgi *fastcgi_open(struct connections *connections, const struct server_handler *handler,
                             bool over_tcp);
/* Once no exchange is in progress. NULL is harmless. */
void fastcgi_close(struct fastcgi *fastcgi);

/* Takes over a connection from connections_next: receives what has come, passes a complete request
 * to the handler, and gives the connection back, perhaps later, when the handler has answered.
 * Never waits for the peer. From any thread. */
void fastcgi_receive(struct fastcgi *fastcgi, int connection);

#endif
