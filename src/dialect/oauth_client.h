/* SPDX-License-Identifier: ISC */
/* oauth_client.h: how a client says who it is at any endpoint of RFC 6749: by Basic, in the body,
 * or by a JWT (RFC 7523). Knows where each is sent; does not know whether it is right. */
#ifndef RETOKEN_DIALECT_OAUTH_CLIENT_H
#define RETOKEN_DIALECT_OAUTH_CLIENT_H

#include "operation/request.h"

/* One parameter of the body, and where it goes. */
struct oauth_parameter {
    const char *name;
    struct text *value;
    bool exact; /* white space at the ends of others is a line break of the file they came from */
};

/* Reads `count` parameters of the form (RFC 6749 section 3.2), or members of a JSON body where the
 * endpoint takes one: none may be given twice, and
 * one without a value counts as omitted: an empty *value. False: *refusal. */
bool oauth_parameters(const struct request *request, const struct oauth_parameter *rows,
                      size_t count, enum outcome *refusal);

/* Is a credential in the URI, where servers and proxies log it (RFC 6749 section 2.3.1)? */
bool oauth_credential_in_url(const struct request *request);

/* Fills request->client from the Authorization header and from client_id, client_secret,
 * client_assertion and client_assertion_type of the body. client.beside is set before. False:
 * *refusal is PARAMETER_REPEATED, MALFORMED, FIELD_MISSING, CLIENT_AUTH_REPEATED,
 * CLIENT_AUTH_FAILED or FAULT. */
bool oauth_client_take(struct request *request, enum outcome *refusal);

/* Did the client try the Authorization header? Then RFC 6749 section 5.2 has it told which scheme
 * to use; not in a browser, which would ask its user for a name and a password. */
bool oauth_client_tried_basic(const struct request *request);

#endif
