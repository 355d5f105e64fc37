/* SPDX-License-Identifier: ISC */
/* client_auth.h: does the client prove itself (RFC 6749 section 2.3, RFC 7523 section 3)? Knows
 * client records and proofs; does not know sessions. */
#ifndef RETOKEN_OPERATION_CLIENT_AUTH_H
#define RETOKEN_OPERATION_CLIENT_AUTH_H

#include "operation/request.h"

struct client_identity {
    bool named;  /* the request names a client that is registered and enabled */
    bool proved; /* … and proved it with a secret or an assertion */
    char id[CLIENT_ID_MAX + 1];
};

/* Checks request->client at now_ms. True: *identity is filled (not named when the request names
 * no client). False: *refusal is CLIENT_AUTH_FAILED (a confidential client without proof, a wrong
 * proof, an unknown client), CLIENT_UNAUTHORIZED (it is who it says, and may not any more) or FAULT
 * with request->fault. */
bool client_auth_check(struct request *request, int64_t now_ms, struct client_identity *identity,
                       enum outcome *refusal);

#endif
