/* SPDX-License-Identifier: ISC */
/* config_realms.c: realms and mounts: from sections, from the dialects' own paths, and what does
 * not go together in them. Knows the table of dialects and what every one of them tells of itself;
 * does not know any dialect by name. */
#include "process/config_reader.h"

#include <string.h>

#include "dialect/dialect.h"
#include "process/path.h"

static const char known_dialects[] =
    "kopong, wirecash, duktig, oauth, fusionauth, koppeltaal, jwks, health";

/* What a mount may be. */
struct role {
    const struct dialect *dialect;
    const struct endpoint *endpoint;
};

static bool take_section(struct config_reader *reader, const struct config_section *section);
static bool take_mount(struct config_reader *reader, const struct config_section *section);
static bool add_default_mounts(struct config_reader *reader);
static bool finish_realms(struct config_reader *reader);
static bool add_default_mount(struct config_reader *reader, const struct role *role);

bool config_take_realms(struct config_reader *reader)
{
    for (size_t i = 0; i < reader->section_count; i++) {
        if (!take_section(reader, &reader->sections[i])) {
            return false;
        }
    }
    return add_default_mounts(reader) && finish_realms(reader);
}

static bool take_section(struct config_reader *reader, const struct config_section *section)
{
    bool bare = section->argument.size == 0;

    if (text_is(section->word, "mount") && !bare) {
        return take_mount(reader, section);
    } else if (text_is(section->word, "retoken") && bare) {
        return true;
    }
    return config_complain(reader, section->line,
                           "[%.*s%s%.*s]: unknown section; write [retoken] or [mount PATH]",
                           TEXT_ARGS(text_cut(section->word, 40)), bare ? "" : " ",
                           TEXT_ARGS(text_cut(section->argument, 40)));
}

/* ---- mounts ---- */

/* NULL when the section does not set it. */
static const struct config_line *find_line(const struct config_section *section, const char *name)
{
    for (size_t i = 0; i < section->count; i++) {
        if (text_is(section->lines[i].name, name)) {
            return &section->lines[i];
        }
    }
    return NULL;
}

static bool check_path(struct config_reader *reader, const struct config_section *section)
{
    const struct config *config = reader->config;
    struct text path = section->argument;

    if (path.size > MOUNT_PATH_MAX) {
        return config_complain(reader, section->line, "[mount]: the path is longer than %d bytes",
                               MOUNT_PATH_MAX);
    } else if (!path_is_clean(path) || text_ends(path, TEXT("/"))) {
        return config_complain(reader, section->line,
                               "[mount %.*s]: not a path that a request could have; write for "
                               "example [mount /oauth/token]",
                               TEXT_ARGS(path));
    }
    for (size_t i = 0; i < config->mount_count; i++) {
        if (text_is(path, config->mounts[i].path)) {
            return config_complain(reader, section->line, "[mount %.*s] is already set on line %u",
                                   TEXT_ARGS(path), reader->realms[i].section);
        }
    }
    return true;
}

/* The endpoint whose own path this is. */
static bool default_role(struct text path, struct role *role)
{
    for (size_t i = 0; i < dialect_count; i++) {
        for (size_t j = 0; j < dialects[i]->endpoint_count; j++) {
            if (text_is(path, dialects[i]->endpoints[j].path)) {
                *role = (struct role){dialects[i], &dialects[i]->endpoints[j]};
                return true;
            }
        }
    }
    return false;
}

/* A dialect's name stands for its first endpoint. Those without tokens are known by their own
 * names. */
static bool find_role(struct text name, struct role *role)
{
    for (size_t i = 0; i < dialect_count; i++) {
        if (text_is(name, dialects[i]->name) && dialects[i]->policy.layout != NULL) {
            *role = (struct role){dialects[i], &dialects[i]->endpoints[0]};
            return true;
        }
    }
    for (size_t i = 0; i < wellknown_dialect.endpoint_count; i++) {
        if (text_is(name, wellknown_dialect.endpoints[i].name)) {
            *role = (struct role){&wellknown_dialect, &wellknown_dialect.endpoints[i]};
            return true;
        }
    }
    return false;
}

/* What the section names, else what belongs at that path. */
static bool choose_role(struct config_reader *reader, const struct config_section *section,
                        struct role *role)
{
    const struct config_line *line = find_line(section, "dialect");

    if (line != NULL) {
        return find_role(line->value, role) ||
               config_complain(reader, line->number, "dialect = %.*s: unknown; write one of %s",
                               TEXT_ARGS(text_cut(line->value, 80)), known_dialects);
    } else if (default_role(section->argument, role)) {
        return true;
    }
    return config_complain(reader, section->line,
                           "[mount %.*s]: no dialect; write dialect = one of %s",
                           TEXT_ARGS(section->argument), known_dialects);
}

/* False: there are too many. */
static bool append(struct config_reader *reader, unsigned line, struct text path,
                   const struct role *role)
{
    struct config *config = reader->config;

    if (config->mount_count == CONFIG_MOUNTS_MAX) {
        return config_complain(reader, line, "more than %d mounts", CONFIG_MOUNTS_MAX);
    }
    struct realm *realm = &config->realms[config->realm_count];
    struct mount *mount = &config->mounts[config->mount_count++];
    reader->realms[config->realm_count++].section = line;
    mount->endpoint = role->endpoint;
    mount->realm = realm;
    (void)text_copy(path, mount->path, sizeof mount->path);
    realm->dialect = role->dialect;
    realm->policy = role->dialect->policy;
    realm->policy.recovery_generations = 1;
    (void)text_copy(text_of(role->dialect->issuer), realm->issuer, sizeof realm->issuer);
    (void)text_copy(text_of(role->dialect->audience), realm->audience, sizeof realm->audience);
    return true;
}

/* The name is the path unless the section, or the mount that belongs there, has another. */
static bool name_realm(struct config_reader *reader, const struct mount *mount, struct realm *realm,
                       const struct config_line *line)
{
    static const struct config_setting setting = {.name = "realm", .room = sizeof realm->name};
    struct role usual = {0};
    const char *wrong = "";

    if (line != NULL) {
        return config_read_name(reader, &setting, line->value, realm->name, &wrong) ||
               config_complain(reader, line->number, "realm = %.*s: %s",
                               TEXT_ARGS(text_cut(line->value, 80)), wrong);
    }
    bool shared = default_role(text_of(mount->path), &usual) && usual.dialect == realm->dialect &&
                  realm->dialect->realm != NULL;
    return text_copy(text_of(shared ? realm->dialect->realm : mount->path), realm->name,
                     sizeof realm->name) ||
           config_complain(reader, reader->realms[realm - reader->config->realms].section,
                           "[mount %s]: the path is too long to be the realm's name too; write "
                           "realm = NAME, at most %d bytes",
                           mount->path, SESSION_REALM_MAX);
}

static bool take_lines(struct config_reader *reader, const struct config_section *section,
                       const struct mount *mount)
{
    size_t realm = (size_t)(mount->realm - reader->config->realms);

    for (size_t i = 0; i < section->count; i++) {
        const struct config_line *line = &section->lines[i];
        bool structure = text_is(line->name, "dialect") || text_is(line->name, "realm");

        for (size_t j = 0; j < i; j++) {
            if (text_equal(section->lines[j].name, line->name)) {
                return config_complain(reader, line->number, "%.*s is already set on line %u",
                                       TEXT_ARGS(line->name), section->lines[j].number);
            }
        }
        if (!realm_issues(mount->realm) && !text_is(line->name, "dialect")) {
            return config_complain(reader, line->number,
                                   "%.*s: [mount %s] carries no tokens; it takes dialect only",
                                   TEXT_ARGS(text_cut(line->name, 80)), mount->path);
        } else if (!structure && !config_take_realm(reader, section, line, realm)) {
            return false;
        }
    }
    return true;
}

static bool take_mount(struct config_reader *reader, const struct config_section *section)
{
    struct config *config = reader->config;
    struct role role;

    if (!check_path(reader, section) || !choose_role(reader, section, &role) ||
        !append(reader, section->line, section->argument, &role)) {
        return false;
    }
    struct mount *mount = &config->mounts[config->mount_count - 1];
    struct realm *realm = &config->realms[config->realm_count - 1];
    return take_lines(reader, section, mount) &&
           (!realm_issues(realm) || name_realm(reader, mount, realm, find_line(section, "realm")));
}

/* Without sections all default mounts; with one or more, those that carry no tokens, so that naming
 * mounts does not take the keys from verifiers and the health from monitors. */
static bool add_default_mounts(struct config_reader *reader)
{
    bool all = reader->config->mount_count == 0;

    for (size_t i = 0; i < dialect_count; i++) {
        for (size_t j = 0; j < dialects[i]->endpoint_count; j++) {
            const struct role role = {dialects[i], &dialects[i]->endpoints[j]};

            if ((all || role.dialect->policy.layout == NULL) && !add_default_mount(reader, &role)) {
                return false;
            }
        }
    }
    return true;
}

static bool add_default_mount(struct config_reader *reader, const struct role *role)
{
    struct config *config = reader->config;

    if (config_mount(config, role->endpoint->path) != NULL) {
        return true;
    } else if (!append(reader, 0, text_of(role->endpoint->path), role)) {
        return false;
    }
    struct realm *realm = &config->realms[config->realm_count - 1];
    return !realm_issues(realm) ||
           name_realm(reader, &config->mounts[config->mount_count - 1], realm, NULL);
}

/* ---- what does not go together ---- */

/* Not even a client's own policy can turn rotation on: that has no say in the format. */
static bool never_rotates(const struct realm *realm)
{
    return realm->policy.keeps_token || realm->policy.format == REFRESH_FORMAT_JWT;
}

static bool has_no_recovery(const struct realm *realm)
{
    return never_rotates(realm) || realm->policy.recovery_window_ms == 0;
}

static bool ends_before_idle(const struct realm *realm)
{
    return realm->policy.absolute_lifetime_ms != 0 &&
           realm->policy.idle_lifetime_ms >= realm->policy.absolute_lifetime_ms;
}

static bool loses_no_scope(const struct realm *realm)
{
    return realm->policy.layout->says_scope;
}

/* Settings that may have no effect, and what to do then. */
static const struct {
    const char *name;
    bool (*is_idle)(const struct realm *realm);
    const char *advice;
} idle_settings[] = {
    {"concurrency-window", never_rotates, "refresh tokens do not rotate here; remove the line"},
    {"recovery-window", never_rotates, "refresh tokens do not rotate here; remove the line"},
    {"reuse", never_rotates, "refresh tokens do not rotate here; remove the line"},
    {"recovery-evidence", has_no_recovery,
     "there is no recovery window; set recovery-window or remove the line"},
    {"recovery-generations", has_no_recovery,
     "there is no recovery window; set recovery-window or remove the line"},
    {"idle-lifetime", ends_before_idle,
     "sessions end before, by absolute-lifetime; write less than that, or 0"},
    {"scope-loss", loses_no_scope, "access tokens here say their scope; remove the line"},
};

/* A line may be for several dialects: one that it has an effect on is enough. */
static bool check_idle(struct config_reader *reader, const char *name,
                       bool (*is_idle)(const struct realm *realm), const char *advice, size_t realm)
{
    const struct config *config = reader->config;
    unsigned line = config_realm_line(reader, realm, name);
    bool idle = line != 0;

    for (size_t i = 0; i < config->realm_count && idle; i++) {
        idle = config_realm_line(reader, i, name) != line || is_idle(&config->realms[i]);
    }
    return !idle || config_complain(reader, line, "%s has no effect: %s", name, advice);
}

static bool check_format(struct config_reader *reader, size_t i)
{
    const struct realm *realm = &reader->config->realms[i];
    const struct policy *policy = &realm->policy;
    unsigned format = config_realm_line(reader, i, "format");
    unsigned rotation = config_realm_line(reader, i, "rotation");

    if (policy->format == REFRESH_FORMAT_JWT && policy->layout->refresh == NULL) {
        return config_complain(reader, format,
                               "format = jwt: %s has no such refresh tokens; write native or uuid",
                               realm->dialect->name);
    } else if (policy->rotate && policy->keeps_token) {
        return config_complain(reader, rotation,
                               "rotation = on: the answers of %s have no place for the next "
                               "refresh token; write off",
                               realm->dialect->name);
    } else if (policy->rotate && policy->format == REFRESH_FORMAT_JWT && format != 0) {
        return config_complain(reader, format,
                               "format = jwt: such tokens do not rotate; write native or uuid, or "
                               "rotation = off");
    } else if (policy->rotate && policy->format == REFRESH_FORMAT_JWT) {
        return config_complain(reader, rotation,
                               "rotation = on: tokens of format jwt do not rotate; write off, or "
                               "format = native");
    }
    return true;
}

static bool check_realm(struct config_reader *reader, size_t realm)
{
    if (!check_format(reader, realm)) {
        return false;
    }
    for (size_t i = 0; i < sizeof idle_settings / sizeof idle_settings[0]; i++) {
        if (!check_idle(reader, idle_settings[i].name, idle_settings[i].is_idle,
                        idle_settings[i].advice, realm)) {
            return false;
        }
    }
    return true;
}

static bool finish_realms(struct config_reader *reader)
{
    struct config *config = reader->config;

    for (size_t i = 0; i < config->realm_count; i++) {
        struct realm *realm = &config->realms[i];

        if (!realm_issues(realm)) {
            continue;
        } else if (!check_realm(reader, i)) {
            return false;
        } else if (reader->issuer[0] != '\0' && config_realm_line(reader, i, "issuer") == 0) {
            memcpy(realm->issuer, reader->issuer, sizeof realm->issuer);
        }
    }
    return true;
}
