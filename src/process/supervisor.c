/* SPDX-License-Identifier: ISC */
/* supervisor.c: see supervisor.h. */
#include "process/supervisor.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/text.h"

enum { FIRST_PASSED = 3, STATUS_MAX = 256 };

static bool is_for_us(const char *variable);
static bool set_address(struct supervisor *supervisor, const char *where);
static int64_t watchdog(void);
static void forget(const char *const *variables);
static void send_message(const struct supervisor *supervisor, const char *message);

bool supervisor_take_socket(int *fd, struct fault *fault)
{
    static const char *const variables[] = {"LISTEN_PID", "LISTEN_FDS", "LISTEN_FDNAMES", NULL};
    const char *passed = getenv("LISTEN_FDS");
    uint64_t count = 0;
    bool ours = is_for_us("LISTEN_PID") && passed != NULL &&
                text_to_u64(text_of(passed), INT32_MAX, &count);

    *fd = -1;
    forget(variables);
    if (!ours || count == 0) {
        return true;
    } else if (count > 1) {
        fault_set(fault, "%" PRIu64 " sockets were passed; start one process for each", count);
        return false;
    }
    *fd = FIRST_PASSED;
    fcntl(*fd, F_SETFD, FD_CLOEXEC);
    return true;
}

bool supervisor_open(struct supervisor *supervisor, struct fault *fault)
{
    static const char *const variables[] = {"NOTIFY_SOCKET", "WATCHDOG_PID", "WATCHDOG_USEC", NULL};
    const char *where = getenv("NOTIFY_SOCKET");
    bool reached = true;

    *supervisor = (struct supervisor){.socket = -1, .watchdog_us = watchdog()};
    if (where != NULL && where[0] != '\0') {
        reached = set_address(supervisor, where);
        if (reached) {
            supervisor->socket = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
            reached = supervisor->socket >= 0;
        }
        if (!reached) {
            fault_set(fault, "NOTIFY_SOCKET=%s: %s", where, strerror(errno));
        }
    }
    forget(variables);
    return reached;
}

void supervisor_ready(struct supervisor *supervisor, const char *status)
{
    char message[STATUS_MAX];

    snprintf(message, sizeof message, "READY=1\nSTATUS=%s", status);
    send_message(supervisor, message);
}

/* systemd compares the time with that of its own signal, which is on the monotonic clock. */
void supervisor_reloading(struct supervisor *supervisor)
{
    char message[STATUS_MAX];
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    snprintf(message, sizeof message, "RELOADING=1\nMONOTONIC_USEC=%" PRId64,
             (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000);
    send_message(supervisor, message);
}

void supervisor_stopping(struct supervisor *supervisor)
{
    send_message(supervisor, "STOPPING=1");
}

void supervisor_alive(struct supervisor *supervisor)
{
    supervisor->fed_us = clock_stopwatch_us();
    send_message(supervisor, "WATCHDOG=1");
}

bool supervisor_is_due(const struct supervisor *supervisor)
{
    return supervisor->socket >= 0 && supervisor->watchdog_us > 0 &&
           clock_stopwatch_us() - supervisor->fed_us >= supervisor->watchdog_us / 4;
}

/* Variables are inherited: each process compares the id in them with its own. */
static bool is_for_us(const char *variable)
{
    const char *value = getenv(variable);
    uint64_t pid;

    return value != NULL && text_to_u64(text_of(value), INT32_MAX, &pid) && (pid_t)pid == getpid();
}

/* A path, or @ and an abstract name. False with errno. */
static bool set_address(struct supervisor *supervisor, const char *where)
{
    struct sockaddr_un *address = &supervisor->address;
    size_t size = strlen(where);

    if ((where[0] != '/' && where[0] != '@') || size >= sizeof address->sun_path) {
        errno = EINVAL;
        return false;
    }
    address->sun_family = AF_UNIX;
    memcpy(address->sun_path, where, size + 1);
    supervisor->address_size = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + size);
    if (where[0] == '@') {
        address->sun_path[0] = '\0';
    } else {
        supervisor->address_size++;
    }
    return true;
}

/* In microseconds; 0: none, or for another process. */
static int64_t watchdog(void)
{
    const char *value = getenv("WATCHDOG_USEC");
    uint64_t us;

    if (value == NULL || (getenv("WATCHDOG_PID") != NULL && !is_for_us("WATCHDOG_PID")) ||
        !text_to_u64(text_of(value), INT64_MAX, &us)) {
        return 0;
    }
    return (int64_t)us;
}

static void forget(const char *const *variables)
{
    for (size_t i = 0; variables[i] != NULL; i++) {
        unsetenv(variables[i]);
    }
}

/* The address each time: the supervisor may have opened its socket again. */
static void send_message(const struct supervisor *supervisor, const char *message)
{
    if (supervisor->socket >= 0) {
        (void)sendto(supervisor->socket, message, strlen(message), MSG_DONTWAIT | MSG_NOSIGNAL,
                     (const struct sockaddr *)&supervisor->address, supervisor->address_size);
    }
}
