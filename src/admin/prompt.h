/* SPDX-License-Identifier: ISC */
/* prompt.h: reading what must not be on a command line: from a terminal with echo off, from
 * standard input, or from a file. Knows where secrets come from; does not know what they open. */
#ifndef RETOKEN_ADMIN_PROMPT_H
#define RETOKEN_ADMIN_PROMPT_H

#include <stdbool.h>
#include <stddef.h>

#include "base/fault.h"

/* All of a file ("-" is standard input), at most room - 1 bytes, with a NUL after them. False with
 * *fault; what was read is wiped then. */
bool prompt_file(const char *path, char *out, size_t room, size_t *size, struct fault *fault);

/* The first line of a file, without its line end; false also when it is empty or holds a NUL. */
bool prompt_line(const char *path, char *out, size_t room, size_t *size, struct fault *fault);

/* Is standard input a terminal? */
bool prompt_is_terminal(void);

/* Asks twice on the terminal, echo off. False with *fault: no terminal, empty, the two differ. A
 * signal that ends the program finds the terminal as it was. */
bool prompt_twice(const char *what, char *out, size_t room, size_t *size, struct fault *fault);

#endif
