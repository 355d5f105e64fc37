/* SPDX-License-Identifier: ISC */
/* lines.h: a file of records, one a line, however many: read in bounded memory, each line with its
 * number, and what a person sees meanwhile. Does not know what a line says. */
#ifndef RETOKEN_ADMIN_LINES_H
#define RETOKEN_ADMIN_LINES_H

#include <stdbool.h>
#include <stdint.h>

#include "base/fault.h"
#include "base/text.h"

enum { LINES_LINE_MAX = 64 * 1024 };

struct lines {
    const char *name; /* for messages: "users.jsonl", "standard input" */
    uint64_t number;  /* of the line that was read last, from 1 on */
    uint64_t wrong;   /* how many were told to be wrong */

    /* lines.c's own */
    int file;
    bool ended, is_terminal;
    bool shows;      /* progress is on the terminal's last line */
    int64_t told_us; /* when it was shown last */
    uint64_t size;   /* of the file in bytes; 0 = not known */
    uint64_t read;   /* bytes of it */
    char *buffer;
    size_t start, end; /* what of the buffer is not yet used */
};

/* Opens the file; "-" or NULL is standard input. `path` is kept. False with *fault; then there is
 * nothing to close. */
bool lines_open(struct lines *lines, const char *path, struct fault *fault);
/* Closes it, and wipes what was read: a line may hold secrets. */
void lines_close(struct lines *lines);

/* The next line that is not blank, without white space around it. It lives until the next call. A
 * line of more than LINES_LINE_MAX bytes is told to be wrong and passed over. */
enum lines_result { LINES_ONE, LINES_END, LINES_FAULT };
enum lines_result lines_next(struct lines *lines, struct text *line, struct fault *fault);

/* Says on standard error what is wrong with that line ("FILE:12: …"), and counts it. */
void lines_wrong(struct lines *lines, uint64_t number, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* Shows a person at a terminal how far it is, ten times a second at most. `what`: "sessions". */
void lines_progress(struct lines *lines, uint64_t done, const char *what);
/* Clears that, before anything else is printed. */
void lines_progress_end(struct lines *lines);

#endif
