/* SPDX-License-Identifier: ISC */
/* ownership.h: does a refresh token belong to who presents it? Knows realm, client, user and access
 * token of a request; does not know generations or time. */
#ifndef RETOKEN_OPERATION_OWNERSHIP_H
#define RETOKEN_OPERATION_OWNERSHIP_H

#include "operation/client_auth.h"
#include "operation/token_ref.h"

/* Compares request->realm and request->input.refresh with the session that the token `ref` names.
 * `client`: who client_auth_check found. False: *refusal is WRONG_REALM, WRONG_CLIENT,
 * CLIENT_AUTH_FAILED, WRONG_USER, CREDENTIALS_WRONG, SLOWED, BUSY, WRONG_ACCESS_TOKEN, or FAULT
 * with request->fault. */
bool ownership_check(struct request *request, const struct session_view *view,
                     const struct client_identity *client, const struct token_ref *ref,
                     enum outcome *refusal);

/* Does the session's client, or none, present it, with as much proof as the session wants? False:
 * *refusal is WRONG_CLIENT or CLIENT_AUTH_FAILED, with answer.refusal. */
bool ownership_client_matches(struct request *request, const struct session_view *view,
                              const struct client_identity *client, enum outcome *refusal);

/* May a page of request->origin read the answer, where that is for the session's client to say?
 * Settles request->page. False: *refusal is PAGE_FOREIGN. */
bool ownership_page_matches(struct request *request, const struct session_view *view,
                            enum outcome *refusal);

#endif
