/* SPDX-License-Identifier: ISC */
/* config_hooks.c: [hook NAME], and `hook = NAME` of a realm. Knows what goes together in a hook;
 * does not know how one is asked. */
#include "process/config_reader.h"

#include <inttypes.h>
#include <stddef.h>

#include "base/clock.h"
#include "http/client.h"

static config_read read_url;
static bool take_hook(struct config_reader *reader, const struct config_section *section);
static bool take_line(struct config_reader *reader, const struct config_line *line,
                      struct hook_settings *hook);
static bool check_hook(struct config_reader *reader, const struct config_section *section,
                       const struct hook_settings *hook);
static const struct hook_settings *find(const struct config *config, struct text name);

static const struct config_choice on_faults[] = {
    {"refuse-503", HOOK_ON_FAULT_REFUSE}, {"last", HOOK_ON_FAULT_LAST}, {NULL, 0}};

#define FIELD(field)                                                                               \
    .offset = offsetof(struct hook_settings, field),                                               \
    .room = sizeof(((struct hook_settings *)0)->field)

static const struct config_setting settings[] = {
    {"url", read_url, FIELD(url)},
    {"timeout", config_read_duration, FIELD(timeout_ms), .least = 1, .most = CLOCK_MINUTE,
     .expected = "out of range; write 1ms to 1m"},
    {"cache", config_read_duration, FIELD(cache_ms), .least = 0, .most = CLOCK_DAY,
     .expected = "out of range; write 0 (none) to 1d"},
    {"on-fault", config_read_choice, FIELD(on_fault), .choices = on_faults,
     .expected = "unknown; write last or refuse-503"},
    {"last-for", config_read_duration, FIELD(last_for_ms), .least = CLOCK_SECOND,
     .most = 30 * (int64_t)CLOCK_DAY, .expected = "out of range; write 1s to 30d"},
    {"calls", config_read_count, FIELD(calls), .least = 1, .most = HOOK_CALLS_MAX,
     .expected = "out of range; write 1 to 128"},
};
enum { SETTINGS = sizeof settings / sizeof settings[0] };

bool config_take_hooks(struct config_reader *reader)
{
    for (size_t i = 0; i < reader->section_count; i++) {
        const struct config_section *section = &reader->sections[i];

        if (text_is(section->word, "hook") && section->argument.size > 0 &&
            !take_hook(reader, section)) {
            return false;
        }
    }
    return true;
}

static bool take_hook(struct config_reader *reader, const struct config_section *section)
{
    static const struct config_setting name = {.name = "hook", .room = HOOK_NAME_MAX + 1};
    struct config *config = reader->config;
    struct hook_settings *hook = &config->hooks[config->hook_count];
    const char *wrong = "";

    if (config->hook_count == CONFIG_HOOKS_MAX) {
        return config_complain(reader, section->line, "more than %d hooks", CONFIG_HOOKS_MAX);
    } else if (find(config, section->argument) != NULL) {
        return config_complain(reader, section->line, "[hook %.*s]: there is one of that name",
                               TEXT_ARGS(section->argument));
    }
    *hook = (struct hook_settings){.timeout_ms = 200,
                                   .cache_ms = CLOCK_MINUTE,
                                   .on_fault = HOOK_ON_FAULT_LAST,
                                   .last_for_ms = CLOCK_HOUR,
                                   .calls = 8};
    if (!config_read_name(reader, &name, section->argument, hook->name, &wrong)) {
        return config_complain(reader, section->line, "[hook %.*s]: %s",
                               TEXT_ARGS(text_cut(section->argument, 80)), wrong);
    }
    for (size_t i = 0; i < section->count; i++) {
        if (!take_line(reader, &section->lines[i], hook)) {
            return false;
        }
    }
    config->hook_count++;
    return check_hook(reader, section, hook);
}

static bool take_line(struct config_reader *reader, const struct config_line *line,
                      struct hook_settings *hook)
{
    const char *wrong = "";
    size_t i = 0;

    while (i < SETTINGS && !text_is(line->name, settings[i].name)) {
        i++;
    }
    if (i == SETTINGS) {
        return config_complain(reader, line->number, "%.*s: unknown setting in [hook]",
                               TEXT_ARGS(text_cut(line->name, 80)));
    }
    return settings[i].read(reader, &settings[i], line->value, (char *)hook + settings[i].offset,
                            &wrong) ||
           config_complain_value(reader, line, wrong);
}

/* Half of the threads are for what asks no hook. */
static bool check_hook(struct config_reader *reader, const struct config_section *section,
                       const struct hook_settings *hook)
{
    const struct config *config = reader->config;
    const struct config_line *last_for = config_line_find(section, "last-for");
    uint64_t calls = 0;

    for (size_t i = 0; i < config->hook_count; i++) {
        calls += config->hooks[i].calls;
    }
    if (hook->url[0] == '\0') {
        return config_complain(reader, section->line,
                               "[hook %s]: no url; write for example url = unix:/run/app/claims",
                               hook->name);
    } else if (last_for != NULL && hook->on_fault != HOOK_ON_FAULT_LAST) {
        return config_complain(reader, last_for->number,
                               "last-for has no effect: on-fault is refuse-503; remove the line");
    }
    return calls <= config->threads / 2 ||
           config_complain(reader, section->line,
                           "[hook %s]: the calls of all hooks are %" PRIu64
                           " together, more than half of threads = %" PRIu64,
                           hook->name, calls, config->threads);
}

static const struct hook_settings *find(const struct config *config, struct text name)
{
    for (size_t i = 0; i < config->hook_count; i++) {
        if (text_is(name, config->hooks[i].name)) {
            return &config->hooks[i];
        }
    }
    return NULL;
}

static bool read_url(struct config_reader *reader, const struct config_setting *setting,
                     struct text value, void *field, const char **wrong)
{
    (void)reader;
    if (!http_client_is_url(value, HTTP_CLIENT_HERE, wrong)) {
        return false;
    }
    *wrong = "too long; write at most 256 bytes";
    return text_copy(value, field, setting->room);
}

bool config_read_hook(struct config_reader *reader, const struct config_setting *setting,
                      struct text value, void *field, const char **wrong)
{
    const struct hook_settings **hook = field;

    (void)setting;
    *hook = find(reader->config, value);
    *wrong = "there is no such section; add [hook NAME]";
    return *hook != NULL;
}

bool config_check_hooks(struct config_reader *reader)
{
    const struct config *config = reader->config;

    for (size_t i = 0; i < reader->section_count; i++) {
        const struct config_section *section = &reader->sections[i];
        const struct hook_settings *hook =
            text_is(section->word, "hook") ? find(config, section->argument) : NULL;
        bool used = hook == NULL;

        for (size_t j = 0; j < config->realm_count; j++) {
            used = used || config->realms[j].hook == hook;
        }
        if (!used) {
            return config_complain(reader, section->line,
                                   "[hook %s] has no effect: write hook = %s in a realm",
                                   hook->name, hook->name);
        }
    }
    return true;
}
