/* SPDX-License-Identifier: ISC */
/* realm.h: a name under which sessions live, and the policy that one dialect has there. Two
 * dialects may share a realm's sessions: two structs with one name. Filled by process/config from
 * the dialect's defaults and the configuration. Values only; knows no path and no token. */
#ifndef RETOKEN_MODEL_REALM_H
#define RETOKEN_MODEL_REALM_H

#include "model/cookie.h"
#include "model/hook.h"
#include "model/policy.h"
#include "model/session.h"

/* design.md section 5: what the document says, or what the real server did. */
enum mount_behaviour { BEHAVIOUR_DOCUMENTED, BEHAVIOUR_DEPLOYED };

/* Whether what the web server has checked (REMOTE_USER) logs in: not at all, accounts that there
 * are, or any name, which gets an account without a password at its first login. */
enum realm_remote_user { REMOTE_USER_OFF, REMOTE_USER_KNOWN, REMOTE_USER_ANY };

enum {
    REALM_VALUE_MAX = 256,
    REALM_URI_MAX = 512,
    REALM_ORIGINS_MAX = 1024,
    REALM_TARGETS_MAX = 1024
};

struct dialect; /* dialect/dialect.h; opaque down here */
struct mounts;  /* model/mount.h */

/* Whether refresh JWTs of another server become sessions here at their first use. */
struct adoption_policy {
    bool on;
    bool creates_accounts;            /* whose accounts are not there yet; else they are refused */
    int64_t until_ms;                 /* no longer; 0 = without end */
    char issuer[REALM_VALUE_MAX + 1]; /* what `iss` must be; "" = anything */
    char audience[REALM_VALUE_MAX + 1]; /* what `aud` must hold; "" = anything */
    char claim[SESSION_REALM_MAX + 1];  /* which claim is the account's name; "" = sub */
};

struct realm {
    char name[SESSION_REALM_MAX + 1]; /* as in session.realm; "" where no tokens are issued */
    const struct dialect *dialect;
    enum mount_behaviour behaviour;
    struct policy policy;
    char issuer[REALM_VALUE_MAX + 1];
    bool issuer_is_own; /* the operator's word, not the dialect's */
    char audience[REALM_VALUE_MAX + 1];
    char targets[REALM_TARGETS_MAX + 1]; /* further audiences that may be asked for (RFC 8707),
                                            space-separated */
    char origins[REALM_ORIGINS_MAX + 1]; /* whose pages may ask from a browser, space-separated; "*"
                                            = any; "" = only our own */
    struct cookie_policy cookies;
    char check_cookie[COOKIE_NAME_MAX + 1]; /* that brings an access token to a page; "" = none */
    bool tells_expiration;    /* how long refresh token and session last is in the answers */
    bool expires_in_omitted;  /* exactly the document's keys, where it does not have `expires_in` */
    bool dpop_nonce;          /* a DPoP proof needs a nonce of ours, whatever its time */
    bool client_certificates; /* those of the web server's TLS connections are looked at */
    char mtls_origin[REALM_VALUE_MAX + 1]; /* where it asks for them, if not where the issuer is
                                              (RFC 8705 section 5); "" = there */
    bool at_jwt; /* its access tokens are those of RFC 9068, whatever the dialect's own are */
    enum realm_remote_user remote_user;
    bool query_refused; /* tokens in the URL are refused where the dialect would read them */
    bool has_auth_key;  /* the application has a key, whose SHA-256 this is: */
    uint8_t auth_key[32];
    struct adoption_policy adoption;
    const struct hook_settings *hook;         /* who is asked what its tokens say; NULL = no one */
    char verification_uri[REALM_URI_MAX + 1]; /* where users approve devices; "" = nowhere */
    const struct mounts *mounts;              /* this realm's and all others */
};

/* Are tokens issued under it? */
static inline bool realm_issues(const struct realm *realm)
{
    return realm->policy.layout != NULL;
}

#endif
