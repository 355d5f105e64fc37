/* SPDX-License-Identifier: ISC */
/* learn_endpoint.c: the sections [endpoint NAME] and [request ENDPOINT NAME] of a proposal. Knows
 * the lines that they have; what a body becomes, learn_template.h does. */
#include "admin/learn_side.h"

#include "admin/dialect_replay.h"

static bool is_condition(const struct learn_place *place)
{
    bool kind = learn_name_is(place->name, "granttype") || learn_name_is(place->name, "authflow") ||
                learn_name_is(place->name, "grant") || learn_name_is(place->name, "flow");

    return kind &&
           (place->source == DESCRIBED_FORM || place->source == DESCRIBED_JSON ||
            place->source == DESCRIBED_QUERY) &&
           text_is_visible_ascii(place->value) && place->value.size < 64 &&
           text_find(place->value, ',') == place->value.size;
}

static bool is_key(const struct learn_place *place)
{
    return place->source == DESCRIBED_HEADER &&
           (learn_name_is(place->name, "apikey") || learn_name_is(place->name, "xapikey") ||
            learn_name_is(place->name, "xauthkey") ||
            learn_name_is(place->name, "xapplicationkey"));
}

static void write_condition(struct learning *learning, const struct learn_side *side)
{
    size_t count = 0;

    for (size_t i = 0; i < side->places.count; i++) {
        const struct learn_place *place = &side->places.rows[i];

        if (is_condition(place) && count < DESCRIBED_CONDITIONS_MAX) {
            buffer_addf(learning->out, "%s%.*s is %.*s", count++ == 0 ? "when = " : ", ",
                        TEXT_ARGS(place->spelled), TEXT_ARGS(place->value));
        }
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
    return place == side->refresh || is_condition(place) || is_key(place) ||
           learn_name_is(place->name, "scope") || learn_name_is(place->name, "clientid") ||
           learn_name_is(place->name, "clientsecret") ||
           (side->login && (place == side->username || place == side->password));
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
    if (!side->login && side->access_shown != NULL) {
        buffer_addf(learning->out,
                    "# guessed: it need not be the session's own access token; if it must:\n"
                    "# access-token = %.*s\n",
                    TEXT_ARGS(side->access_shown->spelled));
    }
}

static void write_values(struct learning *learning, const struct learn_side *side)
{
    struct buffer *out = learning->out;

    if (side->login) {
        buffer_addf(out, "username = %.*s\npassword = %.*s\n", TEXT_ARGS(side->username->spelled),
                    TEXT_ARGS(side->password->spelled));
    } else {
        struct text spelled =
            side->refresh->source == DESCRIBED_COOKIE ? TEXT("cookie") : side->refresh->spelled;

        if (!learn_name_has(side->refresh->name, "refresh")) {
            learn_guess(out, "this is the refresh token");
        }
        buffer_addf(out, "refresh-token = %.*s\n", TEXT_ARGS(spelled));
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
}

static bool write_answer(struct learning *learning, const struct learn_side *side)
{
    struct buffer *out = learning->out;
    const struct http_recording *answer = &side->exchange->answer;
    struct learn_facts facts = learning->facts;
    struct buffer guesses, line;
    struct text template = {0}, said = {0}, whole = {0};

    buffer_start(&guesses, learning->arena, 256);
    buffer_start(&line, learning->arena, 1024);
    facts.access = side->access.value;
    facts.next = side->next.value;
    if (side->login) {
        struct text header, payload;

        facts.issued_at_s = facts.expires_at_s = 0;
        if (dialect_replay_jwt(facts.access, learning->arena, &header, &payload)) {
            const json_t *claims = json_in_object(learning->arena, payload, NULL);

            facts.issued_at_s = learn_integer(claims, "iat");
            facts.expires_at_s = learn_integer(claims, "exp");
        }
    }
    if (answer->is.body.size > 0 &&
        !learn_template_answer(&side->values, &facts, learning->arena, &guesses, &template)) {
        fault_set(learning->fault, "out of memory");
        return false;
    }
    (void)buffer_finish(&guesses, &said);
    buffer_addf(&line, "%d%s%.*s", answer->status, template.size > 0 ? " " : "",
                TEXT_ARGS(template));
    buffer_add(out, said);
    if (!learn_name_has(side->access.name, "access")) {
        learn_guess(out, "%.*s is the access token", TEXT_ARGS(text_cut(side->access.name, 80)));
    }
    if (!buffer_finish(&line, &whole)) {
        return false;
    }
    learn_setting(learning, "answer", whole);
    if (side->access.where == FOUND_COOKIE || side->next.where == FOUND_COOKIE) {
        buffer_add_c(out, "answer.cookies = set\n");
    }
    const struct learn_found *const found[] = {&side->access, &side->next};
    for (size_t i = 0; i < 2; i++) {
        if (found[i]->where == FOUND_HEADER) {
            buffer_addf(out, "answer.header.%.*s = %s${%s}\n", TEXT_ARGS(found[i]->name),
                        text_is(found[i]->name, "authorization") ? "Bearer " : "",
                        i == 0 ? "access_token" : "refresh_token");
        }
    }
    return true;
}

static void write_path(struct learning *learning, const struct learn_side *side)
{
    const struct http_recording *request = &side->exchange->request;
    struct text path = request->path;
    bool slash = path.size > 1 && text_ends(path, TEXT("/"));
    bool form = false, json = false;

    for (int i = 0; i < 2; i++) {
        const struct learn_side *one = i == 0 ? learning->refresh : learning->login;

        if (one != NULL && text_equal(one->exchange->request.path, path)) {
            form = form || one->places.has_form;
            json = json || one->places.has_json;
        }
    }
    if (path.size <= 1) {
        learn_guess(learning->out,
                    "the path was /, where no mount can be: clients have to be told");
        path = TEXT("/token");
    }
    buffer_addf(learning->out, "path = %.*s\n", TEXT_ARGS(text_cut(path, path.size - slash)));
    if (request->is.method != HTTP_POST) {
        buffer_addf(learning->out, "methods = %.*s\n", TEXT_ARGS(request->is.method_name));
    }
    if (slash) {
        buffer_add_c(learning->out, "slashes = loose\n");
    }
    if (form || !json) {
        buffer_addf(learning->out, "body = %s\n",
                    form && json ? "form json"
                    : form       ? "form"
                                 : "none");
    }
}

/* One path may have both: then each is a request of its own. */
bool learn_endpoints(struct learning *learning)
{
    struct learn_side *const sides[] = {learning->refresh, learning->login};
    bool shared = learning->login != NULL && text_equal(learning->login->exchange->request.path,
                                                        learning->refresh->exchange->request.path);

    for (size_t i = 0; i < 2; i++) {
        const struct learn_side *side = sides[i];
        const char *word = i == 0 ? "refresh" : "login";
        bool conditions = false;

        for (size_t j = 0; side != NULL && j < side->places.count; j++) {
            conditions = conditions || is_condition(&side->places.rows[j]);
        }
        if (side == NULL) {
            continue;
        }
        if (i == 0 || !shared) {
            buffer_addf(learning->out, "\n[endpoint %s]\n",
                        shared || conditions ? i == 0 ? "token" : "login-token" : word);
            write_path(learning, side);
        }
        if (shared || conditions) {
            buffer_addf(learning->out, "\n[request %s %s]\n",
                        i == 0 || shared ? "token" : "login-token", word);
            write_condition(learning, side);
        }
        buffer_addf(learning->out, "operation = %s\n", word);
        write_values(learning, side);
        write_unread(learning, side);
        if (!write_answer(learning, side)) {
            return false;
        }
    }
    return true;
}
