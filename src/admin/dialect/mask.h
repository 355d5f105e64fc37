/* SPDX-License-Identifier: ISC */
/* mask.h: a text of a recording without what changes from answer to answer, for comparing,
 * and without what nobody else should see, for showing. Knows how tokens and times look; compares
 * nothing. */
#ifndef RETOKEN_ADMIN_DIALECT_MASK_H
#define RETOKEN_ADMIN_DIALECT_MASK_H

#include "admin/learn/values.h"
#include "operation/request.h"

/* With a word instead of each token, JWT and point in time; `answer` has the tokens. */
struct text dialect_mask(struct arena *arena, const struct answer *answer, struct text text);

/* Without what the request had of its user, and what looks like anybody's. `places`: of that
 * request; NULL = they are not known. */
struct text dialect_mask_hide(struct arena *arena, const struct learn_places *places,
                              struct text text);

#endif
