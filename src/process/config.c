/* config.c: the INI file into struct config. inih splits lines into names and values; what they
 * mean, which line they stand on and what would be right is known here. Does not know what a
 * dialect is beyond its name (struct config_dialects), and opens nothing that the file names.
 *
 * The file is read twice: a mount's dialect gives its defaults, wherever in the section it stands,
 * so dialects are read first and everything else on top of them.
 *
 * To add a setting: a field in struct config or model/mount.h, a row in `general_settings` or
 * `mount_settings`, a paragraph in retoken.conf(5). */
#include "process/config.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <ini.h>

#include "base/clock.h"
#include "process/path.h"
#include "token/layout.h"

enum { FILE_SIZE_MAX = 256 * 1024, LINE_SIZE_MAX = 2048, SETTINGS_MAX = 24 };

/* On which line of its section each setting stands; 0 = not there. */
struct lines {
    unsigned section;
    unsigned setting[SETTINGS_MAX];
};

enum section { SECTION_NONE, SECTION_GENERAL, SECTION_MOUNT };

struct reader {
    const struct config_dialects *dialects;
    struct config *config;
    struct fault *fault;
    bool failed; /* *fault is set; the first complaint is the one that is told */

    char *contents; /* of the whole file */
    struct text directory;
    char issuer[REALM_VALUE_MAX + 1]; /* of mounts that name none */
    struct text rest;                 /* not yet given to inih */
    unsigned line;

    bool second; /* the pass in which settings are read */
    enum section section;
    size_t mount;  /* the section's, in SECTION_MOUNT */
    size_t passed; /* mount sections seen in this pass */

    bool has_dialect[CONFIG_MOUNTS_MAX];
    struct lines general_lines;
    struct lines mount_lines[CONFIG_MOUNTS_MAX];
};

/* ---- complaints ---- */

static bool complain_at(struct reader *reader, unsigned line, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* The file as it was named; a very long name leaves no room for what is wrong in it. */
static const char *shown_name(const char *file)
{
    const char *slash = strrchr(file, '/');
    return strlen(file) > 120 && slash != NULL ? slash + 1 : file;
}

/* Always false. */
static bool complain_at(struct reader *reader, unsigned line, const char *format, ...)
{
    char text[sizeof reader->fault->text];
    va_list arguments;

    if (!reader->failed) {
        reader->failed = true;
        va_start(arguments, format);
        vsnprintf(text, sizeof text, format, arguments);
        va_end(arguments);
        fault_set(reader->fault, "%s:%u: %s", shown_name(reader->config->file), line, text);
    }
    return false;
}

/* ---- values ---- */

struct choice {
    const char *word;
    int value;
};

struct setting {
    const char *name;
    /* Reads the value into the field. False: *wrong says what would be right. */
    bool (*read)(struct reader *reader, const struct setting *setting, struct text value,
                 void *field, const char **wrong);
    size_t offset; /* of the field */
    size_t room;   /* of a text field */
    int64_t least, most;
    const char *range; /* "between 1s and 1h" */
    const struct choice *choices;
    const char *words; /* "on or off" */
};

static bool read_text(struct reader *reader, const struct setting *setting, struct text value,
                      void *field, const char **wrong)
{
    (void)reader;
    if (text_has_control(value) || !text_is_utf8(value)) {
        *wrong = "holds bytes that are not UTF-8 text";
    } else if (!text_copy(value, field, setting->room)) {
        *wrong = "too long";
    } else {
        return true;
    }
    return false;
}

/* A name is compared and stands in log lines and access tokens: one visible word. */
static bool read_name(struct reader *reader, const struct setting *setting, struct text value,
                      void *field, const char **wrong)
{
    if (!text_is_visible_ascii(value)) {
        *wrong = "not one word of visible ASCII";
        return false;
    }
    return read_text(reader, setting, value, field, wrong);
}

/* DIRECTORY/value; absolute values as they are. */
static bool join(struct text directory, struct text value, char *field, size_t room)
{
    bool absolute = text_starts(value, TEXT("/")) || directory.size == 0;
    int size = text_is(value, ".") && directory.size > 0
                   ? snprintf(field, room, "%.*s", TEXT_ARGS(directory))
               : absolute ? snprintf(field, room, "%.*s", TEXT_ARGS(value))
                          : snprintf(field, room, "%.*s%s%.*s", TEXT_ARGS(directory),
                                     text_ends(directory, TEXT("/")) ? "" : "/", TEXT_ARGS(value));
    return size >= 0 && (size_t)size < room;
}

static bool read_path(struct reader *reader, const struct setting *setting, struct text value,
                      void *field, const char **wrong)
{
    if (value.size == 0) {
        *wrong = "empty; write a path";
    } else if (!join(reader->directory, value, field, setting->room)) {
        *wrong = "too long";
    } else {
        return true;
    }
    return false;
}

static bool read_store(struct reader *reader, const struct setting *setting, struct text value,
                       void *field, const char **wrong)
{
    static const struct text scheme = {"lmdb:", 5};
    char *url = field;

    if (text_is(value, "memory:")) {
        return read_text(reader, setting, value, field, wrong);
    } else if (!text_starts(value, scheme) || value.size == scheme.size) {
        *wrong = "not a store; write lmdb:DIRECTORY";
        return false;
    }
    memcpy(url, scheme.data, scheme.size);
    if (!join(reader->directory, text_from(value, scheme.size), url + scheme.size,
              setting->room - scheme.size)) {
        *wrong = "too long";
        return false;
    }
    return true;
}

static bool read_prefix(struct reader *reader, const struct setting *setting, struct text value,
                        void *field, const char **wrong)
{
    if (value.size > 0 && (!path_is_clean(value) || text_ends(value, TEXT("/")))) {
        *wrong = "not a path prefix; write for example /auth";
        return false;
    }
    return read_text(reader, setting, value, field, wrong);
}

static bool in_range(const struct setting *setting, int64_t value, const char **wrong)
{
    *wrong = setting->range;
    return value >= setting->least && value <= setting->most;
}

static bool read_duration(struct reader *reader, const struct setting *setting, struct text value,
                          void *field, const char **wrong)
{
    int64_t ms;

    (void)reader;
    *wrong = "not a duration; write for example 60s";
    if (!config_duration_parse(value, &ms) || !in_range(setting, ms, wrong)) {
        return false;
    }
    *(int64_t *)field = ms;
    return true;
}

static bool read_size(struct reader *reader, const struct setting *setting, struct text value,
                      void *field, const char **wrong)
{
    uint64_t bytes;

    (void)reader;
    *wrong = "not a size; write for example 64k";
    if (!config_size_parse(value, &bytes) || !in_range(setting, (int64_t)bytes, wrong)) {
        return false;
    }
    *(uint64_t *)field = bytes;
    return true;
}

static bool read_count(struct reader *reader, const struct setting *setting, struct text value,
                       void *field, const char **wrong)
{
    uint64_t count;

    (void)reader;
    *wrong = "not a number; write for example 64";
    if (!text_to_u64(value, INT32_MAX, &count) || !in_range(setting, (int64_t)count, wrong)) {
        return false;
    }
    *(uint64_t *)field = count;
    return true;
}

static bool choose(const struct setting *setting, struct text value, int *chosen,
                   const char **wrong)
{
    for (const struct choice *choice = setting->choices; choice->word != NULL; choice++) {
        if (text_is(value, choice->word)) {
            *chosen = choice->value;
            return true;
        }
    }
    *wrong = setting->words;
    return false;
}

/* Choices are copied into fields of an enum type. */
_Static_assert(sizeof(enum log_level) == sizeof(int), "enum log_level is an int");
_Static_assert(sizeof(enum mount_behaviour) == sizeof(int), "enum mount_behaviour is an int");
_Static_assert(sizeof(enum recovery_evidence) == sizeof(int), "enum recovery_evidence is an int");
_Static_assert(sizeof(enum refresh_format) == sizeof(int), "enum refresh_format is an int");

static bool read_choice(struct reader *reader, const struct setting *setting, struct text value,
                        void *field, const char **wrong)
{
    int chosen;

    (void)reader;
    if (!choose(setting, value, &chosen, wrong)) {
        return false;
    }
    memcpy(field, &chosen, sizeof chosen);
    return true;
}

static bool read_switch(struct reader *reader, const struct setting *setting, struct text value,
                        void *field, const char **wrong)
{
    int chosen;

    (void)reader;
    if (!choose(setting, value, &chosen, wrong)) {
        return false;
    }
    *(bool *)field = chosen != 0;
    return true;
}

static bool read_algorithm(struct reader *reader, const struct setting *setting, struct text value,
                           void *field, const char **wrong)
{
    (void)reader;
    (void)setting;
    *wrong = "not an algorithm; write HS256, RS256, RS384, RS512, PS256, ES256, ES384 or EdDSA";
    return signing_algorithm_parse(value, field);
}

/* [retoken] may stand behind the mounts, so this one waits in the reader. */
static bool read_issuer(struct reader *reader, const struct setting *setting, struct text value,
                        void *field, const char **wrong)
{
    (void)field;
    return read_text(reader, setting, value, reader->issuer, wrong);
}

/* The first pass has read it. */
static bool read_dialect(struct reader *reader, const struct setting *setting, struct text value,
                         void *field, const char **wrong)
{
    (void)reader;
    (void)setting;
    (void)value;
    (void)field;
    (void)wrong;
    return true;
}

/* ---- the settings ---- */

static const struct choice log_levels[] = {{"error", LOG_LEVEL_ERROR},
                                           {"notice", LOG_LEVEL_NOTICE},
                                           {"info", LOG_LEVEL_INFO},
                                           {"debug", LOG_LEVEL_DEBUG},
                                           {NULL, 0}};
static const struct choice switches[] = {{"off", 0}, {"on", 1}, {NULL, 0}};
static const struct choice reuses[] = {{"revoke", 0}, {"report", 1}, {NULL, 0}};
static const struct choice behaviours[] = {
    {"documented", BEHAVIOUR_DOCUMENTED}, {"deployed", BEHAVIOUR_DEPLOYED}, {NULL, 0}};
static const struct choice evidences[] = {
    {"client", RECOVERY_EVIDENCE_CLIENT}, {"none", RECOVERY_EVIDENCE_NONE}, {NULL, 0}};
static const struct choice formats[] = {{"native", REFRESH_FORMAT_NATIVE},
                                        {"uuid", REFRESH_FORMAT_UUID},
                                        {"jwt", REFRESH_FORMAT_JWT},
                                        {NULL, 0}};

#define YEARS(n)                  (INT64_C(n) * 365 * CLOCK_DAY)
#define KIB(n)                    (INT64_C(n) * 1024)
#define FIELD(type, field)        .offset = offsetof(type, field), .room = sizeof(((type *)0)->field)
#define BETWEEN(low, high, words) .least = (low), .most = (high), .range = words
#define ONE_OF(list, text)        .choices = (list), .words = text

/* [retoken] */
static const struct setting general_settings[] = {
    {"data", read_path, FIELD(struct config, data)},
    {"secret-file", read_path, FIELD(struct config, secret_file)},
    {"store", read_store, FIELD(struct config, store)},
    {"store-size", read_size, FIELD(struct config, store_size),
     BETWEEN(KIB(1024), KIB(1024) * 1024 * 1024, "out of range; write 1m to 1024g")},
    {"store-limit", read_size, FIELD(struct config, store_limit),
     BETWEEN(0, KIB(1024) * 1024 * 1024, "out of range; write 0 (none) to 1024g")},
    {"keep-ended", read_duration, FIELD(struct config, keep_ended_ms),
     BETWEEN(0, YEARS(100), "out of range; write 0 to 36500d")},
    {"log", read_path, FIELD(struct config, log_file)},
    {"log-level", read_choice, FIELD(struct config, log_level),
     ONE_OF(log_levels, "unknown; write error, notice, info or debug")},
    {"prefix", read_prefix, FIELD(struct config, prefix)},
    {"threads", read_count, FIELD(struct config, threads),
     BETWEEN(1, CONFIG_THREADS_MAX, "out of range; write 1 to 256")},
    {"body-limit", read_size, FIELD(struct config, body_limit),
     BETWEEN(KIB(1), KIB(1024), "out of range; write 1k to 1m")},
    {"issuer", read_issuer, .offset = 0, .room = REALM_VALUE_MAX + 1},
};
enum { GENERAL_SETTINGS = sizeof general_settings / sizeof general_settings[0] };

/* [mount PATH] */
static const struct setting mount_settings[] = {
    {"dialect", read_dialect, .offset = 0},
    {"behaviour", read_choice, FIELD(struct realm, behaviour),
     ONE_OF(behaviours, "unknown; write documented or deployed")},
    {"realm", read_name, FIELD(struct realm, name)},
    {"rotation", read_switch, FIELD(struct realm, policy.rotate),
     ONE_OF(switches, "write on or off")},
    {"concurrency-window", read_duration, FIELD(struct realm, policy.concurrency_window_ms),
     BETWEEN(0, CLOCK_HOUR, "out of range; write 0 to 1h")},
    {"recovery-window", read_duration, FIELD(struct realm, policy.recovery_window_ms),
     BETWEEN(0, INT64_C(90) * CLOCK_DAY, "out of range; write 0 to 90d")},
    {"recovery-evidence", read_choice, FIELD(struct realm, policy.recovery_evidence),
     ONE_OF(evidences, "unknown; write client or none")},
    {"idle-lifetime", read_duration, FIELD(struct realm, policy.idle_lifetime_ms),
     BETWEEN(0, YEARS(100), "out of range; write 0 (none) to 36500d")},
    {"absolute-lifetime", read_duration, FIELD(struct realm, policy.absolute_lifetime_ms),
     BETWEEN(0, YEARS(100), "out of range; write 0 (none) to 36500d")},
    {"access-lifetime", read_duration, FIELD(struct realm, policy.access_lifetime_ms),
     BETWEEN(CLOCK_SECOND, YEARS(1), "out of range; write 1s to 365d")},
    {"reuse", read_switch, FIELD(struct realm, policy.report_only),
     ONE_OF(reuses, "unknown; write revoke or report")},
    {"format", read_choice, FIELD(struct realm, policy.format),
     ONE_OF(formats, "unknown; write native, uuid or jwt")},
    {"algorithm", read_algorithm, FIELD(struct realm, policy.algorithm)},
    {"issuer", read_text, FIELD(struct realm, issuer)},
    {"audience", read_text, FIELD(struct realm, audience)},
    {"principal", read_switch, FIELD(struct realm, principal), ONE_OF(switches, "write on or off")},
};
enum { MOUNT_SETTINGS = sizeof mount_settings / sizeof mount_settings[0] };

_Static_assert((int)GENERAL_SETTINGS <= (int)SETTINGS_MAX &&
                   (int)MOUNT_SETTINGS <= (int)SETTINGS_MAX,
               "struct lines has room for every setting");

/* The row of that name, or `count`. */
static size_t find_setting(const struct setting *settings, size_t count, const char *name)
{
    size_t i = 0;

    while (i < count && strcmp(settings[i].name, name) != 0) {
        i++;
    }
    return i;
}

static unsigned mount_line(const struct reader *reader, size_t mount, const char *name)
{
    return reader->mount_lines[mount].setting[find_setting(mount_settings, MOUNT_SETTINGS, name)];
}

/* ---- sections ---- */

/* The caller has seen that there is room. */
static struct mount *append_mount(struct config *config)
{
    struct mount *mount = &config->mounts[config->mount_count++];

    mount->realm = &config->realms[config->realm_count++];
    return mount;
}

static bool add_mount(struct reader *reader, struct text path)
{
    struct config *config = reader->config;
    char field[MOUNT_PATH_MAX + 1];

    if (!text_copy(path, field, sizeof field)) {
        return complain_at(reader, reader->line, "[mount]: the path is longer than %d bytes",
                           MOUNT_PATH_MAX);
    } else if (!path_is_clean(path) || text_ends(path, TEXT("/"))) {
        return complain_at(reader, reader->line,
                           "[mount %s]: not a path that a request could have; write for example "
                           "[mount /oauth/token]",
                           field);
    } else if (config->mount_count == CONFIG_MOUNTS_MAX) {
        return complain_at(reader, reader->line, "more than %d mounts", CONFIG_MOUNTS_MAX);
    }
    for (size_t i = 0; i < config->mount_count; i++) {
        if (text_is(path, config->mounts[i].path)) {
            return complain_at(reader, reader->line, "[mount %s] stands on line %u already", field,
                               reader->mount_lines[i].section);
        }
    }
    reader->mount = config->mount_count;
    reader->mount_lines[reader->mount].section = reader->line;
    memcpy(append_mount(config)->path, field, sizeof field);
    return true;
}

static bool enter_section(struct reader *reader, struct text name)
{
    struct text path = text_trim(name);
    struct text word = text_split(&path, ' ');

    if (text_is(word, "retoken") && path.size == 0) {
        reader->section = SECTION_GENERAL;
        return true;
    } else if (!text_is(word, "mount") || path.size == 0) {
        return complain_at(reader, reader->line,
                           "[%.*s]: unknown section; write [retoken] or [mount PATH]",
                           TEXT_ARGS(text_cut(name, 80)));
    }
    reader->section = SECTION_MOUNT;
    if (reader->second) {
        reader->mount = reader->passed++; /* sections come in the order of the first pass */
        return true;
    }
    return add_mount(reader, text_trim(path));
}

/* ---- lines ---- */

/* fgets() for inih. Lines and sections are watched on their way: inih tells no line numbers, cuts
 * section names at 50 bytes, and is silent about sections without a setting. */
static char *next_line(char *out, int room, void *stream)
{
    struct reader *reader = stream;

    if (reader->failed || reader->rest.size == 0) {
        return NULL;
    }
    struct text line = text_trim(text_split(&reader->rest, '\n'));
    reader->line++;
    if (text_ends(line, TEXT("\r"))) {
        line.size--;
    }
    if (room < 3 || line.size > (size_t)room - 3) {
        complain_at(reader, reader->line, "longer than %d bytes", LINE_SIZE_MAX);
        return NULL;
    } else if (text_find(line, '\0') < line.size) {
        complain_at(reader, reader->line, "holds a NUL byte; this is not a text file");
        return NULL;
    }
    size_t close = text_find(line, ']');
    if (text_starts(line, TEXT("[")) && close < line.size &&
        !enter_section(reader, text_from(text_cut(line, close), 1))) {
        return NULL;
    }
    memcpy(out, line.data != NULL ? line.data : "", line.size);
    memcpy(out + line.size, "\n", 2);
    return out;
}

static bool take_dialect(struct reader *reader, const char *name)
{
    struct config *config = reader->config;

    if (!reader->dialects->defaults(name, &config->mounts[reader->mount].kind,
                                    &config->realms[reader->mount])) {
        return complain_at(reader, reader->line, "dialect = %.80s: unknown; write one of %s", name,
                           reader->dialects->names);
    }
    reader->has_dialect[reader->mount] = true;
    return true;
}

static bool take_setting(struct reader *reader, const struct setting *settings, size_t count,
                         struct lines *lines, char *object, const char *name, const char *value)
{
    size_t i = find_setting(settings, count, name);
    const char *wrong = "";

    if (i == count) {
        return complain_at(reader, reader->line, "%.80s: unknown setting in [%s]", name,
                           reader->section == SECTION_GENERAL ? "retoken" : "mount");
    } else if (lines->setting[i] != 0) {
        return complain_at(reader, reader->line, "%s stands on line %u already", name,
                           lines->setting[i]);
    }
    lines->setting[i] = reader->line;
    if (!settings[i].read(reader, &settings[i], text_of(value), object + settings[i].offset,
                          &wrong)) {
        return complain_at(reader, reader->line, "%s = %.80s: %s", name, value, wrong);
    }
    return true;
}

/* Gives inih's 1 for "go on". */
static int take_line(void *user, const char *section, const char *name, const char *value)
{
    struct reader *reader = user;
    struct config *config = reader->config;

    (void)section; /* cut short, see next_line */
    switch (reader->section) {
    case SECTION_NONE:
        return complain_at(reader, reader->line,
                           "%.80s stands before any section; write [retoken] first", name);
    case SECTION_GENERAL:
        return !reader->second || take_setting(reader, general_settings, GENERAL_SETTINGS,
                                               &reader->general_lines, (char *)config, name, value);
    case SECTION_MOUNT:
        if (!reader->second) {
            return strcmp(name, "dialect") != 0 || take_dialect(reader, value);
        }
        return take_setting(reader, mount_settings, MOUNT_SETTINGS,
                            &reader->mount_lines[reader->mount],
                            (char *)&config->realms[reader->mount], name, value);
    }
    return 0;
}

static bool read_pass(struct reader *reader, struct text contents, bool second)
{
    reader->rest = contents;
    reader->line = 0;
    reader->section = SECTION_NONE;
    reader->passed = 0;
    reader->second = second;

    int line = ini_parse_stream(next_line, reader, take_line, reader);
    if (reader->failed) {
        return false;
    } else if (line > 0) {
        return complain_at(reader, (unsigned)line,
                           "neither a section nor a setting; write [SECTION] or NAME = VALUE");
    } else if (line < 0) {
        return complain_at(reader, reader->line, "out of memory");
    }
    return true;
}

/* ---- mounts ---- */

/* What the default mount of this path has; NULL when there is none. */
static const char *default_dialect(const struct reader *reader, const char *path,
                                   const char **realm)
{
    const char *other;
    const char *name;

    for (size_t i = 0; reader->dialects->default_mount(i, &other, &name, realm); i++) {
        if (strcmp(other, path) == 0) {
            return name;
        }
    }
    return NULL;
}

/* A realm is the path unless the default mount of that path and dialect has another. */
static bool give_realm(struct reader *reader, size_t i, unsigned line)
{
    const struct mount *mount = &reader->config->mounts[i];
    struct realm *realm = &reader->config->realms[i];
    const char *shared = NULL;
    const char *name = default_dialect(reader, mount->path, &shared);
    enum mount_kind kind;
    struct realm facts;

    if (name == NULL || shared == NULL || !reader->dialects->defaults(name, &kind, &facts) ||
        facts.dialect != realm->dialect) {
        shared = mount->path;
    }
    if (!text_copy(text_of(shared), realm->name, sizeof realm->name)) {
        return complain_at(reader, line,
                           "[mount %s]: the path is too long to be the realm's name too; write "
                           "realm = NAME, at most %d bytes",
                           mount->path, SESSION_REALM_MAX);
    }
    return true;
}

/* Sections without a dialect: that of the default mount of the path. */
static bool complete_dialects(struct reader *reader)
{
    for (size_t i = 0; i < reader->config->mount_count; i++) {
        const char *path = reader->config->mounts[i].path;
        const char *realm;
        const char *name = default_dialect(reader, path, &realm);

        reader->mount = i;
        if (reader->has_dialect[i]) {
            continue;
        } else if (name == NULL) {
            return complain_at(reader, reader->mount_lines[i].section,
                               "[mount %s]: no dialect; write dialect = one of %s", path,
                               reader->dialects->names);
        } else if (!take_dialect(reader, name)) {
            return false;
        }
    }
    return true;
}

/* Without [mount] sections all default mounts; with one or more, those that carry no tokens, so
 * that naming mounts does not take the keys from who verifies and the health from who watches. */
static bool add_default_mounts(struct reader *reader)
{
    struct config *config = reader->config;
    bool all = config->mount_count == 0;
    const char *path;
    const char *name;
    const char *shared;
    enum mount_kind kind;
    struct realm realm;

    for (size_t i = 0; reader->dialects->default_mount(i, &path, &name, &shared); i++) {
        if (!reader->dialects->defaults(name, &kind, &realm) ||
            config_mount(config, path) != NULL || (!all && kind == MOUNT_REFRESH)) {
            continue;
        } else if (config->mount_count == CONFIG_MOUNTS_MAX) {
            return complain_at(reader, reader->line, "more than %d mounts", CONFIG_MOUNTS_MAX);
        }
        struct mount *mount = append_mount(config);
        (void)text_copy(text_of(path), mount->path, sizeof mount->path);
        mount->kind = kind;
        config->realms[mount - config->mounts] = realm;
    }
    return true;
}

/* ---- what does not go together ---- */

static bool check_unused(struct reader *reader, size_t i)
{
    const struct mount *mount = &reader->config->mounts[i];

    for (size_t j = 0; j < MOUNT_SETTINGS; j++) {
        unsigned line = reader->mount_lines[i].setting[j];
        if (line != 0 && mount_settings[j].read != read_dialect) {
            return complain_at(reader, line,
                               "%s: [mount %s] carries no tokens; it takes dialect "
                               "only",
                               mount_settings[j].name, mount->path);
        }
    }
    return true;
}

static bool check_format(struct reader *reader, size_t i)
{
    const struct policy *policy = &reader->config->realms[i].policy;
    unsigned format = mount_line(reader, i, "format");
    unsigned rotation = mount_line(reader, i, "rotation");

    if (policy->format == REFRESH_FORMAT_JWT && policy->layout->refresh == NULL) {
        return complain_at(reader, format,
                           "format = jwt: only kopong and duktig have such refresh tokens; write "
                           "native or uuid");
    } else if (policy->rotate && policy->keeps_token) {
        return complain_at(reader, rotation,
                           "rotation = on: duktig's answer has no place for the next refresh "
                           "token; write off");
    } else if (policy->rotate && policy->format == REFRESH_FORMAT_JWT && format != 0) {
        return complain_at(reader, format,
                           "format = jwt: such tokens do not rotate; write native or uuid, or "
                           "rotation = off");
    } else if (policy->rotate && policy->format == REFRESH_FORMAT_JWT) {
        return complain_at(reader, rotation,
                           "rotation = on: tokens of format jwt do not rotate; write off, or "
                           "format = native");
    }
    return true;
}

static bool check_mount(struct reader *reader, size_t i)
{
    const struct mount *mount = &reader->config->mounts[i];
    unsigned principal = mount_line(reader, i, "principal");

    if (mount->kind != MOUNT_REFRESH) {
        return check_unused(reader, i);
    } else if (principal != 0 && mount->realm->policy.plain_layout == NULL) {
        return complain_at(reader, principal, "principal: only kopong's tokens have one");
    }
    return check_format(reader, i);
}

/* ---- the whole ---- */

static bool finish_mounts(struct reader *reader)
{
    struct config *config = reader->config;

    if (!add_default_mounts(reader)) {
        return false;
    }
    for (size_t i = 0; i < config->mount_count; i++) {
        struct realm *realm = &config->realms[i];
        bool issues = config->mounts[i].kind == MOUNT_REFRESH;
        if (issues && realm->name[0] == '\0' &&
            !give_realm(reader, i, reader->mount_lines[i].section)) {
            return false;
        } else if (issues && reader->issuer[0] != '\0' && mount_line(reader, i, "issuer") == 0) {
            memcpy(realm->issuer, reader->issuer, sizeof realm->issuer);
        }
        if (!check_mount(reader, i)) {
            return false;
        } else if (realm->policy.plain_layout != NULL && !realm->principal) {
            realm->policy.layout = realm->policy.plain_layout;
        }
    }
    return true;
}

static bool finish_paths(struct reader *reader)
{
    struct config *config = reader->config;
    struct text data = text_of(config->data);

    if ((config->secret_file[0] == '\0' &&
         !join(data, TEXT("secret"), config->secret_file, sizeof config->secret_file)) ||
        (config->store[0] == '\0' && snprintf(config->store, sizeof config->store, "lmdb:%s/store",
                                              config->data) >= (int)sizeof config->store)) {
        fault_set(reader->fault, "data = %.80s…: the path is too long", config->data);
        return false;
    }
    return true;
}

static void set_defaults(struct config *config)
{
    *config = (struct config){
        .store_size = (uint64_t)KIB(64) * 1024,
        .keep_ended_ms = INT64_C(30) * CLOCK_DAY,
        .log_level = LOG_LEVEL_NOTICE,
        .threads = CONFIG_THREADS,
        .body_limit = CONFIG_BODY_LIMIT,
    };
}

static bool fail_file(struct reader *reader, const char *reason)
{
    reader->failed = true;
    fault_set(reader->fault, "%s: %s", shown_name(reader->config->file), reason);
    return false;
}

/* Reads the file whole; *absent when there is none. */
static bool read_file(struct reader *reader, struct text *contents, bool *absent)
{
    int fd = open(reader->config->file, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
    struct stat status;
    size_t size = 0;
    ssize_t got = 1;

    *absent = fd < 0 && errno == ENOENT;
    if (fd < 0) {
        return fail_file(reader, strerror(errno));
    } else if (fstat(fd, &status) != 0 || !S_ISREG(status.st_mode)) {
        close(fd);
        return fail_file(reader, "not a file");
    }
    reader->contents = malloc(FILE_SIZE_MAX + 1);
    while (reader->contents != NULL && got > 0 && size <= FILE_SIZE_MAX) {
        got = read(fd, reader->contents + size, FILE_SIZE_MAX + 1 - size);
        size += got > 0 ? (size_t)got : 0;
    }
    int error = errno;
    close(fd);
    if (reader->contents == NULL || got < 0) {
        return fail_file(reader, strerror(reader->contents == NULL ? ENOMEM : error));
    } else if (size > FILE_SIZE_MAX) {
        return fail_file(reader, "larger than 256 KiB");
    }
    *contents = (struct text){reader->contents, size};
    return true;
}

/* $RETOKEN_HOME; ./retoken-data for a demo. */
static const char *home(void)
{
    const char *named = getenv("RETOKEN_HOME");
    return named != NULL && named[0] != '\0' ? named : "retoken-data";
}

/* Which file; *optional when nobody named it. */
static bool choose_file(const char *file, struct config *config, bool *optional)
{
    const char *named = file != NULL ? file : getenv("RETOKEN_CONFIG");

    *optional = named == NULL || named[0] == '\0';
    if (*optional) {
        return snprintf(config->file, sizeof config->file, "%s/retoken.conf", home()) <
               (int)sizeof config->file;
    }
    return text_copy(text_of(named), config->file, sizeof config->file);
}

/* The folder of a file; empty for the current one. */
static struct text folder_of(const char *file)
{
    const char *slash = strrchr(file, '/');
    size_t size = slash == NULL ? 0 : slash == file ? 1 : (size_t)(slash - file);
    return (struct text){file, size};
}

static bool read_config(struct reader *reader, bool optional)
{
    struct config *config = reader->config;
    struct text contents = {0};
    bool absent = false;

    reader->directory = folder_of(config->file);
    if (!join((struct text){0}, reader->directory.size > 0 ? reader->directory : TEXT("."),
              config->data, sizeof config->data)) {
        return fail_file(reader, "the path is too long");
    } else if (!read_file(reader, &contents, &absent)) {
        if (!absent || !optional) {
            return false;
        }
        reader->failed = false;
        config->file[0] = '\0';
    }
    if (text_starts(contents, TEXT("\xef\xbb\xbf"))) {
        contents = text_from(contents, 3);
    }
    return read_pass(reader, contents, false) && complete_dialects(reader) &&
           read_pass(reader, contents, true) && finish_mounts(reader) && finish_paths(reader);
}

bool config_load(const char *file, const struct config_dialects *dialects, struct config *config,
                 struct fault *fault)
{
    struct fault unheard;
    struct reader *reader = calloc(1, sizeof *reader);
    bool optional;

    fault = fault != NULL ? fault : &unheard;
    fault->text[0] = '\0';
    set_defaults(config);
    if (reader == NULL) {
        fault_set(fault, "configuration: out of memory");
        return false;
    } else if (!choose_file(file, config, &optional)) {
        fault_set(fault, "configuration: the path is too long");
        free(reader);
        return false;
    }
    reader->dialects = dialects;
    reader->config = config;
    reader->fault = fault;
    /* inih reads lines of 200 bytes into its stack, and takes an indented line for more of the one
     * before, unless told otherwise; it is told in its own globals. */
    ini_use_stack = false;
    ini_max_line = ini_initial_alloc = LINE_SIZE_MAX + 3;
    ini_allow_multiline = false;
    ini_stop_on_first_error = true;

    bool loaded = read_config(reader, optional);
    if (loaded) {
        fault->text[0] = '\0';
    }
    free(reader->contents);
    free(reader);
    return loaded;
}

const struct mount *config_mount(const struct config *config, const char *path)
{
    for (size_t i = 0; i < config->mount_count; i++) {
        if (strcmp(config->mounts[i].path, path) == 0) {
            return &config->mounts[i];
        }
    }
    return NULL;
}

/* ---- numbers with units ---- */

struct unit {
    char letter;
    int64_t size;
};

/* From large to small. */
static const struct unit duration_units[] = {{'w', INT64_C(7) * CLOCK_DAY},
                                             {'d', CLOCK_DAY},
                                             {'h', CLOCK_HOUR},
                                             {'m', CLOCK_MINUTE},
                                             {'s', CLOCK_SECOND}};
static const struct unit size_units[] = {
    {'g', INT64_C(1) << 30}, {'m', INT64_C(1) << 20}, {'k', INT64_C(1) << 10}};

static bool parse_units(struct text t, const struct unit *units, size_t count, int64_t *value)
{
    uint64_t number;

    if (t.size < 2) {
        return false;
    }
    for (size_t i = 0; i < count; i++) {
        if (t.data[t.size - 1] == units[i].letter) {
            uint64_t most = (uint64_t)(INT64_MAX / units[i].size);
            if (!text_to_u64(text_cut(t, t.size - 1), most, &number)) {
                return false;
            }
            *value = (int64_t)number * units[i].size;
            return true;
        }
    }
    return false;
}

bool config_duration_parse(struct text t, int64_t *ms)
{
    if (text_is(t, "0")) {
        *ms = 0;
        return true;
    }
    return parse_units(t, duration_units, sizeof duration_units / sizeof duration_units[0], ms);
}

bool config_size_parse(struct text t, uint64_t *bytes)
{
    int64_t value;

    if (text_to_u64(t, INT64_MAX, bytes)) {
        return true;
    } else if (!parse_units(t, size_units, sizeof size_units / sizeof size_units[0], &value)) {
        return false;
    }
    *bytes = (uint64_t)value;
    return true;
}

void config_duration_format(int64_t ms, char out[32])
{
    size_t count = sizeof duration_units / sizeof duration_units[0];

    if (ms == 0) {
        snprintf(out, 32, "0");
        return;
    }
    for (size_t i = 0; i < count; i++) {
        if (ms % duration_units[i].size == 0) {
            snprintf(out, 32, "%" PRId64 "%c", ms / duration_units[i].size,
                     duration_units[i].letter);
            return;
        }
    }
    snprintf(out, 32, "%" PRId64 "ms", ms);
}
