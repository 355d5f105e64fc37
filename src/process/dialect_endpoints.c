/* SPDX-License-Identifier: ISC */
/* dialect_endpoints.c: the sections [endpoint NAME] and [request ENDPOINT NAME] of a dialect's
 * file. Knows paths, methods, bodies and operations; where values are is dialect_values.c. */
#include "process/dialect_reader.h"

#include "process/dialect_file.h"

enum { JSON_TYPES_MAX = 4 };

static bool copy_like(struct dialect_reader *reader, struct dialect_endpoint *made,
                      struct dialect_request *request, const struct config_line *like);
static bool take_endpoint_line(struct dialect_reader *reader, struct dialect_endpoint *made,
                               const struct config_line *line, bool *taken);
static bool take_body(struct dialect_reader *reader, struct dialect_endpoint *made,
                      const struct config_line *line);
static bool take_methods(struct dialect_reader *reader, struct endpoint *endpoint,
                         const struct config_line *line);
static bool split_bodies(struct dialect_reader *reader, struct dialect_request *made);
static bool take_request_line(struct dialect_reader *reader, struct dialect_request *made,
                              const struct config_line *line, bool *taken);

static size_t find_endpoint(const struct dialect_reader *reader, struct text name)
{
    size_t i = 0;

    while (i < reader->endpoint_count && !text_is(name, reader->endpoints[i].endpoint.name)) {
        i++;
    }
    return i;
}

static struct described_request usual_request(const struct dialect_reader *reader)
{
    return (struct described_request){.trims = reader->trims,
                                      .takes_numbers = reader->takes_numbers,
                                      .tells_absence = reader->tells_absence};
}

bool dialect_take_endpoint(struct dialect_reader *reader, const struct config_section *section)
{
    struct dialect_endpoint *made = &reader->endpoints[reader->endpoint_count];
    struct dialect_request *request = &reader->requests[reader->request_count];
    const struct config_line *like = config_line_find(section, "like");

    if (!dialect_file_is_name(section->argument)) {
        return config_complain(&reader->lines, section->line,
                               "[endpoint %.*s]: not a name; write letters, digits and hyphens",
                               TEXT_ARGS(text_cut(section->argument, 80)));
    } else if (find_endpoint(reader, section->argument) < reader->endpoint_count) {
        return config_complain(&reader->lines, section->line, "[endpoint %.*s] is there already",
                               TEXT_ARGS(section->argument));
    } else if (reader->endpoint_count == DIALECT_ENDPOINTS_MAX ||
               reader->request_count == DIALECT_REQUESTS_MAX) {
        return config_complain(&reader->lines, section->line, "more than %d endpoints",
                               DIALECT_ENDPOINTS_MAX);
    }
    *made = (struct dialect_endpoint){
        .section = section, .endpoint = {.methods = ENDPOINT_POST, .body = ENDPOINT_BODY_JSON}};
    *request = (struct dialect_request){.section = section,
                                        .name = section->argument,
                                        .endpoint = reader->endpoint_count,
                                        .request = usual_request(reader)};
    if (like != NULL && !copy_like(reader, made, request, like)) {
        return false;
    }
    made->endpoint.name = dialect_keep(reader, section->argument);
    request->request.name = made->endpoint.name;
    if (made->endpoint.name == NULL) {
        return false;
    }
    for (size_t i = 0; i < section->count; i++) {
        const struct config_line *line = &section->lines[i];
        bool taken = text_is(line->name, "like") || dialect_is_answer(line->name);

        if (!dialect_is_single(reader, section, line) ||
            (!taken && !take_endpoint_line(reader, made, line, &taken)) ||
            (!taken && !take_request_line(reader, request, line, &taken))) {
            return false;
        } else if (!taken) {
            return config_complain(&reader->lines, line->number,
                                   "%.*s: unknown setting in [endpoint]",
                                   TEXT_ARGS(text_cut(line->name, 80)));
        }
    }
    if (made->endpoint.path == NULL) {
        return config_complain(&reader->lines, section->line,
                               "[endpoint %.*s]: no path; write path = /PATH",
                               TEXT_ARGS(section->argument));
    } else if (!dialect_take_answer(reader, section, &request->request.answer,
                                    &request->has_answer)) {
        return false;
    }
    request->request.needs_json = request->request.needs_json || made->needs_json;
    reader->endpoint_count++;
    reader->request_count += request->has_operation;
    return true;
}

/* All that the other one has, but its name and path. */
static bool copy_like(struct dialect_reader *reader, struct dialect_endpoint *made,
                      struct dialect_request *request, const struct config_line *like)
{
    size_t other = find_endpoint(reader, like->value);

    if (other == reader->endpoint_count) {
        return config_complain_value(&reader->lines, like, "no such endpoint above this one");
    }
    made->endpoint = reader->endpoints[other].endpoint;
    made->endpoint.path = NULL;
    made->endpoint.realm = NULL;
    made->needs_json = reader->endpoints[other].needs_json;
    for (size_t i = 0; i < reader->request_count; i++) {
        if (reader->requests[i].endpoint == other) {
            request->request = reader->requests[i].request;
            request->has_operation = request->has_answer = true;
        }
    }
    return true;
}

static bool take_path(struct dialect_reader *reader, struct endpoint *endpoint,
                      const struct config_line *line)
{
    struct text path = line->value;

    if (text_ends(path, TEXT("/"))) {
        path.size--; /* a slash more or less names the same mount */
    }
    if (path.size > MOUNT_PATH_MAX || !config_is_mountable(path)) {
        return config_complain_value(&reader->lines, line,
                                     "not a path that a request could have; write for example "
                                     "/auth/refresh");
    }
    for (size_t i = 0; i < reader->endpoint_count; i++) {
        if (text_is(path, reader->endpoints[i].endpoint.path)) {
            return config_complain_value(&reader->lines, line,
                                         "another endpoint is there; for several kinds of request "
                                         "at one path write [request ENDPOINT NAME] sections");
        }
    }
    endpoint->path = dialect_keep(reader, path);
    return endpoint->path != NULL;
}

static bool take_endpoint_line(struct dialect_reader *reader, struct dialect_endpoint *made,
                               const struct config_line *line, bool *taken)
{
    static const char *const slashes[] = {"strict", "loose", NULL};
    struct endpoint *endpoint = &made->endpoint;
    int chosen;

    *taken = true;
    if (text_is(line->name, "path")) {
        return take_path(reader, endpoint, line);
    } else if (text_is(line->name, "realm")) {
        endpoint->realm = dialect_keep(reader, line->value);
        return endpoint->realm != NULL;
    } else if (text_is(line->name, "methods")) {
        return take_methods(reader, endpoint, line);
    } else if (text_is(line->name, "slashes")) {
        chosen = dialect_choose(reader, line, slashes, "unknown; write strict or loose");
        endpoint->path_loose = chosen == 1;
        return chosen >= 0;
    } else if (text_is(line->name, "body")) {
        return take_body(reader, made, line);
    }
    *taken = false;
    return true;
}

/* "POST", "GET POST", "any-case POST" */
static bool take_methods(struct dialect_reader *reader, struct endpoint *endpoint,
                         const struct config_line *line)
{
    static const struct {
        const char *word;
        unsigned methods;
    } words[] = {{"GET", ENDPOINT_GET | ENDPOINT_HEAD},
                 {"POST", ENDPOINT_POST},
                 {"DELETE", ENDPOINT_DELETE}};
    struct text rest = line->value;
    struct text word;

    endpoint->methods = 0;
    endpoint->method_any_case = false;
    while ((word = text_word(&rest)).size > 0) {
        unsigned methods = 0;

        for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
            methods |= text_is(word, words[i].word) ? words[i].methods : 0;
        }
        endpoint->method_any_case = endpoint->method_any_case || text_is(word, "any-case");
        if (methods == 0 && !text_is(word, "any-case")) {
            return config_complain_value(&reader->lines, line,
                                         "unknown; write one or more of POST, GET and DELETE, and "
                                         "any-case before POST where \"post\" shall do");
        }
        endpoint->methods |= methods;
    }
    return endpoint->methods != 0 ||
           config_complain_value(&reader->lines, line, "no method; write POST or GET");
}

/* "json", "form json", "json required", "json application/x-amz-json-1.1", "none" */
static bool take_body(struct dialect_reader *reader, struct dialect_endpoint *made,
                      const struct config_line *line)
{
    const char **types = arena_alloc(reader->arena, (JSON_TYPES_MAX + 1) * sizeof *types);
    struct text rest = line->value;
    struct text word;
    size_t count = 0;

    if (types == NULL) {
        return dialect_no_memory(reader);
    }
    made->endpoint.body = ENDPOINT_BODY_IGNORED;
    made->endpoint.json_types = types;
    made->needs_json = false;
    while ((word = text_word(&rest)).size > 0) {
        if (http_media_is_json(word) && count < JSON_TYPES_MAX) {
            made->endpoint.body |= ENDPOINT_BODY_JSON;
            types[count] = dialect_keep(reader, word);
            if (types[count++] == NULL) {
                return false;
            }
            continue;
        }
        made->endpoint.body |= text_is(word, "json")   ? ENDPOINT_BODY_JSON
                               : text_is(word, "form") ? ENDPOINT_BODY_FORM
                               : text_is(word, "both") ? ENDPOINT_BODY_JSON | ENDPOINT_BODY_FORM
                                                       : 0U;
        made->needs_json = made->needs_json || text_is(word, "required");
        if (!text_has_word(TEXT("json form both none required"), word)) {
            return config_complain_value(&reader->lines, line,
                                         "unknown; write json, form, both, json required, json and "
                                         "its further media types, or none");
        }
    }
    return true;
}

/* ---- what one request is ---- */

static bool take_operation(struct dialect_reader *reader, struct dialect_request *made,
                           const struct config_line *line)
{
    static const struct operation *const operations[] = {&operation_refresh, &operation_login,
                                                         &operation_logout, &operation_verify,
                                                         &operation_validate};

    for (size_t i = 0; i < sizeof operations / sizeof operations[0]; i++) {
        if (text_is(line->value, operations[i]->word)) {
            made->request.operation = operations[i];
            made->has_operation = true;
            return true;
        }
    }
    return config_complain_value(&reader->lines, line, "unknown; write " DIALECT_OPERATIONS);
}

static bool take_request_line(struct dialect_reader *reader, struct dialect_request *made,
                              const struct config_line *line, bool *taken)
{
    static const char *const members[] = {"any", "only", NULL};
    static const char *const clients[] = {"oauth", NULL};
    static const char *const sessions[] = {"one", "all", NULL};
    static const char *const unknown[] = {"refuse", "grant", NULL};
    struct described_request *request = &made->request;
    int chosen;

    *taken = true;
    if (text_is(line->name, "operation")) {
        return take_operation(reader, made, line);
    } else if (text_is(line->name, "members")) {
        chosen = dialect_choose(reader, line, members, "unknown; write any or only");
        request->only_members = chosen == 1;
        return chosen >= 0;
    } else if (text_is(line->name, "client")) {
        chosen = dialect_choose(reader, line, clients, "unknown; write oauth");
        request->oauth_client = chosen == 0;
        return chosen >= 0;
    } else if (text_is(line->name, "sessions")) {
        chosen = dialect_choose(reader, line, sessions, "unknown; write one or all");
        request->everywhere = chosen == 1;
        return chosen >= 0;
    } else if (text_is(line->name, "unknown-token")) {
        chosen = dialect_choose(reader, line, unknown, "unknown; write refuse or grant");
        request->silent = chosen == 1;
        return chosen >= 0;
    } else if (text_is(line->name, "not-in-url")) {
        request->not_in_url = dialect_keep_words(reader, line);
        return request->not_in_url != NULL;
    }
    return dialect_take_value(reader, request, line, taken);
}

/* ---- [request ENDPOINT NAME] ---- */

bool dialect_take_request(struct dialect_reader *reader, const struct config_section *section)
{
    struct dialect_request *made = &reader->requests[reader->request_count];
    struct text name = section->argument;
    struct text of = text_word(&name);
    size_t endpoint = find_endpoint(reader, of);

    name = text_trim(name);
    if (endpoint == reader->endpoint_count) {
        return config_complain(&reader->lines, section->line,
                               "[request %.*s]: no such endpoint; write [request ENDPOINT NAME]",
                               TEXT_ARGS(text_cut(section->argument, 80)));
    } else if (!dialect_file_is_name(name)) {
        return config_complain(&reader->lines, section->line,
                               "[request %.*s]: no name; write [request %.*s NAME], in letters, "
                               "digits and hyphens",
                               TEXT_ARGS(text_cut(section->argument, 80)), TEXT_ARGS(of));
    } else if (reader->request_count == DIALECT_REQUESTS_MAX) {
        return config_complain(&reader->lines, section->line, "more than %d requests",
                               DIALECT_REQUESTS_MAX);
    }
    *made = (struct dialect_request){
        .section = section, .name = name, .endpoint = endpoint, .request = usual_request(reader)};
    made->request.name = dialect_keep(reader, name);
    made->request.needs_json = reader->endpoints[endpoint].needs_json;
    for (size_t i = 0; i < section->count && made->request.name != NULL; i++) {
        const struct config_line *line = &section->lines[i];
        bool taken = dialect_is_answer(line->name);

        if (!dialect_is_single(reader, section, line)) {
            return false;
        } else if (text_is(line->name, "when")) {
            if (!dialect_take_conditions(reader, &made->request, line)) {
                return false;
            }
        } else if (!taken && !take_request_line(reader, made, line, &taken)) {
            return false;
        } else if (!taken) {
            return config_complain(&reader->lines, line->number,
                                   "%.*s: unknown setting in [request]",
                                   TEXT_ARGS(text_cut(line->name, 80)));
        }
    }
    if (made->request.name == NULL ||
        !dialect_take_answer(reader, section, &made->request.answer, &made->has_answer)) {
        return false;
    }
    reader->request_count++;
    if (!made->has_operation) {
        return config_complain(&reader->lines, section->line,
                               "[request %.*s]: no operation; write operation "
                               "= " DIALECT_OPERATIONS,
                               TEXT_ARGS(section->argument));
    }
    return split_bodies(reader, made);
}

/* Whose conditions hold in a form or in JSON is two requests. */
static bool split_bodies(struct dialect_reader *reader, struct dialect_request *made)
{
    struct dialect_request of_form = *made;
    bool either = false;

    for (size_t i = 0; i < made->request.condition_count; i++) {
        struct described_condition *condition = &made->request.conditions[i];

        if (!dialect_split_either(&condition->place, &of_form.request.conditions[i].place)) {
            continue;
        } else if (condition->optional) { /* it would hold in the other kind of body, too */
            return config_complain(&reader->lines, made->section->line,
                                   "[request %.*s]: optional body; write one request for json and "
                                   "one for form",
                                   TEXT_ARGS(made->section->argument));
        }
        either = true;
    }
    if (either && reader->request_count == DIALECT_REQUESTS_MAX) {
        return config_complain(&reader->lines, made->section->line, "more than %d requests",
                               DIALECT_REQUESTS_MAX);
    } else if (either) {
        reader->requests[reader->request_count++] = of_form;
    }
    return true;
}
