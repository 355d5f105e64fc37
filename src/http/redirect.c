/* SPDX-License-Identifier: ISC */
/* redirect.c: see redirect.h. */
#include "http/redirect.h"

static bool equal_but_for_port(struct text uri, struct text registered);
static bool has_host(struct text rest);
static bool is_private_scheme(struct text scheme);
static bool split_loopback(struct text uri, struct text *host, struct text *rest);

bool http_redirect_is_among(struct text uri, struct text registered)
{
    if (!text_is_visible_ascii(uri) || text_find(uri, '#') < uri.size) {
        return false;
    }
    while (registered.size > 0) {
        struct text each = text_split(&registered, ' ');

        if (each.size > 0 && (text_equal(uri, each) || equal_but_for_port(uri, each))) {
            return true;
        }
    }
    return false;
}

static bool equal_but_for_port(struct text uri, struct text registered)
{
    struct text host, rest, registered_host, registered_rest;

    return split_loopback(uri, &host, &rest) &&
           split_loopback(registered, &registered_host, &registered_rest) &&
           text_equal(host, registered_host) && text_equal(rest, registered_rest);
}

/* "http://127.0.0.1:49152/done" -> "127.0.0.1", "/done" */
static bool split_loopback(struct text uri, struct text *host, struct text *rest)
{
    static const char *const hosts[] = {"127.0.0.1", "[::1]", "localhost"};
    const struct text scheme = TEXT("http://");
    uint64_t port;

    if (!text_starts(uri, scheme)) {
        return false;
    }
    uri = text_from(uri, scheme.size);
    for (size_t i = 0; i < sizeof hosts / sizeof hosts[0]; i++) {
        *host = text_of(hosts[i]);
        if (!text_starts(uri, *host)) {
            continue;
        }
        *rest = text_from(uri, host->size);
        if (text_starts(*rest, TEXT(":"))) {
            struct text digits = text_from(*rest, 1);
            size_t end = text_find(digits, '/');

            end = text_find(digits, '?') < end ? text_find(digits, '?') : end;
            digits = text_cut(digits, end);
            *rest = text_from(*rest, 1 + digits.size);
            if (!text_to_u64(digits, 65535, &port) || port == 0) {
                return false;
            }
        }
        return rest->size == 0 || rest->data[0] == '/' || rest->data[0] == '?';
    }
    return false;
}

bool http_redirect_is_registrable(struct text uri)
{
    struct text rest = uri;
    struct text scheme = text_split(&rest, ':');
    struct text host, path;

    if (!text_is_visible_ascii(uri) || text_find(uri, '#') < uri.size ||
        text_find(uri, '*') < uri.size || rest.size == 0) {
        return false;
    } else if (text_is(scheme, "https")) {
        return has_host(rest);
    }
    return text_is(scheme, "http") ? split_loopback(uri, &host, &path) : is_private_scheme(scheme);
}

/* "//app.example/done", and no user name before the host. */
static bool has_host(struct text rest)
{
    const struct text slashes = TEXT("//");
    struct text authority;

    if (!text_starts(rest, slashes)) {
        return false;
    }
    authority = text_from(rest, slashes.size);
    authority = text_cut(authority, text_find(authority, '/'));
    authority = text_cut(authority, text_find(authority, '?'));
    return authority.size > 0 && authority.data[0] != ':' &&
           text_find(authority, '@') == authority.size &&
           text_find(authority, '\\') == authority.size;
}

/* "com.example.app": a name that its owner's domain vouches for, of the characters that a scheme
 * may have (RFC 3986 section 3.1). */
static bool is_private_scheme(struct text scheme)
{
    bool dotted = false;

    for (size_t i = 0; i < scheme.size; i++) {
        char c = scheme.data[i];
        bool letter = c >= 'a' && c <= 'z';

        if (!letter && (i == 0 || ((c < '0' || c > '9') && c != '+' && c != '-' && c != '.'))) {
            return false;
        }
        dotted |= c == '.' && i + 1 < scheme.size;
    }
    return dotted;
}
