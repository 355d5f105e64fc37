/* SPDX-License-Identifier: ISC */
/* log_socket.c: see log_socket.h. One datagram is one line. The socket is not connected: the path
 * is looked up for each line, so a daemon that starts again gets the next one, and neither
 * socket(2) nor connect(2) is needed once the process is confined. syslog(3) would need both, and
 * waits for a daemon that does not read. */
#include "base/log_socket.h"

#include <errno.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <syslog.h>
#include <unistd.h>

enum { HEADER_SIZE = 128 };

static const char syslog_scheme[] = "syslog:";
static const char journal_scheme[] = "journal:";

static atomic_int log_socket = -1;
static struct sockaddr_un daemon_address;
static bool speaks_journal;

static bool has_scheme(struct text target, const char *scheme);
static struct text path_of(struct text target);
static struct sockaddr_un address_of(struct text target);
static size_t put_header(enum log_level level, char out[HEADER_SIZE]);

bool log_socket_is_one(struct text target)
{
    return has_scheme(target, syslog_scheme) || has_scheme(target, journal_scheme);
}

bool log_socket_fits(struct text target)
{
    struct text path = path_of(target);

    return text_starts(path, TEXT("/")) && path.size < sizeof daemon_address.sun_path &&
           memchr(path.data, '\0', path.size) == NULL;
}

static bool has_scheme(struct text target, const char *scheme)
{
    return text_starts(target, text_of(scheme));
}

static struct text path_of(struct text target)
{
    return text_from(target, text_find(target, ':') + 1);
}

bool log_socket_open(struct text target)
{
    if (!log_socket_reserve()) {
        return false;
    }
    speaks_journal = has_scheme(target, journal_scheme);
    daemon_address = address_of(target);
    return true;
}

static struct sockaddr_un address_of(struct text target)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};

    text_copy(path_of(target), address.sun_path, sizeof address.sun_path);
    return address;
}

bool log_socket_answers(struct text target)
{
    struct sockaddr_un address = address_of(target);
    int probe = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    bool answers =
        probe >= 0 && connect(probe, (const struct sockaddr *)&address, sizeof address) == 0;
    int error = errno;

    if (probe >= 0) {
        close(probe);
    }
    errno = error;
    return answers;
}

bool log_socket_reserve(void)
{
    if (atomic_load(&log_socket) < 0) {
        atomic_store(&log_socket, socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0));
    }
    return atomic_load(&log_socket) >= 0;
}

enum log_socket_result log_socket_send(enum log_level level, struct text line)
{
    char header[HEADER_SIZE];
    struct iovec parts[] = {{header, put_header(level, header)},
                            {(void *)(uintptr_t)line.data, line.size},
                            {"\n", speaks_journal ? 1 : 0}};
    struct msghdr message = {.msg_name = &daemon_address,
                             .msg_namelen = sizeof daemon_address,
                             .msg_iov = parts,
                             .msg_iovlen = sizeof parts / sizeof parts[0]};

    if (sendmsg(atomic_load(&log_socket), &message, MSG_DONTWAIT | MSG_NOSIGNAL) >= 0) {
        return LOG_SOCKET_SENT;
    }
    return errno == EAGAIN || errno == ENOBUFS ? LOG_SOCKET_FULL : LOG_SOCKET_ABSENT;
}

/* The journal's fields are lines of their own (systemd.journal-fields(7)). RFC 3164 has a time
 * after the priority: a daemon puts its own where there is none, and knows the time zone that it
 * should be in. */
static size_t put_header(enum log_level level, char out[HEADER_SIZE])
{
    static const int severities[] = {[LOG_LEVEL_ERROR] = LOG_ERR,
                                     [LOG_LEVEL_NOTICE] = LOG_NOTICE,
                                     [LOG_LEVEL_INFO] = LOG_INFO,
                                     [LOG_LEVEL_DEBUG] = LOG_DEBUG};
    int size =
        speaks_journal
            ? snprintf(out, HEADER_SIZE,
                       "PRIORITY=%d\nSYSLOG_FACILITY=%d\nSYSLOG_IDENTIFIER=retoken\nMESSAGE=",
                       severities[level], LOG_FAC(LOG_DAEMON))
            : snprintf(out, HEADER_SIZE, "<%d>retoken[%ld]: ", LOG_DAEMON | severities[level],
                       (long)getpid());

    return (size_t)size;
}
