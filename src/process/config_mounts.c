/* SPDX-License-Identifier: ISC */
/* config_mounts.c: [mount PATH], and the endpoints that are there without a section. Knows which
 * endpoint and which realm a mount gets; does not know any dialect by name. */
#include "process/config_reader.h"

#include <stdio.h>
#include <string.h>

#include "dialect/dialect.h"
#include "process/dialects.h"
#include "process/path.h"

/* What answers at a path. */
struct role {
    const struct dialect *dialect;
    const struct endpoint *endpoint;
};

static bool check_path(struct config_reader *reader, const struct config_section *section);
static bool choose_role(struct config_reader *reader, const struct config_section *section,
                        struct role *role);
static struct realm *join_realm(struct config_reader *reader, const struct config_section *section,
                                const struct dialect *dialect);
static bool take_lines(struct config_reader *reader, const struct config_section *section,
                       const struct realm *realm);

bool config_take_mount(struct config_reader *reader, const struct config_section *section)
{
    struct role role;

    if (!check_path(reader, section) || !choose_role(reader, section, &role)) {
        return false;
    }
    const struct realm *realm = join_realm(reader, section, role.dialect);
    return realm != NULL && take_lines(reader, section, realm) &&
           (config_serves(realm, role.endpoint) ||
            config_complain(reader, section->line,
                            "[mount %.*s]: it answers whom the web server has checked; add "
                            "remote-user = known or any",
                            TEXT_ARGS(section->argument))) &&
           (reader->config->metrics || !role.endpoint->with_metrics ||
            config_complain(reader, section->line,
                            "[mount %.*s]: nothing is counted; add metrics = on to [retoken]",
                            TEXT_ARGS(section->argument))) &&
           config_add_mount(reader, section->line, section->argument, role.endpoint, realm);
}

static bool check_path(struct config_reader *reader, const struct config_section *section)
{
    struct text path = section->argument;

    if (path.size > MOUNT_PATH_MAX) {
        return config_complain(reader, section->line, "[mount]: the path is longer than %d bytes",
                               MOUNT_PATH_MAX);
    } else if (!config_is_mountable(path)) {
        return config_complain(reader, section->line,
                               "[mount %.*s]: not a path that a request could have; write for "
                               "example [mount /oauth/token]",
                               TEXT_ARGS(path));
    }
    return config_taken_by(reader, path) == 0 ||
           config_complain(reader, section->line,
                           "[mount %.*s]: the path is already in use by line %u", TEXT_ARGS(path),
                           config_taken_by(reader, path));
}

/* Own paths have no slash at their end, and mounts may. */
static struct text without_slash(struct text path)
{
    return text_ends(path, TEXT("/")) ? text_cut(path, path.size - 1) : path;
}

/* The endpoint whose own path this is. */
static bool find_own_role(struct config_reader *reader, struct text path, struct role *role)
{
    path = without_slash(path);
    for (size_t i = 0; i < reader->config->dialect_count; i++) {
        role->dialect = reader->config->dialects[i];
        role->endpoint = dialect_endpoint_at(role->dialect, path);
        if (role->endpoint != NULL) {
            return true;
        }
    }
    role->dialect = config_dialect_read(reader, dialects_with_path(path, &role->endpoint));
    return role->dialect != NULL;
}

/* A dialect stands for its first endpoint. Those of dialects without tokens have names of their own
 * ("jwks"). */
static bool find_role(struct config_reader *reader, struct text name, struct role *role)
{
    role->dialect = config_find_dialect(reader, name);
    role->endpoint = role->dialect != NULL ? &role->dialect->endpoints[0] : NULL;
    for (size_t i = 0; i < dialects_count() && role->endpoint == NULL; i++) {
        if (!dialects_is_file(i) && !config_issues(dialects_at(i))) {
            role->dialect = dialects_at(i);
            role->endpoint = dialect_endpoint(role->dialect, name);
        }
    }
    return role->endpoint != NULL;
}

/* A dialect at the own path of one of its endpoints means that one. */
static bool choose_role(struct config_reader *reader, const struct config_section *section,
                        struct role *role)
{
    const struct config_line *line = config_line_find(section, "dialect");
    const struct config_line *endpoint = config_line_find(section, "endpoint");
    const struct endpoint *own = NULL;
    char names[256];

    if (line != NULL && !find_role(reader, line->value, role)) {
        return config_complain(reader, line->number, "dialect = %.*s: unknown; write one of %s",
                               TEXT_ARGS(text_cut(line->value, 80)),
                               config_list_dialects(true, names, sizeof names));
    } else if (line == NULL && !find_own_role(reader, section->argument, role)) {
        return config_complain(
            reader, section->line, "[mount %.*s]: no dialect; write dialect = one of %s",
            TEXT_ARGS(section->argument), config_list_dialects(true, names, sizeof names));
    } else if (line != NULL && config_issues(role->dialect)) {
        own = dialect_endpoint_at(role->dialect, without_slash(section->argument));
    }
    role->endpoint = own != NULL ? own : role->endpoint;
    if (endpoint == NULL) {
        return true;
    }
    role->endpoint = dialect_endpoint(role->dialect, endpoint->value);
    return role->endpoint != NULL ||
           config_complain(reader, endpoint->number, "endpoint = %.*s: unknown; %s has %s",
                           TEXT_ARGS(text_cut(endpoint->value, 80)), role->dialect->name,
                           config_list_endpoints(role->dialect, names, sizeof names));
}

/* The name is the path, unless the endpoint whose own path this is has another. */
static bool name_realm(struct config_reader *reader, unsigned line, struct text path,
                       struct realm *realm)
{
    struct text name = path;
    struct role own;

    if (find_own_role(reader, path, &own) && own.dialect == realm->dialect) {
        name = own.endpoint->realm != NULL  ? text_of(own.endpoint->realm)
               : own.dialect->realm != NULL ? text_of(own.dialect->realm)
                                            : path;
    }
    return !realm_issues(realm) || text_copy(name, realm->name, sizeof realm->name) ||
           config_complain(reader, line,
                           "[mount %.*s]: the path is too long to be the realm's name too; write "
                           "realm = NAME, at most %d bytes",
                           TEXT_ARGS(path), SESSION_REALM_MAX);
}

/* A realm of the mount's own, which starts with what a [realm] section of that name has set for its
 * dialect. NULL: a complaint. */
static struct realm *join_realm(struct config_reader *reader, const struct config_section *section,
                                const struct dialect *dialect)
{
    static const struct config_setting setting = {.name = "realm", .room = SESSION_REALM_MAX + 1};
    const struct config_line *line = config_line_find(section, "realm");
    struct realm *realm = config_add_realm(reader, section->line, dialect);
    const char *wrong = "";

    if (realm == NULL) {
        return NULL;
    } else if (line == NULL) {
        return name_realm(reader, section->line, section->argument, realm) ? realm : NULL;
    } else if (!config_read_name(reader, &setting, line->value, realm->name, &wrong)) {
        (void)config_complain_value(reader, line, wrong);
        return NULL;
    }
    const struct realm *shared =
        config_find_realm(reader, line->value, dialect, reader->shared_count);
    if (shared != NULL) {
        size_t from = (size_t)(shared - reader->config->realms);
        *realm = *shared;
        reader->realms[realm - reader->config->realms] = reader->realms[from];
    }
    return realm;
}

static bool take_lines(struct config_reader *reader, const struct config_section *section,
                       const struct realm *realm)
{
    size_t index = (size_t)(realm - reader->config->realms);

    for (size_t i = 0; i < section->count; i++) {
        const struct config_line *line = &section->lines[i];

        if (text_is(line->name, "dialect") || text_is(line->name, "endpoint")) {
            continue;
        } else if (!realm_issues(realm)) {
            return config_complain(reader, line->number,
                                   "%.*s: [mount %.*s] carries no tokens; it takes dialect and "
                                   "endpoint only",
                                   TEXT_ARGS(text_cut(line->name, 80)),
                                   TEXT_ARGS(section->argument));
        } else if (!text_is(line->name, "realm") &&
                   !config_take_setting(reader, section, line, index, 1)) {
            return false;
        }
    }
    return true;
}

/* ---- mounts ---- */

/* Without sections all endpoints at their own paths; with one or more, those that carry no tokens,
 * so that naming mounts does not take the keys from verifiers and the health from monitors. */
bool config_add_own_mounts(struct config_reader *reader)
{
    bool all = reader->config->realm_count == 0;

    for (size_t i = 0; i < dialects_count(); i++) {
        const struct dialect *dialect;

        if (!all && dialects_is_file(i)) {
            continue;
        }
        dialect = config_dialect_read(reader, dialects_at(i));
        if (dialect == NULL) {
            return false;
        }
        for (size_t j = 0; j < dialect->endpoint_count; j++) {
            const struct endpoint *endpoint = &dialect->endpoints[j];
            struct text path = text_of(endpoint->path);

            if ((!all && config_issues(dialect)) || endpoint->document != DOCUMENT_NONE ||
                endpoint->needs_remote_user || endpoint->with_remote_user ||
                (endpoint->with_metrics && !reader->config->metrics) ||
                config_taken_by(reader, path) != 0) {
                continue;
            }
            struct realm *realm = config_add_realm(reader, 0, dialect);
            if (realm == NULL || !name_realm(reader, 0, path, realm) ||
                !config_add_mount(reader, 0, path, endpoint, realm)) {
                return false;
            }
        }
    }
    return true;
}

bool config_add_mount(struct config_reader *reader, unsigned line, struct text path,
                      const struct endpoint *endpoint, const struct realm *realm)
{
    struct config *config = reader->config;

    if (config->mount_count == CONFIG_MOUNTS_MAX) {
        return config_complain(reader, line, "more than %d mounts", CONFIG_MOUNTS_MAX);
    }
    struct mount *mount = &config->mounts[config->mount_count];
    reader->mounts[config->mount_count++] = line;
    *mount = (struct mount){.endpoint = endpoint, .realm = realm};
    (void)text_copy(path, mount->path, sizeof mount->path);
    return true;
}

unsigned config_taken_by(const struct config_reader *reader, struct text path)
{
    for (size_t i = 0; i < reader->config->mount_count; i++) {
        if (text_is(path, reader->config->mounts[i].path)) {
            return reader->mounts[i];
        }
    }
    return 0;
}

bool config_is_mountable(struct text path)
{
    return path_is_clean(path) && !text_is(path, "/");
}

bool config_serves(const struct realm *realm, const struct endpoint *endpoint)
{
    return !(endpoint->needs_remote_user || endpoint->with_remote_user) ||
           realm->remote_user != REMOTE_USER_OFF;
}

/* ---- the table of dialects, for messages ---- */

bool config_issues(const struct dialect *dialect)
{
    return dialect->policy.layout != NULL;
}

const char *config_list_dialects(bool for_mount, char *out, size_t room)
{
    size_t size = 0;

    out[0] = '\0';
    for (size_t i = 0; i < dialects_count(); i++) {
        const struct dialect *dialect = dialects_is_file(i) ? NULL : dialects_at(i);
        bool issues = dialect == NULL || config_issues(dialect);
        size_t names = issues ? 1 : for_mount ? dialect->endpoint_count : 0;

        for (size_t j = 0; j < names && size < room; j++) {
            const char *name = issues ? dialects_name(i) : dialect->endpoints[j].name;
            size += (size_t)snprintf(out + size, room - size, "%s%s", size > 0 ? ", " : "", name);
        }
    }
    return out;
}

const char *config_list_endpoints(const struct dialect *dialect, char *out, size_t room)
{
    size_t size = 0;

    out[0] = '\0';
    for (size_t i = 0; i < dialect->endpoint_count && size < room; i++) {
        size += (size_t)snprintf(out + size, room - size, "%s%s", size > 0 ? ", " : "",
                                 dialect->endpoints[i].name);
    }
    return out;
}
