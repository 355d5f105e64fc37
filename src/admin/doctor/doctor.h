/* SPDX-License-Identifier: ISC */
/* doctor.h: one examination: lines of what was checked, how it is, and what would be right. */
#ifndef RETOKEN_ADMIN_DOCTOR_DOCTOR_H
#define RETOKEN_ADMIN_DOCTOR_DOCTOR_H

#include "admin/call.h"

enum health { HEALTH_OK, HEALTH_WARN, HEALTH_FAIL };

struct examination {
    struct call *call;
    enum health worst;
};

/* Prints the line of a check. Returns `health`. */
enum health doctor_report(struct examination *e, const char *check, enum health health,
                          const char *format, ...) __attribute__((format(printf, 4, 5)));

/* ---- parts, in the order of their lines. The configuration has been read. ---- */

/* What there is to read, where lines of the log go, how far a responder confines itself. */
void doctor_settings_examine(struct examination *e);
/* The first of these alone. */
void doctor_config_file_examine(struct examination *e);

/* Who starts the responders that run on this machine, and what would be faster here. */
void doctor_processes_examine(struct examination *e);

void doctor_mounts_examine(struct examination *e);
/* What is to be said of a realm's issuer is said at the first of its mounts that has it. */
bool doctor_is_first_of_realm(const struct config *config, size_t mount);

/* The data folder, its disk, and the master secret. False: the store cannot be opened. */
bool doctor_files_examine(struct examination *e);

/* ---- the service is open ---- */

/* What the store itself has to say. */
void doctor_remarks_examine(struct examination *e);
/* The master secrets, and the sessions under each. */
void doctor_secret_examine(struct examination *e);
/* Sessions that ended with many others, where their records do not say so. */
void doctor_ended_examine(struct examination *e);
void doctor_keys_examine(struct examination *e);
void doctor_adoption_examine(struct examination *e);
void doctor_clients_examine(struct examination *e);
void doctor_history_examine(struct examination *e);
void doctor_webhooks_examine(struct examination *e);
/* has_store: what is in the store may be compared with the clock. */
void doctor_clock_examine(struct examination *e, bool has_store);

/* ---- from any machine ---- */

/* What a client sees: asks the mounts of the configuration below `url`, as a stranger does, and
 * reports what the web server in front makes of requests and answers. Nothing that is sent is a
 * credential. */
void doctor_site_examine(struct examination *e, const char *url);

#endif
