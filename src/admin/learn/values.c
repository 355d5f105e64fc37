/* SPDX-License-Identifier: ISC */
/* values.c: see values.h. */
#include "admin/learn/values.h"

#include <ctype.h>

#include "base/form.h"
#include "base/json.h"
#include "base/json_scan.h"

enum { PATH_MAX_DEPTH = 8 }; /* as deep as the file of a dialect can point */

static bool take_value(struct arena *arena, const struct json_scan_value *scanned,
                       const struct json_scan *scan, struct text above, bool in_array,
                       struct learn_values *values);
static bool take_words(struct arena *arena, struct json_scan *scan,
                       const struct json_scan_value *open, struct learn_value *value);
static bool add_place(struct arena *arena, struct learn_places *places,
                      enum described_source source, struct text prefix, struct text name,
                      struct text value);

/* ---- JSON ---- */

static struct text join(struct arena *arena, struct text above, struct text name)
{
    struct text path = name;
    struct buffer buffer;

    buffer_start(&buffer, arena, above.size + name.size + 2);
    buffer_add(&buffer, above);
    buffer_add_c(&buffer, above.size > 0 && name.size > 0 ? "/" : "");
    buffer_add(&buffer, name);
    (void)buffer_finish(&buffer, &path);
    return path;
}

static struct text last_of(struct text path)
{
    size_t at = path.size;

    while (at > 0 && path.data[at - 1] != '/') {
        at--;
    }
    return text_from(path, at);
}

bool learn_values_read(struct arena *arena, struct text source, struct learn_values *values,
                       struct fault *fault)
{
    struct text paths[JSON_SCAN_DEPTH_MAX + 1] = {{0}};
    bool arrays[JSON_SCAN_DEPTH_MAX + 1] = {false};
    struct json_scan_value scanned;
    struct json_scan scan;

    *values = (struct learn_values){.source = source};
    if (json_in_object(arena, source, fault) == NULL) {
        return false;
    }
    json_scan_start(&scan, source);
    while (json_scan_next(&scan, &scanned) != JSON_SCAN_END && scanned.kind != JSON_SCAN_BAD) {
        struct text above = paths[scanned.depth];
        struct learn_value *value = &values->rows[values->count];
        struct json_scan before = scan;

        if (scanned.kind == JSON_SCAN_CLOSE) {
            continue;
        } else if (own_is_unique(scanned.name) ||
                   text_find(scanned.name, '@') < scanned.name.size) {
            fault_set(fault,
                      "the name of a member, before byte %zu, looks like a value of one user",
                      scanned.start);
            return false; /* names stay in templates */
        } else if (!text_is_printable(scanned.name)) {
            fault_set(fault, "the name of a member, before byte %zu, has control characters",
                      scanned.start);
            return false;
        } else if (scanned.kind == JSON_SCAN_OPEN) {
            paths[scan.depth] = join(arena, above, scanned.name);
            arrays[scan.depth] = scanned.is_array || arrays[scanned.depth];
            if (scanned.is_array && learn_name_is_list(scanned.name) &&
                values->count < LEARN_VALUES_MAX && take_words(arena, &scan, &scanned, value)) {
                value->path = join(arena, above, scanned.name);
                value->name = scanned.name;
                value->parent = last_of(above);
                value->in_array = arrays[scanned.depth];
                values->count++;
            } else {
                scan = before;
            }
        } else if (!take_value(arena, &scanned, &scan, above, arrays[scanned.depth], values)) {
            fault_set(fault, "more than %d values, or out of memory", LEARN_VALUES_MAX);
            return false;
        }
    }
    return true;
}

/* Through the gate, which knows escapes. */
static struct text decode(struct arena *arena, struct text quoted)
{
    struct text inner = text_from(text_cut(quoted, quoted.size - 1), 1);
    struct buffer buffer;
    struct text whole;

    buffer_start(&buffer, arena, quoted.size + 8);
    buffer_add_c(&buffer, "{\"s\":");
    buffer_add(&buffer, quoted);
    buffer_add_char(&buffer, '}');
    if (text_find(inner, '\\') < inner.size && buffer_finish(&buffer, &whole)) {
        (void)json_in_text(json_in_object(arena, whole, NULL), "s", &inner);
    }
    return inner;
}

static bool take_value(struct arena *arena, const struct json_scan_value *scanned,
                       const struct json_scan *scan, struct text above, bool in_array,
                       struct learn_values *values)
{
    struct learn_value *value = &values->rows[values->count];
    struct text spelled = text_from(text_cut(scan->source, scanned->end), scanned->start);
    bool number =
        spelled.size > 0 && (isdigit((unsigned char)spelled.data[0]) || spelled.data[0] == '-');

    if (values->count == LEARN_VALUES_MAX) {
        return false;
    }
    *value = (struct learn_value){
        .kind = scanned->kind == JSON_SCAN_STRING ? LEARN_STRING
                : number                          ? LEARN_NUMBER
                                                  : LEARN_OTHER,
        .path = join(arena, above, scanned->name),
        .name = scanned->name.size > 0 ? scanned->name : last_of(above),
        .parent = scanned->name.size > 0 ? last_of(above) : (struct text){0},
        .start = scanned->start,
        .end = scanned->end,
        .text = scanned->kind == JSON_SCAN_STRING ? decode(arena, spelled) : spelled,
        .in_array = in_array,
    };
    values->count++;
    return true;
}

/* An array of strings without spaces, at least one. */
static bool take_words(struct arena *arena, struct json_scan *scan,
                       const struct json_scan_value *open, struct learn_value *value)
{
    struct json_scan_value element;
    struct buffer words;
    size_t count = 0;

    *value = (struct learn_value){.kind = LEARN_WORDS, .start = open->start};
    buffer_start(&words, arena, 64);
    while (json_scan_next(scan, &element) == JSON_SCAN_STRING) {
        struct text word =
            decode(arena, text_from(text_cut(scan->source, element.end), element.start));

        if (!text_is_visible_ascii(word)) {
            return false;
        }
        buffer_add_c(&words, count++ > 0 ? " " : "");
        buffer_add(&words, word);
    }
    value->end = element.end;
    return element.kind == JSON_SCAN_CLOSE && count > 0 && buffer_finish(&words, &value->text);
}

/* ---- requests ---- */

/* What browsers, programs and proxies add by themselves. */
static bool is_usual(struct text name)
{
    static const char *const usual[] = {"accept",
                                        "accept-encoding",
                                        "accept-language",
                                        "authorization",
                                        "cache-control",
                                        "connection",
                                        "content-length",
                                        "content-type",
                                        "cookie",
                                        "date",
                                        "dnt",
                                        "host",
                                        "origin",
                                        "pragma",
                                        "priority",
                                        "proxy",
                                        "referer",
                                        "te",
                                        "user-agent",
                                        "transfer-encoding",
                                        "via",
                                        "forwarded",
                                        "expect",
                                        "accept-charset"};

    for (size_t i = 0; i < sizeof usual / sizeof usual[0]; i++) {
        if (text_is(name, usual[i])) {
            return true;
        }
    }
    return text_starts(name, TEXT("sec-")) || text_starts(name, TEXT("x-forwarded")) ||
           text_starts(name, TEXT("cf-"));
}

static bool take_fields(struct arena *arena, struct text encoded, enum described_source source,
                        struct learn_places *places)
{
    struct form form;
    bool whole = form_parse(arena, encoded, &form) == FORM_OK;

    for (size_t i = 0; whole && i < form.count; i++) {
        whole = form.fields[i].bad ||
                add_place(arena, places, source,
                          source == DESCRIBED_FORM ? TEXT("form ") : TEXT("query "),
                          form.fields[i].name, form.fields[i].value);
    }
    return whole;
}

/* A member whose names need no escape of a pointer, or one after another with slashes. */
static bool take_members(struct arena *arena, const struct learn_values *values,
                         struct learn_places *places)
{
    for (size_t i = 0; i < values->count; i++) {
        const struct learn_value *value = &values->rows[i];
        bool inner = value->parent.size > 0;
        size_t depth = 1;

        for (size_t j = 0; j < value->path.size; j++) {
            depth += value->path.data[j] == '/';
        }
        if (!value->in_array && value->kind != LEARN_WORDS && depth <= PATH_MAX_DEPTH &&
            text_is_visible_ascii(value->path) && text_find(value->path, '~') == value->path.size &&
            text_find(value->path, '\\') == value->path.size &&
            !add_place(arena, places, DESCRIBED_JSON, inner ? TEXT("json /") : TEXT("json "),
                       value->path, value->text)) {
            return false;
        }
    }
    return true;
}

static bool take_authorization(struct arena *arena, const struct http_request *request,
                               struct learn_places *places)
{
    struct text rest = {0};

    if (http_header(request, "authorization", &rest) != HTTP_ONE) {
        return true;
    }
    struct text scheme = text_word(&rest);
    bool bearer = text_equal_ignore_case(scheme, TEXT("Bearer"));

    return text_equal_ignore_case(scheme, TEXT("Basic")) || !text_is_visible_ascii(scheme) ||
           add_place(arena, places, DESCRIBED_AUTHORIZATION,
                     bearer ? TEXT("bearer") : TEXT("authorization "),
                     bearer ? (struct text){0} : scheme, text_trim(rest));
}

static bool take_cookies(struct arena *arena, const struct http_request *request,
                         struct learn_places *places)
{
    for (size_t i = 0; i < request->header_count; i++) {
        struct text rest = request->headers[i].value;

        while (text_is(request->headers[i].name, "cookie") && rest.size > 0) {
            struct text value = text_trim(text_split(&rest, ';'));
            struct text name = text_split(&value, '=');

            if (name.size > 0 &&
                !add_place(arena, places, DESCRIBED_COOKIE, TEXT("cookie "), name, value)) {
                return false;
            }
        }
    }
    return true;
}

bool learn_places_read(struct arena *arena, const struct http_recording *request,
                       struct learn_places *places, struct fault *fault)
{
    const struct http_request *http = &request->is;
    struct learn_values *values = arena_alloc(arena, sizeof *values);
    bool whole = values != NULL;

    *places = (struct learn_places){0};
    places->has_form = http_media_is(http->content_type, "application/x-www-form-urlencoded");
    places->has_json = whole && !places->has_form && http->body.size > 0 &&
                       learn_values_read(arena, http->body, values, &places->no_json);
    fault_set(fault, "more than %d values, or a form that cannot be read", LEARN_VALUES_MAX);
    if (whole && places->has_json) {
        whole = take_members(arena, values, places);
    } else if (whole && places->has_form) {
        whole = take_fields(arena, http->body, DESCRIBED_FORM, places);
    }
    whole = whole && take_authorization(arena, http, places) &&
            take_fields(arena, http->query, DESCRIBED_QUERY, places) &&
            take_cookies(arena, http, places);
    for (size_t i = 0; whole && i < http->header_count; i++) {
        struct text name = http->headers[i].name;

        whole = is_usual(name) || add_place(arena, places, DESCRIBED_HEADER, TEXT("header "), name,
                                            http->headers[i].value);
    }
    return whole;
}

static bool add_place(struct arena *arena, struct learn_places *places,
                      enum described_source source, struct text prefix, struct text name,
                      struct text value)
{
    struct learn_place *place = &places->rows[places->count];
    struct buffer spelled;

    if (places->count == LEARN_VALUES_MAX || text_find(name, ',') < name.size ||
        own_is_unique(last_of(name)) || !text_is_printable(name)) {
        return places->count < LEARN_VALUES_MAX; /* a name like that is a value, without one */
    }
    *place = (struct learn_place){.source = source, .name = last_of(name), .value = value};
    buffer_start(&spelled, arena, prefix.size + name.size + 1);
    buffer_add(&spelled, prefix);
    buffer_add(&spelled, name);
    places->count++;
    return buffer_finish(&spelled, &place->spelled);
}

/* ---- names ---- */

/* The name without what separates words, in lower case. */
static size_t fold(struct text name, char folded[64])
{
    size_t size = 0;

    for (size_t i = 0; i < name.size && size < 63; i++) {
        char c = name.data[i];

        if (c != '_' && c != '-' && c != '.') {
            folded[size++] = (char)tolower((unsigned char)c);
        }
    }
    folded[size] = '\0';
    return size;
}

bool learn_name_has(struct text name, const char *word)
{
    char folded[64];

    (void)fold(name, folded);
    return strstr(folded, word) != NULL;
}

bool learn_name_is(struct text name, const char *word)
{
    char folded[64];

    (void)fold(name, folded);
    return strcmp(folded, word) == 0;
}

bool learn_name_is_scope(struct text name)
{
    return learn_name_is(name, "scope") || learn_name_is(name, "scopes") ||
           learn_name_is(name, "scp");
}

bool learn_name_is_list(struct text name)
{
    return learn_name_is_scope(name) || learn_name_is(name, "roles") ||
           learn_name_is(name, "authorities") || learn_name_is(name, "permissions") ||
           learn_name_is(name, "perms") || learn_name_is(name, "groups");
}

bool learn_is_plain_name(struct text name)
{
    for (size_t i = 0; i < name.size; i++) {
        if (!isalnum((unsigned char)name.data[i]) && name.data[i] != '-' && name.data[i] != '_') {
            return false;
        }
    }
    return name.size > 0 && name.size < 64;
}
