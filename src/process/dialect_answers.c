/* SPDX-License-Identifier: ISC */
/* dialect_answers.c: the lines of a dialect's file that say what a grant is answered with, and what
 * refusals (dialect_refusals.c) have in common with it. Knows statuses, media types and headers;
 * what a template is, base/template.h does. */
#include "process/dialect_reader.h"

#define ANSWER TEXT("answer")

/* The line NAME.detail of a section; NULL = there is none. */
const struct config_line *dialect_find_detail(const struct config_section *section,
                                              struct text word, const char *detail)
{
    for (size_t i = 0; i < section->count; i++) {
        struct text rest;

        if (dialect_split_name(section->lines[i].name, word, &rest) && text_is(rest, detail)) {
            return &section->lines[i];
        }
    }
    return NULL;
}

/* Is it WORD, or WORD.detail? */
bool dialect_split_name(struct text name, struct text word, struct text *detail)
{
    struct text rest = text_from(name, word.size);

    *detail = text_from(rest, 1);
    return text_starts(name, word) && (rest.size == 0 || rest.data[0] == '.');
}

/* ---- what they share ---- */

/* All lines of that name, with line breaks between them. False: a complaint. */
bool dialect_gather(struct dialect_reader *reader, const struct config_section *section,
                    struct text name, struct text *whole)
{
    struct buffer buffer;
    size_t count = 0;

    buffer_start(&buffer, reader->scratch, 256);
    for (size_t i = 0; i < section->count; i++) {
        if (text_equal(section->lines[i].name, name)) {
            buffer_add_c(&buffer, count++ > 0 ? "\n" : "");
            buffer_add(&buffer, section->lines[i].value);
        }
    }
    return buffer_finish(&buffer, whole) || dialect_no_memory(reader);
}

/* "401 {…}": cuts the status off. */
bool dialect_take_status(struct dialect_reader *reader, const struct config_line *line,
                         struct text *whole, int *status)
{
    struct text number = text_cut(*whole, 3);
    uint64_t value = 0;

    if (number.size < 3 || !text_to_u64(number, 599, &value) || value < 200 ||
        (value >= 300 && value < 400) ||
        (whole->size > 3 && whole->data[3] != ' ' && whole->data[3] != '\n')) {
        return config_complain_value(&reader->lines, line,
                                     "begins with a status from 200 to 299 or from 400 to 599; "
                                     "write for example 200 {\"token\":\"${access_token}\"}");
    }
    *status = (int)value;
    *whole = text_from(*whole, 4);
    return true;
}

/* NULL: a complaint. */
const struct template *dialect_compile(struct dialect_reader *reader,
                                       const struct config_line *line, struct arena *arena,
                                       struct text source, struct text media_type, unsigned style,
                                       const struct template_names *names)
{
    bool json = http_media_is_json(media_type);
    struct fault fault;
    const struct template *template = template_compile(
        arena, source, json ? TEMPLATE_JSON : TEMPLATE_PLAIN, style, names, &fault);
    bool plain = json || http_media_is(media_type, "text/plain");

    if (template == NULL) {
        (void)config_complain(&reader->lines, line->number, "%.*s: %s", TEXT_ARGS(line->name),
                              fault.text);
    } else if (!plain && template_has_places(template)) {
        (void)config_complain(&reader->lines, line->number,
                              "%.*s: values have places in JSON and text/plain only, not in %.*s",
                              TEXT_ARGS(line->name), TEXT_ARGS(text_cut(media_type, 80)));
        return NULL;
    }
    return template;
}

/* Is it one media type? Of several, a browser takes the last. False: a complaint. */
bool dialect_check_type(struct dialect_reader *reader, const struct config_line *line)
{
    struct text type = line->value;

    return (text_find(type, '/') < type.size && text_plain_run(type, ",") == type.size) ||
           config_complain_value(&reader->lines, line,
                                 "not a media type; write for example application/json");
}

/* A media type of the line, or the usual one. False: a complaint. */
bool dialect_take_type(struct dialect_reader *reader, const struct config_line *line,
                       const char **media_type)
{
    if (line != NULL && !dialect_check_type(reader, line)) {
        return false;
    }
    *media_type = dialect_keep(reader, line != NULL ? line->value : reader->media_type);
    return *media_type != NULL;
}

/* ---- grants ---- */

bool dialect_is_answer(struct text name)
{
    struct text detail;

    return dialect_split_name(name, ANSWER, &detail);
}

/* Of those that [dialect] names. */
static bool take_cookies(struct dialect_reader *reader, const struct config_line *line,
                         struct described_answer *answer)
{
    static const char *const words[] = {"set", "set refresh", "set access", "clear", NULL};
    int chosen =
        dialect_choose(reader, line, words, "unknown; write set, set refresh, set access or clear");
    struct cookie_names *names = &answer->cookie_names;

    *names = reader->cookies;
    names->access = chosen == 1 ? NULL : names->access;
    names->refresh = chosen == 2 ? NULL : names->refresh;
    if (chosen >= 0 && names->refresh == NULL && names->access == NULL) {
        return config_complain_value(&reader->lines, line,
                                     "there is none; name it in [dialect] by refresh-cookie or "
                                     "access-cookie");
    }
    answer->cookies = chosen == 3 ? DESCRIBED_COOKIES_CLEARED : DESCRIBED_COOKIES_SET;
    return chosen >= 0;
}

static bool take_answer_line(struct dialect_reader *reader, const struct config_line *line,
                             struct text detail, struct described_answer *answer)
{
    struct text header = TEXT("header.");

    if (detail.size == 0 || text_is(detail, "type") || text_is(detail, "json-style")) {
        return true; /* asked for already */
    } else if (text_is(detail, "cookies")) {
        return take_cookies(reader, line, answer);
    } else if (!text_starts(detail, header)) {
        return config_complain(&reader->lines, line->number,
                               "%.*s: unknown; write answer, answer.type, answer.json-style, "
                               "answer.cookies or answer.header.NAME",
                               TEXT_ARGS(text_cut(line->name, 80)));
    } else if (answer->header_count == DESCRIBED_HEADERS_MAX) {
        return config_complain(&reader->lines, line->number, "more than %d headers",
                               DESCRIBED_HEADERS_MAX);
    }
    size_t at = answer->header_count++;
    answer->headers[at].value = dialect_compile(reader, line, reader->arena, line->value,
                                                TEXT("text/plain"), 0, &described_answer_names);
    return answer->headers[at].value != NULL &&
           dialect_take_header(reader, line, text_from(detail, header.size),
                               &answer->headers[at].name);
}

/* Those that Retoken sets itself are not the dialect's, nor those by which web servers and browsers
 * do something else than hand on the answer. */
static bool is_own_header(struct text name)
{
    static const char *const names[] = {
        "Content-Type", "Content-Length",        "Status",           "Set-Cookie",
        "Location",     "Cache-Control",         "Pragma",           "Allow",
        "Connection",   "Transfer-Encoding",     "Content-Encoding", "Refresh",
        "Retry-After",  "X-Content-Type-Options"};
    static const char *const beginnings[] = {"Access-Control-", "X-Accel-", "X-Lighttpd-",
                                             "X-Sendfile"};
    bool own = false;

    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        own = own || text_equal_ignore_case(name, text_of(names[i]));
    }
    for (size_t i = 0; i < sizeof beginnings / sizeof beginnings[0]; i++) {
        struct text beginning = text_of(beginnings[i]);

        own = own || text_equal_ignore_case(text_cut(name, beginning.size), beginning);
    }
    return own;
}

bool dialect_take_header(struct dialect_reader *reader, const struct config_line *line,
                         struct text name, const char **kept)
{
    if (is_own_header(name)) {
        return config_complain(&reader->lines, line->number,
                               "%.*s: a header that Retoken sets itself, or that web servers or "
                               "browsers obey",
                               TEXT_ARGS(text_cut(line->name, 80)));
    }
    for (size_t i = 0; i < name.size; i++) {
        char c = name.data[i];

        if ((c < 'a' || c > 'z') && (c < 'A' || c > 'Z') && (c < '0' || c > '9') && c != '-') {
            return config_complain(&reader->lines, line->number, "%.*s: not the name of a header",
                                   TEXT_ARGS(text_cut(line->name, 80)));
        }
    }
    if (text_has_control(line->value)) {
        return config_complain(&reader->lines, line->number,
                               "%.*s: a tab or another control character in a header",
                               TEXT_ARGS(text_cut(line->name, 80)));
    }
    *kept = dialect_keep(reader, name);
    return *kept != NULL && (name.size > 0 || config_complain(&reader->lines, line->number,
                                                              "a header without a name"));
}

bool dialect_take_answer(struct dialect_reader *reader, const struct config_section *section,
                         struct described_answer *answer, bool *taken)
{
    const struct config_line *line = config_line_find(section, "answer");
    const struct config_line *style = dialect_find_detail(section, ANSWER, "json-style");
    struct described_answer made = {0};
    unsigned json_style = reader->style;
    struct text whole;

    if (line == NULL) {
        for (size_t i = 0; i < section->count; i++) {
            if (dialect_is_answer(section->lines[i].name)) {
                return config_complain(&reader->lines, section->lines[i].number,
                                       "%.*s without answer; write answer = STATUS BODY",
                                       TEXT_ARGS(text_cut(section->lines[i].name, 80)));
            }
        }
        return true;
    } else if (!dialect_gather(reader, section, ANSWER, &whole) ||
               !dialect_take_status(reader, line, &whole, &made.status) ||
               !dialect_take_type(reader, dialect_find_detail(section, ANSWER, "type"),
                                  &made.media_type) ||
               (style != NULL && !dialect_take_style(reader, style, &json_style))) {
        return false;
    } else if (made.status >= 300) {
        return config_complain_value(&reader->lines, line, "a grant's status is from 200 to 299");
    } else if (whole.size > 0) {
        made.body = dialect_compile(reader, line, reader->arena, whole, text_of(made.media_type),
                                    json_style, &described_answer_names);
        if (made.body == NULL) {
            return false;
        }
    }
    for (size_t i = 0; i < section->count; i++) {
        struct text detail;

        if (dialect_split_name(section->lines[i].name, ANSWER, &detail) &&
            !take_answer_line(reader, &section->lines[i], detail, &made)) {
            return false;
        }
    }
    *answer = made;
    *taken = true;
    return true;
}
