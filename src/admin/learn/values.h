/* SPDX-License-Identifier: ISC */
/* values.h: the values of a recording, each with its name and where it is. Knows JSON bodies,
 * forms, queries, headers and cookies; does not know what a value means. */
#ifndef RETOKEN_ADMIN_LEARN_VALUES_H
#define RETOKEN_ADMIN_LEARN_VALUES_H

#include "admin/learn/own.h"
#include "base/fault.h"
#include "dialect/described.h"
#include "http/recording.h"

enum { LEARN_VALUES_MAX = 128 };

enum learn_kind { LEARN_STRING, LEARN_NUMBER, LEARN_OTHER, LEARN_WORDS };

/* One value of a JSON text. */
struct learn_value {
    enum learn_kind kind; /* WORDS: an array of strings that is such a list, as a whole */
    struct text path;     /* "data/token"; of what is in an array that of the array */
    struct text name;     /* its last part */
    struct text parent;   /* the name before that; "" = none */
    size_t start, end;    /* in the source */
    struct text text;     /* a string decoded, a number's digits; of WORDS separated by spaces */
    bool in_array;
};

struct learn_values {
    struct text source;
    struct learn_value rows[LEARN_VALUES_MAX];
    size_t count;
};

/* The values of a JSON object. False: *fault. */
bool learn_values_read(struct arena *arena, struct text source, struct learn_values *values,
                       struct fault *fault);

/* One value of a request, or a header of an answer. */
struct learn_place {
    enum described_source source;
    struct text spelled; /* as the file of a dialect spells it: "json /data/token" */
    struct text name;
    struct text value;
};

struct learn_places {
    struct learn_place rows[LEARN_VALUES_MAX];
    size_t count;
    bool has_json, has_form;
    struct fault no_json; /* why a body that is no form is no JSON object; "" = there is none */
};

/* The values of a request: of body, query, Authorization, cookies and the headers that a program
 * may have set. A body of another kind has none. False: *fault. */
bool learn_places_read(struct arena *arena, const struct http_recording *request,
                       struct learn_places *places, struct fault *fault);

/* Is that word in the name, whatever its case, hyphens and underscores? `word` is in lower case. */
bool learn_name_has(struct text name, const char *word);
/* Is it all of the name? */
bool learn_name_is(struct text name, const char *word);
/* Is it a scope, or a list of words of which Retoken knows what they are: a scope or roles? */
bool learn_name_is_scope(struct text name);
bool learn_name_is_list(struct text name);
/* Letters, digits, hyphens and underscores, as in the names of templates? */
bool learn_is_plain_name(struct text name);

#endif
