/* SPDX-License-Identifier: ISC */
/* dialect_reader.h: what the files dialect_*.c share while the file of a dialect is read. Private
 * to them; what comes out is a struct dialect. */
#ifndef RETOKEN_PROCESS_DIALECT_READER_H
#define RETOKEN_PROCESS_DIALECT_READER_H

#include "dialect/described.h"
#include "process/config_reader.h"

#define DIALECT_OPERATIONS "refresh, login, logout, verify or validate"

enum { DIALECT_ENDPOINTS_MAX = 16, DIALECT_REQUESTS_MAX = 32, DIALECT_ROWS_MAX = 256 };

/* A request while it is read, and which sections said so. */
struct dialect_request {
    const struct config_section *section;
    struct text name; /* of the request, or else of the endpoint */
    size_t endpoint;
    struct described_request request;
    bool has_operation, has_answer;
};

struct dialect_endpoint {
    const struct config_section *section;
    struct endpoint endpoint;
    bool needs_json;
};

/* One row of a [refusals] section. */
struct dialect_refusal {
    struct text scope; /* an endpoint, a request or an operation; "" = all */
    struct wording wording;
};

struct dialect_reader {
    struct config_reader lines; /* sections, and complaints */
    struct arena *arena;        /* of what stays */
    struct arena *scratch;      /* of what is only looked at */
    struct dialect *dialect;
    struct layout *layout;

    /* [dialect] */
    struct realm realm; /* its policy, issuer and audience */
    unsigned style;     /* enum json_style */
    struct text media_type;
    bool trims;
    bool takes_numbers;
    bool tells_absence;
    unsigned rotation_line; /* 0 = not said */
    unsigned format_line;
    bool keyed; /* a request may show an application's key */
    struct cookie_names cookies;

    struct dialect_endpoint endpoints[DIALECT_ENDPOINTS_MAX];
    size_t endpoint_count;
    struct dialect_request requests[DIALECT_REQUESTS_MAX];
    size_t request_count;
    struct dialect_refusal refusals[DIALECT_ROWS_MAX];
    size_t refusal_count;
};

/* False: a complaint that memory is used up. */
bool dialect_no_memory(struct dialect_reader *reader);
/* In the memory that stays. NULL: a complaint. */
const char *dialect_keep(struct dialect_reader *reader, struct text text);
/* The number of one of the words that `choices` are, ended by NULL; -1 with a complaint. */
int dialect_choose(struct dialect_reader *reader, const struct config_line *line,
                   const char *const *choices, const char *expected);
/* "plain", "php", … into enum json_style. False: a complaint. */
bool dialect_take_style(struct dialect_reader *reader, const struct config_line *line,
                        unsigned *style);
/* A line that comes once in its section? False: a complaint. */
bool dialect_is_single(struct dialect_reader *reader, const struct config_section *section,
                       const struct config_line *line);

/* ---- dialect_endpoints.c ---- */

/* Takes an [endpoint NAME], which may be one request itself. False: a complaint. */
bool dialect_take_endpoint(struct dialect_reader *reader, const struct config_section *section);
/* Takes a [request ENDPOINT NAME]; the endpoints have been taken. False: a complaint. */
bool dialect_take_request(struct dialect_reader *reader, const struct config_section *section);

/* ---- dialect_values.c: where values are ---- */

/* Takes a line of a request that says where a value is: "refresh-token = json token". *taken: it is
 * one. False: a complaint. */
bool dialect_take_value(struct dialect_reader *reader, struct described_request *request,
                        const struct config_line *line, bool *taken);
/* Is it of the form or the JSON body? Then *place becomes the member, and *form the field. */
bool dialect_split_either(struct described_place *place, struct described_place *form);
/* Takes `when = SOURCE NAME is TEXT, …`. False: a complaint. */
bool dialect_take_conditions(struct dialect_reader *reader, struct described_request *request,
                             const struct config_line *line);
/* The words of a line, ended by NULL, in the memory that stays. NULL: a complaint. */
const char *const *dialect_keep_words(struct dialect_reader *reader,
                                      const struct config_line *line);

/* ---- dialect_answers.c: grants, and what refusals have in common with them ---- */

/* Takes the lines `answer` and answer.… of a section. *taken: there are some. False: a complaint.
 */
bool dialect_take_answer(struct dialect_reader *reader, const struct config_section *section,
                         struct described_answer *answer, bool *taken);
/* Is it one of those lines? */
bool dialect_is_answer(struct text name);
/* Is it WORD, or WORD.detail? */
bool dialect_split_name(struct text name, struct text word, struct text *detail);
/* The line WORD.detail of a section; NULL = there is none. */
const struct config_line *dialect_find_detail(const struct config_section *section,
                                              struct text word, const char *detail);
/* All lines of that name, with line breaks between them. False: a complaint. */
bool dialect_gather(struct dialect_reader *reader, const struct config_section *section,
                    struct text name, struct text *whole);
/* "401 {…}": cuts the status off. False: a complaint. */
bool dialect_take_status(struct dialect_reader *reader, const struct config_line *line,
                         struct text *whole, int *status);
/* Is the line's value one media type? False: a complaint. */
bool dialect_check_type(struct dialect_reader *reader, const struct config_line *line);
/* The media type that the line says, or the usual one where it is NULL. False: a complaint. */
bool dialect_take_type(struct dialect_reader *reader, const struct config_line *line,
                       const char **media_type);
/* The name of a header that is neither one of Retoken's own nor an order to servers. False: a
 * complaint. */
bool dialect_take_header(struct dialect_reader *reader, const struct config_line *line,
                         struct text name, const char **kept);
/* A template for that media type. NULL: a complaint. */
const struct template *dialect_compile(struct dialect_reader *reader,
                                       const struct config_line *line, struct arena *arena,
                                       struct text source, struct text media_type, unsigned style,
                                       const struct template_names *names);

/* ---- dialect_refusals.c ---- */

/* Takes a [refusals …] section. False: a complaint. */
bool dialect_take_refusals(struct dialect_reader *reader, const struct config_section *section);
/* Takes a [complaints …] section into the requests that it is about. False: a complaint. */
bool dialect_take_complaints(struct dialect_reader *reader, const struct config_section *section);
/* The rows that a request's refusals are worded by, in their order. NULL: a complaint. */
const struct wording *dialect_words(struct dialect_reader *reader,
                                    const struct dialect_request *request);
/* Does a section about `scope` speak of the request? */
bool dialect_is_about(const struct dialect_reader *reader, const struct dialect_request *request,
                      struct text scope);

/* ---- dialect_tokens.c: the JWTs ---- */

/* Takes [access-token] or [refresh-token]. False: a complaint. */
bool dialect_take_token(struct dialect_reader *reader, const struct config_section *section);
/* What holds where the file has none. False: a complaint. */
bool dialect_finish_tokens(struct dialect_reader *reader);

/* ---- dialect_checks.c ---- */

/* Is it all there, and does it go together? False: a complaint. */
bool dialect_check(struct dialect_reader *reader);

#endif
