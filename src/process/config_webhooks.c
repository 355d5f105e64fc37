/* SPDX-License-Identifier: ISC */
/* config_webhooks.c: [webhook NAME]. Knows which formats there are and what each takes; reads no
 * secret and asks no URL. */
#include "process/config_reader.h"

#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "dialect/dialect.h"
#include "process/dialects.h"
#include "http/client.h"

static config_read read_url;
static config_read read_events;
static config_read read_realms;
static config_read read_format;
static bool take_webhook(struct config_reader *reader, const struct config_section *section);
static bool is_known(const struct config *config, struct text name);
static bool check_webhook(struct config_reader *reader, const struct config_section *section,
                          struct webhook *webhook);
static uint64_t kinds_of(const struct webhook *webhook);

#define FIELD(field)                                                                               \
    .offset = offsetof(struct webhook, field), .room = sizeof(((struct webhook *)NULL)->field)

/* Without a field: over the whole struct. */
static const struct config_setting settings[] = {
    {"url", read_url, FIELD(url)},
    {"events", read_events, FIELD(kinds)},
    {"realms", read_realms, .offset = 0},
    {"format", read_format, .offset = 0},
    {"audience", config_read_text, FIELD(audience)},
    {"secret-file", config_read_path, FIELD(secret_file)},
    {"ca-file", config_read_path, FIELD(ca_file)},
};
enum { SETTINGS = sizeof settings / sizeof settings[0] };

bool config_take_webhooks(struct config_reader *reader)
{
    for (size_t i = 0; i < reader->section_count; i++) {
        if (text_is(reader->sections[i].word, "webhook") &&
            !take_webhook(reader, &reader->sections[i])) {
            return false;
        }
    }
    return true;
}

static bool take_webhook(struct config_reader *reader, const struct config_section *section)
{
    static const struct config_setting name = {.name = "webhook", .room = WEBHOOK_NAME_MAX + 1};
    struct config *config = reader->config;
    struct webhook *webhook = &config->webhooks[config->webhook_count];
    const char *wrong = "";

    if (config->webhook_count == CONFIG_WEBHOOKS_MAX) {
        return config_complain(reader, section->line, "more than %d webhooks", CONFIG_WEBHOOKS_MAX);
    } else if (is_known(config, section->argument)) {
        return config_complain(reader, section->line, "[webhook %.*s]: there is one of that name",
                               TEXT_ARGS(section->argument));
    }
    *webhook = (struct webhook){.format = WEBHOOK_FORMAT_RETOKEN};
    if (!config_read_name(reader, &name, section->argument, webhook->name, &wrong)) {
        return config_complain(reader, section->line, "[webhook %.*s]: %s",
                               TEXT_ARGS(text_cut(section->argument, 80)), wrong);
    }
    config->webhook_count++;
    return config_take_rows(reader, section, settings, SETTINGS, webhook) &&
           check_webhook(reader, section, webhook);
}

static bool is_known(const struct config *config, struct text name)
{
    for (size_t i = 0; i < config->webhook_count; i++) {
        if (text_is(name, config->webhooks[i].name)) {
            return true;
        }
    }
    return false;
}

static bool check_webhook(struct config_reader *reader, const struct config_section *section,
                          struct webhook *webhook)
{
    const struct config_line *events = config_line_find(section, "events");
    const struct config_line *audience = config_line_find(section, "audience");

    if (webhook->url[0] == '\0') {
        return config_complain(reader, section->line,
                               "[webhook %s]: no url; write for example url = "
                               "https://app.example.org/hook",
                               webhook->name);
    } else if (events == NULL) {
        return config_complain(reader, section->line,
                               "[webhook %s]: no events; write for example events = reuse revoked "
                               "logout, or all",
                               webhook->name);
    } else if ((webhook->kinds & kinds_of(webhook)) == 0) {
        return config_complain_value(reader, events,
                                     "the format has no words for any of these; see [webhook NAME] "
                                     "in retoken.conf(5)");
    } else if (audience != NULL && webhook->format != WEBHOOK_FORMAT_CAEP) {
        return config_complain(reader, audience->number,
                               "audience has no effect: only caep names one; remove the line");
    } else if (webhook->secret_file[0] == '\0' && webhook->format != WEBHOOK_FORMAT_CAEP) {
        return config_complain(reader, section->line,
                               "[webhook %s]: no secret-file; without one a receiver cannot tell "
                               "who sends",
                               webhook->name);
    }
    webhook->kinds &= kinds_of(webhook);
    return true;
}

static uint64_t kinds_of(const struct webhook *webhook)
{
    switch (webhook->format) {
    case WEBHOOK_FORMAT_RETOKEN:
        break;
    case WEBHOOK_FORMAT_CAEP:
        return WEBHOOK_REVOCATIONS;
    case WEBHOOK_FORMAT_DIALECT:
        return webhook->dialect->webhook->kinds;
    }
    return UINT64_MAX;
}

static bool read_url(struct config_reader *reader, const struct config_setting *setting,
                     struct text value, void *field, const char **wrong)
{
    return http_client_is_url(value, HTTP_CLIENT_ANYWHERE, wrong) &&
           config_read_text(reader, setting, value, field, wrong);
}

static bool read_events(struct config_reader *reader, const struct config_setting *setting,
                        struct text value, void *field, const char **wrong)
{
    uint64_t *kinds = field;
    uint64_t some;

    (void)reader;
    (void)setting;
    *wrong = "not kinds or classes of events; retoken.conf(5) lists them, and `all` is all";
    for (struct text word = text_word(&value); word.size > 0; word = text_word(&value)) {
        if (!event_kinds_of(word, &some)) {
            return false;
        }
        *kinds |= some;
    }
    return *kinds != 0;
}

static bool read_realms(struct config_reader *reader, const struct config_setting *setting,
                        struct text value, void *field, const char **wrong)
{
    const struct config *config = reader->config;
    struct webhook *webhook = field;

    (void)setting;
    *wrong = "not names of realms of this configuration, with spaces between them";
    for (struct text word = text_word(&value); word.size > 0; word = text_word(&value)) {
        size_t i = 0;

        while (i < config->realm_count && !text_is(word, config->realms[i].name)) {
            i++;
        }
        if (i == config->realm_count || webhook->realm_count == WEBHOOK_REALMS_MAX) {
            return false;
        }
        webhook->realms[webhook->realm_count++] = config->realms[i].name;
    }
    return webhook->realm_count > 0;
}

static bool read_format(struct config_reader *reader, const struct config_setting *setting,
                        struct text value, void *field, const char **wrong)
{
    struct webhook *webhook = field;
    const struct dialect *dialect = config_find_dialect(reader, value);

    (void)setting;
    if (dialect != NULL && dialect->webhook != NULL) {
        webhook->format = WEBHOOK_FORMAT_DIALECT;
        webhook->dialect = dialect;
        return true;
    } else if (text_is(value, "retoken") || text_is(value, "caep")) {
        webhook->format = text_is(value, "caep") ? WEBHOOK_FORMAT_CAEP : WEBHOOK_FORMAT_RETOKEN;
        return true;
    }
    int size = snprintf(reader->expected, sizeof reader->expected, "unknown; write retoken, caep");
    for (size_t i = 0; i < dialects_count(); i++) {
        const struct dialect *one = dialects_at(i);

        if (one != NULL && one->webhook != NULL) {
            size += snprintf(reader->expected + size, sizeof reader->expected - (size_t)size,
                             " or %s", one->name);
        }
    }
    *wrong = reader->expected;
    return false;
}
