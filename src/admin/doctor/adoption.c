/* SPDX-License-Identifier: ISC */
/* adoption.c: realms that take tokens of another server: with which key, until when, and how many
 * came. Knows when that is over; does not know how a session is adopted. */
#include "admin/doctor/doctor.h"

#include <inttypes.h>
#include <stdio.h>

#include "admin/adopted.h"

static void check_adoption(struct examination *e, const struct realm *realm,
                           const struct signing_row *key);

/* Who knows such a key can log in as anyone, so it goes when it has done its work. */
void doctor_adoption_examine(struct examination *e)
{
    const struct config *config = &e->call->service.config;
    struct fault fault = {0};
    const struct keyring *keyring = issuer_keyring_now(&e->call->service.issuer, &fault);

    for (size_t i = 0; i < config->realm_count && keyring != NULL; i++) {
        if (config->realms[i].adoption.on) {
            check_adoption(e, &config->realms[i],
                           keyring_adopter(keyring, config->realms[i].name, 0));
        }
    }
    if (keyring == NULL) {
        doctor_report(e, "adopting", HEALTH_FAIL, "%s", fault.text);
    }
}

/* `key`: the first of the keys of other servers that it verifies with; NULL = none. */
static void check_adoption(struct examination *e, const struct realm *realm,
                           const struct signing_row *key)
{
    int64_t until_ms = realm->adoption.until_ms;
    char until[OUTPUT_TIME_SIZE], last[OUTPUT_TIME_SIZE];
    char so_far[128] = "no session so far";
    struct adopted adopted;
    struct fault fault = {0};

    output_time(until_ms, until);
    if (!adopted_count(e->call, realm->name, &adopted, &fault)) {
        doctor_report(e, "adopting", HEALTH_FAIL, "%s: %s", realm->name, fault.text);
        return;
    } else if (adopted.count > 0) {
        output_time(adopted.last_ms, last);
        snprintf(so_far, sizeof so_far, "%" PRIu64 " session%s so far, the last at %s",
                 adopted.count, adopted.count == 1 ? "" : "s", last);
    }
    if (until_ms != 0 && until_ms <= e->call->now_ms && key == NULL) {
        doctor_report(e, "adopting", HEALTH_OK, "%s: over since %s; %s", realm->name, until,
                      so_far);
    } else if (until_ms != 0 && until_ms <= e->call->now_ms) {
        doctor_report(e, "adopting", HEALTH_WARN, "%s: over since %s: `retoken key retire %s`",
                      realm->name, until, key->kid);
    } else if (key == NULL) {
        doctor_report(e, "adopting", HEALTH_WARN,
                      "%s: nothing, without a key: `retoken key import --verify-only`",
                      realm->name);
    } else if (until_ms == 0) {
        doctor_report(
            e, "adopting", HEALTH_WARN,
            "%s: with %s for ever; %s: set adopt-until to when the last old token expires",
            realm->name, key->kid, so_far);
    } else {
        doctor_report(e, "adopting", HEALTH_OK, "%s: with %s until %s; %s", realm->name, key->kid,
                      until, so_far);
    }
}
