/* SPDX-License-Identifier: ISC */
/* golden.h: reading and writing the files under golden/, and the visible spelling of an answer.
 * Knows files and bytes; does not know dialects. */
#ifndef RETOKEN_TESTS_DIALECT_GOLDEN_H
#define RETOKEN_TESTS_DIALECT_GOLDEN_H

#include "base/arena.h"
#include "base/buffer.h"

/* RETOKEN_GOLDEN_WRITE is set: answers are written instead of compared. */
bool golden_is_writing(void);
/* Whole file, or false when it cannot be read. */
bool golden_read(struct arena *arena, const char *folder, const char *name, const char *ending,
                 struct text *text);
/* Fails the test when the file is missing or differs from `actual`; writes it when writing. */
void golden_check(struct arena *arena, const char *folder, const char *name, const char *ending,
                  struct text actual);

/* Names of the cases of a folder (NAME.request), sorted. */
enum { GOLDEN_CASES_MAX = 1024, GOLDEN_NAME_MAX = 64 };
size_t golden_cases(const char *folder, const char *ending,
                    char names[GOLDEN_CASES_MAX][GOLDEN_NAME_MAX]);

/* CRLF as a line end, other control bytes as escapes. */
void golden_show(struct buffer *buffer, struct text bytes);

#endif
