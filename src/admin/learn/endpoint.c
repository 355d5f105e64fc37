/* SPDX-License-Identifier: ISC */
/* endpoint.c: the sections [endpoint NAME] and [request ENDPOINT NAME] of a proposal. Knows
 * the lines that they have, and which requests a path can tell apart; what an answer becomes,
 * answer.c does. */
#include "admin/learn/side.h"

static bool can_be_said(struct learning *learning, const struct learn_side *side);
static bool write_group(struct learning *learning, const struct learn_side *const *group,
                        size_t count);
static void write_path(struct learning *learning, const struct learn_side *const *group,
                       size_t count);
static void write_condition(struct learning *learning, const struct learn_side *side, bool shared);
static void write_request(struct learning *learning, const struct learn_side *side);

static const char *const words[LEARN_WHATS] = {"refresh", "login", "logout", "validate", "verify"};

/* One path may have several: then each is a request of its own. */
bool learn_endpoints(struct learning *learning)
{
    bool done[LEARN_WHATS] = {false};

    for (size_t i = 0; i < LEARN_WHATS; i++) {
        done[i] = learning->sides[i] == NULL || !can_be_said(learning, learning->sides[i]);
    }
    for (size_t i = 0; i < LEARN_WHATS; i++) {
        const struct learn_side *group[LEARN_WHATS];
        size_t count = 0;

        for (size_t j = i; j < LEARN_WHATS && !done[i]; j++) {
            if (!done[j] && text_equal(learning->sides[j]->exchange->request.path,
                                       learning->sides[i]->exchange->request.path)) {
                group[count++] = learning->sides[j];
                done[j] = j > i;
            }
        }
        if (count > 0 && !write_group(learning, group, count)) {
            return false;
        }
    }
    return true;
}

/* ---- what can be told apart ---- */

static bool is_condition(const struct learn_place *place)
{
    bool kind = learn_name_is(place->name, "granttype") || learn_name_is(place->name, "authflow") ||
                learn_name_is(place->name, "grant") || learn_name_is(place->name, "flow") ||
                learn_name_is(place->name, "operationname") || learn_name_is(place->name, "action");
    bool target = place->source == DESCRIBED_HEADER && learn_name_is(place->name, "xamztarget");

    return (target ||
            (kind && (place->source == DESCRIBED_FORM || place->source == DESCRIBED_JSON ||
                      place->source == DESCRIBED_QUERY))) &&
           text_is_visible_ascii(place->value) && place->value.size < 80 &&
           !own_is_unique(place->value) && text_find(place->value, ',') == place->value.size;
}

static bool has_conditions(const struct learn_side *side)
{
    bool found = false;

    for (size_t i = 0; i < side->places.count; i++) {
        found = found || is_condition(&side->places.rows[i]);
    }
    return found;
}

/* Is there a place of a file for the token that is shown? */
static bool has_token(const struct learning *learning, const struct learn_side *side)
{
    const struct learn_place *place = side->refresh != NULL ? side->refresh : side->access_shown;

    return place != NULL && (place->source != DESCRIBED_COOKIE ||
                             (side->refresh != NULL && learning->refresh_cookie != NULL &&
                              text_is(place->name, learning->refresh_cookie)));
}

static bool can_be_said(struct learning *learning, const struct learn_side *side)
{
    const struct learn_exchange *exchange = side->exchange;
    bool issues = side->what == LEARN_REFRESH || side->what == LEARN_LOGIN;
    bool refresh = side->what == LEARN_REFRESH;

    if (learn_has_own_path(exchange->request.path) && !refresh) {
        learn_cannot_say(learning, exchange,
                         "the path has something of one user, which no path of a dialect has; this "
                         "%s is left out",
                         words[side->what]);
        return false;
    } else if (exchange->answer.status >= 300) {
        learn_cannot_say(learning, exchange,
                         "the %s is answered with a redirect (%d), and a dialect answers 200 to "
                         "299; it is left out",
                         words[side->what], exchange->answer.status);
        return false;
    } else if (!issues && !has_token(learning, side)) {
        learn_cannot_say(learning, exchange,
                         "the access token is in a cookie only, where a dialect looks for the "
                         "refresh token alone; this %s is left out",
                         words[side->what]);
        return false;
    }
    return true;
}

/* Those at one path whose requests nothing tells apart from one before cannot be there. */
static bool is_apart(const struct learn_side *const *group, size_t index)
{
    for (size_t i = 0; i < index; i++) {
        if (group[i]->exchange->request.is.method == group[index]->exchange->request.is.method &&
            (!has_conditions(group[i]) || !has_conditions(group[index]))) {
            return false;
        }
    }
    return true;
}

static bool write_group(struct learning *learning, const struct learn_side *const *group,
                        size_t count)
{
    const char *word = words[group[0]->what];
    bool requests = count > 1 || has_conditions(group[0]);
    bool refresh = group[0]->what == LEARN_REFRESH;

    buffer_addf(learning->out, "\n[endpoint %s%s]\n", requests && refresh ? "" : word,
                !requests ? ""
                : refresh ? "token"
                          : "-token");
    write_path(learning, group, count);
    for (size_t i = 0; i < count; i++) {
        if (!is_apart(group, i)) {
            learn_cannot_say(learning, group[i]->exchange,
                             "nothing tells this %s from another request at this path; it is left "
                             "out",
                             words[group[i]->what]);
            continue;
        } else if (requests) {
            buffer_addf(learning->out, "\n[request %s%s %s]\n", refresh ? "" : word,
                        refresh ? "token" : "-token", words[group[i]->what]);
            write_condition(learning, group[i], count > 1);
        }
        write_request(learning, group[i]);
        if (!learn_answer(learning, group[i])) {
            return false;
        }
    }
    return true;
}

static bool is_dialect_method(enum http_method method)
{
    return method == HTTP_POST || method == HTTP_GET || method == HTTP_DELETE;
}

/* Media types of JSON that are not application/json are named. */
static void write_body(struct learning *learning, const struct learn_side *const *group,
                       size_t count)
{
    struct buffer *out = learning->out;
    struct text types[LEARN_WHATS] = {{0}};
    bool form = false, json = false, others = false;

    for (size_t i = 0; i < count; i++) {
        struct text type = group[i]->exchange->request.is.content_type;

        type = text_trim(text_cut(type, text_find(type, ';')));
        form = form || group[i]->places.has_form;
        json = json || group[i]->places.has_json;
        if (!group[i]->places.has_json || type.size == 0 ||
            text_equal_ignore_case(type, TEXT("application/json"))) {
            continue;
        } else if (http_media_is_json(type) && text_is_visible_ascii(type)) {
            types[i] = type;
            others = true;
        } else {
            learn_cannot_say(learning, group[i]->exchange,
                             "the body is JSON of another media type (%.*s), which no dialect "
                             "reads",
                             TEXT_ARGS(text_cut(type, 60)));
        }
    }
    if (json && !form && !others) {
        return; /* as it is without the line */
    }
    buffer_addf(out, "body = %s%s", form ? "form" : "", form && json ? " " : "");
    buffer_add_c(out, json ? "json" : form ? "" : "none");
    for (size_t i = 0; i < count; i++) {
        bool is_new = types[i].size > 0;

        for (size_t j = 0; j < i; j++) {
            is_new = is_new && !text_equal_ignore_case(types[i], types[j]);
        }
        if (is_new) {
            buffer_addf(out, " %.*s", TEXT_ARGS(types[i]));
        }
    }
    buffer_add_c(out, "\n");
}

static void write_path(struct learning *learning, const struct learn_side *const *group,
                       size_t count)
{
    const struct learn_exchange *exchange = group[0]->exchange;
    struct text path = exchange->request.path;
    bool slash = path.size > 1 && text_ends(path, TEXT("/"));
    bool post_only = true;
    struct buffer methods;
    struct text whole = {0};

    if (path.size <= 1 || learn_has_own_path(path)) {
        learn_cannot_say(learning, exchange,
                         path.size <= 1
                             ? "the path is /, where no mount can be: clients have to be "
                               "told of /token"
                             : "the path has something of one user: clients have to be "
                               "told of /token");
        path = TEXT("/token");
        slash = false;
    }
    buffer_addf(learning->out, "path = %.*s\n", TEXT_ARGS(text_cut(path, path.size - slash)));
    buffer_start(&methods, learning->arena, 32);
    for (size_t i = 0; i < count; i++) {
        const struct http_request *request = &group[i]->exchange->request.is;
        bool known = is_dialect_method(request->method);
        struct text name = known ? request->method_name : TEXT("POST");

        post_only = post_only && text_is(name, "POST");
        if (!text_has_word(buffer_text(&methods), name)) {
            buffer_addf(&methods, "%s%.*s", methods.size > 0 ? " " : "", TEXT_ARGS(name));
        }
        if (!known) {
            learn_cannot_say(learning, group[i]->exchange,
                             "a dialect takes POST, GET and DELETE only; POST is in the place of "
                             "this method");
        }
    }
    if (!post_only && buffer_finish(&methods, &whole)) {
        buffer_addf(learning->out, "methods = %.*s\n", TEXT_ARGS(whole));
    }
    if (slash) {
        buffer_add_c(learning->out, "slashes = loose\n");
    }
    write_body(learning, group, count);
}

/* ---- one request ---- */

static bool is_key(const struct learn_place *place)
{
    return place->source == DESCRIBED_HEADER &&
           (learn_name_is(place->name, "apikey") || learn_name_is(place->name, "xapikey") ||
            learn_name_is(place->name, "xauthkey") ||
            learn_name_is(place->name, "xapplicationkey"));
}

/* Where nothing that is sent does, the method tells requests at one path apart. */
static void write_condition(struct learning *learning, const struct learn_side *side, bool shared)
{
    size_t count = 0;

    for (size_t i = 0; i < side->places.count; i++) {
        const struct learn_place *place = &side->places.rows[i];

        if (is_condition(place) && count < DESCRIBED_CONDITIONS_MAX) {
            buffer_addf(learning->out, "%s%.*s is %.*s", count++ == 0 ? "when = " : ", ",
                        TEXT_ARGS(place->spelled), TEXT_ARGS(place->value));
        }
    }
    if (count == 0 && shared) {
        const struct http_request *request = &side->exchange->request.is;
        bool known = is_dialect_method(request->method);

        count++;
        buffer_addf(learning->out, "when = method is %.*s",
                    TEXT_ARGS(known ? request->method_name : TEXT("POST")));
    }
    buffer_add_c(learning->out, count > 0 ? "\n" : "");
}

/* How the client says who it is. */
static void write_client(struct learning *learning, const struct learn_side *side)
{
    const struct http_request *request = &side->exchange->request.is;
    struct text credentials;
    bool basic = http_authorization(request, "Basic", &credentials) == HTTP_ONE;

    for (size_t i = 0; i < side->places.count; i++) {
        const struct learn_place *place = &side->places.rows[i];
        bool id = learn_name_is(place->name, "clientid");
        bool secret = learn_name_is(place->name, "clientsecret");

        if (place->source == DESCRIBED_FORM && (id || secret)) {
            basic = true;
        } else if (place->source == DESCRIBED_JSON && (id || secret)) {
            learn_guess(learning->out, "the client's; `retoken client add` registers it");
            buffer_addf(learning->out, "%s = optional %.*s\n", id ? "client-id" : "client-secret",
                        TEXT_ARGS(place->spelled));
        }
    }
    if (basic) {
        learn_guess(learning->out,
                    "clients are those of RFC 6749; `retoken client add` registers them");
        buffer_add_c(learning->out, "client = oauth\n");
    }
}

static bool is_read(const struct learn_side *side, const struct learn_place *place)
{
    bool refresh = side->what == LEARN_REFRESH, login = side->what == LEARN_LOGIN;

    return place == side->refresh || is_condition(place) || is_key(place) ||
           (!refresh && place == side->access_shown && side->refresh == NULL) ||
           learn_name_is(place->name, "scope") || learn_name_is(place->name, "clientid") ||
           learn_name_is(place->name, "clientsecret") ||
           (login && (place == side->username || place == side->password));
}

/* By name only: a value may be a secret. */
static void write_unread(struct learning *learning, const struct learn_side *side)
{
    for (size_t i = 0; i < side->places.count; i++) {
        const struct learn_place *place = &side->places.rows[i];

        if (!is_read(side, place) && place->source != DESCRIBED_COOKIE) {
            buffer_addf(learning->out, "# not read: %.*s\n", TEXT_ARGS(place->spelled));
        }
    }
    if (side->what == LEARN_REFRESH && side->access_shown != NULL &&
        side->access_shown->source != DESCRIBED_COOKIE) {
        buffer_addf(learning->out,
                    "# guessed: it need not be the session's own access token; if it must:\n"
                    "# access-token = %.*s\n",
                    TEXT_ARGS(side->access_shown->spelled));
    }
}

static void write_token(struct learning *learning, const struct learn_side *side)
{
    struct buffer *out = learning->out;
    bool access =
        side->refresh == NULL || (side->what == LEARN_VALIDATE && side->access_shown != NULL);
    const struct learn_place *place = access ? side->access_shown : side->refresh;

    if (!access && !learn_name_has(place->name, "refresh")) {
        learn_guess(out, "this is the refresh token");
    }
    if (side->what == LEARN_LOGOUT && learning->input->logout_guessed) {
        learn_guess(out, "it ends the session, because its token is not taken any more");
    }
    buffer_addf(out, "%s = %.*s\n",
                access && side->what == LEARN_LOGOUT ? "access-token" : "refresh-token",
                TEXT_ARGS(place->source == DESCRIBED_COOKIE ? TEXT("cookie") : place->spelled));
    if (access && side->what == LEARN_LOGOUT && !learning->facts.names_session) {
        learn_cannot_say(learning, side->exchange,
                         "the access token names no session, so this logout is refused "
                         "(outcome=alone) until [access-token] has \"sid\":\"${session}\"");
    }
}

static void write_request(struct learning *learning, const struct learn_side *side)
{
    struct buffer *out = learning->out;
    struct text path = side->exchange->request.path;

    buffer_addf(out, "operation = %s\n", words[side->what]);
    if (side->what == LEARN_LOGIN) {
        if (side->login_named) {
            learn_guess(out, "these are the name and the password");
        }
        buffer_addf(out, "username = %.*s\npassword = %.*s\n", TEXT_ARGS(side->username->spelled),
                    TEXT_ARGS(side->password->spelled));
    } else {
        write_token(learning, side);
    }
    if (side->what == LEARN_LOGOUT &&
        (learn_name_has(path, "logoutall") || learn_name_has(path, "everywhere"))) {
        learn_guess(out, "its path says that all sessions of the account end");
        buffer_add_c(out, "sessions = all\n");
    }
    for (size_t i = 0; i < side->places.count; i++) {
        const struct learn_place *place = &side->places.rows[i];

        if (learn_name_is(place->name, "scope") && place->source != DESCRIBED_HEADER &&
            place->source != DESCRIBED_COOKIE) {
            buffer_addf(out, "scope = %.*s\n", TEXT_ARGS(place->spelled));
        } else if (is_key(place)) {
            learn_guess(out, "the application's key; the realm's auth-key-sha256 says which one");
            buffer_addf(out, "application-key = %.*s\n", TEXT_ARGS(place->spelled));
        }
    }
    write_client(learning, side);
    write_unread(learning, side);
    if (side->places.no_json.text[0] != '\0') {
        learn_cannot_say(learning, side->exchange,
                         "the body of the request is neither a form nor a JSON object to learn "
                         "from, and not read: %s",
                         side->places.no_json.text);
    }
}
