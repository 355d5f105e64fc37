/* SPDX-License-Identifier: ISC */
/* json_scan.h: where the values of a JSON text stand, without reading them: for text that is kept
 * byte by byte, or that is too large to be parsed as a whole. Accepts more than JSON;
 * json_in_object is the gate for what is to be trusted. Does not know any key. */
#ifndef RETOKEN_BASE_JSON_SCAN_H
#define RETOKEN_BASE_JSON_SCAN_H

#include "base/text.h"

enum { JSON_SCAN_DEPTH_MAX = 32 };

struct json_scan {
    struct text source;
    size_t at;
    size_t depth;
    char brackets[JSON_SCAN_DEPTH_MAX];
};

enum json_scan_kind {
    JSON_SCAN_OPEN,   /* an object or array begins */
    JSON_SCAN_CLOSE,  /* … ends; `end` is behind its bracket */
    JSON_SCAN_STRING, /* from its first quotation mark to its last */
    JSON_SCAN_OTHER,  /* a number, true, false or null */
    JSON_SCAN_END,    /* nothing follows */
    JSON_SCAN_BAD     /* not JSON, or nested too deeply */
};

struct json_scan_value {
    enum json_scan_kind kind;
    struct text name;  /* of a member, as it is written between its quotation marks; "" = none */
    bool is_array;     /* of OPEN */
    size_t start, end; /* in the source */
    size_t depth;      /* how many are open round it */
};

/* Starts before the first value; the text outlives the scan. */
void json_scan_start(struct json_scan *scan, struct text source);
/* The next value, or the next end. After END or BAD it stays there. */
enum json_scan_kind json_scan_next(struct json_scan *scan, struct json_scan_value *value);
/* All of the object or array that `open` begins, behind which the scan then stands. False: it has
 * no end. */
bool json_scan_whole(struct json_scan *scan, const struct json_scan_value *open,
                     struct text *whole);

#endif
