/* SPDX-License-Identifier: ISC */
/* dialect_file.c: the file of a dialect as a whole: its sections, [dialect], and the tables that
 * come of them. The other sections have files of their own (dialect_reader.h). */
#include "process/dialect_file.h"

#include <ctype.h>
#include <stddef.h>
#include <stdlib.h>

#include "base/codec.h"
#include "base/crypto.h"
#include "process/dialect_reader.h"

/* More than any needs; most of a dialect's memory is its templates. */
enum { MEMORY_MAX = 1024 * 1024 };

/* What has been read, so that two configurations of one process share it. */
struct known {
    struct known *next;
    struct arena *arena; /* holds the rest */
    struct text name, contents;
    const struct dialect *dialect;
};
static struct known *known;

static bool read_sections(struct dialect_reader *reader);
static bool take_dialect(struct dialect_reader *reader);
static bool take_dialect_line(struct dialect_reader *reader, const struct config_line *line);
static bool finish(struct dialect_reader *reader);

bool dialect_file_is_name(struct text name)
{
    for (size_t i = 0; i < name.size; i++) {
        if (!isalnum((unsigned char)name.data[i]) && name.data[i] != '-') {
            return false;
        }
    }
    return name.size > 0 && name.size <= DIALECT_NAME_MAX && name.data[0] != '-';
}

static const struct known *find_known(struct text name, struct text contents)
{
    const struct known *one = known;

    while (one != NULL && (!text_equal(one->name, name) || !text_equal(one->contents, contents))) {
        one = one->next;
    }
    return one;
}

const struct dialect *dialect_file_read(struct text name, const char *file, struct text contents,
                                        struct arena *arena, struct fault *fault)
{
    struct dialect_reader *reader = calloc(1, sizeof *reader);
    const struct dialect *dialect = NULL;

    if (reader != NULL) {
        reader->lines.file = file;
        reader->lines.fault = fault;
        reader->arena = arena;
        reader->scratch = arena_open(MEMORY_MAX);
        reader->dialect = arena_alloc(arena, sizeof *reader->dialect);
        reader->layout = arena_alloc(arena, sizeof *reader->layout);
    }
    if (reader == NULL || reader->scratch == NULL || reader->dialect == NULL ||
        reader->layout == NULL) {
        fault_set(fault, "%s: out of memory", file);
    } else if (config_lines_read(&reader->lines, contents) &&
               (reader->dialect->name = dialect_keep(reader, name)) != NULL &&
               read_sections(reader) && finish(reader) && dialect_check(reader)) {
        dialect = reader->dialect;
    }
    if (reader != NULL) {
        config_lines_free(&reader->lines);
        arena_close(reader->scratch);
    }
    free(reader);
    return dialect;
}

const struct dialect *dialect_file_take(struct text name, const char *file, struct text contents,
                                        struct fault *fault)
{
    const struct known *found = find_known(name, contents);
    struct arena *arena;
    struct known *made;

    if (found != NULL) {
        return found->dialect;
    }
    arena = arena_open(MEMORY_MAX);
    made = arena == NULL ? NULL : arena_alloc(arena, sizeof *made);
    if (made == NULL || !arena_copy(arena, name, &made->name) ||
        !arena_copy(arena, contents, &made->contents)) {
        fault_set(fault, "%s: out of memory", file);
        arena_close(arena);
        return NULL;
    }
    made->arena = arena;
    made->dialect = dialect_file_read(name, file, made->contents, arena, fault);
    if (made->dialect == NULL) {
        arena_close(arena);
        return NULL;
    }
    made->next = known;
    known = made;
    return made->dialect;
}

/* ---- what the files dialect_*.c share ---- */

bool dialect_no_memory(struct dialect_reader *reader)
{
    return config_complain(&reader->lines, 0, "out of memory");
}

const char *dialect_keep(struct dialect_reader *reader, struct text text)
{
    const char *kept = arena_c_string(reader->arena, text);

    if (kept == NULL) {
        (void)dialect_no_memory(reader);
    }
    return kept;
}

int dialect_choose(struct dialect_reader *reader, const struct config_line *line,
                   const char *const *choices, const char *expected)
{
    for (int i = 0; choices[i] != NULL; i++) {
        if (text_is(line->value, choices[i])) {
            return i;
        }
    }
    (void)config_complain_value(&reader->lines, line, expected);
    return -1;
}

bool dialect_take_style(struct dialect_reader *reader, const struct config_line *line,
                        unsigned *style)
{
    static const char *const names[] = {"plain", "php", "slash", "ascii", NULL};
    static const unsigned styles[] = {JSON_STYLE_PLAIN, JSON_STYLE_ESCAPE_SLASH | JSON_STYLE_ASCII,
                                      JSON_STYLE_ESCAPE_SLASH, JSON_STYLE_ASCII};
    int chosen = dialect_choose(reader, line, names,
                                "unknown; write plain, slash (\\/), ascii (\\u00e9) or php (both)");

    *style = chosen >= 0 ? styles[chosen] : *style;
    return chosen >= 0;
}

/* Bodies have as many lines as they need. */
bool dialect_is_single(struct dialect_reader *reader, const struct config_section *section,
                       const struct config_line *line)
{
    bool body = text_is(section->word, "refusals") ? text_find(line->name, '.') == line->name.size
                                                   : text_is(line->name, "answer");

    for (const struct config_line *other = section->lines; other < line && !body; other++) {
        if (text_equal(other->name, line->name)) {
            return config_complain(&reader->lines, line->number, "%.*s is already set on line %u",
                                   TEXT_ARGS(text_cut(line->name, 80)), other->number);
        }
    }
    return true;
}

/* ---- sections ---- */

static bool complain_of_section(struct dialect_reader *reader, const struct config_section *section)
{
    return config_complain(&reader->lines, section->line,
                           "[%.*s%s%.*s]: unknown section; write [dialect], [endpoint NAME], "
                           "[request ENDPOINT NAME], [refusals], [complaints], [access-token] or "
                           "[refresh-token]",
                           TEXT_ARGS(text_cut(section->word, 40)),
                           section->argument.size > 0 ? " " : "",
                           TEXT_ARGS(text_cut(section->argument, 40)));
}

/* What others build on comes first, wherever it is in the file. */
static bool read_sections(struct dialect_reader *reader)
{
    static const struct {
        const char *word;
        bool has_argument, may_have;
        bool (*take)(struct dialect_reader *reader, const struct config_section *section);
    } kinds[] = {
        {"endpoint", true, true, dialect_take_endpoint},
        {"request", true, true, dialect_take_request},
        {"refusals", false, true, dialect_take_refusals},
        {"complaints", false, true, dialect_take_complaints},
        {"access-token", false, false, dialect_take_token},
        {"refresh-token", false, false, dialect_take_token},
    };
    size_t taken = 1;

    if (!take_dialect(reader)) {
        return false;
    }
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        for (size_t j = 0; j < reader->lines.section_count; j++) {
            const struct config_section *section = &reader->lines.sections[j];

            if (!text_is(section->word, kinds[i].word)) {
                continue;
            } else if (section->argument.size > 0 ? !kinds[i].may_have : kinds[i].has_argument) {
                return complain_of_section(reader, section);
            } else if (!kinds[i].take(reader, section)) {
                return false;
            }
            taken++;
        }
    }
    for (size_t i = 0; i < reader->lines.section_count && taken < reader->lines.section_count;
         i++) {
        const struct config_section *section = &reader->lines.sections[i];
        bool is_known = text_is(section->word, "dialect");

        for (size_t j = 0; j < sizeof kinds / sizeof kinds[0]; j++) {
            is_known = is_known || text_is(section->word, kinds[j].word);
        }
        if (!is_known) {
            return complain_of_section(reader, section);
        }
    }
    return true;
}

/* ---- [dialect] ---- */

static bool take_dialect(struct dialect_reader *reader)
{
    const struct config_section *found = NULL;

    reader->media_type = TEXT("application/json");
    reader->realm.policy = (struct policy){.concurrency_window_ms = CLOCK_MINUTE,
                                           .recovery_generations = 1,
                                           .access_lifetime_ms = CLOCK_HOUR,
                                           .idle_lifetime_ms = INT64_C(30) * CLOCK_DAY,
                                           .absolute_lifetime_ms = INT64_C(365) * CLOCK_DAY,
                                           .format = REFRESH_FORMAT_NATIVE,
                                           .algorithm = SIGNING_RS256,
                                           .scope_rule = SCOPE_IGNORED};
    for (size_t i = 0; i < reader->lines.section_count; i++) {
        const struct config_section *section = &reader->lines.sections[i];

        if (!text_is(section->word, "dialect")) {
            continue;
        } else if (found != NULL || section->argument.size > 0) {
            return config_complain(&reader->lines, section->line,
                                   "one section [dialect], without a name: the configuration "
                                   "names it");
        }
        found = section;
    }
    if (found == NULL) {
        return config_complain(&reader->lines, 1, "no section [dialect]; write it first");
    }
    for (size_t i = 0; i < found->count; i++) {
        if (!dialect_is_single(reader, found, &found->lines[i]) ||
            !take_dialect_line(reader, &found->lines[i])) {
            return false;
        }
    }
    return true;
}

/* The settings of a realm that a dialect has defaults for. */
static const struct config_setting *policy_setting(struct text name)
{
    for (size_t i = 0; i < config_realm_count; i++) {
        const struct config_setting *setting = &config_realm_settings[i];
        bool of_policy = setting->offset >= offsetof(struct realm, policy) &&
                         setting->offset < offsetof(struct realm, policy) + sizeof(struct policy);

        if (text_is(name, setting->name) &&
            (of_policy || setting->offset == offsetof(struct realm, issuer) ||
             setting->offset == offsetof(struct realm, audience))) {
            return setting;
        }
    }
    return NULL;
}

static bool take_published_key(struct dialect_reader *reader, const struct config_line *line)
{
    uint8_t key[CRYPTO_HASH_SIZE];

    if (!codec_hex_decode(line->value, key, sizeof key)) {
        return config_complain_value(&reader->lines, line,
                                     "not a SHA-256; write 64 hexadecimal digits");
    }
    reader->dialect->published_key = dialect_keep(reader, line->value);
    return reader->dialect->published_key != NULL;
}

static bool take_cookie(struct dialect_reader *reader, const struct config_line *line)
{
    bool refresh = text_is(line->name, "refresh-cookie");
    const char **name = refresh ? &reader->cookies.refresh : &reader->cookies.access;

    if (!cookies_is_name(line->value) || line->value.size > COOKIE_NAME_MAX) {
        return config_complain_value(&reader->lines, line, "not a cookie's name");
    }
    reader->cookies.access_expires = true;
    *name = dialect_keep(reader, line->value);
    return *name != NULL;
}

static bool take_dialect_line(struct dialect_reader *reader, const struct config_line *line)
{
    static const char *const spaces[] = {"keep", "trim", NULL};
    static const char *const numbers[] = {"refuse", "read", NULL};
    static const char *const missing[] = {"role", "state", NULL};
    static const char *const rules[] = {
        [SCOPE_IGNORED] = "ignored", [SCOPE_SUBSET] = "subset", [SCOPE_EXACT] = "exact", NULL};
    const struct config_setting *setting = policy_setting(line->name);
    const char *wrong = "";
    int chosen = 0;

    if (text_is(line->name, "summary")) {
        reader->dialect->summary = dialect_keep(reader, line->value);
        return reader->dialect->summary != NULL;
    } else if (text_is(line->name, "realm")) {
        reader->dialect->realm = dialect_keep(reader, line->value);
        return reader->dialect->realm != NULL;
    } else if (text_is(line->name, "json-style")) {
        return dialect_take_style(reader, line, &reader->style);
    } else if (text_is(line->name, "type")) {
        reader->media_type = line->value;
        return dialect_check_type(reader, line);
    } else if (text_is(line->name, "white-space")) {
        chosen = dialect_choose(reader, line, spaces, "unknown; write keep or trim");
        reader->trims = chosen == 1;
        return chosen >= 0;
    } else if (text_is(line->name, "numbers")) {
        chosen = dialect_choose(reader, line, numbers, "unknown; write refuse or read");
        reader->takes_numbers = chosen == 1;
        return chosen >= 0;
    } else if (text_is(line->name, "missing")) {
        chosen = dialect_choose(reader, line, missing, "unknown; write role or state");
        reader->tells_absence = chosen == 1;
        return chosen >= 0;
    } else if (text_is(line->name, "scope-rule")) {
        chosen = dialect_choose(reader, line, rules, "unknown; write ignored, subset or exact");
        reader->realm.policy.scope_rule = chosen < 0 ? SCOPE_IGNORED : (enum scope_rule)chosen;
        return chosen >= 0;
    } else if (text_is(line->name, "refresh-cookie") || text_is(line->name, "access-cookie")) {
        return take_cookie(reader, line);
    } else if (text_is(line->name, "published-key")) {
        return take_published_key(reader, line);
    } else if (setting == NULL) {
        return config_complain(&reader->lines, line->number, "%.*s: unknown setting in [dialect]",
                               TEXT_ARGS(text_cut(line->name, 80)));
    }
    reader->rotation_line = text_is(line->name, "rotation") ? line->number : reader->rotation_line;
    reader->format_line = text_is(line->name, "format") ? line->number : reader->format_line;
    return setting->read(&reader->lines, setting, line->value,
                         (char *)&reader->realm + setting->offset, &wrong) ||
           config_complain_value(&reader->lines, line, wrong);
}

/* ---- the tables ---- */

static bool has_role(const struct described_request *request, enum described_role role)
{
    bool found = false;

    for (size_t i = 0; i < request->value_count; i++) {
        found = found || request->values[i].role == role;
    }
    return found;
}

/* A logout takes any token of a session; a refresh takes the access token where it has no other. */
static bool is_by_access_token(const struct described_request *request)
{
    return has_role(request, DESCRIBED_ACCESS_TOKEN) &&
           (request->operation == &operation_logout ||
            (request->operation == &operation_refresh &&
             !has_role(request, DESCRIBED_REFRESH_TOKEN)));
}

/* Then any page could make a browser send them. */
static bool uses_cookies(const struct described_request *request)
{
    bool found = request->answer.cookies != DESCRIBED_COOKIES_KEPT;

    for (size_t i = 0; i < request->value_count; i++) {
        for (size_t j = 0; j < request->values[i].place_count; j++) {
            found = found || request->values[i].places[j].source == DESCRIBED_COOKIE;
        }
    }
    return found;
}

/* The requests of one endpoint, in the order of the file. False: a complaint. */
static bool finish_endpoint(struct dialect_reader *reader, size_t index, struct endpoint *endpoint)
{
    struct described *described = arena_alloc(reader->arena, sizeof *described);
    struct described_request *requests;
    size_t count = 0;

    for (size_t i = 0; i < reader->request_count; i++) {
        count += reader->requests[i].endpoint == index;
    }
    requests = arena_alloc(reader->arena, count * sizeof *requests);
    count = 0;
    if (requests == NULL || described == NULL) {
        return dialect_no_memory(reader);
    }
    for (size_t i = 0; i < reader->request_count; i++) {
        struct dialect_request *made = &reader->requests[i];

        if (made->endpoint == index) {
            made->request.words = dialect_words(reader, made);
            if (made->request.words == NULL) {
                return false;
            }
            reader->keyed = reader->keyed || has_role(&made->request, DESCRIBED_APPLICATION_KEY);
            reader->dialect->proves_clients = reader->dialect->proves_clients ||
                                              made->request.oauth_client ||
                                              has_role(&made->request, DESCRIBED_CLIENT_SECRET);
            endpoint->cookies = endpoint->cookies || uses_cookies(&made->request);
            made->request.cookies = reader->cookies;
            made->request.by_access_token = is_by_access_token(&made->request);
            endpoint->client_bound = endpoint->client_bound || made->request.oauth_client;
            requests[count++] = made->request;
        }
    }
    *described = (struct described){requests, count};
    endpoint->described = described;
    endpoint->decode = described_decode;
    endpoint->encode = described_encode;
    if (count > 0) {
        endpoint->operation = requests[0].operation;
        endpoint->words = requests[0].words;
    }
    return true;
}

static bool finish(struct dialect_reader *reader)
{
    struct dialect *dialect = reader->dialect;
    struct endpoint *endpoints =
        arena_alloc(reader->arena, (reader->endpoint_count + 1) * sizeof *endpoints);

    if (endpoints == NULL) {
        return dialect_no_memory(reader);
    }
    for (size_t i = 0; i < reader->endpoint_count; i++) {
        endpoints[i] = reader->endpoints[i].endpoint;
        if (!finish_endpoint(reader, i, &endpoints[i])) {
            return false;
        }
    }
    bool cookies = reader->cookies.refresh != NULL || reader->cookies.access != NULL;
    dialect->settings = cookies && reader->keyed ? described_all_settings
                        : cookies                ? described_cookie_settings
                        : reader->keyed          ? described_key_settings
                                                 : NULL;
    dialect->check = cookies ? cookies_check : NULL;
    dialect->advise = described_advise;
    dialect->endpoints = endpoints;
    dialect->endpoint_count = reader->endpoint_count;
    if (dialect->realm == NULL && reader->endpoint_count > 0) {
        dialect->realm = endpoints[0].path;
    }
    return dialect_finish_tokens(reader);
}
