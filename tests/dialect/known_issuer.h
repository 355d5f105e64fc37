/* SPDX-License-Identifier: ISC */
/* known_issuer.h: an issuer with a clock that stands and bytes that are known, for what tells when
 * a request was refused, and of which request it was. It has no store. */
#ifndef RETOKEN_TESTS_DIALECT_KNOWN_ISSUER_H
#define RETOKEN_TESTS_DIALECT_KNOWN_ISSUER_H

#include <string.h>

#include "operation/operation.h"

#define NOW_MS INT64_C(1500000000000)

static int64_t known_moment(void *self)
{
    (void)self;
    return NOW_MS;
}

static bool known_bytes(void *self, void *out, size_t size)
{
    (void)self;
    memset(out, 0x5a, size);
    return true;
}

static struct issuer known_issuer = {.clock = {.now_ms = known_moment},
                                     .randomness = {known_bytes, NULL}};

#endif
