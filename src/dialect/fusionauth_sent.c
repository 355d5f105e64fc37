/* SPDX-License-Identifier: ISC */
/* fusionauth_sent.c: see fusionauth_sent.h. */
#include "dialect/fusionauth_sent.h"

const struct cookie_names fusionauth_cookies = {.refresh = "refresh_token",
                                                .access = "access_token"};

bool fusionauth_is_absent(struct text value)
{
    return value.size == 0 || text_is(value, "undefined") || text_is(value, "null");
}

bool fusionauth_member(const struct request *request, const char *name, struct text *value)
{
    return request->json != NULL && json_in_text(request->json, name, value) == JSON_IN_TEXT &&
           value->size > 0;
}

size_t fusionauth_take_cookies(const struct request *request, const char *name, struct text *values,
                               size_t room)
{
    size_t sent = http_cookies(&request->http->request, name, values, room);
    size_t count = 0;

    for (size_t i = 0; i < sent; i++) {
        if (!fusionauth_is_absent(values[i])) {
            values[count++] = values[i];
        }
    }
    return count;
}

bool fusionauth_bearer(const struct request *request, struct text *token)
{
    const struct http_request *http = &request->http->request;

    return http_authorization(http, "Bearer", token) == HTTP_ONE ||
           http_authorization(http, "JWT", token) == HTTP_ONE;
}

struct text *fusionauth_access_cookies(const struct request *request, size_t *count)
{
    struct text *values = arena_alloc(request->arena, REFRESH_CANDIDATES_MAX * sizeof *values);
    const char *name;

    *count = 0;
    for (size_t i = 0;
         values != NULL && (name = cookies_access_name(request, &fusionauth_cookies, i)) != NULL;
         i++) {
        *count += fusionauth_take_cookies(request, name, values + *count,
                                          REFRESH_CANDIDATES_MAX - *count);
    }
    return values;
}
