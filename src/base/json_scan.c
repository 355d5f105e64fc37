/* SPDX-License-Identifier: ISC */
/* json_scan.c: see json_scan.h. */
#include "base/json_scan.h"

static bool scan_string(struct json_scan *scan);
static bool is_space(char c);
static bool in_object(const struct json_scan *scan);
static char look(const struct json_scan *scan);

void json_scan_start(struct json_scan *scan, struct text source)
{
    *scan = (struct json_scan){.source = source};
}

static void skip(struct json_scan *scan, bool commas)
{
    while (is_space(look(scan)) || (commas && look(scan) == ',')) {
        scan->at++;
    }
}

static enum json_scan_kind fail(struct json_scan *scan, struct json_scan_value *value)
{
    scan->at = scan->source.size;
    scan->depth = JSON_SCAN_DEPTH_MAX; /* and so it stays */
    return value->kind = JSON_SCAN_BAD;
}

enum json_scan_kind json_scan_next(struct json_scan *scan, struct json_scan_value *value)
{
    *value = (struct json_scan_value){.kind = JSON_SCAN_END};
    skip(scan, true);
    if (scan->at == scan->source.size) {
        return scan->depth == 0 ? JSON_SCAN_END : fail(scan, value);
    } else if (in_object(scan) && look(scan) == '"') {
        size_t start = scan->at;

        if (!scan_string(scan)) {
            return fail(scan, value);
        }
        value->name = text_from(text_cut(scan->source, scan->at - 1), start + 1);
        skip(scan, false);
        if (look(scan) != ':') {
            return fail(scan, value);
        }
        scan->at++;
        skip(scan, false);
    }
    char c = look(scan);
    value->start = scan->at;
    value->depth = scan->depth;
    if (c == '{' || c == '[') {
        if (scan->depth == JSON_SCAN_DEPTH_MAX) {
            return fail(scan, value);
        }
        scan->brackets[scan->depth++] = c;
        scan->at++;
        value->kind = JSON_SCAN_OPEN;
        value->is_array = c == '[';
    } else if (c == '}' || c == ']') {
        if (scan->depth == 0 || scan->brackets[scan->depth - 1] != (c == '}' ? '{' : '[')) {
            return fail(scan, value);
        }
        value->depth = --scan->depth;
        scan->at++;
        value->kind = JSON_SCAN_CLOSE;
    } else if (c == '"') {
        value->kind = JSON_SCAN_STRING;
        if (!scan_string(scan)) {
            return fail(scan, value);
        }
    } else {
        value->kind = JSON_SCAN_OTHER;
        while (scan->at < scan->source.size && !is_space(look(scan)) &&
               memchr(",:{}[]\"", look(scan), 7) == NULL) {
            scan->at++;
        }
        if (scan->at == value->start) {
            return fail(scan, value);
        }
    }
    value->end = scan->at;
    return value->kind;
}

bool json_scan_whole(struct json_scan *scan, const struct json_scan_value *open, struct text *whole)
{
    struct json_scan_value value;

    while (json_scan_next(scan, &value) != JSON_SCAN_BAD && value.kind != JSON_SCAN_END) {
        if (value.kind == JSON_SCAN_CLOSE && value.depth == open->depth) {
            *whole = text_from(text_cut(scan->source, value.end), open->start);
            return true;
        }
    }
    return false;
}

/* Up to behind its last quotation mark. */
static bool scan_string(struct json_scan *scan)
{
    struct text source = scan->source;

    for (scan->at++; scan->at < source.size; scan->at++) {
        if (source.data[scan->at] == '\\') {
            scan->at++;
        } else if (source.data[scan->at] == '"') {
            scan->at++;
            return true;
        }
    }
    scan->at = source.size;
    return false;
}

static bool is_space(char c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

static bool in_object(const struct json_scan *scan)
{
    return scan->depth > 0 && scan->depth <= JSON_SCAN_DEPTH_MAX &&
           scan->brackets[scan->depth - 1] == '{';
}

/* NUL at the end. */
static char look(const struct json_scan *scan)
{
    return scan->at < scan->source.size ? scan->source.data[scan->at] : '\0';
}
