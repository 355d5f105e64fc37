/* SPDX-License-Identifier: ISC */
/* introspection.c: see introspection.h. */
#include "dialect/introspection.h"

#include "dialect/answer.h"
#include "operation/introspect.h"

#define SIGNED_TYPE "application/token-introspection+jwt"

void introspection_choose(struct request *request)
{
    request->input.refresh.signed_answer =
        request->realm->issuer[0] != '\0' && http_accepts(&request->http->request, SIGNED_TYPE);
}

void introspection_answer(const struct request *request, struct http_response *response,
                          const char *media_type, struct buffer *said, const char *end)
{
    struct text token = {0};

    if (!request->input.refresh.signed_answer) {
        buffer_add_c(said, end);
        answer_buffer(response, 200, media_type, said);
        return;
    }
    said->failed = said->failed || !introspect_sign(request, buffer_text(said), &token);
    answer_body(response, 200, SIGNED_TYPE, token);
    response->failed = response->failed || said->failed;
}
