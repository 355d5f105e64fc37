/* answer.c: see answer.h. Knows headers; does not know outcomes. */
#include "dialect/answer.h"

void answer_start(struct http_response *response, int status)
{
    http_response_start(response, status);
    http_response_no_store(response);
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
