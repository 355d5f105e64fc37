/* SPDX-License-Identifier: ISC */
/* tell_parts.h: the parts of what dialect_tell says, each in a file of its own. Private to
 * dialect_tell*.c. */
#ifndef RETOKEN_ADMIN_DIALECT_TELL_PARTS_H
#define RETOKEN_ADMIN_DIALECT_TELL_PARTS_H

#include "admin/dialect/tell.h"

/* ---- tell_answer.c ---- */

void dialect_tell_answer(const struct described_answer *answer, struct buffer *out);
/* In the order in which they count: single outcomes before their class. */
void dialect_tell_refusals(const struct wording *words, struct buffer *out);
/* `rows` NULL: none. */
void dialect_tell_complaints(const struct described_complaint *rows, struct buffer *out);
/* Each member of the JSON that it makes on a line, or its text. */
void dialect_tell_template(const struct template *template, struct buffer *out);
/* What a name of a template means; NULL: it is a claim's. */
const char *dialect_tell_meaning(struct text name);
/* How strings are escaped, where that is not plain. */
void dialect_tell_style(unsigned style, struct buffer *out);

/* ---- tell_policy.c ---- */

void dialect_tell_policy(const struct policy *policy, struct buffer *out);

#endif
