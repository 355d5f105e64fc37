/* exchange.h: from CGI variables and a stream of body bytes to the text of an answer: what FastCGI
 * and plain CGI have in common. Knows when a body is whole; does not know where bytes come from or
 * go. */
#ifndef RETOKEN_RESPONDER_EXCHANGE_H
#define RETOKEN_RESPONDER_EXCHANGE_H

#include "responder/serve.h"

/* Where a request's body comes from. */
struct exchange_body {
    /* Up to `room` bytes into out, waiting for them; 0 at the end and when the stream broke. */
    size_t (*read)(void *self, char *out, size_t room);
    /* Has the stream broken, rather than ended? */
    bool (*is_broken)(void *self);
    void *self;
    /* Plain CGI (RFC 3875 section 4.2): the end of the stream proves nothing, CONTENT_LENGTH alone
     * tells how much belongs to the body. */
    bool needs_length;
};

/* The memory that one request may use, over all its parsing and answering. */
struct arena *exchange_arena_open(void);

/* Reads the body and fills *request; its texts point into `variables` and the arena. What is over
 * `limit` bytes is read and dropped, so that the web server gets to our answer. False when the
 * arena is exhausted: answer exchange_no_memory(). */
bool exchange_read(struct arena *arena, const char *const *variables,
                   const struct exchange_body *body, size_t limit, struct http_request *request);

/* One request being answered; zero it before the first use. */
struct exchange {
    struct serve *serve;
    struct arena *arena;
    struct http_request request; /* filled by exchange_read */
    struct http_response response;
    void (*answered)(void *self, struct text answer);
    void *self;
};

/* Performs exchange->request and calls `answered` once with the whole answer in its CGI spelling,
 * in the arena or static: before it returns, or from a serve_settle of any thread. */
void exchange_answer(struct exchange *exchange);
struct text exchange_no_memory(void);

#endif
