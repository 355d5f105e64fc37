/* SPDX-License-Identifier: ISC */
/* faultshim.c: preloaded into a responder, lets one call of the system or of the allocator fail.
 * Knows which functions of libc the program and its libraries call; does not know what for.
 *
 *   FAULT_CALL=NAME FAULT_NUMBER=N FAULT_ERROR=ERRNO  the N-th call of NAME fails so; ERRNO 9999: a
 *                                                     read or write does only half of its work;
 *                                                     N 0: the first call once FILE is there
 *   FAULT_ARMED=FILE   the fault happens only if this file can be removed: once, in whichever
 *                      process comes to it first
 *   FAULT_COUNTS=FILE  at the end, how often each was called
 *
 * "meta" counts LMDB's writes of a meta page, which pwrite counts, too. A fault that happened is a
 * line on standard error that names the library whose call failed. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#define CALLS                                                                                      \
    CALL(write)                                                                                    \
    CALL(pwrite)                                                                                   \
    CALL(meta)                                                                                     \
    CALL(writev)                                                                                   \
    CALL(fdatasync)                                                                                \
    CALL(fsync)                                                                                    \
    CALL(ftruncate)                                                                                \
    CALL(mmap)                                                                                     \
    CALL(open)                                                                                     \
    CALL(openat)                                                                                   \
    CALL(fcntl)                                                                                    \
    CALL(accept4)                                                                                  \
    CALL(epoll_ctl)                                                                                \
    CALL(epoll_wait)                                                                               \
    CALL(read)                                                                                     \
    CALL(recv)                                                                                     \
    CALL(eventfd)                                                                                  \
    CALL(memfd_create)                                                                             \
    CALL(pthread_create)                                                                           \
    CALL(malloc)                                                                                   \
    CALL(calloc)                                                                                   \
    CALL(realloc)

enum call {
#define CALL(name) CALL_##name,
    CALLS
#undef CALL
        CALL_COUNT
};

static const char *const names[] = {
#define CALL(name) #name,
    CALLS
#undef CALL
};

enum { HALF = 9999, META_END = 2 * 4096 };

static atomic_long counts[CALL_COUNT];
static enum call target = CALL_COUNT;
static long target_number;
static int target_error;
static const char *armed_file;
static const char *counts_file;
static atomic_bool ready;

/* What the shim itself calls is not counted. Not allocated at its first use. */
static __thread bool inside __attribute__((tls_model("initial-exec")));

__attribute__((constructor)) static void start(void)
{
    const char *call = getenv("FAULT_CALL");
    const char *number = getenv("FAULT_NUMBER");
    const char *error = getenv("FAULT_ERROR");

    armed_file = getenv("FAULT_ARMED");
    counts_file = getenv("FAULT_COUNTS");
    for (int i = 0; call != NULL && i < CALL_COUNT; i++) {
        target = strcmp(call, names[i]) == 0 ? (enum call)i : target;
    }
    target_number = number != NULL ? atol(number) : 0;
    target_error = error != NULL ? atoi(error) : EIO;
    atomic_store(&ready, true);
}

/* ---- whether a call fails ---- */

static void say(long number, const void *caller)
{
    char line[256];
    Dl_info info = {.dli_fname = "?"};

    dladdr(caller, &info);
    int size = snprintf(line, sizeof line, "faultshim: %s %ld failed in %s\n", names[target],
                        number, info.dli_fname);
    syscall(SYS_write, STDERR_FILENO, line, (size_t)size);
}

static bool fails(enum call call, const void *caller)
{
    if (!atomic_load(&ready) || inside) {
        return false;
    }
    long number = atomic_fetch_add(&counts[call], 1) + 1;
    if (call != target || (number != target_number && target_number != 0)) {
        return false;
    }
    inside = true;
    bool armed = armed_file == NULL || unlink(armed_file) == 0;
    if (armed) {
        say(number, caller);
    }
    inside = false;
    errno = target_error;
    return armed;
}

/* "9999" asks for half of the work, where there is one. */
static bool half(size_t size)
{
    return target_error == HALF && size > 1;
}

static void write_counts(void)
{
    char line[64];

    inside = true;
    int file = counts_file != NULL
                   ? (int)syscall(SYS_openat, AT_FDCWD, counts_file, O_WRONLY | O_CREAT, 0644)
                   : -1;
    for (int i = 0; file >= 0 && i < CALL_COUNT; i++) {
        int size = snprintf(line, sizeof line, "%s %ld\n", names[i], atomic_load(&counts[i]));
        syscall(SYS_write, file, line, (size_t)size);
    }
}

/* ---- the functions ---- */

#define CALLER __builtin_return_address(0)

/* The next definition of a function, found once. */
#define NEXT(function, ...)                                                                        \
    static __typeof__(&function) next;                                                             \
    if (next == NULL) {                                                                            \
        inside = true;                                                                             \
        *(void **)&next = dlsym(RTLD_NEXT, #function);                                             \
        inside = false;                                                                            \
    }

/* As the original, or `failed`. */
#define FAILS(type, failed, name, parameters, arguments)                                           \
    type name parameters                                                                           \
    {                                                                                              \
        NEXT(name)                                                                                 \
        return fails(CALL_##name, CALLER) ? (failed) : next arguments;                             \
    }

FAILS(int, -1, fdatasync, (int file), (file))
FAILS(int, -1, fsync, (int file), (file))
FAILS(int, -1, ftruncate, (int file, off_t size), (file, size))
FAILS(void *, MAP_FAILED, mmap,
      (void *at, size_t size, int protection, int flags, int file, off_t offset),
      (at, size, protection, flags, file, offset))
FAILS(int, -1, accept4,
      (int file, struct sockaddr *restrict address, socklen_t *restrict size, int flags),
      (file, address, size, flags))
FAILS(int, -1, epoll_ctl, (int set, int what, int file, struct epoll_event *event),
      (set, what, file, event))
FAILS(int, -1, epoll_wait, (int set, struct epoll_event *events, int most, int ms),
      (set, events, most, ms))
FAILS(int, -1, eventfd, (unsigned count, int flags), (count, flags))
FAILS(int, -1, memfd_create, (const char *name, unsigned flags), (name, flags))
FAILS(int, target_error, pthread_create,
      (pthread_t *restrict thread, const pthread_attr_t *restrict attributes,
       void *(*start)(void *), void *restrict self),
      (thread, attributes, start, self))

/* As the original, half of it, or -1. */
#define FAILS_OR_HALVES(name, parameters, all, part)                                               \
    ssize_t name parameters                                                                        \
    {                                                                                              \
        NEXT(name)                                                                                 \
        if (!fails(CALL_##name, CALLER)) {                                                         \
            return next all;                                                                       \
        }                                                                                          \
        return half(size) ? next part : -1;                                                        \
    }

FAILS_OR_HALVES(write, (int file, const void *bytes, size_t size), (file, bytes, size),
                (file, bytes, size / 2))
FAILS_OR_HALVES(read, (int file, void *bytes, size_t size), (file, bytes, size),
                (file, bytes, size / 2))
FAILS_OR_HALVES(recv, (int file, void *bytes, size_t size, int flags), (file, bytes, size, flags),
                (file, bytes, size < 40 ? size / 2 : 40, flags))

ssize_t pwrite(int file, const void *bytes, size_t size, off_t offset)
{
    NEXT(pwrite)
    bool meta = offset < META_END && size < META_END / 2;
    bool failed = fails(CALL_pwrite, CALLER) || (meta && fails(CALL_meta, CALLER));

    if (!failed) {
        return next(file, bytes, size, offset);
    }
    return half(size) ? next(file, bytes, size / 2, offset) : -1;
}

ssize_t writev(int file, const struct iovec *parts, int count)
{
    NEXT(writev)
    if (!fails(CALL_writev, CALLER)) {
        return next(file, parts, count);
    }
    struct iovec first = {parts->iov_base, parts->iov_len / 2};
    return half(parts->iov_len) ? next(file, &first, 1) : -1;
}

/* The functions with an optional argument; taking one that is not there does no harm. */
int open(const char *path, int flags, ...)
{
    NEXT(open)
    va_list rest;

    va_start(rest, flags);
    mode_t mode = va_arg(rest, mode_t);
    va_end(rest);
    return fails(CALL_open, CALLER) ? -1 : next(path, flags, mode);
}

int openat(int directory, const char *path, int flags, ...)
{
    NEXT(openat)
    va_list rest;

    va_start(rest, flags);
    mode_t mode = va_arg(rest, mode_t);
    va_end(rest);
    return fails(CALL_openat, CALLER) ? -1 : next(directory, path, flags, mode);
}

int fcntl(int file, int command, ...)
{
    NEXT(fcntl)
    va_list rest;

    va_start(rest, command);
    void *argument = va_arg(rest, void *);
    va_end(rest);
    return fails(CALL_fcntl, CALLER) ? -1 : next(file, command, argument);
}

/* glibc's own names for what it would do: dlsym allocates. */
void *__libc_malloc(size_t size);
void *__libc_calloc(size_t count, size_t size);
void *__libc_realloc(void *old, size_t size);

void *malloc(size_t size)
{
    return fails(CALL_malloc, CALLER) ? NULL : __libc_malloc(size);
}

void *calloc(size_t count, size_t size)
{
    return fails(CALL_calloc, CALLER) ? NULL : __libc_calloc(count, size);
}

void *realloc(void *old, size_t size)
{
    return fails(CALL_realloc, CALLER) ? NULL : __libc_realloc(old, size);
}

/* The responder leaves this way. */
void _exit(int status)
{
    write_counts();
    syscall(SYS_exit_group, status);
    __builtin_unreachable();
}
