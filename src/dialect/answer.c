/* SPDX-License-Identifier: ISC */
/* answer.c: see answer.h. */
#include "dialect/answer.h"

#include <inttypes.h>

#include "base/codec.h"

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

/* The tag is a part of the body's hash, so it is the same in every process and after a restart. */
void answer_cacheable(const struct request *request, struct http_response *response,
                      const char *media_type, int64_t max_age_s, struct text body)
{
    enum { TAG_SIZE = 16 };
    uint8_t hash[CRYPTO_HASH_SIZE];
    char digits[2 * TAG_SIZE + 1];
    struct text tag = {0}, caching = {0};
    struct buffer buffer;

    buffer_start(&buffer, request->arena, 64);
    buffer_addf(&buffer, "public, max-age=%" PRId64, max_age_s);
    http_response_start(response, 200);
    response->failed = !buffer_finish(&buffer, &caching);
    if (crypto_sha256(body.data, body.size, hash)) {
        codec_hex_encode(hash, TAG_SIZE, digits);
        buffer_start(&buffer, request->arena, sizeof digits + 2);
        buffer_addf(&buffer, "\"%s\"", digits);
        response->failed = !buffer_finish(&buffer, &tag) || response->failed;
        http_response_header(response, "ETag", tag);
    }
    http_response_header(response, "Cache-Control", caching);
    if (tag.size > 0 && http_none_match(&request->http->request, tag)) {
        response->status = 304;
        return;
    }
    http_response_header_c(response, "Content-Type", media_type);
    response->body = body;
}
