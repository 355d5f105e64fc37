/* SPDX-License-Identifier: ISC */
/* flow.c: see flow.h. Only what comes with an access token is remembered, and only so
 * much of it, so that a long recording takes no longer for each of its entries than a short one. */
#include "admin/learn/flow.h"

#include "admin/dialect/replay.h"
#include "admin/learn/side.h"
#include "base/crypto.h"
#include "base/date.h"

enum {
    BROUGHT_MAX = 256, /* values of answers; a new one takes the place of the oldest */
    CARRIED_MAX = 256, /* values of Authorization and cookies */
    PATH_SIZE = 120
};

/* Tells a value from others, and does not keep it. */
struct flow_mark {
    uint8_t hash[CRYPTO_HASH_SIZE];
};

struct flow_value {
    struct flow_mark mark;
    char path[PATH_SIZE];                          /* in the answer */
    char username[PATH_SIZE], password[PATH_SIZE]; /* of its request, spelled; "" = no login */
    bool jwt;
    size_t last; /* entry that was granted for it */
};

struct learn_flow {
    struct arena *arena;
    struct learn_names *names;
    struct flow_value brought[BROUGHT_MAX];
    size_t brought_count; /* in all */
    struct flow_mark carried[CARRIED_MAX];
    size_t carried_count; /* in all */
};

static void remember(struct learn_flow *flow, const struct learn_side *side, struct arena *scratch);
static void link(struct learn_flow *flow, const struct learn_side *side,
                 const struct learn_place *place, const struct flow_value *value);

struct learn_flow *learn_flow_open(struct arena *arena, struct learn_names *names)
{
    struct learn_flow *flow = arena_alloc(arena, sizeof *flow);

    if (flow != NULL) {
        *flow = (struct learn_flow){.arena = arena, .names = names};
    }
    return flow;
}

/* ---- values ---- */

static struct flow_mark mark_of(struct text value)
{
    struct flow_mark mark = {{0}};

    (void)crypto_sha256(value.data, value.size, mark.hash);
    return mark;
}

static bool is_same(struct flow_mark a, struct flow_mark b)
{
    return memcmp(a.hash, b.hash, sizeof a.hash) == 0;
}

static bool is_carried(const struct learn_flow *flow, struct flow_mark mark)
{
    for (size_t i = 0; i < flow->carried_count && i < CARRIED_MAX; i++) {
        if (is_same(flow->carried[i], mark)) {
            return true;
        }
    }
    return false;
}

static struct flow_value *find(struct learn_flow *flow, struct text value)
{
    struct flow_mark mark = mark_of(value);

    for (size_t i = 0; i < flow->brought_count && i < BROUGHT_MAX; i++) {
        if (is_same(flow->brought[i].mark, mark)) {
            return &flow->brought[i];
        }
    }
    return NULL;
}

static bool is_jwt(struct text value, struct arena *arena)
{
    struct text header, payload;

    return dialect_replay_jwt(value, arena, &header, &payload);
}

/* Of the access token; "" = it is no JWT. */
static struct text payload_of(const struct learn_side *side, struct arena *arena)
{
    struct text header, payload;

    return dialect_replay_jwt(side->access.value, arena, &header, &payload) ? payload
                                                                            : (struct text){0};
}

/* Is it something of the account: a text that the access token has as well? */
static bool is_claim(struct text payload, struct text value, struct arena *arena)
{
    struct buffer buffer;
    struct text quoted;

    buffer_start(&buffer, arena, value.size + 8);
    buffer_addf(&buffer, "\"%.*s\"", TEXT_ARGS(value));
    return buffer_finish(&buffer, &quoted) && payload.size > 0 &&
           memmem(payload.data, payload.size, quoted.data, quoted.size) != NULL;
}

/* What goes to and fro as a refresh token does, and is none. */
static bool is_other(struct text name)
{
    return learn_name_has(name, "csrf") || learn_name_has(name, "xsrf") ||
           learn_name_has(name, "access") || learn_name_has(name, "device") ||
           learn_name_has(name, "client") || learn_name_has(name, "key");
}

static bool is_in_body(const struct learn_place *place)
{
    return place->source == DESCRIBED_JSON || place->source == DESCRIBED_FORM;
}

/* Long, and no word. */
static bool is_secret(struct text name, struct text value)
{
    int64_t at_ms;

    return own_is_opaque(value) && !is_other(name) && text_find(value, '@') == value.size &&
           memmem(value.data, value.size, "://", 3) == NULL && !date_parse(value, &at_ms);
}

static void add_name(struct learn_flow *flow, struct text names[LEARN_NAMES_MAX], struct text name)
{
    for (size_t i = 0; i < LEARN_NAMES_MAX && !text_equal(names[i], name); i++) {
        if (names[i].size == 0) {
            (void)arena_copy(flow->arena, name, &names[i]);
            return;
        }
    }
}

/* ---- from one exchange to the next ---- */

void learn_flow_note(struct learn_flow *flow, const struct learn_exchange *exchange,
                     struct arena *scratch)
{
    struct learn_places *places = arena_alloc(scratch, sizeof *places);

    if (places == NULL || !learn_places_read(scratch, &exchange->request, places, NULL)) {
        return;
    }
    for (size_t i = 0; i < places->count; i++) {
        const struct learn_place *place = &places->rows[i];
        struct flow_mark mark = mark_of(place->value);

        if ((place->source == DESCRIBED_AUTHORIZATION || place->source == DESCRIBED_COOKIE) &&
            own_is_token(place->value) && !is_carried(flow, mark)) {
            flow->carried[flow->carried_count++ % CARRIED_MAX] = mark;
        }
    }
}

/* An access token of another name is one that is carried later. */
static bool brings_access(struct learn_flow *flow, const struct learn_side *side)
{
    for (size_t i = 0; i < side->values.count && side->access.where == FOUND_NOWHERE; i++) {
        const struct learn_value *value = &side->values.rows[i];

        if (value->kind == LEARN_STRING && is_secret(value->name, value->text) &&
            is_carried(flow, mark_of(value->text))) {
            add_name(flow, flow->names->access, value->path);
            return true;
        }
    }
    return side->access.where != FOUND_NOWHERE;
}

/* Rather in the body than in a header, and rather no JWT, which may be the access token. */
static int weigh(const struct learn_place *place, const struct flow_value *value)
{
    return (is_in_body(place) ? 4 : 0) + (value->jwt ? 0 : 2) + 1;
}

void learn_flow_follow(struct learn_flow *flow, const struct learn_exchange *exchange,
                       struct arena *scratch)
{
    struct learning learning = {.arena = scratch, .names = flow->names};
    const struct learn_place *shown = NULL;
    const struct flow_value *best = NULL;
    struct learn_side *side = NULL;

    if (exchange->answer.status < 200 || exchange->answer.status > 299 ||
        exchange->request.is.method == HTTP_OPTIONS ||
        !learn_side_look(&learning, exchange, LEARN_LOGIN, &side)) {
        return;
    }
    for (size_t i = 0; i < side->places.count; i++) {
        const struct learn_place *place = &side->places.rows[i];
        bool carried =
            place->source == DESCRIBED_AUTHORIZATION || place->source == DESCRIBED_COOKIE;
        struct flow_value *value =
            carried || is_other(place->name) ? NULL : find(flow, place->value);

        if (value == NULL) {
            continue;
        }
        value->last = exchange->entry;
        if (best == NULL || weigh(place, value) > weigh(shown, best)) {
            shown = place;
            best = value;
        }
    }
    if (!brings_access(flow, side) ||
        (best != NULL && text_equal(side->access.value, shown->value))) {
        return;
    } else if (best != NULL) {
        link(flow, side, shown, best);
    }
    remember(flow, side, scratch);
}

/* The value that the request shows is a refresh token. What brought it may have been the login. */
static void link(struct learn_flow *flow, const struct learn_side *side,
                 const struct learn_place *place, const struct flow_value *value)
{
    struct learn_names *names = flow->names;

    add_name(flow, names->shown, place->spelled);
    add_name(flow, names->next, text_of(value->path));
    for (size_t i = 0; i < side->values.count; i++) {
        if (text_equal(side->values.rows[i].text, place->value)) {
            add_name(flow, names->next, side->values.rows[i].path); /* it is told again */
        }
    }
    if (value->username[0] != '\0') {
        names->username = text_of(arena_c_string(flow->arena, text_of(value->username)));
        names->password = text_of(arena_c_string(flow->arena, text_of(value->password)));
    }
}

/* ---- logins ---- */

static bool is_password_name(struct text name)
{
    return learn_name_has(name, "pass") || learn_name_has(name, "secret") ||
           learn_name_is(name, "pwd") || learn_name_is(name, "pin");
}

/* A text that somebody may have typed, so far as no name says otherwise. */
static bool is_typed(const struct learn_place *place)
{
    return is_in_body(place) && place->value.size > 1 && !is_other(place->name) &&
           !learn_name_has(place->name, "grant") && !learn_name_is_list(place->name) &&
           !text_is(place->value, "true") && !text_is(place->value, "false") &&
           !text_is(place->value, "null");
}

/* How likely it is the name: an address, or a text that the answer says again. */
static int score_name(const struct learn_side *side, const struct learn_place *place,
                      struct text payload, struct arena *arena)
{
    bool told = is_claim(payload, place->value, arena);

    for (size_t i = 0; i < side->values.count; i++) {
        told = told || text_equal(side->values.rows[i].text, place->value);
    }
    return text_find(place->value, '@') < place->value.size ? 3 : told ? 2 : 1;
}

/* Of equal texts the first is the name; the password is called so, or else it is the text after the
 * name, or before it. */
static void find_login(const struct learn_side *side, struct text payload, struct arena *arena,
                       const struct learn_place **username, const struct learn_place **password)
{
    const struct learn_place *name = side->username, *word = side->password, *other = NULL;
    int most = 0;

    for (size_t i = 0; i < side->places.count; i++) {
        const struct learn_place *place = &side->places.rows[i];
        int score = 0;

        if (!is_typed(place) || place == side->username) {
            continue;
        } else if (is_password_name(place->name)) {
            word = word == NULL ? place : word;
        } else if (side->username == NULL && place != word) {
            score = score_name(side, place, payload, arena);
        }
        if (score > most) {
            most = score;
            name = place;
        }
    }
    for (size_t i = 0; i < side->places.count && word == NULL; i++) {
        const struct learn_place *place = &side->places.rows[i];

        if (is_typed(place) && place != name && (other == NULL || other < name)) {
            other = place;
        }
    }
    *username = name;
    *password = word != NULL ? word : other;
}

static void add(struct learn_flow *flow, struct text path, struct text value,
                const struct learn_place *username, const struct learn_place *password,
                struct arena *scratch)
{
    struct flow_value *brought = &flow->brought[flow->brought_count % BROUGHT_MAX];
    struct flow_value made = {.mark = mark_of(value), .jwt = is_jwt(value, scratch)};

    if (find(flow, value) != NULL || !text_copy(path, made.path, PATH_SIZE)) {
        return;
    } else if (username != NULL && password != NULL && username != password &&
               (!text_copy(username->spelled, made.username, PATH_SIZE) ||
                !text_copy(password->spelled, made.password, PATH_SIZE))) {
        made.username[0] = made.password[0] = '\0';
    }
    *brought = made;
    flow->brought_count++;
}

/* What comes with an access token. */
static void remember(struct learn_flow *flow, const struct learn_side *side, struct arena *scratch)
{
    const struct http_request *answer = &side->exchange->answer.is;
    const struct learn_place *username = NULL, *password = NULL;
    struct text payload = payload_of(side, scratch);
    bool shows = false;

    for (size_t i = 0; i < side->places.count; i++) {
        shows = shows || find(flow, side->places.rows[i].value) != NULL;
    }
    if (!shows) {
        find_login(side, payload, scratch, &username, &password);
    }
    for (size_t i = 0; i < side->values.count; i++) {
        const struct learn_value *value = &side->values.rows[i];

        if (value->kind == LEARN_STRING && !value->in_array &&
            is_secret(value->name, value->text) && !text_equal(value->text, side->access.value) &&
            !is_claim(payload, value->text, scratch) && !is_carried(flow, mark_of(value->text))) {
            add(flow, value->path, value->text, username, password, scratch);
        }
    }
    for (size_t i = 0; i < answer->header_count; i++) {
        struct text name = answer->headers[i].name, value = answer->headers[i].value;

        if (!text_is(name, "set-cookie") && !text_is(name, "authorization") &&
            is_secret(name, value)) {
            add(flow, name, value, username, password, scratch);
        }
    }
}

bool learn_flow_ends(const struct learn_flow *flow, struct text token, size_t entry)
{
    const struct flow_value *value = find((struct learn_flow *)(uintptr_t)flow, token);

    return value != NULL && value->last == entry;
}

/* ---- one exchange ---- */

void learn_flow_alone(const struct learn_exchange *exchange, struct arena *arena,
                      struct learn_names *names)
{
    struct learning learning = {.arena = arena, .names = names};
    struct learn_flow flow = {.arena = arena, .names = names};
    const struct learn_place *token = NULL;
    const struct learn_value *next = NULL;
    struct learn_side *side = NULL;
    struct text payload;
    size_t tokens = 0, nexts = 0;

    if (!learn_side_look(&learning, exchange, LEARN_REFRESH, &side) || side->refresh != NULL) {
        return;
    }
    payload = payload_of(side, arena);
    for (size_t i = 0; i < side->places.count; i++) {
        const struct learn_place *place = &side->places.rows[i];

        if (is_in_body(place) && is_secret(place->name, place->value) &&
            !text_equal(place->value, side->access.value) &&
            !is_claim(payload, place->value, arena)) {
            token = place;
            tokens++;
        }
    }
    for (size_t i = 0; i < side->values.count && tokens == 1; i++) {
        const struct learn_value *value = &side->values.rows[i];

        if (value->kind == LEARN_STRING && value->text.size == token->value.size &&
            is_secret(value->name, value->text) && !text_equal(value->text, side->access.value)) {
            next = value;
            nexts++;
        }
    }
    if (tokens == 1) {
        add_name(&flow, names->shown, token->spelled);
    }
    if (nexts == 1) {
        add_name(&flow, names->next, next->path);
    }
}
