/* SPDX-License-Identifier: ISC */
/* possession.h: which key the sender of a request holds, and whether a session or a policy wants
 * one (RFC 9449 section 5). Knows requests and sessions; what a proof is, dpop.c knows. */
#ifndef RETOKEN_OPERATION_POSSESSION_H
#define RETOKEN_OPERATION_POSSESSION_H

#include "operation/client_auth.h"

/* Checks request->possession.dpop, where one was sent: true also where none was. Fills
 * request->possession, adds the proof to identity->once, and puts into answer.dpop_nonce what the
 * sender shall use next, where that is wanted. False: *refusal is DPOP_INVALID or DPOP_NONCE, with
 * answer.refusal, or FAULT with request->fault. */
bool possession_take(struct request *request, int64_t now_ms, struct client_identity *identity,
                     enum outcome *refusal);

/* Does the sender hold the key that an access token of this payload is bound to, if it is? False:
 * *refusal is WRONG_KEY (also where a proof came with a token that is not bound), DPOP_INVALID,
 * DPOP_NONCE or FAULT, as above. Whether the proof was used before is not looked at. */
bool possession_of_token(struct request *request, struct text token, const json_t *payload,
                         int64_t now_ms, enum outcome *refusal);

/* May tokens be issued to who sent this under this policy? False where it wants a proof and none
 * was sent: *refusal is DPOP_INVALID. */
bool possession_suffices(struct request *request, const struct policy *policy,
                         enum outcome *refusal);

/* Does the sender hold the key that the session is bound to, where it is bound? False: *refusal is
 * WRONG_KEY. */
bool possession_matches(const struct request *request, const struct session *session,
                        enum outcome *refusal);

/* Binds a session that begins to the key that was shown, or leaves it unbound: the refresh tokens
 * of a client that proves itself are bound to the client. */
void possession_bind(const struct request *request, bool client_proved, enum session_key_kind *kind,
                     uint8_t key[SESSION_KEY_SIZE]);

#endif
