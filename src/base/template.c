/* SPDX-License-Identifier: ISC */
/* template.c: see template.h. A template is compiled in three steps: the source is scanned for its
 * places, the JSON that it will make is parsed, and the parts are put down in order. */
#include "base/template.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>

/* One ${…} of the source. */
struct place {
    size_t start, end; /* in the source; `end` is behind the brace */
    struct text name;  /* without the question mark */
    bool escape;       /* $${ */
    bool quoted;
    bool optional;
    bool members; /* ${name.*} */
    size_t depth; /* of the object whose member it is in */
    bool ended;   /* its member has */
    bool closed;  /* … and can be left out: */
    size_t member_start, member_end;
    bool leads; /* at member_end is a comma that only a member before it makes one */
    const struct template_name *row;
    const char *detail;
};

struct part {
    enum { PART_TEXT, PART_VALUE, PART_OPTIONAL, PART_MEMBERS, PART_COMMA } kind;
    bool quoted;
    const struct template_name *row;
    const char *detail;
    size_t skip;      /* of PART_OPTIONAL: so many parts follow that an absent value takes along */
    struct text text; /* of PART_TEXT */
};

struct template
{
    enum template_media media;
    unsigned style;
    const struct template_names *names;
    const struct part *parts;
    size_t part_count;
    const json_t *outline; /* NULL where it is not JSON */
    struct text source;
};

/* The object or array that the scan is in, and where its last member began. */
struct level {
    char bracket;
    size_t separator; /* its bracket or comma */
    bool sure;        /* a member that is always there has ended */
};

struct scan {
    struct arena *arena;
    struct fault *fault;
    enum template_media media;
    const struct template_names *names;
    struct text source;
    size_t at;
    bool in_string;
    size_t before_string; /* places that there were when the string began */
    struct level levels[TEMPLATE_DEPTH_MAX + 1];
    size_t depth;
    struct place places[TEMPLATE_PLACES_MAX];
    size_t count;
    struct buffer outline;
};

static bool scan_source(struct scan *scan);
static bool scan_place(struct scan *scan);
static bool look_up(struct scan *scan, struct place *place);
static bool step_json(struct scan *scan, char c);
static bool end_string(struct scan *scan);
static bool is_no_name(const struct scan *scan, const struct place *place, size_t end);
static bool end_member(struct scan *scan, char c);
static const json_t *parse_outline(struct scan *scan);
static bool check_places(const struct scan *scan);
static const struct template *put_down(struct scan *scan, unsigned style, const json_t *outline);
static void fill_value(const struct template *template, const struct part *part,
                       const struct template_value *value, struct buffer *out);

const struct template *template_compile(struct arena *arena, struct text source,
                                        enum template_media media, unsigned style,
                                        const struct template_names *names, struct fault *fault)
{
    struct scan scan;
    const json_t *outline = NULL;

    memset(&scan, 0, sizeof scan);
    scan.arena = arena;
    scan.fault = fault;
    scan.media = media;
    scan.names = names;
    if (source.size > TEMPLATE_SIZE_MAX) {
        fault_set(fault, "longer than %d bytes", TEMPLATE_SIZE_MAX);
        return NULL;
    }
    buffer_start(&scan.outline, arena, source.size + 16);
    if (!arena_copy(arena, source, &scan.source)) {
        fault_set(fault, "out of memory");
        return NULL;
    } else if (!scan_source(&scan) || !check_places(&scan)) {
        return NULL;
    } else if (media == TEMPLATE_JSON && (outline = parse_outline(&scan)) == NULL) {
        return NULL;
    }
    return put_down(&scan, style, outline);
}

/* ---- scanning ---- */

static bool scan_source(struct scan *scan)
{
    struct text source = scan->source;

    while (scan->at < source.size) {
        struct text rest = text_from(source, scan->at);

        if (text_starts(rest, TEXT("${")) || text_starts(rest, TEXT("$${"))) {
            if (!scan_place(scan)) {
                return false;
            }
        } else if (scan->media == TEMPLATE_JSON && !step_json(scan, rest.data[0])) {
            return false;
        } else {
            buffer_add_char(&scan->outline, source.data[scan->at]); /* behind its backslash */
            scan->at++;
        }
    }
    return true;
}

static bool scan_place(struct scan *scan)
{
    struct text rest = text_from(scan->source, scan->at);
    struct place *place = &scan->places[scan->count];
    struct text name;

    if (scan->count == TEMPLATE_PLACES_MAX) {
        fault_set(scan->fault, "more than %d places for values", TEMPLATE_PLACES_MAX);
        return false;
    }
    *place = (struct place){.start = scan->at,
                            .quoted = scan->in_string,
                            .depth = scan->depth,
                            .escape = rest.data[1] == '$'};
    scan->count++;
    if (place->escape) {
        place->end = scan->at += 3;
        buffer_add_c(&scan->outline, "${");
        return true;
    }
    name = text_from(text_cut(rest, text_find(rest, '}')), 2);
    if (2 + name.size == rest.size) {
        fault_set(scan->fault, "${%.*s: without a closing brace; write $${ for ${ as it is",
                  TEXT_ARGS(text_cut(name, 40)));
        return false;
    }
    place->end = scan->at += name.size + 3;
    place->optional = text_ends(name, TEXT("?"));
    place->name = text_cut(name, name.size - place->optional);
    place->members = text_ends(place->name, TEXT(".*"));
    if (!look_up(scan, place) || (scan->media == TEMPLATE_JSON && !scan->in_string &&
                                  !is_no_name(scan, place, place->end))) {
        return false;
    }
    buffer_addf(&scan->outline, scan->in_string ? "${%.*s}" : "\"${%.*s}\"",
                TEXT_ARGS(place->name));
    if (place->members) {
        buffer_add_c(&scan->outline, ":null");
    }
    return true;
}

/* Letters, digits and what stands between them: so a name is a JSON string as it is. */
static bool is_name(struct text name)
{
    for (size_t i = 0; i < name.size; i++) {
        char c = name.data[i];

        if (!isalnum((unsigned char)c) && c != '_' && c != '-' && c != '.' && c != '*') {
            return false;
        }
    }
    return name.size > 0;
}

/* NULL: there is none. *detail is what of it is free. */
static const struct template_name *find_name(const struct template_names *names, struct text name,
                                             struct text *detail)
{
    for (const struct template_name *row = names->rows; row->name != NULL; row++) {
        struct text known = text_of(row->name);
        bool open = text_ends(known, TEXT("."));

        *detail = open ? text_from(name, known.size) : (struct text){0};
        if (open ? text_starts(name, known) && detail->size > 0 : text_equal(name, known)) {
            return row;
        }
    }
    return NULL;
}

static void complain_of_name(const struct scan *scan, struct text name)
{
    const struct template_name *row = scan->names->rows;
    char list[512] = "";
    size_t size = 0;

    for (; row->name != NULL && size < sizeof list; row++) {
        size += (size_t)snprintf(list + size, sizeof list - size, "%s%s%s", size > 0 ? ", " : "",
                                 row->name, text_ends(text_of(row->name), TEXT(".")) ? "NAME" : "");
    }
    fault_set(scan->fault, "${%.*s}: unknown; write one of %s", TEXT_ARGS(text_cut(name, 40)),
              list);
}

static bool look_up(struct scan *scan, struct place *place)
{
    struct text detail;

    place->row = is_name(place->name) ? find_name(scan->names, place->name, &detail) : NULL;
    if (place->row == NULL) {
        complain_of_name(scan, place->name);
        return false;
    }
    place->detail = arena_c_string(scan->arena, detail);
    if (place->detail == NULL) {
        fault_set(scan->fault, "out of memory");
        return false;
    }
    return true;
}

/* Keeps count of strings, objects and arrays. Whether it is JSON at all is asked later. */
static bool step_json(struct scan *scan, char c)
{
    if (scan->in_string) {
        bool escapes = c == '\\' && scan->at + 1 < scan->source.size;

        if (escapes) {
            buffer_add_char(&scan->outline, c);
            scan->at++;
        }
        return escapes || c != '"' || end_string(scan);
    }
    switch (c) {
    case '"':
        scan->in_string = true;
        scan->before_string = scan->count;
        return true;
    case '{':
    case '[':
        if (scan->depth == TEMPLATE_DEPTH_MAX) {
            fault_set(scan->fault, "deeper than %d objects and arrays", TEMPLATE_DEPTH_MAX);
            return false;
        }
        scan->levels[++scan->depth] = (struct level){.bracket = c, .separator = scan->at};
        return true;
    case ',':
    case '}':
    case ']':
        return end_member(scan, c);
    default:
        return true;
    }
}

static bool end_string(struct scan *scan)
{
    scan->in_string = false;
    return scan->count == scan->before_string ||
           is_no_name(scan, &scan->places[scan->before_string], scan->at + 1);
}

/* What ends at `end` is not the name of a member? */
static bool is_no_name(const struct scan *scan, const struct place *place, size_t end)
{
    if (!text_starts(text_strip(text_from(scan->source, end)), TEXT(":"))) {
        return true;
    }
    fault_set(scan->fault, "${%.*s}: in the name of a member; only its value can be filled in",
              TEXT_ARGS(place->name));
    return false;
}

/* What is left out with an optional value: its member, and the comma before it. Where no member is
 * sure to be before it, that comma depends on what came out. The members of ${name.*} bring their
 * own. */
static bool end_member(struct scan *scan, char c)
{
    struct level *level = &scan->levels[scan->depth];
    bool sure = true;

    for (size_t i = 0; i < scan->count; i++) {
        struct place *place = &scan->places[i];

        if ((place->optional || place->members) && !place->ended && place->depth == scan->depth &&
            scan->depth > 0) {
            place->ended = true;
            place->closed = level->bracket == '{';
            place->member_start = level->separator + (scan->source.data[level->separator] != ',');
            place->member_end = scan->at;
            place->leads = c == ',' && !level->sure;
            sure = false;
        }
    }
    level->sure = level->sure || sure;
    level->separator = scan->at;
    scan->depth -= c != ',' && scan->depth > 0;
    return true;
}

/* Each optional place has its member to itself. */
static bool check_places(const struct scan *scan)
{
    size_t end = 0; /* of what came before */

    for (size_t i = 0; i < scan->count; i++) {
        const struct place *place = &scan->places[i];

        if (place->members &&
            (!place->closed || place->quoted || place->optional || place->depth != 1)) {
            fault_set(scan->fault,
                      "${%.*s}: belongs among the members of the outermost JSON object",
                      TEXT_ARGS(place->name));
            return false;
        } else if (place->optional && !place->closed) {
            fault_set(scan->fault, "${%.*s?}: only a member of a JSON object can be left out",
                      TEXT_ARGS(place->name));
            return false;
        } else if ((place->closed ? place->member_start : place->start) < end) {
            fault_set(scan->fault,
                      "${%.*s}: beside one that can be left out; put the two into members of their "
                      "own",
                      TEXT_ARGS(place->name));
            return false;
        }
        end = place->closed ? place->member_end : place->end;
    }
    return true;
}

/* In an object of its own, because every JSON value is allowed. */
static const json_t *parse_outline(struct scan *scan)
{
    struct text outline, whole;
    struct buffer wrapped;
    struct fault why;
    json_t *object = NULL;

    buffer_start(&wrapped, scan->arena, scan->outline.size + 16);
    buffer_add_c(&wrapped, "{\"\":");
    if (buffer_finish(&scan->outline, &outline)) {
        buffer_add(&wrapped, outline);
    }
    buffer_add_c(&wrapped, "\n}");
    if (buffer_finish(&wrapped, &whole)) {
        object = json_in_object(scan->arena, whole, &why);
    }
    if (object == NULL || json_object_size(object) != 1) {
        fault_set(scan->fault, "not JSON; each place is a string inside quotation marks, or a "
                               "whole value without them");
        return NULL;
    }
    return json_object_get(object, "");
}

/* ---- the parts ---- */

/* Puts parts down, one behind the other. */
struct writer {
    struct text source;
    struct part *parts;
    size_t count;
    size_t at;    /* so far it is put down or left out */
    size_t comma; /* one that depends on what came out; 0 = none */
};

static void put_text(struct writer *writer, size_t end);
static void put_place(struct writer *writer, const struct place *place);

static const struct template *put_down(struct scan *scan, unsigned style, const json_t *outline)
{
    enum { PARTS_OF_PLACE = 6 };
    struct part *parts =
        arena_alloc(scan->arena, (PARTS_OF_PLACE * scan->count + 2) * sizeof *parts);
    struct template *template = arena_alloc(scan->arena, sizeof *template);
    struct writer writer = {.source = scan->source, .parts = parts};

    if (parts == NULL || template == NULL) {
        fault_set(scan->fault, "out of memory");
        return NULL;
    }
    for (size_t i = 0; i < scan->count; i++) {
        put_place(&writer, &scan->places[i]);
    }
    put_text(&writer, scan->source.size);
    *template = (struct template){scan->media,  style,   scan->names, parts,
                                  writer.count, outline, scan->source};
    return template;
}

static void put_place(struct writer *writer, const struct place *place)
{
    struct part value = {.kind = place->members ? PART_MEMBERS : PART_VALUE,
                         .quoted = place->quoted,
                         .row = place->row,
                         .detail = place->detail};
    struct part *optional = NULL;

    if (place->closed) {
        put_text(writer, place->member_start);
    }
    if (place->optional) {
        optional = &writer->parts[writer->count++];
        *optional = value;
        optional->kind = PART_OPTIONAL;
    }
    if (!place->members) {
        put_text(writer, place->start);
    }
    writer->parts[writer->count++] =
        place->escape ? (struct part){.kind = PART_TEXT, .text = TEXT("${")} : value;
    writer->at = place->end;
    if (optional != NULL) {
        put_text(writer, place->member_end);
        optional->skip = (size_t)(writer->parts + writer->count - optional) - 1;
    }
    if (place->leads) {
        writer->at = writer->comma = place->member_end;
    }
}

/* What stands between here and there. */
static void put_text(struct writer *writer, size_t end)
{
    if (writer->comma > 0 && writer->comma == writer->at && end > writer->at) {
        writer->parts[writer->count++] = (struct part){.kind = PART_COMMA};
        writer->at++;
    }
    if (end > writer->at) {
        writer->parts[writer->count++] = (struct part){
            .kind = PART_TEXT, .text = text_from(text_cut(writer->source, end), writer->at)};
    }
    writer->at = end;
}

struct text template_source(const struct template *template)
{
    return template->source;
}

unsigned template_style(const struct template *template)
{
    return template->style;
}

bool template_has_places(const struct template *template)
{
    bool found = false;

    for (size_t i = 0; i < template->part_count; i++) {
        found = found || template->parts[i].row != NULL;
    }
    return found;
}

bool template_has(const struct template *template, const char *name)
{
    struct text detail;
    const struct template_name *row = find_name(template->names, text_of(name), &detail);

    for (size_t i = 0; i < template->part_count && row != NULL; i++) {
        const struct part *part = &template->parts[i];

        if (part->row == row && text_is(detail, part->detail)) {
            return true;
        }
    }
    return false;
}

const char *template_member(const struct template *template, const char *name)
{
    const char *member;
    json_t *value;

    json_object_foreach((json_t *)(uintptr_t) template->outline, member, value)
    {
        struct text text = text_of(json_string_value(value));

        if (text_starts(text, TEXT("${")) && text_ends(text, TEXT("}")) &&
            text_is(text_from(text_cut(text, text.size - 1), 2), name)) {
            return member;
        }
    }
    return NULL;
}

const json_t *template_outline(const struct template *template)
{
    return template->outline;
}

/* ---- filling ---- */

/* Has nothing come after the bracket of its object? */
static bool is_first(const struct buffer *out)
{
    return out->size > 0 && out->data[out->size - 1] == '{';
}

/* Those that the template does not name, each behind its comma. */
static void fill_members(const struct template *template, const json_t *members, struct buffer *out)
{
    struct json_out json = json_out_start(out, template->style);
    const char *name;
    json_t *member;

    json.comma = !is_first(out);
    json_object_foreach((json_t *)(uintptr_t)members, name, member)
    {
        if (json_object_get(template->outline, name) == NULL) {
            json_out_key(&json, name);
            json_out_value(&json, member);
        }
    }
}

void template_fill(const struct template *template, const void *from, struct buffer *out)
{
    for (size_t i = 0; i < template->part_count; i++) {
        const struct part *part = &template->parts[i];
        struct template_value value = {0};

        if (part->kind == PART_TEXT) {
            buffer_add(out, part->text);
            continue;
        } else if (part->kind == PART_COMMA) {
            buffer_add_c(out, is_first(out) ? "" : ",");
            continue;
        }
        template->names->look(from, part->row, part->detail, out->arena, &value);
        if (value.kind == TEMPLATE_PARSED && value.parsed == NULL) {
            value.kind = TEMPLATE_ABSENT;
        }
        if (part->kind == PART_MEMBERS) {
            fill_members(template, value.kind == TEMPLATE_PARSED ? value.parsed : NULL, out);
        } else if (part->kind == PART_VALUE) {
            fill_value(template, part, &value, out);
        } else if (value.kind == TEMPLATE_ABSENT) {
            i += part->skip;
        }
    }
}

/* As characters, of a string or a plain text. */
static struct text characters_of(const struct template_value *value, char digits[24])
{
    struct text text = {0};
    int64_t number = value->number;

    switch (value->kind) {
    case TEMPLATE_TEXT:
    case TEMPLATE_WORDS:
        return value->text;
    case TEMPLATE_PARSED:
        if (json_is_string(value->parsed)) {
            return (struct text){json_string_value(value->parsed),
                                 json_string_length(value->parsed)};
        } else if (!json_is_integer(value->parsed)) {
            return text;
        }
        number = json_integer_value(value->parsed);
        break;
    case TEMPLATE_NUMBER:
        break;
    case TEMPLATE_ABSENT:
    case TEMPLATE_WRITTEN:
        return text;
    }
    text.size = (size_t)snprintf(digits, 24, "%" PRId64, number);
    text.data = digits;
    return text;
}

static void fill_whole(struct json_out *json, const struct template_value *value)
{
    switch (value->kind) {
    case TEMPLATE_ABSENT:
        json_out_null(json);
        break;
    case TEMPLATE_TEXT:
        json_out_text(json, value->text);
        break;
    case TEMPLATE_WORDS:
        json_out_words(json, value->text);
        break;
    case TEMPLATE_NUMBER:
        json_out_int(json, value->number);
        break;
    case TEMPLATE_PARSED:
        json_out_value(json, value->parsed);
        break;
    case TEMPLATE_WRITTEN:
        buffer_add(json->buffer, value->text);
        break;
    }
}

static void fill_value(const struct template *template, const struct part *part,
                       const struct template_value *value, struct buffer *out)
{
    struct json_out json = json_out_start(out, template->style);
    char digits[24];

    if (template->media == TEMPLATE_JSON && !part->quoted) {
        fill_whole(&json, value);
        return;
    }
    struct text text = characters_of(value, digits);
    switch (template->media) {
    case TEMPLATE_JSON:
        json_out_characters(&json, text);
        break;
    case TEMPLATE_PLAIN:
        if (text_plain_run(text, "") == text.size) {
            buffer_add(out, text);
        }
        break;
    }
}
