/* SPDX-License-Identifier: ISC */
/* own.h: what of a recording belongs to one user or one request, by its looks: tokens, identifiers,
 * addresses. None of it may get into what is shown or kept. Knows no place and no name. */
#ifndef RETOKEN_ADMIN_LEARN_OWN_H
#define RETOKEN_ADMIN_LEARN_OWN_H

#include "base/text.h"

/* Could it be a token: long enough, and one word? */
bool own_is_token(struct text value);
/* Could it be a token, and is it no word? */
bool own_is_opaque(struct text value);
/* Is it like a token or an identifier, and unlike words: then it is nobody else's. */
bool own_is_unique(struct text value);
/* Has the text something of the kind, or an address, between spaces and other signs? *at is where
 * that begins, and *size how long it is; each may be NULL. */
bool own_in_text(struct text text, size_t *at, size_t *size);

#endif
