/* SPDX-License-Identifier: ISC */
/* program.h: the file of this program. Knows its folder; does not know what else is there. */
#ifndef RETOKEN_PROCESS_PROGRAM_H
#define RETOKEN_PROCESS_PROGRAM_H

#include <limits.h>
#include <stdbool.h>

/* The path of `name` in this program's folder, and whether there is such a file. False: there is
 * none, or the path cannot be told. */
bool program_beside(const char *name, char path[PATH_MAX]);
/* Is that file, which is there, this program itself? */
bool program_is(const char *path);

#endif
