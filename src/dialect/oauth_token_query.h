/* SPDX-License-Identifier: ISC */
/* oauth_token_query.h: the endpoints that are given a token of ours to say or do something about
 * it: /oauth/revoke (RFC 7009) and /oauth/introspect (RFC 7662). Knows their parameters and
 * answers; does not know what a token is. */
#ifndef RETOKEN_DIALECT_OAUTH_TOKEN_QUERY_H
#define RETOKEN_DIALECT_OAUTH_TOKEN_QUERY_H

#include "operation/request.h"

/* RFC 7009 section 2.1, RFC 7662 section 2.1. */
bool oauth_token_query_decode(struct request *request, enum outcome *refusal);
/* RFC 7009 section 2.2: an empty answer. */
void oauth_token_query_encode_revoked(const struct request *request, enum outcome outcome,
                                      struct http_response *response);
/* RFC 7662 section 2.1, RFC 9701 section 4. */
bool oauth_token_query_decode_introspection(struct request *request, enum outcome *refusal);
/* RFC 7662 section 2.2; RFC 9701 section 5 where that was asked for. */
void oauth_token_query_encode_state(const struct request *request, enum outcome outcome,
                                    struct http_response *response);

#endif
