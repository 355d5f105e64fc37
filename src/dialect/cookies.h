/* SPDX-License-Identifier: ISC */
/* cookies.h: the two cookies in which a dialect may keep its tokens, and the settings that say how
 * they are made. Knows names, attributes and prefixes (RFC 6265bis); does not know what is in a
 * body. */
#ifndef RETOKEN_DIALECT_COOKIES_H
#define RETOKEN_DIALECT_COOKIES_H

#include "dialect/dialect.h"

/* What the cookies are called unless the realm names them. NULL: the dialect has none for that
 * token, and the realm's setting is without effect. */
struct cookie_names {
    const char *refresh;
    const char *access;
    bool access_expires; /* its cookie ends with the token, not with the browser */
};

/* The rows of a dialect's `settings`, its `check` among them; where there is no cookie for a
 * refresh token, the second macro's. */
#define COOKIE_SETTINGS                                                                            \
    {"cookie-name", cookies_take_name, "not a cookie's name, without its prefix",                  \
     "refresh_token"},                                                                             \
        COOKIE_ACCESS_SETTINGS
#define COOKIE_ACCESS_SETTINGS                                                                     \
    {"cookie-secure", cookies_take_secure, "unknown; write auto, always or never", "auto"},        \
        {"cookie-prefix", cookies_take_prefix, "unknown; write none, host or host-only", "none"},  \
        {"cookie-same-site", cookies_take_same_site, "unknown; write lax, strict or none", "lax"}, \
        {"cookie-access-name", cookies_take_access_name,                                           \
         "not a cookie's name, without its prefix", "access_token"},                               \
        {"cookie-domain", cookies_take_domain, "not a domain; write for example example.org",      \
         "none"},                                                                                  \
        {"cookie-path", cookies_take_path, "not a path; write for example /api", "/"},             \
    {                                                                                              \
        "expire-cookie", cookies_take_expired,                                                     \
            "write NAME DOMAIN PATH, with - for no domain, and a comma before the next", "none"    \
    }
bool cookies_take_secure(struct realm *realm, struct text value);
bool cookies_take_prefix(struct realm *realm, struct text value);
bool cookies_take_same_site(struct realm *realm, struct text value);
bool cookies_take_name(struct realm *realm, struct text value);
bool cookies_take_access_name(struct realm *realm, struct text value);
bool cookies_take_domain(struct realm *realm, struct text value);
bool cookies_take_path(struct realm *realm, struct text value);
bool cookies_take_expired(struct realm *realm, struct text value);
/* Letters, digits, `-`, `_` and `.`, which no server, proxy or client takes for something else? */
bool cookies_is_name(struct text name);
/* A dialect's `check`: a prefix needs Path=/, no Domain and https; SameSite=None needs https. */
const char *cookies_check(const struct realm *realm);
/* A dialect's `advise`: browsers send cookies to the paths under cookie-path only. */
const char *cookies_advise(const struct mount *mount);

/* The name that carries the refresh token: the `place`-th that is looked at, from 0, in the
 * request's memory. The one with __Host- comes first: while it is good, none without it wins. NULL
 * after the last, and when memory is used up. */
const char *cookies_refresh_name(const struct request *request, const struct cookie_names *names,
                                 size_t place);

/* The same for the access token. */
const char *cookies_access_name(const struct request *request, const struct cookie_names *names,
                                size_t place);

/* Puts the refresh tokens of all cookies that there are, also those that another server has left,
 * into request->input.refresh. `is_none`: values that stand for none; or NULL. False: no memory. */
bool cookies_take_refresh_tokens(struct request *request, const struct cookie_names *names,
                                 bool (*is_none)(struct text value));

/* Sets those that have names, from the request's answer. Expires the same cookies under their other
 * spelling, where the request brought them, and what expire-cookie names. */
void cookies_set(const struct request *request, const struct cookie_names *names,
                 struct http_response *response);
/* The name of the access token's cookie ("" when memory is used up) and attributes, as a browser
 * has them. */
void cookies_describe_access(const struct request *request, const struct cookie_names *names,
                             struct text *name, struct buffer *attributes);
/* The values of the cookies that may carry the access token: at most `room`, in the order in which
 * they are looked at. */
size_t cookies_access_values(const struct request *request, const struct cookie_names *names,
                             struct text *values, size_t room);
/* Makes a browser drop them, and what expire-cookie names, too. */
void cookies_clear(const struct request *request, const struct cookie_names *names,
                   struct http_response *response);

#endif
