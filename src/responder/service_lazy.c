/* SPDX-License-Identifier: ISC */
/* service_lazy.c: opens a service and tries again; see service_lazy.h. */
#include "responder/service_lazy.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "responder/hand_over.h"

enum { RETRY_MS = 1000 };

static bool start(struct service_lazy *lazy, struct service *service);
static void try_to_open(struct service_lazy *lazy);
static bool open_service(struct service_lazy *lazy);

bool service_lazy_open(struct service_lazy *lazy, const char *config_file, bool as_script)
{
    struct service *service = calloc(1, sizeof *service);

    if (service == NULL || !start(lazy, service)) {
        free(service);
        return false;
    }
    lazy->owned = true;
    lazy->config_file = config_file;
    lazy->as_script = as_script;
    try_to_open(lazy);
    return true;
}

bool service_lazy_over(struct service_lazy *lazy, struct service *service)
{
    if (!start(lazy, service)) {
        return false;
    }
    lazy->configured = true;
    atomic_store(&lazy->open, true);
    return true;
}

void service_lazy_close(struct service_lazy *lazy)
{
    if (lazy->owned) {
        if (atomic_load(&lazy->open)) {
            service_close(lazy->service);
        }
        free(lazy->service);
    }
    pthread_mutex_destroy(&lazy->opening);
}

bool service_lazy_is_open(struct service_lazy *lazy)
{
    return atomic_load(&lazy->open);
}

const struct fault *service_lazy_acquire(struct service_lazy *lazy)
{
    pthread_mutex_lock(&lazy->opening);
    try_to_open(lazy);
    return atomic_load(&lazy->open) ? NULL : &lazy->fault;
}

void service_lazy_release(struct service_lazy *lazy)
{
    pthread_mutex_unlock(&lazy->opening);
}

static bool start(struct service_lazy *lazy, struct service *service)
{
    memset(lazy, 0, sizeof *lazy);
    lazy->service = service;
    atomic_init(&lazy->open, false);
    return pthread_mutex_init(&lazy->opening, NULL) == 0;
}

/* Under the lock. */
static void try_to_open(struct service_lazy *lazy)
{
    int64_t now_ms = clock_stopwatch_us() / 1000;

    if (atomic_load(&lazy->open) || (lazy->tried && now_ms - lazy->tried_ms < RETRY_MS)) {
        return;
    }
    bool again = lazy->tried;
    lazy->tried = true;
    lazy->tried_ms = now_ms;
    if (!open_service(lazy)) {
        log_line(LOG_LEVEL_ERROR, "cannot serve, answering with faults: %s", lazy->fault.text);
        return;
    }
    if (again) {
        log_line(LOG_LEVEL_NOTICE, "recovered; serving requests");
    }
    atomic_store(&lazy->open, true);
}

static bool open_service(struct service_lazy *lazy)
{
    struct service *service = lazy->service;
    struct fault fault;

    lazy->configured = config_load(lazy->config_file, &service->config, &lazy->fault);
    if (!lazy->configured) {
        return false;
    } else if (!service_is_possible(&service->config, &lazy->fault)) {
        if (lazy->as_script) {
            hand_over();
        }
        return false;
    }
    if (!log_open(service->config.log_target, service->config.log_level, &fault)) {
        log_line(LOG_LEVEL_ERROR, "%s; logging to standard error", fault.text);
    }
    service_count(service, &fault);
    if (fault.text[0] != '\0') {
        log_line(LOG_LEVEL_ERROR, "%s; this process counts by itself", fault.text);
    }
    if (!service_open(service, false, false, &lazy->fault)) {
        return false;
    } else if (!service_prepare_hooks(service, &fault)) {
        log_line(LOG_LEVEL_ERROR, "hooks cannot be asked: %s", fault.text);
    }
    return true;
}
