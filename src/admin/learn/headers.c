/* SPDX-License-Identifier: ISC */
/* headers.c: the headers that a backend puts on all its answers, as lines of a proposal. Knows what
 * others add to answers; those with tokens are written by answer.c. */
#include "admin/learn/headers.h"

#include <stdio.h>
#include <string.h>

#include "admin/learn/side.h"

enum seen { SEEN_ONCE, SEEN_ALIKE, SEEN_OTHERWISE };

static enum seen how_seen(const struct learning *learning, const struct http_header *header);
static bool is_written(const struct learning *learning, const struct http_header *header);
static bool is_tokens(const struct learning *learning, struct text name);
static bool is_of_one_user(const struct learning *learning, const struct http_header *header);
static bool can_be_named(struct text name);

void learn_headers(struct learning *learning, const struct learn_exchange *exchange,
                   const char *line, size_t room, bool say)
{
    const struct http_request *answer = &exchange->answer.is;

    for (size_t i = 0; i < answer->header_count; i++) {
        const struct http_header *header = &answer->headers[i];
        struct text name = header->name, value = header->value;
        const char *why = NULL;
        char spelled[160];

        if (value.size == 0 || !learn_header_is_backends(name) || is_tokens(learning, name) ||
            how_seen(learning, header) == SEEN_OTHERWISE) {
            continue;
        } else if (is_of_one_user(learning, header)) {
            why = "has something of one user";
        } else if (how_seen(learning, header) == SEEN_ONCE) {
            why = "is in one recorded answer only, and may be of that one";
        } else if (!can_be_named(name) || !learn_can_be_set(value)) {
            why = "cannot be written in a line";
        } else if (room == 0) {
            why = "is one more than a file can have here";
        }
        if (why != NULL && !say) {
            continue;
        } else if (why != NULL) {
            bool shown = learn_is_plain_name(name) && !own_is_unique(name);

            learn_cannot_say(learning, exchange, "the header %.*s %s; it is left out",
                             TEXT_ARGS(shown ? text_cut(name, 80) : TEXT("…")), why);
            continue;
        }
        room--;
        (void)snprintf(spelled, sizeof spelled, "%s.header.%.*s", line, TEXT_ARGS(name));
        if (strcmp(line, "answer") == 0) { /* a refusal's is no template */
            learning->out->failed |= !learn_template_escape(learning->arena, value, &value);
        }
        learn_setting(learning, spelled, value);
    }
}

/* What is written has one value in all answers, so that only its being there counts. */
bool learn_headers_alike(const struct learning *learning, const struct learn_exchange *one,
                         const struct learn_exchange *other)
{
    const struct http_request *const answers[] = {&one->answer.is, &other->answer.is};
    bool alike = true;

    for (size_t i = 0; i < 2; i++) {
        for (size_t j = 0; j < answers[i]->header_count; j++) {
            const struct http_header *header = &answers[i]->headers[j];
            struct text value;

            alike = alike && (!is_written(learning, header) ||
                              http_header(answers[1 - i], header->name.data, &value) == HTTP_ONE);
        }
    }
    return alike;
}

static bool is_written(const struct learning *learning, const struct http_header *header)
{
    return learn_header_is_backends(header->name) && !is_tokens(learning, header->name) &&
           !is_of_one_user(learning, header) && how_seen(learning, header) == SEEN_ALIKE;
}

/* ---- one header in all that was recorded ---- */

static void see(const struct learn_exchange *exchange, const struct http_header *header,
                size_t *alike, size_t *otherwise)
{
    struct text value = {0};
    enum http_find found = exchange != NULL
                               ? http_header(&exchange->answer.is, header->name.data, &value)
                               : HTTP_ABSENT;

    if (found == HTTP_ONE && text_equal(value, header->value)) {
        ++*alike;
    } else if (found != HTTP_ABSENT) {
        ++*otherwise;
    }
}

/* Answers without it do not count: a web server may have made them. */
static enum seen how_seen(const struct learning *learning, const struct http_header *header)
{
    const struct learn_input *input = learning->input;
    size_t alike = 0, otherwise = 0;

    for (size_t i = 0; i < LEARN_WHATS; i++) {
        see(input->granted[i], header, &alike, &otherwise);
    }
    see(input->earlier, header, &alike, &otherwise);
    for (size_t i = 0; i < input->refusal_count; i++) {
        see(input->refusals[i].exchange, header, &alike, &otherwise);
    }
    return otherwise > 0 ? SEEN_OTHERWISE : alike > 1 ? SEEN_ALIKE : SEEN_ONCE;
}

static bool is_tokens(const struct learning *learning, struct text name)
{
    for (size_t i = 0; i < LEARN_WHATS; i++) {
        const struct learn_side *side = learning->sides[i];

        if (side != NULL &&
            ((side->access.where == FOUND_HEADER && text_equal(side->access.name, name)) ||
             (side->next.where == FOUND_HEADER && text_equal(side->next.name, name)))) {
            return true;
        }
    }
    return false;
}

/* By its name, or because a request shows the value or an answer says it of its user. */
static bool is_of_one_user(const struct learning *learning, const struct http_header *header)
{
    static const char *const words[] = {"user",     "account", "session", "email",
                                        "customer", "tenant",  "subject"};
    bool own = false;

    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        own = own || learn_name_has(header->name, words[i]);
    }
    for (size_t i = 0; i < LEARN_WHATS; i++) {
        own = own || (learning->sides[i] != NULL &&
                      learn_is_of_one_request(learning, learning->sides[i], header->value));
    }
    return own;
}

/* As the reader of the file wants it. */
static bool can_be_named(struct text name)
{
    bool plain = name.size <= 80;

    for (size_t i = 0; i < name.size; i++) {
        plain = plain && name.data[i] != '_';
    }
    return plain && learn_is_plain_name(name);
}

/* ---- names ---- */

bool learn_header_is_backends(struct text name)
{
    static const char *const names[] = {"accept-ch",
                                        "accept-patch",
                                        "accept-post",
                                        "accept-ranges",
                                        "age",
                                        "allow",
                                        "alt-svc",
                                        "cache-control",
                                        "cdn-cache-control",
                                        "clear-site-data",
                                        "connection",
                                        "critical-ch",
                                        "date",
                                        "dpop-nonce",
                                        "etag",
                                        "expect-ct",
                                        "expires",
                                        "host",
                                        "keep-alive",
                                        "last-modified",
                                        "link",
                                        "location",
                                        "nel",
                                        "origin-agent-cluster",
                                        "p3p",
                                        "permissions-policy",
                                        "pragma",
                                        "priority",
                                        "proxy-authenticate",
                                        "proxy-connection",
                                        "public-key-pins",
                                        "referrer-policy",
                                        "refresh",
                                        "report-to",
                                        "reporting-endpoints",
                                        "retry-after",
                                        "server",
                                        "server-timing",
                                        "set-cookie",
                                        "set-cookie2",
                                        "sourcemap",
                                        "status",
                                        "strict-transport-security",
                                        "surrogate-control",
                                        "te",
                                        "timing-allow-origin",
                                        "tk",
                                        "trailer",
                                        "transfer-encoding",
                                        "upgrade",
                                        "vary",
                                        "via",
                                        "warning",
                                        "www-authenticate",
                                        "authorization",
                                        "authentication-info",
                                        "feature-policy",
                                        "traceparent",
                                        "tracestate",
                                        "x-content-type-options",
                                        "x-frame-options",
                                        "x-xss-protection",
                                        "x-powered-by",
                                        "x-aspnet-version",
                                        "x-aspnetmvc-version",
                                        "x-runtime",
                                        "x-response-time",
                                        "x-download-options",
                                        "x-dns-prefetch-control",
                                        "x-permitted-cross-domain-policies",
                                        "x-robots-tag",
                                        "x-ua-compatible",
                                        "x-served-by",
                                        "x-timer",
                                        "x-varnish",
                                        "x-via",
                                        "x-transaction-id",
                                        "x-turbo-charged-by"};
    static const char *const beginnings[] = {
        "access-control-", "cf-",        "content-",      "cross-origin-",
        "ratelimit",       "sec-",       "x-accel-",      "x-amz",
        "x-b3-",           "x-cache",    "x-cloud-trace", "x-content-security",
        "x-correlation",   "x-envoy-",   "x-forwarded-",  "x-github-request",
        "x-lighttpd-",     "x-ms-",      "x-proxy",       "x-rate-limit",
        "x-ratelimit",     "x-request",  "x-sendfile",    "x-trace",
        "x-webkit-",       "fly-",       "x-vercel-",     "x-nf-",
        "x-azure-",        "x-datadog-", "x-kong-",       "x-litespeed-"};
    bool known = false;

    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        known = known || text_is(name, names[i]);
    }
    for (size_t i = 0; i < sizeof beginnings / sizeof beginnings[0]; i++) {
        known = known || text_starts(name, text_of(beginnings[i]));
    }
    return !known;
}
