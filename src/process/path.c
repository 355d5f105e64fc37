/* SPDX-License-Identifier: ISC */
/* path.c: the rule for URL paths. Web servers normalise `//`, `/./` and `%2e` before they pass a
 * path on; a path that still has them was made to get past a check. Knows bytes; does not know
 * mounts. */
#include "process/path.h"

bool path_is_plain(struct text path)
{
    static const char refused[] = "\\;%";

    for (const char *c = refused; *c != '\0'; c++) {
        if (text_find(path, *c) < path.size) {
            return false;
        }
    }
    return text_starts(path, TEXT("/")) && text_is_visible_ascii(path);
}

/* Other segments may begin with a dot: /.well-known does. */
bool path_is_clean(struct text path)
{
    if (!path_is_plain(path)) {
        return false;
    }
    for (struct text rest = text_from(path, 1); rest.size > 0;) {
        struct text segment = text_split(&rest, '/');
        if (segment.size == 0 || text_is(segment, ".") || text_is(segment, "..")) {
            return false;
        }
    }
    return true;
}
