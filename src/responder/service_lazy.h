/* SPDX-License-Identifier: ISC */
/* service_lazy.h: a service that is opened at once if possible, else later, when a request asks for
 * it. Knows configuration and service; does not know requests. */
#ifndef RETOKEN_RESPONDER_SERVICE_LAZY_H
#define RETOKEN_RESPONDER_SERVICE_LAZY_H

#include <pthread.h>
#include <stdatomic.h>

#include "process/service.h"

struct service_lazy {
    struct service *service;
    bool owned;       /* closed and freed by service_lazy_close */
    atomic_bool open; /* once true, nothing here changes any more */

    pthread_mutex_t opening; /* until then, over the rest */
    bool configured;         /* service->config is valid */
    const char *config_file;
    bool as_script;
    bool tried;
    int64_t tried_ms;
    struct fault fault; /* why it is not open */
};

/* Tries to open what this configuration file names (NULL: as config_load finds it). The name must
 * outlive it. `as_script`: where this program cannot do what the file asks for, another one may go
 * on in its place (hand_over.h). A failure is logged. False: out of memory. Call after the last
 * fork. */
bool service_lazy_open(struct service_lazy *lazy, const char *config_file, bool as_script);
/* Takes a service that the caller has opened and closes. For tests. */
bool service_lazy_over(struct service_lazy *lazy, struct service *service);
/* Not after a failed service_lazy_open or service_lazy_over. */
void service_lazy_close(struct service_lazy *lazy);

/* Once true it stays true, and lazy->service may be used without a lock. */
bool service_lazy_is_open(struct service_lazy *lazy);

/* While it is not open: takes the lock, and tries again if the last attempt is at least a second
 * ago. NULL: it is open now. Otherwise the reason why not; lazy->configured and
 * lazy->service->config may be read until service_lazy_release. */
const struct fault *service_lazy_acquire(struct service_lazy *lazy);
void service_lazy_release(struct service_lazy *lazy);

#endif
