/* mount.h: a path the web server hands us, with its dialect and policy. Filled by process/config
 * from the dialect's defaults and the configuration; read by everything else. Values only. */
#ifndef RETOKEN_MODEL_MOUNT_H
#define RETOKEN_MODEL_MOUNT_H

#include <stdbool.h>
#include <stdint.h>

#include "model/session.h"
#include "model/signing.h"

/* What stands at a path: a dialect's refresh endpoint, or one of the two that need no token. */
enum mount_kind { MOUNT_REFRESH, MOUNT_JWKS, MOUNT_HEALTH };

/* design.md section 5: what the seed document says, or what the real server did. */
enum mount_behaviour { BEHAVIOUR_DOCUMENTED, BEHAVIOUR_DEPLOYED };

/* How the claims of a JWT are laid out; token/layout.c writes each in its own key order. */
enum token_layout {
    LAYOUT_OAUTH, /* /oauth/token: RFC 9068 claims */
    LAYOUT_KOPONG,
    LAYOUT_WIRECASH,
    LAYOUT_DUKTIG,
    LAYOUT_FUSIONAUTH,
    LAYOUT_KOPPELTAAL
};

/* What lets a token be recovered after the concurrency window (design.md section 4). */
enum recovery_evidence { RECOVERY_EVIDENCE_CLIENT, RECOVERY_EVIDENCE_NONE };

/* Whether a session's scope may be asked for in part (RFC 6749 section 6) or must be repeated
 * exactly (Koppeltaal). */
enum scope_rule { SCOPE_IGNORED, SCOPE_SUBSET, SCOPE_EXACT };

/* Durations in ms; 0 = never / none. */
struct policy {
    bool rotate;
    bool report_only; /* reuse is refused and reported, the session lives on */
    int64_t concurrency_window_ms;
    int64_t recovery_window_ms;
    enum recovery_evidence recovery_evidence;
    int64_t idle_lifetime_ms;
    int64_t absolute_lifetime_ms;
    int64_t access_lifetime_ms;
    enum refresh_format format;
    enum token_layout layout;
    enum signing_algorithm algorithm;
    enum scope_rule scope_rule;
};

enum { MOUNT_PATH_MAX = 128, MOUNT_VALUE_MAX = 256 };

struct dialect; /* dialect/dialect.h; opaque down here */

struct mount {
    char path[MOUNT_PATH_MAX + 1]; /* "/oauth/token" */
    enum mount_kind kind;
    const struct dialect *dialect; /* NULL unless kind is MOUNT_REFRESH */
    enum mount_behaviour behaviour;
    struct policy policy;
    char realm[SESSION_REALM_MAX + 1]; /* the path unless the configuration names another */
    char issuer[MOUNT_VALUE_MAX + 1];
    char audience[MOUNT_VALUE_MAX + 1];
    bool principal; /* kopong: with the serialized `principal` claim */
};

#endif
