/* SPDX-License-Identifier: ISC */
/* client.h: a registered OAuth client (RFC 6749 section 2). Plain values of bounded size. */
#ifndef RETOKEN_MODEL_CLIENT_H
#define RETOKEN_MODEL_CLIENT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/clock.h"
#include "base/text.h"
#include "model/policy.h"

enum {
    CLIENT_ID_MAX = 64,
    CLIENT_SECRETS = 2,        /* the current secret and the one before it or after it */
    CLIENT_SECRET_MAX = 384,   /* a secret's hash */
    CLIENT_URIS_MAX = 2048,    /* redirect URIs, space-separated, compared exactly */
    CLIENT_ORIGINS_MAX = 1024, /* origins that may call from a browser, space-separated */
    CLIENT_KEYS_MAX = 7168,    /* public keys for assertions (RFC 7523), a JWK Set, and by which
                                  certificates it proves itself (RFC 8705); "" = none */
    CLIENT_SCOPE_MAX = 512     /* space-separated; "" = no limit */
};

/* A secret is accepted before `until_ms`, so that it can be rolled without a logout. Not from when
 * it was made: a clock that is set back must not shut its client out. */
struct client_secret {
    char hash[CLIENT_SECRET_MAX + 1]; /* "" = none */
    uint32_t number;                  /* among all secrets that the client has had, from 1 on */
    int64_t from_ms;                  /* when it was made */
    int64_t until_ms;                 /* 0 = without end */
    int64_t used_ms;                  /* when it last proved the client, kept coarsely; 0 = never */
};

struct client {
    uint64_t
        number; /* given by the store, never reused: another of the same id is another client */
    bool enabled;
    int64_t created_ms;
    int64_t used_ms; /* last authentication, kept coarsely; 0 = never */
    struct client_secret secrets[CLIENT_SECRETS];
    uint32_t grants; /* enum grant_bit; 0 = whatever the realm allows */
    struct policy_override override;
    char id[CLIENT_ID_MAX + 1];
    char scope[CLIENT_SCOPE_MAX + 1];
    char redirect_uris[CLIENT_URIS_MAX + 1];
    char origins[CLIENT_ORIGINS_MAX + 1];
    char keys[CLIENT_KEYS_MAX + 1]; /* last, see store_session_view_size */
};

/* What it is granted when it asks for `asked`: that, or where it asks for nothing what it is
 * registered with, in canonical form in `out`, which has CLIENT_SCOPE_MAX bytes. False: no scope
 * (RFC 6749 section 3.3), too long, or more than it may have. */
bool client_scope(const struct client *client, struct text asked, char *out, struct text *scope);
/* Has it anything to prove itself with? A public client has not. */
bool client_is_confidential(const struct client *client);
/* The secret of that number; NULL when there is none, and for 0. */
struct client_secret *client_secret_find(struct client *client, uint32_t number);
/* Is it worth a write that this secret (NULL = none) has proved its client? */
bool client_use_due(const struct client_secret *secret, int64_t now_ms);
/* Is there a secret in this place, and is it accepted at this time? */
bool client_secret_holds(const struct client_secret *secret, int64_t now_ms);

#endif
