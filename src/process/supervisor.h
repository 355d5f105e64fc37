/* SPDX-License-Identifier: ISC */
/* supervisor.h: what a process and the service manager that started it tell each other: the socket
 * that it passes (sd_listen_fds(3)), and how the process is (sd_notify(3), the protocol, which is
 * one datagram for each message). Knows both protocols; does not know what a request is. */
#ifndef RETOKEN_PROCESS_SUPERVISOR_H
#define RETOKEN_PROCESS_SUPERVISOR_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "base/fault.h"

struct supervisor {
    int socket; /* -1: no supervisor wants to hear anything */
    struct sockaddr_un address;
    socklen_t address_size;
    int64_t watchdog_us; /* it ends a process that has said nothing for so long; 0 = it does not */
    int64_t fed_us;      /* on the stopwatch: when it was told last */
};

/* The listening socket that was passed to this process, or -1. Its variables leave the
 * environment, and its descriptor is closed in other programs. False with *fault: there are
 * several. Once, before anything is opened. */
bool supervisor_take_socket(int *fd, struct fault *fault);

/* Finds the supervisor, whose variables leave the environment. False with *fault when there is one
 * that cannot be reached; nothing is sent then. Before the process is confined. */
bool supervisor_open(struct supervisor *supervisor, struct fault *fault);

/* Each sends a message, and never waits: a supervisor that is too slow misses it. Without a
 * supervisor they do nothing. From one thread. */
void supervisor_ready(struct supervisor *supervisor, const char *status);
void supervisor_reloading(struct supervisor *supervisor);
void supervisor_stopping(struct supervisor *supervisor);
/* The process works. To be called at least whenever supervisor_is_due says so, which is four times
 * in the time that the supervisor waits. */
void supervisor_alive(struct supervisor *supervisor);
/* Is it time for supervisor_alive? */
bool supervisor_is_due(const struct supervisor *supervisor);

#endif
