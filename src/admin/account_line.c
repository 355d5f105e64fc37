/* SPDX-License-Identifier: ISC */
/* account_line.c: see account_line.h. */
#include "admin/account_line.h"

#include <string.h>

#include "base/clock.h"
#include "base/secret.h"

enum { SHADOW_EXPIRES = 7 };

static bool read_json(struct arena *arena, struct text text, struct account_line *line,
                      struct fault *fault);
static enum account_line_result read_htpasswd(struct text text, struct account_line *line,
                                              struct fault *fault);
static enum account_line_result read_shadow(struct text text, int64_t now_ms,
                                            struct account_line *line, struct fault *fault);
static bool take_name(struct text name, struct account_line *line, struct fault *fault);
static bool take_hash(struct text hash, struct account_line *line, struct fault *fault);

enum account_line_result account_line_read(struct arena *arena, enum account_format format,
                                           struct text text, int64_t now_ms,
                                           struct account_line *line, struct fault *fault)
{
    memset(line, 0, sizeof *line);
    if (format == ACCOUNT_JSON) {
        return read_json(arena, text, line, fault) ? ACCOUNT_LINE_ONE : ACCOUNT_LINE_WRONG;
    } else if (text_starts(text, TEXT("#"))) {
        return ACCOUNT_LINE_NONE;
    }
    return format == ACCOUNT_HTPASSWD ? read_htpasswd(text, line, fault)
                                      : read_shadow(text, now_ms, line, fault);
}

void account_line_apply(const struct account_line *line, struct account *account)
{
    const struct account *given = &line->account;

    if (line->has_enabled) {
        account->enabled = given->enabled;
    }
    if (line->has_subject) {
        memcpy(account->subject, given->subject, sizeof account->subject);
    }
    if (line->has_roles) {
        memcpy(account->roles, given->roles, sizeof account->roles);
    }
    if (line->has_claims) {
        memcpy(account->claims, given->claims, sizeof account->claims);
    }
    if (line->has_limit) {
        account->session_limit = given->session_limit;
    }
    if (line->has_keep) {
        account->keep_on_password_change = given->keep_on_password_change;
    }
    if (line->has_created) {
        account->created_ms = given->created_ms;
    }
}

/* ---- NAME:HASH ---- */

static enum account_line_result read_htpasswd(struct text text, struct account_line *line,
                                              struct fault *fault)
{
    struct text name;

    if (text_find(text, ':') == text.size) {
        fault_set(fault, "no NAME:HASH, as htpasswd writes it");
        return ACCOUNT_LINE_WRONG;
    }
    name = text_split(&text, ':');
    return take_name(name, line, fault) && take_hash(text_split(&text, ':'), line, fault)
               ? ACCOUNT_LINE_ONE
               : ACCOUNT_LINE_WRONG;
}

/* An account of the system that no password opens is passed over. One that was locked or has
 * expired is disabled. */
static enum account_line_result read_shadow(struct text text, int64_t now_ms,
                                            struct account_line *line, struct fault *fault)
{
    struct text fields[SHADOW_EXPIRES + 1];
    struct text hash;
    uint64_t day;
    bool locked;

    for (int i = 0; i <= SHADOW_EXPIRES; i++) {
        if (i > 0 && text.data == NULL) {
            fault_set(fault, "no line of shadow(5): it has fewer than 8 fields");
            return ACCOUNT_LINE_WRONG;
        }
        fields[i] = text_split(&text, ':');
    }
    hash = fields[1];
    locked = text_starts(hash, TEXT("!"));
    while (text_starts(hash, TEXT("!"))) {
        hash = text_from(hash, 1);
    }
    if (hash.size == 0 || text_starts(hash, TEXT("*"))) {
        return ACCOUNT_LINE_NONE;
    }
    line->has_enabled = true;
    line->account.enabled = !locked && !(text_to_u64(fields[SHADOW_EXPIRES], 1000000, &day) &&
                                         (int64_t)day * CLOCK_DAY <= now_ms);
    return take_name(fields[0], line, fault) && take_hash(hash, line, fault) ? ACCOUNT_LINE_ONE
                                                                             : ACCOUNT_LINE_WRONG;
}

static bool take_name(struct text name, struct account_line *line, struct fault *fault)
{
    if (!account_name_is_good(name) ||
        !text_copy(name, line->account.name, sizeof line->account.name)) {
        fault_set(fault, ACCOUNT_NAME_RULE, ACCOUNT_NAME_MAX);
        return false;
    }
    return true;
}

static bool take_hash(struct text hash, struct account_line *line, struct fault *fault)
{
    const char *wrong = password_kind_refuse(hash);

    if (wrong == NULL && !text_copy(hash, line->account.password, sizeof line->account.password)) {
        wrong = "a hash that is too long";
    }
    if (wrong != NULL) {
        fault_set(fault, "%s%s%s", line->account.name, line->account.name[0] != '\0' ? ": " : "",
                  wrong);
        return false;
    }
    line->has_hash = true;
    return true;
}

/* ---- JSON ---- */

struct reading {
    struct arena *arena;
    struct fault why; /* where the row's own words do not say it */
};

struct member {
    const char *key;
    bool (*take)(const json_t *value, struct account_line *line, struct reading *reading);
    const char *expected;
};

static bool take_text(const json_t *value, char *field, size_t room);
static bool take_bool(const json_t *value, bool *field);
static bool take_time(const json_t *value, int64_t *field);

static bool json_name(const json_t *value, struct account_line *line, struct reading *reading)
{
    (void)reading;
    return json_is_string(value) &&
           take_text(value, line->account.name, sizeof line->account.name) &&
           account_name_is_good(text_of(line->account.name));
}

/* null: no password. */
static bool json_hash(const json_t *value, struct account_line *line, struct reading *reading)
{
    line->has_hash = true;
    return json_is_null(value) ||
           (json_is_string(value) &&
            take_hash((struct text){json_string_value(value), json_string_length(value)}, line,
                      &reading->why));
}

static bool json_password(const json_t *value, struct account_line *line, struct reading *reading)
{
    (void)reading;
    return json_is_string(value) && json_string_length(value) > 0 &&
           text_copy((struct text){json_string_value(value), json_string_length(value)},
                     line->password, sizeof line->password);
}

static bool json_subject(const json_t *value, struct account_line *line, struct reading *reading)
{
    (void)reading;
    line->has_subject = true;
    return json_is_null(value) ||
           (json_is_string(value) &&
            take_text(value, line->account.subject, sizeof line->account.subject));
}

static bool json_roles(const json_t *value, struct account_line *line, struct reading *reading)
{
    struct buffer roles;
    struct text all;
    const json_t *role;
    size_t i;

    line->has_roles = true;
    buffer_start(&roles, reading->arena, ACCOUNT_ROLES_MAX);
    json_array_foreach(value, i, role)
    {
        struct text word = {json_string_value(role), json_string_length(role)};

        if (!json_is_string(role) || !text_is_visible_ascii(word)) {
            return false;
        }
        buffer_add_c(&roles, i > 0 ? " " : "");
        buffer_add(&roles, word);
    }
    return json_is_array(value) && buffer_finish(&roles, &all) &&
           text_copy(all, line->account.roles, sizeof line->account.roles);
}

static bool json_claims(const json_t *value, struct account_line *line, struct reading *reading)
{
    struct buffer claims;
    struct text all;

    line->has_claims = true;
    if (json_is_null(value)) {
        return true;
    }
    buffer_start(&claims, reading->arena, ACCOUNT_CLAIMS_MAX);
    struct json_out out = json_out_start(&claims, JSON_STYLE_PLAIN);
    json_out_value(&out, value);
    return json_is_object(value) && buffer_finish(&claims, &all) &&
           text_copy(all, line->account.claims, sizeof line->account.claims);
}

static bool json_enabled(const json_t *value, struct account_line *line, struct reading *reading)
{
    (void)reading;
    line->has_enabled = true;
    return take_bool(value, &line->account.enabled);
}

static bool json_limit(const json_t *value, struct account_line *line, struct reading *reading)
{
    json_int_t limit = json_integer_value(value);

    (void)reading;
    line->has_limit = true;
    line->account.session_limit = (uint32_t)limit;
    return json_is_integer(value) && limit >= 0 && limit <= ACCOUNT_SESSION_LIMIT_MAX;
}

static bool json_keep(const json_t *value, struct account_line *line, struct reading *reading)
{
    (void)reading;
    line->has_keep = true;
    return take_bool(value, &line->account.keep_on_password_change);
}

static bool json_created(const json_t *value, struct account_line *line, struct reading *reading)
{
    (void)reading;
    line->has_created = true;
    return take_time(value, &line->account.created_ms);
}

static const struct member members[] = {
    {"name", json_name, "1 to 128 bytes of UTF-8, no control characters"},
    {"password_hash", json_hash,
     "a hash that crypt(5) describes, such as `htpasswd -B` makes, or null"},
    {"password", json_password, "1 to 256 bytes"},
    {"subject", json_subject, "at most 128 bytes of UTF-8, no control characters, or null"},
    {"roles", json_roles, "an array of words of visible ASCII, 512 bytes together"},
    {"claims", json_claims, "an object of at most 2048 bytes, or null"},
    {"enabled", json_enabled, "true or false"},
    {"session_limit", json_limit, "0 (the configuration's) to 1000000"},
    {"keep_sessions", json_keep, "true or false"},
    {"created", json_created, "seconds since 1970"},
};
enum { MEMBERS = sizeof members / sizeof members[0] };

static bool read_json(struct arena *arena, struct text text, struct account_line *line,
                      struct fault *fault)
{
    json_t *object = json_in_object(arena, text, fault);
    struct reading reading = {.arena = arena};
    const char *key;
    json_t *value;

    if (object == NULL) {
        return false;
    }
    json_object_foreach(object, key, value)
    {
        size_t i = 0;

        while (i < MEMBERS && strcmp(members[i].key, key) != 0) {
            i++;
        }
        if (i == MEMBERS) {
            fault_set(fault, "\"%.40s\" is no member of an account (see retoken(1))", key);
            return false;
        } else if (!members[i].take(value, line, &reading)) {
            fault_set(fault, "%s: %s", members[i].key,
                      reading.why.text[0] != '\0' ? reading.why.text : members[i].expected);
            return false;
        }
    }
    if (line->account.name[0] == '\0') {
        fault_set(fault, "name is missing");
    } else if (line->has_hash && line->password[0] != '\0') {
        fault_set(fault, "password and password_hash exclude each other");
    } else {
        return true;
    }
    return false;
}

static bool take_text(const json_t *value, char *field, size_t room)
{
    struct text text = {json_string_value(value), json_string_length(value)};

    return !text_has_control(text) && text_copy(text, field, room);
}

static bool take_bool(const json_t *value, bool *field)
{
    *field = json_is_true(value);
    return json_is_boolean(value);
}

static bool take_time(const json_t *value, int64_t *field)
{
    json_int_t seconds = json_integer_value(value);

    *field = seconds * CLOCK_SECOND;
    return json_is_integer(value) && seconds >= 0 && seconds <= INT64_C(253402300799);
}

void account_line_write(struct json_out *out, struct arena *arena, const struct account *account,
                        bool with_hash)
{
    struct text roles = text_of(account->roles), role;
    struct fault fault;
    const json_t *claims =
        account->claims[0] != '\0' ? json_in_object(arena, text_of(account->claims), &fault) : NULL;

    json_out_open(out);
    json_out_member(out, "name", text_of(account->name));
    json_out_key(out, "enabled");
    json_out_bool(out, account->enabled);
    if (account->subject[0] != '\0') {
        json_out_member(out, "subject", text_of(account->subject));
    }
    json_out_key(out, "roles");
    json_out_array_open(out);
    while ((role = text_word(&roles)).size > 0) {
        json_out_text(out, role);
    }
    json_out_array_close(out);
    if (claims != NULL) {
        json_out_key(out, "claims");
        json_out_value(out, claims);
    }
    json_out_member_int(out, "session_limit", account->session_limit);
    json_out_key(out, "keep_sessions");
    json_out_bool(out, account->keep_on_password_change);
    json_out_member_int(out, "created", account->created_ms / CLOCK_SECOND);
    if (with_hash && account->password[0] != '\0') {
        json_out_member(out, "password_hash", text_of(account->password));
    }
    json_out_close(out);
}
