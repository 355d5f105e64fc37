/* SPDX-License-Identifier: ISC */
/* network.c: see network.h. */
#include "http/network.h"

#include <arpa/inet.h>
#include <string.h>

enum { SHARED = 8, MAPPED = 12 }; /* bytes: what a site's addresses share, before an IPv4 address */

struct http_network http_network_of(struct text address)
{
    static const uint8_t mapped[MAPPED] = {[10] = 0xff, [11] = 0xff};
    struct http_network network = {.known = true};
    struct text host = text_split(&address, '%');
    char digits[INET6_ADDRSTRLEN];

    if (!text_copy(host, digits, sizeof digits)) {
        return (struct http_network){.known = false};
    } else if (inet_pton(AF_INET, digits, network.prefix + MAPPED) == 1) {
        memcpy(network.prefix, mapped, sizeof mapped);
    } else if (inet_pton(AF_INET6, digits, network.prefix) != 1) {
        return (struct http_network){.known = false};
    } else if (memcmp(network.prefix, mapped, sizeof mapped) != 0) {
        memset(network.prefix + SHARED, 0, sizeof network.prefix - SHARED);
    }
    return network;
}
