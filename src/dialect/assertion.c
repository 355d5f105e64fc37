/* SPDX-License-Identifier: ISC */
/* assertion.c: see assertion.h. Knows the request; does not know issuers or keys. */
#include "dialect/assertion.h"

#define JWT_BEARER "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"

static bool take_path(struct request *request);

bool assertion_take(struct request *request, struct text assertion, struct text type,
                    enum outcome *refusal)
{
    if (assertion.size == 0 && type.size == 0) {
        return true;
    } else if (assertion.size == 0 || type.size == 0) {
        *refusal = OUTCOME_FIELD_MISSING;
    } else if (!text_is(type, JWT_BEARER)) {
        *refusal = OUTCOME_CLIENT_AUTH_FAILED;
        request->answer.refusal = CLIENT_REFUSED_ASSERTION_TYPE;
    } else if (!take_path(request)) {
        *refusal = OUTCOME_FAULT;
    } else {
        request->client.kind = CLIENT_PROOF_ASSERTION;
        request->client.assertion = assertion;
        return true;
    }
    return false;
}

static bool take_path(struct request *request)
{
    const struct http_request *http = &request->http->request;
    struct buffer path;

    buffer_start(&path, request->arena, 128);
    buffer_add(&path, http->script_name);
    buffer_add(&path, http->path_info);
    return buffer_finish(&path, &request->client.endpoint_path);
}
