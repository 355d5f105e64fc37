/* SPDX-License-Identifier: ISC */
/* service.h: from a configuration to something that answers: secret, store, issuer. What the
 * responder and the administration open alike. */
#ifndef RETOKEN_PROCESS_SERVICE_H
#define RETOKEN_PROCESS_SERVICE_H

#include "process/config.h"
#include "operation/issuer.h"

/* No clock is earlier than this program. */
#define SERVICE_WRITTEN_MS (INT64_C(1767225600) * CLOCK_SECOND)

struct service {
    struct config config;
    struct secrets secrets;
    struct store_subscription subscriptions[CONFIG_WEBHOOKS_MAX]; /* one of each webhook */
    struct store *store;
    struct issuer issuer;
    struct metrics *metrics;                                /* NULL: nothing is counted */
    struct metrics_answers *answers[CONFIG_MOUNTS_MAX + 1]; /* by mount of config; behind the last:
                                                               of no mount */
    struct hook_http *hooked; /* how its hooks are asked; NULL = there are none */
};

/* Are the master secret and the store where the configuration says? False: *fault says which is
 * missing, or that there is no installation, and what to do. Opens neither. */
bool service_is_installed(const struct config *config, struct fault *fault);

/* Can this program do what the configuration asks for? A static one loads no libraries, so that it
 * neither asks hooks nor reaches a store behind a server. False: *fault says so. */
bool service_is_possible(const struct config *config, struct fault *fault);

/* As store_look and store_make, for the store that config names. */
enum store_result service_look(const struct config *config, struct fault *fault);
enum store_result service_make(const struct config *config, const char *owner, store_told *told,
                               void *self, struct fault *fault);

/* Copies a store into another one, which is made, under the master secret of config, and then
 * checks it as store_check does. The service is not open. STORE_STALE: a process has one of them
 * open; STORE_EXISTS: there is something in `to`; *fault says so. */
struct service_copy {
    const char *from, *to; /* URLs */
    void (*progress)(void *self, uint64_t done, uint64_t total);
    const struct store_check *check;
    void *self; /* of progress */
};
enum store_result service_copy(struct service *service, const struct service_copy *copy,
                               uint64_t *findings, struct fault *fault);

/* Counts from now on, where the configuration says so, until service_close or the next call. Before
 * service_open, whose failure does not undo it. *fault.text is not "" when this process counts
 * alone. Call after the last fork. */
void service_count(struct service *service, struct fault *fault);
/* The file that counts, into `path`; false: the path is too long. */
bool service_metrics_path(const struct config *config, char path[CONFIG_PATH_MAX]);

/* Opens secret file, store and keyring as config says. False with *fault, everything released.
 * `create` makes the store when absent (never the secret). Unless read_only, a clock before
 * SERVICE_WRITTEN_MS is a fault. Call after the last fork. */
bool service_open(struct service *service, bool create, bool read_only, struct fault *fault);
void service_close(struct service *service);

/* A configuration that has changed while a process serves: `next`, whose config is loaded, takes
 * secrets and store from `first`, which service_open has opened and which outlives it, and has its
 * own keyring and hooks. False with *fault, `next` unopened: it names the setting that only a new
 * process can take over. service_count and service_prepare_hooks are for it, too. */
bool service_follow(struct service *next, const struct service *first, struct fault *fault);
/* Once no request uses it. */
void service_unfollow(struct service *next);

/* What asking hooks needs, before the process is confined. False with *fault. */
bool service_prepare_hooks(struct service *service, struct fault *fault);
/* As store_restore, for the store that config names; the service is not open. */
enum store_result service_restore(struct service *service, const char *directory,
                                  struct store_restored *restored, struct fault *fault);

#endif
