/* SPDX-License-Identifier: ISC */
/* config_values.c: the kinds of values a setting may have, and numbers with units. Knows how a
 * value is spelled and what to say of one that is not; does not know which settings there are. */
#include "process/config_reader.h"

#include <inttypes.h>
#include <stdio.h>

#include "base/clock.h"
#include "base/date.h"
#include "base/log_socket.h"
#include "http/origin.h"
#include "process/path.h"
#include "store/store.h"

bool config_read_text(struct config_reader *reader, const struct config_setting *setting,
                      struct text value, void *field, const char **wrong)
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

bool config_read_name(struct config_reader *reader, const struct config_setting *setting,
                      struct text value, void *field, const char **wrong)
{
    if (!text_is_visible_ascii(value)) {
        *wrong = "not one word of visible ASCII";
        return false;
    }
    return config_read_text(reader, setting, value, field, wrong);
}

bool config_read_words(struct config_reader *reader, const struct config_setting *setting,
                       struct text value, void *field, const char **wrong)
{
    struct text rest = value;

    while (rest.size > 0) {
        struct text word = text_split(&rest, ' ');

        if (word.size > 0 && !text_is_visible_ascii(word)) {
            *wrong = "not words of visible ASCII with one space between them";
            return false;
        }
    }
    return config_read_text(reader, setting, value, field, wrong);
}

/* Some servers name themselves by a word ("acme.com"); what must have a URL is checked with its
 * realm. */
bool config_read_issuer(struct config_reader *reader, const struct config_setting *setting,
                        struct text value, void *field, const char **wrong)
{
    if (!config_read_text(reader, setting, value, field, wrong)) {
        return false;
    }
    *wrong = "not an issuer; write a URL, for example https://login.example.org";
    return value.size == 0 || text_is_visible_ascii(value);
}

/* DIRECTORY/value; absolute values as they are. */
bool config_join(struct text directory, struct text value, char *field, size_t room)
{
    bool absolute = text_starts(value, TEXT("/")) || directory.size == 0;
    int size = text_is(value, ".") && directory.size > 0
                   ? snprintf(field, room, "%.*s", TEXT_ARGS(directory))
               : absolute ? snprintf(field, room, "%.*s", TEXT_ARGS(value))
                          : snprintf(field, room, "%.*s%s%.*s", TEXT_ARGS(directory),
                                     text_ends(directory, TEXT("/")) ? "" : "/", TEXT_ARGS(value));
    return size >= 0 && (size_t)size < room;
}

bool config_read_path(struct config_reader *reader, const struct config_setting *setting,
                      struct text value, void *field, const char **wrong)
{
    if (value.size == 0) {
        *wrong = "empty; write a path";
    } else if (!config_join(reader->directory, value, field, setting->room)) {
        *wrong = "too long";
    } else {
        return true;
    }
    return false;
}

/* A word, or a path; ./syslog is a file of that name. */
bool config_read_log(struct config_reader *reader, const struct config_setting *setting,
                     struct text value, void *field, const char **wrong)
{
    struct text target = text_is(value, "syslog")    ? TEXT(LOG_SOCKET_SYSLOG)
                         : text_is(value, "journal") ? TEXT(LOG_SOCKET_JOURNAL)
                         : text_is(value, "stderr")  ? TEXT("")
                                                     : value;

    if (target.size > 0 && !log_socket_is_one(target)) {
        return config_read_path(reader, setting, value, field, wrong);
    }
    *wrong = "not a socket; write syslog, journal, or syslog: and an absolute path of up to 107 "
             "bytes";
    return (target.size == 0 || log_socket_fits(target)) && text_copy(target, field, setting->room);
}

bool config_read_store(struct config_reader *reader, const struct config_setting *setting,
                       struct text value, void *field, const char **wrong)
{
    char given[STORE_URL_MAX];
    char *url = field;
    size_t scheme;

    *wrong = "too long";
    if (!text_copy(value, given, sizeof given)) {
        return false;
    }
    switch (store_url_complete(given, url, setting->room, wrong)) {
    case STORE_URL_GOOD:
        break;
    case STORE_URL_SECRET:
        reader->is_secret = true;
        return false;
    case STORE_URL_WRONG:
        return false;
    }
    if (store_url_directory(url) == NULL) {
        return true;
    }
    scheme = (size_t)(store_url_directory(url) - url);
    text_copy(text_of(url + scheme), given, sizeof given);
    if (!config_join(reader->directory, text_of(given), url + scheme, setting->room - scheme)) {
        *wrong = "too long";
        return false;
    }
    return true;
}

bool config_read_prefix(struct config_reader *reader, const struct config_setting *setting,
                        struct text value, void *field, const char **wrong)
{
    if (value.size > 0 && (!path_is_clean(value) || text_ends(value, TEXT("/")))) {
        *wrong = "not a path prefix; write for example /auth";
        return false;
    }
    return config_read_text(reader, setting, value, field, wrong);
}

bool config_read_origins(struct config_reader *reader, const struct config_setting *setting,
                         struct text value, void *field, const char **wrong)
{
    struct text rest = value;

    while (rest.size > 0 && !text_is(value, "*")) {
        struct text origin = text_split(&rest, ' ');

        if (origin.size > 0 && !text_is(origin, "clients") && !http_origin_is_plain(origin)) {
            *wrong = "not origins; write for example https://app.example.org, in lower case and "
                     "with nothing behind the host but a port";
            return false;
        }
    }
    return config_read_text(reader, setting, value, field, wrong);
}

bool config_read_grants(struct config_reader *reader, const struct config_setting *setting,
                        struct text value, void *field, const char **wrong)
{
    uint32_t *grants = field;
    struct text rest = value;

    (void)reader;
    (void)setting;
    *wrong = "unknown; write one or more of refresh, password, client, code, device and exchange";
    *grants = 0;
    while (rest.size > 0) {
        struct text word = text_split(&rest, ' ');
        uint32_t bit = policy_grant_find(word);

        if (word.size > 0 && bit == 0) {
            return false;
        }
        *grants |= bit;
    }
    return *grants != 0;
}

static bool in_range(const struct config_setting *setting, int64_t value, const char **wrong)
{
    *wrong = setting->expected;
    return value >= setting->least && value <= setting->most;
}

bool config_read_date(struct config_reader *reader, const struct config_setting *setting,
                      struct text value, void *field, const char **wrong)
{
    (void)reader;
    (void)setting;
    *wrong = "not a date; write for example 2026-06-30 or 2026-06-30T12:00:00Z";
    return date_parse(value, field);
}

bool config_read_duration(struct config_reader *reader, const struct config_setting *setting,
                          struct text value, void *field, const char **wrong)
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

bool config_read_size(struct config_reader *reader, const struct config_setting *setting,
                      struct text value, void *field, const char **wrong)
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

bool config_read_count(struct config_reader *reader, const struct config_setting *setting,
                       struct text value, void *field, const char **wrong)
{
    uint64_t count;

    (void)reader;
    *wrong = "not a number; write for example 4";
    if (!text_to_u64(value, INT32_MAX, &count) || !in_range(setting, (int64_t)count, wrong)) {
        return false;
    }
    *(uint64_t *)field = count;
    return true;
}

bool config_read_number(struct config_reader *reader, const struct config_setting *setting,
                        struct text value, void *field, const char **wrong)
{
    uint64_t count;

    if (!config_read_count(reader, setting, value, &count, wrong)) {
        return false;
    }
    *(uint32_t *)field = (uint32_t)count;
    return true;
}

static bool choose(const struct config_setting *setting, struct text value, int *chosen,
                   const char **wrong)
{
    for (const struct config_choice *choice = setting->choices; choice->word != NULL; choice++) {
        if (text_is(value, choice->word)) {
            *chosen = choice->value;
            return true;
        }
    }
    *wrong = setting->expected;
    return false;
}

/* Choices are copied into fields of an enum type. */
_Static_assert(sizeof(enum log_level) == sizeof(int), "enum log_level is an int");
_Static_assert(sizeof(enum mount_behaviour) == sizeof(int), "enum mount_behaviour is an int");
_Static_assert(sizeof(enum recovery_evidence) == sizeof(int), "enum recovery_evidence is an int");
_Static_assert(sizeof(enum refresh_format) == sizeof(int), "enum refresh_format is an int");

bool config_read_choice(struct config_reader *reader, const struct config_setting *setting,
                        struct text value, void *field, const char **wrong)
{
    int chosen;

    (void)reader;
    if (!choose(setting, value, &chosen, wrong)) {
        return false;
    }
    memcpy(field, &chosen, sizeof chosen);
    return true;
}

bool config_read_switch(struct config_reader *reader, const struct config_setting *setting,
                        struct text value, void *field, const char **wrong)
{
    int chosen;

    (void)reader;
    if (!choose(setting, value, &chosen, wrong)) {
        return false;
    }
    *(bool *)field = chosen != 0;
    return true;
}

bool config_read_algorithm(struct config_reader *reader, const struct config_setting *setting,
                           struct text value, void *field, const char **wrong)
{
    (void)reader;
    (void)setting;
    *wrong = "not an algorithm; write HS256, RS256, RS384, RS512, PS256, ES256, ES384 or EdDSA";
    return signing_algorithm_parse(value, field) &&
           signing_algorithm_is_ours(*(const enum signing_algorithm *)field);
}

bool config_read_password_method(struct config_reader *reader, const struct config_setting *setting,
                                 struct text value, void *field, const char **wrong)
{
    (void)reader;
    (void)setting;
    *wrong = "write yescrypt, yescrypt:1 to 7, bcrypt:10 to 15 or sha512crypt:5000 to 2000000";
    return password_method_parse(value, field);
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
    } else if (text_ends(t, TEXT("ms"))) {
        uint64_t value;
        bool good = text_to_u64(text_cut(t, t.size - 2), CLOCK_DAY, &value);

        *ms = good ? (int64_t)value : *ms;
        return good;
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
