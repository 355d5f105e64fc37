/* SPDX-License-Identifier: ISC */
/* oauth_metadata.h: where and how a client asks: /.well-known/oauth-authorization-server (RFC 8414)
 * and /.well-known/openid-configuration, for clients that look only there. Knows the members; does
 * not know what answers at the URLs. */
#ifndef RETOKEN_DIALECT_OAUTH_METADATA_H
#define RETOKEN_DIALECT_OAUTH_METADATA_H

#include "operation/request.h"

/* RFC 8414 section 2. */
void oauth_metadata_encode(const struct request *request, enum outcome outcome,
                           struct http_response *response);
/* The same, and what OpenID Connect Discovery section 3 does not do without. */
void oauth_metadata_encode_openid(const struct request *request, enum outcome outcome,
                                  struct http_response *response);

/* The setting mtls-origin, for when the web server asks for certificates elsewhere than where the
 * issuer is. */
bool oauth_metadata_take_mtls_origin(struct realm *realm, struct text value);

#endif
