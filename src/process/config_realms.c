/* SPDX-License-Identifier: ISC */
/* config_realms.c: the sections about realms and mounts, and [realm NAME] in particular: its
 * dialects and the paths of their endpoints. Knows the table of dialects and what every one of them
 * tells of itself; does not know any dialect by name, nor [mount PATH] (config_mounts.c).
 *
 * [realm] sections come first, so that a [mount] may join a realm of any line. */
#include "process/config_reader.h"

#include <stdio.h>
#include <string.h>

#include "dialect/at_jwt.h"
#include "dialect/dialect.h"
#include "process/dialects.h"
#include "http/origin.h"

static bool check_section(struct config_reader *reader, const struct config_section *section);
static bool take_realm(struct config_reader *reader, const struct config_section *section);
static bool add_dialects(struct config_reader *reader, const struct config_section *section);
static bool add_dialect(struct config_reader *reader, const struct config_section *section,
                        const struct config_line *line, struct text name);
static bool take_lines(struct config_reader *reader, const struct config_section *section,
                       size_t first);
static bool check_move(struct config_reader *reader, const struct config_line *line, size_t first);
static bool moves(struct text name, const struct dialect *dialect, const struct endpoint *endpoint);
static bool mount_endpoint(struct config_reader *reader, const struct config_section *section,
                           const char *base, const struct realm *realm,
                           const struct endpoint *endpoint);
static bool finish_realms(struct config_reader *reader);
static void find_device_page(const struct config *config, struct realm *realm);

bool config_take_realms(struct config_reader *reader)
{
    for (size_t i = 0; i < reader->section_count; i++) {
        if (!check_section(reader, &reader->sections[i])) {
            return false;
        }
    }
    for (size_t i = 0; i < reader->section_count; i++) {
        const struct config_section *section = &reader->sections[i];

        if (text_is(section->word, "realm") && !take_realm(reader, section)) {
            return false;
        }
    }
    reader->shared_count = reader->config->realm_count;
    for (size_t i = 0; i < reader->section_count; i++) {
        const struct config_section *section = &reader->sections[i];

        if (text_is(section->word, "mount") && !config_take_mount(reader, section)) {
            return false;
        }
    }
    return config_add_own_mounts(reader) && finish_realms(reader) && config_add_documents(reader);
}

/* Its name, and that nothing is set twice in it. [retoken] sections add up: config_settings.c. */
static bool check_section(struct config_reader *reader, const struct config_section *section)
{
    bool bare = section->argument.size == 0;

    if (text_is(section->word, "retoken") && bare) {
        return true;
    } else if (bare || !text_has_word(TEXT("realm mount dialect webhook hook"), section->word)) {
        return config_complain(
            reader, section->line,
            "[%.*s%s%.*s]: unknown section; write [retoken], [realm NAME], [mount PATH], "
            "[dialect NAME], [webhook NAME] or [hook NAME]",
            TEXT_ARGS(text_cut(section->word, 40)), bare ? "" : " ",
            TEXT_ARGS(text_cut(section->argument, 40)));
    }
    for (size_t i = 0; i < section->count; i++) {
        for (size_t j = 0; j < i; j++) {
            if (text_equal(section->lines[j].name, section->lines[i].name)) {
                return config_complain(
                    reader, section->lines[i].number, "%.*s is already set on line %u",
                    TEXT_ARGS(text_cut(section->lines[i].name, 80)), section->lines[j].number);
            }
        }
    }
    return true;
}

/* ---- [realm NAME] ---- */

static bool take_realm(struct config_reader *reader, const struct config_section *section)
{
    static const struct config_setting base_setting = {.name = "base", .room = MOUNT_PATH_MAX + 1};
    const struct config *config = reader->config;
    const struct config_line *line = config_line_find(section, "base");
    char base[MOUNT_PATH_MAX + 1] = "";
    size_t first = config->realm_count;
    const char *wrong = "";

    if (line != NULL && !config_read_prefix(reader, &base_setting, line->value, base, &wrong)) {
        return config_complain_value(reader, line, wrong);
    } else if (!add_dialects(reader, section) || !take_lines(reader, section, first)) {
        return false;
    }
    for (size_t i = first; i < config->realm_count; i++) {
        const struct dialect *dialect = config->realms[i].dialect;

        for (size_t j = 0; j < dialect->endpoint_count; j++) {
            if (!mount_endpoint(reader, section, base, &config->realms[i],
                                &dialect->endpoints[j])) {
                return false;
            }
        }
    }
    return true;
}

static bool add_dialects(struct config_reader *reader, const struct config_section *section)
{
    const struct config_line *line = config_line_find(section, "dialect");
    char names[256];

    if (line == NULL) {
        return config_complain(reader, section->line,
                               "[realm %.*s]: no dialect; write dialect = one or more of %s",
                               TEXT_ARGS(text_cut(section->argument, 80)),
                               config_list_dialects(false, names, sizeof names));
    }
    struct text rest = line->value;
    do {
        if (!add_dialect(reader, section, line, text_trim(text_split(&rest, ',')))) {
            return false;
        }
    } while (rest.size > 0);
    return true;
}

static bool add_dialect(struct config_reader *reader, const struct config_section *section,
                        const struct config_line *line, struct text name)
{
    static const struct config_setting setting = {.name = "realm", .room = SESSION_REALM_MAX + 1};
    const struct dialect *dialect = config_find_dialect(reader, name);
    const char *wrong = "";
    char names[256];

    if (dialect == NULL || !config_issues(dialect)) {
        return config_complain(reader, line->number, "dialect = %.*s: unknown; write one of %s",
                               TEXT_ARGS(text_cut(name, 80)),
                               config_list_dialects(false, names, sizeof names));
    }
    const struct realm *before =
        config_find_realm(reader, section->argument, dialect, reader->config->realm_count);
    if (before != NULL) {
        return config_complain(reader, line->number, "[realm %s] has %s already, on line %u",
                               before->name, dialect->name,
                               reader->realms[before - reader->config->realms].section);
    }
    struct realm *realm = config_add_realm(reader, section->line, dialect);
    return realm != NULL &&
           (config_read_name(reader, &setting, section->argument, realm->name, &wrong) ||
            config_complain(reader, section->line, "[realm %.*s]: %s",
                            TEXT_ARGS(text_cut(section->argument, 80)), wrong));
}

static bool take_lines(struct config_reader *reader, const struct config_section *section,
                       size_t first)
{
    size_t count = reader->config->realm_count - first;

    for (size_t i = 0; i < section->count; i++) {
        const struct config_line *line = &section->lines[i];

        if (text_is(line->name, "dialect") || text_is(line->name, "base")) {
            continue;
        } else if (text_starts(line->name, TEXT("path."))
                       ? !check_move(reader, line, first)
                       : !config_take_setting(reader, section, line, first, count)) {
            return false;
        }
    }
    return true;
}

/* A line that starts with "path." moves one endpoint of the section's dialects. */
static bool check_move(struct config_reader *reader, const struct config_line *line, size_t first)
{
    const struct config *config = reader->config;
    size_t moved = 0;
    char names[256];

    for (size_t i = first; i < config->realm_count; i++) {
        const struct dialect *dialect = config->realms[i].dialect;

        for (size_t j = 0; j < dialect->endpoint_count; j++) {
            moved += moves(line->name, dialect, &dialect->endpoints[j]);
        }
    }
    if (moved == 0) {
        const struct dialect *dialect = config->realms[first].dialect;
        return config_complain(reader, line->number, "%.*s: no such endpoint; %s has %s",
                               TEXT_ARGS(line->name), dialect->name,
                               config_list_endpoints(dialect, names, sizeof names));
    }
    return moved == 1 ||
           config_complain(reader, line->number,
                           "%.*s: several dialects have such an endpoint; write path.DIALECT.%.*s",
                           TEXT_ARGS(line->name), TEXT_ARGS(text_from(line->name, 5)));
}

/* Is it "path.ENDPOINT" or "path.DIALECT.ENDPOINT" of this one? */
static bool moves(struct text name, const struct dialect *dialect, const struct endpoint *endpoint)
{
    struct text rest = name;

    if (!text_is(text_split(&rest, '.'), "path")) {
        return false;
    } else if (text_is(rest, endpoint->name)) {
        return true;
    }
    return text_is(text_split(&rest, '.'), dialect->name) && text_is(rest, endpoint->name);
}

/* At its own path behind the base, or where the section puts it. */
static bool mount_endpoint(struct config_reader *reader, const struct config_section *section,
                           const char *base, const struct realm *realm,
                           const struct endpoint *endpoint)
{
    const struct config_line *line = NULL;
    char own[2 * MOUNT_PATH_MAX];

    for (size_t i = 0; i < section->count; i++) {
        const struct config_line *mover = &section->lines[i];

        if (!moves(mover->name, realm->dialect, endpoint)) {
            continue;
        } else if (line != NULL) {
            return config_complain(reader, mover->number, "%.*s: %s is already moved on line %u",
                                   TEXT_ARGS(mover->name), endpoint->name, line->number);
        }
        line = mover;
    }
    (void)snprintf(own, sizeof own, "%s%s", base, endpoint->path);
    struct text path = line != NULL ? line->value : text_of(own);
    unsigned number = line != NULL ? line->number : section->line;
    if (line != NULL) {
        reader->realms[realm - reader->config->realms].placed |=
            1U << (endpoint - realm->dialect->endpoints);
    } else if (endpoint->document != DOCUMENT_NONE) {
        return true; /* config_documents.c */
    }
    if ((line != NULL && text_is(path, "off")) ||
        (line == NULL && !config_serves(realm, endpoint))) {
        return true;
    } else if (!config_serves(realm, endpoint)) {
        return config_complain(reader, number,
                               "path.%s has no effect: add remote-user = known or any",
                               endpoint->name);
    } else if (path.size > MOUNT_PATH_MAX) {
        return config_complain(reader, number, "[realm %s]: the path of %s is longer than %d bytes",
                               realm->name, endpoint->name, MOUNT_PATH_MAX);
    } else if (!config_is_mountable(path)) {
        return config_complain_value(
            reader, line, "not a path that a request could have; write for example /token, or off");
    } else if (config_taken_by(reader, path) != 0) {
        return config_complain(reader, number,
                               "[realm %s]: %.*s is already in use by line %u; write base = "
                               "/PREFIX, or path.%s = PATH or off",
                               realm->name, TEXT_ARGS(path), config_taken_by(reader, path),
                               endpoint->name);
    }
    return config_add_mount(reader, number, path, endpoint, realm);
}

/* ---- realms ---- */

struct realm *config_add_realm(struct config_reader *reader, unsigned line,
                               const struct dialect *dialect)
{
    struct config *config = reader->config;

    if (config->realm_count == CONFIG_REALMS_MAX) {
        (void)config_complain(reader, line, "more than %d realms", CONFIG_REALMS_MAX);
        return NULL;
    }
    struct realm *realm = &config->realms[config->realm_count];
    reader->realms[config->realm_count++].section = line;
    *realm = (struct realm){.dialect = dialect, .policy = dialect->policy};
    realm->policy.recovery_generations = 1;
    (void)text_copy(text_of(dialect->issuer), realm->issuer, sizeof realm->issuer);
    (void)text_copy(text_of(dialect->audience), realm->audience, sizeof realm->audience);
    return realm;
}

const struct realm *config_find_realm(const struct config_reader *reader, struct text name,
                                      const struct dialect *dialect, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        const struct realm *realm = &reader->config->realms[i];

        if (realm->dialect == dialect && text_is(name, realm->name)) {
            return realm;
        }
    }
    return NULL;
}

static bool finish_realms(struct config_reader *reader)
{
    struct config *config = reader->config;

    for (size_t i = 0; i < config->realm_count; i++) {
        struct realm *realm = &config->realms[i];

        if (!realm_issues(realm)) {
            continue;
        }
        if (realm->at_jwt) {
            realm->policy.layout = &at_jwt_layout;
        }
        realm->issuer_is_own = config_realm_line(reader, i, "issuer") != 0;
        if (reader->issuer[0] != '\0' && !realm->issuer_is_own) {
            memcpy(realm->issuer, reader->issuer, sizeof realm->issuer);
            realm->issuer_is_own = true;
        }
        if (config_realm_line(reader, i, "allow-origins") == 0) {
            memcpy(realm->origins, reader->origins, sizeof realm->origins);
        }
        if (realm->verification_uri[0] == '\0') {
            find_device_page(config, realm);
        }
        if (!config_check_realm(reader, i)) {
            return false;
        }
    }
    return true;
}

/* The page may be of another realm's struct, with this one's sessions. Its URL is on the issuer's
 * host, where the web server sees it. */
static void find_device_page(const struct config *config, struct realm *realm)
{
    struct text origin = http_origin_of_url(text_of(realm->issuer));

    for (size_t i = 0; i < config->mount_count && origin.size > 0; i++) {
        const struct mount *mount = &config->mounts[i];

        if (mount->endpoint->approves_devices && mount->realm->dialect == realm->dialect &&
            text_is(text_of(mount->realm->name), realm->name)) {
            (void)snprintf(realm->verification_uri, sizeof realm->verification_uri, "%.*s%s%s",
                           TEXT_ARGS(origin), config->prefix, mount->path);
        }
    }
}
