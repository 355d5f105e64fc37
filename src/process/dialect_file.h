/* SPDX-License-Identifier: ISC */
/* dialect_file.h: a dialect from the text of a file: [dialect], [endpoint NAME] and what else
 * retoken-dialect(5) has. Every wrong line is a fault that names file, line and what would be
 * right. Knows the tables of dialect/described.h; does not know where the text comes from. */
#ifndef RETOKEN_PROCESS_DIALECT_FILE_H
#define RETOKEN_PROCESS_DIALECT_FILE_H

#include "base/fault.h"
#include "base/text.h"
#include "dialect/dialect.h"

enum { DIALECT_NAME_MAX = 40 };

/* Letters, digits and hyphens, and no longer than DIALECT_NAME_MAX? */
bool dialect_file_is_name(struct text name);

/* The dialect `name` as the text says, in the arena; `file` is what complaints call it. NULL:
 * *fault. */
const struct dialect *dialect_file_read(struct text name, const char *file, struct text contents,
                                        struct arena *arena, struct fault *fault);

/* The same for as long as the process lives: the same name and text give the same one. Not for
 * several threads at once. */
const struct dialect *dialect_file_take(struct text name, const char *file, struct text contents,
                                        struct fault *fault);

#endif
