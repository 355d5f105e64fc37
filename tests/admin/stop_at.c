/* SPDX-License-Identifier: ISC */
/* stop_at.c: loaded into a program (LD_PRELOAD), ends it as kill -9 does before the STOP_AT-th step
 * of changing files: making, writing, syncing, naming or removing one. A write is two steps: before
 * the second one, half of its bytes are written. Without STOP_AT it writes the number of steps to
 * standard error at exit. Knows calls; does not know the program. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <unistd.h>

static unsigned steps;

/* Is it this step's turn to be the last? */
static bool is_last(void)
{
    const char *at = getenv("STOP_AT");

    steps++;
    return at != NULL && steps == strtoul(at, NULL, 10);
}

static void stop_if_last(void)
{
    if (is_last()) {
        raise(SIGKILL);
    }
}

#define REAL(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))
#define PASS_ON(result, name, parameters, ...)                                                     \
    result name parameters                                                                         \
    {                                                                                              \
        stop_if_last();                                                                            \
        return REAL(name)(__VA_ARGS__);                                                            \
    }

PASS_ON(int, fsync, (int file), file)
PASS_ON(int, fdatasync, (int file), file)
PASS_ON(int, fchmod, (int file, mode_t mode), file, mode)
PASS_ON(int, ftruncate, (int file, off_t size), file, size)
PASS_ON(int, ftruncate64, (int file, off64_t size), file, size)
PASS_ON(int, mkdir, (const char *path, mode_t mode), path, mode)
PASS_ON(int, rmdir, (const char *path), path)
PASS_ON(int, unlink, (const char *path), path)
PASS_ON(int, unlinkat, (int folder, const char *path, int flags), folder, path, flags)
PASS_ON(int, rename, (const char *from, const char *to), from, to)
PASS_ON(int, renameat, (int a, const char *from, int b, const char *to), a, from, b, to)
PASS_ON(int, link, (const char *from, const char *to), from, to)
PASS_ON(int, linkat, (int a, const char *from, int b, const char *to, int flags), a, from, b, to,
        flags)

#define WRITE(name, parameters, ...)                                                               \
    ssize_t name parameters                                                                        \
    {                                                                                              \
        if (file > STDERR_FILENO) {                                                                \
            stop_if_last();                                                                        \
            if (is_last()) {                                                                       \
                size /= 2;                                                                         \
                (void)!REAL(name)(__VA_ARGS__);                                                    \
                raise(SIGKILL);                                                                    \
            }                                                                                      \
        }                                                                                          \
        return REAL(name)(__VA_ARGS__);                                                            \
    }

WRITE(write, (int file, const void *bytes, size_t size), file, bytes, size)
WRITE(pwrite, (int file, const void *bytes, size_t size, off_t at), file, bytes, size, at)
WRITE(pwrite64, (int file, const void *bytes, size_t size, off64_t at), file, bytes, size, at)

#define OPEN(name, first, ...)                                                                     \
    int name(first, int flags, ...)                                                                \
    {                                                                                              \
        va_list rest;                                                                              \
        mode_t mode;                                                                               \
                                                                                                   \
        va_start(rest, flags);                                                                     \
        mode = (flags & O_CREAT) != 0 ? va_arg(rest, mode_t) : 0;                                  \
        va_end(rest);                                                                              \
        if ((flags & (O_CREAT | O_TRUNC)) != 0) {                                                  \
            stop_if_last();                                                                        \
        }                                                                                          \
        return REAL(name)(__VA_ARGS__, flags, mode);                                               \
    }

#define COMMA ,
OPEN(open, const char *path, path)
OPEN(open64, const char *path, path)
OPEN(openat, int folder COMMA const char *path, folder, path)
OPEN(openat64, int folder COMMA const char *path, folder, path)

void _exit(int status)
{
    if (getenv("STOP_AT") == NULL) {
        dprintf(STDERR_FILENO, "steps %u\n", steps);
    }
    REAL(_exit)(status);
    __builtin_unreachable();
}
