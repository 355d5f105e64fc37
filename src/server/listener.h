/* SPDX-License-Identifier: ISC */
/* listener.h: the socket that FastCGI connections come in by: one that we open, or one that a web
 * server or supervisor passes. Anything that can connect can ask anything, so a
 * socket is never open to other machines. */
#ifndef RETOKEN_SERVER_LISTENER_H
#define RETOKEN_SERVER_LISTENER_H

#include <stdbool.h>
#include <sys/types.h>

#include "base/fault.h"

struct listener {
    int fd;
    bool over_tcp;
    const char *path; /* of the socket file that we created; else NULL */
    dev_t device;     /* which file that is, so that no other is removed */
    ino_t inode;
};

/* Is this descriptor a socket that listens? */
bool listener_is_one(int fd);

/* Opens a listening socket. `where`: the path of a Unix socket, created with the permissions
 * `mode`; or 127.0.0.1:PORT or [::1]:PORT. Replaces a socket file that no process listens on, and
 * no other file. False with *fault. */
bool listener_open(struct listener *listener, const char *where, mode_t mode, struct fault *fault);
/* Takes over a listening socket. False with *fault when it is open to other machines. */
bool listener_adopt(struct listener *listener, int fd, struct fault *fault);
/* Removes the socket file, if we created it. */
void listener_close(struct listener *listener);

#endif
