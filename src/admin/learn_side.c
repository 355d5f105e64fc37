/* SPDX-License-Identifier: ISC */
/* learn_side.c: where the tokens of a recorded exchange are, and which exchange is a refresh or a
 * login. Knows how backends usually name them; writes nothing. */
#include "admin/learn_side.h"

#include "admin/dialect_replay.h"

static void find_tokens(struct learn_side *side, struct arena *arena);

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
    bool named = learn_name_has(place->name, "refresh") && !learn_name_has(place->name, "expir");
    int points = (named ? 8 : 0) + (learn_name_has(place->name, "token") ? 2 : 0) +
                 (place->source == DESCRIBED_AUTHORIZATION ? 3 : 0);

    if (learn_name_has(place->name, "access") || learn_name_has(place->name, "csrf") ||
        learn_name_has(place->name, "xsrf") || learn_name_has(place->name, "device") ||
        learn_name_has(place->name, "key") || learn_name_has(place->name, "secret") ||
        learn_name_has(place->name, "password") || place->value.size < 8 ||
        !text_is_visible_ascii(place->value)) {
        return 0;
    }
    return named || learn_is_token(place->value) ? points : 0;
}

static int score_access(const struct learn_place *place)
{
    return !learn_is_token(place->value)              ? 0
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

bool learn_side_read(struct learning *learning, const struct learn_exchange *exchange, bool login,
                     struct learn_side **side)
{
    struct learn_side *made = arena_alloc(learning->arena, sizeof *made);
    struct text body = exchange->answer.is.body;

    if (made == NULL) {
        fault_set(learning->fault, "out of memory");
        return false;
    }
    *made = (struct learn_side){.exchange = exchange, .login = login};
    if (!learn_places_read(learning->arena, &exchange->request, &made->places, learning->fault)) {
        return false;
    } else if (body.size > 0 &&
               !learn_values_read(learning->arena, body, &made->values, learning->fault)) {
        fault_prefix(learning->fault, "the body of the answer is no JSON object");
        return false;
    }
    made->refresh = login ? NULL : best_place(&made->places, score_refresh);
    made->username = best_place(&made->places, score_username);
    made->password = best_place(&made->places, score_password);
    made->access_shown = best_place(&made->places, score_access);
    made->access_shown = made->access_shown == made->refresh ? NULL : made->access_shown;
    find_tokens(made, learning->arena);
    if (!login && made->refresh == NULL) {
        fault_set(learning->fault, "no refresh token was found in the request");
        return false;
    } else if (made->access.where == FOUND_NOWHERE) {
        fault_set(learning->fault, "no access token was found in the answer to the %s",
                  login ? "login" : "refresh");
        return false;
    }
    *side = made;
    return true;
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
static void weigh(struct learn_side *side, struct text name, struct text value, int where,
                  int most[2], struct arena *arena)
{
    struct text header, payload;
    bool jwt = dialect_replay_jwt(value, arena, &header, &payload);
    bool again = side->refresh != NULL && (text_equal(value, side->refresh->value) ||
                                           (!jwt && text_equal(name, side->refresh->name)));
    bool refresh = learn_name_has(name, "refresh") || is_refresh_jwt(value, arena) || again;
    bool token = learn_name_has(name, "token") || learn_name_is(name, "jwt") ||
                 learn_name_has(name, "access");
    int points = (learn_name_has(name, "access") ? 6 : 0) + (jwt ? 4 : 0) + (token ? 3 : 0) -
                 (learn_name_is(name, "idtoken") ? 4 : 0);
    struct learn_found found = {.name = name, .value = value};

    found.where = where == FOUND_BODY     ? FOUND_BODY
                  : where == FOUND_HEADER ? FOUND_HEADER
                                          : FOUND_COOKIE;
    if (!learn_is_token(value) || learn_name_has(name, "expir")) {
        return;
    } else if (refresh && most[1] == 0) {
        most[1] = 1;
        side->next = found;
    } else if (!refresh && (token || jwt) && points > most[0]) {
        most[0] = points;
        side->access = found;
    }
}

/* In the body first; what is not there, in headers and cookies. */
static void find_tokens(struct learn_side *side, struct arena *arena)
{
    const struct http_request *answer = &side->exchange->answer.is;
    int most[2] = {0, 0};

    for (size_t i = 0; i < side->values.count; i++) {
        const struct learn_value *value = &side->values.rows[i];

        if (value->kind == LEARN_STRING) {
            weigh(side, value->name, value->text, FOUND_BODY, most, arena);
        }
    }
    for (size_t i = 0; i < answer->header_count; i++) {
        struct text value = answer->headers[i].value;
        struct text name = answer->headers[i].name;

        if (text_is(name, "set-cookie")) {
            value = text_cut(value, text_find(value, ';'));
            name = text_split(&value, '=');
            weigh(side, name, value, FOUND_COOKIE, most, arena);
        } else if (learn_name_has(name, "token") || text_is(name, "authorization")) {
            struct text word = text_word(&value);

            weigh(side, name, value.size > 0 ? text_trim(value) : word, FOUND_HEADER, most, arena);
        }
    }
}

int64_t learn_integer(const json_t *object, const char *name)
{
    const json_t *value = json_object_get(object, name);

    return json_is_integer(value) ? json_integer_value(value) : 0;
}

/* What the tokens say, and the login. */
void learn_side_facts(struct learning *learning)
{
    struct learn_facts *facts = &learning->facts;
    const struct learn_side *side = learning->refresh;
    struct arena *arena = learning->arena;

    facts->access = side->access.value;
    facts->next = side->next.value;
    learning->rotates =
        side->next.where != FOUND_NOWHERE && !text_equal(side->next.value, side->refresh->value);
    (void)dialect_replay_jwt(side->refresh->value, arena, &learning->refresh_header,
                             &learning->refresh_payload);
    if (learning->login != NULL && learning->login->username != NULL) {
        facts->username = learning->login->username->value;
    }
    if (dialect_replay_jwt(facts->access, arena, &learning->header, &learning->payload)) {
        const json_t *claims = json_in_object(arena, learning->payload, NULL);

        facts->issued_at_s = learn_integer(claims, "iat");
        facts->expires_at_s = learn_integer(claims, "exp");
        (void)json_in_text(claims, "sub", &facts->subject);
        (void)json_in_text(claims, "iss", &facts->issuer);
        (void)json_in_text(claims, "aud", &facts->audience);
        if (facts->subject.size > 0 && text_equal(facts->subject, facts->username)) {
            facts->username = (struct text){0};
        }
    } else {
        learning->header = learning->payload = (struct text){0};
    }
}

/* ---- which exchange is which ---- */

static struct learn_side *look(const struct learn_exchange *exchange, struct arena *arena,
                               bool login)
{
    struct learning learning = {.arena = arena, .fault = NULL};
    struct learn_side *side = NULL;

    return exchange->answer.status >= 200 && exchange->answer.status < 300 &&
                   exchange->request.is.method != HTTP_OPTIONS &&
                   learn_side_read(&learning, exchange, login, &side)
               ? side
               : NULL;
}

bool learn_is_login(const struct learn_exchange *exchange, struct arena *arena)
{
    const struct learn_side *side = look(exchange, arena, true);

    return side != NULL && side->username != NULL && side->password != NULL;
}

bool learn_is_refresh(const struct learn_exchange *exchange, struct arena *arena)
{
    const struct learn_side *side = look(exchange, arena, false);

    return side != NULL && side->password == NULL &&
           (learn_name_has(side->refresh->name, "refresh") || side->next.where != FOUND_NOWHERE ||
            learn_name_has(exchange->request.path, "refresh") ||
            learn_name_has(exchange->request.path, "token"));
}

bool learn_is_refused(const struct learn_exchange *exchange, struct text path, struct arena *arena)
{
    struct learn_places *places = arena_alloc(arena, sizeof *places);

    return places != NULL && exchange->answer.status >= 400 && exchange->answer.status < 500 &&
           text_equal(exchange->request.path, path) &&
           learn_places_read(arena, &exchange->request, places, NULL) &&
           best_place(places, score_refresh) != NULL && best_place(places, score_password) == NULL;
}
