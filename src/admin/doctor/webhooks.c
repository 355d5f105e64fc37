/* SPDX-License-Identifier: ISC */
/* webhooks.c: can webhooks be sent, and what waits for them? Sends nothing. */
#include "admin/doctor/doctor.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <unistd.h>

#include "admin/notify/secrets.h"
#include "base/secret.h"
#include "http/client.h"

static void check_webhook(struct examination *e, const struct webhook *webhook);

void doctor_webhooks_examine(struct examination *e)
{
    const struct config *config = &e->call->service.config;
    struct http_client *client = NULL;
    struct fault fault;

    if (config->webhook_count == 0) {
        return;
    }
    client = http_client_open(0, &fault);
    if (client == NULL) {
        doctor_report(e, "webhooks", HEALTH_FAIL, "%s", fault.text);
    }
    http_client_close(client);
    for (size_t i = 0; i < config->webhook_count; i++) {
        check_webhook(e, &config->webhooks[i]);
    }
}

static void check_webhook(struct examination *e, const struct webhook *webhook)
{
    struct store_delivery_stat stat;
    struct notify_secrets secrets = {0};
    int64_t now_ms = e->call->now_ms;
    char oldest[OUTPUT_TIME_SIZE];
    struct fault fault;

    if (webhook->secret_file[0] != '\0' &&
        !notify_secrets_read(webhook->secret_file, &secrets, &fault)) {
        doctor_report(e, "webhook", HEALTH_FAIL, "%s: nothing is sent: %s", webhook->name,
                      fault.text);
    }
    secret_wipe(&secrets, sizeof secrets);
    if (webhook->ca_file[0] != '\0' && access(webhook->ca_file, R_OK) != 0) {
        doctor_report(e, "webhook", HEALTH_FAIL, "%s: ca-file %s: %s", webhook->name,
                      webhook->ca_file, strerror(errno));
    }
    if (store_delivery_stat(e->call->service.store, webhook->name, &stat, &fault) != STORE_OK) {
        doctor_report(e, "webhook", HEALTH_FAIL, "%s", fault.text);
        return;
    }
    uint64_t waiting = stat.waiting + stat.leased + stat.delayed;
    output_span(stat.oldest_ms > 0 ? now_ms - stat.oldest_ms : 0, oldest);
    if (stat.dropped > 0) {
        doctor_report(e, "webhook", HEALTH_WARN,
                      "%s: %" PRIu64 " events were dropped, because more than %" PRIu64
                      " waited (outbox-size): is `retoken notify` running?",
                      webhook->name, stat.dropped, stat.most);
    }
    if (stat.dead > 0) {
        doctor_report(e, "webhook", HEALTH_WARN,
                      "%s: %" PRIu64 " were not taken for three days: `retoken events dead`",
                      webhook->name, stat.dead);
    }
    doctor_report(e, "webhook",
                  waiting > 0 && now_ms - stat.oldest_ms > CLOCK_HOUR ? HEALTH_WARN : HEALTH_OK,
                  "%s: %" PRIu64 " wait%s%s%s", webhook->name, waiting,
                  waiting > 0 ? ", the oldest for " : "", waiting > 0 ? oldest : "",
                  waiting > 0 && now_ms - stat.oldest_ms > CLOCK_HOUR
                      ? ": is `retoken notify` running, and does the receiver answer?"
                      : "");
}
