/* SPDX-License-Identifier: ISC */
/* library.h: a shared library that is loaded at its first use: a process that does not use it
 * starts as quickly as if there were no such library. Knows dlopen; does not know what the library
 * does. */
#ifndef RETOKEN_BASE_LIBRARY_H
#define RETOKEN_BASE_LIBRARY_H

#include <stdbool.h>
#include <stddef.h>

#include "base/fault.h"

struct library_symbol {
    const char *name;
    size_t offset; /* of the pointer to the function in the caller's table */
};

struct library_file {
    const char *file;    /* "libcurl.so.4" */
    const char *package; /* of Debian */
    const struct library_symbol *symbols;
    size_t count;
};

/* Can this program load a library at all? A static one cannot. */
bool library_can_load(void);

/* Loads the library, for as long as the process lives, and fills `table`. False: *fault says what
 * to install. */
bool library_load(const struct library_file *library, void *table, struct fault *fault);

#endif
