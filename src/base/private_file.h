/* SPDX-License-Identifier: ISC */
/* private_file.h: reads a small file that holds a secret. Knows whose it may be and who may read
 * it; does not know what it holds. */
#ifndef RETOKEN_BASE_PRIVATE_FILE_H
#define RETOKEN_BASE_PRIVATE_FILE_H

#include <stddef.h>
#include <sys/types.h>

#include "base/fault.h"

/* Reads a regular file that belongs to this process's user and that only they can read or write
 * (0600 or 0400), into room. `what` names it in the fault ("the master secret"). Returns its size,
 * which the caller wipes; -1 with *fault: not such a file, or it has more than `size` bytes. */
ssize_t private_file_read(const char *path, const char *what, char *room, size_t size,
                          struct fault *fault);
/* The same for a file that a service manager passes to this process (systemd.exec(5), CREDENTIALS):
 * it may belong to root, who lets this user read it by an access control list, which shows in the
 * mode as what the group may do. */
ssize_t private_file_read_passed(const char *path, const char *what, char *room, size_t size,
                                 struct fault *fault);

#endif
