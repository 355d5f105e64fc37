/* SPDX-License-Identifier: ISC */
/* client_assertion.h: does an assertion prove its client (RFC 7521, RFC 7523 section 3)? Knows
 * claims, clients and what a mount is called; does not know the store or how the assertion came. */
#ifndef RETOKEN_OPERATION_CLIENT_ASSERTION_H
#define RETOKEN_OPERATION_CLIENT_ASSERTION_H

#include "base/arena.h"
#include "base/fault.h"
#include "model/client.h"
#include "model/client_refusal.h"
#include "model/mark.h"
#include "model/realm.h"
#include "token/secrets.h"

/* The client that it says it comes from, before anything is proved. False: it cannot be read. */
bool client_assertion_names(struct arena *arena, struct text assertion, struct text *id);

struct client_assertion_ask {
    struct arena *arena;
    struct text assertion;
    const struct client *client; /* the one it names */
    const struct realm *realm;
    struct text endpoint_path; /* of the URL that it was sent to */
    int64_t now_ms;
};

/* What a right one says. */
struct client_assertion {
    int64_t expires_ms;
    bool has_jti;
    struct text id; /* jti; without one, what was signed */
};

/* Is it signed with a key of the client, of the right type, from and about the client, for this
 * server alone, and in time? For this server: with exactly one `aud`, which is the realm's issuer
 * or the endpoint's URL on the issuer's host, by http or https and any port (TLS may end before
 * us). The Host header is the sender's own word and plays no part. A realm that has no issuer of
 * the operator's own that is an http or https URL takes no assertions. False: *refusal, or
 * CLIENT_NOT_REFUSED with *fault. Whether it was used before is not judged. */
bool client_assertion_check(const struct client_assertion_ask *ask,
                            struct client_assertion *assertion, enum client_refusal *refusal,
                            struct fault *fault);

/* The mark that it is used by this client at now_ms, beside this refresh token or code. False:
 * libcrypto failed. */
bool client_assertion_mark(const struct client_assertion *assertion, struct text client,
                           struct text beside, const struct secrets *secrets, int64_t now_ms,
                           struct mark *mark);

#endif
