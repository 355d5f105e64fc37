/* SPDX-License-Identifier: ISC */
/* described.c: see described.h. */
#include "dialect/described.h"

#include "base/codec.h"
#include "dialect/answer.h"
#include "dialect/auth_key.h"
#include "dialect/oauth_client.h"

static bool take_client(struct request *request, enum outcome *refusal);
static bool is_in_url(const struct request *request, const char *const *names);
static const struct described_request *
choose(const struct request *request, const struct described *described, enum outcome *refusal);
static bool holds(const struct request *request, const struct described_condition *condition,
                  enum outcome *refusal);
static bool shows_key(const struct request *request, struct text key, enum outcome *refusal);
static enum described_state find_value(const struct request *request,
                                       const struct described_value *value, struct text *found,
                                       enum described_source *source);
static bool has_cookie(const struct request *request, struct text *found);
static enum described_state look_in_json(const struct request *request, const char *const *path,
                                         struct text *found);
static bool take_value(struct request *request, const struct described_value *value,
                       enum outcome *refusal);
static bool is_renewed_with(const struct request *request, const struct described_value *value);
static bool has_only_members(const struct request *request,
                             const struct described_request *described);
static bool reads_member(const struct described_request *described, const char *name);
static bool is_member(const struct described_place *place, const char *name);

/* ---- reading ---- */

bool described_decode(struct request *request, enum outcome *refusal)
{
    const struct described_request *described =
        choose(request, request->mount->endpoint->described, refusal);

    if (described == NULL) {
        return false;
    }
    request->described = described;
    request->operation = described->operation;
    if (is_in_url(request, described->not_in_url)) {
        *refusal = OUTCOME_PARAMETER_IN_URL;
        return false;
    }
    for (size_t i = 0; i < described->value_count; i++) {
        bool key = described->values[i].role == DESCRIBED_APPLICATION_KEY;

        if (!key && described->needs_json && request->json == NULL) {
            *refusal = OUTCOME_MALFORMED;
            return false;
        } else if (!take_value(request, &described->values[i], refusal)) {
            return false;
        }
    }
    if (described->operation == &operation_logout) {
        request->input.refresh.everywhere = described->everywhere;
        request->input.refresh.silent = described->silent;
    }
    if (described->oauth_client && !take_client(request, refusal)) {
        return false;
    }
    *refusal = OUTCOME_FIELD_MISSING;
    return !described->only_members || has_only_members(request, described);
}

/* As RFC 6749 has it: beside the token that is shown, and for a grant. */
static bool take_client(struct request *request, enum outcome *refusal)
{
    bool login = request->operation == &operation_login;

    request->grant = login                                      ? GRANT_PASSWORD
                     : request->operation == &operation_refresh ? GRANT_REFRESH
                                                                : 0;
    if (!login) {
        request->client.beside = request->input.refresh.refresh_token;
    }
    return oauth_client_take(request, refusal);
}

static bool is_in_url(const struct request *request, const char *const *names)
{
    struct text value;

    for (; names != NULL && *names != NULL; names++) {
        if (form_get(&request->query, *names, &value) != FORM_ABSENT) {
            return true;
        }
    }
    return false;
}

/* Several are told apart as grants are. */
static const struct described_request *
choose(const struct request *request, const struct described *described, enum outcome *refusal)
{
    *refusal = OUTCOME_GRANT_TYPE_MISSING;
    for (size_t i = 0; i < described->count; i++) {
        const struct described_request *one = &described->requests[i];
        size_t holding = 0;

        while (holding < one->condition_count &&
               holds(request, &one->conditions[holding], refusal)) {
            holding++;
        }
        if (holding == one->condition_count) {
            return one;
        }
    }
    return NULL;
}

/* False: *refusal, unless another request has set it to what tells more. */
static bool holds(const struct request *request, const struct described_condition *condition,
                  enum outcome *refusal)
{
    struct text found = {0};
    enum described_state state = described_look(request, &condition->place, &found);

    if (condition->choice_count == 0) {
        return state == DESCRIBED_GOOD ? found.size > 0
                                       : state != DESCRIBED_ABSENT && state != DESCRIBED_NULL;
    }
    for (size_t i = 0; i < condition->choice_count && state == DESCRIBED_GOOD; i++) {
        if (text_equal(text_strip(found), condition->choices[i])) {
            return true;
        }
    }
    if (state == DESCRIBED_ABSENT) {
        return condition->optional;
    } else if (condition->place.source != DESCRIBED_METHOD) {
        *refusal = OUTCOME_GRANT_TYPE_UNSUPPORTED;
    }
    return false;
}

/* No role is a token's but these. White space is part of none. */
static bool is_token(const struct described_value *value)
{
    return value->role == DESCRIBED_REFRESH_TOKEN || value->role == DESCRIBED_ACCESS_TOKEN;
}

/* *source is where it is, or would be. */
static enum described_state find_value(const struct request *request,
                                       const struct described_value *value, struct text *found,
                                       enum described_source *source)
{
    enum described_state state = DESCRIBED_ABSENT;

    for (size_t i = 0; i < value->place_count && state == DESCRIBED_ABSENT; i++) {
        *found = (struct text){0};
        *source = value->places[i].source;
        state = described_look(request, &value->places[i], found);
    }
    if (is_token(value) || request->described->trims) {
        *found = text_strip(*found);
    }
    return state == DESCRIBED_GOOD && found->size == 0 ? DESCRIBED_EMPTY : state;
}

enum described_state described_look(const struct request *request,
                                    const struct described_place *place, struct text *found)
{
    const struct http_request *http = &request->http->request;
    enum http_find header = HTTP_ABSENT;

    switch (place->source) {
    case DESCRIBED_FORM:
    case DESCRIBED_QUERY:
        switch (
            form_get_even_empty(place->source == DESCRIBED_FORM ? &request->form : &request->query,
                                place->name, found)) {
        case FORM_ABSENT:
            return DESCRIBED_ABSENT;
        case FORM_ONE:
            return DESCRIBED_GOOD;
        case FORM_REPEATED:
        case FORM_BAD:
            break;
        }
        return DESCRIBED_REPEATED;
    case DESCRIBED_JSON:
        return look_in_json(request, place->path, found);
    case DESCRIBED_HEADER:
        header = http_header(http, place->name, found);
        break;
    case DESCRIBED_AUTHORIZATION:
        header = http_authorization(http, place->name, found);
        break;
    case DESCRIBED_COOKIE:
        return has_cookie(request, found) ? DESCRIBED_GOOD : DESCRIBED_ABSENT;
    case DESCRIBED_METHOD:
        *found = http->method == HTTP_HEAD ? TEXT("GET") : http->method_name;
        return DESCRIBED_GOOD;
    }
    return header == HTTP_ABSENT ? DESCRIBED_ABSENT
           : header == HTTP_ONE  ? DESCRIBED_GOOD
                                 : DESCRIBED_REPEATED;
}

/* Any of them; which one is good is asked when they are taken. */
static bool has_cookie(const struct request *request, struct text *found)
{
    const struct cookie_names *names = &request->described->cookies;
    const char *name;

    for (size_t i = 0; (name = cookies_refresh_name(request, names, i)) != NULL; i++) {
        if (http_cookies(&request->http->request, name, found, 1) > 0) {
            return true;
        }
    }
    return false;
}

static enum described_state look_in_json(const struct request *request, const char *const *path,
                                         struct text *found)
{
    const json_t *value = request->json;
    struct buffer buffer;
    bool whole = false;

    for (; *path != NULL && value != NULL; path++) {
        value = json_object_get(value, *path);
    }
    if (value == NULL) {
        return DESCRIBED_ABSENT;
    } else if (json_is_null(value)) {
        return DESCRIBED_NULL;
    } else if (json_is_string(value)) {
        *found = (struct text){json_string_value(value), json_string_length(value)};
        return DESCRIBED_GOOD;
    } else if (json_is_number(value) && request->described != NULL &&
               request->described->takes_numbers) {
        buffer_start(&buffer, request->arena, 32);
        if (json_is_integer(value)) {
            buffer_add_int(&buffer, json_integer_value(value));
        } else {
            buffer_addf(&buffer, "%.17g", json_real_value(value));
        }
        whole = buffer_finish(&buffer, found);
    }
    return whole ? DESCRIBED_GOOD : DESCRIBED_OTHER;
}

/* Where a value goes, and what tells that it was given. */
static void put(struct request *request, enum described_role role, struct text found)
{
    bool login = request->operation == &operation_login;
    struct refresh_input *refresh = &request->input.refresh;

    switch (role) {
    case DESCRIBED_REFRESH_TOKEN:
        refresh->refresh_token = found;
        break;
    case DESCRIBED_ACCESS_TOKEN:
        if (request->described->by_access_token) {
            refresh->refresh_token = found;
            refresh->by_access_token = true;
        } else {
            refresh->access_token = found;
            refresh->access_token_given = true;
        }
        break;
    case DESCRIBED_USERNAME:
        *(login ? &request->input.login.username : &refresh->username) = found;
        refresh->username_given = !login;
        break;
    case DESCRIBED_PASSWORD:
        *(login ? &request->input.login.password : &refresh->password) = found;
        refresh->password_given = !login;
        break;
    case DESCRIBED_SCOPE:
        *(login ? &request->input.login.scope : &refresh->scope) = found;
        *(login ? &request->input.login.scope_given : &refresh->scope_given) = true;
        break;
    case DESCRIBED_CLIENT_ID:
        request->client.id = found;
        break;
    case DESCRIBED_CLIENT_SECRET:
        request->client.secret = found;
        request->client.kind = CLIENT_PROOF_BODY;
        break;
    case DESCRIBED_APPLICATION_KEY:
        break;
    }
}

static bool take_value(struct request *request, const struct described_value *value,
                       enum outcome *refusal)
{
    struct text found = {0};
    enum described_source source = DESCRIBED_JSON;
    enum described_state state = find_value(request, value, &found, &source);
    bool missing = request->described->tells_absence ? state == DESCRIBED_ABSENT
                                                     : is_renewed_with(request, value);

    if (value->role == DESCRIBED_APPLICATION_KEY) {
        return shows_key(request, found, refusal);
    } else if (state == DESCRIBED_GOOD && source == DESCRIBED_COOKIE) {
        *refusal = OUTCOME_FAULT;
        return cookies_take_refresh_tokens(request, &request->described->cookies, NULL);
    } else if (state == DESCRIBED_GOOD) {
        put(request, value->role, found);
        return true;
    }
    *refusal = state == DESCRIBED_REPEATED ? OUTCOME_PARAMETER_REPEATED
               : missing                   ? OUTCOME_TOKEN_MISSING
                                           : OUTCOME_FIELD_MISSING;
    return value->optional && state != DESCRIBED_OTHER && state != DESCRIBED_REPEATED;
}

/* Is it the token that the request is about? */
static bool is_renewed_with(const struct request *request, const struct described_value *value)
{
    return value->role == DESCRIBED_REFRESH_TOKEN ||
           (value->role == DESCRIBED_ACCESS_TOKEN && request->described->by_access_token &&
            request->operation == &operation_refresh);
}

/* Where the realm asks for none, any will do. */
static bool shows_key(const struct request *request, struct text key, enum outcome *refusal)
{
    return !request->realm->has_auth_key || auth_key_check(request->realm, key, refusal);
}

const struct dialect_setting described_cookie_settings[] = {COOKIE_SETTINGS, {0}};
const struct dialect_setting described_key_settings[] = {AUTH_KEY_SETTING("auth-key-sha256"), {0}};
const struct dialect_setting described_all_settings[] = {
    COOKIE_SETTINGS, AUTH_KEY_SETTING("auth-key-sha256"), {0}};

const char *described_advise(const struct mount *mount)
{
    const struct realm *realm = mount->realm;
    char shown[2 * sizeof realm->auth_key + 1];

    codec_hex_encode(realm->auth_key, sizeof realm->auth_key, shown);
    if (realm->has_auth_key && realm->dialect->published_key != NULL &&
        text_is(text_of(shown), realm->dialect->published_key)) {
        return "auth-key-sha256 is that of the key in the service's own sample configuration: give "
               "the application another";
    }
    return mount->endpoint->cookies ? cookies_advise(mount) : NULL;
}

/* Of a JSON body: all that are asked for, and no others. Members with null are none. */
static bool has_only_members(const struct request *request,
                             const struct described_request *described)
{
    const char *name;
    json_t *member;

    for (size_t i = 0; i < described->value_count && request->json != NULL; i++) {
        const struct described_place *place = &described->values[i].places[0];

        if (place->source == DESCRIBED_JSON && !described->values[i].optional) {
            member = json_object_get(request->json, place->path[0]);
            if (member == NULL || json_is_null(member)) {
                return false;
            }
        }
    }
    json_object_foreach(request->json, name, member)
    {
        if (!reads_member(described, name)) {
            return false;
        }
    }
    return true;
}

/* Is it looked at, or into, for a value or a condition? */
static bool reads_member(const struct described_request *described, const char *name)
{
    bool read = false;

    for (size_t i = 0; i < described->value_count; i++) {
        for (size_t j = 0; j < described->values[i].place_count; j++) {
            read = read || is_member(&described->values[i].places[j], name);
        }
    }
    for (size_t i = 0; i < described->condition_count; i++) {
        read = read || is_member(&described->conditions[i].place, name);
    }
    return read;
}

static bool is_member(const struct described_place *place, const char *name)
{
    return place->source == DESCRIBED_JSON && strcmp(place->path[0], name) == 0;
}

/* ---- complaints ---- */

/* The row for this value, or else for any; of those the one for this state, or else for any. */
static const char *complaint_of(const struct described_complaint *rows, const char *label,
                                enum described_state state)
{
    const char *found = NULL;
    int best = 0;

    for (; rows->json != NULL; rows++) {
        bool own = rows->label != NULL && text_is(text_of(label), rows->label);
        bool exact = rows->state == state;
        int rank = 1 + 2 * own + exact;

        if ((own || rows->label == NULL) && (exact || rows->state == DESCRIBED_ANY_STATE) &&
            rank > best) {
            best = rank;
            found = rows->json;
        }
    }
    return found;
}

static void add_complaint(struct json_out *out, const char *label, const char *json)
{
    json_out_key(out, label);
    buffer_add_c(out->buffer, json);
    out->comma = true;
}

bool described_complaints(const struct request *request, struct text *json)
{
    const struct described_request *described = request->described;
    struct buffer buffer;
    struct json_out out = json_out_start(&buffer, JSON_STYLE_PLAIN);
    const struct described_complaint *rows = described != NULL ? described->complaints : NULL;

    buffer_start(&buffer, request->arena, 256);
    json_out_open(&out);
    for (size_t i = 0; rows != NULL && i < described->value_count; i++) {
        const struct described_value *value = &described->values[i];
        struct text found = {0};
        enum described_source source;
        enum described_state state = find_value(request, value, &found, &source);
        const char *complaint;

        state = state == DESCRIBED_REPEATED ? DESCRIBED_OTHER : state;
        complaint = state == DESCRIBED_GOOD || value->role == DESCRIBED_APPLICATION_KEY ||
                            (value->optional && state != DESCRIBED_OTHER)
                        ? NULL
                        : complaint_of(rows, value->label, state);

        if (complaint != NULL) {
            add_complaint(&out, value->label, complaint);
        }
    }
    for (; rows != NULL && rows->json != NULL; rows++) {
        if (rows->state == DESCRIBED_MEMBERS && !has_only_members(request, described)) {
            add_complaint(&out, rows->label, rows->json);
        }
    }
    json_out_close(&out);
    return buffer_finish(&buffer, json);
}

/* ---- answering ---- */

void described_encode(const struct request *request, enum outcome outcome,
                      struct http_response *response)
{
    const struct described_answer *answer = &request->described->answer;
    const struct described_told told = {request, outcome};
    struct text values[DESCRIBED_HEADERS_MAX] = {{0}};
    struct buffer buffer;
    bool whole = true;

    for (size_t i = 0; i < answer->header_count; i++) {
        buffer_start(&buffer, request->arena, 128);
        template_fill(answer->headers[i].value, &told, &buffer);
        whole = buffer_finish(&buffer, &values[i]) && whole;
    }
    answer_compose(request, &buffer);
    if (answer->body != NULL) {
        template_fill(answer->body, &told, &buffer);
    }
    answer_buffer(response, answer->status, answer->media_type, &buffer);
    for (size_t i = 0; i < answer->header_count; i++) {
        if (values[i].size > 0) {
            http_response_header(response, answer->headers[i].name, values[i]);
        }
    }
    if (answer->cookies == DESCRIBED_COOKIES_SET) {
        cookies_set(request, &answer->cookie_names, response);
    } else if (answer->cookies == DESCRIBED_COOKIES_CLEARED) {
        cookies_clear(request, &answer->cookie_names, response);
    }
    response->failed = response->failed || !whole;
}
