/* SPDX-License-Identifier: ISC */
/* config_dialects.c: [dialect NAME], which names the file of a dialect of one's own. Knows where
 * files are; what is in one is dialect_file.h. */
#include "process/config_reader.h"

#include <stdlib.h>

#include "process/dialect_file.h"
#include "process/dialects.h"

static bool take_dialect(struct config_reader *reader, const struct config_section *section);
static bool read_dialect(struct config_reader *reader, const struct config_section *section,
                         const char *file);

bool config_take_dialects(struct config_reader *reader)
{
    for (size_t i = 0; i < reader->section_count; i++) {
        if (text_is(reader->sections[i].word, "dialect") &&
            !take_dialect(reader, &reader->sections[i])) {
            return false;
        }
    }
    return true;
}

static bool take_dialect(struct config_reader *reader, const struct config_section *section)
{
    static const struct config_setting setting = {.name = "file", .room = CONFIG_PATH_MAX};
    const struct config_line *line = config_line_find(section, "file");
    char file[CONFIG_PATH_MAX] = "";
    const char *wrong = "";

    if (!dialect_file_is_name(section->argument)) {
        return config_complain(reader, section->line,
                               "[dialect %.*s]: not a name; write [dialect NAME], in letters, "
                               "digits and hyphens",
                               TEXT_ARGS(text_cut(section->argument, 80)));
    } else if (config_find_dialect(reader, section->argument) != NULL) {
        return config_complain(reader, section->line,
                               "[dialect %.*s]: there is a dialect of that name already; write "
                               "another",
                               TEXT_ARGS(section->argument));
    } else if (line == NULL) {
        return config_complain(reader, section->line,
                               "[dialect %.*s]: no file; write file = %.*s.dialect",
                               TEXT_ARGS(section->argument), TEXT_ARGS(section->argument));
    } else if (section->count > 1) {
        const struct config_line *other = &section->lines[line == section->lines];

        return config_complain(reader, other->number,
                               "%.*s: unknown setting in [dialect]; what the dialect is stands in "
                               "its file",
                               TEXT_ARGS(text_cut(other->name, 80)));
    } else if (reader->config->dialect_count == CONFIG_DIALECTS_MAX) {
        return config_complain(reader, section->line, "more than %d dialects", CONFIG_DIALECTS_MAX);
    } else if (!config_read_path(reader, &setting, line->value, file, &wrong)) {
        return config_complain_value(reader, line, wrong);
    }
    return read_dialect(reader, section, file);
}

static bool read_dialect(struct config_reader *reader, const struct config_section *section,
                         const char *file)
{
    const struct dialect *dialect = NULL;
    char *contents = NULL;
    size_t size = 0;
    bool absent;

    if (config_read_file(file, &contents, &size, &absent, reader->fault)) {
        dialect = dialect_file_take(section->argument, file, (struct text){contents, size},
                                    reader->fault);
    }
    free(contents);
    if (dialect == NULL) {
        reader->failed = true; /* by a complaint that names the dialect's file */
        return false;
    }
    reader->config->dialects[reader->config->dialect_count++] = dialect;
    return true;
}

const struct dialect *config_find_dialect(struct config_reader *reader, struct text name)
{
    for (size_t i = 0; i < reader->config->dialect_count; i++) {
        if (text_is(name, reader->config->dialects[i]->name)) {
            return reader->config->dialects[i];
        }
    }
    return config_dialect_read(reader, dialects_find(name));
}

const struct dialect *config_dialect_read(struct config_reader *reader,
                                          const struct dialect *dialect)
{
    if (dialect == NULL && dialects_failure() != NULL) {
        (void)config_complain(reader, 0, "%s", dialects_failure()->text);
    }
    return dialect;
}
