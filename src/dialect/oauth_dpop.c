/* SPDX-License-Identifier: ISC */
/* oauth_dpop.c: see oauth_dpop.h. */
#include "dialect/oauth_dpop.h"

#include "dialect/dialect.h"

bool oauth_dpop_take(struct request *request, enum outcome *refusal)
{
    const struct http_request *http = &request->http->request;
    struct possession *possession = &request->possession;

    switch (http_header(http, "dpop", &possession->dpop)) {
    case HTTP_ABSENT:
        return true;
    case HTTP_ONE:
        possession->method = http->method_name;
        *refusal = OUTCOME_FAULT;
        return dialect_url_path(request, &possession->path);
    case HTTP_REPEATED:
        break;
    }
    request->answer.refusal = CLIENT_REFUSED_DPOP_REPEATED;
    *refusal = OUTCOME_DPOP_INVALID;
    return false;
}
