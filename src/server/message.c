/* SPDX-License-Identifier: ISC */
/* message.c: see message.h. */
#include "server/message.h"

#include "base/log.h"

enum {
    ARENA_LIMIT = 16 * 1024 * 1024, /* a body of 1 MiB, parsed as JSON, and its copies */
    HEAD_ROOM = 1024
};

struct arena *message_arena_open(void)
{
    return arena_open(ARENA_LIMIT);
}

void message_set_body(struct http_request *request, struct text body, size_t limit, bool broken)
{
    request->body = (struct text){0};
    if (body.size > limit) {
        request->body_state = HTTP_BODY_TOO_LARGE;
    } else if (broken || request->length_state == HTTP_LENGTH_BAD ||
               (request->length_state == HTTP_LENGTH_GIVEN && body.size != request->length)) {
        request->body_state = HTTP_BODY_CUT_SHORT;
    } else {
        request->body_state = HTTP_BODY_WHOLE;
        request->body = body;
    }
}

/* ---- responses ---- */

static struct text without_body(struct text spelled, const struct http_response *response);
static struct text unavailable(void);

struct text message_spell(struct http_exchange *exchange)
{
    struct http_response *response = &exchange->response;
    struct buffer buffer;
    struct text spelled;

    if (response->failed) {
        log_line(LOG_LEVEL_ERROR, "a response header holds a control byte, or there are too many");
        return unavailable();
    }
    buffer_start(&buffer, exchange->arena, HEAD_ROOM + response->body.size);
    if (!http_response_write(response, &buffer) || !buffer_finish(&buffer, &spelled)) {
        return message_no_memory();
    }
    return exchange->request.method == HTTP_HEAD ? without_body(spelled, response) : spelled;
}

struct text message_no_memory(void)
{
    log_line(LOG_LEVEL_ERROR, "no memory for a request or its response");
    return unavailable();
}

/* RFC 9110 section 9.3.2: the same headers as for GET, Content-Length included. */
static struct text without_body(struct text spelled, const struct http_response *response)
{
    return text_cut(spelled, spelled.size - response->body.size);
}

static struct text unavailable(void)
{
    return TEXT("Status: 503 Service Unavailable\r\n"
                "X-Content-Type-Options: nosniff\r\n"
                "Content-Type: text/plain; charset=utf-8\r\n"
                "Cache-Control: no-store\r\n"
                "Retry-After: 1\r\n"
                "Content-Length: 20\r\n"
                "\r\n"
                "Service Unavailable\n");
}
