/* SPDX-License-Identifier: ISC */
/* confine.h: what a responder gives up once it has been started, so that a fault in a library below
 * us stays in the process: system calls that it never makes, and all files but the store's (or what
 * a connection to its server reads), the log's and the secret's. Knows Linux (seccomp and
 * Landlock); does not know requests. */
#ifndef RETOKEN_PROCESS_CONFINE_H
#define RETOKEN_PROCESS_CONFINE_H

#include <stdbool.h>
#include <stddef.h>

#include "process/config.h"

struct confinement {
    bool calls; /* a filter of system calls */
    bool files; /* Landlock */
};

/* What this kernel has, changing nothing. */
struct confinement confine_offer(void);
/* "system calls and files" and the like. */
const char *confine_words(struct confinement confinement);

/* Confines the process, as far as the kernel can and RETOKEN_CONFINE lets it: `off`, or `calls` for
 * system calls only. Files only when `config` is given, because the store is open: what is open is
 * not affected, and later, only what that configuration names can be opened. `socket` is the path
 * of a Unix socket that is removed at the end, or NULL. Call it before a thread is started. A
 * forbidden call fails with EPERM, and the first is logged: a process that ended there would log
 * out all who use it. Returns what is confined now; less than confine_offer has been logged. */
struct confinement confine_process(const struct config *config, const char *socket);

#endif
