/* SPDX-License-Identifier: ISC */
/* meaning.c: see meaning.h. */
#include "admin/learn/meaning.h"

#include "admin/dialect/found.h"
#include "admin/dialect/replay.h"
#include "admin/learn/account.h"
#include "base/codec.h"
#include "base/date.h"

static struct learn_meaning choose_common(const struct learn_value *value,
                                          const struct learn_facts *facts);
static struct learn_meaning choose_time(const struct learn_value *value,
                                        const struct learn_facts *facts);

/* ---- kinds of value ---- */

static int64_t number_of(const struct learn_value *value)
{
    uint64_t number = 0;

    return text_to_u64(value->text, DIALECT_TIME_MAX, &number) ? (int64_t)number : -1;
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

/* What both kinds of text have. `name` NULL and no account: none of it. */
static struct learn_meaning choose_common(const struct learn_value *value,
                                          const struct learn_facts *facts)
{
    bool text = value->kind == LEARN_STRING;

    bool scope = learn_name_is_scope(value->name);
    bool roles = learn_name_is_list(value->name) && !scope;

    if (scope && !facts->scope_asked) {
        return (struct learn_meaning){.why = "the same for everyone, because no login asks for it"};
    } else if (value->kind == LEARN_WORDS) {
        return (struct learn_meaning){.name = roles ? "roles.list" : "scope.list",
                                      .why = roles ? "the account's roles" : "the scope"};
    } else if (text && scope) {
        return (struct learn_meaning){.name = "scope"};
    } else if (text && roles) {
        return (struct learn_meaning){.name = "roles", .why = "the account's roles, in words"};
    } else if (text && facts->subject.size > 0 && text_equal(value->text, facts->subject)) {
        return (struct learn_meaning){.name = "subject"};
    } else if (text && ((facts->username.size > 0 && text_equal(value->text, facts->username)) ||
                        learn_account_is_name(value->name))) {
        return (struct learn_meaning){.name = "username", .why = "the account's name"};
    }
    if (value->kind == LEARN_NUMBER && facts->user_number > 0 &&
        number_of(value) == facts->user_number) {
        return (struct learn_meaning){
            .name = "userId", .account = true, .why = "the account's number, its claim userId"};
    }
    return learn_account(value, facts);
}

/* ---- answers ---- */

/* A claim of the token that was shown, where the account's would not be known: the same value under
 * the same name, or a time. */
static struct learn_meaning choose_shown(const struct learn_value *value,
                                         const struct learn_facts *facts, struct arena *arena)
{
    const char *name;
    json_t *claim;
    struct buffer spelled;
    struct text whole = {0};

    json_object_foreach((json_t *)(uintptr_t)facts->shown, name, claim)
    {
        struct text text = text_of(json_string_value(claim));
        bool same_text = value->kind == LEARN_STRING && text.size > 0 &&
                         text_equal(text, value->text) &&
                         (text_is(value->name, name) || text_is(TEXT("sub"), name));
        bool same_number = value->kind == LEARN_NUMBER && json_is_integer(claim) &&
                           json_integer_value(claim) == number_of(value) &&
                           (text_is(value->name, name) || number_of(value) == facts->expires_at_s);

        if (learn_is_plain_name(text_of(name)) &&
            (same_number || (same_text && !facts->names_session))) {
            buffer_start(&spelled, arena, 64);
            buffer_addf(&spelled, "token.%s", name);
            return (struct learn_meaning){.name =
                                              buffer_finish(&spelled, &whole) ? whole.data : NULL,
                                          .why = "as the token that was shown has it"};
        }
    }
    return (struct learn_meaning){0};
}

/* Is it another one in another answer? */
static bool changes(const struct learn_value *value, const struct learn_values *other)
{
    for (size_t i = 0; other != NULL && i < other->count; i++) {
        if (text_equal(other->rows[i].path, value->path) && !value->in_array) {
            return !text_equal(other->rows[i].text, value->text);
        }
    }
    return false;
}

/* A point in time as text: with or without milliseconds. */
static struct learn_meaning choose_date(struct text text, const char *seconds, const char *ms,
                                        const char *why)
{
    bool utc = text_ends(text, TEXT("Z"));
    bool with_ms = utc && text.size == 24 && text.data[19] == '.';
    bool exact = with_ms || (utc && text.size == 20);

    return (struct learn_meaning){.name = with_ms ? ms : seconds,
                                  .why = exact ? why : "a time, written as 2026-11-26T18:00:00Z"};
}

/* The login before this one; not of who logs in for the first time. */
static bool is_last_login(const struct learn_value *value)
{
    return learn_name_has(value->name, "lastlogin") || learn_name_has(value->name, "lastsignin") ||
           learn_name_has(value->name, "previouslogin");
}

static struct learn_meaning choose_last_login(const struct learn_value *value)
{
    const char *why = "the login before, which only the answer to a login has";
    struct learn_meaning meaning =
        choose_date(value->text, "last_login.iso", "last_login.iso.ms", why);
    int64_t at_ms;

    if (value->kind == LEARN_NUMBER) {
        return (struct learn_meaning){.name = "last_login", .why = why};
    } else if (value->text.size == 19 && value->text.data[10] == ' ' &&
               date_parse(value->text, &at_ms)) {
        return (struct learn_meaning){.name = "last_login.date", .bare = true, .why = why};
    }
    meaning.bare = true;
    return meaning;
}

/* What an answer that issues nothing can have. */
static struct learn_meaning choose_unissued(const struct learn_value *value,
                                            const struct learn_facts *facts, struct arena *arena)
{
    struct learn_meaning shown = choose_shown(value, facts, arena);
    struct learn_meaning common = choose_common(value, facts);

    if (shown.name != NULL) {
        return shown;
    } else if (is_time_name(value->name) && value->kind != LEARN_OTHER) {
        return (struct learn_meaning){
            .unsaid = "a time in the answer that is not known here stays as it is"};
    } else if ((common.account || common.name != NULL) && facts->shown != NULL &&
               !facts->names_session && (common.account || strcmp(common.name, "username") != 0)) {
        common.unsaid =
            "the answer has something of the account, which is not known where no token "
            "names its session (\"sid\":\"${session}\" in [access-token])";
    }
    return common;
}

/* A time of the access token under a name that does not say so. */
static struct learn_meaning choose_near(const struct learn_value *value,
                                        const struct learn_facts *facts)
{
    enum { LEAST_S = 60 };
    static const char why[] = "by its value, when the access token expires";
    int64_t lasts_s = facts->issued_at_s > 0 ? facts->expires_at_s - facts->issued_at_s : 0;
    int64_t number = value->kind == LEARN_NUMBER ? number_of(value) : -1, at_ms = 0;
    const char *name = NULL;

    if (facts->expires_at_s <= 0) {
        return (struct learn_meaning){0};
    } else if (value->kind == LEARN_STRING && date_parse(value->text, &at_ms) &&
               is_near(at_ms / 1000, facts->expires_at_s)) {
        return choose_date(value->text, "expires_at.iso", "expires_at.iso.ms", why);
    } else if (is_near(number, facts->expires_at_s)) {
        name = "expires_at";
    } else if (is_near(number / 1000, facts->expires_at_s)) {
        name = "expires_at.ms";
    } else if (lasts_s >= LEAST_S && number == lasts_s) {
        name = "expires_in";
    } else if (lasts_s >= LEAST_S && number == lasts_s * 1000) {
        name = "expires_in.ms";
    }
    return (struct learn_meaning){.name = name, .why = why};
}

static struct learn_meaning choose_issued(const struct learn_value *value,
                                          const struct learn_facts *facts, struct arena *arena)
{
    struct text header, payload;
    bool text = value->kind == LEARN_STRING;
    struct learn_meaning near = choose_near(value, facts);

    if (text && facts->access.size > 0 && text_equal(value->text, facts->access)) {
        return (struct learn_meaning){.name = "access_token"};
    } else if (text && facts->next.size > 0 && text_equal(value->text, facts->next)) {
        return (struct learn_meaning){.name = "refresh_token"};
    } else if (text && dialect_replay_jwt(value->text, arena, &header, &payload)) {
        return (struct learn_meaning){.name = "access_token",
                                      .why = "another JWT, for which the access token stands"};
    } else if (is_last_login(value) && (text || value->kind == LEARN_NUMBER)) {
        return choose_last_login(value);
    } else if (is_time_name(value->name) && value->kind != LEARN_OTHER &&
               value->kind != LEARN_WORDS) {
        return choose_time(value, facts);
    } else if (near.name != NULL) {
        return near;
    } else if (value->kind == LEARN_NUMBER && facts->issued_at_s > 0) {
        int64_t number = number_of(value);

        if (is_near(number, facts->issued_at_s)) {
            return (struct learn_meaning){.name = "now",
                                          .why = "the time of the answer, in seconds"};
        } else if (is_near(number / 1000, facts->issued_at_s)) {
            return (struct learn_meaning){.name = "now.ms",
                                          .why = "the time of the answer, in milliseconds"};
        }
    }
    return choose_common(value, facts);
}

struct learn_meaning learn_meaning_in_answer(const struct learn_value *value,
                                             const struct learn_facts *facts, struct arena *arena)
{
    struct learn_meaning meaning = facts->access.size > 0 ? choose_issued(value, facts, arena)
                                                          : choose_unissued(value, facts, arena);
    int64_t at_ms;

    if (meaning.name == NULL && !meaning.account && meaning.unsaid == NULL) {
        if (value->kind == LEARN_STRING && value->text.size > 10 &&
            date_parse(value->text, &at_ms)) {
            return choose_date(value->text, "now.iso", "now.iso.ms", "the time of the answer");
        } else if (changes(value, facts->other)) {
            meaning.why = NULL;
            meaning.unsaid = "what is another one in each answer stays as it is";
        }
    }
    return meaning;
}

/* Of the access token or of the session, and in which unit. */
static struct learn_meaning choose_time(const struct learn_value *value,
                                        const struct learn_facts *facts)
{
    enum { SHORT_MS = 1000 * 1000, SINCE_1970_S = 1000 * 1000 * 1000 };
    bool session = learn_name_has(value->name, "refresh") || learn_name_has(value->name, "session");
    int64_t number = number_of(value);
    int64_t lasts_s = facts->expires_at_s - facts->issued_at_s;
    bool known = facts->expires_at_s > 0 && !session;
    int64_t at_ms = 0;

    if (value->kind == LEARN_STRING && date_parse(value->text, &at_ms)) {
        return session ? choose_date(value->text, "session_expires_at.iso",
                                     "session_expires_at.iso.ms", "when the session expires")
                       : choose_date(value->text, "expires_at.iso", "expires_at.iso.ms", NULL);
    } else if (number < 0) {
        return (struct learn_meaning){.why = "the same for everyone"};
    } else if (known && is_near(number, facts->expires_at_s)) {
        return (struct learn_meaning){.name = "expires_at"};
    } else if (known && is_near(number / 1000, facts->expires_at_s)) {
        return (struct learn_meaning){.name = "expires_at.ms"};
    } else if (known && facts->issued_at_s > 0 && is_near(number, lasts_s)) {
        return (struct learn_meaning){.name = "expires_in"};
    } else if (known && facts->issued_at_s > 0 && is_near(number / 1000, lasts_s)) {
        return (struct learn_meaning){.name = "expires_in.ms"};
    } else if (number / 1000 >= SINCE_1970_S) {
        return (struct learn_meaning){.name = session ? "session_expires_at.ms" : "expires_at.ms",
                                      .why = "a point in time in milliseconds"};
    } else if (number >= SINCE_1970_S) {
        return (struct learn_meaning){.name = session ? "session_expires_at" : "expires_at",
                                      .why = "a point in time in seconds"};
    } else if (!session && number >= SHORT_MS && number % 1000 == 0) {
        return (struct learn_meaning){.name = "expires_in.ms", .why = "a duration in milliseconds"};
    }
    return (struct learn_meaning){.name = session ? "session_expires_in" : "expires_in",
                                  .why = "a duration in seconds"};
}

/* ---- payloads ---- */

struct learn_meaning learn_meaning_in_payload(const struct learn_value *value,
                                              const struct learn_facts *facts, bool refresh)
{
    bool text = value->kind == LEARN_STRING;
    int64_t number = value->kind == LEARN_NUMBER ? number_of(value) : -1;
    bool session = learn_name_is(value->name, "sid") || learn_name_has(value->name, "sessionid") ||
                   learn_name_is(value->name, "sessionstate") ||
                   learn_name_is(value->name, "session");

    if (number > 0 && learn_name_is(value->name, "exp")) {
        return (struct learn_meaning){
            .name = value->parent.size == 0 && !value->in_array ? "expires_at?" : "expires_at"};
    } else if (number > 0 && number == facts->issued_at_s) {
        return (struct learn_meaning){.name = "issued_at",
                                      .why = learn_name_is(value->name, "iat") ? NULL
                                                                               : "the same as iat"};
    } else if (number > 0 &&
               (learn_name_is(value->name, "nbf") || learn_name_is(value->name, "authtime"))) {
        return (struct learn_meaning){.name = "issued_at", .why = "the time of issue"};
    } else if (number > 0 && facts->issued_at_s > 0 && is_about(number, facts->issued_at_s)) {
        return (struct learn_meaning){.name = "issued_at", .why = "a time like that of issue"};
    } else if (number > 0 && facts->issued_at_s > 0 && is_near(number / 1000, facts->issued_at_s)) {
        return (struct learn_meaning){.name = "issued_at.ms", .why = "the time of issue"};
    } else if (number > 0 && number / 1000 == facts->expires_at_s) {
        return (struct learn_meaning){.name = "expires_at.ms"};
    } else if (text && learn_name_is(value->name, "iss") && facts->issuer.size > 0) {
        return (struct learn_meaning){.name = "issuer"};
    } else if (text && learn_name_is(value->name, "aud") && facts->audience.size > 0 &&
               text_equal(value->text, facts->audience)) {
        return (struct learn_meaning){.name = "audience"};
    } else if (text && learn_name_is(value->name, "sub")) {
        return (struct learn_meaning){.name = "subject"};
    } else if (text && (learn_name_is(value->name, "jti") || learn_name_is(value->name, "jwtid"))) {
        bool hex = is_hex_uuid(value->text);

        return (struct learn_meaning){
            .name = refresh ? hex ? "session.hex" : "session"
                    : hex   ? "jti.hex"
                            : "jti",
            .why = hex || is_uuid(value->text) ? NULL : "a UUID, unlike the recorded one"};
    } else if (text && session) {
        bool hex = is_hex_uuid(value->text);

        return (struct learn_meaning){
            .name = hex ? "session.hex" : "session",
            .why = hex || is_uuid(value->text) ? NULL : "a UUID, unlike the recorded one"};
    } else if (text && (learn_name_is(value->name, "clientid") ||
                        learn_name_is(value->name, "azp") || learn_name_is(value->name, "cid"))) {
        return (struct learn_meaning){.name = "client", .why = "the client's id"};
    } else if (number >= 0 &&
               (learn_name_is(value->name, "userid") || learn_name_is(value->name, "uid") ||
                learn_name_is(value->name, "id") || learn_name_is(value->name, "sub"))) {
        return (struct learn_meaning){
            .name = "user_number", .why = "the account's number, its claim userId if it has one"};
    } else if (text && learn_name_is(value->name, "userid") && value->parent.size == 0) {
        return (struct learn_meaning){.name = "subject", .why = "the account's subject"};
    } else if (text && !refresh && is_uuid(value->text) && changes(value, facts->other)) {
        return (struct learn_meaning){.name = "jti", .why = "a UUID, another one in each token"};
    }
    struct learn_meaning common = choose_common(value, facts);
    if (common.name == NULL && !common.account && learn_account_is_told(value, facts)) {
        return (struct learn_meaning){.account = true,
                                      .why = "a claim of the account, as an answer has it"};
    }
    return common;
}
