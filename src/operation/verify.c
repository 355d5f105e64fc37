/* SPDX-License-Identifier: ISC */
/* verify.c: the operation that says whether a token is good now, and changes nothing: a refresh
 * token that would be renewed, or an access token of this realm that has not expired. Knows both
 * kinds; does not know how either is sent. */
#include "operation/operation.h"

#include "operation/access_token.h"
#include "operation/preview.h"

static bool begin(struct request *request);
static struct store_write *step(struct request *request, enum outcome *outcome);
static enum outcome verify_access_token(struct request *request);

const struct operation operation_verify = {
    .word = "verify", .routine = true, .begin = begin, .step = step};

static bool begin(struct request *request)
{
    request->state = arena_alloc(request->arena, sizeof(struct preview));
    if (request->state == NULL) {
        fault_set(&request->fault, "the request's memory is used up");
        return false;
    }
    request->answer.now_ms = clock_now_ms(&request->issuer->clock);
    return true;
}

static struct store_write *step(struct request *request, enum outcome *outcome)
{
    struct preview *preview = request->state;

    *outcome = preview_token(request->issuer, request->mount, request->input.refresh.refresh_token,
                             false, request->arena, preview, &request->fault);
    if (preview->session_found) {
        operation_tell_session(request, &preview->grant.session, preview->generation);
    } else if (*outcome == OUTCOME_TOKEN_INVALID) {
        *outcome = verify_access_token(request);
    }
    if (outcome_is_grant(*outcome)) {
        *outcome = OUTCOME_SERVED;
    }
    return NULL;
}

static enum outcome verify_access_token(struct request *request)
{
    enum outcome refusal;
    json_t *payload = access_token_open(request, request->input.refresh.refresh_token, &refusal);

    if (payload == NULL) {
        return refusal;
    }
    return access_token_is_in_time(payload, request->answer.now_ms) ? OUTCOME_SERVED
                                                                    : OUTCOME_TOKEN_EXPIRED;
}
