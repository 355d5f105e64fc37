/* SPDX-License-Identifier: ISC */
/* client_policy.c: `retoken client set`, `show`, `disable` and `enable`: what a client has
 * instead of its realm's policy, under the names of retoken.conf(5), which grants, scope and keys
 * it has, and where its pages are. Knows names and ranges; does not know when a policy counts. */
#include "admin/verbs/verbs.h"

#include <inttypes.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "admin/client_key.h"
#include "http/redirect.h"

/* A policy that a client may have of its own: a duration, a number, or one of two words. */
struct own_policy {
    const char *name;
    uint32_t bit; /* enum policy_bit */
    enum { DURATION, NUMBER, ROTATION, REUSE, EVIDENCE, DEMAND } kind;
    size_t offset;       /* in struct policy_override */
    int64_t least, most; /* ms, or a number */
    const char *expected;
};

#define OWN(name, bit, kind, field, least, most, expected)                                         \
    {                                                                                              \
        name, bit, kind, offsetof(struct policy_override, field), least, most, expected            \
    }
#define YEARS(n) (INT64_C(n) * 365 * CLOCK_DAY)

static const struct own_policy policies[] = {
    OWN("rotation", POLICY_ROTATION, ROTATION, rotate, 0, 0, "on or off"),
    OWN("reuse", POLICY_REPORT_ONLY, REUSE, report_only, 0, 0, "revoke or report"),
    OWN("concurrency-window", POLICY_CONCURRENCY_WINDOW, DURATION, concurrency_window_ms, 0,
        CLOCK_HOUR, "0 to 1h"),
    OWN("recovery-window", POLICY_RECOVERY_WINDOW, DURATION, recovery_window_ms, 0,
        INT64_C(90) * CLOCK_DAY, "0 to 90d"),
    OWN("recovery-generations", POLICY_RECOVERY_GENERATIONS, NUMBER, recovery_generations, 1,
        SESSION_SPENT_KEPT, "1 to 8"),
    OWN("recovery-evidence", POLICY_RECOVERY_EVIDENCE, EVIDENCE, recovery_evidence, 0, 0,
        "client or none"),
    OWN("idle-lifetime", POLICY_IDLE_LIFETIME, DURATION, idle_lifetime_ms, 0, YEARS(100),
        "0 (none) to 36500d"),
    OWN("absolute-lifetime", POLICY_ABSOLUTE_LIFETIME, DURATION, absolute_lifetime_ms, 0,
        YEARS(100), "0 (none) to 36500d"),
    OWN("access-lifetime", POLICY_ACCESS_LIFETIME, DURATION, access_lifetime_ms, CLOCK_SECOND,
        YEARS(1), "1s to 365d"),
    {"dpop", POLICY_DPOP_REQUIRED, DEMAND, 0, 0, 0, "required"},
    {"certificate", POLICY_CERTIFICATE_REQUIRED, DEMAND, 0, 0, 0, "required"},
};
enum { POLICIES = sizeof policies / sizeof policies[0] };

static const struct column columns[] = {
    {"client", "client", COLUMN_TEXT, false},
    {"enabled", "enabled", COLUMN_FLAG, false},
    {"grants", "grants", COLUMN_WORDS, false},
    {"policy", "policy", COLUMN_WORDS, false},
    {"scope", "scope", COLUMN_WORDS, false},
    {"keys", "keys", COLUMN_WORDS, false},
    {"certificates", "certificates", COLUMN_WORDS, false},
    {"certificate_name", "certificate name", COLUMN_TEXT, false},
    {"origins", "origins", COLUMN_WORDS, false},
    {"redirect_uris", "redirect URIs", COLUMN_WORDS, false},
    {"created", "created", COLUMN_TIME, false},
};
enum { COLUMNS = sizeof columns / sizeof columns[0] };

static enum call_end set_enabled(struct call *call, bool enabled);
static enum call_end change(struct call *call, const struct client *before,
                            const struct client *after, const char *what);
static enum call_end read_words(struct call *call, struct client *client);
static enum call_end read_list(struct call *call, enum option_id option, char *list, size_t size);
static enum call_end read_policies(struct call *call, struct policy_override *own);
static enum call_end read_policy(struct call *call, const char *given, struct policy_override *own);
static bool read_value(const struct own_policy *policy, struct text value,
                       struct policy_override *own);
static bool read_word(const char *first, const char *second, struct text value, bool *is_second);
static enum call_end read_grants(struct call *call, uint32_t *allowed);
static struct text grants_of(struct call *call, const struct client *client);
static struct text policies_of(struct call *call, const struct policy_override *own);
static void add_value(struct buffer *b, const struct own_policy *policy,
                      const struct policy_override *own);

enum call_end verbs_client_set(struct call *call)
{
    struct client before;
    struct client after;
    enum call_end end;

    if (options_outside(&call->options, OPTION_BIT(CONFIG)) == NULL) {
        return call_wrong(call, "nothing to set: give --policy, --grant, --scope, --key, "
                                "--certificate, --certificate-name, --origin or --redirect-uri");
    }
    end = call_client(call, call_argument(call, 0), &before);
    if (end != CALL_DONE) {
        return end;
    }
    after = before;
    end = verbs_client_read(call, &after);
    return end == CALL_DONE ? change(call, &before, &after, "changed") : end;
}

enum call_end verbs_client_read(struct call *call, struct client *client)
{
    enum call_end end = read_policies(call, &client->override);

    end = end == CALL_DONE ? read_grants(call, &client->grants) : end;
    end = end == CALL_DONE ? client_key_read(call, client) : end;
    return end == CALL_DONE ? read_words(call, client) : end;
}

enum call_end verbs_client_disable(struct call *call)
{
    return set_enabled(call, false);
}

enum call_end verbs_client_enable(struct call *call)
{
    return set_enabled(call, true);
}

static enum call_end set_enabled(struct call *call, bool enabled)
{
    struct client before;
    struct client after;
    enum call_end end = call_client(call, call_argument(call, 0), &before);

    after = before;
    after.enabled = enabled;
    return end == CALL_DONE ? change(call, &before, &after, enabled ? "enabled" : "disabled") : end;
}

static enum call_end change(struct call *call, const struct client *before,
                            const struct client *after, const char *what)
{
    enum call_end end = verbs_client_update(call, before, after, what);

    if (end == CALL_DONE) {
        output_say(&call->output, "client %s %s", after->id, what);
    }
    return end;
}

enum call_end verbs_client_update(struct call *call, const struct client *before,
                                  const struct client *after, const char *what)
{
    struct store_write write;
    struct fault fault = {0};

    store_prepare_client_update(&write, before, after);
    call_attach(call, &write, EVENT_CLIENT, 0, after->id, NULL, what);
    switch (store_write(call->service.store, &write, &fault)) {
    case STORE_OK:
        return CALL_DONE;
    case STORE_ABSENT:
    case STORE_STALE:
        return call_refuse(call, "client %s was changed by another process meanwhile; look again",
                           after->id);
    case STORE_EXISTS:
    case STORE_FAULT:
        break;
    }
    return call_fault(call, &fault);
}

enum call_end verbs_client_show(struct call *call)
{
    struct client client;
    enum call_end end = call_client(call, call_argument(call, 0), &client);

    if (end == CALL_DONE) {
        const struct cell cells[COLUMNS] = {
            CELL_TEXT(text_of(client.id)),
            CELL_NUMBER(client.enabled),
            CELL_TEXT(grants_of(call, &client)),
            CELL_TEXT(policies_of(call, &client.override)),
            CELL_TEXT(text_of(client.scope)),
            CELL_TEXT(client_key_ids(call->arena, &client)),
            CELL_TEXT(client_key_thumbprints(call->arena, &client)),
            CELL_TEXT(client_key_certificate_name(call->arena, &client)),
            CELL_TEXT(text_of(client.origins)),
            CELL_TEXT(text_of(client.redirect_uris)),
            CELL_NUMBER(client.created_ms),
        };

        output_record(&call->output, columns, COLUMNS, cells);
    }
    return end;
}

/* ---- the options ---- */

static enum call_end read_policies(struct call *call, struct policy_override *own)
{
    enum call_end end = CALL_DONE;
    const char *given;

    for (size_t at = 0;
         end == CALL_DONE && (given = options_next(&call->options, OPTION_POLICY, &at)) != NULL;) {
        end = read_policy(call, given, own);
    }
    return end;
}

/* "idle-lifetime=90d"; "idle-lifetime=": as the realm has it. */
static enum call_end read_policy(struct call *call, const char *given, struct policy_override *own)
{
    struct text value = text_of(given);
    struct text name = text_split(&value, '=');

    for (size_t i = 0; i < POLICIES; i++) {
        const struct own_policy *policy = &policies[i];

        if (!text_is(name, policy->name)) {
            continue;
        } else if (strchr(given, '=') == NULL) {
            return call_wrong(call, "--policy %s: write %s=VALUE, or %s= for the realm's", given,
                              given, given);
        } else if (value.size == 0) {
            own->set &= ~policy->bit;
            return CALL_DONE;
        } else if (!read_value(policy, value, own)) {
            return call_wrong(call, "--policy %s: write %s", given, policy->expected);
        }
        own->set |= policy->bit;
        return CALL_DONE;
    }
    return call_wrong(call,
                      "--policy %s: a client can have its own rotation, reuse, "
                      "concurrency-window, recovery-window, recovery-generations, "
                      "recovery-evidence, idle-lifetime, absolute-lifetime, access-lifetime, dpop "
                      "and certificate",
                      given);
}

static bool read_value(const struct own_policy *policy, struct text value,
                       struct policy_override *own)
{
    void *field = (char *)own + policy->offset;
    bool second = false;
    uint64_t number;
    int64_t ms;

    switch (policy->kind) {
    case DURATION:
        if (!config_duration_parse(value, &ms) || ms < policy->least || ms > policy->most) {
            return false;
        }
        *(int64_t *)field = ms;
        return true;
    case NUMBER:
        if (!text_to_u64(value, (uint64_t)policy->most, &number) ||
            number < (uint64_t)policy->least) {
            return false;
        }
        *(uint32_t *)field = (uint32_t)number;
        return true;
    case ROTATION:
        return read_word("off", "on", value, field);
    case REUSE:
        return read_word("revoke", "report", value, field);
    case EVIDENCE:
        if (!read_word("client", "none", value, &second)) {
            return false;
        }
        own->recovery_evidence = second ? RECOVERY_EVIDENCE_NONE : RECOVERY_EVIDENCE_CLIENT;
        return true;
    case DEMAND:
        return text_is(value, policy->expected);
    }
    return false;
}

static bool read_word(const char *first, const char *second, struct text value, bool *is_second)
{
    *is_second = text_is(value, second);
    return *is_second || text_is(value, first);
}

/* --grant, repeated: these and no others; "all": whatever the realm allows. */
static enum call_end read_grants(struct call *call, uint32_t *allowed)
{
    uint32_t bits = 0;
    const char *given;

    for (size_t at = 0; (given = options_next(&call->options, OPTION_GRANT, &at)) != NULL;) {
        uint32_t bit = policy_grant_find(text_of(given));

        if (bit == 0 && strcmp(given, "all") != 0) {
            return call_wrong(call,
                              "--grant %s: write refresh, password, client, code, device, "
                              "exchange or all",
                              given);
        }
        bits |= bit != 0 ? bit : UINT32_MAX;
    }
    if (bits != 0) {
        *allowed = bits == UINT32_MAX ? 0 : bits;
    }
    return CALL_DONE;
}

static enum call_end read_words(struct call *call, struct client *client)
{
    const char *scope = options_value(&call->options, OPTION_SCOPE);
    enum call_end end;

    if (scope != NULL && (text_has_control(text_of(scope)) ||
                          !text_copy(text_of(scope), client->scope, sizeof client->scope))) {
        return call_wrong(call, "--scope: at most %d characters, words separated by spaces",
                          CLIENT_SCOPE_MAX);
    }
    end = read_list(call, OPTION_ORIGIN, client->origins, sizeof client->origins);
    return end == CALL_DONE ? read_list(call, OPTION_REDIRECT_URI, client->redirect_uris,
                                        sizeof client->redirect_uris)
                            : end;
}

/* A repeated option: these and no others; "": none. Kept as they are given, because they are
 * compared exactly. */
static enum call_end read_list(struct call *call, enum option_id option, char *list, size_t size)
{
    const char *word = options_row(option)->word;
    const char *given;
    struct buffer b;
    struct text all;

    if (!options_has(&call->options, option)) {
        return CALL_DONE;
    }
    buffer_start(&b, call->arena, 256);
    for (size_t at = 0; (given = options_next(&call->options, option, &at)) != NULL;) {
        if (given[0] == '\0') {
            continue;
        } else if (option == OPTION_REDIRECT_URI && !http_redirect_is_registrable(text_of(given))) {
            return call_wrong(call,
                              "--%s %s: write https://HOST/…, http://127.0.0.1/… or an app's own "
                              "scheme with a dot, without spaces, # and *",
                              word, given);
        } else if (!text_is_visible_ascii(text_of(given)) || strstr(given, ":/") == NULL) {
            return call_wrong(call, "--%s %s: write SCHEME://…, without spaces", word, given);
        }
        buffer_addf(&b, "%s%s", buffer_text(&b).size > 0 ? " " : "", given);
    }
    if (!buffer_finish(&b, &all) || !text_copy(all, list, size)) {
        return call_wrong(call, "--%s: all together are longer than %zu characters", word,
                          size - 1);
    }
    return CALL_DONE;
}

/* ---- what is shown ---- */

static struct text grants_of(struct call *call, const struct client *client)
{
    struct buffer b;

    buffer_start(&b, call->arena, 128);
    for (size_t i = 0; i < POLICY_GRANTS; i++) {
        if ((client->grants & policy_grants[i].bit) != 0) {
            buffer_addf(&b, "%s%s", buffer_text(&b).size > 0 ? " " : "", policy_grants[i].word);
        }
    }
    return client->grants == 0 ? TEXT("all") : buffer_text(&b);
}

/* "idle-lifetime=90d rotation=off" */
static struct text policies_of(struct call *call, const struct policy_override *own)
{
    struct buffer b;

    buffer_start(&b, call->arena, 512);
    for (size_t i = 0; i < POLICIES; i++) {
        if ((own->set & policies[i].bit) != 0) {
            buffer_addf(&b, "%s%s=", buffer_text(&b).size > 0 ? " " : "", policies[i].name);
            add_value(&b, &policies[i], own);
        }
    }
    return buffer_text(&b);
}

static void add_value(struct buffer *b, const struct own_policy *policy,
                      const struct policy_override *own)
{
    const void *field = (const char *)own + policy->offset;
    char duration[32];

    switch (policy->kind) {
    case DURATION:
        config_duration_format(*(const int64_t *)field, duration);
        buffer_add_c(b, duration);
        break;
    case NUMBER:
        buffer_addf(b, "%" PRIu32, *(const uint32_t *)field);
        break;
    case ROTATION:
        buffer_add_c(b, own->rotate ? "on" : "off");
        break;
    case REUSE:
        buffer_add_c(b, own->report_only ? "report" : "revoke");
        break;
    case EVIDENCE:
        buffer_add_c(b, own->recovery_evidence == RECOVERY_EVIDENCE_NONE ? "none" : "client");
        break;
    case DEMAND:
        buffer_add_c(b, policy->expected);
        break;
    }
}
