/* SPDX-License-Identifier: ISC */
/* target.h: for which audiences the access tokens of a session may be (RFC 8707 section 2.2). Knows
 * sessions and realms; does not know how a request names one. */
#ifndef RETOKEN_OPERATION_TARGET_H
#define RETOKEN_OPERATION_TARGET_H

#include "operation/request.h"

/* Are tokens of the realm for this audience, usually or when they are asked for? */
bool target_is_of(const struct realm *realm, struct text target);

/* What the access token shall be for: what request->targets names, which must be some of those that
 * the session was granted; where it names none, all of them that the realm's tokens can still be
 * for, which then are request->targets, or of a session that is not limited the realm's usual one.
 * False: *refusal is TARGET_INVALID, or FAULT with request->fault. */
bool target_choose(struct request *request, const struct session *session, enum outcome *refusal);

/* Is one of those left, so that a request that names none gets a token? */
bool target_is_left(const struct realm *realm, const struct session *session);

#endif
