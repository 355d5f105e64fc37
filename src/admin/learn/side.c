/* SPDX-License-Identifier: ISC */
/* side.c: where the tokens of a recorded exchange are. Knows how backends usually name them;
 * writes nothing. */
#include "admin/learn/side.h"

#include "admin/dialect/found.h"
#include "admin/dialect/replay.h"

static void find_shown(const struct learning *learning, struct learn_side *side);
static void find_tokens(const struct learning *learning, struct learn_side *side);

/* Is it one of the names? */
static bool is_one_of(struct text name, const struct text names[LEARN_NAMES_MAX])
{
    for (size_t i = 0; i < LEARN_NAMES_MAX && names[i].size > 0; i++) {
        if (text_equal(names[i], name)) {
            return true;
        }
    }
    return false;
}

static const struct learn_place *place_spelled(const struct learn_places *places,
                                               struct text spelled)
{
    for (size_t i = 0; i < places->count && spelled.size > 0; i++) {
        if (text_equal(places->rows[i].spelled, spelled)) {
            return &places->rows[i];
        }
    }
    return NULL;
}

static const struct learn_place *best_place(const struct learn_places *places,
                                            int (*score)(const struct learn_place *place))
{
    const struct learn_place *best = NULL;
    int most = 0;

    for (size_t i = 0; i < places->count; i++) {
        int points = score(&places->rows[i]);

        if (points > most) {
            most = points;
            best = &places->rows[i];
        }
    }
    return best;
}

static int score_refresh(const struct learn_place *place)
{
    enum { SHORT = 8 };
    bool named = learn_name_has(place->name, "refresh") && !learn_name_has(place->name, "expir");
    int points = (named ? 8 : 0) + (learn_name_has(place->name, "token") ? 2 : 0) +
                 (place->source == DESCRIBED_AUTHORIZATION ? 3 : 0);

    if (learn_name_has(place->name, "access") || learn_name_has(place->name, "csrf") ||
        learn_name_has(place->name, "xsrf") || learn_name_has(place->name, "device") ||
        learn_name_has(place->name, "key") || learn_name_has(place->name, "secret") ||
        learn_name_has(place->name, "password") || !text_is_visible_ascii(place->value)) {
        return 0;
    } else if (named && place->value.size < SHORT) {
        return 1;
    }
    return named || own_is_token(place->value) ? points : 0;
}

static int score_access(const struct learn_place *place)
{
    return !own_is_token(place->value)                ? 0
           : learn_name_has(place->name, "access")    ? 4
           : place->source == DESCRIBED_AUTHORIZATION ? 2
                                                      : 0;
}

static int score_username(const struct learn_place *place)
{
    return place->source == DESCRIBED_HEADER || place->source == DESCRIBED_COOKIE ? 0
           : learn_name_is(place->name, "username")                               ? 4
           : learn_name_is(place->name, "email")                                  ? 3
           : learn_name_is(place->name, "login") || learn_name_is(place->name, "user") ||
                   learn_name_is(place->name, "identifier") ||
                   learn_name_is(place->name, "identity")
               ? 2
               : 0;
}

static int score_password(const struct learn_place *place)
{
    return learn_name_is(place->name, "password") ? 3
           : learn_name_is(place->name, "passwd") || learn_name_is(place->name, "pass") ||
                   learn_name_is(place->name, "pwd")
               ? 2
               : 0;
}

bool learn_side_look(struct learning *learning, const struct learn_exchange *exchange,
                     enum learn_what what, struct learn_side **side)
{
    struct learn_side *made = arena_alloc(learning->arena, sizeof *made);

    if (made == NULL) {
        fault_set(learning->fault, "out of memory");
        return false;
    }
    *made = (struct learn_side){.exchange = exchange, .what = what};
    if (!learn_places_read(learning->arena, &exchange->request, &made->places, learning->fault)) {
        return false;
    }
    fault_set(learning->fault, "it is empty");
    made->is_object = exchange->answer.is.body.size > 0 &&
                      learn_values_read(learning->arena, exchange->answer.is.body, &made->values,
                                        learning->fault);
    find_shown(learning, made);
    if (what == LEARN_REFRESH || what == LEARN_LOGIN) {
        find_tokens(learning, made);
    }
    *side = made;
    return true;
}

bool learn_side_read(struct learning *learning, const struct learn_exchange *exchange,
                     enum learn_what what, struct learn_side **side)
{
    bool issues = what == LEARN_REFRESH || what == LEARN_LOGIN;

    if (!learn_side_look(learning, exchange, what, side)) {
        return false;
    }
    const struct learn_side *made = *side;
    if (what == LEARN_REFRESH && made->refresh == NULL) {
        bool no_json = made->places.no_json.text[0] != '\0';

        fault_set(learning->fault, "%s%s%sno refresh token was found in the request",
                  no_json ? "the body of the request is no JSON object to learn from: " : "",
                  made->places.no_json.text, no_json ? "; " : "");
        return false;
    } else if (issues && made->access.where == FOUND_NOWHERE && made->is_object) {
        fault_set(learning->fault, "no access token was found in the answer to the %s",
                  what == LEARN_LOGIN ? "login" : "refresh");
        return false;
    } else if (issues && made->access.where == FOUND_NOWHERE) {
        fault_prefix(learning->fault, "the body of the answer is no JSON object to learn from");
        return false;
    }
    return true;
}

/* The cookie that is known to have the refresh token; or one that the answer to a refresh replaces,
 * or that another answer takes away. */
static const struct learn_place *token_cookie(const struct learning *learning,
                                              const struct learn_side *side)
{
    const struct http_request *answer = &side->exchange->answer.is;

    for (size_t i = 0; i < side->places.count; i++) {
        const struct learn_place *place = &side->places.rows[i];

        if (place->source != DESCRIBED_COOKIE) {
            continue;
        } else if (learning->refresh_cookie != NULL) {
            if (text_is(place->name, learning->refresh_cookie)) {
                return place;
            }
            continue;
        }
        for (size_t j = 0; j < answer->header_count && own_is_token(place->value); j++) {
            struct http_set_cookie cookie;
            bool same = http_recording_cookie(&answer->headers[j], &cookie) &&
                        text_equal(cookie.name, place->name);

            if (same && !learn_name_has(place->name, "csrf") &&
                !learn_name_has(place->name, "xsrf") &&
                (side->what == LEARN_REFRESH ? own_is_token(cookie.value) : cookie.clears)) {
                return place;
            }
        }
    }
    return NULL;
}

/* A refresh shows a refresh token wherever it is. Elsewhere a token by that name is one, and any
 * other is an access token where it is in Authorization, or a JWT. */
static void find_shown(const struct learning *learning, struct learn_side *side)
{
    const struct learn_names *names = learning->names;
    const struct learn_places *places = &side->places;
    const struct learn_place *cookie = token_cookie(learning, side);
    struct text header, payload;

    side->username = best_place(places, score_username);
    side->password = best_place(places, score_password);
    if (names != NULL && side->username == NULL) {
        side->username = place_spelled(places, names->username);
        side->login_named = side->username != NULL;
    }
    if (names != NULL && side->password == NULL) {
        side->password = place_spelled(places, names->password);
        side->login_named = side->login_named || side->password != NULL;
    }
    side->access_shown = best_place(places, score_access);
    side->refresh = side->what == LEARN_LOGIN ? NULL : best_place(places, score_refresh);
    for (size_t i = 0; names != NULL && i < LEARN_NAMES_MAX && side->what != LEARN_LOGIN &&
                       !side->refresh_named &&
                       (side->refresh == NULL || !learn_name_has(side->refresh->name, "refresh"));
         i++) {
        const struct learn_place *place = place_spelled(places, names->shown[i]);

        side->refresh_named = place != NULL;
        side->refresh = place != NULL ? place : side->refresh;
    }
    if (cookie != NULL && side->what != LEARN_LOGIN && !side->refresh_named &&
        (side->refresh == NULL || !learn_name_has(side->refresh->name, "refresh"))) {
        side->refresh = cookie;
    }
    if (side->what != LEARN_REFRESH && side->refresh != NULL && side->refresh != cookie &&
        !side->refresh_named && !learn_name_has(side->refresh->name, "refresh") &&
        (side->refresh->source == DESCRIBED_AUTHORIZATION ||
         dialect_replay_jwt(side->refresh->value, learning->arena, &header, &payload))) {
        side->access_shown = side->refresh;
    }
    if (side->access_shown == side->refresh) {
        *(side->what == LEARN_REFRESH ? &side->access_shown : &side->refresh) = NULL;
    }
}

/* Is it a JWT that says so itself? */
static bool is_refresh_jwt(struct text value, struct arena *arena)
{
    struct text header, payload, kind = {0};

    if (!dialect_replay_jwt(value, arena, &header, &payload)) {
        return false;
    }
    const json_t *claims = json_in_object(arena, payload, NULL);
    if (json_in_text(claims, "token_type", &kind) != JSON_IN_TEXT) {
        (void)json_in_text(claims, "typ", &kind);
    }
    return learn_name_has(kind, "refresh");
}

/* What is called as the token in the request was is the next one, whatever it is called. */
static void weigh(const struct learning *learning, struct learn_side *side, struct text path,
                  struct learn_found found, int most[2])
{
    const struct learn_names *names = found.where == FOUND_COOKIE ? NULL : learning->names;
    struct text name = found.name, value = found.value;
    struct arena *arena = learning->arena;
    struct text header, payload;
    bool jwt = dialect_replay_jwt(value, arena, &header, &payload);
    bool again = side->refresh != NULL && (text_equal(value, side->refresh->value) ||
                                           (!jwt && text_equal(name, side->refresh->name)));
    bool cookie = found.where == FOUND_COOKIE && learning->refresh_cookie != NULL &&
                  text_is(name, learning->refresh_cookie);
    bool refresh = learn_name_has(name, "refresh") || is_refresh_jwt(value, arena) || again ||
                   cookie || (names != NULL && is_one_of(path, names->next));
    bool access = names != NULL && is_one_of(path, names->access);
    bool token = learn_name_has(name, "token") || learn_name_is(name, "jwt") ||
                 learn_name_has(name, "access") || text_is(name, "authorization");
    int points = (learn_name_has(name, "access") ? 6 : 0) + (access ? 5 : 0) + (jwt ? 4 : 0) +
                 (token ? 3 : 0) - (learn_name_is(name, "idtoken") ? 4 : 0);

    if (!own_is_token(value) || !text_is_printable(name) || learn_name_has(name, "expir") ||
        learn_name_has(name, "csrf") || learn_name_has(name, "xsrf")) {
        return;
    } else if (refresh && most[1] == 0) {
        most[1] = 1;
        side->next = found;
    } else if (!refresh && (token || jwt || access) && points > most[0]) {
        most[0] = points;
        side->access = found;
    }
}

/* In the body first; what is not there, in headers and cookies. */
static void find_tokens(const struct learning *learning, struct learn_side *side)
{
    const struct http_request *answer = &side->exchange->answer.is;
    int most[2] = {0, 0};

    for (size_t i = 0; i < side->values.count; i++) {
        const struct learn_value *value = &side->values.rows[i];

        if (value->kind == LEARN_STRING) {
            weigh(learning, side, value->path,
                  (struct learn_found){value->name, value->text, FOUND_BODY}, most);
        }
    }
    for (size_t i = 0; i < answer->header_count; i++) {
        struct text value = answer->headers[i].value;
        struct text name = answer->headers[i].name;
        struct http_set_cookie cookie;

        if (http_recording_cookie(&answer->headers[i], &cookie)) {
            weigh(learning, side, cookie.name,
                  (struct learn_found){cookie.name, cookie.value, FOUND_COOKIE}, most);
        } else if (text_is_printable(value) &&
                   (learn_name_has(name, "token") || text_is(name, "authorization") ||
                    (learning->names != NULL && is_one_of(name, learning->names->next)))) {
            struct text word = text_word(&value);

            value = value.size > 0 ? text_trim(value) : word;
            weigh(learning, side, name, (struct learn_found){name, value, FOUND_HEADER}, most);
        }
    }
}

int64_t learn_integer(const json_t *object, const char *name)
{
    int64_t number = json_integer_value(json_object_get(object, name));

    return number >= 0 && number <= DIALECT_TIME_MAX ? number : 0;
}

const char *learn_side_cookie(const struct learning *learning, const struct learn_side *side,
                              bool refresh)
{
    struct text token = refresh ? side->next.value : side->access.value;
    const struct http_request *answer = &side->exchange->answer.is;

    if (refresh && side->refresh != NULL && side->refresh->source == DESCRIBED_COOKIE) {
        return arena_c_string(learning->arena, side->refresh->name);
    }
    for (size_t i = 0; token.size > 0 && i < answer->header_count; i++) {
        struct http_set_cookie cookie;

        if (http_recording_cookie(&answer->headers[i], &cookie) &&
            text_equal(cookie.value, token)) {
            return arena_c_string(learning->arena, cookie.name);
        }
    }
    return NULL;
}

void learn_side_facts(struct learning *learning)
{
    static const char *const numbers[] = {"user_id", "userId", "userid", "uid", "id", "sub"};
    struct learn_facts *facts = &learning->facts;
    const struct learn_side *side = learning->sides[LEARN_REFRESH];
    const struct learn_side *login = learning->sides[LEARN_LOGIN];
    struct arena *arena = learning->arena;

    facts->access = side->access.value;
    facts->next = side->next.value;
    facts->answer = &side->values;
    facts->scope_asked = login == NULL;
    for (size_t i = 0; login != NULL && i < login->places.count; i++) {
        facts->scope_asked = facts->scope_asked || learn_name_is_scope(login->places.rows[i].name);
    }
    learning->rotates =
        learning->input->rotations > 0 ||
        (side->next.where != FOUND_NOWHERE && !text_equal(side->next.value, side->refresh->value));
    (void)dialect_replay_jwt(side->refresh->value, arena, &learning->refresh_header,
                             &learning->refresh_payload);
    if (login != NULL && login->username != NULL) {
        facts->username = login->username->value;
    }
    if (dialect_replay_jwt(facts->access, arena, &learning->header, &learning->payload)) {
        const json_t *claims = json_in_object(arena, learning->payload, NULL);

        facts->issued_at_s = learn_integer(claims, "iat");
        facts->expires_at_s = learn_integer(claims, "exp");
        (void)json_in_text(claims, "sub", &facts->subject);
        (void)json_in_text(claims, "iss", &facts->issuer);
        if (json_in_text(claims, "aud", &facts->audience) != JSON_IN_TEXT) {
            facts->audience =
                text_of(json_string_value(json_array_get(json_object_get(claims, "aud"), 0)));
        }
        for (size_t i = 0; i < sizeof numbers / sizeof numbers[0] && facts->user_number == 0; i++) {
            facts->user_number = learn_integer(claims, numbers[i]);
        }
        if (facts->subject.size > 0 && text_equal(facts->subject, facts->username)) {
            facts->username = (struct text){0};
        }
    } else {
        learning->header = learning->payload = (struct text){0};
    }
}
