/* SPDX-License-Identifier: ISC */
/* verbs_dialect.c: `retoken dialects`: what this program speaks, from the table of dialects. Knows
 * how its facts are spelled in the configuration; needs no installation and does not look at one.
 */
#include "admin/verbs.h"

#include "dialect/dialect.h"
#include "process/dialects.h"
#include "process/config.h"

static void add_dialect(struct json_out *out, const struct dialect *dialect);
static void add_policy(struct json_out *out, const struct policy *policy);
static void add_settings(struct json_out *out, const struct dialect_setting *setting);
static void add_endpoint(struct json_out *out, const struct dialect *dialect,
                         const struct endpoint *endpoint);
static struct text methods_of(struct arena *arena, unsigned methods);
static struct text bodies_of(unsigned bodies);

static const struct column columns[] = {
    {"dialect", "dialect", COLUMN_TEXT, false}, {"path", "path", COLUMN_TEXT, false},
    {"methods", "methods", COLUMN_TEXT, false}, {"operation", "operation", COLUMN_TEXT, false},
    {"format", "format", COLUMN_TEXT, false},   {"algorithm", "algorithm", COLUMN_TEXT, false},
};
enum { COLUMNS = sizeof columns / sizeof columns[0] };

/* For people one line per endpoint, for scripts one object per dialect with all that it has. */
enum call_end verbs_dialect_list(struct call *call)
{
    struct json_out *out = &call->output.out;

    if (call->output.json) {
        json_out_array_open(out);
        for (size_t i = 0; i < dialects_count(); i++) {
            const struct dialect *dialect = dialects_at(i);

            if (dialect == NULL) {
                return call_fault(call, dialects_failure());
            }
            add_dialect(out, dialect);
        }
        json_out_array_close(out);
        output_json_end(&call->output);
        return CALL_DONE;
    }
    output_table_start(&call->output, columns, COLUMNS);
    for (size_t i = 0; i < dialects_count(); i++) {
        const struct dialect *dialect = dialects_at(i);
        bool issues;

        if (dialect == NULL) {
            return call_fault(call, dialects_failure());
        }
        issues = dialect->policy.layout != NULL;
        for (size_t j = 0; j < dialect->endpoint_count; j++) {
            const struct endpoint *endpoint = &dialect->endpoints[j];
            const struct cell cells[COLUMNS] = {
                CELL_TEXT(text_of(dialect->name)),
                CELL_TEXT(text_of(endpoint->path)),
                CELL_TEXT(methods_of(call->arena, endpoint->methods)),
                CELL_TEXT(text_of(endpoint->operation->word)),
                CELL_TEXT(text_of(issues ? policy_format_name(dialect->policy.format) : "")),
                CELL_TEXT(text_of(issues ? signing_algorithm_name(dialect->policy.algorithm) : "")),
            };

            output_row(&call->output, cells);
        }
    }
    output_table_end(&call->output, "there are no dialects");
    return CALL_DONE;
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

static void add_dialect(struct json_out *out, const struct dialect *dialect)
{
    json_out_open(out);
    json_out_member(out, "dialect", text_of(dialect->name));
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
