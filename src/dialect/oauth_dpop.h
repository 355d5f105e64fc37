/* SPDX-License-Identifier: ISC */
/* oauth_dpop.h: the DPoP header of RFC 9449. Knows where a proof is sent; does not know what makes
 * one right. */
#ifndef RETOKEN_DIALECT_OAUTH_DPOP_H
#define RETOKEN_DIALECT_OAUTH_DPOP_H

#include "operation/request.h"

/* Fills request->possession from the header, if there is one. False: *refusal is DPOP_INVALID
 * (there is more than one, which some servers join and others do not) or FAULT. */
bool oauth_dpop_take(struct request *request, enum outcome *refusal);

#endif
