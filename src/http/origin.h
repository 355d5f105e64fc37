/* SPDX-License-Identifier: ISC */
/* origin.h: web origins (RFC 6454) as texts, spelled as browsers spell them in the Origin header:
 * "https://app.example.org", "http://127.0.0.1:8080", "capacitor://localhost". Knows that spelling
 * and default ports; does not know which origin is trusted. */
#ifndef RETOKEN_HTTP_ORIGIN_H
#define RETOKEN_HTTP_ORIGIN_H

#include "base/text.h"

/* Is it spelled as a browser would: a scheme and a host in lower case, a port only where it is not
 * the scheme's own, nothing behind it? "null" and "*" are none. */
bool http_origin_is_plain(struct text origin);
/* The origin at the start of an http or https URL; the empty text when there is none. */
struct text http_origin_of_url(struct text url);
/* Is `host`, a Host header (RFC 9110 section 7.2), that of this origin? Ignores case, and a port
 * that is the scheme's own. */
bool http_origin_has_host(struct text origin, struct text host);

#endif
