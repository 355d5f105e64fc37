/* SPDX-License-Identifier: ISC */
/* ended.h: what a transaction has ended, for a kind of store whose data may be put back to an older
 * state behind its back. Knows values; does not know where they are kept (lmdb/ended_log.h). */
#ifndef RETOKEN_STORE_RECORDS_ENDED_H
#define RETOKEN_STORE_RECORDS_ENDED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/crypto.h"
#include "model/session.h"

/* Written: numbers never change. */
enum ended_what {
    ENDED_SESSION = 1,
    ENDED_ACCOUNT = 2, /* all its sessions of an epoch before `epoch` */
    ENDED_ACCOUNT_DISABLED = 3,
    ENDED_ACCOUNT_ENABLED = 4, /* takes the one before back */
    ENDED_ACCOUNT_REMOVED = 5,
    ENDED_CLIENT_REMOVED = 6,
    ENDED_CLIENT_DISABLED = 7,
    ENDED_CLIENT_ENABLED = 8,  /* takes the one before back */
    ENDED_CLIENT_SESSIONS = 9, /* the client goes on */
    ENDED_REALM = 10 /* all sessions of an epoch before `epoch`; of every realm: id zero */
};

/* Has such an entry an id, and no account? */
bool ended_has_id(enum ended_what what);

struct ended {
    uint64_t number;
    enum ended_what what;
    uint8_t id[SESSION_ID_SIZE]; /* of a session; of a client or realm: ended_name_id */
    uint64_t account;            /* of an account */
    uint32_t epoch;              /* of ENDED_ACCOUNT and ENDED_REALM */
    enum session_end end;
    int64_t at_ms;
    int64_t until_ms; /* not needed from then on: the session would have expired; 0 = for ever */
};

/* Entries of one transaction; grows. All zero = empty. */
struct ended_list {
    struct ended *entries;
    size_t count, room;
};
/* False: out of memory. */
bool ended_list_add(struct ended_list *list, const struct ended *entry);
void ended_list_free(struct ended_list *list);

/* What stands for the name of a client or a realm in the journal. False: libcrypto failed. */
bool ended_name_id(const char *name, uint8_t id[SESSION_ID_SIZE]);

#endif
