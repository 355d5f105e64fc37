/* SPDX-License-Identifier: ISC */
/* oauth_grants.h: the values of `grant_type` at the token endpoint, one row each (RFC 6749 section
 * 4). Knows the parameters of each; does not know who asks. */
#ifndef RETOKEN_DIALECT_OAUTH_GRANTS_H
#define RETOKEN_DIALECT_OAUTH_GRANTS_H

#include "operation/operation.h"

struct oauth_grant {
    const char *type; /* "refresh_token": the parameter's value */
    enum grant_bit bit;
    const struct operation *operation;
    const struct operation *from; /* gives the code that it takes; NULL = it takes none */
    /* Fills the operation's part of request->input, and client.beside where a token or a code is
     * what the client's proof is used with. False: *refusal. */
    bool (*decode)(struct request *request, enum outcome *refusal);
};

/* Chooses the grant that the body names: its operation, its bit and its input. False: *refusal is
 * GRANT_TYPE_MISSING, GRANT_TYPE_UNSUPPORTED, or the grant's own. */
bool oauth_grants_take(struct request *request, enum outcome *refusal);

/* Appends the values of grant_type that could be granted here to an array. */
void oauth_grants_add(struct json_out *out, const struct request *request);

#endif
