/* SPDX-License-Identifier: ISC */
/* config_settings.c: the settings: names, fields, kinds of value, bounds and defaults. Knows the
 * fields of struct config and struct realm; does not know which realms and mounts there are.
 *
 * To add a setting: a field in struct config or model/policy.h, a row here, a paragraph in
 * retoken.conf(5). */
#include "process/config_reader.h"

#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "dialect/dialect.h"
#include "process/dialects.h"

static config_read read_secret_file;
static config_read read_issuer;
static config_read read_origins;
static bool take(struct config_reader *reader, const struct config_setting *setting,
                 const struct config_line *line, char *object);
static bool take_own(struct config_reader *reader, const struct config_section *section,
                     const struct config_line *line, size_t first, size_t count);
static bool complain_of_setting(struct config_reader *reader, const struct config_section *section,
                                const struct config_line *line);

static const struct config_choice log_levels[] = {{"error", LOG_LEVEL_ERROR},
                                                  {"notice", LOG_LEVEL_NOTICE},
                                                  {"info", LOG_LEVEL_INFO},
                                                  {"debug", LOG_LEVEL_DEBUG},
                                                  {NULL, 0}};
static const struct config_choice switches[] = {{"off", 0}, {"on", 1}, {NULL, 0}};
static const struct config_choice durabilities[] = {{"quorum", 0}, {"local", 1}, {NULL, 0}};
static const struct config_choice reuses[] = {{"revoke", 0}, {"report", 1}, {NULL, 0}};
static const struct config_choice behaviours[] = {
    {"documented", BEHAVIOUR_DOCUMENTED}, {"deployed", BEHAVIOUR_DEPLOYED}, {NULL, 0}};
static const struct config_choice evidences[] = {
    {"client", RECOVERY_EVIDENCE_CLIENT}, {"none", RECOVERY_EVIDENCE_NONE}, {NULL, 0}};
static const struct config_choice access_tokens[] = {{"dialect", 0}, {"at+jwt", 1}, {NULL, 0}};
static const struct config_choice demands[] = {{"optional", 0}, {"required", 1}, {NULL, 0}};
static const struct config_choice losses[] = {{"refuse", 0}, {"allow", 1}, {NULL, 0}};
static const struct config_choice remote_users[] = {
    {"off", REMOTE_USER_OFF}, {"known", REMOTE_USER_KNOWN}, {"any", REMOTE_USER_ANY}, {NULL, 0}};
static const struct config_choice secured[] = {{"server", 0}, {"always", 1}, {NULL, 0}};
static const struct config_choice adopted_accounts[] = {{"known", 0}, {"create", 1}, {NULL, 0}};
static const struct config_choice formats[] = {{"native", REFRESH_FORMAT_NATIVE},
                                               {"uuid", REFRESH_FORMAT_UUID},
                                               {"jwt", REFRESH_FORMAT_JWT},
                                               {NULL, 0}};

#define YEARS(n)                 (INT64_C(n) * 365 * CLOCK_DAY)
#define KIB(n)                   (INT64_C(n) * 1024)
#define FIELD(type, field)       .offset = offsetof(type, field), .room = sizeof(((type *)0)->field)
#define BETWEEN(low, high, text) .least = (low), .most = (high), .expected = text
#define ONE_OF(list, text)       .choices = (list), .expected = text

/* The store's URL and DATA/secret must fit, too. */
enum { DATA_ROOM = CONFIG_PATH_MAX - 32 };

const struct config_setting config_general_settings[] = {
    {"data", config_read_path, .offset = offsetof(struct config, data), .room = DATA_ROOM},
    {"secret-file", read_secret_file, FIELD(struct config, secret_file)},
    {"store", config_read_store, FIELD(struct config, store)},
    {"store-password-file", config_read_path, FIELD(struct config, store_password_file)},
    {"rotation-durability", config_read_switch, FIELD(struct config, rotation_local),
     ONE_OF(durabilities, "unknown; write quorum or local")},
    {"store-size", config_read_size, FIELD(struct config, store_size),
     BETWEEN(KIB(1024), KIB(1024) * 1024 * 1024, "out of range; write 1m to 1024g")},
    {"store-limit", config_read_size, FIELD(struct config, store_limit),
     BETWEEN(0, KIB(1024) * 1024 * 1024, "out of range; write 0 (none) to 1024g")},
    {"keep-ended", config_read_duration, FIELD(struct config, keep_ended_ms),
     BETWEEN(0, YEARS(100), "out of range; write 0 to 36500d")},
    {"sessions-per-account", config_read_count, FIELD(struct config, session_limit),
     BETWEEN(0, 1000000, "out of range; write 0 (none) to 1000000")},
    {"writer-wait", config_read_duration, FIELD(struct config, writer_wait_ms),
     BETWEEN(CLOCK_SECOND, CLOCK_HOUR, "out of range; write 1s to 1h")},
    {"password-hash", config_read_password_method, FIELD(struct config, password_method)},
    {"log", config_read_log, FIELD(struct config, log_target)},
    {"log-level", config_read_choice, FIELD(struct config, log_level),
     ONE_OF(log_levels, "unknown; write error, notice, info or debug")},
    {"metrics", config_read_switch, FIELD(struct config, metrics),
     ONE_OF(switches, "unknown; write on or off")},
    {"prefix", config_read_prefix, FIELD(struct config, prefix)},
    {"https", config_read_switch, FIELD(struct config, https),
     ONE_OF(secured, "unknown; write server or always")},
    {"trailing-slash", config_read_switch, FIELD(struct config, trailing_slash),
     ONE_OF(switches, "unknown; write on or off")},
    {"threads", config_read_count, FIELD(struct config, threads),
     BETWEEN(1, CONFIG_THREADS_MAX, "out of range; write 1 to 256")},
    {"body-limit", config_read_size, FIELD(struct config, body_limit),
     BETWEEN(KIB(1), KIB(1024), "out of range; write 1k to 1m")},
    {"outbox-size", config_read_count, FIELD(struct config, outbox_size),
     BETWEEN(100, 10000000, "out of range; write 100 to 10000000")},
    {"issuer", read_issuer, .room = REALM_VALUE_MAX + 1},
    {"allow-origins", read_origins, .room = REALM_ORIGINS_MAX + 1},
};
const size_t config_general_count =
    sizeof config_general_settings / sizeof config_general_settings[0];

const struct config_setting config_realm_settings[] = {
    {"behaviour", config_read_choice, FIELD(struct realm, behaviour),
     ONE_OF(behaviours, "unknown; write documented or deployed")},
    {"rotation", config_read_switch, FIELD(struct realm, policy.rotate),
     ONE_OF(switches, "write on or off")},
    {"concurrency-window", config_read_duration, FIELD(struct realm, policy.concurrency_window_ms),
     BETWEEN(0, CLOCK_HOUR, "out of range; write 0 to 1h")},
    {"recovery-window", config_read_duration, FIELD(struct realm, policy.recovery_window_ms),
     BETWEEN(0, INT64_C(90) * CLOCK_DAY, "out of range; write 0 to 90d")},
    {"recovery-evidence", config_read_choice, FIELD(struct realm, policy.recovery_evidence),
     ONE_OF(evidences, "unknown; write client or none")},
    {"recovery-generations", config_read_number, FIELD(struct realm, policy.recovery_generations),
     BETWEEN(1, 8, "out of range; write 1 to 8")},
    {"idle-lifetime", config_read_duration, FIELD(struct realm, policy.idle_lifetime_ms),
     BETWEEN(0, YEARS(100), "out of range; write 0 (none) to 36500d")},
    {"absolute-lifetime", config_read_duration, FIELD(struct realm, policy.absolute_lifetime_ms),
     BETWEEN(0, YEARS(100), "out of range; write 0 (none) to 36500d")},
    {"access-lifetime", config_read_duration, FIELD(struct realm, policy.access_lifetime_ms),
     BETWEEN(CLOCK_SECOND, YEARS(1), "out of range; write 1s to 365d")},
    {"access-jitter", config_read_switch, FIELD(struct realm, policy.access_jitter),
     ONE_OF(switches, "write on or off")},
    {"bearer-max-age", config_read_duration, FIELD(struct realm, policy.bearer_max_age_ms),
     BETWEEN(CLOCK_SECOND, YEARS(1), "out of range; write 1s to 365d")},
    {"reuse", config_read_switch, FIELD(struct realm, policy.report_only),
     ONE_OF(reuses, "unknown; write revoke or report")},
    {"format", config_read_choice, FIELD(struct realm, policy.format),
     ONE_OF(formats, "unknown; write native, uuid or jwt")},
    {"algorithm", config_read_algorithm, FIELD(struct realm, policy.algorithm)},
    {"issuer", config_read_issuer, FIELD(struct realm, issuer)},
    {"audience", config_read_text, FIELD(struct realm, audience)},
    {"resources", config_read_words, FIELD(struct realm, targets)},
    {"access-token", config_read_switch, FIELD(struct realm, at_jwt),
     ONE_OF(access_tokens, "unknown; write dialect or at+jwt")},
    {"dpop", config_read_switch, FIELD(struct realm, policy.dpop_required),
     ONE_OF(demands, "unknown; write optional or required")},
    {"dpop-nonce", config_read_switch, FIELD(struct realm, dpop_nonce),
     ONE_OF(switches, "write on or off")},
    {"client-certificates", config_read_switch, FIELD(struct realm, client_certificates),
     ONE_OF(switches, "write on or off")},
    {"certificate", config_read_switch, FIELD(struct realm, policy.certificate_required),
     ONE_OF(demands, "unknown; write optional or required")},
    {"allow-origins", config_read_origins, FIELD(struct realm, origins)},
    {"remote-user", config_read_choice, FIELD(struct realm, remote_user),
     ONE_OF(remote_users, "unknown; write off, known or any")},
    {"grants", config_read_grants, FIELD(struct realm, policy.grants)},
    {"adopt", config_read_switch, FIELD(struct realm, adoption.on),
     ONE_OF(switches, "write on or off")},
    {"adopt-accounts", config_read_switch, FIELD(struct realm, adoption.creates_accounts),
     ONE_OF(adopted_accounts, "write known or create")},
    {"adopt-until", config_read_date, FIELD(struct realm, adoption.until_ms)},
    {"adopt-issuer", config_read_text, FIELD(struct realm, adoption.issuer)},
    {"adopt-audience", config_read_text, FIELD(struct realm, adoption.audience)},
    {"adopt-claim", config_read_text, FIELD(struct realm, adoption.claim)},
    {"hook", config_read_hook, FIELD(struct realm, hook)},
    {"scope-loss", config_read_switch, FIELD(struct realm, policy.scope_loss),
     ONE_OF(losses, "unknown; write allow or refuse")},
};
const size_t config_realm_count = sizeof config_realm_settings / sizeof config_realm_settings[0];

_Static_assert(sizeof config_general_settings / sizeof config_general_settings[0] <=
                       CONFIG_SETTINGS_MAX &&
                   sizeof config_realm_settings / sizeof config_realm_settings[0] <=
                       CONFIG_SETTINGS_MAX,
               "struct config_origin has room for every setting");

void config_set_defaults(struct config *config)
{
    /* the rest is set as it is added: to touch its pages here takes a CGI script as long as a
     * commit */
    memset(config, 0, offsetof(struct config, hooks));
    config->store_size = (uint64_t)KIB(64) * 1024;
    config->store_limit = (uint64_t)KIB(8) * 1024 * 1024;
    config->session_limit = 10000;
    config->outbox_size = 100000;
    config->keep_ended_ms = INT64_C(30) * CLOCK_DAY;
    config->writer_wait_ms = 5 * CLOCK_SECOND;
    config->log_level = LOG_LEVEL_NOTICE;
    config->trailing_slash = true;
    config->threads = CONFIG_THREADS;
    config->body_limit = CONFIG_BODY_LIMIT;
}

/* The row of that name, or `count`. */
static size_t find(const struct config_setting *settings, size_t count, struct text name)
{
    size_t i = 0;

    while (i < count && !text_is(name, settings[i].name)) {
        i++;
    }
    return i;
}

static bool take_section(struct config_reader *reader, const struct config_section *section)
{
    unsigned *lines = reader->general.setting;

    for (size_t i = 0; i < section->count; i++) {
        const struct config_line *line = &section->lines[i];
        size_t row = find(config_general_settings, config_general_count, line->name);

        if (row == config_general_count) {
            return config_complain(reader, line->number, "%.*s: unknown setting in [retoken]",
                                   TEXT_ARGS(text_cut(line->name, 80)));
        } else if (lines[row] != 0) {
            return config_complain(reader, line->number, "%s is already set on line %u",
                                   config_general_settings[row].name, lines[row]);
        }
        lines[row] = line->number;
        if (!take(reader, &config_general_settings[row], line, (char *)reader->config)) {
            return false;
        }
    }
    return true;
}

bool config_take_general(struct config_reader *reader)
{
    for (size_t i = 0; i < reader->section_count; i++) {
        const struct config_section *section = &reader->sections[i];

        if (text_is(section->word, "retoken") && section->argument.size == 0 &&
            !take_section(reader, section)) {
            return false;
        }
    }
    return true;
}

bool config_take_setting(struct config_reader *reader, const struct config_section *section,
                         const struct config_line *line, size_t first, size_t count)
{
    size_t row = find(config_realm_settings, config_realm_count, line->name);

    if (row == config_realm_count) {
        return take_own(reader, section, line, first, count);
    }
    for (size_t i = first; i < first + count; i++) {
        reader->realms[i].setting[row] = line->number;
        if (!take(reader, &config_realm_settings[row], line, (char *)&reader->config->realms[i])) {
            return false;
        }
    }
    return true;
}

bool config_take_rows(struct config_reader *reader, const struct config_section *section,
                      const struct config_setting *settings, size_t count, void *object)
{
    for (size_t i = 0; i < section->count; i++) {
        const struct config_line *line = &section->lines[i];
        size_t row = find(settings, count, line->name);

        if (row == count) {
            return complain_of_setting(reader, section, line);
        } else if (!take(reader, &settings[row], line, object)) {
            return false;
        }
    }
    return true;
}

static const struct dialect_setting *find_own(const struct dialect *dialect, struct text name)
{
    const struct dialect_setting *setting = dialect->settings;

    while (setting != NULL && setting->name != NULL && !text_is(name, setting->name)) {
        setting++;
    }
    return setting != NULL && setting->name != NULL ? setting : NULL;
}

/* A setting that only a dialect has: for those realms whose dialect has it. */
static bool take_own(struct config_reader *reader, const struct config_section *section,
                     const struct config_line *line, size_t first, size_t count)
{
    bool taken = false;

    for (size_t i = first; i < first + count; i++) {
        struct realm *realm = &reader->config->realms[i];
        const struct dialect_setting *setting = find_own(realm->dialect, line->name);

        if (setting != NULL && !setting->take(realm, line->value)) {
            return config_complain_value(reader, line, setting->expected);
        }
        taken = taken || setting != NULL;
    }
    return taken || complain_of_setting(reader, section, line);
}

static bool complain_of_setting(struct config_reader *reader, const struct config_section *section,
                                const struct config_line *line)
{
    char owners[128] = "";
    size_t size = 0;

    for (size_t i = 0; i < dialects_count() && size < sizeof owners; i++) {
        const struct dialect *dialect = dialects_at(i);

        if (dialect != NULL && find_own(dialect, line->name) != NULL) {
            size += (size_t)snprintf(owners + size, sizeof owners - size, "%s%s",
                                     size > 0 ? " and " : "", dialect->name);
        }
    }
    if (size > 0) {
        return config_complain(reader, line->number, "%.*s: a setting of %s only",
                               TEXT_ARGS(line->name), owners);
    }
    return config_complain(reader, line->number, "%.*s: unknown setting in [%.*s]",
                           TEXT_ARGS(text_cut(line->name, 80)), TEXT_ARGS(section->word));
}

unsigned config_general_line(const struct config_reader *reader, const char *name)
{
    size_t row = find(config_general_settings, config_general_count, text_of(name));

    return row < config_general_count ? reader->general.setting[row] : 0;
}

unsigned config_realm_line(const struct config_reader *reader, size_t realm, const char *name)
{
    size_t row = find(config_realm_settings, config_realm_count, text_of(name));

    return row < config_realm_count ? reader->realms[realm].setting[row] : 0;
}

static bool take(struct config_reader *reader, const struct config_setting *setting,
                 const struct config_line *line, char *object)
{
    const char *wrong = "";

    return setting->read(reader, setting, line->value, object + setting->offset, &wrong) ||
           config_complain_value(reader, line, wrong);
}

/* A path, or what the service manager passes under a name. Other programs than the service see it
 * where systemd keeps it while the service runs. */
static bool read_secret_file(struct config_reader *reader, const struct config_setting *setting,
                             struct text value, void *field, const char **wrong)
{
    const char *directory = getenv("CREDENTIALS_DIRECTORY");
    struct text scheme = TEXT("credential:");

    if (!text_starts(value, scheme)) {
        return config_read_path(reader, setting, value, field, wrong);
    }
    struct text name = text_from(value, scheme.size);
    *wrong = "not the name of a credential; write for example credential:retoken-secret";
    if (name.size == 0 || name.data[0] == '.' || !text_is_visible_ascii(name) ||
        memchr(name.data, '/', name.size) != NULL) {
        return false;
    }
    reader->config->secret_passed = true;
    *wrong = "too long";
    return config_join(directory != NULL && directory[0] == '/' ? text_of(directory)
                                                                : TEXT(CONFIG_CREDENTIALS),
                       name, field, setting->room);
}

/* Holds for realms that set none, wherever they are in the file. */
static bool read_issuer(struct config_reader *reader, const struct config_setting *setting,
                        struct text value, void *field, const char **wrong)
{
    (void)field;
    return config_read_issuer(reader, setting, value, reader->issuer, wrong);
}

static bool read_origins(struct config_reader *reader, const struct config_setting *setting,
                         struct text value, void *field, const char **wrong)
{
    (void)field;
    return config_read_origins(reader, setting, value, reader->origins, wrong);
}
