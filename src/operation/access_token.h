/* SPDX-License-Identifier: ISC */
/* access_token.h: is this an access token of the request's realm? Knows signature, layout, issuer
 * and audience; judges no account. */
#ifndef RETOKEN_OPERATION_ACCESS_TOKEN_H
#define RETOKEN_OPERATION_ACCESS_TOKEN_H

#include "operation/request.h"

/* Its payload, in the arena. NULL: *refusal is OUTCOME_TOKEN_INVALID, or OUTCOME_FAULT with
 * request->fault. */
json_t *access_token_open(struct request *request, struct text token, enum outcome *refusal);

/* Has it not expired at now_ms? */
bool access_token_is_in_time(const json_t *payload, int64_t now_ms);

#endif
