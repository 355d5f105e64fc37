/* SPDX-License-Identifier: ISC */
/* webhook.h: who is told of events by HTTP, and what of an event goes into a body. Values only,
 * filled by process/config; knows neither the store nor how anything is sent. */
#ifndef RETOKEN_MODEL_WEBHOOK_H
#define RETOKEN_MODEL_WEBHOOK_H

#include "base/buffer.h"
#include "model/account.h"
#include "model/event.h"
#include "model/realm.h"

enum {
    WEBHOOK_NAME_MAX = 32,
    WEBHOOK_URL_MAX = 1024,
    WEBHOOK_PATH_MAX = 1024,
    WEBHOOK_ID_SIZE = 16,
    WEBHOOK_REALMS_MAX = 64
};

enum webhook_format {
    WEBHOOK_FORMAT_RETOKEN, /* our own JSON, in the envelope of Standard Webhooks */
    WEBHOOK_FORMAT_CAEP,    /* a signed security event token (RFC 8417): session-revoked */
    WEBHOOK_FORMAT_DIALECT  /* as the server of a dialect told it */
};

struct webhook {
    char name[WEBHOOK_NAME_MAX + 1]; /* also its subscription's in the store */
    char url[WEBHOOK_URL_MAX + 1];
    uint64_t kinds;                         /* event_bit of each; only what the format has */
    const char *realms[WEBHOOK_REALMS_MAX]; /* by name; borrowed from the configuration */
    size_t realm_count;                     /* 0 = all */
    enum webhook_format format;
    const struct dialect *dialect;      /* of WEBHOOK_FORMAT_DIALECT, else NULL */
    char audience[REALM_VALUE_MAX + 1]; /* of security event tokens; "" = the URL */
    char secret_file[WEBHOOK_PATH_MAX]; /* "" = nothing is signed */
    char ca_file[WEBHOOK_PATH_MAX];     /* "" = the system's authorities */
};

/* An event and what else a body says. */
struct webhook_told {
    const struct event *event;
    uint8_t id[WEBHOOK_ID_SIZE];   /* the same each time it is sent */
    const struct account *account; /* NULL = of none, or it has been removed */
    const struct realm *realm;     /* NULL = of none, or no longer configured */
};

/* The kinds that end sessions, and whether an event of them did: not every change of an account. */
#define WEBHOOK_KIND(name) (UINT64_C(1) << EVENT_##name) /* event_bit, as a constant */
#define WEBHOOK_REVOCATIONS                                                                        \
    (WEBHOOK_KIND(REUSE) | WEBHOOK_KIND(REVOKED) | WEBHOOK_KIND(LOGOUT) |                          \
     WEBHOOK_KIND(SESSION_LIMIT) | WEBHOOK_KIND(ACCOUNT))
static inline bool webhook_is_revocation(const struct event *event)
{
    static const char *const causes[] = {"disabled", "removed", "password-change"};
    bool ends = event->kind != EVENT_ACCOUNT;

    for (size_t i = 0; i < sizeof causes / sizeof causes[0]; i++) {
        ends = ends || text_is(text_of(causes[i]), event->cause);
    }
    return ends && (event_bit(event->kind) & WEBHOOK_REVOCATIONS) != 0;
}

/* The `sub` of access tokens; empty where there is no account. */
static inline struct text webhook_subject(const struct webhook_told *told)
{
    return told->account == NULL ? (struct text){0} : account_subject(told->account);
}

/* What a webhook is told in the words of a dialect's own server. */
struct dialect_webhook {
    uint64_t kinds; /* event_bit of each that it has words for */
    /* Writes the body, one JSON object. False: it has no words for this one. */
    bool (*write)(const struct webhook_told *told, struct buffer *body);
};

#endif
