/* SPDX-License-Identifier: ISC */
/* processes.c: responders that mod_fcgid has started, of any installation on this machine.
 * Knows the kernel's list of processes and where Apache's modules lie; does not know Apache's
 * configuration, nor who may change it. */
#include <dirent.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "admin/doctor/doctor.h"

/* A CGI script has Apache for a parent, too, and has ended by then. */
enum { LASTING_S = 3 };

struct process {
    char name[32];
    int parent;
    uint64_t begun; /* ticks since boot */
};

static size_t count_of_mod_fcgid(void);
static bool has_mod_proxy_fcgi(void);

/* Nothing is wrong with mod_fcgid, but for a second of waiting where it lacks a process. */
void doctor_processes_examine(struct examination *e)
{
    size_t count = count_of_mod_fcgid();

    if (count > 0 && has_mod_proxy_fcgi()) {
        doctor_report(e, "web server", HEALTH_OK,
                      "mod_fcgid runs %zu processes here, one for each request at a time; where "
                      "you may configure Apache, one process behind mod_proxy_fcgi serves more: "
                      "apache-conf/mod_proxy_fcgi.conf",
                      count);
    }
}

static bool has_mod_proxy_fcgi(void)
{
    static const char *const modules[] = {
        "/usr/lib/apache2/modules/mod_proxy_fcgi.so",
        "/usr/lib64/httpd/modules/mod_proxy_fcgi.so",
        "/usr/lib/httpd/modules/mod_proxy_fcgi.so",
    };
    bool found = false;

    for (size_t i = 0; i < sizeof modules / sizeof modules[0]; i++) {
        found = found || access(modules[i], F_OK) == 0;
    }
    return found;
}

static bool read_process(const char *number, struct process *process);
static bool is_of_mod_fcgid(const struct process *process, uint64_t now);
static uint64_t ticks_now(void);

static size_t count_of_mod_fcgid(void)
{
    DIR *folder = opendir("/proc");
    uint64_t now = ticks_now();
    struct dirent *entry;
    size_t count = 0;

    while (folder != NULL && (entry = readdir(folder)) != NULL) {
        struct process process;

        count += read_process(entry->d_name, &process) && is_of_mod_fcgid(&process, now);
    }
    if (folder != NULL) {
        closedir(folder);
    }
    return count;
}

static bool is_of_mod_fcgid(const struct process *process, uint64_t now)
{
    struct process parent;
    char number[16];

    snprintf(number, sizeof number, "%d", process->parent);
    return strcmp(process->name, "retoken.fcgi") == 0 &&
           process->begun + LASTING_S * (uint64_t)sysconf(_SC_CLK_TCK) <= now &&
           read_process(number, &parent) &&
           (strcmp(parent.name, "apache2") == 0 || strcmp(parent.name, "httpd") == 0);
}

/* As proc(5) describes /proc/PID/stat: the name is between the first `(` and the last `)`. False
 * for what is no process, or none any more. */
static bool read_process(const char *number, struct process *process)
{
    char path[280], line[1024];

    snprintf(path, sizeof path, "/proc/%s/stat", number);
    FILE *file = fopen(path, "re");
    bool read = file != NULL && fgets(line, sizeof line, file) != NULL;
    if (file != NULL) {
        fclose(file);
    }
    char *name = read ? strchr(line, '(') : NULL;
    char *end = read ? strrchr(line, ')') : NULL;
    if (name == NULL || end == NULL || end < name) {
        return false;
    }
    *end = '\0';
    snprintf(process->name, sizeof process->name, "%s", name + 1);
    return sscanf(end + 1,
                  " %*c %d %*d %*d %*d %*d %*u %*u %*u %*u %*u %*u %*u %*d %*d %*d %*d %*d %*d "
                  "%" SCNu64,
                  &process->parent, &process->begun) == 2;
}

/* When this very process began; 0 when it cannot be told. */
static uint64_t ticks_now(void)
{
    struct process own;

    return read_process("self", &own) ? own.begun : 0;
}
