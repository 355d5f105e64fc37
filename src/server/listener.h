/* SPDX-License-Identifier: ISC */
/* listener.h: the socket that FastCGI connections come in by: one of our own, or one that a web
 * server or supervisor gave us as standard input. Whoever may connect may ask anything, so a socket
 * is never open to other machines. */
#ifndef RETOKEN_SERVER_LISTENER_H
#define RETOKEN_SERVER_LISTENER_H

#include <stdbool.h>
#include <sys/types.h>

#include "base/fault.h"

struct listener {
    int fd;
    bool over_tcp;
    const char *path; /* of a socket file of our own; NULL otherwise */
    dev_t device;     /* which file that was, so that only it is removed */
    ino_t inode;
};

/* Is this descriptor a socket that listens? */
bool listener_is_one(int fd);

/* `where`: the path of a Unix socket, made with the permissions `mode`; or 127.0.0.1:PORT or
 * [::1]:PORT. A socket file that nobody listens on is replaced; any other file is not. False with
 * *fault. */
bool listener_open(struct listener *listener, const char *where, mode_t mode, struct fault *fault);
/* Takes over a listening socket. False with *fault when it is open to other machines. */
bool listener_adopt(struct listener *listener, int fd, struct fault *fault);
/* Removes a socket file of our own. */
void listener_close(struct listener *listener);

#endif
