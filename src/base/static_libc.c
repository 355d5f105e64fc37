/* SPDX-License-Identifier: ISC */
/* static_libc.c: what the static programs have in place of those functions of glibc that would load
 * shared libraries: its own of another version may be what a host has, and then the program
 * crashes. Linked into these programs only. Knows /etc/passwd and /etc/group; does not know
 * directories of users such as LDAP, nor names of hosts. The linker's warnings are errors there, so
 * that a call of a further such function does not link. */
#include <grp.h>
#include <netdb.h>
#include <pwd.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { GROUPS_MAX = 256 };

static size_t add_group(gid_t group, gid_t groups[GROUPS_MAX], size_t count);

struct passwd *getpwuid(uid_t uid)
{
    FILE *file = fopen("/etc/passwd", "re");
    struct passwd *user = NULL;

    if (file != NULL) {
        do {
            user = fgetpwent(file);
        } while (user != NULL && user->pw_uid != uid);
        fclose(file);
    }
    return user;
}

int initgroups(const char *user, gid_t group)
{
    FILE *file = fopen("/etc/group", "re");
    gid_t groups[GROUPS_MAX] = {group};
    size_t count = 1;
    struct group *row;

    while (file != NULL && (row = fgetgrent(file)) != NULL) {
        char **member = row->gr_mem;

        while (*member != NULL && strcmp(*member, user) != 0) {
            member++;
        }
        count = *member != NULL ? add_group(row->gr_gid, groups, count) : count;
    }
    if (file != NULL) {
        fclose(file);
    }
    return setgroups(count, groups);
}

/* The new count. */
static size_t add_group(gid_t group, gid_t groups[GROUPS_MAX], size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (groups[i] == group) {
            return count;
        }
    }
    if (count < GROUPS_MAX) {
        groups[count++] = group;
    }
    return count;
}

/* ---- what base/library.c and libcrypto refer to, and never call ---- */

/* The linker puts it for dlopen (--wrap), which glibc has in every static program. */
void *__wrap_dlopen(const char *file, int mode);

void *__wrap_dlopen(const char *file, int mode)
{
    (void)file;
    (void)mode;
    return NULL;
}

int getaddrinfo(const char *host, const char *service, const struct addrinfo *wanted,
                struct addrinfo **found)
{
    (void)host;
    (void)service;
    (void)wanted;
    *found = NULL;
    return EAI_FAIL;
}

void freeaddrinfo(struct addrinfo *found)
{
    (void)found;
}

struct hostent *gethostbyname(const char *host)
{
    (void)host;
    return NULL;
}
