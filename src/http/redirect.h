/* SPDX-License-Identifier: ISC */
/* redirect.h: redirect URIs (RFC 6749 section 3.1.2): which may be registered, and which of those a
 * request names. Knows their spelling; does not know clients. */
#ifndef RETOKEN_HTTP_REDIRECT_H
#define RETOKEN_HTTP_REDIRECT_H

#include "base/text.h"

/* Is `uri` one of the registered ones, which are separated by spaces? By exact comparison (RFC 9700
 * section 4.1.3), except that a native app's loopback interface may have any port: http with the
 * host 127.0.0.1, [::1] or localhost (RFC 8252 section 7.3). What holds control bytes, spaces, a
 * fragment or other bytes than ASCII is none. */
bool http_redirect_is_among(struct text uri, struct text registered);

/* May it be registered? An absolute URI of visible ASCII, without a fragment or a wildcard: https
 * with a host and no user name, http for a loopback host, or an app's own scheme, which has a dot
 * (RFC 8252 section 7.1). */
bool http_redirect_is_registrable(struct text uri);

#endif
