/* path.h: what a URL path may look like before anything is matched against it. One rule for the
 * paths of mounts in the configuration and for those that arrive, so that no mount is written down
 * that no request could reach. Knows bytes; does not know mounts. */
#ifndef RETOKEN_PROCESS_PATH_H
#define RETOKEN_PROCESS_PATH_H

#include "base/text.h"

/* Starts with `/` and holds visible ASCII only: no space, no control byte, nothing above 0x7e, and
 * none of `\`, `;` and `%`, which some server or proxy on the way reads otherwise than others. */
bool path_is_plain(struct text path);
/* A plain path without empty segments and without the segments `.` and `..`. A trailing slash is
 * allowed; it is another path than the one without. */
bool path_is_clean(struct text path);

#endif
