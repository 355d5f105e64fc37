/* installation.c: opening it and trying again; see installation.h. */
#include "responder/installation.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "dialect/mounts.h"
#include "base/log.h"

enum { RETRY_MS = 1000 };

static bool open_service(struct installation *installation)
{
    static const struct config_dialects facts = {
        .defaults = dialect_mount_defaults,
        .default_mount = dialect_default_mount,
        .names = dialect_mount_names,
    };
    struct service *service = installation->service;
    struct fault fault;

    installation->configured =
        config_load(installation->config_file, &facts, &service->config, &installation->fault);
    if (!installation->configured) {
        return false;
    }
    if (!log_open(service->config.log_file, service->config.log_level, &fault)) {
        log_line(LOG_LEVEL_ERROR, "%s; going on with standard error", fault.text);
    }
    return service_open(service, false, false, &installation->fault);
}

/* Under the lock. */
static void try_to_open(struct installation *installation)
{
    int64_t now_ms = clock_stopwatch_us() / 1000;

    if (atomic_load(&installation->open) ||
        (installation->tried && now_ms - installation->tried_ms < RETRY_MS)) {
        return;
    }
    bool again = installation->tried;
    installation->tried = true;
    installation->tried_ms = now_ms;
    if (!open_service(installation)) {
        log_line(LOG_LEVEL_ERROR, "cannot serve, answering with faults: %s",
                 installation->fault.text);
        return;
    }
    if (again) {
        log_line(LOG_LEVEL_NOTICE, "mended, serving now");
    }
    atomic_store(&installation->open, true);
}

static bool start(struct installation *installation, struct service *service)
{
    memset(installation, 0, sizeof *installation);
    installation->service = service;
    atomic_init(&installation->open, false);
    return pthread_mutex_init(&installation->opening, NULL) == 0;
}

bool installation_open(struct installation *installation, const char *config_file)
{
    struct service *service = calloc(1, sizeof *service);

    if (service == NULL || !start(installation, service)) {
        free(service);
        return false;
    }
    installation->owned = true;
    installation->config_file = config_file;
    try_to_open(installation);
    return true;
}

bool installation_over(struct installation *installation, struct service *service)
{
    if (!start(installation, service)) {
        return false;
    }
    installation->configured = true;
    atomic_store(&installation->open, true);
    return true;
}

void installation_close(struct installation *installation)
{
    if (installation->owned) {
        if (atomic_load(&installation->open)) {
            service_close(installation->service);
        }
        free(installation->service);
    }
    pthread_mutex_destroy(&installation->opening);
}

bool installation_is_open(struct installation *installation)
{
    return atomic_load(&installation->open);
}

const struct fault *installation_acquire(struct installation *installation)
{
    pthread_mutex_lock(&installation->opening);
    try_to_open(installation);
    return atomic_load(&installation->open) ? NULL : &installation->fault;
}

void installation_release(struct installation *installation)
{
    pthread_mutex_unlock(&installation->opening);
}
