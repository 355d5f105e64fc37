/* SPDX-License-Identifier: ISC */
/* request_log.h: the one log line of a request. Knows what may be shown: never a token, nor a path
 * that might hold one. Does not know how the answer was found. */
#ifndef RETOKEN_RESPONDER_REQUEST_LOG_H
#define RETOKEN_RESPONDER_REQUEST_LOG_H

#include "operation/request.h"

/* A request that came to a mount: address, outcome, session, generation and client as far as they
 * are known. The keys and their order are a format that others parse: man/retoken.fcgi.8 lists
 * them, and the filter in fail2ban/ relies on the first three words. */
void request_log(const struct request *request, enum outcome outcome);
/* A request that came to no mount; `what` is the reason. */
void request_log_stray(const struct request *request, const char *what);

#endif
