/* SPDX-License-Identifier: ISC */
/* whole_file.c: see whole_file.h. */
#include "base/whole_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

/* For the lock of a folder: writing a file takes a few of these. */
enum { LOCK_TRIES = 500, LOCK_PAUSE_NS = 10 * 1000 * 1000 };

static bool split(struct whole_file *whole, const char *path, struct text *folder);
static int open_folder(struct text folder);
static bool lock_folder(int folder);
static bool sync_folder(int folder);
static void end(struct whole_file *whole);

/* ---- one file ---- */

bool whole_file_open(struct whole_file *whole, const char *path, mode_t mode, struct fault *fault)
{
    struct text folder;

    *whole = (struct whole_file){.folder = -1, .file = -1};
    if (!split(whole, path, &folder)) {
        errno = ENAMETOOLONG;
    } else if ((whole->folder = open_folder(folder)) >= 0 && lock_folder(whole->folder)) {
        unlinkat(whole->folder, whole->part, 0); /* of a writer that was killed */
        whole->file = openat(whole->folder, whole->part,
                             O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
        if (whole->file >= 0 && fchmod(whole->file, mode) == 0) {
            return true;
        }
    }
    fault_set(fault, "cannot make %s: %s%s", path, strerror(errno),
              errno == EWOULDBLOCK ? "; another process is writing in its folder" : "");
    whole_file_drop(whole);
    return false;
}

/* Fills in the names. False: too long. */
static bool split(struct whole_file *whole, const char *path, struct text *folder)
{
    struct text name = text_of(path);

    for (size_t slash; (slash = text_find(name, '/')) < name.size;) {
        name = text_from(name, slash + 1);
    }
    *folder = text_cut(text_of(path), strlen(path) - name.size);
    return text_copy(text_of(path), whole->path, sizeof whole->path) &&
           text_copy(name, whole->name, sizeof whole->name) &&
           snprintf(whole->part, sizeof whole->part, "%s.part", whole->name) <
               (int)sizeof whole->part;
}

static int open_folder(struct text folder)
{
    char path[WHOLE_FILE_PATH_MAX];

    if (!text_copy(folder.size > 0 ? folder : TEXT("."), path, sizeof path)) {
        errno = ENAMETOOLONG;
        return -1;
    }
    return open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

/* Ends with the descriptor, so a killed process keeps nobody out. */
static bool lock_folder(int folder)
{
    for (int tries = 0; tries < LOCK_TRIES; tries++) {
        const struct timespec pause = {.tv_nsec = LOCK_PAUSE_NS};

        if (flock(folder, LOCK_EX | LOCK_NB) == 0) {
            return true;
        } else if (errno != EWOULDBLOCK && errno != EINTR) {
            return false;
        }
        nanosleep(&pause, NULL);
    }
    errno = EWOULDBLOCK;
    return false;
}

bool whole_file_put(struct whole_file *whole, const void *bytes, size_t size)
{
    return whole_file_write_all(whole->file, bytes, size);
}

/* The folder's lock is held, so no other writer gives the name between the look and the rename. A
 * link would leave two names of one file for a moment, and for ever after a kill. */
enum whole_file_result whole_file_finish(struct whole_file *whole, bool replace,
                                         struct fault *fault)
{
    enum whole_file_result result = WHOLE_FILE_FAULT;
    struct stat about;

    if (!replace && fstatat(whole->folder, whole->name, &about, AT_SYMLINK_NOFOLLOW) == 0) {
        result = WHOLE_FILE_EXISTS;
    } else if (fsync(whole->file) == 0 &&
               renameat(whole->folder, whole->part, whole->folder, whole->name) == 0 &&
               sync_folder(whole->folder)) {
        end(whole);
        return WHOLE_FILE_DONE;
    } else {
        fault_set(fault, "cannot write %s: %s", whole->path, strerror(errno));
    }
    whole_file_drop(whole);
    return result;
}

void whole_file_drop(struct whole_file *whole)
{
    if (whole->file >= 0) {
        unlinkat(whole->folder, whole->part, 0);
    }
    end(whole);
}

static void end(struct whole_file *whole)
{
    if (whole->file >= 0) {
        close(whole->file);
    }
    if (whole->folder >= 0) {
        close(whole->folder);
    }
    whole->file = whole->folder = -1;
}

enum whole_file_result whole_file_create(const char *path, struct text content, mode_t mode,
                                         struct fault *fault)
{
    struct whole_file whole;

    if (!whole_file_open(&whole, path, mode, fault)) {
        return WHOLE_FILE_FAULT;
    } else if (!whole_file_put(&whole, content.data, content.size)) {
        fault_set(fault, "cannot write %s: %s", path, strerror(errno));
        whole_file_drop(&whole);
        return WHOLE_FILE_FAULT;
    }
    return whole_file_finish(&whole, false, fault);
}

/* ---- folders ---- */

bool whole_file_folder(const char *path, struct fault *fault)
{
    char part[WHOLE_FILE_PATH_MAX];

    if (!text_copy(text_of(path), part, sizeof part)) {
        fault_set(fault, "%s: the path is too long", path);
        return false;
    }
    for (char *end = part[0] != '\0' ? strchr(part + 1, '/') : NULL;; end = strchr(end + 1, '/')) {
        if (end != NULL) {
            *end = '\0';
        }
        if (mkdir(part, 0700) == 0 ? !whole_file_sync_name(part) : errno != EEXIST) {
            fault_set(fault, "cannot make the directory %s: %s%s", part, strerror(errno),
                      errno == EACCES ? "; make it as root: install -d -m 700 -o USER DIRECTORY"
                                      : "");
            return false;
        }
        if (end == NULL) {
            return true;
        }
        *end = '/';
    }
}

/* ---- bytes and names ---- */

bool whole_file_write_all(int file, const void *bytes, size_t size)
{
    const char *data = bytes;

    while (size > 0) {
        ssize_t put = write(file, data, size);

        if (put > 0) {
            data += put;
            size -= (size_t)put;
        } else if (put == 0 || errno != EINTR) {
            return false;
        }
    }
    return true;
}

bool whole_file_sync_name(const char *path)
{
    struct whole_file whole = {.folder = -1, .file = -1};
    struct text folder;
    bool synced;

    if (!split(&whole, path, &folder)) {
        errno = ENAMETOOLONG;
        return false;
    }
    whole.folder = open_folder(folder);
    synced = whole.folder >= 0 && sync_folder(whole.folder);
    end(&whole);
    return synced;
}

/* EINVAL: a file system that cannot, such as those of other systems (fsync(2)). */
static bool sync_folder(int folder)
{
    return fsync(folder) == 0 || errno == EINVAL;
}
