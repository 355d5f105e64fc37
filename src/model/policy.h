/* SPDX-License-Identifier: ISC */
/* policy.h: what a realm allows and for how long, and what a client has of its own instead. Values
 * only; filled by process/config and the store, read by operation/. Knows no clock and no token. */
#ifndef RETOKEN_MODEL_POLICY_H
#define RETOKEN_MODEL_POLICY_H

#include <stdbool.h>
#include <stdint.h>

#include "base/text.h"
#include "model/signing.h"

struct layout; /* token/layout.h; opaque down here */

/* How a mount spells its refresh tokens. */
enum refresh_format {
    REFRESH_FORMAT_NATIVE = 1, /* derived, opaque; found without any index */
    REFRESH_FORMAT_UUID = 2,   /* derived, UUIDv4-shaped; found through the alias index */
    REFRESH_FORMAT_JWT = 3     /* signed; found through the alias index */
};

/* "native", "uuid", "jwt": the configuration's words. */
const char *policy_format_name(enum refresh_format format);

/* What lets a token be recovered after the concurrency window (design.md section 4). */
enum recovery_evidence { RECOVERY_EVIDENCE_CLIENT, RECOVERY_EVIDENCE_NONE };

/* Whether a session's scope may be asked for in part (RFC 6749 section 6) or must be repeated
 * exactly. */
enum scope_rule { SCOPE_IGNORED, SCOPE_SUBSET, SCOPE_EXACT };

/* Durations in ms; 0 = never / none. */
struct policy {
    bool rotate;
    bool report_only; /* reuse is refused and reported, the session lives on */
    int64_t concurrency_window_ms;
    int64_t recovery_window_ms;
    uint32_t recovery_generations; /* how many generations back a token may be recovered */
    enum recovery_evidence recovery_evidence;
    int64_t idle_lifetime_ms;
    int64_t absolute_lifetime_ms;
    int64_t access_lifetime_ms;
    bool access_jitter; /* or up to a tenth less, otherwise for each session and generation */
    int64_t bearer_max_age_ms; /* for how long an expired access token is a bearer to log in with;
                                  0 where the dialect knows no such login */
    enum refresh_format format;
    const struct layout *layout; /* of its tokens */
    bool keeps_token; /* its answers have no place for another refresh token: it cannot rotate */
    bool by_access_token; /* its access tokens renew their sessions, and nothing else is told */
    enum signing_algorithm algorithm;
    enum scope_rule scope_rule;
    bool scope_loss;    /* a layout that cannot say a scope may issue tokens without it */
    uint32_t grants;    /* enum grant_bit; which grants a client may use; 0 = see policy_allows */
    bool dpop_required; /* tokens are issued only to who proves a key (RFC 9449) */
    bool certificate_required; /* … only over a connection with a certificate (RFC 8705) */
};

/* The grants a client may be allowed (RFC 6749 sections 4 and 6). Stored in client records: numbers
 * never change. */
enum grant_bit {
    GRANT_REFRESH = 1 << 0,
    GRANT_PASSWORD = 1 << 1,
    GRANT_CLIENT = 1 << 2,
    GRANT_CODE = 1 << 3,
    GRANT_DEVICE = 1 << 4,
    GRANT_EXCHANGE = 1 << 5
};

/* What a realm without a list of its own allows. A user's password belongs to no client, and a
 * client alone is no user, so both have to be named. */
enum { GRANTS_USUAL = GRANT_REFRESH | GRANT_CODE | GRANT_DEVICE };

/* Their words, for the configuration and for `retoken client`. */
struct policy_grant {
    const char *word; /* "refresh" */
    enum grant_bit bit;
};
enum { POLICY_GRANTS = 6 };
extern const struct policy_grant policy_grants[POLICY_GRANTS];
/* 0: there is none of that word. */
uint32_t policy_grant_find(struct text word);

/* Which fields of a client's override count. Stored: numbers never change. */
enum policy_bit {
    POLICY_ROTATION = 1 << 0,
    POLICY_REPORT_ONLY = 1 << 1,
    POLICY_CONCURRENCY_WINDOW = 1 << 2,
    POLICY_RECOVERY_WINDOW = 1 << 3,
    POLICY_RECOVERY_GENERATIONS = 1 << 4,
    POLICY_RECOVERY_EVIDENCE = 1 << 5,
    POLICY_IDLE_LIFETIME = 1 << 6,
    POLICY_ABSOLUTE_LIFETIME = 1 << 7,
    POLICY_ACCESS_LIFETIME = 1 << 8,
    /* that is, required: these have no field */
    POLICY_DPOP_REQUIRED = 1 << 9,
    POLICY_CERTIFICATE_REQUIRED = 1 << 10
};

/* What one client has instead of its realm's policy. */
struct policy_override {
    uint32_t set; /* enum policy_bit */
    bool rotate;
    bool report_only;
    uint32_t recovery_generations;
    enum recovery_evidence recovery_evidence;
    int64_t concurrency_window_ms;
    int64_t recovery_window_ms;
    int64_t idle_lifetime_ms;
    int64_t absolute_lifetime_ms;
    int64_t access_lifetime_ms;
};

struct client; /* model/client.h */

/* Can refresh tokens rotate at all? Not where an answer has no place for the next one, nor where
 * they are JWTs, of which a session gets one. */
bool policy_can_rotate(const struct policy *policy);

/* *effective is `realm` with what this client has instead (NULL = no client: the realm's). What
 * cannot rotate does not, whatever the client has. */
void policy_effective(const struct policy *realm, const struct client *client,
                      struct policy *effective);

/* May this client (NULL = no client) use that grant under this policy? Both lists must have it. An
 * empty list of the realm has refresh, code and device, and client where the client's own list
 * has it; an empty list of the client has whatever the realm allows. GRANT_CLIENT needs a client.
 */
bool policy_allows(const struct policy *policy, const struct client *client, enum grant_bit grant);
/* Could any client be allowed to use it? */
bool policy_offers(const struct policy *policy, enum grant_bit grant);

#endif
