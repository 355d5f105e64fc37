/* SPDX-License-Identifier: ISC */
/* learn_side.h: what the files learn*.c share while a file is proposed: the two sides of what was
 * recorded, a refresh and perhaps a login, and how lines are written. Private to them. */
#ifndef RETOKEN_ADMIN_LEARN_SIDE_H
#define RETOKEN_ADMIN_LEARN_SIDE_H

#include "admin/learn.h"
#include "admin/learn_template.h"

/* A text of an answer that could be a token, wherever it is. */
struct learn_found {
    struct text name, value;
    enum { FOUND_NOWHERE, FOUND_BODY, FOUND_HEADER, FOUND_COOKIE } where;
};

/* What an exchange says. */
struct learn_side {
    const struct learn_exchange *exchange;
    bool login;
    struct learn_places places;
    struct learn_values values; /* of the answer's body; none where that is empty */
    const struct learn_place *refresh, *access_shown, *username, *password;
    struct learn_found access, next;
};

struct learning {
    struct arena *arena;
    struct fault *fault;
    const struct learn_input *input;
    struct learn_side *refresh, *login; /* login NULL = none */
    struct learn_facts facts;
    struct text header, payload;                 /* of the access token; "" = it is no JWT */
    struct text refresh_header, refresh_payload; /* of the refresh token */
    bool rotates;
    struct buffer *out;
};

/* ---- learn_side.c ---- */

/* Finds the tokens in an exchange. False: *learning->fault, which may be NULL. */
bool learn_side_read(struct learning *learning, const struct learn_exchange *exchange, bool login,
                     struct learn_side **side);
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

/* ---- learn_endpoint.c ---- */

/* Appends the sections of endpoints. False: *fault. */
bool learn_endpoints(struct learning *learning);

#endif
