/* SPDX-License-Identifier: ISC */
/* assertion.c: see assertion.h. Knows the request; does not know issuers or keys. */
#include "dialect/assertion.h"

#include "dialect/dialect.h"

#define JWT_BEARER "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"

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
    } else if (!dialect_url_path(request, &request->client.endpoint_path)) {
        *refusal = OUTCOME_FAULT;
    } else {
        request->client.kind = CLIENT_PROOF_ASSERTION;
        request->client.assertion = assertion;
        return true;
    }
    return false;
}
