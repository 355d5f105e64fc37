/* SPDX-License-Identifier: ISC */
/* learn.h: the file of a dialect, proposed from recorded exchanges. Every guess is marked by a
 * comment. Knows how backends usually name things; does not know where recordings come from. */
#ifndef RETOKEN_ADMIN_LEARN_H
#define RETOKEN_ADMIN_LEARN_H

#include "admin/learn_values.h"

struct learn_exchange {
    struct http_recording request, answer;
};

/* What was recorded of one backend. */
struct learn_input {
    const struct learn_exchange *refresh; /* answered with success */
    const struct learn_exchange *login;   /* NULL = none */
    const struct http_recording *refusal; /* of a refresh token that is no good; NULL = none */
};

/* Appends the file. False: *fault says what the recordings lack. */
bool learn_dialect(const struct learn_input *input, struct arena *arena, struct buffer *out,
                   struct fault *fault);

/* Does the exchange look like a refresh, or like a login, that was granted? */
bool learn_is_refresh(const struct learn_exchange *exchange, struct arena *arena);
bool learn_is_login(const struct learn_exchange *exchange, struct arena *arena);
/* Is it a refresh that was refused, at that path? */
bool learn_is_refused(const struct learn_exchange *exchange, struct text path, struct arena *arena);

#endif
