/* SPDX-License-Identifier: ISC */
/* answer.h: what the dialects' answers have in common below the level of words: no-store on all of
 * them, no media type on an empty body, a body from a buffer that may have failed. Knows headers;
 * does not know outcomes. */
#ifndef RETOKEN_DIALECT_ANSWER_H
#define RETOKEN_DIALECT_ANSWER_H

#include "base/buffer.h"
#include "operation/request.h"

/* Starts a buffer for the body of a grant: room for both tokens and some words round them. */
void answer_compose(const struct request *request, struct buffer *body);

/* Starts an answer with a body that outlives it. An empty body goes without a media type: clients
 * that see application/json parse what follows, even if nothing does. Duktig's and Koppeltaal's
 * servers sent no cache headers; here every answer has them, because an old client never looks and
 * a shared cache does. */
void answer_body(struct http_response *response, int status, const char *media_type,
                 struct text body);
/* The same; sets `failed` when the buffer failed. */
void answer_buffer(struct http_response *response, int status, const char *media_type,
                   struct buffer *buffer);

/* Starts an answer that every cache may keep for max_age_s, with an entity tag; 304 without a body
 * for who has it already. */
void answer_cacheable(const struct request *request, struct http_response *response,
                      const char *media_type, int64_t max_age_s, struct text body);

#endif
