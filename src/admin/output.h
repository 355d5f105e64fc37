/* SPDX-License-Identifier: ISC */
/* output.h: what a verb prints, once as aligned text for people and once as JSON for scripts, from
 * the same columns. Knows how facts are written down; does not know what they mean. */
#ifndef RETOKEN_ADMIN_OUTPUT_H
#define RETOKEN_ADMIN_OUTPUT_H

#include <stdio.h>

#include "base/date.h"
#include "base/json.h"

enum column_kind {
    COLUMN_TEXT,   /* text; JSON string, null when empty */
    COLUMN_WORDS,  /* space-separated; JSON array of strings */
    COLUMN_NUMBER, /* JSON number */
    COLUMN_FLAG,   /* yes or no; JSON true or false */
    COLUMN_TIME,   /* ms since 1970; "2025-11-20T11:04:00Z, 12 s ago"; JSON string, null for 0 */
    COLUMN_SIZE,   /* bytes: "64 MiB"; JSON number */
    COLUMN_JSON    /* text that is JSON already; the same JSON, null when empty */
};

struct column {
    const char *key;   /* in JSON */
    const char *title; /* for people */
    enum column_kind kind;
    bool detail; /* left out of a list for people; `show` and JSON have it */
};

struct cell {
    struct text text;
    int64_t number; /* NUMBER, FLAG, TIME, SIZE */
};
#define CELL_TEXT(t)   ((struct cell){.text = (t)})
#define CELL_NUMBER(n) ((struct cell){.number = (int64_t)(n)})

enum { OUTPUT_COLUMNS_MAX = 20, OUTPUT_PAGE_ROWS = 256 };

struct output {
    FILE *stream;
    bool json;
    bool failed; /* out of memory, or the stream broke */
    int64_t now_ms;
    struct arena *arena; /* what is being written; reset at each flush */
    struct buffer buffer;
    struct json_out out; /* into buffer */
    const struct column *columns;
    size_t column_count;
    size_t widths[OUTPUT_COLUMNS_MAX];
    struct text *cells; /* the page of a table for people */
    size_t rows;
    size_t pages;
};

/* False: out of memory. */
bool output_open(struct output *output, FILE *stream, bool json, int64_t now_ms);
/* Writes what waits. False when anything was lost. */
bool output_close(struct output *output);

/* A table row by row, however long: JSON array, or aligned columns under titles (aligned within a
 * page of OUTPUT_PAGE_ROWS; widths never shrink). `none` is said to people when there was no row.
 */
void output_table_start(struct output *output, const struct column *columns, size_t count);
void output_row(struct output *output, const struct cell *cells);
void output_table_end(struct output *output, const char *none);

/* One thing, all columns: JSON object, or a line `title  value` each. */
void output_record(struct output *output, const struct column *columns, size_t count,
                   const struct cell *cells);
/* For people only: the lines, indented. */
void output_lines(struct output *output, const struct column *columns, size_t count,
                  const struct cell *cells, const char *indent);
/* For scripts only: `"key":value,…` without braces, for a caller that adds members of its own to
 * output->out between output_json_open and output_json_close. */
void output_members(struct output *output, const struct column *columns, size_t count,
                    const struct cell *cells);

/* A sentence for people; nothing in JSON. */
void output_say(struct output *output, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
/* Ends a JSON value that was written into output->out by hand. */
void output_json_end(struct output *output);

/* "2025-11-20T11:04:00Z" */
enum { OUTPUT_TIME_SIZE = DATE_SIZE };
void output_time(int64_t ms, char out[OUTPUT_TIME_SIZE]);
/* "12 s", "5 min", "3 h", "29 d": the largest unit of which there are two, rounded down. */
void output_span(int64_t ms, char out[OUTPUT_TIME_SIZE]);
/* "12 s ago", "in 29 d", "now" */
void output_relative(int64_t at_ms, int64_t now_ms, char out[OUTPUT_TIME_SIZE]);
/* "64 MiB", "1.5 GiB", "512 B" */
void output_size(int64_t bytes, char out[OUTPUT_TIME_SIZE]);

#endif
