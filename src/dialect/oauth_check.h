/* SPDX-License-Identifier: ISC */
/* oauth_check.h: the endpoint that the web server itself asks before it hands out a page, with
 * what its client sent: nginx by auth_request, Apache and lighttpd by a FastCGI authorizer. */
#ifndef RETOKEN_DIALECT_OAUTH_CHECK_H
#define RETOKEN_DIALECT_OAUTH_CHECK_H

#include "dialect/dialect.h"

bool oauth_check_decode(struct request *request, enum outcome *refusal);
void oauth_check_encode(const struct request *request, enum outcome outcome,
                        struct http_response *response);
extern const struct wording oauth_check_words[];

/* The setting check-cookie: where no access token comes in the header, it may be in this cookie. */
bool oauth_check_take_cookie(struct realm *realm, struct text value);

#endif
