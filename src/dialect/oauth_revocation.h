/* SPDX-License-Identifier: ISC */
/* oauth_revocation.h: /oauth/revoke, where a client gives a token back (RFC 7009). Knows its
 * parameters and its answer; does not know what a token is. */
#ifndef RETOKEN_DIALECT_OAUTH_REVOCATION_H
#define RETOKEN_DIALECT_OAUTH_REVOCATION_H

#include "operation/request.h"

/* Section 2.1. */
bool oauth_revocation_decode(struct request *request, enum outcome *refusal);
/* Section 2.2. */
void oauth_revocation_encode(const struct request *request, enum outcome outcome,
                             struct http_response *response);

#endif
