/* SPDX-License-Identifier: ISC */
/* access_token.h: is this an access token of the request's realm? Knows signature, layout, issuer
 * and audience; judges no account. */
#ifndef RETOKEN_OPERATION_ACCESS_TOKEN_H
#define RETOKEN_OPERATION_ACCESS_TOKEN_H

#include "operation/request.h"

/* Its payload, in the arena. NULL: *refusal is OUTCOME_TOKEN_INVALID, or OUTCOME_FAULT with
 * request->fault. */
json_t *access_token_open(struct request *request, struct text token, enum outcome *refusal);

/* Finds the session of one that has not expired at now_ms. Its payload, in the arena, with
 * *session. NULL: *refusal is as above, OUTCOME_TOKEN_EXPIRED or OUTCOME_TOKEN_ALONE (it names no
 * session). */
json_t *access_token_locate(struct request *request, struct text token, int64_t now_ms,
                            uint8_t session[SESSION_ID_SIZE], enum outcome *refusal);

/* The session that it was issued in. False: none, or the realm's layout does not say which. */
bool access_token_session(const struct request *request, const json_t *payload,
                          uint8_t session[SESSION_ID_SIZE]);

/* Is it for whom the realm's tokens are for, and not for another resource that was asked for (RFC
 * 8707)? */
bool access_token_is_for_us(const struct realm *realm, const json_t *payload);

/* Has it not expired at now_ms? */
bool access_token_is_in_time(const json_t *payload, int64_t now_ms);

#endif
