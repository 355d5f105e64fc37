/* SPDX-License-Identifier: ISC */
/* learn_template.c: see learn_template.h. */
#include "admin/learn_template.h"

#include <ctype.h>

#include "admin/dialect_replay.h"
#include "base/codec.h"
#include "base/date.h"

/* One value's place. "" keeps it as it is. */
struct choice {
    const char *name; /* of the template; NULL = the value stays */
    bool account;     /* a claim of the account, by the value's own name */
    const char *why;  /* a guess; NULL = it is certain */
};

static struct choice choose_in_answer(const struct learn_value *value,
                                      const struct learn_facts *facts, struct arena *arena);
static struct choice choose_in_payload(const struct learn_value *value,
                                       const struct learn_facts *facts, bool refresh);
static struct choice choose_time(const struct learn_value *value, const struct learn_facts *facts);
static struct choice choose_account(const struct learn_value *value);
static void put(const struct learn_values *values, size_t index, const struct choice *choice,
                struct text *claims, struct buffer *out, struct buffer *guesses);

static void add_escaped(struct buffer *out, struct text text)
{
    while (text.size > 0) {
        if (text_starts(text, TEXT("${"))) {
            buffer_add_char(out, '$');
        }
        buffer_add_char(out, text.data[0]);
        text = text_from(text, 1);
    }
}

bool learn_template_escape(struct arena *arena, struct text text, struct text *escaped)
{
    struct buffer out;

    buffer_start(&out, arena, text.size + 16);
    add_escaped(&out, text);
    return buffer_finish(&out, escaped);
}

static bool make(const struct learn_values *values, const struct learn_facts *facts, bool payload,
                 bool refresh, struct arena *arena, struct buffer *guesses, struct text *template)
{
    struct text claims[LEARN_VALUES_MAX] = {{0}};
    struct buffer out;
    size_t at = 0;

    buffer_start(&out, arena, values->source.size + 256);
    for (size_t i = 0; i < values->count; i++) {
        const struct learn_value *value = &values->rows[i];
        struct choice choice = payload ? choose_in_payload(value, facts, refresh)
                                       : choose_in_answer(value, facts, arena);

        add_escaped(&out, text_from(text_cut(values->source, value->start), at));
        put(values, i, &choice, claims, &out, guesses);
        at = value->end;
    }
    add_escaped(&out, text_from(values->source, at));
    return buffer_finish(&out, template);
}

bool learn_template_answer(const struct learn_values *values, const struct learn_facts *facts,
                           struct arena *arena, struct buffer *guesses, struct text *template)
{
    return make(values, facts, false, false, arena, guesses, template);
}

bool learn_template_payload(const struct learn_values *values, const struct learn_facts *facts,
                            bool refresh, struct arena *arena, struct buffer *guesses,
                            struct text *template)
{
    return make(values, facts, true, refresh, arena, guesses, template);
}

/* A name for the claim: the value's own, or its path where another value has that, or a number. */
static struct text name_claim(const struct learn_values *values, size_t index,
                              const struct text *claims, struct arena *arena)
{
    const struct learn_value *value = &values->rows[index];
    struct text name = {0};

    for (int attempt = 0; attempt < 3; attempt++) {
        struct text from = attempt == 0 ? value->name : value->path;
        struct buffer buffer;
        bool is_free = true;

        buffer_start(&buffer, arena, from.size + 8);
        for (size_t i = 0; i < from.size; i++) {
            char c = from.data[i];

            buffer_add_char(&buffer, isalnum((unsigned char)c) || c == '-' ? c : '_');
        }
        if (attempt == 2) {
            buffer_addf(&buffer, "_%zu", index);
        }
        if (!buffer_finish(&buffer, &name)) {
            break;
        }
        for (size_t i = 0; i < index; i++) {
            is_free = is_free && (!text_equal(claims[i], name) ||
                                  (text_equal(values->rows[i].text, value->text) &&
                                   values->rows[i].kind == value->kind));
        }
        if (is_free && name.size > 0) {
            break;
        }
    }
    return name;
}

static void put(const struct learn_values *values, size_t index, const struct choice *choice,
                struct text *claims, struct buffer *out, struct buffer *guesses)
{
    const struct learn_value *value = &values->rows[index];
    struct text spelled = text_from(text_cut(values->source, value->end), value->start);
    const char *quote = value->kind == LEARN_STRING ? "\"" : "";

    if (choice->why != NULL) {
        buffer_addf(guesses, "# guessed: %.*s: %s\n", TEXT_ARGS(text_cut(value->path, 80)),
                    choice->why);
    }
    if (choice->account) {
        claims[index] = name_claim(values, index, claims, out->arena);
        buffer_addf(out, "${account.%.*s%s}", TEXT_ARGS(claims[index]), value->in_array ? "" : "?");
    } else if (choice->name != NULL) {
        buffer_addf(out, "%s${%s}%s", quote, choice->name, quote);
    } else {
        add_escaped(out, spelled);
    }
}

/* ---- kinds of value ---- */

static int64_t number_of(const struct learn_value *value)
{
    uint64_t number = 0;

    return text_to_u64(value->text, INT64_MAX, &number) ? (int64_t)number : -1;
}

static bool is_near(int64_t a, int64_t b)
{
    enum { SLACK_S = 5 };

    return a - b <= SLACK_S && b - a <= SLACK_S;
}

/* Within a year. */
static bool is_about(int64_t a, int64_t b)
{
    enum { YEAR_S = 365 * 24 * 3600 };

    return a - b <= YEAR_S && b - a <= YEAR_S;
}

static bool is_uuid(struct text text)
{
    uint8_t uuid[16];

    return codec_uuid_parse(text, uuid);
}

static bool is_hex_uuid(struct text text)
{
    uint8_t uuid[16];

    return codec_hex_decode(text, uuid, sizeof uuid);
}

static bool is_time_name(struct text name)
{
    return learn_name_has(name, "expir") || learn_name_is(name, "exp") ||
           learn_name_has(name, "ttl") || learn_name_has(name, "lifetime") ||
           learn_name_has(name, "maxage") || learn_name_has(name, "validuntil") ||
           learn_name_has(name, "validfor");
}

static bool is_account_name(struct text name)
{
    static const char *const words[] = {
        "email",      "phone",      "firstname",   "lastname",   "name",
        "givenname",  "familyname", "picture",     "avatar",     "locale",
        "userid",     "uid",        "id",          "tenant",     "company",
        "department", "nickname",   "displayname", "birthdate",  "gender",
        "address",    "localid",    "zoneinfo",    "middlename", "accountid"};

    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        if (learn_name_is(name, words[i])) {
            return true;
        }
    }
    return false;
}

static bool is_username(struct text name)
{
    return learn_name_is(name, "username") || learn_name_is(name, "login") ||
           learn_name_is(name, "preferredusername") || learn_name_is(name, "uniquename");
}

static bool is_of_person(const struct learn_value *value)
{
    return learn_name_has(value->parent, "user") || learn_name_has(value->parent, "account") ||
           learn_name_has(value->parent, "profile") || learn_name_is(value->parent, "member") ||
           learn_name_is(value->parent, "record");
}

/* What most backends have the same for everybody. */
static bool is_constant(const struct learn_value *value)
{
    static const char *const names[] = {"tokentype", "typ",    "type", "tokenuse", "ver",
                                        "version",   "status", "aal",  "provider", "message",
                                        "success",   "code",   "role", "amr",      "method",
                                        "kind",      "acr",    "tid",  "aud"};

    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        if (learn_name_is(value->name, names[i])) {
            return value->text.size < 40;
        }
    }
    return false;
}

/* What both kinds of text have. `name` NULL and no account: none of it. */
static struct choice choose_common(const struct learn_value *value, const struct learn_facts *facts)
{
    bool text = value->kind == LEARN_STRING;

    bool scope = learn_name_is_scope(value->name);
    bool roles = learn_name_is_list(value->name) && !scope;

    if (value->kind == LEARN_WORDS) {
        return (struct choice){.name = roles ? "roles.list" : "scope.list",
                               .why = roles ? "the account's roles" : "the scope"};
    } else if (text && scope) {
        return (struct choice){.name = "scope"};
    } else if (text && roles) {
        return (struct choice){.name = "roles", .why = "the account's roles, in words"};
    } else if (text && facts->subject.size > 0 && text_equal(value->text, facts->subject)) {
        return (struct choice){.name = "subject"};
    } else if (text && ((facts->username.size > 0 && text_equal(value->text, facts->username)) ||
                        is_username(value->name))) {
        return (struct choice){.name = "username", .why = "the account's name"};
    }
    return choose_account(value);
}

/* Like a token or an identifier, and unlike a word: then it is nobody else's. */
static bool is_opaque(const struct learn_value *value)
{
    enum { LONG = 24 };
    bool digit = false, letter = false;

    for (size_t i = 0; i < value->text.size; i++) {
        digit = digit || isdigit((unsigned char)value->text.data[i]);
        letter = letter || isalpha((unsigned char)value->text.data[i]);
    }
    return value->kind == LEARN_STRING && learn_is_token(value->text) &&
           ((digit && letter) || value->text.size >= LONG);
}

static struct choice choose_account(const struct learn_value *value)
{
    bool address = value->kind == LEARN_STRING && text_find(value->text, '@') < value->text.size;

    if (address) {
        return (struct choice){.account = true, .why = "a claim of the account"};
    } else if (is_constant(value) || (value->kind == LEARN_OTHER && !is_of_person(value))) {
        return (struct choice){0};
    } else if (is_account_name(value->name) || is_of_person(value) || is_opaque(value)) {
        return (struct choice){.account = true, .why = "a claim of the account"};
    }
    return (struct choice){.why = "the same for everyone"};
}

/* ---- answers ---- */

static struct choice choose_in_answer(const struct learn_value *value,
                                      const struct learn_facts *facts, struct arena *arena)
{
    struct text header, payload;
    bool text = value->kind == LEARN_STRING;

    if (text && facts->access.size > 0 && text_equal(value->text, facts->access)) {
        return (struct choice){.name = "access_token"};
    } else if (text && facts->next.size > 0 && text_equal(value->text, facts->next)) {
        return (struct choice){.name = "refresh_token"};
    } else if (text && dialect_replay_jwt(value->text, arena, &header, &payload)) {
        return (struct choice){.name = "access_token",
                               .why = "another JWT, for which the access token stands"};
    } else if (is_time_name(value->name) && value->kind != LEARN_OTHER &&
               value->kind != LEARN_WORDS) {
        return choose_time(value, facts);
    } else if (value->kind == LEARN_NUMBER && facts->issued_at_s > 0) {
        int64_t number = number_of(value);

        if (is_near(number, facts->issued_at_s)) {
            return (struct choice){.name = "now", .why = "the time of the answer, in seconds"};
        } else if (is_near(number / 1000, facts->issued_at_s)) {
            return (struct choice){.name = "now.ms",
                                   .why = "the time of the answer, in milliseconds"};
        }
    }
    return choose_common(value, facts);
}

/* Of the access token or of the session, and in which unit. */
static struct choice choose_time(const struct learn_value *value, const struct learn_facts *facts)
{
    enum { SHORT_MS = 1000 * 1000, SINCE_1970_S = 1000 * 1000 * 1000 };
    bool session = learn_name_has(value->name, "refresh") || learn_name_has(value->name, "session");
    int64_t number = number_of(value);
    int64_t lasts_s = facts->expires_at_s - facts->issued_at_s;
    bool known = facts->expires_at_s > 0 && !session;
    int64_t at_ms = 0;

    if (value->kind == LEARN_STRING && date_parse(value->text, &at_ms)) {
        bool exact = value->text.size == 20;

        return (struct choice){.name = session ? "session_expires_at.iso" : "expires_at.iso",
                               .why = exact ? session ? "when the session expires" : NULL
                                            : "written as 2026-11-26T18:00:00Z"};
    } else if (number < 0) {
        return (struct choice){.why = "the same for everyone"};
    } else if (known && is_near(number, facts->expires_at_s)) {
        return (struct choice){.name = "expires_at"};
    } else if (known && is_near(number / 1000, facts->expires_at_s)) {
        return (struct choice){.name = "expires_at.ms"};
    } else if (known && facts->issued_at_s > 0 && is_near(number, lasts_s)) {
        return (struct choice){.name = "expires_in"};
    } else if (known && facts->issued_at_s > 0 && is_near(number / 1000, lasts_s)) {
        return (struct choice){.name = "expires_in.ms"};
    } else if (number / 1000 >= SINCE_1970_S) {
        return (struct choice){.name = session ? "session_expires_at.ms" : "expires_at.ms",
                               .why = "a point in time in milliseconds"};
    } else if (number >= SINCE_1970_S) {
        return (struct choice){.name = session ? "session_expires_at" : "expires_at",
                               .why = "a point in time in seconds"};
    } else if (!session && number >= SHORT_MS && number % 1000 == 0) {
        return (struct choice){.name = "expires_in.ms", .why = "a duration in milliseconds"};
    }
    return (struct choice){.name = session ? "session_expires_in" : "expires_in",
                           .why = "a duration in seconds"};
}

/* ---- payloads ---- */

static struct choice choose_in_payload(const struct learn_value *value,
                                       const struct learn_facts *facts, bool refresh)
{
    bool text = value->kind == LEARN_STRING;
    int64_t number = value->kind == LEARN_NUMBER ? number_of(value) : -1;
    bool session = learn_name_is(value->name, "sid") || learn_name_has(value->name, "sessionid") ||
                   learn_name_is(value->name, "sessionstate") ||
                   learn_name_is(value->name, "session");

    if (number > 0 && learn_name_is(value->name, "exp")) {
        return (struct choice){.name = value->parent.size == 0 && !value->in_array ? "expires_at?"
                                                                                   : "expires_at"};
    } else if (number > 0 && number == facts->issued_at_s) {
        return (struct choice){.name = "issued_at",
                               .why = learn_name_is(value->name, "iat") ? NULL : "the same as iat"};
    } else if (number > 0 &&
               (learn_name_is(value->name, "nbf") || learn_name_is(value->name, "authtime"))) {
        return (struct choice){.name = "issued_at", .why = "the time of issue"};
    } else if (number > 0 && facts->issued_at_s > 0 && is_about(number, facts->issued_at_s)) {
        return (struct choice){.name = "issued_at", .why = "a time like that of issue"};
    } else if (number > 0 && facts->issued_at_s > 0 && is_near(number / 1000, facts->issued_at_s)) {
        return (struct choice){.name = "issued_at.ms", .why = "the time of issue"};
    } else if (number > 0 && number / 1000 == facts->expires_at_s) {
        return (struct choice){.name = "expires_at.ms"};
    } else if (text && learn_name_is(value->name, "iss") && facts->issuer.size > 0) {
        return (struct choice){.name = "issuer"};
    } else if (text && learn_name_is(value->name, "aud") && facts->audience.size > 0) {
        return (struct choice){.name = "audience"};
    } else if (text && learn_name_is(value->name, "sub")) {
        return (struct choice){.name = "subject"};
    } else if (text && (learn_name_is(value->name, "jti") || learn_name_is(value->name, "jwtid"))) {
        bool hex = is_hex_uuid(value->text);

        return (struct choice){
            .name = refresh ? hex ? "session.hex" : "session"
                    : hex   ? "jti.hex"
                            : "jti",
            .why = hex || is_uuid(value->text) ? NULL : "a UUID, unlike the recorded one"};
    } else if (text && session) {
        bool hex = is_hex_uuid(value->text);

        return (struct choice){
            .name = hex ? "session.hex" : "session",
            .why = hex || is_uuid(value->text) ? NULL : "a UUID, unlike the recorded one"};
    } else if (text && (learn_name_is(value->name, "clientid") ||
                        learn_name_is(value->name, "azp") || learn_name_is(value->name, "cid"))) {
        return (struct choice){.name = "client", .why = "the client's id"};
    } else if (number >= 0 &&
               (learn_name_is(value->name, "userid") || learn_name_is(value->name, "uid") ||
                learn_name_is(value->name, "id") || learn_name_is(value->name, "sub"))) {
        return (struct choice){.name = "user_number",
                               .why = "the account's number, its claim userId if it has one"};
    } else if (text && learn_name_is(value->name, "userid") && value->parent.size == 0) {
        return (struct choice){.name = "subject", .why = "the account's subject"};
    }
    return choose_common(value, facts);
}

/* ---- escaping ---- */

const char *learn_template_style(struct text json)
{
    bool slash = json.size > 0 && memmem(json.data, json.size, "\\/", 2) != NULL;
    bool plain = false, ascii = false;

    for (size_t i = 0; i < json.size; i++) {
        plain = plain || (unsigned char)json.data[i] >= 0x80;
        if (json.data[i] == '\\' && i + 1 < json.size) {
            struct text escape = text_from(json, ++i);

            ascii = ascii ||
                    (escape.data[0] == 'u' && escape.size > 3 &&
                     (escape.data[1] != '0' || escape.data[2] != '0' || escape.data[3] >= '8'));
        }
    }
    ascii = ascii && !plain;
    return slash && ascii ? "php" : slash ? "slash" : ascii ? "ascii" : plain ? "plain" : NULL;
}
