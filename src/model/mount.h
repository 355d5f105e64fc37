/* mount.h: a path the web server hands us, with its dialect and policy. Filled by process/config
 * from the dialect's defaults and the configuration; read by everything else. Values only. */
#ifndef RETOKEN_MODEL_MOUNT_H
#define RETOKEN_MODEL_MOUNT_H

#include <stdbool.h>
#include <stdint.h>

#include "model/policy.h"
#include "model/session.h"

/* What stands at a path: a dialect's refresh endpoint, or one of the two that need no token. */
enum mount_kind { MOUNT_REFRESH, MOUNT_JWKS, MOUNT_HEALTH };

/* design.md section 5: what the seed document says, or what the real server did. */
enum mount_behaviour { BEHAVIOUR_DOCUMENTED, BEHAVIOUR_DEPLOYED };

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
