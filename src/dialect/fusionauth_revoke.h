/* SPDX-License-Identifier: ISC */
/* fusionauth_revoke.h: DELETE /api/jwt/refresh: a server ends sessions of anyone's, and a user of
 * their own. Knows its parameters; does not know what a session is. */
#ifndef RETOKEN_DIALECT_FUSIONAUTH_REVOKE_H
#define RETOKEN_DIALECT_FUSIONAUTH_REVOKE_H

#include "dialect/dialect.h"

/* An endpoint's decode for that method: chooses operation_revoke. */
bool fusionauth_revoke_decode(struct request *request, enum outcome *refusal);

#endif
