/* SPDX-License-Identifier: ISC */
/* spelled.h: a request as a described endpoint reads it: each value at its place, whichever file
 * describes it. Knows places; does not know what is asked or answered. */
#ifndef RETOKEN_TESTS_RESPONDER_SPELLED_H
#define RETOKEN_TESTS_RESPONDER_SPELLED_H

#include "dialect/described.h"

/* How a value is written. */
enum spelling {
    SPELLED_TEXT, /* as the place wants it: a JSON string, percent-encoded, … */
    SPELLED_RAW   /* in JSON and forms: these bytes */
};

struct spelled {
    const struct endpoint *endpoint;
    const struct described_request *described;
    size_t variation; /* which of its places each value is at: the last one where it has fewer */
    struct text condition; /* at the places of its conditions; no data: what they ask for */
    struct {
        struct text text; /* no data: the value is left out */
        enum spelling spelling;
        bool in_url; /* as a parameter of the URL, whatever its place */
    } values[DESCRIBED_ROLES];
};

/* The place of `value` in that variation. */
const struct described_place *spelled_place(const struct spelled *spelled,
                                            const struct described_value *value);

/* The request, in the arena. False: the variation has values both in JSON and in a form. */
bool spelled_request(const struct spelled *spelled, struct arena *arena,
                     struct http_request *request);

#endif
