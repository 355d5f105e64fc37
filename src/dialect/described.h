/* SPDX-License-Identifier: ISC */
/* described.h: a dialect that tables describe, instead of functions: where a request has each
 * value, and the templates of its answers. process/dialect_file.c makes the tables. Knows how they
 * are followed; does not know any name of a real dialect's. */
#ifndef RETOKEN_DIALECT_DESCRIBED_H
#define RETOKEN_DIALECT_DESCRIBED_H

#include "base/template.h"
#include "dialect/cookies.h"
#include "dialect/dialect.h"

enum {
    DESCRIBED_PLACES_MAX = 4,
    DESCRIBED_VALUES_MAX = 10,
    DESCRIBED_CONDITIONS_MAX = 4,
    DESCRIBED_CHOICES_MAX = 4,
    DESCRIBED_HEADERS_MAX = 6
};

/* Where a value may be. */
enum described_source {
    DESCRIBED_FORM,
    DESCRIBED_QUERY,
    DESCRIBED_JSON,
    DESCRIBED_HEADER,
    DESCRIBED_AUTHORIZATION,
    DESCRIBED_COOKIE, /* of the refresh token */
    DESCRIBED_METHOD  /* of a condition: HEAD is GET */
};

struct described_place {
    enum described_source source;
    const char *name;        /* the parameter, the header in lower case, or the scheme; else "" */
    const char *const *path; /* of JSON: the members on the way to it, ended by NULL */
};

/* What a value is for. */
enum described_role {
    DESCRIBED_REFRESH_TOKEN, /* where nothing is issued: whichever token is shown */
    DESCRIBED_ACCESS_TOKEN,
    DESCRIBED_USERNAME,
    DESCRIBED_PASSWORD,
    DESCRIBED_SCOPE,
    DESCRIBED_CLIENT_ID,
    DESCRIBED_CLIENT_SECRET,
    DESCRIBED_APPLICATION_KEY /* of the realm's auth-key-sha256 */
};
enum { DESCRIBED_ROLES = DESCRIBED_APPLICATION_KEY + 1 };

struct described_value {
    enum described_role role;
    bool optional;
    const char *label; /* in complaints: how its first place is called */
    struct described_place places[DESCRIBED_PLACES_MAX]; /* the first that has it counts */
    size_t place_count;
};

/* A place and the texts of which one must be there. Without texts: anything but null and "". */
struct described_condition {
    struct described_place place;
    bool optional; /* or nothing */
    struct text choices[DESCRIBED_CHOICES_MAX];
    size_t choice_count;
};

/* What may be wrong with a value that is asked for. */
enum described_state {
    DESCRIBED_GOOD,
    DESCRIBED_ABSENT,
    DESCRIBED_NULL,
    DESCRIBED_EMPTY,
    DESCRIBED_OTHER,    /* of another type */
    DESCRIBED_REPEATED, /* twice, or not to be decoded; complained of as OTHER */
    DESCRIBED_MEMBERS,  /* not of a value: there are other members than those that are read */
    DESCRIBED_ANY_STATE /* of a complaint: each that has none of its own */
};

/* A member of ${complaints}. */
struct described_complaint {
    const char *label; /* NULL: any value's */
    enum described_state state;
    const char *json; /* its value */
};

struct described_answer {
    int status;
    const char *media_type;
    const struct template *body; /* NULL = none */
    struct {
        const char *name;
        const struct template *value;
    } headers[DESCRIBED_HEADERS_MAX];
    size_t header_count;
    enum { DESCRIBED_COOKIES_KEPT, DESCRIBED_COOKIES_SET, DESCRIBED_COOKIES_CLEARED } cookies;
    struct cookie_names cookie_names; /* of those */
};

/* One kind of request at an endpoint. */
struct described_request {
    const char *name;
    const struct operation *operation;
    struct described_condition conditions[DESCRIBED_CONDITIONS_MAX]; /* all hold */
    size_t condition_count;
    struct described_value values[DESCRIBED_VALUES_MAX]; /* in the order in which they are asked for
                                                          */
    size_t value_count;
    bool needs_json;    /* without a JSON body it is malformed */
    bool only_members;  /* and no others */
    bool trims;         /* white space at the ends of values; of tokens it is always dropped */
    bool takes_numbers; /* a JSON number is its text */
    bool tells_absence; /* TOKEN_MISSING is any value that is absent and FIELD_MISSING one that is
                           no good, instead of the token and any other value */
    bool
        by_access_token; /* the access token that is shown says which session is renewed or ended */
    bool oauth_client;   /* the client proves itself as RFC 6749 has it */
    bool everywhere;     /* a logout: of all sessions of the account */
    bool silent;         /* a logout: a token of no live session is granted, too */
    const char *const *not_in_url; /* parameters that a query must not have, ended by NULL; or NULL
                                    */
    const struct described_complaint *complaints; /* ended by a row without json; or NULL */
    struct cookie_names cookies;
    struct described_answer answer;
    const struct wording *words;
};

struct described {
    const struct described_request *requests; /* the first whose conditions hold */
    size_t count;
};

/* What is at a place of the request: DESCRIBED_GOOD with *found, which may be empty. */
enum described_state described_look(const struct request *request,
                                    const struct described_place *place, struct text *found);

/* An endpoint's decode and encode, over endpoint->described. */
bool described_decode(struct request *request, enum outcome *refusal);
void described_encode(const struct request *request, enum outcome outcome,
                      struct http_response *response);

/* The settings of dialects with cookies, with a DESCRIBED_APPLICATION_KEY, and with both; and the
 * `advise` of all. */
extern const struct dialect_setting described_cookie_settings[];
extern const struct dialect_setting described_key_settings[];
extern const struct dialect_setting described_all_settings[];
const char *described_advise(const struct mount *mount);

/* What the templates of answers, and those of refusals, are filled from, and what with. */
struct described_told {
    const struct request *request;
    enum outcome outcome;
};
extern const struct template_names described_answer_names;
extern const struct template_names described_refusal_names;

/* The complaints about what `request` lacks, as a JSON object. False: no memory. */
bool described_complaints(const struct request *request, struct text *json);

#endif
