/* SPDX-License-Identifier: ISC */
/* dialects.c: see dialects.h. */
#include "process/dialects.h"

#include <stdio.h>
#include <stdlib.h>

#include "process/dialect_file.h"

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

size_t dialects_count(void)
{
    return sizeof rows / sizeof rows[0];
}

const struct dialect *dialects_at(size_t index)
{
    return rows[index].dialect != NULL ? rows[index].dialect
                                       : read_file(find_file(text_of(rows[index].name)));
}

const char *dialects_name(size_t index)
{
    return rows[index].name;
}

bool dialects_is_file(size_t index)
{
    return rows[index].dialect == NULL;
}

/* A file in which the path is not written need not be read: plain CGI starts for each request. */
const struct dialect *dialects_with_path(struct text path, const struct endpoint **endpoint)
{
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        if (dialects_is_file(i) && !holds(find_file(text_of(rows[i].name)), path)) {
            continue;
        }
        *endpoint = dialect_endpoint_at(dialects_at(i), path);
        if (*endpoint != NULL) {
            return dialects_at(i);
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

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
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

/* A test reads all of them, so that only memory can be missing here; and nothing works without. */
static const struct dialect *read_file(const struct dialects_file *file)
{
    struct fault fault = {"it is not in the program"};
    char name[64] = "";
    const struct dialect *dialect = NULL;

    if (file != NULL) {
        (void)snprintf(name, sizeof name, "dialects/%s.dialect", file->name);
        dialect = dialect_file_take(text_of(file->name), name, file->text, &fault);
    }
    if (dialect == NULL) {
        (void)fprintf(stderr, "retoken: %s\n", fault.text);
        abort();
    }
    return dialect;
}
