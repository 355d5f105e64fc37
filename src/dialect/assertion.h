/* SPDX-License-Identifier: ISC */
/* assertion.h: a client assertion as it comes in a request (RFC 7521 section 4.2, RFC 7523 section
 * 2.2). Takes it as it is; the operation verifies it. */
#ifndef RETOKEN_DIALECT_ASSERTION_H
#define RETOKEN_DIALECT_ASSERTION_H

#include "dialect/dialect.h"

/* Both empty: no assertion, nothing changes. Both given and the type known: request->client gets
 * the proof, the assertion and the path it came to. False: *refusal is FIELD_MISSING (one without
 * the other), CLIENT_AUTH_FAILED (another type) or FAULT (no memory). */
bool assertion_take(struct request *request, struct text assertion, struct text type,
                    enum outcome *refusal);

#endif
