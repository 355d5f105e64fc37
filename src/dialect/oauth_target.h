/* SPDX-License-Identifier: ISC */
/* oauth_target.h: which resources a token is asked for (RFC 8707, and `audience` as RFC 8693
 * section 2.1 has it). Knows the parameters and which audiences a realm has; does not know who
 * asks. */
#ifndef RETOKEN_DIALECT_OAUTH_TARGET_H
#define RETOKEN_DIALECT_OAUTH_TARGET_H

#include "operation/request.h"

/* Fills request->targets from `resource` and `audience` of `form`, each of which may be given
 * several times. False: *refusal is TARGET_INVALID (the realm has no such audience, or they are too
 * many), MALFORMED or FAULT. */
bool oauth_target_take(struct request *request, const struct form *form, enum outcome *refusal);

#endif
