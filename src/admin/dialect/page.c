/* SPDX-License-Identifier: ISC */
/* page.c: see page.h. */
#include "admin/dialect/page.h"

#include <stdio.h>

#include "dialect/described.h"

/* A step on the way to a value in JSON: a member, or an item of an array. */
struct step {
    const char *name; /* NULL: of an array */
    size_t index;
};

/* One way to send a request: a kind of it, with each value at one of its places. */
struct spelling {
    const struct endpoint *endpoint;
    const struct described_request *described;
    size_t variation; /* which place of a value; of one with fewer the last */
};

static bool rotates(const struct dialect *dialect, const struct endpoint *endpoint,
                    const struct config *config);
static bool is_shown(const struct endpoint *endpoint, bool rotating);
static void add_endpoint(struct json_out *out, const struct dialect *dialect,
                         const struct endpoint *endpoint, const struct config *config, bool only);
static void add_paths(struct json_out *out, const struct endpoint *endpoint,
                      const struct config *config);
static void add_ways(struct json_out *out, const json_t *outline);
static size_t find_way(const json_t *json, const char *place, struct step *steps, size_t depth);
static void add_refused(struct json_out *out, const struct described *described);
static void add_forms(struct json_out *out, const struct endpoint *endpoint, bool rotating);
static void add_form(struct json_out *out, const struct spelling *spelling, bool named);
static void add_rows(struct json_out *out, const struct spelling *spelling, const char *key,
                     unsigned sources);

#define SOURCE(source) (1U << DESCRIBED_##source)

static const char *const fields[DESCRIBED_ROLES] = {
    [DESCRIBED_REFRESH_TOKEN] = "refresh_token",
    [DESCRIBED_ACCESS_TOKEN] = "access_token",
    [DESCRIBED_USERNAME] = "username",
    [DESCRIBED_PASSWORD] = "password",
    [DESCRIBED_SCOPE] = "scope",
    [DESCRIBED_CLIENT_ID] = "client_id",
    [DESCRIBED_CLIENT_SECRET] = "client_secret",
    [DESCRIBED_APPLICATION_KEY] = "auth_key",
};

void dialect_page_add(struct json_out *out, const struct dialect *dialect,
                      const struct config *config)
{
    size_t shown = 0;

    for (size_t i = 0; i < dialect->endpoint_count; i++) {
        const struct endpoint *endpoint = &dialect->endpoints[i];

        shown += is_shown(endpoint, rotates(dialect, endpoint, config));
    }
    for (size_t i = 0; i < dialect->endpoint_count; i++) {
        const struct endpoint *endpoint = &dialect->endpoints[i];

        if (is_shown(endpoint, rotates(dialect, endpoint, config))) {
            add_endpoint(out, dialect, endpoint, config, shown == 1);
        }
    }
}

/* As its realm has it, where there is one. */
static bool rotates(const struct dialect *dialect, const struct endpoint *endpoint,
                    const struct config *config)
{
    for (size_t i = 0; i < config->mount_count; i++) {
        if (config->mounts[i].endpoint == endpoint) {
            return config->mounts[i].realm->policy.rotate;
        }
    }
    return dialect->policy.rotate;
}

/* Where one token is both, nothing is renewed with another one that the page could show. */
static bool is_refresh(const struct described_request *described)
{
    return described->operation == &operation_refresh && !described->by_access_token;
}

/* What the answer of a refresh is made of, where a page can see its tokens: those in cookies, no
 * page can. NULL: it cannot. */
static const json_t *outline_of(const struct described_request *described, bool rotating)
{
    const struct template *body = described->answer.body;
    const json_t *outline = body != NULL ? template_outline(body) : NULL;
    struct step steps[TEMPLATE_DEPTH_MAX + 1];

    return is_refresh(described) && find_way(outline, "${access_token}", steps, 0) > 0 &&
                   (!rotating || find_way(outline, "${refresh_token}", steps, 0) > 0 ||
                    find_way(outline, "${new_refresh_token}", steps, 0) > 0)
               ? outline
               : NULL;
}

static bool is_shown(const struct endpoint *endpoint, bool rotating)
{
    const struct described *described = endpoint->described;
    bool shown = false;

    for (size_t i = 0; described != NULL && i < described->count; i++) {
        shown = shown || outline_of(&described->requests[i], rotating) != NULL;
    }
    return shown;
}

static void add_endpoint(struct json_out *out, const struct dialect *dialect,
                         const struct endpoint *endpoint, const struct config *config, bool only)
{
    bool rotating = rotates(dialect, endpoint, config);
    char name[2 * 64];
    int size = snprintf(name, sizeof name, "%s%s%s", dialect->name, only ? "" : " ",
                        only ? "" : endpoint->name);

    if (size < 0 || (size_t)size >= sizeof name) {
        return;
    }
    json_out_key(out, name);
    json_out_open(out);
    json_out_member(out, "title", text_of(name));
    json_out_member(out, "summary", text_of(dialect->summary));
    add_paths(out, endpoint, config);
    if (!rotating) {
        json_out_key(out, "keeps");
        json_out_bool(out, true);
    }
    add_refused(out, endpoint->described);
    add_forms(out, endpoint, rotating);
    json_out_close(out);
}

static void add_paths(struct json_out *out, const struct endpoint *endpoint,
                      const struct config *config)
{
    json_out_key(out, "paths");
    json_out_array_open(out);
    for (size_t i = 0; i < config->mount_count; i++) {
        if (config->mounts[i].endpoint == endpoint) {
            json_out_text(out, text_of(config->mounts[i].path));
        }
    }
    json_out_array_close(out);
}

/* ---- answers ---- */

static void add_way(struct json_out *out, const char *key, const json_t *outline, const char *place)
{
    struct step steps[TEMPLATE_DEPTH_MAX + 1];
    size_t count = find_way(outline, place, steps, 0);

    if (count == 0) {
        return;
    }
    json_out_key(out, key);
    json_out_array_open(out);
    for (size_t i = 0; i < count; i++) {
        if (steps[i].name != NULL) {
            json_out_text(out, text_of(steps[i].name));
        } else {
            json_out_int(out, (int64_t)steps[i].index);
        }
    }
    json_out_array_close(out);
}

static void add_ways(struct json_out *out, const json_t *outline)
{
    struct step steps[TEMPLATE_DEPTH_MAX + 1];
    bool named = find_way(outline, "${refresh_token}", steps, 0) > 0;

    json_out_key(out, "answer");
    json_out_open(out);
    add_way(out, "access", outline, "${access_token}");
    add_way(out, "refresh", outline, named ? "${refresh_token}" : "${new_refresh_token}");
    json_out_close(out);
}

/* How many steps lead to the first value that is this place alone; 0: there is none. `depth` of
 * them are made. */
static size_t find_way(const json_t *json, const char *place, struct step *steps, size_t depth)
{
    size_t found = 0;
    const char *name;
    json_t *value;
    size_t i;

    if (json_is_string(json)) {
        return text_is(text_of(json_string_value(json)), place) ? depth : 0;
    } else if (depth > TEMPLATE_DEPTH_MAX) {
        return 0;
    }
    json_object_foreach((json_t *)(uintptr_t)json, name, value)
    {
        steps[depth] = (struct step){.name = name};
        if ((found = find_way(value, place, steps, depth + 1)) > 0) {
            return found;
        }
    }
    json_array_foreach(json, i, value)
    {
        steps[depth] = (struct step){.index = i};
        if ((found = find_way(value, place, steps, depth + 1)) > 0) {
            return found;
        }
    }
    return 0;
}

static bool is_about_token(const struct wording *words)
{
    return words->about == WORDS_CLASS(TOKEN) ||
           (words->about < (int)OUTCOME_COUNT &&
            outcome_class((enum outcome)words->about) == OUTCOME_CLASS_TOKEN);
}

/* A body with values in it is known by its status alone. */
static bool is_same_refusal(const struct wording *one, const struct wording *other)
{
    return one->status == other->status && text_equal(text_of(one->body), text_of(other->body));
}

/* Has a refresh before this one, or this one before `words`, the same refusal of a token? */
static bool is_told(const struct described *described, size_t request, const struct wording *words)
{
    for (size_t i = 0; i <= request; i++) {
        for (const struct wording *row = described->requests[i].words;
             row->status != 0 && row != words; row++) {
            if (is_refresh(&described->requests[i]) && is_about_token(row) &&
                is_same_refusal(row, words)) {
                return true;
            }
        }
    }
    return false;
}

static void add_refused(struct json_out *out, const struct described *described)
{
    json_out_key(out, "refused");
    json_out_array_open(out);
    for (size_t i = 0; i < described->count; i++) {
        for (const struct wording *words = described->requests[i].words; words->status != 0;
             words++) {
            if (is_refresh(&described->requests[i]) && is_about_token(words) &&
                !is_told(described, i, words)) {
                json_out_open(out);
                json_out_member_int(out, "status", words->status);
                if (words->body != NULL) {
                    json_out_member(out, "body", text_of(words->body));
                }
                json_out_close(out);
            }
        }
    }
    json_out_array_close(out);
}

/* ---- requests ---- */

static const struct described_place *place_of(const struct spelling *spelling,
                                              const struct described_value *value)
{
    size_t last = value->place_count - 1;

    return &value->places[spelling->variation < last ? spelling->variation : last];
}

/* Not what may be left out, nor that some value is there. */
static bool is_sent(const struct described_condition *condition)
{
    return !condition->optional && condition->choice_count > 0;
}

static unsigned sources_of(const struct spelling *spelling)
{
    const struct described_request *described = spelling->described;
    unsigned sources = described->needs_json ? SOURCE(JSON) : 0;

    for (size_t i = 0; i < described->condition_count; i++) {
        sources |=
            is_sent(&described->conditions[i]) ? 1U << described->conditions[i].place.source : 0;
    }
    for (size_t i = 0; i < described->value_count; i++) {
        sources |= 1U << place_of(spelling, &described->values[i])->source;
    }
    return sources;
}

/* A form for each place that the refresh token may be at, unless others are in a body of another
 * kind then. */
static void add_forms(struct json_out *out, const struct endpoint *endpoint, bool rotating)
{
    const struct described *described = endpoint->described;
    size_t refreshes = 0;

    for (size_t i = 0; i < described->count; i++) {
        refreshes += outline_of(&described->requests[i], rotating) != NULL;
    }
    json_out_key(out, "forms");
    json_out_array_open(out);
    for (size_t i = 0; i < described->count; i++) {
        struct spelling spelling = {endpoint, &described->requests[i], 0};
        bool shown = outline_of(spelling.described, rotating) != NULL;
        size_t places = 0;

        for (size_t j = 0; j < spelling.described->value_count; j++) {
            const struct described_value *value = &spelling.described->values[j];

            places = value->role == DESCRIBED_REFRESH_TOKEN ? value->place_count : places;
        }
        for (; shown && spelling.variation < places; spelling.variation++) {
            if ((~sources_of(&spelling) & (SOURCE(JSON) | SOURCE(FORM))) != 0) {
                add_form(out, &spelling, refreshes > 1);
            }
        }
    }
    json_out_array_close(out);
}

static const char *kind_of(const struct spelling *spelling)
{
    static const char *const kinds[] = {
        [DESCRIBED_FORM] = "form",     [DESCRIBED_QUERY] = "URL",
        [DESCRIBED_JSON] = "JSON",     [DESCRIBED_HEADER] = "header",
        [DESCRIBED_COOKIE] = "cookie", [DESCRIBED_AUTHORIZATION] = "Authorization",
    };

    for (size_t i = 0; i < spelling->described->value_count; i++) {
        const struct described_value *value = &spelling->described->values[i];

        if (value->role == DESCRIBED_REFRESH_TOKEN) {
            return kinds[place_of(spelling, value)->source];
        }
    }
    return "";
}

static void add_field(struct json_out *out, const char *name, bool optional)
{
    if (!optional) {
        json_out_text(out, text_of(name));
        return;
    }
    json_out_open(out);
    json_out_member(out, "name", text_of(name));
    json_out_member(out, "help", TEXT("optional"));
    json_out_close(out);
}

static void add_fields(struct json_out *out, const struct spelling *spelling)
{
    const struct described_request *described = spelling->described;

    json_out_key(out, "fields");
    json_out_array_open(out);
    for (size_t i = 0; i < described->value_count; i++) {
        add_field(out, fields[described->values[i].role], described->values[i].optional);
    }
    if (described->oauth_client) {
        add_field(out, fields[DESCRIBED_CLIENT_ID], true);
        add_field(out, fields[DESCRIBED_CLIENT_SECRET], true);
    }
    json_out_array_close(out);
}

/* That a condition asks for, or else POST where the endpoint takes it. */
static struct text method_of(const struct spelling *spelling)
{
    const struct described_request *described = spelling->described;
    unsigned methods = spelling->endpoint->methods;

    for (size_t i = 0; i < described->condition_count; i++) {
        if (described->conditions[i].place.source == DESCRIBED_METHOD) {
            return described->conditions[i].choices[0];
        }
    }
    return (methods & ENDPOINT_POST) != 0  ? TEXT("POST")
           : (methods & ENDPOINT_GET) != 0 ? TEXT("GET")
                                           : TEXT("DELETE");
}

/* `named`: there are several kinds of refresh at this endpoint. */
static void add_form(struct json_out *out, const struct spelling *spelling, bool named)
{
    const struct described_request *described = spelling->described;
    const char *name = described->name != NULL ? described->name : spelling->endpoint->name;
    const char *kind = kind_of(spelling);
    char label[128];

    json_out_open(out);
    (void)snprintf(label, sizeof label, "%s-%zu", name, spelling->variation);
    json_out_member(out, "id", text_of(label));
    (void)snprintf(label, sizeof label, "%s%s%s", named ? name : "", named ? ", " : "", kind);
    json_out_member(out, "label", text_of(label));
    if (!text_is(method_of(spelling), "POST")) {
        json_out_member(out, "method", method_of(spelling));
    }
    add_ways(out, template_outline(described->answer.body));
    add_fields(out, spelling);
    if (described->oauth_client && (sources_of(spelling) & (SOURCE(FORM) | SOURCE(JSON))) == 0) {
        json_out_key(out, "basic");
        json_out_array_open(out);
        json_out_text(out, TEXT("{client_id}"));
        json_out_text(out, TEXT("{client_secret}"));
        json_out_array_close(out);
    }
    add_rows(out, spelling, "headers", SOURCE(HEADER) | SOURCE(AUTHORIZATION));
    add_rows(out, spelling, "query", SOURCE(QUERY));
    add_rows(out, spelling, "form", SOURCE(FORM));
    add_rows(out, spelling, "json", SOURCE(JSON));
    add_rows(out, spelling, "cookies", SOURCE(COOKIE));
    json_out_close(out);
}

/* [name, value], or [name, value, "optional"]; the name in JSON is an array of steps. */
static void add_row(struct json_out *out, const struct described_place *place, struct text value,
                    bool optional)
{
    struct buffer buffer;

    json_out_array_open(out);
    if (place->source == DESCRIBED_JSON) {
        json_out_array_open(out);
        for (const char *const *step = place->path; *step != NULL; step++) {
            json_out_text(out, text_of(*step));
        }
        json_out_array_close(out);
        json_out_text(out, value);
    } else if (place->source == DESCRIBED_AUTHORIZATION) {
        buffer_start(&buffer, out->buffer->arena, 64);
        buffer_addf(&buffer, "%s %.*s", place->name, TEXT_ARGS(value));
        json_out_text(out, TEXT("Authorization"));
        json_out_text(out, buffer_text(&buffer));
    } else {
        json_out_text(out, text_of(place->name));
        json_out_text(out, value);
    }
    if (optional) {
        json_out_text(out, TEXT("optional"));
    }
    json_out_array_close(out);
}

static void add_value_row(struct json_out *out, const struct described_place *place,
                          const char *field, bool optional)
{
    char value[32];

    (void)snprintf(value, sizeof value, "{%s}", field);
    add_row(out, place, text_of(value), optional);
}

/* What is at places of these sources; nothing where none is. */
static void add_rows(struct json_out *out, const struct spelling *spelling, const char *key,
                     unsigned sources)
{
    bool form = sources == SOURCE(FORM), json = sources == SOURCE(JSON);
    const char *const id_path[] = {"client_id", NULL}, *const secret_path[] = {"client_secret",
                                                                               NULL};
    enum described_source body = json ? DESCRIBED_JSON : DESCRIBED_FORM;
    const struct described_place client = {body, "client_id", id_path};
    const struct described_place secret = {body, "client_secret", secret_path};
    const struct described_request *described = spelling->described;

    if ((sources_of(spelling) & sources) == 0) {
        return;
    }
    json_out_key(out, key);
    json_out_array_open(out);
    for (size_t i = 0; i < described->condition_count; i++) {
        const struct described_condition *condition = &described->conditions[i];

        if (is_sent(condition) && (sources & 1U << condition->place.source) != 0) {
            add_row(out, &condition->place, condition->choices[0], false);
        }
    }
    for (size_t i = 0; i < described->value_count; i++) {
        const struct described_value *value = &described->values[i];
        const struct described_place *place = place_of(spelling, value);

        if ((sources & 1U << place->source) != 0) {
            add_value_row(out, place, fields[value->role], value->optional);
        }
    }
    if (described->oauth_client && (form || json)) {
        add_value_row(out, &client, fields[DESCRIBED_CLIENT_ID], true);
        add_value_row(out, &secret, fields[DESCRIBED_CLIENT_SECRET], true);
    }
    json_out_array_close(out);
}
