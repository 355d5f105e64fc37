/* SPDX-License-Identifier: ISC */
/* oauth_authorize.h: the endpoints of the web server's own login: /oauth/authorize (RFC 6749
 * section 3.1) and /oauth/session. Knows their parameters and how an authorization is answered;
 * does not know clients or users. */
#ifndef RETOKEN_DIALECT_OAUTH_AUTHORIZE_H
#define RETOKEN_DIALECT_OAUTH_AUTHORIZE_H

#include "dialect/dialect.h"

/* As of struct endpoint. Only what makes client_id or redirect_uri unreadable is refused by decode;
 * anything else is told to the client, and so comes after those two have been checked. */
bool oauth_authorize_decode(struct request *request, enum outcome *refusal);
void oauth_authorize_encode(const struct request *request, enum outcome outcome,
                            struct http_response *response);
bool oauth_authorize_refuse(const struct request *request, enum outcome outcome,
                            struct http_response *response);
extern const struct wording oauth_authorize_words[];

/* The client is in the body alone: the Authorization header may be the user's. */
bool oauth_session_decode(struct request *request, enum outcome *refusal);

#endif
