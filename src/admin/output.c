/* SPDX-License-Identifier: ISC */
/* output.c: tables, records and JSON from the same columns. Bounded memory: a table is written page
 * by page. Knows no domain. */
#include "admin/output.h"

#include <inttypes.h>
#include <stdarg.h>
#include <string.h>

#include "base/clock.h"

enum { ARENA_LIMIT = 32 * 1024 * 1024, SAY_MAX = 4096 };

static void flush(struct output *output);
static void page_start(struct output *output);
static void page_end(struct output *output);
static void page_line(struct output *output, const struct text *cells);
static void cell_json(struct output *output, const struct column *column, const struct cell *cell);
static struct text cell_text(struct output *output, const struct column *column,
                             const struct cell *cell);
static void add_padded(struct output *output, struct text t, size_t width);
static size_t width_of(struct text t);

bool output_open(struct output *output, FILE *stream, bool json, int64_t now_ms)
{
    *output = (struct output){.stream = stream, .json = json, .now_ms = now_ms};
    output->arena = arena_open(ARENA_LIMIT);
    if (output->arena == NULL) {
        return false;
    }
    buffer_start(&output->buffer, output->arena, 4096);
    output->out = json_out_start(&output->buffer, JSON_STYLE_PLAIN);
    return true;
}

bool output_close(struct output *output)
{
    flush(output);
    bool whole = fflush(output->stream) == 0 && !output->failed;
    arena_close(output->arena);
    output->arena = NULL;
    return whole;
}

/* Writes the buffer and starts a new one; JSON continues where it was. */
static void flush(struct output *output)
{
    struct text t;

    if (!buffer_finish(&output->buffer, &t) ||
        fwrite(t.data, 1, t.size, output->stream) != t.size) {
        output->failed = true;
    }
    arena_reset(output->arena);
    buffer_start(&output->buffer, output->arena, 4096);
}

void output_say(struct output *output, const char *format, ...)
{
    if (output->json) {
        return;
    }
    char line[SAY_MAX];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(line, sizeof line, format, arguments);
    va_end(arguments);
    buffer_add_c(&output->buffer, line);
    buffer_add_char(&output->buffer, '\n');
    flush(output);
}

void output_json_end(struct output *output)
{
    buffer_add_char(&output->buffer, '\n');
    flush(output);
    output->out = json_out_start(&output->buffer, JSON_STYLE_PLAIN);
}

/* ---- tables ---- */

void output_table_start(struct output *output, const struct column *columns, size_t count)
{
    output->columns = columns;
    output->column_count = count;
    output->pages = 0;
    if (output->json) {
        json_out_array_open(&output->out);
        return;
    }
    for (size_t i = 0; i < count; i++) {
        output->widths[i] = strlen(columns[i].title);
    }
    page_start(output);
}

void output_row(struct output *output, const struct cell *cells)
{
    if (output->json) {
        json_out_open(&output->out);
        output_members(output, output->columns, output->column_count, cells);
        json_out_close(&output->out);
        flush(output);
        return;
    }
    if (output->rows == OUTPUT_PAGE_ROWS) {
        page_end(output);
        page_start(output);
    }
    if (output->cells == NULL) {
        return;
    }
    for (size_t i = 0; i < output->column_count; i++) {
        struct text *slot = &output->cells[output->rows * output->column_count + i];

        if (!arena_copy(output->arena, cell_text(output, &output->columns[i], &cells[i]), slot)) {
            output->buffer.failed = true;
        }
    }
    output->rows++;
}

void output_table_end(struct output *output, const char *none)
{
    if (output->json) {
        json_out_array_close(&output->out);
        output_json_end(output);
    } else if (output->rows == 0 && output->pages == 0) {
        output_say(output, "%s", none);
    } else {
        page_end(output);
    }
}

static void page_start(struct output *output)
{
    output->rows = 0;
    output->cells =
        arena_alloc(output->arena, OUTPUT_PAGE_ROWS * output->column_count * sizeof *output->cells);
    output->buffer.failed |= output->cells == NULL;
}

static void page_end(struct output *output)
{
    for (size_t i = 0; i < output->rows * output->column_count; i++) {
        size_t width = width_of(output->cells[i]);
        size_t *column = &output->widths[i % output->column_count];

        *column = width > *column ? width : *column;
    }
    if (output->pages++ == 0) {
        struct text titles[OUTPUT_COLUMNS_MAX];

        for (size_t i = 0; i < output->column_count; i++) {
            titles[i] = text_of(output->columns[i].title);
        }
        page_line(output, titles);
    }
    for (size_t i = 0; i < output->rows; i++) {
        page_line(output, output->cells + i * output->column_count);
    }
    flush(output);
}

static void page_line(struct output *output, const struct text *cells)
{
    size_t last = output->column_count;

    while (last > 0 && output->columns[last - 1].detail) {
        last--;
    }
    for (size_t i = 0; i < last; i++) {
        if (!output->columns[i].detail) {
            add_padded(output, cells[i], i + 1 < last ? output->widths[i] + 2 : 0);
        }
    }
    buffer_add_char(&output->buffer, '\n');
}

/* ---- records ---- */

void output_record(struct output *output, const struct column *columns, size_t count,
                   const struct cell *cells)
{
    if (!output->json) {
        output_lines(output, columns, count, cells, "");
        return;
    }
    json_out_open(&output->out);
    output_members(output, columns, count, cells);
    json_out_close(&output->out);
    output_json_end(output);
}

void output_members(struct output *output, const struct column *columns, size_t count,
                    const struct cell *cells)
{
    for (size_t i = 0; i < count; i++) {
        json_out_key(&output->out, columns[i].key);
        cell_json(output, &columns[i], &cells[i]);
    }
}

void output_lines(struct output *output, const struct column *columns, size_t count,
                  const struct cell *cells, const char *indent)
{
    size_t width = 0;

    for (size_t i = 0; i < count; i++) {
        size_t title = strlen(columns[i].title);

        width = title > width ? title : width;
    }
    for (size_t i = 0; i < count && !output->json; i++) {
        buffer_add_c(&output->buffer, indent);
        add_padded(output, text_of(columns[i].title), width + 2);
        buffer_add(&output->buffer, cell_text(output, &columns[i], &cells[i]));
        buffer_add_char(&output->buffer, '\n');
    }
    if (!output->json) {
        flush(output);
    }
}

/* ---- one cell ---- */

static void cell_json(struct output *output, const struct column *column, const struct cell *cell)
{
    struct json_out *out = &output->out;
    char time_text[OUTPUT_TIME_SIZE];
    struct text rest = cell->text;

    switch (column->kind) {
    case COLUMN_TEXT:
        if (cell->text.size == 0) {
            json_out_null(out);
        } else {
            json_out_text(out, cell->text);
        }
        break;
    case COLUMN_WORDS:
        json_out_array_open(out);
        while (rest.size > 0) {
            struct text word = text_split(&rest, ' ');

            if (word.size > 0) {
                json_out_text(out, word);
            }
        }
        json_out_array_close(out);
        break;
    case COLUMN_NUMBER:
    case COLUMN_SIZE:
        json_out_int(out, cell->number);
        break;
    case COLUMN_FLAG:
        json_out_bool(out, cell->number != 0);
        break;
    case COLUMN_TIME:
        if (cell->number == 0) {
            json_out_null(out);
        } else {
            output_time(cell->number, time_text);
            json_out_text(out, text_of(time_text));
        }
        break;
    case COLUMN_JSON: {
        json_t *value =
            cell->text.size > 0 ? json_in_object(output->arena, cell->text, NULL) : NULL;

        if (value == NULL) {
            json_out_null(out);
        } else {
            json_out_value(out, value);
        }
        break;
    }
    }
}

/* What people see; lives in the output's arena, or is the cell's own. */
static struct text cell_text(struct output *output, const struct column *column,
                             const struct cell *cell)
{
    struct text nothing = TEXT("-");
    char out[2 * OUTPUT_TIME_SIZE + 2];
    char at[OUTPUT_TIME_SIZE];
    char relative[OUTPUT_TIME_SIZE];

    switch (column->kind) {
    case COLUMN_TEXT:
    case COLUMN_WORDS:
    case COLUMN_JSON:
        return cell->text.size > 0 ? cell->text : nothing;
    case COLUMN_FLAG:
        return cell->number != 0 ? TEXT("yes") : TEXT("no");
    case COLUMN_NUMBER:
        snprintf(out, sizeof out, "%" PRId64, cell->number);
        break;
    case COLUMN_SIZE:
        output_size(cell->number, out);
        break;
    case COLUMN_TIME:
        if (cell->number == 0) {
            return nothing;
        }
        output_time(cell->number, at);
        output_relative(cell->number, output->now_ms, relative);
        snprintf(out, sizeof out, "%s, %s", at, relative);
        break;
    }
    struct text copy = {0};
    if (!arena_copy(output->arena, text_of(out), &copy)) {
        output->buffer.failed = true;
    }
    return copy;
}

static void add_padded(struct output *output, struct text t, size_t width)
{
    buffer_add(&output->buffer, t);
    for (size_t w = width_of(t); w < width; w++) {
        buffer_add_char(&output->buffer, ' ');
    }
}

/* Columns a terminal shows for it: UTF-8 continuation bytes take none. */
static size_t width_of(struct text t)
{
    size_t width = 0;

    for (size_t i = 0; i < t.size; i++) {
        width += ((unsigned char)t.data[i] & 0xc0) != 0x80;
    }
    return width;
}

/* ---- times and sizes ---- */

void output_time(int64_t ms, char out[OUTPUT_TIME_SIZE])
{
    date_format(ms, out);
}

void output_relative(int64_t at_ms, int64_t now_ms, char out[OUTPUT_TIME_SIZE])
{
    char span[OUTPUT_TIME_SIZE];
    int64_t away = at_ms >= now_ms ? at_ms - now_ms : now_ms - at_ms;

    if (away < CLOCK_SECOND) {
        snprintf(out, OUTPUT_TIME_SIZE, "now");
        return;
    }
    output_span(away, span);
    snprintf(out, OUTPUT_TIME_SIZE, at_ms > now_ms ? "in %.24s" : "%.24s ago", span);
}

void output_span(int64_t ms, char out[OUTPUT_TIME_SIZE])
{
    static const struct {
        int64_t ms;
        const char *name;
    } units[] = {{CLOCK_DAY, "d"}, {CLOCK_HOUR, "h"}, {CLOCK_MINUTE, "min"}};
    for (size_t i = 0; i < sizeof units / sizeof units[0]; i++) {
        if (ms >= 2 * units[i].ms) {
            snprintf(out, OUTPUT_TIME_SIZE, "%" PRId64 " %s", ms / units[i].ms, units[i].name);
            return;
        }
    }
    snprintf(out, OUTPUT_TIME_SIZE, "%" PRId64 " s", ms / CLOCK_SECOND);
}

void output_size(int64_t bytes, char out[OUTPUT_TIME_SIZE])
{
    static const char *const units[] = {"KiB", "MiB", "GiB", "TiB"};

    if (bytes < 1024) {
        snprintf(out, OUTPUT_TIME_SIZE, "%" PRId64 " B", bytes);
        return;
    }
    double value = (double)bytes / 1024;
    size_t unit = 0;
    while (value >= 1024 && unit + 1 < sizeof units / sizeof units[0]) {
        value /= 1024;
        unit++;
    }
    bool whole = value >= 100 || value == (double)(int64_t)value;
    snprintf(out, OUTPUT_TIME_SIZE, whole ? "%.0f %s" : "%.1f %s", value, units[unit]);
}
