/* SPDX-License-Identifier: ISC */
/* router.c: SCRIPT_NAME and PATH_INFO to a mount. Knows how servers split paths (docs/hazards.md
 * has the measured table, tests/responder/test_router.c repeats it); does not know dialects beyond
 * two facts: some of them do not mind empty path segments, and some name a session in the path. */
#include "responder/router.h"

#include <string.h>

#include "dialect/dialect.h"
#include "process/path.h"

/* No mount is as long as that, wherever it is mounted. */
enum { PATH_SIZE_MAX = 1024 };

/* path without prefix, which ends at a segment's end. */
static bool strip_prefix(struct text prefix, struct text *path)
{
    if (!text_starts(*path, prefix) || path->size == prefix.size ||
        path->data[prefix.size] != '/') {
        return false;
    }
    *path = text_from(*path, prefix.size);
    return true;
}

static struct text without_slash(struct text path)
{
    return text_ends(path, TEXT("/")) ? text_cut(path, path.size - 1) : path;
}

/* Empty segments are dropped, and a trailing slash with them. */
static bool loosely_equal(struct text path, struct text mount)
{
    while (path.size > 0) {
        struct text segment = text_split(&path, '/');
        if (segment.size == 0) {
            continue;
        } else if (!text_starts(mount, TEXT("/")) ||
                   !text_equal(segment, text_cut(text_from(mount, 1), segment.size))) {
            return false;
        }
        mount = text_from(mount, 1 + segment.size);
    }
    return mount.size == 0;
}

/* The mount's path with the id of a session behind it. */
static bool is_of_session(struct text path, struct text mount)
{
    struct text id;

    return dialect_path_session(path, &id) &&
           text_equal(text_cut(path, (size_t)(id.data - path.data) - 1), without_slash(mount));
}

/* A mount that fits exactly comes first. `whole`: only those before which no prefix comes. */
static const struct mount *find(const struct config *config, struct text path, bool whole)
{
    bool clean = path_is_clean(path);

    for (size_t i = 0; clean && i < config->mount_count; i++) {
        const struct mount *mount = &config->mounts[i];

        if (text_is(path, mount->path) && (!whole || mount->is_whole_path)) {
            return mount;
        }
    }
    for (size_t i = 0; i < config->mount_count; i++) {
        const struct mount *mount = &config->mounts[i];
        struct text name = text_of(mount->path);

        if (whole && !mount->is_whole_path) {
            continue;
        } else if ((clean && config->trailing_slash &&
                    text_equal(without_slash(path), without_slash(name))) ||
                   (mount->endpoint->path_loose && loosely_equal(path, name)) ||
                   (clean && mount->endpoint->methods_below != 0 && is_of_session(path, name))) {
            return mount;
        }
    }
    return NULL;
}

static const struct mount *match(const struct config *config, struct text path)
{
    const struct mount *mount = NULL;

    if (!path_is_plain(path)) {
        return NULL;
    } else if (config->prefix[0] == '\0') {
        return find(config, path, false);
    }
    mount = find(config, path, true);
    if (mount == NULL && strip_prefix(text_of(config->prefix), &path)) {
        mount = find(config, path, false);
    }
    return mount;
}

/* /cgi-bin/retoken.fcgi on a shared host: the path behind the script is all that names the mount.
 */
static bool is_script(struct text script_name)
{
    return text_ends(script_name, TEXT(".fcgi")) || text_ends(script_name, TEXT(".cgi"));
}

/* Which endpoint says whether a page may be served: the one that the web server's configuration
 * names, else the only one. The path is the page's, and says nothing. */
static const struct mount *find_check(const struct config *config, struct text path)
{
    const struct mount *found = NULL;

    for (size_t i = 0; i < config->mount_count; i++) {
        const struct mount *mount = &config->mounts[i];

        if (!mount->endpoint->checks || (path.size > 0 && !text_is(path, mount->path))) {
            continue;
        } else if (found != NULL) {
            return NULL;
        }
        found = mount;
    }
    return found;
}

const struct mount *router_find(const struct config *config, const struct http_request *request)
{
    char joined[PATH_SIZE_MAX];
    struct text script = request->script_name;
    struct text info = request->path_info;
    struct text path = {joined, script.size + info.size};
    const struct mount *mount;

    if (request->authorizes) {
        return find_check(config, request->check_path);
    } else if (script.size > PATH_SIZE_MAX || info.size > PATH_SIZE_MAX - script.size) {
        return NULL;
    }
    if (script.size > 0) {
        memcpy(joined, script.data, script.size);
    }
    if (info.size > 0) {
        memcpy(joined + script.size, info.data, info.size);
    }
    mount = match(config, path);
    if (mount == NULL && config->prefix[0] == '\0' && path_is_plain(path) && is_script(script)) {
        mount = match(config, info);
    }
    return mount;
}
