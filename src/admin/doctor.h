/* SPDX-License-Identifier: ISC */
/* doctor.h: one examination: lines of what was checked, how it is, and what would be right. */
#ifndef RETOKEN_ADMIN_DOCTOR_H
#define RETOKEN_ADMIN_DOCTOR_H

#include "admin/call.h"

enum health { HEALTH_OK, HEALTH_WARN, HEALTH_FAIL };

struct examination {
    struct call *call;
    enum health worst;
};

/* Prints the line of a check. Returns `health`. */
enum health doctor_report(struct examination *e, const char *check, enum health health,
                          const char *format, ...) __attribute__((format(printf, 4, 5)));

/* Sessions that ended with many others, where their records do not say so. The service is open. */
void doctor_ended_examine(struct examination *e);
/* The master secrets, and the sessions under each. The service is open. */
void doctor_secret_examine(struct examination *e);

/* What a client sees: asks the mounts of the configuration below `url`, as a stranger does, and
 * reports what the web server in front makes of requests and answers. Nothing that is sent is a
 * credential. */
void doctor_site_examine(struct examination *e, const char *url);

/* Who starts the responders that run on this machine, and what would be faster here. */
void doctor_processes_examine(struct examination *e);

#endif
