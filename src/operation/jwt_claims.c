/* SPDX-License-Identifier: ISC */
/* jwt_claims.c: see jwt_claims.h. */
#include "operation/jwt_claims.h"

#include <math.h>

#include "base/clock.h"

/* The year 10000: a NumericDate beyond it is none. */
static const int64_t LATEST_S = INT64_C(253402300800);

/* ---- times ---- */

enum jwt_date jwt_claims_date(const json_t *payload, const char *claim, int64_t *ms)
{
    const json_t *value = json_object_get(payload, claim);

    if (value == NULL) {
        return JWT_DATE_ABSENT;
    } else if (json_is_integer(value)) {
        json_int_t s = json_integer_value(value);

        *ms = s >= 0 && s < LATEST_S ? (int64_t)s * CLOCK_SECOND : -1;
    } else if (json_is_real(value)) {
        double s = json_real_value(value);

        *ms = isfinite(s) && s >= 0 && s < (double)LATEST_S ? (int64_t)(s * (double)CLOCK_SECOND)
                                                            : -1;
    } else {
        return JWT_DATE_WRONG;
    }
    return *ms >= 0 ? JWT_DATE_READ : JWT_DATE_WRONG;
}

/* ---- URLs ---- */

struct url {
    struct text host;
    struct text path;
};

/* The host without its port. */
static struct text host_of(struct text authority)
{
    size_t bracket = text_find(authority, ']'); /* of an IPv6 address */
    size_t from = bracket < authority.size ? bracket : 0;

    return text_cut(authority, from + text_find(text_from(authority, from), ':'));
}

/* False: no http or https URL, or one with a user, a query or a fragment. */
static bool split_url(struct text t, struct url *url)
{
    static const struct text http = {"http://", 7}, https = {"https://", 8};
    struct text rest = t;

    if (text_equal_ignore_case(text_cut(t, http.size), http)) {
        rest = text_from(t, http.size);
    } else if (text_equal_ignore_case(text_cut(t, https.size), https)) {
        rest = text_from(t, https.size);
    } else {
        return false;
    }
    struct text authority = text_cut(rest, text_find(rest, '/'));
    url->host = host_of(authority);
    url->path = text_from(rest, authority.size);
    return url->host.size > 0 && text_is_visible_ascii(t) && text_find(t, '?') == t.size &&
           text_find(t, '#') == t.size && text_find(t, '\\') == t.size &&
           text_find(authority, '@') == authority.size;
}

/* A slash at the end is no other name: some clients add one. */
static bool is_same(struct text a, struct text b)
{
    a = text_ends(a, TEXT("/")) ? text_cut(a, a.size - 1) : a;
    b = text_ends(b, TEXT("/")) ? text_cut(b, b.size - 1) : b;
    return text_equal(a, b);
}

bool jwt_claims_has_issuer(const struct realm *realm)
{
    struct url url;

    return realm->issuer_is_own && split_url(text_of(realm->issuer), &url);
}

bool jwt_claims_is_issuer(const struct realm *realm, struct text name)
{
    return is_same(name, text_of(realm->issuer));
}

/* Of the issuer's, or of the one that asks for certificates. */
static bool is_our_host(const struct realm *realm, struct text host)
{
    struct url ours;

    return (split_url(text_of(realm->issuer), &ours) && text_equal_ignore_case(host, ours.host)) ||
           (split_url(text_of(realm->mtls_origin), &ours) &&
            text_equal_ignore_case(host, ours.host));
}

bool jwt_claims_is_endpoint(const struct realm *realm, struct text path, struct text url)
{
    struct url named;

    return split_url(url, &named) && path.size > 0 && is_our_host(realm, named.host) &&
           is_same(named.path, path);
}
