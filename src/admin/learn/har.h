/* SPDX-License-Identifier: ISC */
/* har.h: a HAR file (HTTP Archive 1.2), as browsers save what they have recorded: the refresh
 * in it, and the login, the logout and other requests of the kind where it has them, granted and
 * refused. Knows the format; what an exchange is about, sort.h does. */
#ifndef RETOKEN_ADMIN_LEARN_HAR_H
#define RETOKEN_ADMIN_LEARN_HAR_H

#include "admin/learn/learn.h"

enum { LEARN_HAR_MAX = 12 * 1024 * 1024 };

/* Fills *input with the last exchange of each kind. What cannot be read of the file's other
 * exchanges is passed over, and said in input->unsaid, which is started. False: *fault. */
bool learn_har_read(struct arena *arena, struct text har, struct learn_input *input,
                    struct fault *fault);

#endif
