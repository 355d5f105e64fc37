/* SPDX-License-Identifier: ISC */
/* template.h: a recorded JSON text as a template: what changes from answer to answer becomes
 * a place, all other bytes stay. Knows which names and values mean what; does not know the file
 * that it becomes part of. */
#ifndef RETOKEN_ADMIN_LEARN_TEMPLATE_H
#define RETOKEN_ADMIN_LEARN_TEMPLATE_H

#include "admin/learn/values.h"
#include "base/json.h"

/* What is known of the tokens and the account. */
struct learn_facts {
    struct text access;                /* the answer's access token; "" = none */
    struct text next;                  /* its refresh token */
    int64_t issued_at_s, expires_at_s; /* of the access token, where it is a JWT; else 0 */
    struct text subject, username;     /* "" = not known */
    struct text issuer, audience;
    int64_t user_number;               /* that an access token has; 0 = none */
    bool scope_asked;                  /* a login has a scope, or none is known */
    bool names_session;                /* an access token does */
    const json_t *shown;               /* the payload of the token that was shown, where nothing is
                                          issued; NULL = it is no JWT */
    const struct learn_values *other;  /* another answer or token of the kind; NULL = none */
    const struct learn_values *answer; /* with what is looked at, or with its token; NULL = none */
};

/* What is said of a template: guesses as lines "# guessed: …", and lines "what it is\tPATH" for
 * members of which it cannot say that. */
struct learn_said {
    struct buffer guesses, unsaid;
};

/* The template of an answer, or of a JWT's payload. *said is started. False: no memory. */
bool learn_template_answer(const struct learn_values *values, const struct learn_facts *facts,
                           struct arena *arena, struct learn_said *said, struct text *template);
bool learn_template_payload(const struct learn_values *values, const struct learn_facts *facts,
                            bool refresh, struct arena *arena, struct learn_said *said,
                            struct text *template);

/* "plain", "slash", "ascii" or "php"; NULL where the text shows nothing. */
const char *learn_template_style(struct text json);

/* The text with $${ for each ${. False: no memory. */
bool learn_template_escape(struct arena *arena, struct text text, struct text *escaped);

#endif
