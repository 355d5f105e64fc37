/* path.c: the rule for URL paths. Web servers normalise `//`, `/./` and `%2e` before they hand a
 * path over; one that arrives with any of them was made to get past somebody. Knows bytes; does not
 * know mounts. */
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

/* Other segments that begin with a dot are left to the exact match: /.well-known is one. */
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
