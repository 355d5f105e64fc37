/* SPDX-License-Identifier: ISC */
/* env_directory.c: the directory of an environment: private to this user, and on a file system on
 * which LMDB works. Knows directories; does not know LMDB. */
#include "store/lmdb/env_directory.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "base/whole_file.h"

/* File systems on which LMDB's shared memory and locks do not work (statfs(2), f_type). */
static const struct {
    unsigned long magic;
    const char *name;
} refused_file_systems[] = {
    {0x6969, "NFS"},      {0xff534d42, "CIFS"},   {0xfe534d42, "SMB2"}, {0x517b, "SMB"},
    {0x65735546, "FUSE"}, {0x01021997, "9p"},     {0x5346414f, "AFS"},  {0x73757245, "Coda"},
    {0x00c36400, "Ceph"}, {0x0bd00bd0, "Lustre"},
};

static bool is_private_and_local(int directory, const char *path, struct fault *fault)
{
    struct stat about;
    struct statfs system;

    if (fstat(directory, &about) != 0 || fstatfs(directory, &system) != 0) {
        fault_set(fault, "store %s: %s", path, strerror(errno));
        return false;
    } else if (about.st_uid != geteuid()) {
        fault_set(fault,
                  "store %s belongs to user %u and this process is user %u; run as its owner", path,
                  (unsigned)about.st_uid, (unsigned)geteuid());
        return false;
    } else if ((about.st_mode & 077) != 0) {
        fault_set(fault, "store %s can be reached by other users (mode %04o); chmod 0700 it", path,
                  (unsigned)(about.st_mode & 07777));
        return false;
    }
    for (size_t i = 0; i < sizeof refused_file_systems / sizeof refused_file_systems[0]; i++) {
        if (((unsigned long)system.f_type & 0xffffffff) == refused_file_systems[i].magic) {
            fault_set(fault, "store %s is on %s, where LMDB does not work; use a local disk", path,
                      refused_file_systems[i].name);
            return false;
        }
    }
    return true;
}

/* A descriptor of the directory, made if need be; -1 with *fault set. */
int env_directory_open(const char *path, bool create, struct fault *fault)
{
    int directory;

    if (create && (mkdir(path, 0700) == 0 ? !whole_file_sync_name(path) : errno != EEXIST)) {
        fault_set(fault, "store %s cannot be made: %s", path, strerror(errno));
        return -1;
    }
    directory = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (directory < 0) {
        fault_set(fault, "store %s: %s", path, strerror(errno));
    } else if (!is_private_and_local(directory, path, fault)) {
        close(directory);
        directory = -1;
    }
    return directory;
}

/* LMDB writes two pages when it makes the file, and pages are 4096 bytes or more. */
enum { DATA_LEAST = 2 * 4096 };

bool env_directory_holds_data(int directory)
{
    struct stat about;

    return fstatat(directory, "data.mdb", &about, 0) == 0 && about.st_size >= DATA_LEAST;
}

void env_directory_drop_stub(const char *path)
{
    int directory = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

    if (directory >= 0 && !env_directory_holds_data(directory)) {
        unlinkat(directory, "data.mdb", 0);
    }
    if (directory >= 0) {
        close(directory);
    }
}
