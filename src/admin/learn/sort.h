/* SPDX-License-Identifier: ISC */
/* sort.h: what a recorded exchange is about, by its names and by what its answer has. Knows
 * one exchange at a time; does not know the file that they come from. */
#ifndef RETOKEN_ADMIN_LEARN_SORT_H
#define RETOKEN_ADMIN_LEARN_SORT_H

#include "admin/learn/learn.h"

struct learn_sorted {
    enum learn_what what;
    struct text shown, next; /* of a refresh: its token, and the one in the answer; "" = none */
    const char *cookie;      /* that has the refresh token; NULL = none */
    bool may_leave;          /* nothing, but it shows a refresh token and may be a logout */
    const char *unsaid; /* why it is nothing, though it looks like something; NULL = it does not
                           look so */
};

/* An exchange that was granted. `names` are those that are known. */
void learn_sort(const struct learn_exchange *exchange, const struct learn_names *names,
                struct arena *arena, struct learn_sorted *sorted);

/* An exchange that was refused, where a login or something else was granted at the same path: was
 * it the login? */
bool learn_sort_is_login(const struct learn_exchange *exchange, const struct learn_names *names,
                         struct arena *arena);
/* The line of [refusals] that it is; *shown is the refresh token, or whichever token. */
const char *learn_sort_refusal(const struct learn_exchange *exchange, enum learn_what what,
                               const struct learn_names *names, struct arena *arena,
                               struct text *shown);

#endif
