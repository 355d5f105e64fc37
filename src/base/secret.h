/* SPDX-License-Identifier: ISC */
/* secret.h: compares and wipes what must not leak. Does not know what makes it secret. */
#ifndef RETOKEN_BASE_SECRET_H
#define RETOKEN_BASE_SECRET_H

#include <stdbool.h>
#include <stddef.h>

#include "base/text.h"

/* Compare in a time that depends on the sizes only, which are not secret. */
bool secret_equal(const void *a, const void *b, size_t size);
bool secret_text_equal(struct text a, struct text b);
/* Overwrites `size` bytes; the optimiser does not remove it. data may be NULL when size is 0. */
void secret_wipe(void *data, size_t size);

/* Keeps what lives as long as the process out of swap and core files, as far as RLIMIT_MEMLOCK
 * lets it: with the pages it is in, so what else is in them is kept, too. */
void secret_keep(void *data, size_t size);

#endif
