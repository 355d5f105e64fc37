/* SPDX-License-Identifier: ISC */
/* introspection.h: in which of two shapes an introspection is answered: the JSON of a dialect, or
 * that within a signed JWT (RFC 9701). Knows the media type; does not know what is said. */
#ifndef RETOKEN_DIALECT_INTROSPECTION_H
#define RETOKEN_DIALECT_INTROSPECTION_H

#include "base/buffer.h"
#include "operation/request.h"

/* Section 4: who wants it signed says so; section 5 needs an issuer. For an endpoint's decode. */
void introspection_choose(struct request *request);

/* Answers with `said`, a JSON object: as `media_type` with `end` behind it, or signed. */
void introspection_answer(const struct request *request, struct http_response *response,
                          const char *media_type, struct buffer *said, const char *end);

#endif
