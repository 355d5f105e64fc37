/* SPDX-License-Identifier: ISC */
/* env_directory.h: the directory of an environment. Knows directories; does not know LMDB. */
#ifndef RETOKEN_STORE_LMDB_ENV_DIRECTORY_H
#define RETOKEN_STORE_LMDB_ENV_DIRECTORY_H

#include <stdbool.h>

#include "base/fault.h"

/* A descriptor of the directory, made 0700 if `create`; -1 with *fault set: absent, not private to
 * this user, or on a file system where LMDB does not work. The caller closes it. */
int env_directory_open(const char *path, bool create, struct fault *fault);
bool env_directory_holds_data(int directory);
/* Removes a data.mdb too short to be one: its making was interrupted. The caller excludes other
 * processes that open it. */
void env_directory_drop_stub(const char *path);

#endif
