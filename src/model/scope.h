/* SPDX-License-Identifier: ISC */
/* scope.h: scopes (RFC 6749 section 3.3): words whose order means nothing. One canonical form: each
 * word once, one space between them, none at the ends. Knows no word. */
#ifndef RETOKEN_MODEL_SCOPE_H
#define RETOKEN_MODEL_SCOPE_H

#include "base/text.h"

/* The canonical form of what is to be granted, its words in the order given, written to `out`,
 * which has words.size bytes. An empty one is allowed: some servers grant it. The time is
 * quadratic, so `words` is bounded before. False: a word has other characters than RFC 6749 lets it
 * have. */
bool scope_canonical(struct text words, char *out, struct text *scope);

/* Is every word of `asked` among those of `granted`? */
bool scope_covers(struct text granted, struct text asked);
/* The words of `granted` that are in `asked`: a canonical scope where `granted` is one. Written to
 * `out`, which has granted.size bytes. */
struct text scope_common(struct text granted, struct text asked, char *out);

#endif
