/* SPDX-License-Identifier: ISC */
/* recorder.c: to be preloaded. Appends to the file RECORD_LOG what a process does to the files of
 * the directory RECORD_STORE: writes, changes of size, syncs, new names, and when. Several
 * processes may share a log. Leaves out lock.mdb and process.lock, which mean nothing after a power
 * cut.
 *
 * What is written is logged before it is done, a sync after it: whatever is in the log before a
 * sync has been asked for before it. See replay.c for what is made of it. */
#define _GNU_SOURCE
#include "recording.h"

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

enum { DESCRIPTORS = 4096, PATH_SIZE = 4096 };

static enum { OTHER, FILE_OF_STORE, SYNCED_FILE, DIRECTORY } of_descriptor[DESCRIPTORS];
static uint64_t inode_of_descriptor[DESCRIPTORS];

#define REAL(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))

/* ---- the log ---- */

static void append(enum recorded_kind kind, bool synced, uint64_t inode, uint64_t offset,
                   const void *data, size_t size)
{
    static int log_file = -1;
    struct recorded record = {.kind = (uint8_t)kind,
                              .synced = synced,
                              .size = (uint32_t)size,
                              .inode = inode,
                              .offset = offset};
    struct iovec parts[] = {{&record, sizeof record}, {(void *)(uintptr_t)data, size}};
    struct timespec now;
    int before = errno;

    if (log_file < 0) {
        const char *path = getenv("RECORD_LOG");

        log_file =
            path == NULL ? -1 : REAL(open)(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    }
    clock_gettime(CLOCK_MONOTONIC, &now);
    record.when_ns = (uint64_t)now.tv_sec * 1000000000U + (uint64_t)now.tv_nsec;
    if (REAL(writev)(log_file, parts, 2) != (ssize_t)(sizeof record + size)) {
        abort(); /* a recording with a gap proves nothing */
    }
    errno = before;
}

/* ---- which files ---- */

static const char *store(void)
{
    const char *path = getenv("RECORD_STORE");

    return path == NULL ? "" : path;
}

/* The path of a name as the kernel sees it; false when the directory is not known. */
static bool whole_path(int directory, const char *name, char path[PATH_SIZE])
{
    char link[64];
    ssize_t length;

    if (name[0] == '/') {
        return snprintf(path, PATH_SIZE, "%s", name) < PATH_SIZE;
    }
    snprintf(link, sizeof link, directory == AT_FDCWD ? "/proc/self/cwd" : "/proc/self/fd/%d",
             directory);
    length = readlink(link, path, PATH_SIZE);
    return length > 0 && length < PATH_SIZE &&
           snprintf(path + length, PATH_SIZE - (size_t)length, "/%s", name) <
               PATH_SIZE - (int)length;
}

/* The name within the store; NULL: it is none of its files. */
static const char *name_in_store(int directory, const char *name, char path[PATH_SIZE])
{
    size_t length = strlen(store());

    if (length == 0 || !whole_path(directory, name, path) || strncmp(path, store(), length) != 0 ||
        path[length] != '/') {
        return NULL;
    }
    name = path + length + 1;
    return strchr(name, '/') != NULL || strcmp(name, "lock.mdb") == 0 ||
                   strcmp(name, "process.lock") == 0
               ? NULL
               : name;
}

static bool exists(const char *path)
{
    struct stat about;

    return lstat(path, &about) == 0;
}

static int opened(int file, int directory, const char *name, int flags, bool was_there)
{
    char path[PATH_SIZE];
    const char *known;
    struct stat about;

    if (file < 0 || file >= DESCRIPTORS) {
        return file;
    }
    of_descriptor[file] = OTHER;
    known = name_in_store(directory, name, path);
    if (known != NULL && fstat(file, &about) == 0) {
        of_descriptor[file] = (flags & (O_DSYNC | O_SYNC)) != 0 ? SYNCED_FILE : FILE_OF_STORE;
        inode_of_descriptor[file] = about.st_ino;
        if (!was_there) {
            append(RECORDED_NAME, false, about.st_ino, 0, known, strlen(known) + 1);
        } else if ((flags & O_TRUNC) != 0) {
            append(RECORDED_SIZE, false, about.st_ino, 0, NULL, 0);
        }
    } else if (whole_path(directory, name, path) && strcmp(path, store()) == 0) {
        of_descriptor[file] = DIRECTORY;
    }
    return file;
}

static bool was_there(int directory, const char *name)
{
    char path[PATH_SIZE];

    return !whole_path(directory, name, path) || exists(path);
}

static bool is_file(int file)
{
    return file >= 0 && file < DESCRIPTORS &&
           (of_descriptor[file] == FILE_OF_STORE || of_descriptor[file] == SYNCED_FILE);
}

/* ---- opening ---- */

#define OPEN_MODE(flags, mode)                                                                     \
    do {                                                                                           \
        va_list more;                                                                              \
        va_start(more, flags);                                                                     \
        (mode) = ((flags) & (O_CREAT | O_TMPFILE)) != 0 ? va_arg(more, mode_t) : 0;                \
        va_end(more);                                                                              \
    } while (0)

int open(const char *name, int flags, ...)
{
    bool before = was_there(AT_FDCWD, name);
    mode_t mode;

    OPEN_MODE(flags, mode);
    return opened(REAL(open)(name, flags, mode), AT_FDCWD, name, flags, before);
}

int open64(const char *name, int flags, ...)
{
    bool before = was_there(AT_FDCWD, name);
    mode_t mode;

    OPEN_MODE(flags, mode);
    return opened(REAL(open64)(name, flags, mode), AT_FDCWD, name, flags, before);
}

int openat(int directory, const char *name, int flags, ...)
{
    bool before = was_there(directory, name);
    mode_t mode;

    OPEN_MODE(flags, mode);
    return opened(REAL(openat)(directory, name, flags, mode), directory, name, flags, before);
}

int openat64(int directory, const char *name, int flags, ...)
{
    bool before = was_there(directory, name);
    mode_t mode;

    OPEN_MODE(flags, mode);
    return opened(REAL(openat64)(directory, name, flags, mode), directory, name, flags, before);
}

int close(int file)
{
    if (file >= 0 && file < DESCRIPTORS) {
        of_descriptor[file] = OTHER;
    }
    return REAL(close)(file);
}

/* ---- writing ---- */

static void wrote(int file, const void *data, size_t size, off_t at)
{
    if (is_file(file)) {
        append(RECORDED_WRITE, of_descriptor[file] == SYNCED_FILE, inode_of_descriptor[file],
               (uint64_t)at, data, size);
    }
}

static void wrote_parts(int file, const struct iovec *parts, int count, off_t at)
{
    for (int i = 0; i < count; at += (off_t)parts[i++].iov_len) {
        wrote(file, parts[i].iov_base, parts[i].iov_len, at);
    }
}

ssize_t write(int file, const void *data, size_t size)
{
    wrote(file, data, size, is_file(file) ? lseek(file, 0, SEEK_CUR) : 0);
    return REAL(write)(file, data, size);
}

ssize_t pwrite(int file, const void *data, size_t size, off_t at)
{
    wrote(file, data, size, at);
    return REAL(pwrite)(file, data, size, at);
}

ssize_t pwrite64(int file, const void *data, size_t size, off64_t at)
{
    wrote(file, data, size, at);
    return REAL(pwrite64)(file, data, size, at);
}

ssize_t writev(int file, const struct iovec *parts, int count)
{
    wrote_parts(file, parts, count, is_file(file) ? lseek(file, 0, SEEK_CUR) : 0);
    return REAL(writev)(file, parts, count);
}

ssize_t pwritev(int file, const struct iovec *parts, int count, off_t at)
{
    wrote_parts(file, parts, count, at);
    return REAL(pwritev)(file, parts, count, at);
}

ssize_t pwritev64(int file, const struct iovec *parts, int count, off64_t at)
{
    wrote_parts(file, parts, count, at);
    return REAL(pwritev64)(file, parts, count, at);
}

static void resized(int file, off_t size)
{
    if (is_file(file)) {
        append(RECORDED_SIZE, false, inode_of_descriptor[file], (uint64_t)size, NULL, 0);
    }
}

int ftruncate(int file, off_t size)
{
    resized(file, size);
    return REAL(ftruncate)(file, size);
}

int ftruncate64(int file, off64_t size)
{
    resized(file, size);
    return REAL(ftruncate64)(file, size);
}

/* ---- syncing ---- */

static int synced(int file, int result)
{
    if (result == 0 && is_file(file)) {
        append(RECORDED_SYNC, false, inode_of_descriptor[file], 0, NULL, 0);
    } else if (result == 0 && file >= 0 && file < DESCRIPTORS && of_descriptor[file] == DIRECTORY) {
        append(RECORDED_SYNC_NAMES, false, 0, 0, NULL, 0);
    }
    return result;
}

int fdatasync(int file)
{
    return synced(file, REAL(fdatasync)(file));
}

int fsync(int file)
{
    return synced(file, REAL(fsync)(file));
}

/* ---- names ---- */

static void named(int from_directory, const char *from, int to_directory, const char *to,
                  bool moved)
{
    char from_path[PATH_SIZE], to_path[PATH_SIZE];
    const char *known = name_in_store(to_directory, to, to_path);
    struct stat about;

    if (known != NULL && whole_path(from_directory, from, from_path) &&
        lstat(from_path, &about) == 0) {
        append(RECORDED_NAME, false, about.st_ino, 0, known, strlen(known) + 1);
    }
    known = moved ? name_in_store(from_directory, from, from_path) : NULL;
    if (known != NULL) {
        append(RECORDED_NO_NAME, false, 0, 0, known, strlen(known) + 1);
    }
}

int rename(const char *from, const char *to)
{
    named(AT_FDCWD, from, AT_FDCWD, to, true);
    return REAL(rename)(from, to);
}

int renameat(int from_directory, const char *from, int to_directory, const char *to)
{
    named(from_directory, from, to_directory, to, true);
    return REAL(renameat)(from_directory, from, to_directory, to);
}

int link(const char *from, const char *to)
{
    named(AT_FDCWD, from, AT_FDCWD, to, false);
    return REAL(link)(from, to);
}

int linkat(int from_directory, const char *from, int to_directory, const char *to, int flags)
{
    named(from_directory, from, to_directory, to, false);
    return REAL(linkat)(from_directory, from, to_directory, to, flags);
}

int unlink(const char *name)
{
    named(AT_FDCWD, name, AT_FDCWD, "", true);
    return REAL(unlink)(name);
}

int unlinkat(int directory, const char *name, int flags)
{
    named(directory, name, AT_FDCWD, "", true);
    return REAL(unlinkat)(directory, name, flags);
}
