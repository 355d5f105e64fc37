/* mounts.c: the dialects' facts as the configuration wants them. Knows the table of dialects and of
 * default mounts; does not know where the facts end up. */
#include "dialect/mounts.h"

#include <string.h>

#include "dialect/dialect.h"

#define DIALECT(name) #name ", "
const char dialect_mount_names[] = DIALECT_ROWS "jwks, health";
#undef DIALECT

static const char jwks_name[] = "jwks";
static const char health_name[] = "health";

static void fill_from(const struct dialect *dialect, struct realm *realm)
{
    realm->dialect = dialect;
    realm->policy = dialect->policy;
    realm->principal = dialect->principal;
    (void)text_copy(text_of(dialect->issuer), realm->issuer, sizeof realm->issuer);
    (void)text_copy(text_of(dialect->audience), realm->audience, sizeof realm->audience);
}

bool dialect_mount_defaults(const char *name, enum mount_kind *kind, struct realm *realm)
{
    struct realm fresh = {.behaviour = BEHAVIOUR_DOCUMENTED};
    const struct dialect *dialect = dialect_find(name);

    if (dialect != NULL) {
        fill_from(dialect, &fresh);
        *kind = MOUNT_REFRESH;
    } else if (strcmp(name, jwks_name) == 0) {
        *kind = MOUNT_JWKS;
    } else if (strcmp(name, health_name) == 0) {
        *kind = MOUNT_HEALTH;
    } else {
        return false;
    }
    *realm = fresh;
    return true;
}

bool dialect_default_mount(size_t i, const char **path, const char **name, const char **realm)
{
    if (i >= dialect_default_mount_count) {
        return false;
    }
    const struct dialect_default_mount *row = &dialect_default_mounts[i];
    *path = row->path;
    *realm = row->realm;
    switch (row->kind) {
    case MOUNT_REFRESH:
        *name = row->dialect->name;
        return true;
    case MOUNT_JWKS:
        *name = jwks_name;
        return true;
    case MOUNT_HEALTH:
        *name = health_name;
        return true;
    }
    return false;
}
