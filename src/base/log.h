/* SPDX-License-Identifier: ISC */
/* log.h: one line per event on standard error, in a file, or with the system's log daemon:
 * `key=value` words, control bytes escaped. Each line is one write, so that processes may share a
 * file. Never given a token or a secret. Only the floors from server/ and process/ upwards log;
 * those below return a fault. */
#ifndef RETOKEN_BASE_LOG_H
#define RETOKEN_BASE_LOG_H

#include "base/fault.h"
#include "base/text.h"

enum log_level { LOG_LEVEL_ERROR, LOG_LEVEL_NOTICE, LOG_LEVEL_INFO, LOG_LEVEL_DEBUG };

/* From now on, lines up to `level` go to this target:
 * "": standard error.
 * "syslog:PATH", "journal:PATH": the daemon that listens at this Unix socket. No line waits for it.
 * While it does not listen, lines go to standard error; those that it is too slow for are counted.
 * Otherwise: this file, which is created with mode 0600 and appended to. It belongs to this user or
 * to root, and its last component is no symbolic link. When it has been renamed or removed
 * (logrotate), the next line a second later goes to a new one.
 * False with *fault, and lines go where they went before. */
bool log_open(const char *target, enum log_level level, struct fault *fault);
/* The same target, and lines up to this level. */
void log_set_level(enum log_level level);
/* Opens the file again now. When that fails, lines go where they went before, and one says so. */
void log_reopen(void);
/* From any thread. Before log_open, lines up to LOG_LEVEL_NOTICE go to standard error. */
void log_line(enum log_level level, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* For lines that strangers cause, as fast as they like: is there room for one more? Of more than
 * LOG_LIMIT in a second, only the number is written: by the first line of another second, or by
 * log_settle, which is to be called now and then. */
enum { LOG_LIMIT = 50 };
bool log_admits(void);
void log_settle(void);
/* Makes a text safe for a line: keeps visible ASCII, writes the rest as \xNN, cuts it to fit
 * `room` bytes with its NUL. Returns `out`. */
const char *log_safe(struct text t, char *out, size_t room);

#endif
