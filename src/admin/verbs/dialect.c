/* SPDX-License-Identifier: ISC */
/* dialect.c: `retoken dialects`: what this program speaks, from the table of dialects and the
 * configuration, where there is one. Knows how facts are spelled there; opens no store. */
#include "admin/verbs/verbs.h"

#include "admin/dialect/page.h"
#include "dialect/dialect.h"
#include "process/config.h"
#include "process/dialects.h"

struct listed;
static void add_dialect(struct json_out *out, const struct listed *listed);
static void add_policy(struct json_out *out, const struct policy *policy);
static void add_settings(struct json_out *out, const struct dialect_setting *setting);
static void add_endpoint(struct json_out *out, const struct dialect *dialect,
                         const struct endpoint *endpoint);
static struct text methods_of(struct arena *arena, unsigned methods);
static struct text bodies_of(unsigned bodies);

/* A dialect and where it is from. */
struct listed {
    const char *origin;
    const struct dialect *dialect;
};
enum { LISTED_MAX = 128 };

static size_t find_all(struct call *call, struct listed all[LISTED_MAX]);
static void print_all(struct call *call, const struct listed *all, size_t count);
static void print_endpoints(struct call *call, const struct dialect *dialect);

/* For people a line for each dialect, or for each endpoint of one; for scripts one object per
 * dialect with all that it has. */
enum call_end verbs_dialect_list(struct call *call)
{
    struct json_out *out = &call->output.out;
    const char *name = call_argument(call, 0);
    struct listed all[LISTED_MAX];
    size_t count = find_all(call, all);
    size_t found = 0;

    if (dialects_failure() != NULL) {
        return call_fault(call, dialects_failure());
    }
    while (name != NULL && found < count && !text_is(text_of(name), all[found].dialect->name)) {
        found++;
    }
    if (name != NULL && found == count) {
        return call_refuse(call, "%s: no such dialect; `retoken dialects` lists them", name);
    } else if (options_has(&call->options, OPTION_PAGE)) {
        json_out_open(out);
        for (size_t i = 0; i < count; i++) {
            if ((name == NULL || i == found) && strcmp(all[i].origin, "program") != 0) {
                dialect_page_add(out, all[i].dialect, &call->service.config);
            }
        }
        json_out_close(out);
        output_json_end(&call->output);
    } else if (call->output.json) {
        json_out_array_open(out);
        for (size_t i = 0; i < count; i++) {
            if (name == NULL || i == found) {
                add_dialect(out, &all[i]);
            }
        }
        json_out_array_close(out);
        output_json_end(&call->output);
    } else if (name != NULL) {
        print_endpoints(call, all[found].dialect);
    } else {
        print_all(call, all, count);
    }
    return CALL_DONE;
}

/* Those of the program, of its library, and of the configuration, where there is one. */
static size_t find_all(struct call *call, struct listed all[LISTED_MAX])
{
    struct config *config = &call->service.config;
    const char *file = options_value(&call->options, OPTION_CONFIG);
    struct fault fault;
    size_t count = 0;

    for (size_t i = 0; i < dialects_total() && count < LISTED_MAX; i++) {
        all[count] = (struct listed){i < dialects_count() ? "program" : "library", dialects_at(i)};
        if (all[count++].dialect == NULL) {
            return 0; /* dialects_failure says why */
        }
    }
    if (!config_load(file, config, &fault)) {
        if (file != NULL) {
            call_warn(call, "without those of the configuration: %s", fault.text);
        }
        config->mount_count = 0;
        return count;
    }
    for (size_t i = 0; i < config->dialect_count && count < LISTED_MAX; i++) {
        all[count++] = (struct listed){"configuration", config->dialects[i]};
    }
    return count;
}

static void print_all(struct call *call, const struct listed *all, size_t count)
{
    static const struct column columns[] = {{"dialect", "dialect", COLUMN_TEXT, false},
                                            {"origin", "from", COLUMN_TEXT, false},
                                            {"summary", "what it is", COLUMN_TEXT, false}};
    enum { COLUMNS = sizeof columns / sizeof columns[0] };

    output_table_start(&call->output, columns, COLUMNS);
    for (size_t i = 0; i < count; i++) {
        const struct cell cells[COLUMNS] = {
            CELL_TEXT(text_of(all[i].dialect->name)),
            CELL_TEXT(text_of(all[i].origin)),
            CELL_TEXT(text_of(all[i].dialect->summary)),
        };

        output_row(&call->output, cells);
    }
    output_table_end(&call->output, "there are no dialects");
}

static void print_endpoints(struct call *call, const struct dialect *dialect)
{
    static const struct column columns[] = {
        {"path", "path", COLUMN_TEXT, false},           {"methods", "methods", COLUMN_TEXT, false},
        {"operation", "operation", COLUMN_TEXT, false}, {"format", "format", COLUMN_TEXT, false},
        {"algorithm", "algorithm", COLUMN_TEXT, false},
    };
    enum { COLUMNS = sizeof columns / sizeof columns[0] };
    bool issues = dialect->policy.layout != NULL;

    output_table_start(&call->output, columns, COLUMNS);
    for (size_t j = 0; j < dialect->endpoint_count; j++) {
        const struct endpoint *endpoint = &dialect->endpoints[j];
        const struct cell cells[COLUMNS] = {
            CELL_TEXT(text_of(endpoint->path)),
            CELL_TEXT(methods_of(call->arena, endpoint->methods)),
            CELL_TEXT(text_of(endpoint->operation->word)),
            CELL_TEXT(text_of(issues ? policy_format_name(dialect->policy.format) : "")),
            CELL_TEXT(text_of(issues ? signing_algorithm_name(dialect->policy.algorithm) : "")),
        };

        output_row(&call->output, cells);
    }
    output_table_end(&call->output, "it has no endpoints");
}

/* A member that is null when there is no value. */
static void add_named(struct json_out *out, const char *key, const char *value)
{
    json_out_key(out, key);
    if (value != NULL) {
        json_out_text(out, text_of(value));
    } else {
        json_out_null(out);
    }
}

/* "GET, HEAD" as an array. */
static void add_words(struct json_out *out, const char *key, struct text words)
{
    json_out_key(out, key);
    json_out_array_open(out);
    while (words.size > 0) {
        json_out_text(out, text_trim(text_split(&words, ',')));
    }
    json_out_array_close(out);
}

static void add_dialect(struct json_out *out, const struct listed *listed)
{
    const struct dialect *dialect = listed->dialect;

    json_out_open(out);
    json_out_member(out, "dialect", text_of(dialect->name));
    json_out_member(out, "origin", text_of(listed->origin));
    json_out_member(out, "summary", text_of(dialect->summary));
    add_named(out, "realm", dialect->realm);
    json_out_key(out, "policy");
    if (dialect->policy.layout != NULL) {
        add_policy(out, &dialect->policy);
    } else {
        json_out_null(out);
    }
    add_named(out, "issuer", dialect->issuer);
    add_named(out, "audience", dialect->audience);
    add_settings(out, dialect->settings);
    json_out_key(out, "endpoints");
    json_out_array_open(out);
    for (size_t i = 0; i < dialect->endpoint_count; i++) {
        add_endpoint(out, dialect, &dialect->endpoints[i]);
    }
    json_out_array_close(out);
    json_out_close(out);
}

static void add_policy(struct json_out *out, const struct policy *policy)
{
    const struct {
        const char *name;
        int64_t ms;
    } durations[] = {
        {"concurrency-window", policy->concurrency_window_ms},
        {"recovery-window", policy->recovery_window_ms},
        {"idle-lifetime", policy->idle_lifetime_ms},
        {"absolute-lifetime", policy->absolute_lifetime_ms},
        {"access-lifetime", policy->access_lifetime_ms},
    };

    json_out_open(out);
    json_out_member(out, "rotation", text_of(policy->rotate ? "on" : "off"));
    json_out_member(out, "reuse", text_of(policy->report_only ? "report" : "revoke"));
    json_out_member(out, "format", text_of(policy_format_name(policy->format)));
    json_out_member(out, "algorithm", text_of(signing_algorithm_name(policy->algorithm)));
    for (size_t i = 0; i < sizeof durations / sizeof durations[0]; i++) {
        char spelled[32];

        config_duration_format(durations[i].ms, spelled);
        json_out_member(out, durations[i].name, text_of(spelled));
    }
    json_out_close(out);
}

static void add_settings(struct json_out *out, const struct dialect_setting *setting)
{
    json_out_key(out, "settings");
    json_out_array_open(out);
    for (; setting != NULL && setting->name != NULL; setting++) {
        json_out_open(out);
        json_out_member(out, "name", text_of(setting->name));
        json_out_member(out, "usual", text_of(setting->usual));
        json_out_close(out);
    }
    json_out_array_close(out);
}

static void add_endpoint(struct json_out *out, const struct dialect *dialect,
                         const struct endpoint *endpoint)
{
    struct arena *arena = out->buffer->arena;

    json_out_open(out);
    json_out_member(out, "name", text_of(endpoint->name));
    json_out_member(out, "path", text_of(endpoint->path));
    add_named(out, "realm",
              dialect->policy.layout == NULL ? NULL
              : endpoint->realm != NULL      ? endpoint->realm
              : dialect->realm != NULL       ? dialect->realm
                                             : endpoint->path);
    add_words(out, "methods", methods_of(arena, endpoint->methods));
    add_words(out, "deployed_methods",
              methods_of(arena, endpoint->methods | endpoint->deployed_methods));
    add_words(out, "bodies", bodies_of(endpoint->body));
    json_out_member(out, "operation", text_of(endpoint->operation->word));
    json_out_key(out, "remote_user");
    json_out_bool(out, endpoint->needs_remote_user);
    json_out_close(out);
}

/* None also when memory has run out, of which `arena` knows. */
static struct text methods_of(struct arena *arena, unsigned methods)
{
    struct text names;

    return dialect_methods(arena, methods, &names) ? names : (struct text){0};
}

static struct text bodies_of(unsigned bodies)
{
    bool form = (bodies & ENDPOINT_BODY_FORM) != 0;
    bool json = (bodies & ENDPOINT_BODY_JSON) != 0;

    return text_of(form && json ? "form, json" : form ? "form" : json ? "json" : "");
}
