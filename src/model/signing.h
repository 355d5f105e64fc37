/* SPDX-License-Identifier: ISC */
/* signing.h: names of the signature algorithms (RFC 7518, RFC 8037) and of a signing key's states.
 */
#ifndef RETOKEN_MODEL_SIGNING_H
#define RETOKEN_MODEL_SIGNING_H

#include <stdbool.h>
#include <stdint.h>

#include "base/text.h"

enum signing_algorithm {
    SIGNING_HS256,
    SIGNING_RS256,
    SIGNING_RS384,
    SIGNING_RS512,
    SIGNING_PS256,
    SIGNING_ES256,
    SIGNING_ES384,
    SIGNING_EDDSA, /* Ed25519 */
    /* those of others: verified, and never signed with */
    SIGNING_HS384,
    SIGNING_HS512,
    SIGNING_ES512
};

/* Stored: numbers never change. */
enum { SIGNING_ALGORITHMS = SIGNING_ES512 + 1 };

/* "RS256" … */
const char *signing_algorithm_name(enum signing_algorithm algorithm);
/* Exact, case-sensitive. "Ed25519" (RFC 9864) is read as EdDSA, which has no other curve here. */
bool signing_algorithm_parse(struct text name, enum signing_algorithm *algorithm);
/* Is its key a secret that both sides know (HMAC)? */
bool signing_algorithm_is_secret(enum signing_algorithm algorithm);
/* May keys of our own have it? */
bool signing_algorithm_is_ours(enum signing_algorithm algorithm);

/* published: verifies and is in the JWKS, does not sign yet; active: signs too; retired: neither,
 * kept so that the operator can see it. verify-only: a key of another server, whose refresh tokens
 * are adopted; it verifies nothing else, and is in no JWKS. Stored: numbers never change. */
enum signing_state {
    SIGNING_PUBLISHED = 1,
    SIGNING_ACTIVE = 2,
    SIGNING_RETIRED = 3,
    SIGNING_VERIFY_ONLY = 4,
    SIGNING_VERIFY_RETIRED = 5
};
enum { SIGNING_STATES = SIGNING_VERIFY_RETIRED + 1 };
/* Is it out of use? */
bool signing_state_is_retired(enum signing_state state);
/* Is it, or was it, a key of another server (adoption_key.h)? */
bool signing_state_is_foreign(enum signing_state state);
const char *signing_state_name(enum signing_state state);

/* How long caches may keep the key set, in seconds: so long a key is published before it signs. */
#define SIGNING_KEY_SET_MAX_AGE 300

enum {
    SIGNING_KID_MAX = 64, /* [A-Za-z0-9._-]{1,64} */
    SIGNING_REALM_MAX = 64,
    SIGNING_SEALED_MAX = 4096 /* sealed private key */
};

/* A key as the store keeps it: the private part sealed, so the file alone signs nothing. */
struct signing_row {
    uint32_t number; /* given by the store */
    enum signing_algorithm algorithm;
    enum signing_state state;
    int64_t created_ms;
    char kid[SIGNING_KID_MAX + 1];
    char realm[SIGNING_REALM_MAX + 1]; /* signs for this realm only; "" = for all */
    uint16_t sealed_size;
    uint8_t sealed[SIGNING_SEALED_MAX];
};

#endif
