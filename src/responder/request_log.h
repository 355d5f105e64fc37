/* request_log.h: the one log line of a request. Knows what may be shown: never a token, nor a path
 * that might hold one. Does not know how the answer was found. */
#ifndef RETOKEN_RESPONDER_REQUEST_LOG_H
#define RETOKEN_RESPONDER_REQUEST_LOG_H

#include "dialect/dialect.h"
#include "http/request.h"
#include "http/response.h"

/* What every line tells; borrowed. */
struct request_log {
    const struct http_request *request;
    const struct http_response *response; /* its status */
    const struct fault *fault;            /* "" = none */
    int64_t begun_us;                     /* by clock_stopwatch_us */
};

/* A refresh: session, generation and client as far as they are known. */
void request_log_refresh(const struct request_log *log, const struct dialect_exchange *exchange,
                         enum outcome outcome);
/* A mount that is no refresh: `what` it is. */
void request_log_mount(const struct request_log *log, const char *what, const struct mount *mount);
/* A request that came to no mount; `what` is the reason. */
void request_log_stray(const struct request_log *log, const char *what);

#endif
