/* SPDX-License-Identifier: ISC */
/* lines.c: reading line by line, and progress. Does not know what a line says. */
#include "admin/lines.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/secret.h"

enum { PROGRESS_US = 100 * 1000, BUFFER_SIZE = 4 * LINES_LINE_MAX };

static bool fill(struct lines *lines, struct fault *fault);
static bool take(struct lines *lines, struct text *line);
static void pass_over(struct lines *lines);

/* ---- reading ---- */

bool lines_open(struct lines *lines, const char *path, struct fault *fault)
{
    bool is_stdin = path == NULL || strcmp(path, "-") == 0;
    struct stat stat;

    *lines = (struct lines){.name = is_stdin ? "standard input" : path,
                            .is_terminal = isatty(STDERR_FILENO) == 1};
    lines->file = is_stdin ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
    if (lines->file < 0) {
        fault_set(fault, "%s: %s", path, strerror(errno));
        return false;
    }
    if (fstat(lines->file, &stat) == 0 && S_ISREG(stat.st_mode)) {
        lines->size = (uint64_t)stat.st_size;
    }
    lines->buffer = malloc(BUFFER_SIZE);
    if (lines->buffer == NULL) {
        fault_set(fault, "out of memory");
        lines_close(lines);
        return false;
    }
    return true;
}

void lines_close(struct lines *lines)
{
    lines_progress_end(lines);
    if (lines->buffer != NULL) {
        secret_wipe(lines->buffer, BUFFER_SIZE);
        free(lines->buffer);
    }
    if (lines->file != STDIN_FILENO) {
        close(lines->file);
    }
}

enum lines_result lines_next(struct lines *lines, struct text *line, struct fault *fault)
{
    for (;;) {
        if (take(lines, line)) {
            lines->number++;
            *line = text_strip(*line);
            if (line->size > LINES_LINE_MAX) {
                lines_wrong(lines, lines->number, "a line of more than %d bytes", LINES_LINE_MAX);
            } else if (line->size > 0) {
                return LINES_ONE;
            }
        } else if (lines->ended) {
            return LINES_END;
        } else if (lines->end - lines->start == BUFFER_SIZE) {
            pass_over(lines);
        } else if (!fill(lines, fault)) {
            return LINES_FAULT;
        }
    }
}

/* A whole line of the buffer; the last one needs no line end. */
static bool take(struct lines *lines, struct text *line)
{
    struct text rest = {lines->buffer + lines->start, lines->end - lines->start};
    size_t size = text_find(rest, '\n');

    if (size == rest.size && (!lines->ended || size == 0)) {
        return false;
    }
    *line = text_cut(rest, size);
    lines->start += size < rest.size ? size + 1 : size;
    return true;
}

/* Forgets a line that is too long, but for as much as makes it too long when its end comes. */
static void pass_over(struct lines *lines)
{
    memset(lines->buffer, 'x', LINES_LINE_MAX + 1);
    lines->start = 0;
    lines->end = LINES_LINE_MAX + 1;
}

static bool fill(struct lines *lines, struct fault *fault)
{
    ssize_t got;

    memmove(lines->buffer, lines->buffer + lines->start, lines->end - lines->start);
    lines->end -= lines->start;
    lines->start = 0;
    do {
        got = read(lines->file, lines->buffer + lines->end, BUFFER_SIZE - lines->end);
    } while (got < 0 && errno == EINTR);
    if (got < 0) {
        fault_set(fault, "%s: %s", lines->name, strerror(errno));
        return false;
    }
    lines->ended = got == 0;
    lines->end += (size_t)got;
    lines->read += (uint64_t)got;
    return true;
}

/* ---- telling ---- */

void lines_wrong(struct lines *lines, uint64_t number, const char *format, ...)
{
    va_list arguments;

    lines_progress_end(lines);
    lines->wrong++;
    fprintf(stderr, "%s:%" PRIu64 ": ", lines->name, number);
    va_start(arguments, format);
    vfprintf(stderr, format, arguments);
    va_end(arguments);
    fputc('\n', stderr);
}

void lines_progress(struct lines *lines, uint64_t done, const char *what)
{
    int64_t now_us = clock_stopwatch_us();

    if (!lines->is_terminal || now_us - lines->told_us < PROGRESS_US) {
        return;
    }
    lines->told_us = now_us;
    lines->shows = true;
    fprintf(stderr, "\r%" PRIu64 " %s", done, what);
    if (lines->size > 0) {
        uint64_t used = lines->read - (lines->end - lines->start);

        fprintf(stderr, ", %d %%", (int)(100.0 * (double)used / (double)lines->size));
    }
    fputs("\033[K", stderr);
}

void lines_progress_end(struct lines *lines)
{
    if (lines->shows) {
        fputs("\r\033[K", stderr);
        lines->shows = false;
    }
}
