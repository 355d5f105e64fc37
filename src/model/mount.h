/* SPDX-License-Identifier: ISC */
/* mount.h: a path that the web server hands to Retoken, and what answers there. Filled by
 * process/config; read by everything else. Values only; knows no policy and no dialect. */
#ifndef RETOKEN_MODEL_MOUNT_H
#define RETOKEN_MODEL_MOUNT_H

#include "model/realm.h"

struct endpoint; /* dialect/dialect.h; opaque down here */

enum { MOUNT_PATH_MAX = 128 };

struct mount {
    char path[MOUNT_PATH_MAX + 1]; /* "/oauth/token" */
    const struct endpoint *endpoint;
    const struct realm *realm; /* never NULL */
    bool is_whole_path;        /* no prefix of the configuration comes before `path` */
};

/* All there are, for documents that name others. */
struct mounts {
    const struct mount *all;
    size_t count;
    const char *prefix; /* comes before their paths in a URL; "" = none */
};

#endif
