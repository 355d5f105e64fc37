/* mounts.h: what the configuration needs to know of the dialects, as two plain functions that the
 * programs hand to process/config (struct config_dialects), because that folder is on this one's
 * floor. Knows the descriptors' facts; does not know files or settings. */
#ifndef RETOKEN_DIALECT_MOUNTS_H
#define RETOKEN_DIALECT_MOUNTS_H

#include <stdbool.h>
#include <stddef.h>

#include "model/mount.h"

/* Fills *kind, and *realm with the defaults of the dialect of that name, or of "jwks" and "health";
 * its name is left empty. False and nothing touched: there is no such dialect. */
bool dialect_mount_defaults(const char *name, enum mount_kind *kind, struct realm *realm);

/* "kopong, wirecash, …, jwks, health": what dialect_mount_defaults knows, for messages. */
extern const char dialect_mount_names[];

/* Path, dialect name ("jwks", "health" too) and realm of the i-th mount that exists without any
 * configuration; *realm is NULL where it is the path. False past the end. */
bool dialect_default_mount(size_t i, const char **path, const char **name, const char **realm);

#endif
