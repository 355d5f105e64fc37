/* SPDX-License-Identifier: ISC */
/* account.h: a user. Plain values of bounded size; made and read by store/, judged by refresh/. */
#ifndef RETOKEN_MODEL_ACCOUNT_H
#define RETOKEN_MODEL_ACCOUNT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/crypto.h"
#include "base/text.h"

enum {
    ACCOUNT_NAME_MAX = 128,    /* login name */
    ACCOUNT_SUBJECT_MAX = 128, /* `sub` where the dialect wants another than the name */
    ACCOUNT_ROLES_MAX = 512,   /* space-separated */
    ACCOUNT_CLAIMS_MAX = 2048, /* a JSON object of further claims: email, firstName, roleId … */
    ACCOUNT_SESSION_LIMIT_MAX = 1000000,
    ACCOUNT_PASSWORD_MAX = 384 /* crypt(5) string; "" = no password, none can be right */
};

struct account {
    uint64_t number; /* given by the store, never reused: a removed account's sessions stay dead */
    bool enabled;
    bool keep_on_password_change; /* a new password leaves the sessions alive */
    uint32_t epoch;               /* a session of an earlier one has ended: one write ends all */
    uint32_t session_limit;       /* at most so many live sessions; 0 = any number */
    int64_t created_ms;
    int64_t last_login_ms; /* when the newest session that a login began was made; 0 = never */
    char name[ACCOUNT_NAME_MAX + 1];
    char subject[ACCOUNT_SUBJECT_MAX + 1];
    char roles[ACCOUNT_ROLES_MAX + 1];
    char claims[ACCOUNT_CLAIMS_MAX + 1]; /* "" or "{...}" */
    char password[ACCOUNT_PASSWORD_MAX + 1];
    /* SHA-256 of the hash that was set or imported, where `password` is a later one of the same
     * password, made at a login; otherwise all zero. */
    uint8_t rehashed[CRYPTO_HASH_SIZE];
};

/* What it is called where accounts are not logged in but spoken of: `sub`, user ids. */
static inline struct text account_subject(const struct account *account)
{
    return text_of(account->subject[0] != '\0' ? account->subject : account->name);
}

/* Can an account have this name? Otherwise what to say, with ACCOUNT_NAME_MAX. */
bool account_name_is_good(struct text name);
#define ACCOUNT_NAME_RULE "an account's name has 1 to %d bytes of UTF-8, no control characters"

/* Is all the same but number, last login and what the store keeps of its own? */
bool account_is_same(const struct account *a, const struct account *b);
/* Is `hash` the account's, or the one that it was made from? "" is the hash of no password. */
bool account_has_hash(const struct account *account, const char *hash);
/* Have both the same password? False also for two hashes of it that were set independently. */
bool account_same_password(const struct account *a, const struct account *b);
bool account_is_rehashed(const struct account *account);

#endif
