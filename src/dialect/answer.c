/* answer.c: see answer.h. Knows headers; does not know outcomes. */
#include "dialect/answer.h"

void answer_start(struct http_response *response, int status)
{
    http_response_start(response, status);
    http_response_no_store(response);
}

void answer_compose(const struct refresh_answer *answer, struct arena *arena, struct buffer *body)
{
    enum { WORDS_ROOM = 320 };

    buffer_start(body, arena, answer->access_token.size + answer->refresh_token.size + WORDS_ROOM);
}

void answer_body(struct http_response *response, int status, const char *media_type,
                 struct text body)
{
    answer_start(response, status);
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

void answer_retry(struct http_response *response)
{
    http_response_header_c(response, "Retry-After", "1");
}
