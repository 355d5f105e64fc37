/* answer.h: what the dialects' answers have in common below the level of words: no-store on all of
 * them, no media type on an empty body, a body from a buffer that may have failed. */
#ifndef RETOKEN_DIALECT_ANSWER_H
#define RETOKEN_DIALECT_ANSWER_H

#include "base/buffer.h"
#include "http/response.h"
#include "operation/refresh.h"

/* The status and the cache headers. Duktig's and Koppeltaal's servers sent none; here every answer
 * of every dialect has them, because an old client never looks and a shared cache does. */
void answer_start(struct http_response *response, int status);

/* Starts a buffer for the body of a grant: room for both tokens and some words round them. */
void answer_compose(const struct refresh_answer *answer, struct arena *arena, struct buffer *body);

/* Starts an answer with a body that outlives it. An empty body goes without a media type: clients
 * that see application/json parse what follows, even if nothing does. */
void answer_body(struct http_response *response, int status, const char *media_type,
                 struct text body);
/* The same; sets `failed` when the buffer failed. */
void answer_buffer(struct http_response *response, int status, const char *media_type,
                   struct buffer *buffer);

/* Adds Retry-After: 1, for a fault that is answered with 503 (RFC 9110 section 10.2.3). */
void answer_retry(struct http_response *response);

#endif
