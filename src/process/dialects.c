/* SPDX-License-Identifier: ISC */
/* dialects.c: see dialects.h. */
#include "process/dialects.h"

#include <stdio.h>

#include "process/dialect_file.h"

static struct fault failure;

static const struct dialect *read_file(const struct dialects_file *file);
static const struct dialects_file *find_file(struct text name);
static bool holds(const struct dialects_file *file, struct text path);

/* Without a descriptor: a file. */
static const struct {
    const char *name;
    const struct dialect *dialect;
} rows[] = {
#define DIALECT(name)   {#name, &name##_dialect},
#define DESCRIBED(name) {#name, NULL},
    DIALECT_ROWS
#undef DIALECT
#undef DESCRIBED
};

enum { ROWS = sizeof rows / sizeof rows[0] };

size_t dialects_count(void)
{
    return ROWS;
}

static bool has_row(const struct dialects_file *file)
{
    for (size_t i = 0; i < ROWS; i++) {
        if (strcmp(rows[i].name, file->name) == 0) {
            return true;
        }
    }
    return false;
}

size_t dialects_total(void)
{
    size_t total = ROWS;

    for (size_t i = 0; i < dialects_file_count; i++) {
        total += !has_row(&dialects_files[i]);
    }
    return total;
}

/* NULL: a dialect in C. */
static const struct dialects_file *file_at(size_t index)
{
    size_t at = ROWS;

    if (index < ROWS) {
        return rows[index].dialect != NULL ? NULL : find_file(text_of(rows[index].name));
    }
    for (size_t i = 0; i < dialects_file_count; i++) {
        if (!has_row(&dialects_files[i]) && at++ == index) {
            return &dialects_files[i];
        }
    }
    return NULL;
}

const struct dialect *dialects_at(size_t index)
{
    return index < ROWS && rows[index].dialect != NULL ? rows[index].dialect
                                                       : read_file(file_at(index));
}

const char *dialects_name(size_t index)
{
    return index < ROWS ? rows[index].name : file_at(index)->name;
}

bool dialects_is_file(size_t index)
{
    return index >= ROWS || rows[index].dialect == NULL;
}

/* A file in which the path is not written need not be read: plain CGI starts for each request. */
const struct dialect *dialects_with_path(struct text path, const struct endpoint **endpoint)
{
    for (size_t i = 0; i < ROWS; i++) {
        if (dialects_is_file(i) && !holds(find_file(text_of(rows[i].name)), path)) {
            continue;
        }
        const struct dialect *dialect = dialects_at(i);
        *endpoint = dialect != NULL ? dialect_endpoint_at(dialect, path) : NULL;
        if (*endpoint != NULL) {
            return dialect;
        }
    }
    return NULL;
}

static bool holds(const struct dialects_file *file, struct text path)
{
    return file != NULL && path.size > 0 &&
           memmem(file->text.data, file->text.size, path.data, path.size) != NULL;
}

const struct dialect *dialects_find(struct text name)
{
    const struct dialects_file *file = find_file(name);

    for (size_t i = 0; i < ROWS; i++) {
        if (rows[i].dialect != NULL && text_is(name, rows[i].name)) {
            return rows[i].dialect;
        }
    }
    return file != NULL ? read_file(file) : NULL;
}

static const struct dialects_file *find_file(struct text name)
{
    for (size_t i = 0; i < dialects_file_count; i++) {
        if (text_is(name, dialects_files[i].name)) {
            return &dialects_files[i];
        }
    }
    return NULL;
}

/* A test reads all of them, so that only memory can be missing here. */
static const struct dialect *read_file(const struct dialects_file *file)
{
    char name[DIALECT_NAME_MAX + sizeof "dialects/.dialect"];

    (void)snprintf(name, sizeof name, "dialects/%s.dialect", file->name);
    return dialect_file_take(text_of(file->name), name, file->text, &failure);
}

const struct fault *dialects_failure(void)
{
    return failure.text[0] != '\0' ? &failure : NULL;
}
