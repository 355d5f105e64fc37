/* SPDX-License-Identifier: ISC */
/* tell.h: what a described dialect does, in sentences. Knows the tables of
 * dialect/described.h and what the names of templates mean; does not know where a dialect comes
 * from, nor any request. */
#ifndef RETOKEN_ADMIN_DIALECT_TELL_H
#define RETOKEN_ADMIN_DIALECT_TELL_H

#include "dialect/described.h"

/* All of it, in lines. The dialect is one of a file. */
void dialect_tell(const struct dialect *dialect, struct buffer *out);

/* "the refresh token" */
const char *dialect_tell_role(enum described_role role);
/* Is it a value that nobody else should see? */
bool dialect_tell_is_secret(enum described_role role);
/* "the member data/token of the JSON body", "the header x-token" */
void dialect_tell_place(const struct described_place *place, struct buffer *out);

#endif
