/* SPDX-License-Identifier: ISC */
/* init_next.h: the commands that follow `retoken init`. */
#ifndef RETOKEN_ADMIN_INIT_NEXT_H
#define RETOKEN_ADMIN_INIT_NEXT_H

#include "admin/call.h"

/* Prints them. The service is open, and its configuration is in `path`. */
void init_next(struct call *call, const char *path);

#endif
