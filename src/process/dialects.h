/* SPDX-License-Identifier: ISC */
/* dialects.h: the dialects of this program: those in C, and those that the files in dialects/
 * describe, which are in the program as they are. Knows their names and order; does not know those
 * of a configuration's own files (config_realms.c). */
#ifndef RETOKEN_PROCESS_DIALECTS_H
#define RETOKEN_PROCESS_DIALECTS_H

#include "dialect/dialect.h"

/* All: first, up to dialects_count, those that have mounts without any configuration, in the order
 * in which messages name them; then, up to dialects_total, those that only a configuration mounts,
 * by name. A file is read when its dialect is first asked for: not by several threads at once.
 * NULL: there was no memory to read it (dialects_failure). */
size_t dialects_count(void);
size_t dialects_total(void);
const struct dialect *dialects_at(size_t index);
/* Its name; and is it a file's, which issues tokens? Neither reads the file. */
const char *dialects_name(size_t index);
bool dialects_is_file(size_t index);
/* Which of the first has its own endpoint at that path. NULL: none. */
const struct dialect *dialects_with_path(struct text path, const struct endpoint **endpoint);

/* Of all there are. NULL: none of that name. */
const struct dialect *dialects_find(struct text name);

/* Why the last file that could not be read could not be; NULL: there was none. Then a NULL above
 * means that. */
const struct fault *dialects_failure(void);

/* The files, by name: what dialects/NAME.dialect holds. NULL text: there is no such index. */
struct dialects_file {
    const char *name;
    struct text text;
};
extern const struct dialects_file dialects_files[];
extern const size_t dialects_file_count;

#endif
