/* SPDX-License-Identifier: ISC */
/* config.c: which file the configuration is in, reading it whole, and what follows for the paths of
 * data. Knows how a complaint names the file; does not know lines, values or settings
 * (config_lines.c, config_values.c, config_settings.c, config_realms.c), and opens nothing that the
 * file names. */
#include "process/config.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "process/config_reader.h"
#include "store/store.h"

static bool choose_file(const char *file, struct config *config, bool *optional);
static bool read_config(struct config_reader *reader, bool optional);
static bool is_trusted(const char *file, const struct stat *status, struct fault *fault);
static bool finish_paths(struct config_reader *reader);
static struct config_reader *start(struct config *config, struct fault *fault);
static bool finish(struct config_reader *reader, bool loaded);
static bool read_text(struct config_reader *reader, struct text contents);

bool config_load(const char *file, struct config *config, struct fault *fault)
{
    struct fault unheard;
    struct config_reader *reader;
    bool optional;

    fault = fault != NULL ? fault : &unheard;
    reader = start(config, fault);
    if (reader == NULL) {
        return false;
    } else if (!choose_file(file, config, &optional)) {
        fault_set(fault, "configuration: the path is too long");
        free(reader);
        return false;
    }
    return finish(reader, read_config(reader, optional));
}

bool config_defaults(struct config *config, struct fault *fault)
{
    struct config_reader *reader = start(config, fault);

    return reader != NULL && finish(reader, config_join((struct text){0}, TEXT("."), config->data,
                                                        sizeof config->data) &&
                                                read_text(reader, (struct text){0}));
}

/* NULL: no memory. */
static struct config_reader *start(struct config *config, struct fault *fault)
{
    struct config_reader *reader = calloc(1, sizeof *reader);

    fault->text[0] = '\0';
    config_set_defaults(config);
    if (reader == NULL) {
        fault_set(fault, "configuration: out of memory");
        return NULL;
    }
    reader->config = config;
    reader->file = config->file;
    reader->fault = fault;
    return reader;
}

static bool finish(struct config_reader *reader, bool loaded)
{
    if (loaded) {
        reader->fault->text[0] = '\0';
    }
    free(reader);
    return loaded;
}

const struct mount *config_mount(const struct config *config, const char *path)
{
    for (size_t i = 0; i < config->mount_count; i++) {
        if (strcmp(config->mounts[i].path, path) == 0) {
            return &config->mounts[i];
        }
    }
    return NULL;
}

bool config_usual_file(char path[CONFIG_PATH_MAX])
{
    static const char demo[] = "retoken-data";
    const char *home = getenv("RETOKEN_HOME");
    bool named = home != NULL && home[0] != '\0';

    if (!named && access(demo, F_OK) != 0 && access(CONFIG_SYSTEM_FOLDER, F_OK) == 0) {
        return text_copy(TEXT(CONFIG_SYSTEM), path, CONFIG_PATH_MAX);
    }
    return snprintf(path, CONFIG_PATH_MAX, "%s/retoken.conf", named ? home : demo) <
           CONFIG_PATH_MAX;
}

/* *optional when no file was named. */
static bool choose_file(const char *file, struct config *config, bool *optional)
{
    const char *named = file != NULL ? file : getenv("RETOKEN_CONFIG");

    *optional = named == NULL || named[0] == '\0';
    if (*optional) {
        return config_usual_file(config->file);
    }
    return text_copy(text_of(named), config->file, sizeof config->file);
}

/* ---- complaints ---- */

/* A very long name leaves no room for what is wrong in the file. */
static const char *shown_name(const char *file)
{
    const char *slash = strrchr(file, '/');

    return strlen(file) > 120 && slash != NULL ? slash + 1 : file;
}

bool config_complain(struct config_reader *reader, unsigned line, const char *format, ...)
{
    char text[sizeof reader->fault->text];
    va_list arguments;

    if (!reader->failed) {
        reader->failed = true;
        va_start(arguments, format);
        vsnprintf(text, sizeof text, format, arguments);
        va_end(arguments);
        fault_set(reader->fault, "%s:%u: %s", shown_name(reader->file), line, text);
    }
    return false;
}

bool config_complain_value(struct config_reader *reader, const struct config_line *line,
                           const char *wrong)
{
    struct text shown = reader->is_secret ? TEXT("…") : text_cut(line->value, 80);

    return config_complain(reader, line->number, "%.*s = %.*s: %s", TEXT_ARGS(line->name),
                           TEXT_ARGS(shown), wrong);
}

static bool fail_file(const char *file, struct fault *fault, const char *reason)
{
    fault_set(fault, "%s: %s", shown_name(file), reason);
    return false;
}

/* ---- the file ---- */

/* The folder of a file; empty for the current one. */
static struct text folder_of(const char *file)
{
    const char *slash = strrchr(file, '/');
    size_t size = slash == NULL ? 0 : slash == file ? 1 : (size_t)(slash - file);

    return (struct text){file, size};
}

static bool read_text(struct config_reader *reader, struct text contents)
{
    bool taken = config_lines_read(reader, contents) && config_take_general(reader) &&
                 config_take_hooks(reader) && config_take_dialects(reader) &&
                 config_take_realms(reader) && config_check_hooks(reader) &&
                 config_take_webhooks(reader) && finish_paths(reader) && config_check_store(reader);

    config_lines_free(reader);
    return taken;
}

static bool read_config(struct config_reader *reader, bool optional)
{
    struct config *config = reader->config;
    char *contents = NULL;
    size_t size = 0;
    bool absent = false;

    reader->directory = folder_of(config->file);
    if (!config_join((struct text){0}, reader->directory.size > 0 ? reader->directory : TEXT("."),
                     config->data, sizeof config->data)) {
        return fail_file(reader->file, reader->fault, "the path is too long");
    } else if (!config_read_file(reader->file, &contents, &size, &absent, reader->fault)) {
        if (!absent || !optional) {
            return false;
        }
        config->file[0] = '\0';
    }
    bool taken = read_text(reader, (struct text){contents, size});
    free(contents);
    return taken;
}

bool config_read_file(const char *file, char **contents, size_t *size, bool *absent,
                      struct fault *fault)
{
    int fd = open(file, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
    struct stat status;
    ssize_t got = 1;

    *absent = fd < 0 && errno == ENOENT;
    if (*absent) {
        return fail_file(file, fault, "there is no such file; " CONFIG_ELSEWHERE);
    } else if (fd < 0) {
        return fail_file(file, fault, strerror(errno));
    } else if (fstat(fd, &status) != 0 || !S_ISREG(status.st_mode)) {
        close(fd);
        return fail_file(file, fault, "not a file");
    } else if (!is_trusted(file, &status, fault)) {
        close(fd);
        return false;
    }
    char *bytes = malloc(CONFIG_FILE_MAX + 1);
    while (bytes != NULL && got > 0 && *size <= CONFIG_FILE_MAX) {
        got = read(fd, bytes + *size, CONFIG_FILE_MAX + 1 - *size);
        *size += got > 0 ? (size_t)got : 0;
    }
    int error = errno;
    close(fd);
    if (bytes != NULL && got >= 0 && *size <= CONFIG_FILE_MAX) {
        *contents = bytes;
        return true;
    }
    free(bytes);
    return fail_file(file, fault,
                     bytes == NULL ? strerror(ENOMEM)
                     : got < 0     ? strerror(error)
                                   : "larger than 256 KiB");
}

/* Who can write the configuration decides which store and which secret are used. Root reads those
 * of others: to find out whose installation it is (harden_act_as_owner). */
static bool is_trusted(const char *file, const struct stat *status, struct fault *fault)
{
    if (status->st_uid != geteuid() && status->st_uid != 0 && geteuid() != 0) {
        return fail_file(file, fault, "belongs to another user, neither to this one nor to root");
    } else if ((status->st_mode & (S_IWGRP | S_IWOTH)) != 0) {
        fault_set(fault, "%s: can be written by others: chmod go-w %s", file, file);
        return false;
    }
    return true;
}

static bool finish_paths(struct config_reader *reader)
{
    struct config *config = reader->config;
    struct text data = text_of(config->data);

    if ((config->secret_file[0] == '\0' &&
         !config_join(data, TEXT("secret"), config->secret_file, sizeof config->secret_file)) ||
        (config->store[0] == '\0' &&
         !store_url_default(config->data, config->store, sizeof config->store))) {
        fault_set(reader->fault, "data = %.80s…: the path is too long", config->data);
        return false;
    }
    return true;
}
