/* SPDX-License-Identifier: ISC */
/* dbsc.h: does a proof show that a browser holds the key of a session (Device Bound Session
 * Credentials, w3c.github.io/webappsec-dbsc)? Knows the claims of proofs and the challenges that
 * they sign; does not know the store, or how a proof came. */
#ifndef RETOKEN_OPERATION_DBSC_H
#define RETOKEN_OPERATION_DBSC_H

#include "base/fault.h"
#include "model/client_refusal.h"
#include "operation/request.h"

/* The challenge of this time for a session, into answer.challenge. False with request->fault. */
bool dbsc_tell_challenge(struct request *request, const uint8_t session[SESSION_ID_SIZE]);

/* Opens possession.response, the first proof of a browser, which brings its key: that comes into
 * possession.browser_key, and what begins the session (`authorization`) into *code. Whether it
 * signs a challenge is for dbsc_signs_challenge to say. False: *refusal is DPOP_INVALID with
 * answer.refusal, or FAULT with request->fault. */
bool dbsc_open_first(struct request *request, struct text *code, enum outcome *refusal);
/* Does that one sign a challenge for this session, of the last two to four minutes? False: *refusal
 * is DPOP_NONCE with answer.refusal, or FAULT. */
bool dbsc_signs_challenge(struct request *request, const uint8_t session[SESSION_ID_SIZE],
                          enum outcome *refusal);

/* Does who sent this hold the browser's key of this session: is it the key of the first proof, or
 * has it signed possession.response? False: *refusal is WRONG_KEY where the session has no such
 * key, DPOP_NONCE with answer.challenge where no proof came or one of an old challenge,
 * DPOP_INVALID (both with answer.refusal), or FAULT. */
bool dbsc_matches(struct request *request, const struct session *session, enum outcome *refusal);

#endif
