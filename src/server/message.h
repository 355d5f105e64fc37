/* SPDX-License-Identifier: ISC */
/* message.h: what FastCGI and plain CGI have in common: when a body is complete, and how a response
 * is spelled. Knows the limits of one request; does not know where bytes come from or go to. */
#ifndef RETOKEN_SERVER_MESSAGE_H
#define RETOKEN_SERVER_MESSAGE_H

#include "http/exchange.h"

/* The memory of one exchange. NULL: out of memory. */
struct arena *message_arena_open(void);

/* Sets the body of a request made by http_request_from_cgi, and its body_state. `body` is all that
 * arrived, or its first limit + 1 bytes; `broken` tells that the stream failed before its end. */
void message_set_body(struct http_request *request, struct text body, size_t limit, bool broken);

/* The response in its CGI spelling (RFC 3875 section 6), in the arena or static: a plain 503 if the
 * response is not fit to be sent. To HEAD, without the body. */
struct text message_spell(struct http_exchange *exchange);

/* Logs that memory ran out, and gives the answer to that. */
struct text message_no_memory(void);

#endif
