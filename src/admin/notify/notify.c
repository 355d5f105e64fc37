/* SPDX-License-Identifier: ISC */
/* notify.c: `retoken notify`: leases what waits in the outbox, posts it, and tells the store what
 * came of it. Any number may run at a time. Knows when to try again and what counts as delivered;
 * does not know bodies, signatures or how anything is posted.
 *
 * One thread: up to AT_A_TIME posts of each webhook are under way, so that one that hangs keeps
 * nobody else waiting. What a killed process had leased is leased again when the lease runs out. */
#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "admin/notify/body.h"
#include "admin/notify/delay.h"
#include "admin/notify/secrets.h"
#include "admin/verbs/verbs.h"
#include "base/codec.h"
#include "base/log.h"
#include "base/secret.h"
#include "http/client.h"

enum {
    AT_A_TIME = 16,                 /* posts of one webhook */
    TIMEOUT_MS = 10 * CLOCK_SECOND, /* of one post */
    LEASE_MS = 3 * TIMEOUT_MS,      /* longer than a post and what is done with it */
    POLL_MS = 500,                  /* how often it is looked whether anything waits */
    LOOK_MS = 2 * CLOCK_SECOND,     /* and whether what was put off is due */
    ANSWER_LIMIT = 64 * 1024,       /* what a receiver says beyond that is not read */
    BODY_LIMIT = 64 * 1024,
    KEPT = 32, /* connections */
    GONE = 410
};

/* A post that is under way. */
struct post {
    struct target *target; /* NULL = free */
    struct store_delivery row;
    struct http_call call;
    struct arena *arena; /* of the body and the headers */
    char id[64], timestamp[64];
    char signature[sizeof "webhook-signature: " + NOTIFY_SECRETS * (NOTIFY_SIGNATURE_SIZE + 1)];
};

/* A webhook, and how it goes with it. */
struct target {
    const struct webhook *webhook;
    struct post posts[AT_A_TIME];
    size_t under_way;
    size_t window;            /* how many may be: one after a failure, all after a success */
    bool gone;                /* it said 410: nothing more until the next start */
    bool silent;              /* its secret cannot be read, and that has been said */
    bool exhausted;           /* the last look found nothing to do */
    int64_t look_ms;          /* when to look again for what was put off */
    uint64_t done[AT_A_TIME]; /* delivered, and not yet told to the store */
    size_t done_count;
};

struct notifier {
    struct call *call;
    struct http_client *client;
    struct target targets[CONFIG_WEBHOOKS_MAX];
    size_t count;
    int signals; /* a descriptor */
    bool once, ending, broken;
    uint64_t delivered, failed;
    struct fault fault; /* of `broken` */
};

static bool open_notifier(struct notifier *notifier, struct fault *fault);
static bool take_signals(struct notifier *notifier, struct fault *fault);
static void run(struct notifier *notifier);
static bool is_idle(const struct notifier *notifier);
static bool has_more(const struct notifier *notifier);
static bool is_asked_to_end(const struct notifier *notifier);
static void fill(struct notifier *notifier, struct target *target);
static bool has_work(struct notifier *notifier, struct target *target);
static void begin(struct notifier *notifier, struct target *target,
                  const struct store_delivery *row, const struct notify_secrets *secrets);
static enum notify_body_result prepare(struct notifier *notifier, struct post *post,
                                       const struct notify_secrets *secrets, const char **why);
static const struct realm *realm_of(const struct config *config, const struct webhook *webhook,
                                    const struct event *event);
static bool sign(struct notifier *notifier, struct post *post, const struct notify_secrets *secrets,
                 const char *media_type);
static void end(struct notifier *notifier, struct post *post);
static void settle(struct notifier *notifier, struct target *target);
static void put_off(struct notifier *notifier, struct post *post, const char *why);
static void release(struct post *post);
static void show_progress(const struct notifier *notifier, bool last);

enum call_end notify_run(struct call *call)
{
    struct notifier *notifier = calloc(1, sizeof *notifier);
    struct fault fault = {0};

    if (notifier == NULL) {
        fault_set(&fault, "out of memory");
        return call_fault(call, &fault);
    }
    notifier->call = call;
    notifier->once = options_has(&call->options, OPTION_ONCE);
    if (call->service.config.webhook_count == 0) {
        free(notifier);
        return call_refuse(call, "no [webhook NAME] section in %s; see retoken.conf(5)",
                           call->service.config.file);
    }
    bool opened = open_notifier(notifier, &fault);
    if (opened) {
        run(notifier);
        fault = notifier->fault;
    }
    bool broken = !opened || notifier->broken;
    http_client_close(notifier->client);
    for (size_t i = 0; i < notifier->count; i++) {
        for (size_t j = 0; j < AT_A_TIME; j++) {
            arena_close(notifier->targets[i].posts[j].arena);
        }
    }
    free(notifier);
    return broken ? call_fault(call, &fault) : CALL_DONE;
}

/* Says of each webhook what will keep it from being told. */
static bool open_notifier(struct notifier *notifier, struct fault *fault)
{
    const struct config *config = &notifier->call->service.config;

    if (!log_open(config->log_target, config->log_level, fault) || !take_signals(notifier, fault)) {
        return false;
    }
    notifier->client = http_client_open(KEPT, fault);
    if (notifier->client == NULL) {
        return false;
    }
    for (size_t i = 0; i < config->webhook_count; i++) {
        struct target *target = &notifier->targets[notifier->count++];

        target->webhook = &config->webhooks[i];
        target->window = AT_A_TIME;
        for (size_t j = 0; j < AT_A_TIME; j++) {
            target->posts[j].arena = arena_open(BODY_LIMIT);
            if (target->posts[j].arena == NULL) {
                fault_set(fault, "out of memory");
                return false;
            }
        }
    }
    return true;
}

/* TERM and INT end it in order; a hang-up lets the log be opened again. */
static bool take_signals(struct notifier *notifier, struct fault *fault)
{
    sigset_t set;

    sigemptyset(&set);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGINT);
    sigaddset(&set, SIGHUP);
    notifier->signals = sigprocmask(SIG_BLOCK, &set, NULL) == 0
                            ? signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC)
                            : -1;
    if (notifier->signals < 0) {
        fault_set(fault, "signals: %s", strerror(errno));
    }
    return notifier->signals >= 0;
}

static void run(struct notifier *notifier)
{
    while (!notifier->broken) {
        for (size_t i = 0; i < notifier->count && !notifier->ending; i++) {
            fill(notifier, &notifier->targets[i]);
        }
        if (is_idle(notifier) && (notifier->once || notifier->ending)) {
            break;
        }
        struct http_call *call =
            http_client_next(notifier->client, has_more(notifier) ? 0 : POLL_MS, notifier->signals);
        for (; call != NULL; call = http_client_next(notifier->client, 0, -1)) {
            end(notifier, call->owner);
        }
        for (size_t i = 0; i < notifier->count; i++) {
            settle(notifier, &notifier->targets[i]);
        }
        notifier->ending = notifier->ending || is_asked_to_end(notifier);
        show_progress(notifier, false);
    }
    show_progress(notifier, true);
}

/* Nothing is under way, and nothing was found to do. */
static bool is_idle(const struct notifier *notifier)
{
    for (size_t i = 0; i < notifier->count; i++) {
        const struct target *target = &notifier->targets[i];

        if (target->under_way > 0 || (!target->exhausted && !notifier->ending)) {
            return false;
        }
    }
    return true;
}

/* Nothing is under way that could be waited for, and there is more to begin. */
static bool has_more(const struct notifier *notifier)
{
    bool more = false;

    for (size_t i = 0; i < notifier->count; i++) {
        if (notifier->targets[i].under_way > 0) {
            return false;
        }
        more = more || !notifier->targets[i].exhausted;
    }
    return more;
}

static bool is_asked_to_end(const struct notifier *notifier)
{
    struct signalfd_siginfo signal;
    bool asked = false;

    while (read(notifier->signals, &signal, sizeof signal) == (ssize_t)sizeof signal) {
        asked = asked || signal.ssi_signo != SIGHUP;
        if (signal.ssi_signo == SIGHUP) {
            log_reopen();
        }
    }
    return asked;
}

/* ---- what is begun ---- */

static void fill(struct notifier *notifier, struct target *target)
{
    struct call *call = notifier->call;
    struct notify_secrets secrets = {0};
    struct store_delivery *rows = NULL;
    struct fault fault = {0};
    size_t room = target->under_way < target->window ? target->window - target->under_way : 0;
    size_t count = 0;

    target->exhausted = target->gone || !has_work(notifier, target);
    if (target->exhausted || room == 0 || notifier->broken) {
        return;
    }
    if (target->webhook->secret_file[0] != '\0' &&
        !notify_secrets_read(target->webhook->secret_file, &secrets, &fault)) {
        if (!target->silent) {
            log_line(LOG_LEVEL_ERROR, "notify webhook=%s nothing is sent: %s",
                     target->webhook->name, fault.text);
        }
        target->silent = target->exhausted = true;
        return;
    }
    target->silent = false;
    rows = calloc(room, sizeof *rows);
    if (rows == NULL ||
        store_delivery_lease(call->service.store, target->webhook->name, clock_now_ms(&call->clock),
                             LEASE_MS, rows, room, &count, &fault) != STORE_OK) {
        notifier->broken = true;
        notifier->fault = fault;
    }
    for (size_t i = 0; i < count && !notifier->broken; i++) {
        begin(notifier, target, &rows[i], &secrets);
    }
    target->exhausted = count == 0;
    free(rows);
    secret_wipe(&secrets, sizeof secrets);
}

/* By a look that writes nothing. */
static bool has_work(struct notifier *notifier, struct target *target)
{
    int64_t now_ms = clock_now_ms(&notifier->call->clock);
    struct store_delivery_stat stat;

    if (store_delivery_stat(notifier->call->service.store, target->webhook->name, &stat,
                            &notifier->fault) != STORE_OK) {
        notifier->broken = true;
        return false;
    }
    if (stat.waiting == 0 && now_ms < target->look_ms) {
        return false;
    }
    target->look_ms = now_ms + LOOK_MS;
    return stat.waiting + stat.delayed + stat.leased > target->under_way;
}

static void begin(struct notifier *notifier, struct target *target,
                  const struct store_delivery *row, const struct notify_secrets *secrets)
{
    struct post *post = target->posts;
    const char *why = "";

    while (post->target != NULL) {
        post++;
    }
    post->target = target;
    post->row = *row;
    target->under_way++;
    switch (prepare(notifier, post, secrets, &why)) {
    case NOTIFY_BODY_WRITTEN:
        if (!http_client_start(notifier->client, &post->call)) {
            put_off(notifier, post, post->call.fault.text);
        }
        return;
    case NOTIFY_BODY_NONE:
        target->done[target->done_count++] = row->number;
        release(post);
        return;
    case NOTIFY_BODY_FAULT:
        put_off(notifier, post, why);
        return;
    }
}

static enum notify_body_result prepare(struct notifier *notifier, struct post *post,
                                       const struct notify_secrets *secrets, const char **why)
{
    struct service *service = &notifier->call->service;
    const struct webhook *webhook = post->target->webhook;
    const struct realm *realm = realm_of(&service->config, webhook, &post->row.event);
    struct webhook_told told = {.event = &post->row.event, .realm = realm};
    const struct signing_key *signer = NULL;
    const struct keyring *keyring;
    const char *media_type;
    struct account account;
    struct fault fault;

    *why = "the event cannot be written as a body: out of memory, or no key signs for its realm";
    memcpy(told.id, post->row.id, sizeof told.id);
    if (told.event->account != 0 &&
        store_account_get(service->store, told.event->account, &account, &fault) == STORE_OK) {
        told.account = &account;
    }
    if (webhook->format == WEBHOOK_FORMAT_CAEP && realm != NULL) {
        keyring = issuer_keyring_now(&service->issuer, &fault);
        signer =
            keyring == NULL ? NULL : keyring_signer(keyring, realm->policy.algorithm, realm->name);
    }
    post->call =
        (struct http_call){.url = webhook->url,
                           .ca_file = webhook->ca_file[0] != '\0' ? webhook->ca_file : NULL,
                           .timeout_ms = TIMEOUT_MS,
                           .room_size = ANSWER_LIMIT,
                           .owner = post};
    enum notify_body_result result =
        notify_body_write(webhook, &told, signer, post->arena, &post->call.body, &media_type);
    if (result == NOTIFY_BODY_WRITTEN && !sign(notifier, post, secrets, media_type)) {
        return NOTIFY_BODY_FAULT;
    }
    return result;
}

/* The one whose mount told it; else one of the name; for what is of no realm, the first that issues
 * tokens and that the webhook is for. */
static const struct realm *realm_of(const struct config *config, const struct webhook *webhook,
                                    const struct event *event)
{
    const char *name = event->realm[0] != '\0'    ? event->realm
                       : webhook->realm_count > 0 ? webhook->realms[0]
                                                  : NULL;
    const struct mount *mount = config_mount(config, event->mount);

    if (mount != NULL && name != NULL && strcmp(mount->realm->name, name) == 0) {
        return mount->realm;
    }
    for (size_t i = 0; i < config->realm_count; i++) {
        const struct realm *realm = &config->realms[i];

        if (realm_issues(realm) && (name == NULL || strcmp(realm->name, name) == 0)) {
            return realm;
        }
    }
    return NULL;
}

static bool sign(struct notifier *notifier, struct post *post, const struct notify_secrets *secrets,
                 const char *media_type)
{
    int64_t now_s = clock_now_ms(&notifier->call->clock) / CLOCK_SECOND;
    size_t prefix = strlen("webhook-signature: ");
    const char **header = post->call.headers;
    char id[37];

    codec_uuid_format(post->row.id, id);
    (void)snprintf(post->id, sizeof post->id, "webhook-id: %s", id);
    (void)snprintf(post->timestamp, sizeof post->timestamp, "webhook-timestamp: %" PRId64, now_s);
    memcpy(post->signature, "webhook-signature: ", prefix + 1);
    *header++ = media_type;
    *header++ = "Accept: application/json";
    *header++ = post->id;
    *header++ = post->timestamp;
    if (secrets->count > 0) {
        *header++ = post->signature;
    }
    *header = NULL;
    return secrets->count == 0 || notify_secrets_sign(secrets, text_of(id), now_s, post->call.body,
                                                      post->signature + prefix);
}

/* ---- what came of it ---- */

static void end(struct notifier *notifier, struct post *post)
{
    struct target *target = post->target;
    const struct http_call *call = &post->call;
    char why[64];

    if (call->answered && call->status >= 200 && call->status <= 299) {
        target->done[target->done_count++] = post->row.number;
        target->window = AT_A_TIME;
        notifier->delivered++;
        release(post);
        return;
    }
    if (call->answered && call->status == GONE && !target->gone) {
        target->gone = true;
        log_line(
            LOG_LEVEL_ERROR,
            "notify webhook=%s status=410: it is gone, and nothing more is sent until the next "
            "start; remove its section, or correct its url",
            target->webhook->name);
    }
    (void)snprintf(why, sizeof why, "status %d", call->status);
    put_off(notifier, post, call->answered ? why : call->fault.text);
}

/* Tells the store of what was delivered, in one commit. */
static void settle(struct notifier *notifier, struct target *target)
{
    if (target->done_count > 0 && !notifier->broken &&
        store_delivery_done(notifier->call->service.store, target->webhook->name, target->done,
                            target->done_count, &notifier->fault) != STORE_OK) {
        notifier->broken = true;
    }
    target->done_count = 0;
}

static void put_off(struct notifier *notifier, struct post *post, const char *why)
{
    struct call *call = notifier->call;
    struct target *target = post->target;
    uint32_t chance = 0;
    char id[37];

    (void)randomness_fill(&call->randomness, &chance, sizeof chance);
    int64_t delay_ms = notify_delay(post->row.tries, post->call.retry_after_ms, chance);
    int64_t next_ms = clock_now_ms(&call->clock) + delay_ms;
    bool dead = notify_delay_is_over(post->row.first_ms, next_ms);
    enum store_result result =
        store_delivery_failed(call->service.store, target->webhook->name, post->row.number, next_ms,
                              dead, why, &notifier->fault);
    if (result != STORE_OK && result != STORE_ABSENT) {
        notifier->broken = true;
    }
    codec_uuid_format(post->row.id, id);
    log_line(LOG_LEVEL_NOTICE,
             "notify webhook=%s event=%s id=%s try=%" PRIu32 " %s=%" PRId64 " why=\"%s\"",
             target->webhook->name, event_word(post->row.event.kind), id, post->row.tries,
             dead ? "dead-after-s" : "again-in-s",
             (dead ? next_ms - post->row.first_ms : delay_ms) / CLOCK_SECOND, why);
    target->window = 1;
    notifier->failed++;
    release(post);
}

static void release(struct post *post)
{
    post->target->under_way--;
    post->target = NULL;
    arena_reset(post->arena);
}

/* On a terminal: one line, written over. */
static void show_progress(const struct notifier *notifier, bool last)
{
    if (isatty(STDERR_FILENO)) {
        fprintf(stderr, "\r%" PRIu64 " delivered, %" PRIu64 " put off%s", notifier->delivered,
                notifier->failed, last ? "\n" : "");
    }
}
