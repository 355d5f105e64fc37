/* SPDX-License-Identifier: ISC */
/* cookie.h: how a realm's cookies are made (RFC 6265bis). Filled by a dialect's settings, read by
 * dialect/cookies.c. Values only; zero is what holds unless set. */
#ifndef RETOKEN_MODEL_COOKIE_H
#define RETOKEN_MODEL_COOKIE_H

enum {
    COOKIE_NAME_MAX = 64,
    COOKIE_DOMAIN_MAX = 253, /* a DNS name (RFC 1035) */
    COOKIE_PATH_MAX = 128,
    COOKIE_EXPIRED_MAX = 512
};

/* When cookies are for https only. */
enum cookie_secure { COOKIE_SECURE_AUTO, COOKIE_SECURE_ALWAYS, COOKIE_SECURE_NEVER };
/* Names that begin with __Host-, which no other host can set. While users move, a cookie without
 * the prefix is read where there is no good one with it. */
enum cookie_prefix { COOKIE_PREFIX_NONE, COOKIE_PREFIX_HOST, COOKIE_PREFIX_HOST_ONLY };
enum cookie_same_site { COOKIE_SAME_SITE_LAX, COOKIE_SAME_SITE_STRICT, COOKIE_SAME_SITE_NONE };

struct cookie_policy {
    enum cookie_secure secure;
    enum cookie_prefix prefix;
    enum cookie_same_site same_site;
    char refresh_name[COOKIE_NAME_MAX + 1]; /* "" = the dialect's */
    char access_name[COOKIE_NAME_MAX + 1];  /* "" = the dialect's */
    char domain[COOKIE_DOMAIN_MAX + 1];     /* "" = this host only */
    char path[COOKIE_PATH_MAX + 1];         /* "" = / */
    char expired[COOKIE_EXPIRED_MAX + 1]; /* "NAME DOMAIN PATH, …", DOMAIN "-" = this host only */
};

#endif
