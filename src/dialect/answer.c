/* SPDX-License-Identifier: ISC */
/* answer.c: see answer.h. */
#include "dialect/answer.h"

void answer_compose(const struct request *request, struct buffer *body)
{
    enum { WORDS_ROOM = 320 };
    const struct answer *answer = &request->answer;

    buffer_start(body, request->arena,
                 answer->access_token.size + answer->refresh_token.size + WORDS_ROOM);
}

void answer_body(struct http_response *response, int status, const char *media_type,
                 struct text body)
{
    http_response_start(response, status);
    http_response_no_store(response);
    if (body.size > 0) {
        http_response_header_c(response, "Content-Type", media_type);
    }
    response->body = body;
}

void answer_buffer(struct http_response *response, int status, const char *media_type,
                   struct buffer *buffer)
{
    struct text body = {0};
    bool whole = buffer_finish(buffer, &body);

    answer_body(response, status, media_type, body);
    response->failed = response->failed || !whole;
}
