/* SPDX-License-Identifier: ISC */
/* signing_weak.h: HS256 secrets that protect nothing, because they are published or can be guessed.
 * Does not know where the secret comes from. */
#ifndef RETOKEN_TOKEN_SIGNING_WEAK_H
#define RETOKEN_TOKEN_SIGNING_WEAK_H

#include "base/fault.h"
#include "base/text.h"

/* True: *fault says why, without the secret. */
bool signing_weak_secret(struct text secret, struct fault *fault);

#endif
