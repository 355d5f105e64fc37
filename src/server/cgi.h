/* SPDX-License-Identifier: ISC */
/* cgi.h: plain CGI (RFC 3875): one request in the environment and on standard input, its response
 * on standard output. */
#ifndef RETOKEN_SERVER_CGI_H
#define RETOKEN_SERVER_CGI_H

#include "server/handler.h"

/* Answers the request. Returns the exit status. Blocks the termination signals, so that a response
 * whose changes are committed is sent. */
int cgi_run(const struct server_handler *handler);

#endif
