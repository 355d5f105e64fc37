/* SPDX-License-Identifier: ISC */
/* path.h: which URL paths are accepted before any is compared with a mount. One rule for the paths
 * in the configuration and for those of requests, so that every mount can be reached. Knows bytes;
 * does not know mounts. */
#ifndef RETOKEN_PROCESS_PATH_H
#define RETOKEN_PROCESS_PATH_H

#include "base/text.h"

/* Starts with `/`, has only visible ASCII (no space, no control byte, nothing above 0x7e), and none
 * of
 * `\`, `;` and `%`, which servers and proxies read differently. */
bool path_is_plain(struct text path);
/* Plain, without empty segments and without the segments `.` and `..`. A trailing slash is allowed;
 * the path without it is another path. */
bool path_is_clean(struct text path);

#endif
