/* SPDX-License-Identifier: ISC */
/* processors.h: how many of them there are for this process. */
#ifndef RETOKEN_BASE_PROCESSORS_H
#define RETOKEN_BASE_PROCESSORS_H

#include <stddef.h>

/* Those that this process may use; at least 1. */
size_t processors_count(void);

#endif
