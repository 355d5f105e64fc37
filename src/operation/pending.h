/* SPDX-License-Identifier: ISC */
/* pending.h: sessions that wait for the code that begins them (model/session.h): how one is made,
 * and what the exchange of its code does. Knows sessions, policies and keys; does not know which
 * code it is, or who may come with it. */
#ifndef RETOKEN_OPERATION_PENDING_H
#define RETOKEN_OPERATION_PENDING_H

#include "operation/client_auth.h"

/* Fills *session: pending as `kind` in request->realm until now_ms + lifetime_ms, of this client,
 * limited to request->targets, and of no account. What its code must come with is the caller's to
 * set. False with request->fault. */
bool pending_start(struct request *request, enum session_pending kind, const struct client *client,
                   int64_t now_ms, int64_t lifetime_ms, struct session *session);
/* Its code, in the request's arena. False with request->fault. */
bool pending_code(struct request *request, const struct session *session, struct text *code);

/* The session begins: signs the tokens of generation 1, fills request->answer, and prepares the
 * write with its event and the mark of the client's assertion. Needs answer.now_ms. `view` is as
 * the store gave it: pending, live, not expired, its account enabled. The write gives STORE_STALE
 * when another request began it first. False with request->fault. */
bool pending_begin(struct request *request, const struct session_view *view,
                   const struct client_identity *client, struct store_write *write);

#endif
