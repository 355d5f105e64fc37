/* SPDX-License-Identifier: ISC */
/* completion.h: what makes bash and zsh complete command lines of `retoken`, made from the table of
 * verbs and the table of options. Knows both shells; does not know what a verb does. */
#ifndef RETOKEN_ADMIN_COMPLETION_H
#define RETOKEN_ADMIN_COMPLETION_H

#include <stdio.h>

#include "admin/call.h"

/* The table of verbs; rows of one noun are together. `common`: the options of every verb. */
struct completion_table {
    const struct verb *verbs;
    size_t count;
    uint64_t common;
};

/* Prints a script for `bash` or `zsh`. False: another shell. */
bool completion_print(FILE *stream, const char *shell, const struct completion_table *table);

#endif
