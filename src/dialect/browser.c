/* SPDX-License-Identifier: ISC */
/* browser.c: see browser.h. */
#include "dialect/browser.h"

#include "dialect/answer.h"
#include "dialect/dialect.h"
#include "http/origin.h"

/* Two hours, the longest that Chromium keeps what it was told. */
#define PREFLIGHT_AGE "7200"

enum { REQUESTED_HEADERS_MAX = 512 };

static bool is_navigation(const struct http_request *http);
static bool is_listed(const struct realm *realm, struct text origin);
static bool is_own(const struct request *request, struct text origin);
static bool has_header(const struct request *request, const char *name);

void browser_look(struct request *request)
{
    const struct http_request *http = &request->http->request;
    struct text origin = {0};

    if (request->mount->endpoint->is_public) {
        request->page = PAGE_ALLOWED;
        request->origin = TEXT("*");
        return;
    } else if (!realm_issues(request->realm) || request->mount->endpoint->checks ||
               request->mount->endpoint->by_browser) {
        return;
    }
    enum http_find origins = http_header(http, "origin", &origin);
    bool own = browser_page_is_own(request);
    bool named = origins == HTTP_ONE && http_origin_is_plain(origin);
    if (request->mount->endpoint->navigated) {
        request->page = own || is_navigation(http) ? PAGE_OWN : PAGE_FOREIGN;
        return;
    }
    request->origin = origin;
    request->page = named && is_listed(request->realm, origin)            ? PAGE_ALLOWED
                    : own                                                 ? PAGE_OWN
                    : named && is_listed(request->realm, TEXT("clients")) ? PAGE_OF_CLIENT
                                                                          : PAGE_FOREIGN;
}

bool browser_page_is_own(const struct request *request)
{
    const struct http_request *http = &request->http->request;
    struct text origin = {0};
    struct text site = {0};
    enum http_find origins = http_header(http, "origin", &origin);
    enum http_find sites = http_header(http, "sec-fetch-site", &site);

    return sites == HTTP_ABSENT
               ? origins == HTTP_ABSENT || (origins == HTTP_ONE && is_own(request, origin))
               : sites == HTTP_ONE && (text_is(site, "same-origin") || text_is(site, "none"));
}

/* Not what a script fetches. Browsers that send no Sec-Fetch-Site say nothing of it. */
static bool is_navigation(const struct http_request *http)
{
    struct text mode = {0};

    return http_header(http, "sec-fetch-mode", &mode) == HTTP_ABSENT || text_is(mode, "navigate");
}

/* `*` is any origin that has a name; "null", which is every sandbox and every file, has none. */
static bool is_listed(const struct realm *realm, struct text word)
{
    struct text origins = text_of(realm->origins);

    return text_is(origins, "*") || text_has_word(origins, word);
}

/* A page of plain http is not trusted with what came by https. The issuer's host counts because a
 * proxy in front may have put another Host. */
static bool is_own(const struct request *request, struct text origin)
{
    const struct http_request *http = &request->http->request;
    struct text issuer = http_origin_of_url(text_of(request->realm->issuer));
    struct text host = {0};

    if (issuer.size > 0 && text_equal_ignore_case(origin, issuer)) {
        return true;
    }
    return (!http->https || text_starts(origin, TEXT("https://"))) &&
           http_header(http, "host", &host) == HTTP_ONE && http_origin_has_host(origin, host);
}

/* ---- answers ---- */

bool browser_is_preflight(const struct request *request)
{
    return (request->page == PAGE_ALLOWED || request->page == PAGE_OF_CLIENT) &&
           request->http->request.method == HTTP_OPTIONS && has_header(request, "origin") &&
           has_header(request, "access-control-request-method");
}

void browser_answer_preflight(struct request *request, unsigned methods)
{
    struct http_response *response = &request->http->response;
    struct text headers;
    struct text allowed;

    answer_body(response, 204, NULL, (struct text){0});
    if (!dialect_methods(request->arena, methods, &allowed)) {
        response->failed = true;
        return;
    }
    http_response_header(response, "Access-Control-Allow-Methods", allowed);
    if (http_header(&request->http->request, "access-control-request-headers", &headers) ==
            HTTP_ONE &&
        headers.size <= REQUESTED_HEADERS_MAX) {
        http_response_header(response, "Access-Control-Allow-Headers", headers);
    }
    http_response_header_c(response, "Access-Control-Max-Age", PREFLIGHT_AGE);
}

void browser_add_headers(struct request *request)
{
    struct http_response *response = &request->http->response;
    const struct endpoint *endpoint = request->mount->endpoint;

    if (request->realm->origins[0] != '\0' && !endpoint->is_public) {
        http_response_header_c(response, "Vary", "Origin");
    }
    /* which client asks is not known before it does */
    if (request->page == PAGE_OWN || request->page == PAGE_FOREIGN ||
        (request->page == PAGE_OF_CLIENT && request->operation != &operation_preflight)) {
        return;
    }
    http_response_header(response, "Access-Control-Allow-Origin", request->origin);
    if (!endpoint->is_public) {
        http_response_header_c(response, "Access-Control-Expose-Headers",
                               request->answer.dpop_nonce.size > 0 ? "Retry-After, DPoP-Nonce"
                                                                   : "Retry-After");
    }
    if (endpoint->cookies) {
        http_response_header_c(response, "Access-Control-Allow-Credentials", "true");
    }
}

/* ---- who asks ---- */

bool browser_asks(const struct request *request)
{
    struct text accept = {0};

    return has_header(request, "sec-fetch-site") || has_header(request, "sec-fetch-mode") ||
           has_header(request, "origin") || has_header(request, "x-requested-with") ||
           (http_header(&request->http->request, "accept", &accept) == HTTP_ONE &&
            text_starts(accept, TEXT("text/html")));
}

static bool has_header(const struct request *request, const char *name)
{
    struct text value;

    return http_header(&request->http->request, name, &value) != HTTP_ABSENT;
}
