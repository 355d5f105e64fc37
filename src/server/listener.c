/* SPDX-License-Identifier: ISC */
/* listener.c: opens, adopts and removes listening sockets. libfcgi's FCGX_OpenSocket would remove
 * any file in its way, and end the process when it fails. Knows sockets and files; does not know
 * FastCGI. */
#include "server/listener.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/text.h"

enum { BACKLOG = 1024 };

union address {
    struct sockaddr any;
    struct sockaddr_un un;
    struct sockaddr_in in;
    struct sockaddr_in6 in6;
};

static bool parse_tcp(const char *where, union address *address, socklen_t *size);
static bool open_tcp(struct listener *listener, const char *where, const union address *address,
                     socklen_t size, struct fault *fault);
static bool looks_like_address(const char *where);
static bool open_unix(struct listener *listener, const char *path, mode_t mode,
                      struct fault *fault);
static bool is_loopback(const union address *address);

bool listener_is_one(int fd)
{
    int listening = 0;
    socklen_t size = sizeof listening;

    return getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &listening, &size) == 0 && listening != 0;
}

bool listener_open(struct listener *listener, const char *where, mode_t mode, struct fault *fault)
{
    union address address;
    socklen_t size = 0;
    bool opened;

    *listener = (struct listener){.fd = -1};
    if (parse_tcp(where, &address, &size)) {
        opened = open_tcp(listener, where, &address, size, fault);
    } else if (looks_like_address(where)) {
        fault_set(fault,
                  "--listen %s: not a loopback address; write the path of a Unix socket, "
                  "127.0.0.1:PORT or [::1]:PORT",
                  where);
        opened = false;
    } else {
        opened = open_unix(listener, where, mode, fault);
    }
    if (!opened) {
        listener_close(listener);
    }
    return opened;
}

bool listener_adopt(struct listener *listener, int fd, struct fault *fault)
{
    union address address = {0};
    socklen_t size = sizeof address;
    int flags = fcntl(fd, F_GETFL);

    *listener = (struct listener){.fd = fd};
    if (getsockname(fd, &address.any, &size) != 0 || flags < 0 ||
        fcntl(fd, F_SETFL, flags | O_NONBLOCK) != 0) {
        fault_set(fault, "the listening socket that was passed: %s", strerror(errno));
        return false;
    } else if (address.any.sa_family != AF_UNIX && !is_loopback(&address)) {
        fault_set(fault,
                  "the socket that was passed is open to other machines, and anything that can "
                  "connect can pretend to be the web server; use a Unix socket or 127.0.0.1");
        return false;
    }
    listener->over_tcp = address.any.sa_family != AF_UNIX;
    return true;
}

void listener_close(struct listener *listener)
{
    struct stat status;

    if (listener->fd >= 0) {
        close(listener->fd);
        listener->fd = -1;
    }
    if (listener->path != NULL && lstat(listener->path, &status) == 0 &&
        status.st_dev == listener->device && status.st_ino == listener->inode) {
        unlink(listener->path);
    }
    listener->path = NULL;
}

/* A path has a slash, or no colon. */
static bool looks_like_address(const char *where)
{
    return strchr(where, '/') == NULL && strchr(where, ':') != NULL;
}

/* All of 127.0.0.0/8 and ::1. */
static bool is_loopback(const union address *address)
{
    return (address->any.sa_family == AF_INET &&
            ntohl(address->in.sin_addr.s_addr) >> 24 == IN_LOOPBACKNET) ||
           (address->any.sa_family == AF_INET6 && IN6_IS_ADDR_LOOPBACK(&address->in6.sin6_addr));
}

/* ---- TCP ---- */

/* "127.0.0.1:9000" or "[::1]:9000". False when it is anything else. */
static bool parse_tcp(const char *where, union address *address, socklen_t *size)
{
    struct text port = text_of(where);
    uint64_t number;

    *address = (union address){0};
    if (text_starts(port, TEXT("[::1]:"))) {
        port = text_from(port, strlen("[::1]:"));
        address->in6.sin6_family = AF_INET6;
        address->in6.sin6_addr = in6addr_loopback;
        *size = sizeof address->in6;
    } else if (text_starts(port, TEXT("127.0.0.1:"))) {
        port = text_from(port, strlen("127.0.0.1:"));
        address->in.sin_family = AF_INET;
        address->in.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        *size = sizeof address->in;
    } else {
        return false;
    }
    if (!text_to_u64(port, 65535, &number) || number == 0) {
        return false;
    } else if (address->any.sa_family == AF_INET6) {
        address->in6.sin6_port = htons((uint16_t)number);
    } else {
        address->in.sin_port = htons((uint16_t)number);
    }
    return true;
}

static bool open_tcp(struct listener *listener, const char *where, const union address *address,
                     socklen_t size, struct fault *fault)
{
    int on = 1;

    listener->over_tcp = true;
    listener->fd = socket(address->any.sa_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (listener->fd >= 0 &&
        setsockopt(listener->fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) == 0 &&
        bind(listener->fd, &address->any, size) == 0 && listen(listener->fd, BACKLOG) == 0) {
        return true;
    }
    fault_set(fault, "cannot listen on %s: %s", where, strerror(errno));
    return false;
}

/* ---- Unix ---- */

static bool remove_stale(const char *path, const union address *address, struct fault *fault);
static bool bind_with_mode(int fd, const union address *address, mode_t mode);

static bool open_unix(struct listener *listener, const char *path, mode_t mode, struct fault *fault)
{
    union address address = {.un = {.sun_family = AF_UNIX}};
    struct stat status;

    if (!text_copy(text_of(path), address.un.sun_path, sizeof address.un.sun_path) ||
        path[0] == '\0') {
        fault_set(fault, "--listen: the path of a socket has 1 to %zu bytes",
                  sizeof address.un.sun_path - 1);
        return false;
    } else if (!remove_stale(path, &address, fault)) {
        return false;
    }
    listener->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (listener->fd < 0 || !bind_with_mode(listener->fd, &address, mode)) {
        fault_set(fault, "cannot create the socket %s: %s%s", path, strerror(errno),
                  errno == ENOENT ? "; make its directory, as root: install -d -o USER DIRECTORY"
                                  : "");
        return false;
    }
    if (lstat(path, &status) == 0) {
        listener->path = path;
        listener->device = status.st_dev;
        listener->inode = status.st_ino;
    }
    if (listen(listener->fd, BACKLOG) != 0) {
        fault_set(fault, "cannot listen on %s: %s", path, strerror(errno));
        return false;
    }
    return true;
}

/* A socket file that refuses connections is left over from a process that died. */
static bool remove_stale(const char *path, const union address *address, struct fault *fault)
{
    struct stat status;

    if (lstat(path, &status) != 0) {
        return true;
    } else if (!S_ISSOCK(status.st_mode)) {
        fault_set(fault, "%s exists and is not a socket; it is left as it is", path);
        return false;
    }
    int probe = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    int error = probe >= 0 && connect(probe, &address->any, sizeof address->un) == 0 ? 0 : errno;
    if (probe >= 0) {
        close(probe);
    }
    if (error != ECONNREFUSED) {
        fault_set(fault, "%s: another process is listening there", path);
        return false;
    } else if (unlink(path) != 0) {
        fault_set(fault, "%s: cannot remove the socket of a process that has ended: %s", path,
                  strerror(errno));
        return false;
    }
    return true;
}

/* By umask and not by chmod afterwards, so that the permissions are never wider. */
static bool bind_with_mode(int fd, const union address *address, mode_t mode)
{
    mode_t before = umask(0777 & ~mode);
    int result = bind(fd, &address->any, sizeof address->un);
    int error = errno;

    umask(before);
    errno = error;
    return result == 0;
}
