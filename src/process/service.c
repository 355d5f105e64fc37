/* SPDX-License-Identifier: ISC */
/* service.c: opens what answers: master secret, derived keys, store, keyring, in that order, and
 * gives all of it back when one fails. Knows which setting feeds which floor; does not know
 * requests. */
#include "process/service.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "base/library.h"
#include "base/secret.h"
#include "dialect/dialect.h"
#include "operation/hook_http.h"
#include "token/refresh_token.h"

bool service_is_installed(const struct config *config, struct fault *fault)
{
    const char *directory = store_url_directory(config->store);
    bool secret = access(config->secret_file, F_OK) == 0 || errno != ENOENT;
    /* whether a server has it is known once it is asked */
    bool store = directory == NULL || access(directory, F_OK) == 0 || errno != ENOENT;

    if (secret && store) {
        return true;
    } else if (!secret && config->secret_passed) {
        fault_set(fault,
                  "%s: the master secret is not passed to this process; see secret-file in "
                  "retoken.conf(5)",
                  config->secret_file);
    } else if (!secret && directory == NULL) {
        fault_set(fault,
                  "%s: the master secret is missing: copy it from the machine where the store %s "
                  "was made; where there is no store yet: `retoken init`",
                  config->secret_file, config->store);
    } else if (!secret && !store) {
        fault_set(fault, "there is no installation in %s; " CONFIG_ELSEWHERE, config->data);
    } else if (!secret) {
        fault_set(
            fault,
            "%s: the master secret is missing: put back the secret that the store %s was made "
            "with",
            config->secret_file, directory);
    } else {
        fault_set(fault,
                  "store %s is missing: put it back, or a backup of it (`retoken store restore`); "
                  "an empty one: `retoken init`",
                  directory);
    }
    return false;
}

bool service_is_possible(const struct config *config, struct fault *fault)
{
    bool hooks = config->hook_count > 0;

    if (library_can_load() || (!hooks && store_url_directory(config->store) != NULL)) {
        return true;
    }
    fault_set(fault, "this program is static and %s; use retoken.fcgi",
              hooks ? "asks no hooks" : "reaches no store behind a server");
    return false;
}

enum store_result service_look(const struct config *config, struct fault *fault)
{
    const struct store_settings settings = {.url = config->store,
                                            .password_file = config->store_password_file};

    return store_look(&settings, fault);
}

enum store_result service_make(const struct config *config, const char *owner, store_told *told,
                               void *self, struct fault *fault)
{
    const struct store_settings settings = {.url = config->store,
                                            .password_file = config->store_password_file};

    return store_make(&settings, owner, told, self, fault);
}

static bool open_secrets(struct service *service, struct fault *fault)
{
    return secrets_open_file(service->config.secret_file, service->config.secret_passed,
                             &service->secrets, fault);
}

/* The caller wipes them. */
static struct store_settings settings_of(struct service *service, bool create, bool read_only)
{
    const struct config *config = &service->config;
    struct clock clock = clock_system();
    struct store_settings settings = {
        .url = config->store,
        .password_file = config->store_password_file,
        .rotation_local = config->rotation_local,
        .map_size = config->store_size,
        .map_limit = config->store_limit,
        .create = create,
        .read_only = read_only,
        .keep_ended_ms = config->keep_ended_ms,
        .session_limit = (uint32_t)config->session_limit,
        .writer_wait_ms = config->writer_wait_ms,
        .subscriptions = service->subscriptions,
        .subscription_count = config->webhook_count,
        .outbox_most = (uint32_t)config->outbox_size,
        .now_ms = clock_now_ms(&clock),
        .clock = clock,
        .derived_alias = refresh_token_derived_alias,
        .derived_alias_self = &service->secrets,
        .metrics = service->metrics,
    };

    memcpy(settings.record_key, service->secrets.record, sizeof settings.record_key);
    for (size_t i = 0; i < config->webhook_count; i++) {
        const struct webhook *webhook = &config->webhooks[i];
        struct store_subscription *subscription = &service->subscriptions[i];

        *subscription = (struct store_subscription){.kinds = webhook->kinds,
                                                    .realms = webhook->realms,
                                                    .realm_count = webhook->realm_count};
        memcpy(subscription->name, webhook->name, sizeof webhook->name);
    }
    return settings;
}

static struct store *open_store(struct service *service, bool create, bool read_only,
                                struct fault *fault)
{
    struct store_settings settings = settings_of(service, create, read_only);
    struct store *store = store_open(&settings, fault);

    secret_wipe(&settings, sizeof settings);
    return store;
}

/* 2026, when this was written. Tokens that are issued before the clock is right would have expired
 * when it is, and so would the sessions. */
static bool is_clock_set(struct fault *fault)
{
    struct clock clock = clock_system();

    if (clock_now_ms(&clock) >= SERVICE_WRITTEN_MS) {
        return true;
    }
    fault_set(fault, "the clock says that it is before this program was written; set the clock");
    return false;
}

bool service_metrics_path(const struct config *config, char path[CONFIG_PATH_MAX])
{
    return snprintf(path, CONFIG_PATH_MAX, "%s/metrics", config->data) < CONFIG_PATH_MAX;
}

/* Outcomes have numbers in the file, which another version may give to others. */
static uint64_t meaning_of_outcomes(void)
{
    uint64_t hash = 0;

    for (int i = 0; i < OUTCOME_COUNT; i++) {
        hash = metrics_hash(hash, outcome_word((enum outcome)i));
    }
    return hash;
}

static void stop_counting(struct service *service)
{
    metrics_close(service->metrics);
    service->metrics = NULL;
    memset(service->answers, 0, sizeof service->answers);
}

void service_count(struct service *service, struct fault *fault)
{
    const struct config *config = &service->config;
    struct metrics_mount mounts[CONFIG_MOUNTS_MAX] = {0};
    char path[CONFIG_PATH_MAX];

    fault->text[0] = '\0';
    stop_counting(service);
    if (!config->metrics) {
        return;
    } else if (!service_metrics_path(config, path)) {
        fault_set(fault, "data = %.80s…: the path is too long", config->data);
        return;
    }
    for (size_t i = 0; i < config->mount_count; i++) {
        const struct mount *mount = &config->mounts[i];

        (void)text_copy(text_of(mount->path), mounts[i].path, sizeof mounts[i].path);
        (void)text_copy(text_of(mount->realm->dialect->name), mounts[i].dialect,
                        sizeof mounts[i].dialect);
    }
    service->metrics = metrics_open(path, meaning_of_outcomes(), mounts, config->mount_count,
                                    service->answers, fault);
}

static bool open_hooks(struct service *service)
{
    const struct config *config = &service->config;

    if (config->hook_count == 0) {
        return true;
    }
    service->hooked = hook_http_open();
    if (service->hooked != NULL) {
        service->issuer.hooks =
            hook_open(config->hooks, config->hook_count, &service->issuer.randomness,
                      hook_http_post, service->hooked);
    }
    if (service->issuer.hooks != NULL) {
        return true;
    }
    hook_http_close(service->hooked);
    return false;
}

bool service_prepare_hooks(struct service *service, struct fault *fault)
{
    return service->hooked == NULL || hook_http_prepare(service->hooked, fault);
}

static bool open_issuer(struct service *service, const struct secrets *secrets, struct fault *fault)
{
    const struct config *config = &service->config;
    struct issuer *issuer = &service->issuer;

    if (!issuer_open(issuer, service->store, secrets, store_clock(service->store),
                     randomness_system(), fault)) {
        return false;
    }
    issuer->password_method = config->password_method;
    issuer->metrics = service->metrics;
    issuer->webhooks = config->webhooks;
    issuer->webhook_count = config->webhook_count;
    if (open_hooks(service)) {
        return true;
    }
    fault_set(fault, "no memory for hooks");
    issuer_close(issuer);
    return false;
}

static void close_issuer(struct service *service)
{
    hook_close(service->issuer.hooks);
    hook_http_close(service->hooked);
    issuer_close(&service->issuer);
}

bool service_open(struct service *service, bool create, bool read_only, struct fault *fault)
{
    service->secrets = (struct secrets){0};
    service->store = NULL;
    service->issuer = (struct issuer){0};
    service->hooked = NULL;

    if ((!read_only && !is_clock_set(fault)) ||
        (!create && !service_is_installed(&service->config, fault)) ||
        !open_secrets(service, fault)) {
        goto no_secrets;
    }
    service->store = open_store(service, create, read_only, fault);
    if (service->store == NULL) {
        goto no_store;
    }
    if (!open_issuer(service, &service->secrets, fault)) {
        goto no_issuer;
    }
    return true;

no_issuer:
    store_close(service->store);
    service->store = NULL;
no_store:
    secrets_close(&service->secrets);
no_secrets:
    return false;
}

void service_close(struct service *service)
{
    stop_counting(service);
    if (service->store == NULL) {
        return;
    }
    close_issuer(service);
    store_close(service->store);
    service->store = NULL;
    secrets_close(&service->secrets);
}

/* ---- another configuration ---- */

static const char *fixed_setting(const struct config *next, const struct config *first);
static bool same_webhooks(const struct config *next, const struct config *first);

bool service_follow(struct service *next, const struct service *first, struct fault *fault)
{
    const char *fixed = fixed_setting(&next->config, &first->config);

    if (fixed != NULL) {
        fault_set(fault, "%s has changed, which only a new process takes over", fixed);
        return false;
    }
    next->store = first->store;
    next->secrets = (struct secrets){0};
    next->issuer = (struct issuer){0};
    next->hooked = NULL;
    return open_issuer(next, &first->secrets, fault);
}

void service_unfollow(struct service *next)
{
    close_issuer(next);
    stop_counting(next);
}

/* What the store and the threads have been opened with, and what the process can no longer do once
 * it is confined. NULL: all of that is the same. */
static const char *fixed_setting(const struct config *next, const struct config *first)
{
    const struct {
        const char *name;
        bool same;
    } settings[] = {
        {"data", strcmp(next->data, first->data) == 0},
        {"secret-file", strcmp(next->secret_file, first->secret_file) == 0},
        {"store", strcmp(next->store, first->store) == 0},
        {"store-password-file", strcmp(next->store_password_file, first->store_password_file) == 0},
        {"rotation-durability", next->rotation_local == first->rotation_local},
        {"store-size", next->store_size == first->store_size},
        {"store-limit", next->store_limit == first->store_limit},
        {"keep-ended", next->keep_ended_ms == first->keep_ended_ms},
        {"sessions-per-account", next->session_limit == first->session_limit},
        {"writer-wait", next->writer_wait_ms == first->writer_wait_ms},
        {"log", strcmp(next->log_target, first->log_target) == 0},
        {"metrics", next->metrics == first->metrics},
        {"threads", next->threads == first->threads},
        {"outbox-size", next->outbox_size == first->outbox_size},
        {"[webhook]", same_webhooks(next, first)},
        {"body-limit", next->body_limit == first->body_limit},
        {"[hook]", next->hook_count == 0 || first->hook_count > 0},
    };

    for (size_t i = 0; i < sizeof settings / sizeof settings[0]; i++) {
        if (!settings[i].same) {
            return settings[i].name;
        }
    }
    return NULL;
}

/* As far as they decide what is put into the outbox. */
static bool same_webhooks(const struct config *next, const struct config *first)
{
    bool same = next->webhook_count == first->webhook_count;

    for (size_t i = 0; same && i < first->webhook_count; i++) {
        const struct webhook *new = &next->webhooks[i], *old = &first->webhooks[i];

        same = strcmp(new->name, old->name) == 0 &&
               new->kinds == old->kinds &&new->realm_count == old->realm_count;
        for (size_t j = 0; same && j < old->realm_count; j++) {
            same = strcmp(new->realms[j], old->realms[j]) == 0;
        }
    }
    return same;
}

enum store_result service_restore(struct service *service, const char *directory,
                                  struct store_restored *restored, struct fault *fault)
{
    struct store_settings settings;
    enum store_result result;

    if (!open_secrets(service, fault)) {
        return STORE_FAULT;
    }
    settings = settings_of(service, false, false);
    result = store_restore(&settings, directory, restored, fault);
    secret_wipe(&settings, sizeof settings);
    secrets_close(&service->secrets);
    return result;
}

static enum store_result copy_between(const struct store_settings *from,
                                      const struct store_settings *to,
                                      const struct service_copy *copy, struct fault *fault);

enum store_result service_copy(struct service *service, const struct service_copy *copy,
                               uint64_t *findings, struct fault *fault)
{
    struct store_settings from, to;
    enum store_result result = STORE_FAULT;
    struct store *store;

    if (!open_secrets(service, fault)) {
        return STORE_FAULT;
    }
    from = settings_of(service, false, true);
    from.url = copy->from;
    to = settings_of(service, true, false);
    to.url = copy->to;
    result = copy_between(&from, &to, copy, fault);
    if (result == STORE_OK) {
        to.create = false;
        to.read_only = true;
        store = store_open(&to, fault);
        result = store != NULL ? store_check(store, copy->check, findings, fault) : STORE_FAULT;
        store_close(store);
    }
    secret_wipe(&from, sizeof from);
    secret_wipe(&to, sizeof to);
    secrets_close(&service->secrets);
    return result;
}

/* What is copied has to be all there is, so no one may write behind it. */
static enum store_result copy_between(const struct store_settings *from,
                                      const struct store_settings *to,
                                      const struct service_copy *copy, struct fault *fault)
{
    enum store_result result = store_unused(from, fault);

    if (result == STORE_OK) {
        result = store_unused(to, fault);
    }
    if (result != STORE_OK) {
        return result;
    }
    struct store *source = store_open(from, fault);
    struct store *target = source != NULL ? store_open(to, fault) : NULL;
    result = target != NULL ? store_copy(source, target, copy->progress, copy->self, fault)
                            : STORE_FAULT;
    if (result == STORE_EXISTS) {
        fault_set(fault, "store %s holds something already; name an empty one",
                  store_url_place(to->url));
    }
    store_close(target);
    store_close(source);
    return result;
}
