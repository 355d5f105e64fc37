/* SPDX-License-Identifier: ISC */
/* valgrind.h: whether the test runs under valgrind, which cannot do all that a kernel does. */
#ifndef RETOKEN_TESTS_BASE_VALGRIND_H
#define RETOKEN_TESTS_BASE_VALGRIND_H

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

/* By the library that it preloads into its clients. */
static inline bool is_under_valgrind(void)
{
    const char *preloaded = getenv("LD_PRELOAD");

    return preloaded != NULL && strstr(preloaded, "vgpreload") != NULL;
}

#endif
