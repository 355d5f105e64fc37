/* SPDX-License-Identifier: ISC */
/* exchange.h: one HTTP request and its response. The server fills the request, the application
 * fills the response. Knows neither of them. */
#ifndef RETOKEN_HTTP_EXCHANGE_H
#define RETOKEN_HTTP_EXCHANGE_H

#include "base/arena.h"
#include "http/request.h"
#include "http/response.h"

struct http_exchange {
    struct arena *arena; /* memory of this exchange, reset by the server once it is over */
    struct http_request request;
    struct http_response response; /* may point into the arena, the request and static memory */

    /* The application calls this exactly once, when the response is complete: before it returns
     * from handling the request or later, from any thread. The exchange is gone afterwards. */
    void (*answered)(struct http_exchange *exchange);
};

#endif
