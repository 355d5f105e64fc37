/* SPDX-License-Identifier: ISC */
/* dialect_values.c: the lines of a dialect's file that say where values of a request are. Knows the
 * spelling of places; does not know what is asked with them. */
#include "process/dialect_reader.h"

#include <ctype.h>

static bool take_place(struct dialect_reader *reader, const struct config_line *line,
                       struct text spelled, struct described_place *place);
static bool take_either(struct dialect_reader *reader, struct text name,
                        struct described_place *place);
static bool take_pointer(struct dialect_reader *reader, const struct config_line *line,
                         struct text pointer, struct described_place *place);
static struct text label_of(const struct described_place *place);
static bool take_optional(struct text *spelled);
static struct text cut_before(struct text *rest, struct text word);

enum { PATH_DEPTH_MAX = 8 };

#define CONDITIONS                                                                                 \
    "write at most 4 conditions, each with at most 4 values, as in: form grant_type is "           \
    "refresh_token or refresh, or a place alone where something must be there"

#define PLACES                                                                                     \
    "unknown place; write json NAME, json /POINTER, form NAME, body NAME, query NAME, header "     \
    "NAME, bearer or authorization SCHEME"

static const char *const role_names[DESCRIBED_ROLES] = {
    [DESCRIBED_REFRESH_TOKEN] = "refresh-token",
    [DESCRIBED_ACCESS_TOKEN] = "access-token",
    [DESCRIBED_USERNAME] = "username",
    [DESCRIBED_PASSWORD] = "password",
    [DESCRIBED_SCOPE] = "scope",
    [DESCRIBED_CLIENT_ID] = "client-id",
    [DESCRIBED_CLIENT_SECRET] = "client-secret",
    [DESCRIBED_APPLICATION_KEY] = "application-key",
};

/* The value of that role, which the request may have already: from `like`. NULL: a complaint. */
static struct described_value *value_of(struct dialect_reader *reader,
                                        struct described_request *request,
                                        const struct config_line *line, enum described_role role)
{
    struct described_value *value = request->values;

    while (value < request->values + request->value_count && value->role != role) {
        value++;
    }
    if (value == request->values + DESCRIBED_VALUES_MAX) {
        (void)config_complain(&reader->lines, line->number, "more than %d values",
                              DESCRIBED_VALUES_MAX);
        return NULL;
    } else if (value == request->values + request->value_count) {
        request->value_count++;
    }
    *value = (struct described_value){.role = role, .optional = role == DESCRIBED_SCOPE};
    return value;
}

bool dialect_take_value(struct dialect_reader *reader, struct described_request *request,
                        const struct config_line *line, bool *taken)
{
    struct described_value *value;
    struct text rest = line->value;
    int role = 0;

    while (role < DESCRIBED_ROLES && !text_is(line->name, role_names[role])) {
        role++;
    }
    *taken = role < DESCRIBED_ROLES;
    if (!*taken) {
        return true;
    }
    value = value_of(reader, request, line, (enum described_role)role);
    if (value == NULL) {
        return false;
    }
    value->optional = take_optional(&rest) || value->optional;
    do {
        struct described_place place, form;

        if (!take_place(reader, line, text_trim(text_split(&rest, ',')), &place)) {
            return false;
        }
        bool either = dialect_split_either(&place, &form);

        if (value->place_count + either >= DESCRIBED_PLACES_MAX) {
            return config_complain(&reader->lines, line->number, "%.*s: more than %d places",
                                   TEXT_ARGS(line->name), DESCRIBED_PLACES_MAX);
        }
        value->places[value->place_count++] = place;
        if (either) {
            value->places[value->place_count++] = form;
        }
    } while (rest.size > 0);
    value->label = dialect_keep(reader, label_of(&value->places[0]));
    return value->label != NULL;
}

/* Cuts off the word that says that a place may have nothing. */
static bool take_optional(struct text *spelled)
{
    struct text optional = TEXT("optional ");
    bool found = text_starts(*spelled, optional);

    *spelled = found ? text_from(*spelled, optional.size) : *spelled;
    return found;
}

static bool take_place(struct dialect_reader *reader, const struct config_line *line,
                       struct text spelled, struct described_place *place)
{
    static const struct {
        const char *word;
        enum described_source source;
    } sources[] = {{"form", DESCRIBED_FORM},
                   {"query", DESCRIBED_QUERY},
                   {"header", DESCRIBED_HEADER},
                   {"authorization", DESCRIBED_AUTHORIZATION}};
    struct text name = spelled;
    struct text word = text_word(&name);

    name = text_trim(name);
    if (text_is(word, "cookie") && name.size == 0) {
        *place =
            (struct described_place){.source = DESCRIBED_COOKIE, .name = reader->cookies.refresh};
        return (place->name != NULL && text_is(line->name, "refresh-token")) ||
               config_complain_value(&reader->lines, line,
                                     "a cookie is a place for the refresh token only, and "
                                     "refresh-cookie in [dialect] names it");
    } else if (text_is(word, "bearer") && name.size == 0) {
        *place = (struct described_place){.source = DESCRIBED_AUTHORIZATION, .name = "Bearer"};
        return true;
    } else if (name.size == 0 || !text_is_visible_ascii(name)) {
        return config_complain_value(&reader->lines, line, PLACES);
    } else if (text_is(word, "json")) {
        return take_pointer(reader, line, name, place);
    } else if (text_is(word, "body")) {
        return take_either(reader, name, place);
    }
    for (size_t i = 0; i < sizeof sources / sizeof sources[0]; i++) {
        if (text_is(word, sources[i].word)) {
            char *kept = arena_c_string(reader->arena, name);

            for (char *c = kept; c != NULL && *c != '\0' && text_is(word, "header"); c++) {
                *c = (char)tolower((unsigned char)*c);
            }
            *place = (struct described_place){.source = sources[i].source, .name = kept};
            return kept != NULL || dialect_no_memory(reader);
        }
    }
    return config_complain_value(&reader->lines, line, PLACES);
}

/* "body NAME": a member of JSON that still has the name which the form calls it. */
static bool take_either(struct dialect_reader *reader, struct text name,
                        struct described_place *place)
{
    const char **path = arena_alloc(reader->arena, 2 * sizeof *path);
    const char *kept = dialect_keep(reader, name);

    if (path == NULL || kept == NULL) {
        return dialect_no_memory(reader);
    }
    path[0] = kept;
    path[1] = NULL;
    *place = (struct described_place){.source = DESCRIBED_JSON, .name = kept, .path = path};
    return true;
}

bool dialect_split_either(struct described_place *place, struct described_place *form)
{
    if (place->source != DESCRIBED_JSON || place->name[0] == '\0') {
        return false;
    }
    *form = (struct described_place){.source = DESCRIBED_FORM, .name = place->name};
    place->name = "";
    return true;
}

/* One member's name with ~1 for a slash and ~0 for a tilde (RFC 6901 section 4). False: another
 * tilde. */
static bool unescape(char *name)
{
    char *to = name;

    while (*name != '\0') {
        char c = *name++;

        if (c == '~') {
            c = *name == '0' ? '~' : *name == '1' ? '/' : '\0';
            name++;
        }
        if (c == '\0') {
            return false;
        }
        *to++ = c;
    }
    *to = '\0';
    return true;
}

/* "name", or "/outer/name" as a JSON pointer of objects. */
static bool take_pointer(struct dialect_reader *reader, const struct config_line *line,
                         struct text pointer, struct described_place *place)
{
    bool is_path = text_starts(pointer, TEXT("/"));
    struct text rest = is_path ? text_from(pointer, 1) : pointer;
    const char **path = arena_alloc(reader->arena, (PATH_DEPTH_MAX + 1) * sizeof *path);
    size_t depth = 0;

    if (path == NULL) {
        return dialect_no_memory(reader);
    }
    do {
        char *name = arena_c_string(reader->arena, is_path ? text_split(&rest, '/') : rest);

        if (name == NULL) {
            return dialect_no_memory(reader);
        } else if (depth == PATH_DEPTH_MAX || (is_path && !unescape(name))) {
            return config_complain_value(&reader->lines, line,
                                         "not a JSON pointer to a member of at most 8 objects; "
                                         "write for example json /data/token");
        }
        path[depth++] = name;
    } while (is_path && rest.size > 0);
    *place = (struct described_place){.source = DESCRIBED_JSON, .name = "", .path = path};
    return true;
}

static struct text label_of(const struct described_place *place)
{
    size_t last = 0;

    if (place->source != DESCRIBED_JSON) {
        return text_of(place->name);
    }
    while (place->path[last + 1] != NULL) {
        last++;
    }
    return text_of(place->path[last]);
}

/* "json AuthFlow is REFRESH_TOKEN_AUTH or REFRESH_TOKEN, optional query scope is global, json
 * token"
 */
bool dialect_take_conditions(struct dialect_reader *reader, struct described_request *request,
                             const struct config_line *line)
{
    struct text rest = line->value;

    do {
        struct described_condition *condition = &request->conditions[request->condition_count];
        struct text choices = text_trim(text_split(&rest, ','));
        struct text place;

        if (request->condition_count == DESCRIBED_CONDITIONS_MAX) {
            return config_complain_value(&reader->lines, line, CONDITIONS);
        }
        condition->optional = take_optional(&choices);
        place = cut_before(&choices, TEXT(" is "));
        while (choices.size > 0 && condition->choice_count < DESCRIBED_CHOICES_MAX) {
            struct text *choice = &condition->choices[condition->choice_count++];

            *choice = text_of(dialect_keep(reader, cut_before(&choices, TEXT(" or "))));
            if (choice->data == NULL) {
                return false;
            }
        }
        bool method = text_is(place, "method");

        if ((condition->choice_count == 0 && (condition->optional || method)) || choices.size > 0) {
            return config_complain_value(&reader->lines, line, CONDITIONS);
        } else if (method) {
            condition->place = (struct described_place){.source = DESCRIBED_METHOD, .name = ""};
        } else if (!take_place(reader, line, place, &condition->place)) {
            return false;
        }
        request->condition_count++;
    } while (rest.size > 0);
    return true;
}

/* What stands before a word, or all; *rest becomes what stands behind it. */
static struct text cut_before(struct text *rest, struct text word)
{
    struct text whole = *rest;
    size_t at = 0;

    while (at < whole.size && !text_starts(text_from(whole, at), word)) {
        at++;
    }
    *rest = text_trim(text_from(whole, at + word.size));
    return text_trim(text_cut(whole, at));
}

const char *const *dialect_keep_words(struct dialect_reader *reader, const struct config_line *line)
{
    enum { WORDS_MAX = 16 };
    const char **words = arena_alloc(reader->arena, (WORDS_MAX + 1) * sizeof *words);
    struct text rest = line->value;
    struct text word;
    size_t count = 0;

    if (words == NULL) {
        (void)dialect_no_memory(reader);
        return NULL;
    }
    while ((word = text_word(&rest)).size > 0) {
        if (count == WORDS_MAX) {
            (void)config_complain(&reader->lines, line->number, "%.*s: more than %d names",
                                  TEXT_ARGS(line->name), WORDS_MAX);
            return NULL;
        }
        words[count] = dialect_keep(reader, word);
        if (words[count++] == NULL) {
            return NULL;
        }
    }
    return words;
}
