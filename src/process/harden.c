/* SPDX-License-Identifier: ISC */
/* harden.c: see harden.h. */
#include "process/harden.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

bool harden_descriptors(void)
{
    for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++) {
        if (fcntl(fd, F_GETFD) < 0 && errno == EBADF &&
            open("/dev/null", O_RDWR | O_NOCTTY) != fd) {
            return false;
        }
    }
    return true;
}

void harden_process(void)
{
    umask(077);
    signal(SIGXFSZ, SIG_IGN);
    prctl(PR_SET_DUMPABLE, 0);
    setrlimit(RLIMIT_CORE, &(struct rlimit){0, 0});
}

bool harden_act_as_owner(const char *folder, struct fault *fault)
{
    struct stat about;

    if (geteuid() != 0 || stat(folder, &about) != 0 || about.st_uid == 0) {
        return true;
    }
    const struct passwd *user = getpwuid(about.st_uid);
    gid_t group = user != NULL ? user->pw_gid : about.st_gid;
    bool grouped = user != NULL ? initgroups(user->pw_name, group) == 0 : setgroups(0, NULL) == 0;

    if (!grouped || setresgid(group, group, group) != 0 ||
        setresuid(about.st_uid, about.st_uid, about.st_uid) != 0) {
        fault_set(fault,
                  "cannot act as the owner of %s (user id %lu): %s; start this as that user, for "
                  "example with setpriv or runuser",
                  folder, (unsigned long)about.st_uid, strerror(errno));
        return false;
    }
    harden_process(); /* another user may be allowed to debug it again */
    return true;
}
