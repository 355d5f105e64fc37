/* exchange.c: reads and judges a body, has the request answered, spells the answer. Knows the
 * limits of a request; does not know libfcgi, mounts or dialects. */
#include "responder/exchange.h"

#include "base/secret.h"
#include "process/log.h"

enum {
    ARENA_LIMIT = 16 * 1024 * 1024, /* a body of 1 MiB, taken apart as JSON, and its copies */
    CHUNK_SIZE = 4096,
    FIRST_ROOM = 1024,
    DROPPED_MAX = 16 * 1024 * 1024 /* then the connection is closed on whoever goes on sending */
};

struct arena *exchange_arena_open(void)
{
    return arena_open(ARENA_LIMIT);
}

/* Reads at most `most` bytes and keeps the first `limit`; *total tells how many there were. False
 * when the arena is exhausted. Room grows with what arrives, never with what was announced. */
static bool read_all(struct arena *arena, const struct exchange_body *body, size_t most,
                     size_t limit, struct text *kept, size_t *total)
{
    char chunk[CHUNK_SIZE];
    struct buffer buffer;
    size_t got = 1;

    buffer_start(&buffer, arena, FIRST_ROOM);
    *total = 0;
    while (got > 0 && *total < most) {
        size_t room = most - *total < sizeof chunk ? most - *total : sizeof chunk;
        got = body->read(body->self, chunk, room);
        *total += got;
        if (*total <= limit) {
            buffer_add(&buffer, (struct text){chunk, got});
        }
    }
    secret_wipe(chunk, sizeof chunk); /* there was a token in it */
    return buffer_finish(&buffer, kept);
}

static enum http_body judge(const struct exchange_body *body, enum http_length announced,
                            size_t length, size_t limit, size_t total)
{
    if (total > limit) {
        return HTTP_BODY_TOO_LARGE;
    } else if (announced == HTTP_LENGTH_BAD || body->is_broken(body->self) ||
               (announced == HTTP_LENGTH_GIVEN && total != length)) {
        return HTTP_BODY_CUT_SHORT;
    }
    return HTTP_BODY_WHOLE;
}

/* A request that has a body by its method, but no length where that alone tells its end: Apache's
 * CGI hands over a body that was sent in chunks like that, and a truncated one looks the same. */
static bool lacks_length(const struct exchange_body *body, const struct http_request *request,
                         enum http_length announced)
{
    return body->needs_length && announced == HTTP_LENGTH_ABSENT && request->method != HTTP_GET &&
           request->method != HTTP_HEAD;
}

bool exchange_read(struct arena *arena, const char *const *variables,
                   const struct exchange_body *body, size_t limit, struct http_request *request)
{
    size_t length = 0;
    size_t total = 0;
    struct text kept = {0};
    enum http_length announced = http_content_length(variables, &length);
    size_t most = limit + DROPPED_MAX;

    if (!http_request_from_cgi(arena, variables, request)) {
        return false;
    } else if (lacks_length(body, request, announced)) {
        request->body_state = HTTP_BODY_NO_LENGTH;
        return true;
    }
    if (body->needs_length && length < most) {
        most = announced == HTTP_LENGTH_GIVEN ? length : 0;
    }
    if (!read_all(arena, body, most, limit, &kept, &total)) {
        return false;
    }
    request->body_state = judge(body, announced, length, limit, total);
    request->body = request->body_state == HTTP_BODY_WHOLE ? kept : (struct text){0};
    return true;
}

static struct text unavailable(void)
{
    return TEXT("Status: 503 Service Unavailable\r\n"
                "Content-Type: text/plain; charset=utf-8\r\n"
                "Cache-Control: no-store\r\n"
                "Retry-After: 1\r\n"
                "Content-Length: 20\r\n"
                "\r\n"
                "Service Unavailable\n");
}

struct text exchange_no_memory(void)
{
    log_line(CONFIG_LOG_ERROR, "no memory for a request or its answer");
    return unavailable();
}

/* RFC 9110 section 9.3.2: the headers that GET would have, Content-Length among them, and no body.
 */
static struct text without_body(struct text answer, const struct http_response *response)
{
    return text_cut(answer, answer.size - response->body.size);
}

static void spell(void *self)
{
    struct exchange *exchange = self;
    struct buffer buffer;
    struct text answer;

    buffer_start(&buffer, exchange->arena, FIRST_ROOM + exchange->response.body.size);
    if (exchange->response.failed) {
        log_line(CONFIG_LOG_ERROR,
                 "an answer's header holds a control byte, or there are too many");
        answer = unavailable();
    } else if (!http_response_write(&exchange->response, &buffer) ||
               !buffer_finish(&buffer, &answer)) {
        answer = exchange_no_memory();
    } else if (exchange->request.method == HTTP_HEAD) {
        answer = without_body(answer, &exchange->response);
    }
    exchange->answered(exchange->self, answer);
}

void exchange_answer(struct exchange *exchange)
{
    struct serve_then then = {.answered = spell, .self = exchange};

    serve_request(exchange->serve, exchange->arena, &exchange->request, &exchange->response, then);
}
