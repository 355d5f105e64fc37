/* SPDX-License-Identifier: ISC */
/* oauth_sessions.h: the endpoint at which users see and end their own sessions, through an app that
 * has an access token of theirs. */
#ifndef RETOKEN_DIALECT_OAUTH_SESSIONS_H
#define RETOKEN_DIALECT_OAUTH_SESSIONS_H

#include "dialect/dialect.h"

bool oauth_sessions_decode(struct request *request, enum outcome *refusal);
void oauth_sessions_encode(const struct request *request, enum outcome outcome,
                           struct http_response *response);
extern const struct wording oauth_sessions_words[];

#endif
