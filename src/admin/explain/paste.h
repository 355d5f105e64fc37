/* SPDX-License-Identifier: ISC */
/* paste.h: the token in what people paste: a header, a form, a whole answer, a line that a
 * mail program broke. Knows what is found round tokens; does not know whether they are good. */
#ifndef RETOKEN_ADMIN_EXPLAIN_PASTE_H
#define RETOKEN_ADMIN_EXPLAIN_PASTE_H

#include "base/arena.h"

/* Without white space at both ends, line breaks included. */
struct text explain_paste_trim(struct text pasted);

/* Takes one layer off *token: quotation marks, a header's name, "Bearer ", "refresh_token=", JSON,
 * braces, percent-encoding, white space in the middle, a comma after it. The words for it ("inside
 * quotation marks"); NULL: there is none, and *token is as it was. Terminates: what is left is
 * shorter each time. */
const char *explain_paste_peel(struct arena *arena, struct text *token);

#endif
