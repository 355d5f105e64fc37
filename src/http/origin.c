/* SPDX-License-Identifier: ISC */
/* origin.c: see origin.h. */
#include "http/origin.h"

static struct text authority_of(struct text origin, struct text *scheme);
static bool is_scheme(struct text scheme);
static bool is_authority(struct text authority);
static struct text without_port(struct text authority, struct text scheme);

bool http_origin_is_plain(struct text origin)
{
    struct text scheme;
    struct text authority = authority_of(origin, &scheme);

    return is_scheme(scheme) && is_authority(authority) &&
           text_equal(authority, without_port(authority, scheme));
}

struct text http_origin_of_url(struct text url)
{
    struct text scheme;
    struct text authority = authority_of(url, &scheme);

    authority = text_cut(authority, text_find(authority, '/'));
    if (authority.size == 0 || (!text_is(scheme, "http") && !text_is(scheme, "https"))) {
        return (struct text){0};
    }
    return text_cut(url, scheme.size + strlen("://") + authority.size);
}

bool http_origin_has_host(struct text origin, struct text host)
{
    struct text scheme;
    struct text authority = authority_of(origin, &scheme);

    return authority.size > 0 &&
           text_equal_ignore_case(without_port(authority, scheme), without_port(host, scheme));
}

/* What follows "scheme://"; empty, and so is *scheme, where there is none. */
static struct text authority_of(struct text origin, struct text *scheme)
{
    *scheme = text_cut(origin, text_find(origin, ':'));
    struct text rest = text_from(origin, scheme->size);

    if (!text_starts(rest, TEXT("://"))) {
        *scheme = (struct text){0};
    }
    return text_from(scheme->size > 0 ? rest : *scheme, strlen("://"));
}

/* RFC 3986 section 3.1, in lower case. */
static bool is_scheme(struct text scheme)
{
    for (size_t i = 0; i < scheme.size; i++) {
        char c = scheme.data[i];
        bool letter = c >= 'a' && c <= 'z';

        if (!letter && (i == 0 || ((c < '0' || c > '9') && c != '+' && c != '-' && c != '.'))) {
            return false;
        }
    }
    return scheme.size > 0;
}

/* A host, perhaps an IPv6 address in brackets, and perhaps a port. */
static bool is_authority(struct text authority)
{
    for (size_t i = 0; i < authority.size; i++) {
        char c = authority.data[i];

        if ((c < 'a' || c > 'z') && (c < '0' || c > '9') && c != '-' && c != '.' && c != '_' &&
            c != ':' && c != '[' && c != ']') {
            return false;
        }
    }
    return authority.size > 0 && authority.data[0] != ':' && !text_ends(authority, TEXT(":"));
}

static struct text without_port(struct text authority, struct text scheme)
{
    struct text port = text_is(scheme, "https")  ? TEXT(":443")
                       : text_is(scheme, "http") ? TEXT(":80")
                                                 : (struct text){0};

    return text_ends(authority, port) ? text_cut(authority, authority.size - port.size) : authority;
}
