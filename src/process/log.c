/* log.c: whole lines to one descriptor. Knows where lines go and how bytes are made safe; does not
 * know requests, and is never handed a token or a secret. */
#include "process/log.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"

enum { LINE_SIZE = 2048 };

/* The one mutable global of the tree beside the signals of libc: faults of any thread must find
 * their way out. */
static atomic_int log_descriptor = STDERR_FILENO;
static atomic_int log_threshold = CONFIG_LOG_NOTICE;

static const char *level_word(enum config_log level)
{
    switch (level) {
    case CONFIG_LOG_ERROR:
        return "error";
    case CONFIG_LOG_NOTICE:
        return "notice";
    case CONFIG_LOG_INFO:
        return "info";
    case CONFIG_LOG_DEBUG:
        return "debug";
    }
    return "error";
}

/* Once lines go to a file, its descriptor is never closed, only made to mean another file: a thread
 * that is about to write would write into whatever had taken over the number. */
static bool replace(int descriptor)
{
    int current = atomic_load(&log_descriptor);

    if (current == STDERR_FILENO) {
        atomic_store(&log_descriptor, descriptor);
        return true;
    }
    bool replaced = dup3(descriptor, current, O_CLOEXEC) >= 0;
    if (descriptor != STDERR_FILENO) {
        close(descriptor);
    }
    return replaced;
}

bool log_open(const struct config *config, struct fault *fault)
{
    int descriptor = STDERR_FILENO;

    if (config->log_file[0] != '\0') {
        descriptor = open(config->log_file, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOCTTY,
                          S_IRUSR | S_IWUSR);
    }
    if (descriptor < 0 || !replace(descriptor)) {
        fault_set(fault, "log %s: %s", config->log_file, strerror(errno));
        return false;
    }
    atomic_store(&log_threshold, (int)config->log_level);
    return true;
}

/* One character: `c` itself, or \xNN. Returns how many were written; 0 when they do not fit. */
static size_t put_safe(unsigned char c, bool bare, char *out, size_t room)
{
    static const char digits[] = "0123456789abcdef";

    if (bare && room >= 1) {
        out[0] = (char)c;
        return 1;
    } else if (bare || room < 4) {
        return 0;
    }
    memcpy(out, "\\x", 2);
    out[2] = digits[c >> 4];
    out[3] = digits[c & 0xf];
    return 4;
}

/* "2026-01-31T12:00:00.123Z error [4711] " */
static size_t put_prefix(enum config_log level, char *out, size_t room)
{
    struct clock clock = clock_system();
    int64_t now_ms = clock_now_ms(&clock);
    time_t now_s = (time_t)(now_ms / CLOCK_SECOND);
    struct tm tm;
    char time_text[32] = "";

    if (gmtime_r(&now_s, &tm) != NULL) {
        strftime(time_text, sizeof time_text, "%Y-%m-%dT%H:%M:%S", &tm);
    }
    int size = snprintf(out, room, "%s.%03dZ %s [%ld] ", time_text, (int)(now_ms % CLOCK_SECOND),
                        level_word(level), (long)getpid());
    return size > 0 ? (size_t)size : 0;
}

void log_line(enum config_log level, const char *format, ...)
{
    char text[LINE_SIZE];
    char line[LINE_SIZE + 64];
    va_list arguments;

    if ((int)level > atomic_load(&log_threshold)) {
        return;
    }
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);

    size_t size = put_prefix(level, line, 64);
    for (const char *c = text; *c != '\0'; c++) {
        unsigned char byte = (unsigned char)*c;
        size_t put =
            put_safe(byte, byte >= 0x20 && byte < 0x7f, line + size, sizeof line - 1 - size);
        if (put == 0) {
            break;
        }
        size += put;
    }
    line[size++] = '\n';
    /* One write per line, so that processes may share a file. A log that cannot be written is no
     * reason to refuse anybody. */
    if (write(atomic_load(&log_descriptor), line, size) < 0) {
        return;
    }
}

const char *log_safe(struct text t, char *out, size_t room)
{
    size_t size = 0;

    if (room == 0) {
        return "";
    }
    for (size_t i = 0; i < t.size; i++) {
        unsigned char byte = (unsigned char)t.data[i];
        size_t put = put_safe(byte, byte > 0x20 && byte < 0x7f, out + size, room - 1 - size);
        if (put == 0) {
            break;
        }
        size += put;
    }
    out[size] = '\0';
    return out;
}
