/* SPDX-License-Identifier: ISC */
/* adopted.h: how many sessions of a realm began with a token of another server, for whoever wants
 * to know when the last have come. Knows sessions; does not know what is said of them. */
#ifndef RETOKEN_ADMIN_ADOPTED_H
#define RETOKEN_ADMIN_ADOPTED_H

#include "admin/call.h"

struct adopted {
    uint64_t count;
    int64_t last_ms; /* when the last of them began here; 0 = none did */
};

/* Reads every session (call_each_session). Counts those whose record is kept for their token
 * (session.kept_until_ms): adopted ones, and those that were imported with a JWT or its hash. False
 * with *fault. */
bool adopted_count(struct call *call, const char *realm, struct adopted *adopted,
                   struct fault *fault);

#endif
