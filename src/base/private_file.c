/* SPDX-License-Identifier: ISC */
/* private_file.c: see private_file.h. */
#include "base/private_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static ssize_t read_file(const char *path, const char *what, bool passed, char *room, size_t size,
                         struct fault *fault);
static bool is_private(int file, const char *path, const char *what, bool passed,
                       struct fault *fault);
static ssize_t read_up_to(int file, char *room, size_t size);

ssize_t private_file_read(const char *path, const char *what, char *room, size_t size,
                          struct fault *fault)
{
    return read_file(path, what, false, room, size, fault);
}

ssize_t private_file_read_passed(const char *path, const char *what, char *room, size_t size,
                                 struct fault *fault)
{
    return read_file(path, what, true, room, size, fault);
}

static ssize_t read_file(const char *path, const char *what, bool passed, char *room, size_t size,
                         struct fault *fault)
{
    /* Non-blocking, so that a FIFO in its place is refused and not waited for. */
    int file = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
    ssize_t got = -1;

    if (file < 0) {
        fault_set(fault, "%s: cannot open %s: %s", path, what, strerror(errno));
        return -1;
    }
    if (is_private(file, path, what, passed, fault)) {
        got = read_up_to(file, room, size);
        if (got < 0 && errno == EFBIG) {
            fault_set(fault, "%s: %s is larger than %zu bytes", path, what, size);
        } else if (got < 0) {
            fault_set(fault, "%s: cannot read %s: %s", path, what, strerror(errno));
        }
    }
    close(file);
    return got;
}

/* Another user who can read the file has the secret, so a wrong mode is a fault here and not a
 * warning. */
static bool is_private(int file, const char *path, const char *what, bool passed,
                       struct fault *fault)
{
    struct stat stat;

    if (fstat(file, &stat) != 0) {
        fault_set(fault, "%s: %s", path, strerror(errno));
    } else if (!S_ISREG(stat.st_mode)) {
        fault_set(fault, "%s: %s is not a regular file", path, what);
    } else if (stat.st_uid != geteuid() && !(passed && stat.st_uid == 0)) {
        fault_set(fault,
                  "%s: belongs to user id %lu, but this process runs as %lu; they must agree", path,
                  (unsigned long)stat.st_uid, (unsigned long)geteuid());
    } else if ((stat.st_mode & 07777) != 0600 && (stat.st_mode & 07777) != 0400 &&
               !(passed && (stat.st_mode & 07777) == 0440)) {
        fault_set(fault, "%s: mode is %04o; %s must be 0600 or 0400 (chmod 600)", path,
                  (unsigned)(stat.st_mode & 07777), what);
    } else {
        return true;
    }
    return false;
}

/* -1 with errno; EFBIG: there is more. */
static ssize_t read_up_to(int file, char *room, size_t size)
{
    size_t had = 0;
    char more;

    for (;;) {
        ssize_t got = read(file, had < size ? room + had : &more, had < size ? size - had : 1);

        if (got == 0) {
            return (ssize_t)had;
        } else if (got > 0 && had == size) {
            errno = EFBIG;
            return -1;
        } else if (got > 0) {
            had += (size_t)got;
        } else if (errno != EINTR) {
            return -1;
        }
    }
}
