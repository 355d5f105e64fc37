/* secret.h: comparing and wiping what must not leak. */
#ifndef RETOKEN_BASE_SECRET_H
#define RETOKEN_BASE_SECRET_H

#include <stdbool.h>
#include <stddef.h>

#include "base/text.h"

/* Constant time in the contents for equal sizes; the sizes themselves are not secret. */
bool secret_equal(const void *a, const void *b, size_t size);
bool secret_text_equal(struct text a, struct text b);
/* Overwrites; not removed by the optimiser. */
void secret_wipe(void *data, size_t size);

#endif
