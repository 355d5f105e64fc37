/* SPDX-License-Identifier: ISC */
/* learn_har.h: a HAR file (HTTP Archive 1.2), as browsers save what they have recorded: the refresh
 * in it, and the login and the refused refresh where it has them. Knows the format; which exchange
 * is which, learn.h does. */
#ifndef RETOKEN_ADMIN_LEARN_HAR_H
#define RETOKEN_ADMIN_LEARN_HAR_H

#include "admin/learn.h"

enum { LEARN_HAR_MAX = 12 * 1024 * 1024 };

/* Fills *input with the last exchange of each kind. What cannot be read of the file's other
 * exchanges is passed over. False: *fault. */
bool learn_har_read(struct arena *arena, struct text har, struct learn_input *input,
                    struct fault *fault);

#endif
