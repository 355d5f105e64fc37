/* SPDX-License-Identifier: ISC */
/* possession.h: which key the sender of a request holds, by a proof (RFC 9449) or by the
 * certificate of its TLS connection (RFC 8705), and whether a session or a policy wants one. Knows
 * requests and sessions; what a proof is, dpop.c knows. */
#ifndef RETOKEN_OPERATION_POSSESSION_H
#define RETOKEN_OPERATION_POSSESSION_H

#include "operation/client_auth.h"

/* Reads request->possession.pem into its certificate, where there is one: true also where there is
 * none. False: *refusal is CLIENT_AUTH_FAILED, with answer.refusal, or FAULT with request->fault.
 */
bool possession_take_certificate(struct request *request, enum outcome *refusal);
/* Has it been read? */
bool possession_has_certificate(const struct request *request);

/* Checks request->possession.dpop, where one was sent: true also where none was. Fills
 * request->possession, adds the proof to identity->once, and puts into answer.dpop_nonce what the
 * sender shall use next, where that is wanted. False: *refusal is DPOP_INVALID or DPOP_NONCE, with
 * answer.refusal, or FAULT with request->fault. */
bool possession_take(struct request *request, int64_t now_ms, struct client_identity *identity,
                     enum outcome *refusal);

/* Does the sender hold the keys that an access token of this payload is bound to, if it is? False:
 * *refusal is WRONG_KEY (also where a proof came with a token that is not bound to its key), or
 * another as above. Whether the proof was used before is not looked at. */
bool possession_of_token(struct request *request, struct text token, const json_t *payload,
                         int64_t now_ms, enum outcome *refusal);

/* May tokens be issued to who sent this under this policy? False where it wants a proof and none
 * was sent: *refusal is DPOP_INVALID; or a certificate: CLIENT_AUTH_FAILED. Nothing is asked of
 * browsers. */
bool possession_suffices(struct request *request, const struct policy *policy,
                         enum outcome *refusal);

/* Does the sender hold the key that the session is bound to, where it is bound? False: *refusal is
 * WRONG_KEY, or one of dbsc_matches where a browser asks. */
bool possession_matches(struct request *request, const struct session *session,
                        enum outcome *refusal);

/* Binds a session that begins to the key that was shown, or leaves it unbound: the refresh tokens
 * of a client that proves itself are bound to the client. */
void possession_bind(const struct request *request, bool client_proved, enum session_key_kind *kind,
                     uint8_t key[SESSION_KEY_SIZE]);

#endif
