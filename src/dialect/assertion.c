/* SPDX-License-Identifier: ISC */
/* assertion.c: see assertion.h. Knows the request and the mount's issuer; does not know keys. */
#include "dialect/assertion.h"

#define JWT_BEARER "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"

enum { HOST_MAX = 255 }; /* a DNS name (RFC 1035) is shorter, a port fits */

/* scheme://authority of a URL, or the empty text when it is none. */
static struct text origin_of(struct text url)
{
    struct text scheme = text_starts(url, TEXT("https://")) ? TEXT("https://") : TEXT("http://");
    size_t authority = text_find(text_from(url, scheme.size), '/');

    if (!text_starts(url, scheme) || authority == 0) {
        return (struct text){0};
    }
    return text_cut(url, scheme.size + authority);
}

/* A host and port, not a way to smuggle a path, a query or a user into the URL. */
static bool host_is_plain(struct text host)
{
    for (size_t i = 0; i < host.size; i++) {
        if (host.data[i] == '/' || host.data[i] == '?' || host.data[i] == '#' ||
            host.data[i] == '@' || host.data[i] == '\\') {
            return false;
        }
    }
    return host.size <= HOST_MAX && text_is_visible_ascii(host);
}

/* This endpoint's URL, which an assertion may name as its audience. Its origin comes from the
 * configured issuer where that is a URL: a Host header is the sender's own word, and a server that
 * received an assertion meant for itself could present it here under its own name. Without such an
 * issuer the Host header has to do. */
static bool endpoint_url(struct request *request)
{
    const struct http_request *http = &request->http->request;
    struct text origin = origin_of(text_of(request->realm->issuer));
    struct text host = {0};
    struct buffer url;

    buffer_start(&url, request->arena, 256);
    if (origin.size > 0) {
        buffer_add(&url, origin);
    } else if (http_header(http, "host", &host) == HTTP_ONE && host_is_plain(host)) {
        buffer_add_c(&url, http->https ? "https://" : "http://");
        buffer_add(&url, host);
    } else {
        return true; /* no URL: only the issuer can be named */
    }
    buffer_add(&url, http->script_name);
    buffer_add(&url, http->path_info);
    return buffer_finish(&url, &request->client.endpoint_url);
}

bool assertion_take(struct request *request, struct text assertion, struct text type,
                    enum outcome *refusal)
{
    if (assertion.size == 0 && type.size == 0) {
        return true;
    } else if (assertion.size == 0 || type.size == 0) {
        *refusal = OUTCOME_FIELD_MISSING;
    } else if (!text_is(type, JWT_BEARER)) {
        *refusal = OUTCOME_CLIENT_AUTH_FAILED;
    } else if (!endpoint_url(request)) {
        *refusal = OUTCOME_FAULT;
    } else {
        request->client.kind = CLIENT_PROOF_ASSERTION;
        request->client.assertion = assertion;
        return true;
    }
    return false;
}
