/* SPDX-License-Identifier: ISC */
/* store_url.c: how a store is named: NAME:DIRECTORY, or NAME://… for one behind a server (RFC
 * 3986). Knows the kinds' names; does not know what a server makes of its URL. */
#include <stdio.h>
#include <string.h>

#include "base/codec.h"
#include "store/store_private.h"

/* The first is the default. */
static const struct store_scheme schemes[] = {{"lmdb", &lmdb_kind, NULL},
                                              {"postgresql", &postgresql_kind, &postgresql_server}};

static bool holds_password(const char *url);
static const char *query_of(const char *url);
static bool decode(const char *from, const char *end, char *value, size_t size);

enum store_url store_url_complete(const char *text, char *url, size_t size, const char **wrong)
{
    const struct store_scheme *scheme = store_url_scheme(text);
    int length;

    *wrong = "not a store; write its directory, or postgresql://HOST/DATABASE";
    if (holds_password(text)) {
        *wrong = "holds a password, which others may see; write it into a file that "
                 "store-password-file names, or into ~/.pgpass";
        return STORE_URL_SECRET;
    } else if (scheme == NULL && strchr(text, ':') != NULL) {
        return STORE_URL_WRONG; /* a scheme of no kind */
    } else if (scheme != NULL) {
        length = snprintf(url, size, "%s", text);
    } else {
        length = snprintf(url, size, "%s:%s", schemes[0].name, text);
    }
    return length > 0 && (size_t)length < size && store_url_place(url)[0] != '\0' ? STORE_URL_GOOD
                                                                                  : STORE_URL_WRONG;
}

bool store_url_default(const char *data_directory, char *url, size_t size)
{
    int length = snprintf(url, size, "%s:%s/store", schemes[0].name, data_directory);

    return length > 0 && (size_t)length < size;
}

const char *store_url_directory(const char *url)
{
    const struct store_scheme *scheme = store_url_scheme(url);

    if (scheme == NULL) {
        return url;
    }
    return scheme->server == NULL ? url + strlen(scheme->name) + 1 : NULL;
}

const char *store_url_place(const char *url)
{
    const char *directory = store_url_directory(url);

    return directory != NULL ? directory : url;
}

const struct store_scheme *store_url_scheme(const char *url)
{
    size_t size = strcspn(url, ":");

    for (size_t i = 0; i < sizeof schemes / sizeof schemes[0]; i++) {
        if (url[size] == ':' && strlen(schemes[i].name) == size &&
            strncmp(url, schemes[i].name, size) == 0 &&
            (schemes[i].server == NULL || strncmp(url + size, "://", 3) == 0)) {
            return &schemes[i];
        }
    }
    return NULL;
}

const struct store_scheme *store_url_nth_scheme(size_t n)
{
    return n < sizeof schemes / sizeof schemes[0] ? &schemes[n] : NULL;
}

/* ---- the parts of a URL of a server ---- */

/* ANY://USER:PASSWORD@…, or a parameter that is one. A path may hold what was meant to be part of a
 * password. */
static bool holds_password(const char *url)
{
    const char *authority = strstr(url, "://");
    const char *at;
    char value[1];

    if (authority == NULL) {
        return false;
    }
    authority += strlen("://");
    at = memrchr(authority, '@', (size_t)(query_of(authority) - authority));
    return (at != NULL && memchr(authority, ':', (size_t)(at - authority)) != NULL) ||
           store_url_parameter(url, "password", value, sizeof value) != STORE_PARAMETER_ABSENT ||
           store_url_parameter(url, "sslpassword", value, sizeof value) != STORE_PARAMETER_ABSENT;
}

static const char *query_of(const char *url)
{
    return url + strcspn(url, "?");
}

enum store_parameter store_url_parameter(const char *url, const char *name, char *value,
                                         size_t size)
{
    char found[32];

    for (const char *at = query_of(url); *at != '\0'; at += strcspn(at, "&")) {
        const char *equals;

        at++;
        equals = at + strcspn(at, "=&");
        if (*equals == '=' && decode(at, equals, found, sizeof found) && strcmp(found, name) == 0) {
            at = equals + 1;
            return decode(at, at + strcspn(at, "&"), value, size) ? STORE_PARAMETER_FOUND
                                                                  : STORE_PARAMETER_TOO_LONG;
        }
    }
    return STORE_PARAMETER_ABSENT;
}

bool store_url_user(const char *url, char *user, size_t size)
{
    const char *authority = strstr(url, "://");
    const char *end = authority != NULL ? authority + 3 + strcspn(authority + 3, "@/?") : url;

    return *end == '@' ? decode(authority + 3, end, user, size)
                       : store_url_parameter(url, "user", user, size) == STORE_PARAMETER_FOUND;
}

/* %XX is a byte. False: it does not fit. */
static bool decode(const char *from, const char *end, char *value, size_t size)
{
    size_t used = 0;

    while (from < end && used + 1 < size) {
        bool is_coded = *from == '%' && end - from > 2 &&
                        codec_hex_decode((struct text){from + 1, 2}, &value[used], 1);

        value[used] = is_coded ? value[used] : *from;
        used++;
        from += is_coded ? 3 : 1;
    }
    value[used] = '\0';
    return from == end;
}
