/* SPDX-License-Identifier: ISC */
/* oauth_expiration.h: how long a refresh token and what its user has authorized last, said to who
 * holds the token (draft-ietf-oauth-refresh-token-expiration, as of May 2026). Knows the members;
 * does not know policies. */
#ifndef RETOKEN_DIALECT_OAUTH_EXPIRATION_H
#define RETOKEN_DIALECT_OAUTH_EXPIRATION_H

#include "operation/request.h"

/* The setting `refresh-token-expiration`: off, answers are as without the draft. */
bool oauth_expiration_take(struct realm *realm, struct text value);

/* refresh_token_timeout and authorization_expires_in, each unless there is no end. */
void oauth_expiration_add(struct json_out *out, const struct request *request);

/* refresh_token_expiration_types_supported. */
void oauth_expiration_add_types(struct json_out *out, const struct request *request);

#endif
