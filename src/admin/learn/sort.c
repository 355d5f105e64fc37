/* SPDX-License-Identifier: ISC */
/* sort.c: see sort.h. A refresh and a login are known by the tokens in their answers,
 * all else by its path. What may be a logout, the exchanges after it tell (flow.h). */
#include "admin/learn/sort.h"

#include <strings.h>

#include "admin/learn/side.h"

static bool is_named(const struct learn_exchange *exchange, const char *const *words, bool whole);
static struct learn_side *look(const struct learn_exchange *exchange,
                               const struct learn_names *names, struct arena *arena,
                               enum learn_what what);

static const char *const out_words[] = {"logout",  "signout", "logoff",     "signoff",
                                        "logouts", "revoke",  "revocation", NULL};
static const char *const me_words[] = {"me",      "userinfo", "whoami",  "currentuser",
                                       "user",    "profile",  "account", "self",
                                       "current", "session",  NULL};
static const char *const good_words[] = {"verify", "validate", "check", "introspect", NULL};
static const char *const in_words[] = {"login", "signin", "token", "session", "auth", NULL};

static bool is_login(const struct learn_side *side)
{
    return side->username != NULL && side->password != NULL;
}

/* An answer that only repeats what was shown issues nothing. */
static bool is_refresh(const struct learn_exchange *exchange, const struct learn_side *side)
{
    return side->password == NULL &&
           (side->access_shown == NULL ||
            !text_equal(side->access.value, side->access_shown->value)) &&
           (side->refresh_named || learn_name_has(side->refresh->name, "refresh") ||
            side->next.where != FOUND_NOWHERE ||
            learn_name_has(exchange->request.path, "refresh") ||
            learn_name_has(exchange->request.path, "token"));
}

/* Does the answer say something of an account? */
static bool tells_account(const struct learn_side *side)
{
    for (size_t i = 0; i < side->values.count; i++) {
        const struct learn_value *value = &side->values.rows[i];

        if (learn_name_has(value->name, "email") || learn_name_has(value->name, "user") ||
            learn_name_is(value->name, "sub") || learn_name_is(value->name, "id") ||
            learn_name_is(value->name, "name") || learn_name_is(value->name, "login")) {
            return true;
        }
    }
    return false;
}

/* What has a token and a name. */
static enum learn_what sort_other(const struct learn_exchange *exchange,
                                  const struct learn_side *side)
{
    bool shows = side->refresh != NULL || side->access_shown != NULL;
    bool deletes = exchange->request.is.method == HTTP_DELETE;
    bool out =
        is_named(exchange, out_words, false) || (deletes && (is_named(exchange, in_words, false)));
    bool good = is_named(exchange, good_words, false);
    bool me = is_named(exchange, me_words, true) && side->is_object;

    return !shows                                                     ? LEARN_WHATS
           : out                                                      ? LEARN_LOGOUT
           : deletes || exchange->answer.status >= 300                ? LEARN_WHATS
           : good && !tells_account(side)                             ? LEARN_VERIFY
           : (good && side->is_object) || (me && tells_account(side)) ? LEARN_VALIDATE
                                                                      : LEARN_WHATS;
}

void learn_sort(const struct learn_exchange *exchange, const struct learn_names *names,
                struct arena *arena, struct learn_sorted *sorted)
{
    bool granted = exchange->answer.status >= 200 && exchange->answer.status < 300;
    bool asked = exchange->request.is.method != HTTP_OPTIONS && exchange->answer.status < 400;
    struct learning learning = {
        .arena = arena, .fault = NULL, .names = names, .refresh_cookie = names->cookie};
    struct learn_side *login = NULL, *refresh = NULL;
    const struct learn_side *other = asked ? look(exchange, names, arena, LEARN_LOGOUT) : NULL;

    if (granted && asked && !learn_side_read(&learning, exchange, LEARN_LOGIN, &login)) {
        login = NULL;
    }
    if (granted && asked && !learn_side_read(&learning, exchange, LEARN_REFRESH, &refresh)) {
        refresh = NULL;
    }

    *sorted = (struct learn_sorted){.what = LEARN_WHATS};
    if (login != NULL && is_login(login)) {
        sorted->what = LEARN_LOGIN;
    } else if (refresh != NULL && is_refresh(exchange, refresh)) {
        sorted->what = LEARN_REFRESH;
        sorted->shown = refresh->refresh->value;
        sorted->next = refresh->next.value;
        sorted->cookie = learn_side_cookie(&learning, refresh, true);
    } else if (other != NULL && is_login(other)) {
        sorted->unsaid = "a login in whose answer no access token was found; it is left out";
    } else if (asked && is_named(exchange, in_words, false) &&
               http_media_is(exchange->request.is.content_type, "multipart/form-data")) {
        sorted->unsaid = "a body of multipart/form-data, which no dialect reads; it is left out";
    } else if (other != NULL) {
        sorted->what = sort_other(exchange, other);
        sorted->may_leave = sorted->what == LEARN_WHATS && granted && other->refresh_named &&
                            refresh == NULL && exchange->request.is.method != HTTP_GET &&
                            !tells_account(other);
        sorted->shown = sorted->may_leave ? other->refresh->value : (struct text){0};
    }
}

/* NULL also where there is no memory. */
static struct learn_side *look(const struct learn_exchange *exchange,
                               const struct learn_names *names, struct arena *arena,
                               enum learn_what what)
{
    struct learning learning = {
        .arena = arena, .fault = NULL, .names = names, .refresh_cookie = names->cookie};
    struct learn_side *side = NULL;

    return learn_side_look(&learning, exchange, what, &side) ? side : NULL;
}

/* Is one of the words the last part of the path or the one before, or what begins it? Cognito and
 * its like say it in a header. */
static bool is_named(const struct learn_exchange *exchange, const char *const *words, bool whole)
{
    struct text path = exchange->request.path;
    struct text parts[3] = {{0}};

    while (path.size > 0) {
        struct text part = text_split(&path, '/');

        if (part.size > 0) {
            parts[0] = parts[1];
            parts[1] = part;
        }
    }
    (void)http_header(&exchange->request.is, "x-amz-target", &parts[2]);
    for (size_t i = 0; i < 3; i++) {
        for (const char *const *word = words; *word != NULL; word++) {
            if (whole ? i == 1 && learn_name_is(parts[i], *word)
                      : learn_name_has(parts[i], *word)) {
                return true;
            }
        }
    }
    return false;
}

/* ---- refusals ---- */

bool learn_sort_is_login(const struct learn_exchange *exchange, const struct learn_names *names,
                         struct arena *arena)
{
    const struct learn_side *side = look(exchange, names, arena, LEARN_LOGOUT);

    return side != NULL && side->password != NULL;
}

static bool has(struct text text, const char *word)
{
    size_t size = strlen(word);

    for (; text.size >= size; text = text_from(text, 1)) {
        if (strncasecmp(text.data, word, size) == 0) {
            return true;
        }
    }
    return false;
}

static const char *word_of(const struct learn_exchange *exchange, enum learn_what what,
                           const struct learn_side *side)
{
    const struct http_recording *answer = &exchange->answer;
    bool shows = side != NULL && (side->refresh != NULL || side->access_shown != NULL);
    struct text challenge = {0};

    (void)http_header(&answer->is, "www-authenticate", &challenge);
    if (answer->status >= 500) {
        return "here";
    } else if (answer->status == 429) {
        return what == LEARN_LOGIN ? "slowed" : "busy";
    } else if (what == LEARN_LOGIN) {
        return side != NULL && is_login(side) ? "client" : "request";
    } else if (!shows) {
        return "request";
    }
    return has(answer->is.body, "expired") || has(challenge, "expired") ? "expired" : "token";
}

const char *learn_sort_refusal(const struct learn_exchange *exchange, enum learn_what what,
                               const struct learn_names *names, struct arena *arena,
                               struct text *shown)
{
    const struct learn_side *side = look(exchange, names, arena, what);

    *shown = side != NULL && side->refresh != NULL ? side->refresh->value : (struct text){0};
    return word_of(exchange, what, side);
}
