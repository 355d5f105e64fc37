/* SPDX-License-Identifier: ISC */
/* network.h: what a client's address says of who is behind it. Knows how addresses are written and
 * given out; does not know what is counted by them. */
#ifndef RETOKEN_HTTP_NETWORK_H
#define RETOKEN_HTTP_NETWORK_H

#include <stdint.h>

#include "base/text.h"

enum { HTTP_NETWORK_SIZE = 16 };

/* An IPv4 address, mapped into IPv6 (RFC 4291 section 2.5.5.2), or the first 64 bits of an IPv6
 * address: whoever has one address there has them all (RFC 6177). */
struct http_network {
    bool known; /* otherwise all zero: no address came along, as over a Unix socket */
    uint8_t prefix[HTTP_NETWORK_SIZE];
};

/* Of an address as the web server passes it in REMOTE_ADDR, with or without the zone of RFC 4007.
 * Any other text says nothing. */
struct http_network http_network_of(struct text address);

#endif
