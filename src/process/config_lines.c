/* SPDX-License-Identifier: ISC */
/* config_lines.c: a text into sections and lines. Knows the syntax of the file: [SECTION], NAME =
 * VALUE, comments; does not know any section or setting.
 *
 * The syntax is that of inih, which read these files before: `:` separates as well as `=`, a line
 * that starts with `#` or `;` is a comment, and so is the rest of a line from a `;` after a space.
 * Quotation marks round a value are taken off, as in YAML, shell and other INI files. */
#include "process/config_reader.h"

#include <stdlib.h>

static bool take_line(struct config_reader *reader, unsigned number, struct text line,
                      struct config_line *next);
static bool take_section(struct config_reader *reader, unsigned number, struct text line);
static bool take_setting(struct config_reader *reader, unsigned number, struct text line,
                         struct config_line *next);
static bool take_value(struct config_reader *reader, struct text raw, struct config_line *next);
static bool is_marked(struct text value);

static size_t count_lines(struct text contents)
{
    size_t count = 0;

    while (contents.size > 0) {
        (void)text_split(&contents, '\n');
        count++;
    }
    return count;
}

bool config_lines_read(struct config_reader *reader, struct text contents)
{
    size_t room = count_lines(contents) + 1;
    size_t used = 0;
    unsigned number = 0;

    if (text_starts(contents, TEXT("\xef\xbb\xbf"))) {
        contents = text_from(contents, 3);
    }
    reader->lines = calloc(room, sizeof *reader->lines);
    reader->sections = calloc(room, sizeof *reader->sections);
    if (reader->lines == NULL || reader->sections == NULL) {
        return config_complain(reader, 0, "out of memory");
    }
    while (contents.size > 0) {
        if (!take_line(reader, ++number, text_split(&contents, '\n'), &reader->lines[used])) {
            return false;
        }
        used += reader->lines[used].number != 0;
    }
    return true;
}

void config_lines_free(struct config_reader *reader)
{
    free(reader->lines);
    free(reader->sections);
}

const struct config_line *config_line_find(const struct config_section *section, const char *name)
{
    return config_line_find_text(section, text_of(name));
}

const struct config_line *config_line_find_text(const struct config_section *section,
                                                struct text name)
{
    for (size_t i = 0; i < section->count; i++) {
        if (text_equal(section->lines[i].name, name)) {
            return &section->lines[i];
        }
    }
    return NULL;
}

/* A setting goes into *next, whose number stays 0 when the line is none. */
static bool take_line(struct config_reader *reader, unsigned number, struct text line,
                      struct config_line *next)
{
    if (text_ends(line, TEXT("\r"))) {
        line.size--;
    }
    line = text_trim(line);
    if (line.size > CONFIG_LINE_MAX) {
        return config_complain(reader, number, "longer than %d bytes", CONFIG_LINE_MAX);
    } else if (text_find(line, '\0') < line.size) {
        return config_complain(reader, number, "holds a NUL byte; this is not a text file");
    } else if (line.size == 0 || line.data[0] == '#' || line.data[0] == ';') {
        return true;
    } else if (line.data[0] == '[') {
        return take_section(reader, number, line);
    }
    return take_setting(reader, number, line, next);
}

static bool complain_of_syntax(struct config_reader *reader, unsigned number)
{
    return config_complain(reader, number,
                           "neither a section nor a setting; write [SECTION] or NAME = VALUE");
}

/* What follows the bracket is a comment. */
static bool take_section(struct config_reader *reader, unsigned number, struct text line)
{
    size_t end = text_find(line, ']');
    struct config_section *section = &reader->sections[reader->section_count];

    if (end == line.size) {
        return complain_of_syntax(reader, number);
    }
    section->line = number;
    section->argument = text_trim(text_from(text_cut(line, end), 1));
    section->word = text_split(&section->argument, ' ');
    section->argument = text_trim(section->argument);
    reader->section_count++;
    return true;
}

/* The text without a comment: from `;` after a space. */
static struct text without_comment(struct text t)
{
    for (size_t i = 1; i < t.size; i++) {
        if (t.data[i] == ';' && (t.data[i - 1] == ' ' || t.data[i - 1] == '\t')) {
            return text_cut(t, i);
        }
    }
    return t;
}

static bool take_setting(struct config_reader *reader, unsigned number, struct text line,
                         struct config_line *next)
{
    size_t equals = text_find(line, '=');
    size_t colon = text_find(line, ':');
    size_t separator = equals < colon ? equals : colon;
    struct text name = text_trim(text_cut(line, separator));

    if (separator == line.size || without_comment(name).size < name.size) {
        return complain_of_syntax(reader, number);
    } else if (reader->section_count == 0) {
        return config_complain(reader, number,
                               "%.*s comes before any section; write [retoken] first",
                               TEXT_ARGS(text_cut(name, 80)));
    }
    struct config_section *section = &reader->sections[reader->section_count - 1];
    if (section->count == CONFIG_SECTION_MAX) {
        return config_complain(reader, number, "more than %d settings in one section",
                               CONFIG_SECTION_MAX);
    } else if (section->count++ == 0) {
        section->lines = next;
    }
    *next = (struct config_line){.number = number, .name = name};
    return take_value(reader, text_from(line, separator + 1), next);
}

static bool take_value(struct config_reader *reader, struct text raw, struct config_line *next)
{
    struct text value = text_trim(raw);
    bool quoted = value.size > 0 && (value.data[0] == '"' || value.data[0] == '\'');
    size_t end = quoted ? text_find(text_from(value, 1), value.data[0]) + 1 : 0;

    if (quoted && end < value.size) {
        struct text rest = text_trim(text_from(value, end + 1));

        next->value = text_from(text_cut(value, end), 1);
        if (rest.size == 0 || rest.data[0] == ';') {
            return true;
        }
        return config_complain_value(reader, next, "text after the closing quotation mark");
    }
    next->value = text_trim(without_comment(raw));
    if (quoted || is_marked(next->value)) {
        return config_complain_value(reader, next,
                                     "a quotation mark without its partner; write the value "
                                     "between two straight ones, or without");
    } else if (text_starts(next->value, TEXT("(")) || text_starts(next->value, TEXT("DATA/"))) {
        return config_complain_value(reader, next,
                                     "this describes the default and is no value; write one, or "
                                     "leave the line commented out");
    }
    return true;
}

/* Does it end with a quotation mark, or begin or end with one that text processors make? */
static bool is_marked(struct text value)
{
    static const char *const curly[] = {"\xe2\x80\x98", "\xe2\x80\x99", "\xe2\x80\x9c",
                                        "\xe2\x80\x9d", "\xe2\x80\x9e"};
    bool marked = text_ends(value, TEXT("\"")) || text_ends(value, TEXT("'"));

    for (size_t i = 0; i < sizeof curly / sizeof curly[0]; i++) {
        marked =
            marked || text_starts(value, text_of(curly[i])) || text_ends(value, text_of(curly[i]));
    }
    return marked;
}
