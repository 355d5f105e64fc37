/* SPDX-License-Identifier: ISC */
/* secrets_file.c: see secrets_file.h. */
#include "token/secrets_file.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/codec.h"
#include "base/date.h"
#include "base/private_file.h"
#include "base/secret.h"
#include "base/whole_file.h"

#define LABEL_KEY_ID "retoken 1 master key id"
#define RETIRED      "retired"

enum {
    DIGITS = 2 * SECRETS_MASTER_SIZE,
    LINE_MAX_SIZE = DIGITS + 1 + DATE_SIZE + sizeof RETIRED + 1,
    CONTENT_MAX = SECRETS_MOST * LINE_MAX_SIZE,
    DRAWS_MAX = 10000 /* one in four fits where there are most lines */
};

static bool read_lines(const char *path, struct text content, struct secrets_file *file,
                       struct fault *fault);
static bool read_line(struct text text, bool first, struct secrets_line *line);
static bool check_names(const char *path, struct secrets_file *file, struct fault *fault);
static const struct secrets_line *namesake(const struct secrets_file *file, size_t count,
                                           uint8_t key_id);

/* ---- reading ---- */

bool secrets_file_read(const char *path, bool passed, struct secrets_file *file,
                       struct fault *fault)
{
    char content[CONTENT_MAX + 1]; /* more, to notice a longer file */
    ssize_t size = (passed ? private_file_read_passed : private_file_read)(
        path, "the master secret", content, sizeof content, fault);
    bool good;

    memset(file, 0, sizeof *file);
    good = size >= 0 && read_lines(path, (struct text){content, (size_t)size}, file, fault) &&
           check_names(path, file, fault);
    secret_wipe(content, sizeof content);
    if (!good) {
        secret_wipe(file, sizeof *file);
    }
    return good;
}

static bool read_lines(const char *path, struct text content, struct secrets_file *file,
                       struct fault *fault)
{
    bool any = false;

    while (content.size > 0 || file->count == 0) {
        size_t end = text_find(content, '\n');
        struct secrets_line *line = &file->lines[file->count];

        if (file->count == SECRETS_MOST) {
            fault_set(fault, "%s: more than %d lines", path, (int)SECRETS_MOST);
            return false;
        } else if (end == content.size ||
                   !read_line(text_cut(content, end), file->count == 0, line)) {
            fault_set(fault,
                      "%s: line %zu: must be 64 hexadecimal digits%s, and a newline; put it back "
                      "as it was",
                      path, file->count + 1,
                      file->count == 0 ? ", behind them nothing or `" RETIRED "`"
                                       : ", a date as 2026-11-28T10:00:00Z, perhaps `" RETIRED "`");
            return false;
        }
        any = any || !line->retired;
        content = text_from(content, end + 1);
        file->count++;
    }
    if (!any) {
        fault_set(fault, "%s: every line is retired; take `" RETIRED "` away from the last", path);
    }
    return any;
}

/* The first is as old as the store. */
static bool read_line(struct text text, bool first, struct secrets_line *line)
{
    struct text digits = text_cut(text, DIGITS);
    struct text rest = text_from(text, DIGITS);

    if (!codec_hex_decode(digits, line->master, sizeof line->master)) {
        return false;
    } else if (!first && text_starts(rest, TEXT(" "))) {
        struct text words = text_from(rest, 1);
        struct text date = text_cut(words, text_find(words, ' '));

        rest = date_parse(date, &line->from_ms) ? text_from(words, date.size) : rest;
    }
    line->retired = text_is(rest, " " RETIRED);
    return rest.size == 0 || line->retired;
}

bool secrets_line_name(struct secrets_line *line)
{
    return crypto_derive(line->master, LABEL_KEY_ID, line->name);
}

static bool check_names(const char *path, struct secrets_file *file, struct fault *fault)
{
    for (size_t i = 0; i < file->count; i++) {
        struct secrets_line *line = &file->lines[i];
        const struct secrets_line *other;

        if (!secrets_line_name(line)) {
            fault_set(fault, "libcrypto cannot derive keys from the master secret");
            return false;
        }
        other = namesake(file, i, line->name[0]);
        if (other != NULL) {
            fault_set(fault,
                      "%s: line %zu: cannot be told from line %zu in tokens, as one in 256 cannot: "
                      "write other digits",
                      path, i + 1, (size_t)(other - file->lines) + 1);
            return false;
        }
    }
    return true;
}

/* Among the first `count` lines. The key id 0 is the first's besides, in the store. */
static const struct secrets_line *namesake(const struct secrets_file *file, size_t count,
                                           uint8_t key_id)
{
    for (size_t i = 0; i < count; i++) {
        if (file->lines[i].name[0] == key_id || key_id == 0) {
            return &file->lines[i];
        }
    }
    return NULL;
}

/* ---- writing ---- */

static size_t write_lines(const struct secrets_file *file, char content[CONTENT_MAX]);
static bool draw_line(const struct secrets_file *file, const struct randomness *randomness,
                      struct secrets_line *line);

bool secrets_file_create(const char *path, const struct randomness *randomness, struct fault *fault)
{
    struct secrets_file file = {.count = 0};
    char content[CONTENT_MAX];
    enum whole_file_result result = WHOLE_FILE_FAULT;

    if (!draw_line(&file, randomness, &file.lines[0])) {
        fault_set(fault, "%s: no randomness for the master secret", path);
    } else {
        file.count = 1;
        result = whole_file_create(path, (struct text){content, write_lines(&file, content)}, 0600,
                                   fault);
        secret_wipe(content, sizeof content);
    }
    secret_wipe(&file, sizeof file);
    if (result == WHOLE_FILE_EXISTS) {
        fault_set(fault, "%s: a master secret is there already", path);
    }
    return result == WHOLE_FILE_DONE;
}

static bool draw_line(const struct secrets_file *file, const struct randomness *randomness,
                      struct secrets_line *line)
{
    for (int draws = 0; draws < DRAWS_MAX; draws++) {
        if (!randomness_fill(randomness, line->master, sizeof line->master) ||
            !secrets_line_name(line)) {
            return false;
        } else if (namesake(file, file->count, line->name[0]) == NULL) {
            return true;
        }
    }
    return false;
}

/* What it is now, and under the folder's lock, so that two changes at a time are both made. */
struct change {
    char path[PATH_MAX];
    struct whole_file whole;
    struct secrets_file file;
};

static bool begin_change(struct change *change, const char *path, struct fault *fault);
static bool end_change(struct change *change, bool wanted, struct fault *fault);

bool secrets_file_add(const char *path, int64_t from_ms, const struct randomness *randomness,
                      uint8_t *key_id, struct fault *fault)
{
    struct change change;
    struct secrets_file *file = &change.file;
    bool added = false;

    if (!begin_change(&change, path, fault)) {
        return false;
    } else if (file->count == SECRETS_MOST) {
        fault_set(fault,
                  "%s: has %d lines, the most there can be: remove one that has long been retired, "
                  "but not the first",
                  path, (int)SECRETS_MOST);
    } else if (!draw_line(file, randomness, &file->lines[file->count])) {
        fault_set(fault, "%s: no randomness for the master secret", path);
    } else {
        file->lines[file->count].from_ms = from_ms;
        *key_id = file->lines[file->count].name[0];
        file->count++;
        added = true;
    }
    return end_change(&change, added, fault);
}

bool secrets_file_retire(const char *path, uint8_t key_id, int64_t now_ms, struct fault *fault)
{
    struct change change;
    struct secrets_line *line = NULL, *current = NULL;

    if (!begin_change(&change, path, fault)) {
        return false;
    }
    for (size_t i = 0; i < change.file.count; i++) {
        struct secrets_line *here = &change.file.lines[i];

        line = here->name[0] == key_id ? here : line;
        current = !here->retired && here->from_ms <= now_ms ? here : current;
    }
    if (line == NULL) {
        fault_set(fault, "%s: no line has the id %02x", path, key_id);
    } else if (line == current || current == NULL) {
        fault_set(fault, "%s: tokens are made under %02x", path, key_id);
        line = NULL;
    } else {
        line->retired = true;
    }
    return end_change(&change, line != NULL, fault);
}

/* False with *fault: nothing is to be ended. */
static bool begin_change(struct change *change, const char *path, struct fault *fault)
{
    struct stat status;

    if (realpath(path, change->path) == NULL || stat(change->path, &status) != 0) {
        fault_set(fault, "%s: %s", path, strerror(errno));
        return false;
    } else if (!whole_file_open(&change->whole, change->path, status.st_mode & 07777, fault)) {
        return false;
    } else if (!secrets_file_read(change->path, false, &change->file, fault)) {
        whole_file_drop(&change->whole);
        return false;
    }
    return true;
}

/* Writes it if that is wanted. */
static bool end_change(struct change *change, bool wanted, struct fault *fault)
{
    char content[CONTENT_MAX];
    size_t size = write_lines(&change->file, content);
    bool written = wanted && whole_file_put(&change->whole, content, size);

    if (wanted && !written) {
        fault_set(fault, "cannot write %s: %s", change->path, strerror(errno));
    }
    secret_wipe(content, sizeof content);
    secret_wipe(&change->file, sizeof change->file);
    if (!written) {
        whole_file_drop(&change->whole);
        return false;
    }
    return whole_file_finish(&change->whole, true, fault) == WHOLE_FILE_DONE;
}

/* Returns the size. */
static size_t write_lines(const struct secrets_file *file, char content[CONTENT_MAX])
{
    size_t size = 0;

    for (size_t i = 0; i < file->count; i++) {
        const struct secrets_line *line = &file->lines[i];

        codec_hex_encode(line->master, sizeof line->master, content + size);
        size += DIGITS;
        if (line->from_ms != 0) {
            content[size++] = ' ';
            date_format(line->from_ms, content + size);
            size += strlen(content + size);
        }
        if (line->retired) {
            memcpy(content + size, " " RETIRED, sizeof RETIRED);
            size += sizeof RETIRED;
        }
        content[size++] = '\n';
    }
    return size;
}
