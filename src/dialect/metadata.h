/* SPDX-License-Identifier: ISC */
/* metadata.h: documents in which an issuer tells clients where and how to ask (RFC 8414, SMART App
 * Launch): what they share. All of it comes from the realm's settings and from what is mounted.
 * Knows how such documents are written and served; does not know which members one has. */
#ifndef RETOKEN_DIALECT_METADATA_H
#define RETOKEN_DIALECT_METADATA_H

#include "operation/request.h"

/* The mount of this realm where that is done, or of any realm that carries no tokens; NULL = there
 * is none. */
const struct mount *metadata_mount(const struct request *request,
                                   const struct operation *operation);
/* The path of that mount's URL, in the request's memory. False: there is none, or no memory. */
bool metadata_path(const struct request *request, const struct operation *operation,
                   struct text *path);
/* A member with that mount's URL, on the issuer's host; none where nothing is mounted. Returns the
 * mount. */
const struct mount *metadata_add_url(struct json_out *out, const char *key,
                                     const struct request *request,
                                     const struct operation *operation);
/* The same on another host. */
const struct mount *metadata_add_url_at(struct json_out *out, const char *key,
                                        const struct request *request,
                                        const struct operation *operation, struct text origin);
/* The first of both as "NAME_endpoint", and how clients prove themselves there: `methods`
 * ends with NULL. */
const struct mount *metadata_add_endpoint(struct json_out *out, const struct request *request,
                                          const char *name, const struct operation *operation,
                                          const char *const *methods);
/* The introspection endpoint, and in which algorithm it signs (RFC 9701 section 7). */
void metadata_add_introspection(struct json_out *out, const struct request *request,
                                const char *const *methods);
/* jwks_uri; none where the realm's tokens are signed with a secret. */
void metadata_add_keys(struct json_out *out, const struct request *request);
/* An array of strings; `words` ends with NULL. */
void metadata_add_words(struct json_out *out, const char *key, const char *const *words);
/* An array of the algorithms in which clients may sign what proves them. */
void metadata_add_client_algorithms(struct json_out *out, const char *key);
/* A whole document as an answer that caches and all pages may have. */
void metadata_answer(const struct request *request, struct http_response *response,
                     struct buffer *document);

#endif
