/* installation.h: the installation that a configuration file names, as a responder has it open: at
 * once when that is possible, else later, whenever a request asks again. Knows configuration and
 * service; does not know requests. */
#ifndef RETOKEN_RESPONDER_INSTALLATION_H
#define RETOKEN_RESPONDER_INSTALLATION_H

#include <pthread.h>
#include <stdatomic.h>

#include "process/service.h"

struct installation {
    struct service *service;
    bool owned;       /* it is ours */
    atomic_bool open; /* the service answers; from then on nothing here changes */

    pthread_mutex_t opening; /* until then, over the rest */
    bool configured;         /* service->config holds */
    const char *config_file;
    bool tried;
    int64_t tried_ms;
    struct fault fault; /* why it is not open */
};

/* Tries to open what this file (which outlives it; NULL: as config_load finds it) names; when that
 * fails, says so in the log. False: out of memory. Call after the last fork. */
bool installation_open(struct installation *installation, const char *config_file);
/* Over a service that the caller has opened and closes. For tests. */
bool installation_over(struct installation *installation, struct service *service);
/* Not after a failed installation_open or _over. */
void installation_close(struct installation *installation);

/* Once true, it stays so, and the service may be used without more ado. */
bool installation_is_open(struct installation *installation);

/* Off the fast path, while it is not open: takes the lock, so that nobody reads a configuration
 * that is being replaced, and tries again, at most once a second. NULL when it is open now, else
 * why it is not; `configured` and service->config hold until installation_release. */
const struct fault *installation_acquire(struct installation *installation);
void installation_release(struct installation *installation);

#endif
