/* log.h: one line per event on standard error or a file, `key=value` words, control bytes escaped.
 * Whole lines in one write, so processes may share a file. Never given a token or a secret. */
#ifndef RETOKEN_PROCESS_LOG_H
#define RETOKEN_PROCESS_LOG_H

#include "base/text.h"
#include "process/config.h"

/* Opens the file of the configuration (0600, appended to). False with *fault. */
bool log_open(const struct config *config, struct fault *fault);
void log_line(enum config_log level, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* A text made safe for a line: visible ASCII kept, the rest as \xNN, cut to fit. Returns out. */
const char *log_safe(struct text t, char *out, size_t room);

#endif
