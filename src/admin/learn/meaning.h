/* SPDX-License-Identifier: ISC */
/* meaning.h: what a recorded value most likely is: a token, a time, something of the account,
 * or the same for everyone. Knows how backends usually name things; does not know how a template is
 * written. Private to learn*.c. */
#ifndef RETOKEN_ADMIN_LEARN_MEANING_H
#define RETOKEN_ADMIN_LEARN_MEANING_H

#include "admin/learn/template.h"

struct learn_meaning {
    const char *name;   /* of the template; NULL = the value stays */
    bool account;       /* a claim of the account, by `name`, or else by the value's own */
    bool bare;          /* without quotation marks: null where it is not there */
    const char *why;    /* a guess; NULL = it is certain */
    const char *unsaid; /* what of it no template can say; NULL = nothing */
};

/* Of a value of an answer's body. */
struct learn_meaning learn_meaning_in_answer(const struct learn_value *value,
                                             const struct learn_facts *facts, struct arena *arena);
/* Of a claim of an access token, or of a refresh token. */
struct learn_meaning learn_meaning_in_payload(const struct learn_value *value,
                                              const struct learn_facts *facts, bool refresh);

#endif
