/* SPDX-License-Identifier: ISC */
/* at_jwt.h: the access tokens of RFC 9068: oauth's own, and those of any realm that asks for them.
 * Knows their claims; does not know who has them issued. */
#ifndef RETOKEN_DIALECT_AT_JWT_H
#define RETOKEN_DIALECT_AT_JWT_H

#include "token/layout.h"

extern const struct layout at_jwt_layout;

#endif
