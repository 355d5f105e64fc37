/* SPDX-License-Identifier: ISC */
/* side.h: what the files learn*.c share while a file is proposed: the sides of what was
 * recorded, a refresh and perhaps others, and how lines are written. Private to them. */
#ifndef RETOKEN_ADMIN_LEARN_SIDE_H
#define RETOKEN_ADMIN_LEARN_SIDE_H

#include "admin/learn/learn.h"
#include "admin/learn/template.h"

/* A text of an answer that could be a token, wherever it is. */
struct learn_found {
    struct text name, value;
    enum { FOUND_NOWHERE, FOUND_BODY, FOUND_HEADER, FOUND_COOKIE } where;
};

/* What an exchange says. */
struct learn_side {
    const struct learn_exchange *exchange;
    enum learn_what what;
    struct learn_places places;
    struct learn_values values; /* of the answer's body; none where that is no JSON object */
    bool is_object;
    const struct learn_place *refresh, *access_shown, *username, *password;
    struct learn_found access, next;
    bool refresh_named; /* `refresh` is where learning->names has it */
    bool login_named;   /* … and `username` or `password` */
};

struct learning {
    struct arena *arena;
    struct fault *fault;
    struct learn_input *input;
    const struct learn_names *names;       /* NULL = none are known */
    struct learn_side *sides[LEARN_WHATS]; /* NULL = none; a refresh there is */
    struct learn_facts facts;
    struct text header, payload;                 /* of the access token; "" = it is no JWT */
    struct text refresh_header, refresh_payload; /* of the refresh token */
    const char *refresh_cookie, *access_cookie;  /* their names; NULL = none */
    bool rotates;
    struct buffer *out;
};

/* ---- side.c ---- */

/* Finds the tokens in an exchange. False: *learning->fault, which may be NULL. An answer whose body
 * is no JSON object is none of these, and *learning->fault says why it is not. */
bool learn_side_look(struct learning *learning, const struct learn_exchange *exchange,
                     enum learn_what what, struct learn_side **side);
/* The same, and false where a refresh or a login lacks a token. */
bool learn_side_read(struct learning *learning, const struct learn_exchange *exchange,
                     enum learn_what what, struct learn_side **side);
/* The name of the cookie that the refresh token is in, or the access token, in the request or in
 * the answer, where it may be twice. NULL: none. */
const char *learn_side_cookie(const struct learning *learning, const struct learn_side *side,
                              bool refresh);
/* What the tokens of the refresh say of themselves, and the login of the account. */
void learn_side_facts(struct learning *learning);
/* A member that is a whole number; 0 = none. */
int64_t learn_integer(const json_t *object, const char *name);

/* ---- learn.c ---- */

/* Appends "# guessed: …". */
void learn_guess(struct buffer *out, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* Appends NAME = VALUE, a line for each of the value's and quotation marks where they are wanted;
 * nothing for an empty one. What cannot be written down makes the buffer fail. */
void learn_setting(struct learning *learning, const char *name, struct text value);
/* Can it be written down so? */
bool learn_can_be_set(struct text value);

/* ---- unsaid.c ---- */

/* learn_unsaid, as a comment of the file as well. */
void learn_cannot_say(struct learning *learning, const struct learn_exchange *exchange,
                      const char *format, ...) __attribute__((format(printf, 3, 4)));
/* Has the path something of one user: a number, a UUID, an address, a token? */
bool learn_has_own_path(struct text path);

/* ---- endpoint.c ---- */

/* Appends the sections of endpoints. False: *fault. */
bool learn_endpoints(struct learning *learning);

/* ---- answer.c ---- */

/* Appends the lines of one answer. False: *fault. */
bool learn_answer(struct learning *learning, const struct learn_side *side);

/* ---- headers.c ---- */

/* Appends LINE.header.NAME for each header of the answer that is the backend's own and the same in
 * all that was recorded, but for no more than `room`. What is left out is said where `say`. */
void learn_headers(struct learning *learning, const struct learn_exchange *exchange,
                   const char *line, size_t room, bool say);
/* Have both answers the same headers of that kind? */
bool learn_headers_alike(const struct learning *learning, const struct learn_exchange *one,
                         const struct learn_exchange *other);

/* ---- refusals.c ---- */

/* Appends the sections of refusals. False: *fault. */
bool learn_refusals(struct learning *learning);
/* Does a text repeat a secret or a name of the side's request, or tell a time? */
bool learn_is_of_one_request(const struct learning *learning, const struct learn_side *side,
                             struct text text);
/* Does a value of a refusal's body? */
bool learn_is_of_one_refusal(struct learning *learning, const struct learn_refusal *refusal,
                             const struct learn_value *value);

/* ---- shape.c ---- */

/* The body of a refusal of that status and error with the members of those that were recorded, and
 * one of those. NULL: none was, or their members differ. */
const struct learn_refusal *learn_shape(struct learning *learning, int status, const char *error,
                                        struct text *body);

#endif
