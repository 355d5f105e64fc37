/* SPDX-License-Identifier: ISC */
/* log_socket.h: lines for a daemon that keeps the logs of the whole system. Knows its two
 * protocols; does not know what lines say. Lines go through log.h. */
#ifndef RETOKEN_BASE_LOG_SOCKET_H
#define RETOKEN_BASE_LOG_SOCKET_H

#include "base/log.h"

/* Where Linux has them: that of syslog(3), and that of systemd-journald's native protocol. */
#define LOG_SOCKET_SYSLOG  "syslog:/dev/log"
#define LOG_SOCKET_JOURNAL "journal:/run/systemd/journal/socket"

/* Is it "syslog:…" or "journal:…"? */
bool log_socket_is_one(struct text target);
/* Does an absolute path follow which is short enough for a socket? */
bool log_socket_fits(struct text target);

/* Lines go to this target from now on, for which log_socket_fits. False with errno. Not while
 * others send. */
bool log_socket_open(struct text target);
/* Would a daemon take a line now? False with errno. Sends none. */
bool log_socket_answers(struct text target);
/* Makes the socket now that log_socket_open would make: a confined process could not. */
bool log_socket_reserve(void);

enum log_socket_result {
    LOG_SOCKET_SENT,
    LOG_SOCKET_FULL,  /* the daemon does not keep up */
    LOG_SOCKET_ABSENT /* no daemon listens now, or it takes no such line */
};
/* Never waits. From any thread. `line` is text without control bytes or newline. */
enum log_socket_result log_socket_send(enum log_level level, struct text line);

#endif
