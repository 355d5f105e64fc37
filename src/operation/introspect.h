/* SPDX-License-Identifier: ISC */
/* introspect.h: what an introspection says, signed for who asks (RFC 9701). Knows whom it is for
 * and by which key; does not know what it says. */
#ifndef RETOKEN_OPERATION_INTROSPECT_H
#define RETOKEN_OPERATION_INTROSPECT_H

#include "operation/request.h"

/* The answer as a JWT of section 5, where input.refresh.signed_answer was set and the operation has
 * served it or found it inactive. `said` is the JSON object of RFC 7662. False: out of memory, or
 * libcrypto failed. */
bool introspect_sign(const struct request *request, struct text said, struct text *token);

#endif
